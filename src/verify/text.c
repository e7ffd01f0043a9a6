/*
 * The outcome as text that a lawyer can read: what was sworn, the verdict in
 * one line, then what it is based on, with the place of each in the log.
 */
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "claim/claim.h"
#include "claim/verdict.h"
#include "verify/outcome.h"
#include "verify/say.h"

#define DAMAGE_SHOWN 10
#define EVIDENCE_SHOWN 20	/* more than that: the first of each reader */
#define READER_SHOWN 3
#define DOUBTS_SHOWN 20
#define ARROW " \xe2\x86\x92 "

static void
text_items(struct buf *out, const struct outcome_items *l, bool all)
{
	size_t i, n = all || l->n <= DAMAGE_SHOWN ? l->n : DAMAGE_SHOWN;

	for (i = 0; i < n; i++)
		say_wrap(out, "  - ", 4, l->list[i].text);
	if (l->n + l->more > n) {
		buf_str(out, "  - and ");
		say_number(out, l->n + l->more - n);
		buf_str(out, " more\n");
	}
}

static void
text_log(struct buf *out, const struct outcome_log *l, bool whole)
{
	buf_str(out, "Log ");
	say_str(out, l->dir);
	if (l->key[0] == 0) {
		buf_str(out, "\n");
		return;
	}
	buf_str(out, ": gateway ");
	say_str(out, l->gateway[0] != 0 ? l->gateway : "(not known)");
	buf_str(out, "\n  ");
	say_count(out, l->head.size, "entry", "entries");
	if (whole && l->entries > 0) {
		buf_str(out, " from ");
		say_time(out, l->first_ms);
		buf_str(out, " to ");
		say_time(out, l->last_ms);
	}
	buf_str(out, "\n  root ");
	text_base64(out, l->head.root.h, sizeof(l->head.root.h));
	buf_str(out, "\n  signed by ");
	say_str(out, l->key);
	buf_str(out, "\n");
}

static void
text_logs(struct buf *out, const struct outcome *o)
{
	size_t i;

	for (i = 0; i < o->n_logs; i++)
		text_log(out, &o->logs[i], o->bundle == NULL);
}

static void
text_broken(struct buf *out, const struct outcome *o, bool all)
{
	buf_fmt(out, "\nTHE %s IS BROKEN: it is not what was promised, and "
	    "nothing is\nconcluded from it.\n", o->bundle != NULL ?
	    "EVIDENCE" : "LOG");
	text_items(out, &o->damage, all);
}

static void
text_of_log(struct buf *out, const struct outcome *o, bool all)
{
	text_logs(out, o);
	if (o->damage.n > 0) {
		text_broken(out, o, all);
	} else {
		buf_str(out, "\nTHE LOG IS CONSISTENT: every entry, hash, "
		    "counter and the signature fit.\n");
	}
	if (o->notes.n > 0) {
		buf_str(out, "\nTo be known about its times:\n");
		text_items(out, &o->notes, all);
	}
}

static void
text_sworn(struct buf *out, const struct claim *c)
{
	struct buf quoted;

	buf_str(out, "THE CLAIM: ");
	say_str(out, c->title);
	buf_str(out, "\n");
	say_wrap(out, "  sworn by ", 4, c->sworn_by);
	buf_init(&quoted, 0);
	buf_fmt(&quoted, "%s\"", c->sentence);
	say_wrap(out, "  \"", 3, buf_text(&quoted) != NULL ?
	    (const char *)quoted.data : "");
	out->failed |= quoted.failed;
	buf_done(&quoted);
	buf_str(out, "  period   ");
	say_time(out, c->from_ms);
	buf_str(out, " to ");
	say_time(out, c->to_ms);
	buf_str(out, "\n  gateways ");
	say_list(out, &c->gateways);
	buf_str(out, "\n  stores   ");
	say_list(out, &c->stores);
	buf_str(out, "\n\n");
}

/* Of a part of a log: what is not in it could say anything. */
static void
text_alone(struct buf *out, const struct outcome *o)
{
	const struct verdict_result *v = o->verdict;

	if (v->n_evidence > 0) {
		buf_str(out, "THE VERDICT: refuted by this evidence. ");
		say_count(out, v->n_evidence, "disclosure meets",
		    "disclosures meet");
		buf_str(out, "\nthe claim's words.\n");
	} else {
		buf_str(out, "THE VERDICT: not shown by this evidence. No "
		    "disclosure in it is known to\nmeet the claim's words.\n");
	}
	buf_str(out, "  looked at: ");
	say_count(out, o->bundle_entries, "entry", "entries");
	buf_str(out, ", each with its proof that it is in the log;\n"
	    "  nothing is concluded from what is not in the bundle\n"
	    "  the claim's SHA-256: ");
	buf_str(out, o->claim_sha256);
	buf_str(out, "\n");
}

/* Acts or ability: what was found. */
static void
text_refuted(struct buf *out, const struct verdict_result *v)
{
	uint64_t could = v->n_abilities + v->more_abilities;

	buf_str(out, "THE VERDICT: refuted. ");
	if (could > 0) {
		say_count(out, could, "reader could", "readers could");
		buf_str(out, " what the claim says nobody could.\n");
	}
	if (could == 0 || v->n_evidence > 0) {
		say_count(out, v->n_evidence + v->more_evidence,
		    "disclosure meets", "disclosures meet");
		buf_str(out, " the claim's words.\n");
	}
}

static void
text_verdict(struct buf *out, const struct outcome *o)
{
	const struct verdict_result *v = o->verdict;

	switch (v->value) {
	case VERDICT_HOLDS:
		buf_str(out, o->claim->could ? "THE VERDICT: holds. Nobody "
		    "in the directory could, and no disclosure in the\n"
		    "records meets the claim's words; nothing that could "
		    "hide one is missing.\n" :
		    "THE VERDICT: holds. No disclosure in the "
		    "records meets the claim's words,\nand nothing that "
		    "could hide one is missing.\n");
		break;
	case VERDICT_REFUTED:
		text_refuted(out, v);
		break;
	case VERDICT_NOT_SHOWN:
		buf_str(out, o->claim->could ? "THE VERDICT: not shown. "
		    "Nobody is known to have been able to, but\n" :
		    "THE VERDICT: not shown. No disclosure is known "
		    "to meet the claim's words, but\n");
		say_count(out, v->n_doubts + v->more_doubts, "thing is",
		    "things are");
		buf_str(out, " missing or undecided.\n");
		break;
	}
	buf_str(out, "  looked at: ");
	say_count(out, v->records, "record", "records");
	buf_str(out, " in the period; at these stores ");
	say_count(out, v->sessions, "session", "sessions");
	buf_str(out, ",\n  ");
	say_count(out, v->statements, "statement", "statements");
	buf_str(out, " of persons, and ");
	say_count(out, v->denials, "refusal", "refusals");
	buf_str(out, " to readers whom the claim is about\n");
}

static void
text_reader(struct buf *out, const struct verdict_evidence *e)
{
	size_t i;

	buf_str(out, "\n  ");
	if (e->name != NULL && strcmp(e->name, e->principal) != 0) {
		say_str(out, e->name);
		buf_str(out, " (");
		say_str(out, e->principal);
		buf_str(out, ")");
	} else {
		say_str(out, e->principal);
	}
	buf_str(out, ", a ");
	say_str(out, e->kind);
	buf_str(out, "\n");
	if (e->is != NULL) {
		buf_str(out, "    is ");
		say_str(out, e->is);
		buf_str(out, " by the policy's definition: ");
		say_str(out, e->is_because);
		buf_str(out, "\n");
	}
	if (e->label == NULL)
		return;
	buf_str(out, "    stands under ");
	say_str(out, e->label);
	buf_str(out, " by ");
	say_list(out, &e->kinds);
	buf_str(out, ": ");
	say_str(out, e->principal);
	for (i = 0; i < e->steps.n; i++) {
		buf_str(out, ARROW);
		say_str(out, e->steps.s[i]);
	}
	buf_str(out, "\n");
}

static void
text_whose(struct buf *out, const struct verdict_evidence *e)
{
	buf_str(out, "      whose: residents of ");
	say_list(out, &e->residences);
	if (e->counted) {
		buf_str(out, ", at most ");
		say_number(out, e->at_most);
		buf_str(out, " (all of them in\n             store ");
		say_str(out, e->store);
		buf_str(out, ", counted at ");
		say_time(out, e->counted_ms);
		buf_str(out, ")");
	} else {
		buf_str(out, " (the store's subjects were never counted)");
	}
	buf_str(out, "\n      tables: ");
	say_list(out, &e->tables);
	if (e->categories.n > 0) {
		buf_str(out, "\n      categories: ");
		say_list(out, &e->categories);
	}
	if (e->masked.n > 0) {
		buf_str(out, "\n      shown masked: ");
		say_list(out, &e->masked);
	}
	buf_str(out, "\n");
}

static void
text_why(struct buf *out, const struct verdict_evidence *e)
{
	size_t i;

	buf_str(out, "      purpose: ");
	say_str(out, e->purpose != NULL ? e->purpose : "none stated");
	buf_str(out, ", ticket: ");
	say_str(out, e->ticket != NULL ? e->ticket : "none stated");
	buf_str(out, "\n");
	for (i = 0; i < e->rules.n; i++)
		say_wrap(out, "      permitted by rule: ", 8, e->rules.s[i]);
	for (i = 0; i < e->refused_by.n; i++)
		say_wrap(out, "      let pass (mode observe), to be refused "
		    "by rule: ", 8, e->refused_by.s[i][0] != 0 ?
		    e->refused_by.s[i] : "(no rule permits it)");
	if (e->whole_why != NULL)
		say_wrap(out, "      not analysed, so bounded by all that the "
		    "session could reach: ", 8, e->whole_why);
}

static void
text_evidence(struct buf *out, const struct verdict_evidence *e)
{
	buf_str(out, "    entry ");
	buf_fmt(out, "%llu", (unsigned long long)e->seq);
	buf_str(out, " of ");
	say_str(out, e->gateway);
	buf_str(out, ", ");
	say_time(out, e->time_ms);
	buf_str(out, ": ");
	say_str(out, e->what);
	buf_str(out, " at store ");
	say_str(out, e->store);
	buf_str(out, " (");
	say_str(out, e->mode);
	buf_str(out, ")\n      from ");
	say_str(out, e->source);
	buf_str(out, ", session ");
	say_str(out, e->session);
	buf_fmt(out, " (entry %llu)", (unsigned long long)e->session_seq);
	buf_str(out, "; came out: ");
	say_count(out, e->rows, "row", "rows");
	buf_str(out, ", ");
	say_count(out, e->bytes, "byte", "bytes");
	buf_fmt(out, " (entry %llu)\n", (unsigned long long)e->end_seq);
	text_whose(out, e);
	text_why(out, e);
}

static bool
same_reader(const struct verdict_evidence *a,
    const struct verdict_evidence *b)
{
	return strcmp(a->principal, b->principal) == 0 &&
	    strcmp(a->kind, b->kind) == 0;
}

static bool
first_of_reader(const struct verdict_result *v, size_t at)
{
	size_t i;

	for (i = 0; i < at; i++)
		if (same_reader(&v->evidence[i], &v->evidence[at]))
			return false;
	return true;
}

static void
text_of_reader(struct buf *out, const struct verdict_result *v, size_t first,
    size_t limit)
{
	size_t i, n = 0;

	text_reader(out, &v->evidence[first]);
	for (i = first; i < v->n_evidence; i++) {
		if (!same_reader(&v->evidence[i], &v->evidence[first]))
			continue;
		if (n++ < limit)
			text_evidence(out, &v->evidence[i]);
	}
	if (n > limit) {
		buf_str(out, "    and ");
		say_count(out, n - limit, "more disclosure",
		    "more disclosures");
		buf_str(out, " to this reader (--all shows them)\n");
	}
}

static void
text_evidences(struct buf *out, const struct verdict_result *v, bool all)
{
	size_t limit = all || v->n_evidence <= EVIDENCE_SHOWN ? SIZE_MAX :
	    READER_SHOWN, i;

	if (v->n_evidence == 0)
		return;
	buf_str(out, "\nTHE EVIDENCE, by reader:\n");
	for (i = 0; i < v->n_evidence; i++)
		if (first_of_reader(v, i))
			text_of_reader(out, v, i, limit);
}

static void
text_ability(struct buf *out, const struct verdict_ability *a)
{
	const struct verdict_evidence who = { .principal = a->principal,
	    .name = a->name, .kind = a->kind, .label = a->label,
	    .kinds = a->kinds, .steps = a->steps, .is = a->is,
	    .is_because = a->is_because };
	size_t i;

	text_reader(out, &who);
	buf_str(out, "    could read at store ");
	say_str(out, a->store);
	buf_str(out, ": residents of ");
	say_list(out, &a->residences);
	buf_str(out, "\n      tables: ");
	say_list(out, &a->tables);
	if (a->categories.n > 0) {
		buf_str(out, "\n      categories: ");
		say_list(out, &a->categories);
	}
	if (a->masked.n > 0) {
		buf_str(out, "\n      shown masked: ");
		say_list(out, &a->masked);
	}
	buf_str(out, "\n      so from ");
	say_str(out, strcmp(a->place, "unknown") == 0 ? "a network of no site" :
	    a->place);
	buf_str(out, ", purpose: ");
	say_str(out, a->purpose != NULL ? a->purpose : "none stated");
	buf_str(out, ", ticket like: ");
	say_str(out, a->ticket != NULL ? a->ticket : "none stated");
	buf_str(out, "\n");
	for (i = 0; i < a->rules.n; i++)
		say_wrap(out, "      permitted by rule: ", 8, a->rules.s[i]);
	buf_str(out, "      from ");
	say_time(out, a->at_ms);
	buf_fmt(out, " on, by entry %llu of ", (unsigned long long)a->seq);
	say_str(out, a->gateway);
	buf_fmt(out, "\n      (policy %.12s, directory %.12s, catalog %.12s)\n",
	    a->policy, a->directory, a->catalog);
}

static void
text_abilities(struct buf *out, const struct verdict_result *v, bool all)
{
	size_t n = all || v->n_abilities <= EVIDENCE_SHOWN ? v->n_abilities :
	    EVIDENCE_SHOWN, i;

	if (v->n_abilities == 0)
		return;
	buf_str(out, "\nWHO COULD, by what was in force:\n");
	for (i = 0; i < n; i++)
		text_ability(out, &v->abilities[i]);
	if (v->n_abilities + v->more_abilities > n) {
		buf_str(out, "\n  and ");
		say_number(out, v->n_abilities + v->more_abilities - n);
		buf_str(out, " more (--all shows them)\n");
	}
}

static void
text_doubts(struct buf *out, const struct verdict_result *v, bool all)
{
	size_t n = all || v->n_doubts <= DOUBTS_SHOWN ? v->n_doubts :
	    DOUBTS_SHOWN, i;

	if (v->n_doubts == 0)
		return;
	buf_str(out, v->value == VERDICT_REFUTED ?
	    "\nBESIDES, missing or undecided:\n" :
	    "\nMISSING OR UNDECIDED:\n");
	for (i = 0; i < n; i++)
		say_wrap(out, "  - ", 4, v->doubts[i].text);
	if (v->n_doubts + v->more_doubts > n) {
		buf_str(out, "  - and ");
		say_number(out, v->n_doubts + v->more_doubts - n);
		buf_str(out, " more (--all shows them)\n");
	}
}

static void
text_rests(struct buf *out, const struct verdict_result *v)
{
	size_t i;

	if (v->value != VERDICT_HOLDS)
		return;
	buf_str(out, "\nTHIS RESTS ON:\n");
	for (i = 0; i < v->n_rests; i++)
		say_wrap(out, "  - ", 4, v->rests[i].text);
}

void
outcome_text(struct buf *out, const struct outcome *o, bool all)
{
	if (o->claim == NULL && o->bundle == NULL) {
		text_of_log(out, o, all);
		return;
	}
	if (o->claim != NULL)
		text_sworn(out, o->claim);
	if (o->narrow != NULL) {
		outcome_text_narrow(out, o, all);
		buf_str(out, "\n");
		text_logs(out, o);
		return;
	}
	if (o->verdict == NULL) {
		text_logs(out, o);
		text_broken(out, o, all);
		return;
	}
	if (o->bundle != NULL)
		text_alone(out, o);
	else
		text_verdict(out, o);
	text_abilities(out, o->verdict, all);
	text_evidences(out, o->verdict, all);
	text_doubts(out, o->verdict, all);
	text_rests(out, o->verdict);
	buf_str(out, "\n");
	text_logs(out, o);
}

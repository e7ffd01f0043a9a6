/*
 * What was sworn, the verdict, then what it is based on, in the order in
 * which one asks: when, from where to where, who stood behind whom, each
 * disclosure, what is missing, what it rests on, which logs.
 */
#include "verify/html.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "claim/claim.h"
#include "claim/verdict.h"
#include "crypto/hash.h"
#include "directory/control.h"
#include "verify/outcome.h"
#include "verify/say.h"

#define ROWS_SHOWN 200
#define DOUBTS_SHOWN 100

void
html_str(struct buf *out, const char *s)
{
	struct buf safe;
	const char *p;

	buf_init(&safe, 0);
	say_str(&safe, s);
	if ((p = buf_text(&safe)) == NULL) {
		out->failed = true;
		p = "";
	}
	for (; *p != 0; p++) {
		switch (*p) {
		case '&':
			buf_str(out, "&amp;");
			break;
		case '<':
			buf_str(out, "&lt;");
			break;
		case '>':
			buf_str(out, "&gt;");
			break;
		case '"':
			buf_str(out, "&quot;");
			break;
		case '\'':
			buf_str(out, "&#39;");
			break;
		default:
			buf_u8(out, (uint8_t)*p);
		}
	}
	buf_done(&safe);
}

void
html_list(struct buf *out, const struct record_strs *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (i > 0)
			buf_str(out, ", ");
		html_str(out, l->s[i]);
	}
}

void
html_reader_name(struct buf *out, const struct verdict_evidence *e)
{
	if (e->name == NULL || strcmp(e->name, e->principal) == 0) {
		html_str(out, e->principal);
		return;
	}
	html_str(out, e->name);
	buf_str(out, " (");
	html_str(out, e->principal);
	buf_str(out, ")");
}

size_t
html_reader_find(const struct html_readers *r,
    const struct verdict_evidence *e)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (strcmp(r->list[i].first->principal, e->principal) == 0 &&
		    strcmp(r->list[i].first->kind, e->kind) == 0)
			break;
	return i;
}

static void
find_readers(const struct verdict_result *v, struct html_readers *r)
{
	const struct verdict_evidence *e;
	struct html_reader *to;
	size_t i, at;

	memset(r, 0, sizeof(*r));
	for (i = 0; i < v->n_evidence; i++) {
		e = &v->evidence[i];
		at = html_reader_find(r, e);
		if (at == HTML_READERS_MAX) {
			r->more++;
			continue;
		}
		to = &r->list[at];
		if (at == r->n) {
			r->n++;
			to->first = e;
			to->first_ms = to->last_ms = e->time_ms;
		}
		to->n++;
		to->rows += e->rows <= UINT64_MAX / 2 ? e->rows : 0;
		if (e->time_ms < to->first_ms)
			to->first_ms = e->time_ms;
		if (e->time_ms > to->last_ms)
			to->last_ms = e->time_ms;
	}
}

/* -- head, claim, verdict ----------------------------------------------- */

static const char *
verdict_word(const struct outcome *o)
{
	if (o->verdict == NULL)
		return o->bundle != NULL ? "Evidence broken" : "Log broken";
	switch (o->verdict->value) {
	case VERDICT_HOLDS:
		return "Holds";
	case VERDICT_REFUTED:
		return "Refuted";
	case VERDICT_NOT_SHOWN:
		return "Not shown";
	}
	return "Not shown";
}

static int
head(struct buf *out, const struct outcome *o)
{
	uint8_t hash[HASH_LEN];
	int r;

	if ((r = hash_sha256(html_style, strlen(html_style), hash)) != 0)
		return r;
	buf_str(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\""
	    "default-src 'none'; style-src 'sha256-");
	text_base64(out, hash, sizeof(hash));
	buf_str(out, "'; base-uri 'none'; form-action 'none'\">\n"
	    "<meta name=\"referrer\" content=\"no-referrer\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, "
	    "initial-scale=1\">\n<title>");
	buf_str(out, verdict_word(o));
	if (o->claim != NULL) {
		buf_str(out, ": ");
		html_str(out, o->claim->title);
	}
	buf_str(out, "</title>\n<style>");
	buf_str(out, html_style);
	buf_str(out, "</style>\n</head>\n<body>\n<main>\n");
	return 0;
}

static void
term(struct buf *out, const char *name)
{
	buf_fmt(out, "<dt>%s</dt><dd>", name);
}

static void
term_list(struct buf *out, const char *name, const struct record_strs *l,
    const char *none)
{
	term(out, name);
	if (l->n > 0)
		html_list(out, l);
	else
		buf_str(out, none);
	buf_str(out, "</dd>\n");
}

static void
who_part(struct buf *out, bool *any, const char *before,
    const struct record_strs *l)
{
	if (l->n == 0)
		return;
	buf_str(out, *any ? "; " : "");
	buf_str(out, before);
	html_list(out, l);
	*any = true;
}

/* "persons; located in or controlled from CN, by location, formal" */
static void
who(struct buf *out, const struct claim_who *w)
{
	bool any = w->kind != NULL, comma = false;
	unsigned kind;

	term(out, "Who");
	if (w->kind != NULL)
		buf_fmt(out, "%ss", w->kind);
	who_part(out, &any, "located in or controlled from ",
	    &w->controlled_from);
	for (kind = 1; w->controlled_from.n > 0 && kind <= CONTROL_ALL;
	    kind <<= 1) {
		if ((w->by & kind) == 0)
			continue;
		buf_str(out, comma ? ", " : ", by ");
		buf_str(out, control_kind_text((enum control_kind)kind));
		comma = true;
	}
	who_part(out, &any, "one of ", &w->principals);
	who_part(out, &any, "in a role of ", &w->roles);
	who_part(out, &any, "employed by ", &w->employed_by);
	who_part(out, &any, "what the policy defines as ", &w->is);
	buf_str(out, any ? "</dd>\n" : "everybody</dd>\n");
}

static void
sworn(struct buf *out, const struct claim *c)
{
	buf_str(out, "<section aria-labelledby=\"sworn\">\n"
	    "<h2 id=\"sworn\">The sentence as sworn</h2>\n<blockquote><p>");
	html_str(out, c->sentence);
	buf_str(out, "</p></blockquote>\n<p>sworn by ");
	html_str(out, c->sworn_by);
	buf_str(out, "</p>\n<h3>What was checked</h3>\n<dl>\n");
	term(out, "About");
	buf_str(out, c->could ? "what anybody could read, and did</dd>\n" :
	    "what anybody read</dd>\n");
	term(out, "Period");
	say_time(out, c->from_ms);
	buf_str(out, " to ");
	say_time(out, c->to_ms);
	buf_str(out, "</dd>\n");
	term_list(out, "Whose", &c->data.whose, "");
	who(out, &c->who);
	term_list(out, "Tables", &c->data.tables, "all");
	term_list(out, "Categories", &c->data.categories, "all");
	term(out, "Shown");
	buf_str(out, c->data.plain && c->data.mask ? "plain or masked" :
	    c->data.plain ? "plain" : "masked");
	buf_str(out, "</dd>\n");
	term_list(out, "Stores", &c->stores, "");
	term_list(out, "Gateways", &c->gateways, "");
	buf_str(out, "</dl>\n</section>\n");
}

static void
figure(struct buf *out, uint64_t n, const char *one, const char *many)
{
	buf_str(out, "<li><strong>");
	say_number(out, n);
	buf_fmt(out, "</strong> %s</li>\n", n == 1 ? one : many);
}

static void
figures(struct buf *out, const struct outcome *o,
    const struct html_readers *r)
{
	const struct verdict_result *v = o->verdict;

	buf_str(out, "<ul class=\"figures\">\n");
	figure(out, v->n_evidence + v->more_evidence, "disclosure that meets "
	    "the words", "disclosures that meet the words");
	if (o->claim->could)
		figure(out, v->n_abilities + v->more_abilities, "reader who "
		    "could", "readers who could");
	if (r->more == 0)
		figure(out, r->n, "reader of them", "readers of them");
	figure(out, v->n_doubts + v->more_doubts, "thing missing or undecided",
	    "things missing or undecided");
	figure(out, v->sessions, "session looked at", "sessions looked at");
	figure(out, v->statements, "statement of persons",
	    "statements of persons");
	figure(out, v->denials, "refusal to such readers",
	    "refusals to such readers");
	buf_str(out, "</ul>\n");
}

static void
verdict(struct buf *out, const struct outcome *o,
    const struct html_readers *r)
{
	static const char start[] = "<section class=\"verdict %s\" "
	    "aria-labelledby=\"verdict\">\n<h2 id=\"verdict\">"
	    "<span aria-hidden=\"true\">%s</span> %s%s</h2>\n<p>%s</p>\n";
	const char *word = verdict_word(o);

	if (o->verdict == NULL) {
		buf_fmt(out, start, "broken", "\xe2\x9a\xa0", word, "",
		    "It is not what was promised, and nothing is concluded "
		    "from it.");
	} else if (o->verdict->value == VERDICT_REFUTED) {
		buf_fmt(out, start, "refuted", "\xe2\x9c\x95", word,
		    o->bundle != NULL ? " by this evidence" : "",
		    o->verdict->n_abilities > 0 ? "There are readers who "
		    "could what the claim says nobody could." :
		    "There are disclosures that meet the claim\xe2\x80\x99s "
		    "words.");
	} else if (o->verdict->value == VERDICT_HOLDS) {
		buf_fmt(out, start, "holds", "\xe2\x9c\x93", word, "",
		    o->claim->could ? "Nobody in the directory could, no "
		    "disclosure in the records meets the claim\xe2\x80\x99s "
		    "words, and nothing that could hide one is missing." :
		    "No disclosure in the records meets the claim\xe2\x80\x99s "
		    "words, and nothing that could hide one is missing.");
	} else {
		buf_fmt(out, start, "open", "?", word, o->bundle != NULL ?
		    " by this evidence" : "", "No disclosure is known to meet "
		    "the claim\xe2\x80\x99s words, but something is missing "
		    "or undecided.");
	}
	if (o->verdict != NULL)
		figures(out, o, r);
	buf_str(out, "</section>\n");
}

/* -- what it is based on ------------------------------------------------ */

static void
more(struct buf *out, uint64_t n)
{
	if (n == 0)
		return;
	buf_str(out, "<p>And ");
	say_number(out, n);
	buf_str(out, " more, which this page leaves out.</p>\n");
}

static void
damage(struct buf *out, const struct outcome *o)
{
	const struct outcome_items *l = &o->damage;
	size_t i, n = l->n < DOUBTS_SHOWN ? l->n : DOUBTS_SHOWN;

	if (l->n == 0)
		return;
	buf_str(out, "<section aria-labelledby=\"damage\">\n"
	    "<h2 id=\"damage\">What is broken</h2>\n<ul>\n");
	for (i = 0; i < n; i++) {
		buf_str(out, "<li>");
		html_str(out, l->list[i].text);
		buf_str(out, "</li>\n");
	}
	buf_str(out, "</ul>\n");
	more(out, l->n + l->more - n);
	buf_str(out, "</section>\n");
}

static void
path(struct buf *out, const struct html_reader *r)
{
	const struct verdict_evidence *e = r->first;
	size_t i;

	buf_str(out, "<div class=\"reader\">\n<h3>");
	html_reader_name(out, e);
	buf_str(out, ", a ");
	html_str(out, e->kind);
	buf_str(out, "</h3>\n<p class=\"small\">");
	say_count(out, r->n, "disclosure", "disclosures");
	buf_str(out, ", ");
	say_count(out, r->rows, "row", "rows");
	buf_str(out, r->n == 1 ? ", at " : ", from ");
	say_time(out, r->first_ms);
	if (r->n > 1) {
		buf_str(out, " to ");
		say_time(out, r->last_ms);
	}
	buf_str(out, "</p>\n");
	if (e->is != NULL) {
		buf_str(out, "<p>Is <strong>");
		html_str(out, e->is);
		buf_str(out, "</strong> by the policy's definition: ");
		html_str(out, e->is_because);
		buf_str(out, "</p>\n");
	}
	if (e->label != NULL) {
		buf_str(out, "<p>Stands under <strong>");
		html_str(out, e->label);
		buf_str(out, "</strong> by ");
		html_list(out, &e->kinds);
		buf_str(out, ":</p>\n<ol class=\"steps\">\n<li>");
		html_str(out, e->principal);
		buf_str(out, "</li>\n");
		for (i = 0; i < e->steps.n; i++) {
			buf_str(out, "<li>");
			html_str(out, e->steps.s[i]);
			buf_str(out, "</li>\n");
		}
		buf_str(out, "</ol>\n");
	}
	buf_str(out, "</div>\n");
}

static void
paths(struct buf *out, const struct html_readers *r)
{
	size_t i;

	if (r->n == 0)
		return;
	buf_str(out, "<section aria-labelledby=\"paths\">\n"
	    "<h2 id=\"paths\">Who read, and who stands behind them</h2>\n");
	for (i = 0; i < r->n; i++)
		path(out, &r->list[i]);
	if (r->more > 0) {
		buf_str(out, "<p>And ");
		say_count(out, r->more, "disclosure", "disclosures");
		buf_str(out, " to other readers.</p>\n");
	}
	buf_str(out, "</section>\n");
}

static void
cell_whose(struct buf *out, const struct verdict_evidence *e)
{
	buf_str(out, "<td>residents of ");
	html_list(out, &e->residences);
	if (e->counted) {
		buf_str(out, ", at most ");
		say_number(out, e->at_most);
	} else {
		buf_str(out, "; never counted");
	}
	buf_str(out, "</td>");
}

static void
cell_data(struct buf *out, const struct verdict_evidence *e)
{
	buf_str(out, "<td class=\"w\">");
	html_list(out, &e->tables);
	if (e->categories.n > 0) {
		buf_str(out, "<br>plain: ");
		html_list(out, &e->categories);
	}
	if (e->masked.n > 0) {
		buf_str(out, "<br>masked: ");
		html_list(out, &e->masked);
	}
	if (e->whole_why != NULL) {
		buf_str(out, "<br>all that the session could reach, since: ");
		html_str(out, e->whole_why);
	}
	buf_str(out, "</td>");
}

static void
cell_why(struct buf *out, const struct verdict_evidence *e)
{
	size_t i;

	buf_str(out, "<td class=\"w\">purpose: ");
	html_str(out, e->purpose != NULL ? e->purpose : "none stated");
	if (e->ticket != NULL) {
		buf_str(out, "; ticket ");
		html_str(out, e->ticket);
	}
	for (i = 0; i < e->rules.n; i++) {
		buf_str(out, "<br>permitted by: ");
		html_str(out, e->rules.s[i]);
	}
	for (i = 0; i < e->refused_by.n; i++) {
		buf_str(out, "<br>let pass, to be refused by: ");
		html_str(out, e->refused_by.s[i][0] != 0 ?
		    e->refused_by.s[i] : "(no rule permits it)");
	}
	buf_str(out, "</td>");
}

static void
row(struct buf *out, const struct verdict_evidence *e)
{
	char at[TIME_TEXT_MAX];

	buf_fmt(out, "<tr><th scope=\"row\"><strong>%llu</strong><br>"
	    "<span class=\"small\">",
	    (unsigned long long)e->seq);
	html_str(out, e->gateway);
	time_text(e->time_ms, at);
	buf_fmt(out, "</span><br>%.10s<br>%s</th><td>", at, at + 11);
	html_reader_name(out, e);
	buf_str(out, "<br><span class=\"small\">from ");
	html_str(out, e->source);
	buf_str(out, "</span></td><td>");
	html_str(out, e->what);
	buf_str(out, " at ");
	html_str(out, e->store);
	buf_str(out, " (");
	html_str(out, e->mode);
	buf_str(out, ")</td>");
	cell_whose(out, e);
	cell_data(out, e);
	buf_str(out, "<td class=\"n\">");
	say_count(out, e->rows, "row", "rows");
	buf_str(out, "<br>");
	say_count(out, e->bytes, "byte", "bytes");
	buf_fmt(out, "<br><span class=\"small\">entry %llu</span></td>",
	    (unsigned long long)e->end_seq);
	cell_why(out, e);
	buf_str(out, "</tr>\n");
}

static void
table(struct buf *out, const struct verdict_result *v, bool all)
{
	static const char *const names[] = {"Entry", "Reader", "What", "Whose",
	    "Tables and categories", "Came out", "Why"};
	size_t i, n = all || v->n_evidence < ROWS_SHOWN ? v->n_evidence :
	    ROWS_SHOWN;

	if (v->n_evidence == 0)
		return;
	buf_str(out, "<section aria-labelledby=\"evidence\">\n"
	    "<h2 id=\"evidence\">The evidence</h2>\n<div class=\"scroll\" "
	    "tabindex=\"0\" role=\"region\" aria-labelledby=\"evidence\">\n"
	    "<table>\n<caption>Each disclosure that meets the "
	    "claim\xe2\x80\x99s words, with its place in the log</caption>\n"
	    "<thead><tr>");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		buf_fmt(out, "<th scope=\"col\"%s>%s</th>", i == 5 ?
		    " class=\"n\"" : "", names[i]);
	buf_str(out, "</tr></thead>\n<tbody>\n");
	for (i = 0; i < n; i++)
		row(out, &v->evidence[i]);
	buf_str(out, "</tbody>\n</table>\n</div>\n");
	more(out, v->n_evidence + v->more_evidence - n);
	buf_str(out, "</section>\n");
}

static void
doubts(struct buf *out, const struct verdict_result *v, bool all)
{
	size_t i, n = all || v->n_doubts < DOUBTS_SHOWN ? v->n_doubts :
	    DOUBTS_SHOWN;

	if (v->n_doubts == 0)
		return;
	buf_fmt(out, "<section aria-labelledby=\"doubts\">\n"
	    "<h2 id=\"doubts\">%s</h2>\n<ul>\n", v->value ==
	    VERDICT_REFUTED ? "Besides, missing or undecided" :
	    "Missing or undecided");
	for (i = 0; i < n; i++) {
		buf_str(out, "<li>");
		html_str(out, v->doubts[i].text);
		buf_str(out, "</li>\n");
	}
	buf_str(out, "</ul>\n");
	more(out, v->n_doubts + v->more_doubts - n);
	buf_str(out, "</section>\n");
}

static void
rests(struct buf *out, const struct verdict_result *v)
{
	size_t i;

	if (v->value != VERDICT_HOLDS)
		return;
	buf_str(out, "<section aria-labelledby=\"rests\">\n"
	    "<h2 id=\"rests\">This rests on</h2>\n<ul>\n");
	for (i = 0; i < v->n_rests; i++) {
		buf_str(out, "<li>");
		html_str(out, v->rests[i].text);
		buf_str(out, "</li>\n");
	}
	buf_str(out, "</ul>\n</section>\n");
}

static void
logs(struct buf *out, const struct outcome *o)
{
	const struct outcome_log *l;
	size_t i;

	buf_str(out, "<section aria-labelledby=\"logs\">\n"
	    "<h2 id=\"logs\">Checked against</h2>\n<div class=\"scroll\" "
	    "tabindex=\"0\" role=\"region\" aria-labelledby=\"logs\">\n"
	    "<table>\n<caption>The logs, and the roots that were signed"
	    "</caption>\n<thead><tr><th scope=\"col\">Gateway</th>"
	    "<th scope=\"col\" class=\"n\">Entries</th><th scope=\"col\">"
	    "Root</th><th scope=\"col\">Signed by</th></tr></thead>\n"
	    "<tbody>\n");
	for (i = 0; i < o->n_logs; i++) {
		l = &o->logs[i];
		buf_str(out, "<tr><th scope=\"row\">");
		html_str(out, l->gateway[0] != 0 ? l->gateway : "(not known)");
		buf_str(out, "</th><td class=\"n\">");
		say_number(out, l->head.size);
		buf_str(out, "</td><td><code>");
		text_base64(out, l->head.root.h, sizeof(l->head.root.h));
		buf_str(out, "</code></td><td><code>");
		html_str(out, l->key[0] != 0 ? l->key : "(no key given)");
		buf_str(out, "</code></td></tr>\n");
	}
	buf_str(out, "</tbody>\n</table>\n</div>\n</section>\n");
}

static void
drawings(struct buf *out, const struct outcome *o,
    const struct html_readers *r)
{
	buf_str(out, "<section aria-labelledby=\"times\">\n"
	    "<h2 id=\"times\">When</h2>\n");
	if (o->claim->to_ms > o->claim->from_ms)
		html_timeline(out, o, r);
	buf_str(out, "</section>\n");
	if (o->verdict->n_evidence == 0)
		return;
	buf_str(out, "<section aria-labelledby=\"arcs\">\n"
	    "<h2 id=\"arcs\">From whom to whom</h2>\n");
	html_arcs(out, o->verdict);
	buf_str(out, "</section>\n");
}

int
html_write(struct buf *out, const struct outcome *o, bool all)
{
	struct html_readers r;
	int e;

	memset(&r, 0, sizeof(r));
	if (o->verdict != NULL)
		find_readers(o->verdict, &r);
	if ((e = head(out, o)) != 0)
		return e;
	buf_str(out, "<header>\n<p>Sworn: a claim, checked</p>\n<h1>");
	html_str(out, o->claim != NULL ? o->claim->title : "(no claim)");
	buf_str(out, "</h1>\n</header>\n");
	if (o->claim != NULL)
		sworn(out, o->claim);
	verdict(out, o, &r);
	damage(out, o);
	if (o->verdict != NULL) {
		drawings(out, o, &r);
		paths(out, &r);
		html_abilities(out, o->verdict, all);
		table(out, o->verdict, all);
		doubts(out, o->verdict, all);
		rests(out, o->verdict);
	}
	logs(out, o);
	buf_str(out, "<footer>\n<p>Written by sworn-verify " SWORN_VERSION
	    ". Whoever has the logs and the key can check all of it again."
	    "</p>\n</footer>\n</main>\n</body>\n</html>\n");
	return out->failed ? ERR_MEMORY : 0;
}

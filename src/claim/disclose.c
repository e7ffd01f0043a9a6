/*
 * What a record means for the claim. A statement discloses between its own
 * record and that of its result; a service's session between its opening and
 * its end. Reader and data each match, do not, or may:
 *
 *   reader and data match, rows came out, all within the period -> evidence
 *   one of them surely does not, or nothing of it in the period -> nothing
 *   anything else                                               -> a doubt
 *
 * No rows is no "no": that nothing was found tells something, too.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "claim/approvals.h"
#include "claim/recheck.h"
#include "claim/state.h"

#define PENDING_MAX 10000

struct released {
	bool known;
	uint64_t rows, bytes;
	uint64_t seq;		/* of the record that says so */
	int64_t end_ms;
};

static void
pending_free(struct state_pending *p)
{
	if (p == NULL)
		return;
	arena_free(p->arena);
	free(p);
}

void
disclose_free(struct state_session *s)
{
	struct state_pending *p;

	if (s == NULL)
		return;
	while ((p = s->pending) != NULL) {
		s->pending = p->next;
		pending_free(p);
	}
	if (s->facts_arena != s->clearance_arena)
		arena_free(s->facts_arena);
	arena_free(s->clearance_arena);
	arena_free(s->demands_arena);
	arena_free(s->arena);
	state_store_unref(s->store);
	free(s);
}

int
disclose_session(struct verdict *v, struct track_session *t,
    struct bytes entry)
{
	const struct record *r = v->now;
	struct state_session *s = NULL;
	struct match_context x;
	int e = ERR_MEMORY;

	if (r->time_ms > v->claim->to_ms ||
	    !strs_have(&v->claim->stores, r->u.session.store))
		return 0;
	if ((s = calloc(1, sizeof(*s))) == NULL ||
	    (s->arena = arena_new()) == NULL)
		goto out;
	if ((e = record_decode(entry, s->arena, &s->rec, NULL)) != 0)
		goto out;
	s->service = strcmp(s->rec.u.session.kind, "person") != 0;
	s->n = s->rec.u.session.n;
	s->cut = s->n != 0;
	s->facts = s->rec.u.session;
	s->is_from_ms = r->time_ms;
	s->until_ms = INT64_MAX;
	again_take_store(v, s);
	match_reader(&v->claim->who, &s->facts, &s->reader);
	x = again_context(v, s);
	if ((e = match_data(&v->claim->data, &s->rec.u.session.bound, &x,
	    s->arena, &s->data)) != 0)
		goto out;
	if ((e = approvals_check(v, s, s->arena, &s->approvals_why)) != 0 ||
	    (e = again_session(v, s, r->time_ms)) != 0)
		goto out;
	t->data = s;
	s = NULL;		/* now the session's */
out:
	disclose_free(s);
	return e;
}

/* What stands against a plain yes or no, in words. */
static const char *
undecided(struct verdict *v, const struct state_session *s, enum truth is,
    const struct match_data *d, const struct released *out, bool straddles)
{
	char *why = arena_str(v->scratch, "");

	if (why != NULL && s->reader.truth == TRUTH_UNKNOWN)
		why = arena_fmt(v->scratch, "%s; who stands behind the reader "
		    "is not known", why);
	if (why != NULL && is == TRUTH_UNKNOWN)
		why = arena_fmt(v->scratch, "%s; %s", why,
		    s->is.missing != NULL ? s->is.missing : "whether the "
		    "reader is what the claim asks is not known");
	if (why != NULL && d->truth == TRUTH_UNKNOWN)
		why = arena_fmt(v->scratch, "%s; %s", why, d->unclear);
	if (why != NULL && !out->known)
		why = arena_fmt(v->scratch, "%s; no record says what came out",
		    why);
	else if (why != NULL && out->rows == 0 && out->bytes == 0)
		why = arena_fmt(v->scratch, "%s; no rows came out, and that "
		    "may tell something, too", why);
	if (why != NULL && straddles)
		why = arena_fmt(v->scratch, "%s; it lies only partly within "
		    "the period", why);
	return why == NULL ? NULL : why[0] == ';' ? why + 2 : why;
}

static struct record_strs
copy_strs(struct verdict *v, const struct record_strs *l, bool *failed)
{
	struct record_strs to = {NULL, 0};
	const char **s = arena_array(v->arena, l->n, sizeof(*s));
	size_t i;

	for (i = 0; s != NULL && i < l->n; i++)
		if ((s[i] = arena_str(v->arena, l->s[i])) == NULL)
			s = NULL;
	*failed |= s == NULL;
	if (s != NULL) {
		to.s = s;
		to.n = l->n;
	}
	return to;
}

static const char *
copy_str(struct verdict *v, const char *s, bool *failed)
{
	char *to;

	if (s == NULL)
		return NULL;
	to = arena_str(v->arena, s);
	*failed |= to == NULL;
	return to;
}

static uint64_t
subjects_of(const struct record_store *st, const char *label)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < st->n_subjects; i++)
		if (strcmp(st->subjects[i].label, label) == 0 &&
		    n <= UINT64_MAX / 2)
			n += st->subjects[i].n;
	return n;
}

static void
count_subjects(struct verdict *v, const struct state_store *st,
    struct verdict_evidence *e, bool *failed)
{
	uint64_t *counts;
	size_t i;

	if (st == NULL)
		return;
	e->has_store = true;
	e->store_seq = st->seq;
	if (st->rec.n_subjects == 0)
		return;
	counts = arena_array(v->arena, e->residences.n, sizeof(*counts));
	if (counts == NULL) {
		*failed = true;
		return;
	}
	e->counted = true;
	e->counted_ms = st->rec.counted_ms;
	e->counts = counts;
	for (i = 0; i < e->residences.n; i++) {
		counts[i] = subjects_of(&st->rec, e->residences.s[i]);
		if (e->at_most <= UINT64_MAX / 2)
			e->at_most += counts[i];
	}
}

static void
describe_reader(struct verdict *v, const struct state_session *s,
    struct verdict_evidence *e, bool *failed)
{
	const struct record_session *in = &s->rec.u.session;
	const struct record_session *c = &again_effective(s)->u.session;

	e->gateway = v->log->gateway;
	e->session_seq = s->rec.seq;
	e->has_clearance = s->clearance.type != RECORD_NONE;
	e->clearance_seq = e->has_clearance ? s->clearance.seq : 0;
	e->session = copy_str(v, in->session, failed);
	e->principal = copy_str(v, in->principal, failed);
	e->name = copy_str(v, s->name, failed);
	e->kind = copy_str(v, in->kind, failed);
	e->source = copy_str(v, in->source, failed);
	e->seen_at = copy_strs(v, &in->seen_at, failed);
	e->store = copy_str(v, in->store, failed);
	e->mode = copy_str(v, c->mode, failed);
	e->purpose = copy_str(v, c->purpose, failed);
	e->ticket = copy_str(v, c->ticket, failed);
	if (v->claim->who.is.n > 0 && s->is.name != NULL) {
		e->is = copy_str(v, s->is.name, failed);
		e->is_because = copy_str(v, s->is.because, failed);
	}
	if (s->reader.path != NULL) {
		e->label = copy_str(v, s->reader.path->label, failed);
		e->kinds = copy_strs(v, &s->reader.path->kinds, failed);
		e->steps = copy_strs(v, &s->reader.path->steps, failed);
	}
}

static void
describe_statement(struct verdict *v, const struct record_statement *s,
    struct verdict_evidence *e, bool *failed)
{
	struct record_strs by = {NULL, 0};
	const char **rules;
	size_t i;

	e->what = copy_str(v, s->what, failed);
	if (s->whole)
		e->whole_why = copy_str(v, s->whole_why, failed);
	e->rules = copy_strs(v, &s->rules, failed);
	if ((rules = arena_array(v->scratch, s->n_would,
	    sizeof(*rules))) == NULL) {
		*failed = true;
		return;
	}
	by.s = rules;
	for (i = 0; i < s->n_would; i++)
		if (!strs_have(&by, s->would[i].rule))
			rules[by.n++] = s->would[i].rule;
	e->refused_by = copy_strs(v, &by, failed);
}

static struct verdict_evidence *
evidence_add(struct verdict *v)
{
	struct verdict_evidence *e;
	size_t cap;

	if (v->result.n_evidence == v->cap_evidence) {
		cap = v->cap_evidence == 0 ? 64 : v->cap_evidence * 2;
		if ((e = realloc(v->evidence, cap * sizeof(*e))) == NULL)
			return NULL;
		v->evidence = e;
		v->cap_evidence = cap;
	}
	e = &v->evidence[v->result.n_evidence++];
	memset(e, 0, sizeof(*e));
	return e;
}

static int
keep_evidence(struct verdict *v, const struct state_session *s,
    const struct record *r, const struct match_data *d,
    const struct released *out)
{
	struct verdict_evidence *e;
	bool failed = false;

	if (v->result.n_evidence == VERDICT_ITEMS_MAX) {
		v->result.more_evidence++;
		return 0;
	}
	if ((e = evidence_add(v)) == NULL)
		return ERR_MEMORY;
	e->seq = r->seq;
	e->time_ms = r->time_ms;
	e->end_seq = out->seq;
	e->rows = out->rows;
	e->bytes = out->bytes;
	describe_reader(v, s, e, &failed);
	if (r->type == RECORD_STATEMENT)
		describe_statement(v, &r->u.statement, e, &failed);
	else
		e->what = "session";
	e->residences = copy_strs(v, &d->residences, &failed);
	e->tables = copy_strs(v, &d->tables, &failed);
	e->categories = copy_strs(v, &d->categories, &failed);
	e->masked = copy_strs(v, &d->masked, &failed);
	count_subjects(v, s->store, e, &failed);
	return failed ? ERR_MEMORY : 0;
}

/* Evidence, a doubt, or nothing: by the table at the top of this file. */
static int
decide(struct verdict *v, struct state_session *s, const struct record *r,
    const struct match_data *d, const struct released *out)
{
	const struct claim *c = v->claim;
	bool straddles = r->time_ms < c->from_ms || out->end_ms > c->to_ms;
	enum truth t = truth_and(s->reader.truth, d->truth), is;
	const char *why;
	size_t n;
	int e;

	if (t == TRUTH_FALSE || r->time_ms > c->to_ms ||
	    out->end_ms < c->from_ms)
		return 0;
	/* A statement by itself, whoever's it is. */
	if ((e = is_over(v, s, r->type == RECORD_STATEMENT ? r->time_ms :
	    s->is_from_ms, out->end_ms, &is)) != 0 || is == TRUTH_FALSE)
		return e;
	t = truth_and(t, is);
	if (!out->known || (out->rows == 0 && out->bytes == 0) || straddles)
		t = truth_and(t, TRUTH_UNKNOWN);
	if (t == TRUTH_TRUE)
		return keep_evidence(v, s, r, d, out);
	if ((why = undecided(v, s, is, d, out, straddles)) == NULL)
		return ERR_MEMORY;
	n = v->result.n_doubts;
	e = state_doubt(v, "undecided", v->log->gateway, &r->seq,
	    "%s entry %" PRIu64 ", %s by %s at store %s: %s",
	    v->log->gateway, r->seq, r->type == RECORD_STATEMENT ?
	    r->u.statement.what : "session", s->rec.u.session.principal,
	    s->rec.u.session.store, why);
	if (e == 0 && v->result.n_doubts > n) {
		v->doubts[n].has_time = true;
		v->doubts[n].time_ms = r->time_ms;
	}
	return e;
}

/* A record's place within its session; of those that sessions have. */
static uint64_t
n_of(const struct record *r)
{
	switch (r->type) {
	case RECORD_BACKEND:
		return r->u.backend.n;
	case RECORD_CLEARANCE:
		return r->u.session.n;
	case RECORD_STATEMENT:
		return r->u.statement.n;
	case RECORD_RESULT:
		return r->u.result.n;
	case RECORD_DENIAL:
		return r->u.denial.n;
	case RECORD_CLOSE:
		return r->u.close.n;
	case RECORD_SUBJECTS:
		return r->u.more.n;
	case RECORD_NONE:
	case RECORD_GENESIS:
	case RECORD_BOOT:
	case RECORD_STOP:
	case RECORD_OBJECT:
	case RECORD_STORE:
	case RECORD_SESSION:
	case RECORD_LOGIN_FAILURE:
	case RECORD_HEARTBEAT:
	case RECORD_IN_FORCE:
	case RECORD_ASKED:
	case RECORD_ROTATION:
	case RECORD_DRIFT:
	case RECORD_RECONCILED:
	case RECORD_APPROVAL:
		break;
	}
	return 0;
}

static size_t
count_pending(const struct state_session *s)
{
	const struct state_pending *p;
	size_t n = 0;

	for (p = s->pending; p != NULL; p = p->next)
		n++;
	return n;
}

/* Notes where the subjects that a record lists are at home. */
static int
note_subjects(struct state_pending *p, const struct record_subjects *list,
    size_t n)
{
	const char **labels;
	uint64_t *counts;
	size_t i, k, cap;

	if (p->n_labels + n > p->cap_labels) {
		cap = 2 * (p->n_labels + n);
		labels = arena_array(p->arena, cap, sizeof(*labels));
		counts = arena_array(p->arena, cap, sizeof(*counts));
		if (labels == NULL || counts == NULL)
			return ERR_MEMORY;
		for (i = 0; i < p->n_labels; i++) {
			labels[i] = p->labels[i];
			counts[i] = p->counts[i];
		}
		p->labels = labels;
		p->counts = counts;
		p->cap_labels = cap;
	}
	for (i = 0; i < n; i++) {
		for (k = 0; k < p->n_labels; k++)
			if (strcmp(p->labels[k], list[i].label) == 0)
				break;
		if (k == p->n_labels) {
			p->labels[k] = arena_str(p->arena, list[i].label);
			if (p->labels[k] == NULL)
				return ERR_MEMORY;
			p->n_labels++;
		}
		p->counts[k] += list[i].tags.n;
	}
	return 0;
}

static int
pending_add(struct verdict *v, struct state_session *s, struct bytes entry,
    bool rechecked, const char *demanded)
{
	struct match_context x = again_context(v, s);
	struct state_pending *p;
	int e = ERR_MEMORY;

	if ((p = calloc(1, sizeof(*p))) == NULL ||
	    (p->arena = arena_new()) == NULL)
		goto out;
	p->rechecked = rechecked;
	if ((e = record_decode(entry, p->arena, &p->rec, NULL)) != 0 ||
	    (e = match_data(&v->claim->data, &p->rec.u.statement.bound, &x,
	    p->arena, &p->data)) != 0)
		goto out;
	p->exact = strcmp(p->rec.u.statement.basis, "exact") == 0;
	if ((e = note_subjects(p, p->rec.u.statement.subjects,
	    p->rec.u.statement.n_subjects)) != 0)
		goto out;
	if (rechecked && demanded == NULL && truth_and(p->data.truth,
	    s->reader.truth) == TRUTH_FALSE)
		goto out;	/* whatever came out */
	if (demanded != NULL && (p->demanded = arena_str(p->arena,
	    demanded)) == NULL) {
		e = ERR_MEMORY;
		goto out;
	}
	p->next = s->pending;
	s->pending = p;
	p = NULL;		/* now the session's */
out:
	pending_free(p);
	return e;
}

static int
on_statement(struct verdict *v, struct state_session *s, struct bytes entry)
{
	const struct record *r = v->now;
	bool within = r->time_ms >= v->claim->from_ms;
	const char *demanded = NULL;
	int e;

	if (r->time_ms > v->claim->to_ms)
		return 0;
	if (within) {
		v->result.statements++;
		if ((e = again_statement(v, s, r)) != 0 ||
		    (e = again_force(v, s)) != 0 ||
		    (e = approvals_used(v, s)) != 0 ||
		    (e = again_demanded(v, s, r, &demanded)) != 0)
			return e;
	}
	if (within && s->reader.truth == TRUTH_FALSE && demanded == NULL)
		return 0;
	if (count_pending(s) >= PENDING_MAX)
		return state_doubt(v, "undecided", v->log->gateway, &r->seq,
		    "%s entry %" PRIu64 ": more than %d statements of one "
		    "session wait for their result", v->log->gateway, r->seq,
		    PENDING_MAX);
	return pending_add(v, s, entry, within, demanded);
}

/*
 * What the list of an exact statement says, where it says more than the bound.
 * That somebody is listed stays true whatever else was released; that nobody
 * is needs all of the list: not where it was given up, nor where a part of
 * the session was left out, nor where no result ends it. A gateway that goes
 * down, or whose log takes no more, may have released rows that depend on
 * others which it had still to list.
 */
static int
settle_exact(struct verdict *v, const struct state_session *s,
    struct state_pending *p, const struct released *out)
{
	bool whole = p->exact && out->known && !(v->partial && s->cut);
	struct match_context x = again_context(v, s);
	struct record_strs labels = {p->labels, p->n_labels};
	struct match_data data;
	int e;

	if (strcmp(p->rec.u.statement.basis, "exact") != 0)
		return 0;
	x.exact = &labels;
	if ((e = match_data(&v->claim->data, &p->rec.u.statement.bound, &x,
	    p->arena, &data)) != 0)
		return e;
	if (data.truth == TRUTH_TRUE || whole)
		p->data = data;
	return 0;
}

static int
on_subjects(struct state_session *s, const struct record_more *in)
{
	struct state_pending *p = s->pending;

	while (p != NULL && p->rec.u.statement.n != in->of)
		p = p->next;
	if (p == NULL)
		return 0;	/* of a statement that cannot matter */
	p->exact = p->exact && strcmp(in->basis, "exact") == 0;
	return note_subjects(p, in->subjects, in->n_subjects);
}

static int
settle(struct verdict *v, struct state_session *s, struct state_pending *p,
    const struct released *out)
{
	int e;

	if ((e = settle_exact(v, s, p, out)) != 0)
		return e;
	if (!p->rechecked && out->end_ms >= v->claim->from_ms &&
	    (e = again_statement(v, s, &p->rec)) != 0)
		return e;
	return decide(v, s, &p->rec, &p->data, out);
}

static int
on_result(struct verdict *v, struct state_session *s)
{
	const struct record_result *in = &v->now->u.result;
	struct released out = {true, in->rows, in->bytes, v->now->seq,
	    v->now->time_ms};
	struct state_pending **at = &s->pending, *p;
	int e = 0;

	if (s->service && in->of == s->rec.u.session.n) {
		s->rows += in->rows <= UINT64_MAX / 2 ? in->rows : 0;
		s->bytes += in->bytes <= UINT64_MAX / 2 ? in->bytes : 0;
		return 0;
	}
	while (*at != NULL && (*at)->rec.u.statement.n != in->of)
		at = &(*at)->next;
	if ((p = *at) == NULL)
		return 0;		/* of a statement that cannot matter */
	*at = p->next;
	/* An error is shown without its text, and its record is bounded. */
	if (p->demanded != NULL && !p->exact &&
	    strcmp(in->sqlstate, "00000") == 0)
		e = again_bounded(v, s, p);
	if (e == 0)
		e = settle(v, s, p, &out);
	pending_free(p);
	return e;
}

/* A service's two bounds: sure only what is sure by both. */
static void
widen(struct match_data *d, const struct match_data *more)
{
	if (d->truth == more->truth)
		return;
	d->truth = TRUTH_UNKNOWN;
	d->unclear = "the bound changed during the session";
}

/* What waits for its result was read by the reader from before. */
static int
settle_pending(struct verdict *v, struct state_session *s)
{
	struct released out = {false, 0, 0, 0, v->now->time_ms};
	struct state_pending *p;
	int e;

	while ((p = s->pending) != NULL) {
		if ((e = settle(v, s, p, &out)) != 0)
			return e;
		s->pending = p->next;
		pending_free(p);
	}
	return 0;
}

/* Another reader from here on; a service's whole session was read by both. */
static void
take_facts(struct verdict *v, struct state_session *s)
{
	const struct record_session *c = &s->clearance.u.session;
	enum truth before = s->reader.truth;

	s->facts.seen_at = c->seen_at;
	s->facts.addresses = c->addresses;
	s->facts.addresses_built_ms = c->addresses_built_ms;
	s->facts.roles = c->roles;
	s->facts.employers = c->employers;
	s->facts.issuers = c->issuers;
	s->facts.control = c->control;
	s->facts.n_control = c->n_control;
	match_reader(&v->claim->who, &s->facts, &s->reader);
	if (s->service && before != s->reader.truth)
		s->reader.truth = TRUTH_UNKNOWN;
}

/* The record of a clearance takes effect; its facts, if it has any, stay
 * until others come. */
static int
take_clearance(struct verdict *v, struct state_session *s, struct bytes entry)
{
	struct arena *a = arena_new(), *old = s->clearance_arena;
	struct record next;
	int e = ERR_MEMORY;

	if (a == NULL || (e = record_decode(entry, a, &next, NULL)) != 0 ||
	    (next.u.session.has_facts && (e = settle_pending(v, s)) != 0)) {
		arena_free(a);
		return e;
	}
	s->clearance = next;
	s->clearance_arena = a;
	if (next.u.session.has_facts) {
		take_facts(v, s);
		if (s->facts_arena != old)
			arena_free(s->facts_arena);
		s->facts_arena = a;
		arena_free(old);
	} else if (old != s->facts_arena) {
		arena_free(old);
	}
	again_take_store(v, s);
	return approvals_check(v, s, a, &s->approvals_why);
}

static int
on_clearance(struct verdict *v, struct state_session *s, struct bytes entry)
{
	struct match_context x;
	struct match_data data;
	int e;

	/* What was in effect up to here may have mattered. */
	if ((e = again_session(v, s, v->now->time_ms)) != 0)
		return e;
	if ((e = is_keep(v, s)) != 0 || (e = take_clearance(v, s,
	    entry)) != 0)
		return e;
	s->checked = false;
	arena_free(s->demands_arena);
	s->demands_arena = NULL;
	s->demands = (struct record_strs){NULL, 0};
	if (s->service) {
		x = again_context(v, s);
		if ((e = match_data(&v->claim->data,
		    &s->clearance.u.session.bound, &x, s->arena, &data)) != 0)
			return e;
		widen(&s->data, &data);
	}
	return again_session(v, s, v->now->time_ms);
}

int
disclose_record(struct verdict *v, struct track_session *t,
    struct bytes entry)
{
	const struct record *r = v->now;
	struct state_session *s = t->data;
	enum truth is;
	int e;

	s->cut |= n_of(r) != s->n + 1;
	s->n = n_of(r);
	if (r->type == RECORD_CLEARANCE)
		return on_clearance(v, s, entry);
	if ((e = again_session(v, s, r->time_ms)) != 0)
		return e;
	if (r->type == RECORD_STATEMENT)
		return on_statement(v, s, entry);
	if (r->type == RECORD_RESULT)
		return on_result(v, s);
	if (r->type == RECORD_SUBJECTS)
		return on_subjects(s, &r->u.more);
	if (r->type == RECORD_DENIAL && r->time_ms >= v->claim->from_ms &&
	    r->time_ms <= v->claim->to_ms && s->reader.truth != TRUTH_FALSE) {
		e = is_over(v, s, r->time_ms, r->time_ms, &is);
		v->result.denials += is != TRUTH_FALSE;
		return e;
	}
	return 0;
}

int
disclose_end(struct verdict *v, struct track_session *t, enum track_end how,
    const struct record *r)
{
	struct state_session *s = t->data;
	struct released out = {false, 0, 0, 0, INT64_MAX};
	struct state_pending *p;
	int e;

	if (s == NULL)
		return 0;
	arena_reset(v->scratch);	/* many may end by one record */
	if (r != NULL)
		out.end_ms = r->time_ms;
	if ((e = again_session(v, s, out.end_ms)) != 0)
		return e;
	for (p = s->pending; p != NULL; p = p->next)
		if ((e = settle(v, s, p, &out)) != 0)
			return e;
	if (!s->service)
		return 0;
	if ((e = again_service(v, s, r != NULL ? r->time_ms :
	    v->log->last_ms)) != 0)
		return e;
	out.rows = s->rows;
	out.bytes = s->bytes;
	/* With a record of it left out, its bound may have been another. */
	if (r != NULL && how == TRACK_CLOSED)
		s->cut |= n_of(r) != s->n + 1;
	if (how == TRACK_CLOSED && !(v->partial && s->cut)) {
		out.known = true;
		out.seq = r->seq;
		if (r->u.close.rows > out.rows)
			out.rows = r->u.close.rows;
		if (r->u.close.bytes > out.bytes)
			out.bytes = r->u.close.bytes;
	}
	return decide(v, s, &s->rec, &s->data, &out);
}

/*
 * From records to rows. A session's record says who; a statement's what, and
 * whose it is: listed, or within a bound. A service has no statements: its
 * session counts as one sight of all within its bound, in each span that it
 * lasts into (`carried` from the day before).
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "record/record.h"
#include "seen/state.h"

struct session {
	const char *id;
	bool service;
	const char *store, *mode, *kind, *principal, *at, *behind, *ticket;
	int64_t reader, named;		/* rows of reader */
	const char *within;		/* "place shown\n" of each residence */
	int64_t since;			/* from when on that is so */
	int64_t seq, clearance;		/* of its records; -1: none */
};

/* ---- lists as texts ---- */

static void
add_name(struct buf *out, const char *name)
{
	size_t len = strlen(name), at = 0, n;
	const char *have = (const char *)out->data;

	while (at < out->len) {
		for (n = at; n < out->len && have[n] != '\n'; n++)
			;
		if (n - at == len && memcmp(have + at, name, len) == 0)
			return;
		at = n + 1;
	}
	if (out->len > 0)
		buf_u8(out, '\n');
	buf_str(out, name);
}

static void
add_names(struct buf *out, const struct record_strs *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		add_name(out, l->s[i]);
}

static const char *
keep(struct seen_index *x, struct buf *b)
{
	const char *text = buf_text(b) == NULL ? NULL :
	    arena_str(x->scratch, (const char *)b->data);

	buf_done(b);
	return text;
}

/* ---- rows that others point to ---- */

static int
id_of(struct seen_index *x, sqlite3_stmt *find, sqlite3_stmt *add,
    int64_t *ret)
{
	int r = seen_step(x, find);

	if (r == 0) {
		*ret = sqlite3_column_int64(find, 0);
		(void)sqlite3_reset(find);	/* there is one row */
		return 0;
	}
	if (r != ERR_MISSING || (r = seen_run(x, add)) != 0)
		return r;
	*ret = sqlite3_last_insert_rowid(x->db);
	return 0;
}

static int
place_id(struct seen_index *x, const char *store, const char *label,
    int64_t *ret)
{
	return id_of(x, seen_bind(x, SQL_PLACE, "tt", store, label),
	    seen_bind(x, SQL_PLACE_ADD, "tt", store, label), ret);
}

static int
reader_id(struct seen_index *x, const struct session *s, const char *purpose,
    const char *principal, int64_t *ret)
{
	return id_of(x, seen_bind(x, SQL_READER, "ttttttt", s->store, s->mode,
	    s->kind, s->at, s->behind, purpose, principal),
	    seen_bind(x, SQL_READER_ADD, "ttttttt", s->store, s->mode,
	    s->kind, s->at, s->behind, purpose, principal), ret);
}

/* What came into view: of all tables, or of those that hold a residence. */
static int
shown_id(struct seen_index *x, const struct record_bound *b,
    const char *label, const struct record_strs *rules, const char *why,
    int64_t *ret)
{
	const char *texts[4];
	struct buf out[4];
	size_t i, k;

	for (i = 0; i < 4; i++)
		buf_init(&out[i], 0);
	for (i = 0; i < b->n; i++) {
		const struct record_table *t = &b->tables[i];

		for (k = 0; label != NULL && k < t->residences.n; k++)
			if (strcmp(t->residences.s[k], label) == 0)
				break;
		if (label != NULL && (t->residences.n == 0 ? label[0] != 0 :
		    k == t->residences.n))
			continue;
		add_name(&out[0], t->table);
		add_names(&out[1], &t->categories);
		add_names(&out[2], &t->masked);
	}
	add_names(&out[3], rules);
	for (i = 0; i < 4; i++)
		texts[i] = keep(x, &out[i]);
	for (i = 0; i < 4; i++)
		if (texts[i] == NULL)
			return ERR_MEMORY;
	return id_of(x, seen_bind(x, SQL_SHOWN, "ttttt", texts[0], texts[1],
	    texts[2], texts[3], why), seen_bind(x, SQL_SHOWN_ADD, "ttttt",
	    texts[0], texts[1], texts[2], texts[3], why), ret);
}

/*
 * Each residence within a bound, with what it shows of those at home there.
 * A table of no residence is of anybody; in mode enforce, a person's is closed.
 */
static int
within_of(struct seen_index *x, const struct session *s,
    const struct record_bound *b, const struct record_strs *rules,
    const char *why, const char **ret)
{
	bool closed = !s->service && strcmp(s->mode, "enforce") == 0;
	struct record_strs none = {NULL, 0};
	struct buf labels, out;
	const char *p, *list;
	int64_t place, shown;
	size_t i, len;
	bool anybody = false;
	int r = 0;

	buf_init(&labels, 0);
	buf_init(&out, 0);
	for (i = 0; i < b->n; i++) {
		add_names(&labels, &b->tables[i].residences);
		anybody |= b->tables[i].residences.n == 0 && !closed;
	}
	if ((list = keep(x, &labels)) == NULL)
		return ERR_MEMORY;
	for (p = list; r == 0 && (*p != 0 || anybody); p += len +
	    (p[len] != 0)) {
		const char *label;

		len = strcspn(p, "\n");
		anybody &= len > 0;	/* it is the last one */
		if ((label = arena_strn(x->scratch, p, len)) == NULL ||
		    (r = place_id(x, s->store, label, &place)) != 0 ||
		    (r = shown_id(x, b, label, rules == NULL ? &none : rules,
		    why, &shown)) != 0) {
			r = r == 0 ? ERR_MEMORY : r;
			break;
		}
		buf_fmt(&out, "%lld %lld\n", (long long)place,
		    (long long)shown);
	}
	if (r != 0)
		buf_done(&out);
	else if ((*ret = keep(x, &out)) == NULL)
		r = ERR_MEMORY;
	return r;
}

/* ---- what was within reach ---- */

struct reach {
	int64_t reader, named;
	int64_t n, carried;
	int64_t first_ms, last_ms;
	int64_t first_seq, last_seq;
};

static int
put_span(struct seen_index *x, const struct reach *h, int64_t place,
    int64_t shown, int64_t span)
{
	int r;

	if ((r = seen_run(x, seen_bind(x, SQL_REACH_PUT, "iiiiiiiiiii", place,
	    INT64_C(0), span, h->reader, shown, h->n, h->carried, h->first_ms,
	    h->last_ms, h->first_seq, h->last_seq))) != 0)
		return r;
	return seen_run(x, seen_bind(x, SQL_REACH_PUT, "iiiiiiiiiii", place,
	    INT64_C(1), span, h->named, shown, h->n, h->carried, h->first_ms,
	    h->last_ms, h->first_seq, h->last_seq));
}

/* For all of `within`, on the day of first_ms; days alone if days_only. */
static int
put_reach(struct seen_index *x, const struct reach *h, const char *within,
    bool days_only)
{
	int64_t day = seen_day(h->first_ms);
	long long place, shown;
	int r;

	for (; *within != 0; within += strcspn(within, "\n") + 1) {
		if (sscanf(within, "%lld %lld", &place, &shown) != 2)
			return why_set(x->why, ERR_FORMAT, 0, 0, "the index "
			    "is damaged; make it anew with --rebuild");
		if ((r = put_span(x, h, place, shown, day)) != 0 ||
		    (!days_only && ((r = put_span(x, h, place, shown,
		    seen_month(day))) != 0 || (r = put_span(x, h, place,
		    shown, SEEN_SPAN_ALL)) != 0)))
			return r;
	}
	return 0;
}

/* A service begins to have something within reach. */
static int
begin_service(struct seen_index *x, const struct session *s, int64_t seq)
{
	struct reach h = {s->reader, s->named, 1, 0, s->since, s->since, seq,
	    seq};

	return s->service ? put_reach(x, &h, s->within, false) : 0;
}

/* It had that until now: on the first day, and on each after it. */
static int
end_service(struct seen_index *x, const struct session *s, int64_t now)
{
	int64_t day = seen_day(s->since), last = seen_day(now), end;
	struct reach h = {s->reader, s->named, 0, 0, s->since, now,
	    s->seq, s->seq};
	int r;

	if (!s->service)
		return 0;
	end = (day + 1) * SEEN_DAY_MS - 1;
	if (end < now)
		h.last_ms = end;
	if ((r = put_reach(x, &h, s->within, true)) != 0)
		return r;
	for (h.carried = 1; ++day <= last; ) {
		h.first_ms = day * SEEN_DAY_MS;
		end = h.first_ms + SEEN_DAY_MS - 1;
		h.last_ms = end < now ? end : now;
		if ((r = put_reach(x, &h, s->within, true)) != 0)
			return r;
	}
	h.carried = 0;		/* the month and all know the last moment */
	h.first_ms = s->since;
	h.last_ms = now;
	return put_reach(x, &h, s->within, false);
}

static const char *
column(struct seen_index *x, sqlite3_stmt *s, int i)
{
	const char *text = (const char *)sqlite3_column_text(s, i);

	return text == NULL ? NULL : arena_str(x->scratch, text);
}

int
seen_doubt_open(struct seen_index *x, const char *session)
{
	sqlite3_stmt *s = seen_bind(x, SQL_OPENS, "t", session == NULL ? "" :
	    session);
	struct reach h = {.n = 1};
	const char *within;
	int r;

	while ((r = seen_step(x, s)) == 0) {
		h.first_seq = h.last_seq = sqlite3_column_int64(s, 0);
		h.first_ms = h.last_ms = sqlite3_column_int64(s, 1);
		if ((within = column(x, s, 2)) == NULL)
			return ERR_MEMORY;
		h.reader = sqlite3_column_int64(s, 3);
		h.named = sqlite3_column_int64(s, 4);
		if ((r = put_reach(x, &h, within, false)) != 0)
			break;
	}
	(void)sqlite3_reset(s);		/* r has it */
	return r == ERR_MISSING ? 0 : r;
}

/* ---- sessions ---- */

static int
find_session(struct seen_index *x, const char *id, struct session *ret)
{
	sqlite3_stmt *s = seen_bind(x, SQL_SESSION, "t", id);
	int r;

	memset(ret, 0, sizeof(*ret));
	if ((r = seen_step(x, s)) != 0) {
		x->state.strange += r == ERR_MISSING;
		return r;
	}
	ret->id = id;
	ret->service = sqlite3_column_int(s, 0) != 0;
	ret->store = column(x, s, 1);
	ret->mode = column(x, s, 2);
	ret->kind = column(x, s, 3);
	ret->principal = column(x, s, 4);
	ret->at = column(x, s, 5);
	ret->behind = column(x, s, 6);
	ret->ticket = column(x, s, 7);
	ret->reader = sqlite3_column_int64(s, 8);
	ret->named = sqlite3_column_int64(s, 9);
	ret->within = column(x, s, 10);
	ret->since = sqlite3_column_int64(s, 11);
	ret->seq = sqlite3_column_int64(s, 12);
	ret->clearance = sqlite3_column_int64(s, 13);
	(void)sqlite3_reset(s);		/* there is one row */
	return ret->store == NULL || ret->mode == NULL || ret->kind == NULL ||
	    ret->principal == NULL || ret->at == NULL || ret->behind == NULL ||
	    ret->ticket == NULL || ret->within == NULL ? ERR_MEMORY : 0;
}

static int
put_session(struct seen_index *x, const struct session *s)
{
	return seen_run(x, seen_bind(x, SQL_SESSION_PUT, "titttttttiitiii",
	    s->id, (int64_t)s->service, s->store, s->mode, s->kind,
	    s->principal, s->at, s->behind, s->ticket, s->reader, s->named,
	    s->within, s->since, s->seq, s->clearance));
}

/* Where the reader is, and every country that stands behind. */
static int
take_facts(struct seen_index *x, const struct record_session *in,
    struct session *s)
{
	struct buf at, behind;
	size_t i, k;

	buf_init(&at, 0);
	buf_init(&behind, 0);
	add_names(&at, &in->seen_at);
	for (i = 0; i < in->n_control; i++) {
		const struct record_path *p = &in->control[i];

		for (k = 0; in->seen_at.n == 0 && p->kinds.n == 1 && k <
		    p->kinds.n; k++)
			if (strcmp(p->kinds.s[k], "location") == 0)
				add_name(&at, p->label);
		add_name(&behind, p->label);
	}
	s->at = keep(x, &at);
	s->behind = keep(x, &behind);
	return s->at == NULL || s->behind == NULL ? ERR_MEMORY : 0;
}

static int
take_clearance(struct seen_index *x, const struct record_session *in,
    struct session *s, int64_t now)
{
	const char *purpose = in->purpose == NULL ? "" : in->purpose;
	int r;

	s->store = in->store;
	s->mode = in->mode;
	s->ticket = in->ticket == NULL ? "" : in->ticket;
	s->since = now;
	s->within = "";
	if ((r = reader_id(x, s, purpose, "", &s->reader)) != 0 ||
	    (r = reader_id(x, s, purpose, s->principal, &s->named)) != 0)
		return r;
	return !s->service ? 0 :
	    within_of(x, s, &in->bound, NULL, "", &s->within);
}

static int
on_session(struct seen_index *x, const struct record *r)
{
	const struct record_session *in = &r->u.session;
	struct session s = {.id = in->session, .kind = in->kind,
	    .principal = in->principal, .seq = (int64_t)r->seq,
	    .clearance = -1};
	int e;

	s.service = strcmp(in->kind, "person") != 0;
	if ((e = take_facts(x, in, &s)) != 0 ||
	    (e = take_clearance(x, in, &s, r->time_ms)) != 0 ||
	    (e = begin_service(x, &s, s.seq)) != 0)
		return e;
	return put_session(x, &s);
}

static int
on_clearance(struct seen_index *x, const struct record *r)
{
	const struct record_session *in = &r->u.session;
	struct session s, old;
	int e;

	if ((e = find_session(x, in->session, &s)) != 0)
		return e == ERR_MISSING ? 0 : e;
	old = s;
	s.clearance = (int64_t)r->seq;
	if ((in->has_facts && (e = take_facts(x, in, &s)) != 0) ||
	    (e = take_clearance(x, in, &s, r->time_ms)) != 0)
		return e;
	if (s.reader == old.reader && strcmp(s.within, old.within) == 0) {
		s.since = old.since;
	} else if ((e = end_service(x, &old, r->time_ms)) != 0 ||
	    (e = begin_service(x, &s, s.clearance)) != 0) {
		return e;
	}
	return put_session(x, &s);
}

static int
on_close(struct seen_index *x, const struct record *r)
{
	struct session s;
	int e;

	if ((e = find_session(x, r->u.close.session, &s)) != 0)
		return e == ERR_MISSING ? 0 : e;
	if ((e = end_service(x, &s, r->time_ms)) != 0 ||
	    (e = seen_doubt_open(x, s.id)) != 0 ||
	    (e = seen_run(x, seen_bind(x, SQL_OPEN_DROP_OF, "t",
	    s.id))) != 0)
		return e;
	return seen_run(x, seen_bind(x, SQL_SESSION_DROP, "t", s.id));
}

/* The gateway began anew: no session has outlived it. */
static int
on_boot(struct seen_index *x, const struct record *r)
{
	sqlite3_stmt *s = seen_bind(x, SQL_SERVICES, "");
	struct session v = {.service = true};
	int e;

	while ((e = seen_step(x, s)) == 0) {
		v.reader = sqlite3_column_int64(s, 0);
		v.named = sqlite3_column_int64(s, 1);
		if ((v.within = column(x, s, 2)) == NULL)
			return ERR_MEMORY;
		v.since = sqlite3_column_int64(s, 3);
		v.seq = sqlite3_column_int64(s, 4);
		if ((e = end_service(x, &v, r->time_ms)) != 0)
			return e;
	}
	if (e != ERR_MISSING)
		return e;
	if ((e = seen_doubt_open(x, NULL)) != 0 ||
	    (e = seen_run(x, seen_bind(x, SQL_OPENS_DROP, ""))) != 0)
		return e;
	return seen_run(x, seen_bind(x, SQL_SESSIONS_DROP, ""));
}

/* ---- statements ---- */

static int
put_sights(struct seen_index *x, const char *store, int64_t statement,
    int64_t seq, const struct record_subjects *l, size_t n)
{
	int64_t place;
	size_t i, k;
	int r;

	for (i = 0; i < n; i++) {
		if ((r = place_id(x, store, l[i].label, &place)) != 0)
			return r;
		for (k = 0; k < l[i].tags.n; k++)
			if ((r = seen_run(x, seen_bind(x, SQL_SIGHT_PUT,
			    "tiii", l[i].tags.s[k], statement, seq,
			    place))) != 0)
				return r;
	}
	return 0;
}

static int
put_statement(struct seen_index *x, const struct session *s, int64_t seq,
    int64_t ms, int64_t shown)
{
	return seen_run(x, seen_bind(x, SQL_STATEMENT_PUT, "iiiiiti", seq, ms,
	    s->seq, s->clearance, s->named, s->ticket, shown));
}

/* Why the bound counts; of an exact one, if it comes to count. */
static const char *
why_of(const struct record_statement *in)
{
	if (strcmp(in->basis, "exact") == 0)
		return "its list was not kept up to the answer's end";
	return in->whole ? in->whole_why : in->bounded_why != NULL ?
	    in->bounded_why : "";
}

static int
on_statement(struct seen_index *x, const struct record *r)
{
	const struct record_statement *in = &r->u.statement;
	int64_t seq = (int64_t)r->seq, shown;
	struct reach h = {.n = 1, .first_ms = r->time_ms,
	    .last_ms = r->time_ms, .first_seq = seq, .last_seq = seq};
	const char *within;
	struct session s;
	int e;

	if ((e = find_session(x, in->session, &s)) != 0)
		return e == ERR_MISSING ? 0 : e;
	if ((e = within_of(x, &s, &in->bound, &in->rules, why_of(in),
	    &within)) != 0)
		return e;
	if (strcmp(in->basis, "exact") != 0) {
		h.reader = s.reader;
		h.named = s.named;
		return put_reach(x, &h, within, false);
	}
	if ((e = shown_id(x, &in->bound, NULL, &in->rules, "", &shown)) != 0 ||
	    (e = seen_run(x, seen_bind(x, SQL_OPEN_PUT, "tiiiitii",
	    in->session, (int64_t)in->n, seq, r->time_ms, shown, within,
	    s.reader, s.named))) != 0 ||
	    in->n_subjects == 0 ||
	    (e = put_statement(x, &s, seq, r->time_ms, shown)) != 0)
		return e;
	return put_sights(x, s.store, seq, seq, in->subjects,
	    in->n_subjects);
}

static int
on_subjects(struct seen_index *x, const struct record *r)
{
	const struct record_more *in = &r->u.more;
	int64_t seq = (int64_t)r->seq, of, ms, shown;
	struct reach h = {.n = 1, .first_ms = r->time_ms,
	    .last_ms = r->time_ms, .first_seq = seq, .last_seq = seq};
	const char *within;
	struct session s;
	sqlite3_stmt *o;
	int e;

	if ((e = find_session(x, in->session, &s)) != 0)
		return e == ERR_MISSING ? 0 : e;
	o = seen_bind(x, SQL_OPEN, "ti", in->session, (int64_t)in->of);
	if ((e = seen_step(x, o)) != 0) {
		x->state.strange += e == ERR_MISSING;
		return e == ERR_MISSING ? 0 : e;
	}
	of = sqlite3_column_int64(o, 0);
	ms = sqlite3_column_int64(o, 1);
	shown = sqlite3_column_int64(o, 2);
	within = column(x, o, 3);
	(void)sqlite3_reset(o);		/* there is one row */
	if (within == NULL)
		return ERR_MEMORY;
	h.reader = s.reader;
	h.named = s.named;
	if (strcmp(in->basis, "exact") != 0 &&
	    ((e = put_reach(x, &h, within, false)) != 0 ||
	    (e = seen_run(x, seen_bind(x, SQL_OPEN_COUNTED, "ti", in->session,
	    (int64_t)in->of))) != 0))
		return e;
	if (in->n_subjects == 0 ||
	    (e = put_statement(x, &s, of, ms, shown)) != 0)
		return e;
	return put_sights(x, s.store, of, seq, in->subjects, in->n_subjects);
}

static int
on_asked(struct seen_index *x, const struct record *r)
{
	const struct record_asked *in = &r->u.asked;

	return seen_run(x, seen_bind(x, SQL_ASKED_PUT, "ttiiti", in->tag,
	    in->store, (int64_t)r->seq, r->time_ms, in->by,
	    (int64_t)in->full));
}

int
seen_fill(struct seen_index *x, const struct record *r)
{
	switch (r->type) {
	case RECORD_BOOT:
		return on_boot(x, r);
	case RECORD_SESSION:
		return on_session(x, r);
	case RECORD_CLEARANCE:
		return on_clearance(x, r);
	case RECORD_STATEMENT:
		return on_statement(x, r);
	case RECORD_SUBJECTS:
		return on_subjects(x, r);
	case RECORD_RESULT:
		return seen_run(x, seen_bind(x, SQL_OPEN_DROP, "ti",
		    r->u.result.session, (int64_t)r->u.result.of));
	case RECORD_CLOSE:
		return on_close(x, r);
	case RECORD_ASKED:
		return on_asked(x, r);
	case RECORD_NONE:
	case RECORD_GENESIS:
	case RECORD_STOP:
	case RECORD_OBJECT:
	case RECORD_STORE:
	case RECORD_BACKEND:
	case RECORD_DENIAL:
	case RECORD_LOGIN_FAILURE:
	case RECORD_HEARTBEAT:
	case RECORD_IN_FORCE:
	case RECORD_ROTATION:
	case RECORD_DRIFT:
	case RECORD_RECONCILED:
	case RECORD_APPROVAL:
		break;
	}
	return 0;
}

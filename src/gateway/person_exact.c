/*
 * What comes of an exact statement: rows with a column of tags in front.
 *
 *	store ── row ──> tags ──> run->tags        (whose it is)
 *	            └──> rest ──> hold.bytes ───────────────┐
 *	                                                    v
 *	HOLD_MAX bytes, HOLD_MS, or its end ──> record ──durable──> client
 *
 * The first record is the statement's own; later ones, of type subjects, say
 * who else came in. A batch that brings nobody new needs none. Where a tag is
 * missing, or an error or a notice comes, which
 * may tell of rows that are not shown, the statement is bounded from there
 * on: recorded first, then released, and no more is held.
 *
 * One row may have any number of tags. When so many have come that no more are
 * to be kept in memory, they are recorded in the middle of the row, nothing is
 * released, and they are forgotten: an answer may come to list one twice.
 *
 * Where a row may depend on rows that come behind it, the list is complete
 * only with the last of them: if the client takes the first ones only, or the
 * session ends before, the statement is bounded.
 *
 * Nothing is read from the store while a record is with the log, so what is
 * held is bounded by HOLD_MAX and one reading of the socket.
 */
#include "gateway/person.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "catalog/catalog.h"
#include "gateway/config.h"
#include "gateway/cover.h"
#include "gateway/job.h"
#include "gateway/judge.h"
#include "gateway/run.h"
#include "gateway/script.h"
#include "gateway/standing.h"
#include "gateway/twins.h"
#include "lineage/rewrite.h"
#include "wire/backend.h"
#include "wire/frontend.h"
#include "wire/strip.h"

#define HOLD_MAX ((size_t)128 * 1024)
#define HOLD_MS 200
#define TAG_MIN 16		/* bytes of most, with what parts them */
/* Of a result that says how far an answer came: the session ended. */
#define ABANDONED "08006"
#define DESCRIPTION_MAX ((size_t)192 * 1024)	/* 1,600 columns fit */

void
exact_done(struct person *p)
{
	run_unref(p->hold.run);
	run_unref(p->hold.late);
	p->hold.late = NULL;
	buf_done(&p->hold.bytes);
	p->hold.run = NULL;
}

/* Whether a row's tags are still to come. */
static bool
within_tags(const struct hold *h)
{
	return h->tags_left > 0 || h->copying != 0;
}

static size_t
most_tags(const struct session *s)
{
	return (size_t)s->store->limits.subjects;
}

/* The run of a request whose rows have tags. */
static struct run *
exact_run(const struct request *q)
{
	return q != NULL && q->run != NULL && q->run->exact ? q->run : NULL;
}

static void
release(struct session *s)
{
	struct hold *h = &s->person->hold;

	flow_add(&s->down, h->bytes.data, h->bytes.len);
	buf_done(&h->bytes);
	session_deadline(s, 0);
}

void
exact_hold(struct session *s, struct run *r, const void *data, size_t len)
{
	struct hold *h = &s->person->hold;

	buf_bytes(&h->bytes, data, len);
	if (h->run != r) {
		run_unref(h->run);
		h->run = run_ref(r);
	}
	if (s->deadline_ms == 0)
		session_deadline(s, HOLD_MS);
}

static const char *
home_of(const struct session *s)
{
	return s->store->catalog->residence_store &&
	    s->store->n_residences > 0 ? s->store->residences[0] : "unknown";
}

static int
statement_record(struct session *s, struct job *j, struct run *r)
{
	struct record_statement *st = &j->record.u.statement;
	struct cover c;
	int e;

	if ((e = cover_init(&c, s, j->a)) != 0)
		return e;
	cover_add(&c, s, r->meaning);
	if ((e = cover_record(&c, s, j->a, st)) != 0)
		return e;
	if (r->meaning->judgement->passes)
		return 0;		/* that is why */
	if (r->tags.unknown) {
		st->bounded_why = "came to an end, or to a row, that no list "
		    "covers";
		return 0;
	}
	st->basis = "exact";
	return tags_take(&r->tags, home_of(s), j->a, &st->subjects,
	    &st->n_subjects);
}

static int
subjects_record(struct session *s, struct job *j, struct run *r)
{
	struct record_more *m = &j->record.u.more;

	m->basis = r->tags.unknown ? "bounded" : "exact";
	return r->tags.unknown ? 0 : tags_take(&r->tags, home_of(s), j->a,
	    &m->subjects, &m->n_subjects);
}

/* Nothing of it may be shown under a bounded record. */
static bool
exact_only(const struct session *s, const struct run *r)
{
	return r->meaning->judgement->exact_only &&
	    s->store->mode == STORE_ENFORCE;
}

static void
end_bounded(struct session *s)
{
	static const struct backend_error e = {"FATAL", "42501",
	    "an answer came to an end, or to a row, that no exact record "
	    "covers", "a rule permits it only where the record lists whose "
	    "rows they are", "ask for fewer rows, and for all of them at once"};

	buf_done(&s->person->hold.bytes);
	session_end(s, "exact", &e);
}

/* One record more for what is held; what is held waits for it. */
static int
submit(struct session *s, struct run *r)
{
	struct hold *h = &s->person->hold;
	struct job *j;

	j = job_new(s, JOB_HOLD, r->recorded ? RECORD_SUBJECTS :
	    RECORD_STATEMENT);
	if (j == NULL || (r->recorded ? subjects_record(s, j, r) :
	    statement_record(s, j, r)) != 0) {
		job_free(j);
		session_end_memory(s);
		return PERSON_WAITS;
	}
	if (!r->recorded)
		s->statements++;
	j->run = run_ref(r);
	if (h->run != r) {
		run_unref(h->run);
		h->run = run_ref(r);
	}
	h->waiting = true;
	h->bounded = r->tags.unknown;
	session_deadline(s, 0);
	job_submit(j);
	return PERSON_WAITS;
}

/* 0: nothing is held now; PERSON_WAITS. */
static int
flush(struct session *s, struct run *r)
{
	if (r->tags.unknown && !r->bounded && !r->failing && exact_only(s, r)) {
		end_bounded(s);
		return PERSON_WAITS;
	}
	if (!r->recorded || (!r->bounded && (r->tags.unknown ||
	    r->tags.recorded < r->tags.n)))
		return submit(s, r);
	if (s->person->hold.bytes.len > 0)
		release(s);
	return 0;
}

/*
 * The log does not take it: the client gets an error in the place of what was
 * held, and of all that comes up to the end of the stretch, as if the store
 * had failed there.
 */
static void
refused(struct session *s)
{
	static const struct backend_error e = {"ERROR", "58030",
	    "the disclosure log cannot be written: nothing was released",
	    NULL, "try again once the log has room"};
	struct person *p = s->person;
	size_t i;

	buf_done(&p->hold.bytes);
	p->hold.holding = false;
	p->hold.run->over = true;	/* no record, no result */
	backend_error_write(flow_buf(&s->down), &e);
	p->discarding = true;
	memcpy(p->failed_with, "58030", 6);
	for (i = 0; i < p->requests.n; i++) {
		const struct request *q = &p->requests.ring[
		    (p->requests.first + i) % p->requests.cap];

		if (q->kind == REQUEST_SYNC || q->kind == REQUEST_QUERY)
			return;
	}
	p->skipping = true;
}

void
person_hold_done(struct session *s, enum event e)
{
	struct hold *h = &s->person->hold;
	struct run *r = h->run;

	h->waiting = false;
	if (e == EVENT_REFUSED) {
		/* Between messages only: half a row cannot be taken back. */
		if (s->person->torn) {
			session_end_log(s);
			return;
		}
		refused(s);
	} else {
		r->recorded = true;
		r->bounded = r->bounded || h->bounded;
		if (!r->bounded && r->tags.recorded < r->tags.n) {
			(void)submit(s, r);	/* it waits on */
			return;
		}
		tags_forget(&r->tags, most_tags(s));
		if (within_tags(h)) {
			if (h->bytes.len > 0)
				session_deadline(s, HOLD_MS);
		} else {
			s->person->torn = s->person->down_left > 0;
			release(s);
		}
	}
	session_step(s, EVENT_STORE_BYTES);
}

void
person_hold_timeout(struct session *s)
{
	struct hold *h = &s->person->hold;

	if (h->waiting || h->bytes.len == 0 || h->run == NULL)
		return;
	if (within_tags(h))
		session_deadline(s, HOLD_MS);	/* a row's tags come now */
	else if (flush(s, h->run) == 0)
		session_step(s, EVENT_STORE_BYTES);
	else
		s->person->torn = false;
}

/* ---- messages of the client ---- */

int
exact_send(struct session *s, struct meaning *m)
{
	struct request *q;

	if ((q = request_push(s, REQUEST_QUERY)) == NULL ||
	    (q->run = run_exact(m)) == NULL) {
		session_end_memory(s);
		return PERSON_STAYS;
	}
	q->run->executing++;
	q->meaning = meaning_ref(m);
	frontend_query_write(flow_buf(&s->link->out), m->judgement->exact->sql);
	return 0;
}

int
exact_named(struct session *s, uint8_t type, const struct named *x,
    struct run **ret)
{
	struct backend_error e = {"ERROR", "0A000", "the name of this "
	    "prepared statement or portal may stand for several", NULL,
	    "use another name"};
	int r;

	*ret = NULL;
	switch (named_kind(x)) {
	case NAMED_PLAIN:
		return 0;
	case NAMED_EXACT:
		if ((*ret = run_exact(x->slots[0].meaning)) != NULL)
			return 0;
		session_end_memory(s);
		return PERSON_STAYS;
	case NAMED_UNSURE:
		break;
	}
	if (s->person->requests.n > 0) {
		person_ask_flush(s);
		return PERSON_STAYS;
	}
	r = person_poison(s, type, &e);
	return r == 0 ? ERR_DENIED : r;
}

bool
exact_runs_named(const struct session *s, const struct named *x)
{
	size_t i;

	for (i = 0; x != NULL && i < x->n; i++)
		if (x->slots[i].meaning->judgement->runs_named &&
		    s->person->named_exact)
			return true;
	return false;
}

/* ---- messages of the store ---- */

static uint32_t
table_of(void *arg, uint32_t oid)
{
	const struct session *s = arg;

	return twins_view(s->standing->login, oid);
}

/* Whether the tags of its first rows are all that these depend on. */
static bool
is_prefix(const struct run *r)
{
	return r->meaning->judgement->exact->prefix;
}

/* What was shown of it may depend on rows that never came. */
static void
abandon_rest(struct session *s, struct run *r)
{
	struct job *j;

	if (!r->exact || !r->recorded || r->bounded || is_prefix(r))
		return;
	r->bounded = true;
	if ((j = job_new(s, JOB_RESULT, RECORD_SUBJECTS)) == NULL)
		return;
	j->record.u.more.basis = "bounded";
	j->run = run_ref(r);
	job_submit(j);
}

void
exact_abandon(struct session *s)
{
	struct requests *q = &s->person->requests;
	struct request *x;
	size_t i;

	if (s->lost)
		return;		/* no number is sure any more */
	for (i = 0; i < q->n; i++) {
		x = &q->ring[(q->first + i) % q->cap];
		if (x->run != NULL && x->run->executing > 0 &&
		    !x->run->over) {
			abandon_rest(s, x->run);
			memcpy(x->run->sqlstate, ABANDONED, sizeof(ABANDONED));
			person_run_result(s, x->run);
		}
		script_drop(s, x->script, ABANDONED);
		x->script = NULL;
	}
}

/* Whether rows of the answer that comes now have a column of tags. */
static bool
strips(const struct session *s, const struct request *q)
{
	return q != NULL && ((q->kind == REQUEST_QUERY &&
	    s->person->hold.strips) || (q->kind == REQUEST_EXECUTE &&
	    exact_run(q) != NULL));
}

static int
before_row(struct session *s, uint32_t body_len)
{
	struct flow *in = &s->link->in;
	uint32_t len;
	uint16_t n;

	if (flow_len(in) < FRAME_HEAD + STRIP_ROW_HEAD)
		return body_len < STRIP_ROW_HEAD ? ERR_FORMAT : ERR_SHORT;
	if (strip_row_head(flow_data(in) + FRAME_HEAD, body_len, &len,
	    &n) != 0)
		return ERR_FORMAT;
	s->person->hold.cut = 4 + len;
	return 0;
}

/*
 * An error while there are cursors whose rows the end of the transaction
 * takes: it may be of these, whatever was asked. 0 or PERSON_WAITS.
 */
static int
held_error(struct session *s)
{
	struct hold *h = &s->person->hold;
	struct named *x;

	while ((x = names_held(&s->person->portals)) != NULL) {
		if (h->late == NULL) {
			h->late = named_sure(x) == NULL ? NULL :
			    run_exact(named_sure(x));
			if (h->late == NULL) {
				session_end_memory(s);
				return PERSON_WAITS;
			}
			h->late->tags.unknown = true;
			h->late->failing = true;
		}
		if (!h->late->recorded)
			return flush(s, h->late);
		person_run_result(s, h->late);
		run_unref(h->late);
		h->late = NULL;
		x->held_new = false;
	}
	return 0;
}

int
exact_before(struct session *s, uint8_t type, uint32_t body_len)
{
	struct request *q = request_head(s);
	struct run *r = exact_run(q);

	s->person->hold.cut = 0;
	if (!s->standing->has_twins || s->person->discarding)
		return 0;
	switch (type) {
	case 'T':
		if (body_len > DESCRIPTION_MAX)
			return ERR_FORMAT;
		return flow_len(&s->link->in) < FRAME_HEAD + body_len ?
		    ERR_SHORT : 0;
	case 'H':
		if (!copy_strips(r))
			return 0;
		if (body_len > DESCRIPTION_MAX)
			return ERR_FORMAT;
		return flow_len(&s->link->in) < FRAME_HEAD + body_len ?
		    ERR_SHORT : 0;
	case 'D':
		return strips(s, q) ? before_row(s, body_len) : 0;
	case 'E':
		/* No row of this answer comes any more. */
		s->person->hold.strips = false;
		__attribute__((fallthrough));
	case 'N':
		if (r == NULL || r->bounded)
			return type == 'E' ? held_error(s) : 0;
		r->tags.unknown = true;
		r->failing = type == 'E';
		if (r->failing && exact_only(s, r))
			buf_done(&s->person->hold.bytes);
		return flush(s, r);
	case 's':
		/* Its first rows were shown, and perhaps no more ever are. */
		if (r != NULL && !r->bounded && !is_prefix(r))
			r->tags.unknown = true;
		__attribute__((fallthrough));
	case 'c':		/* it would overtake the lines that are held */
	case 'C':
	case 'I':
		s->person->hold.strips = false;
		return r == NULL ? 0 : flush(s, r);
	default:
		return 0;
	}
}

static int
description(struct session *s, bool query, struct run *r, uint32_t body_len)
{
	struct flow *in = &s->link->in;
	struct bytes body = bytes_of(flow_data(in) + FRAME_HEAD, body_len);
	struct buf out;
	int e;

	if (!strip_has_mark(body, REWRITE_MARK)) {
		/* What a name stood for was not that: no list would be. */
		if (query && r != NULL)
			return ERR_FORMAT;
		s->person->hold.strips &= !query;
		return PERSON_PASS;
	}
	buf_init(&out, 0);
	e = strip_description(body, table_of, s, &out);
	if (e == 0 && query && r != NULL && !r->bounded)
		exact_hold(s, r, out.data, out.len);
	else if (e == 0)
		flow_add(&s->down, out.data, out.len);
	if (e == 0 && query)
		s->person->hold.strips = true;
	flow_drop(in, FRAME_HEAD + body_len);
	buf_done(&out);
	return e;
}

static int
row(struct session *s, struct run *r, uint32_t body_len)
{
	struct hold *h = &s->person->hold;
	struct flow *in = &s->link->in;
	uint8_t head[FRAME_HEAD + 2];
	uint32_t len, left;
	uint16_t n;

	if (strip_row_head(flow_data(in) + FRAME_HEAD, body_len, &len,
	    &n) != 0)
		return ERR_FORMAT;
	left = body_len - STRIP_ROW_HEAD - len;
	head[0] = 'D';
	head[1] = (uint8_t)((left + 6) >> 24);
	head[2] = (uint8_t)((left + 6) >> 16);
	head[3] = (uint8_t)((left + 6) >> 8);
	head[4] = (uint8_t)(left + 6);
	head[5] = (uint8_t)(n >> 8);
	head[6] = (uint8_t)n;
	flow_drop(in, FRAME_HEAD + STRIP_ROW_HEAD);
	h->holding = r != NULL && !r->bounded;
	s->person->torn = false;
	if (h->holding)
		exact_hold(s, r, head, sizeof(head));
	else
		flow_add(&s->down, head, sizeof(head));
	h->tags_left = len;
	s->person->down_left = left;
	if (len == 0 && left == 0)
		return exact_full(s) ? PERSON_WAITS : 0;
	return 0;
}

int
exact_message(struct session *s, uint8_t type, uint32_t body_len,
    const struct request *q)
{
	bool query = q != NULL && q->kind == REQUEST_QUERY;
	struct run *r = exact_run(q);

	s->person->hold.holding = false;
	if (!s->standing->has_twins || s->person->discarding)
		return PERSON_PASS;
	if (type == 'T')
		return description(s, query, r, body_len);
	if (type == 'D' && strips(s, q))
		return row(s, r, body_len);
	if (type == 'H' && copy_strips(r))
		return copy_response(s, r, body_len);
	if (type == 'd' && copy_strips(r)) {
		copy_begin(s, r, body_len);
		return 0;
	}
	return PERSON_PASS;
}

size_t
exact_piece(const struct session *s)
{
	size_t most = most_tags(s) * TAG_MIN;

	return most < FLOW_READ ? most : FLOW_READ;
}

bool
exact_many(struct session *s)
{
	struct hold *h = &s->person->hold;

	return h->holding && !h->run->tags.unknown &&
	    tags_are_many(&h->run->tags, most_tags(s)) &&
	    submit(s, h->run) == PERSON_WAITS;
}

void
exact_tags(struct session *s)
{
	struct hold *h = &s->person->hold;
	struct flow *in = &s->link->in;
	size_t n = flow_len(in);

	if (n > h->tags_left)
		n = h->tags_left;
	if (n > exact_piece(s))
		n = exact_piece(s);
	if (h->holding)
		tags_feed(&h->run->tags, flow_data(in), n);
	flow_drop(in, n);
	h->tags_left -= n;
	if (h->tags_left == 0 && h->holding)
		tags_end(&h->run->tags);
}

void
exact_put(struct session *s, const void *data, size_t len)
{
	struct hold *h = &s->person->hold;

	if (s->person->discarding)
		return;
	if (h->holding)
		exact_hold(s, h->run, data, len);
	else
		flow_add(&s->down, data, len);
}

bool
exact_full(struct session *s)
{
	struct hold *h = &s->person->hold;

	if (!h->holding || within_tags(h) || h->bytes.len < HOLD_MAX)
		return false;
	if (flush(s, h->run) == PERSON_WAITS)
		return true;
	s->person->torn = s->person->down_left > 0;
	return false;
}

int
exact_flush(struct session *s)
{
	struct hold *h = &s->person->hold;

	return h->bytes.len == 0 ? 0 : flush(s, h->run);
}

static uint32_t
place_of(void *arg, uint32_t at)
{
	const struct judgement *j = arg;

	return j->sent == NULL ? at : rewrite_place(j->sent, j->sql, at);
}

/* Errors that the store tells before it looks at a row: what is not there,
 * what may not be done. */
static bool
tells_nothing(const char *sqlstate)
{
	static const char *const classes[] = {
		"25",		/* no transaction, or one that failed */
		"26",		/* no prepared statement of that name */
		"34",		/* no cursor of that name */
		"42",		/* a name or a right that is not there */
	};
	size_t i;

	for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strncmp(sqlstate, classes[i], 2) == 0)
			return true;
	return false;
}

int
exact_error(const struct session *s, const struct request *q,
    const struct backend_error *said, struct bytes body, struct buf *out)
{
	struct backend_error e = {"ERROR", "42501", "the statement failed, "
	    "and what the store says of it is not shown", "a rule permits it "
	    "only where the record lists whose rows they are, and an error may "
	    "tell of any", "try it with less: columns without casts and "
	    "divisions, then with them"};

	if (exact_run(q) != NULL && exact_only(s, q->run) &&
	    !tells_nothing(said->sqlstate)) {
		backend_error_write(out, &e);
		return 0;
	}
	return strip_error(body, REWRITE_MARK, place_of,
	    (void *)(uintptr_t)q->meaning->judgement, out);
}

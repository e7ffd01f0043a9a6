/*
 * Messages of the store to a person's client: matched to the requests that
 * are outstanding, counted, and handed on, rows without being kept.
 *
 * A reply that cannot be matched ends the session: from there on nobody
 * could tell whose rows they are.
 */
#include "gateway/person.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/report.h"
#include "base/text.h"
#include "gateway/config.h"
#include "gateway/job.h"
#include "gateway/run.h"
#include "gateway/script.h"
#include "gateway/setting.h"
#include "wire/backend.h"

#define KEEP_MAX 65536		/* of a message that is looked into */
#define DONE_MAX 128		/* of a CommandComplete that is */

struct request *
request_push(struct session *s, enum request_kind kind)
{
	struct requests *q = &s->person->requests;
	struct request *ring, *r;
	size_t cap, i;

	if (q->n == q->cap) {
		cap = q->cap == 0 ? 16 : q->cap * 2;
		if ((ring = calloc(cap, sizeof(*ring))) == NULL)
			return NULL;
		for (i = 0; i < q->n; i++)
			ring[i] = q->ring[(q->first + i) % q->cap];
		free(q->ring);
		q->ring = ring;
		q->cap = cap;
		q->first = 0;
	}
	r = &q->ring[(q->first + q->n++) % q->cap];
	memset(r, 0, sizeof(*r));
	r->kind = kind;
	s->person->flushed = false;
	if (s->person->switch_unsent) {
		r->switches = true;
		s->person->switch_unsent = false;
	}
	return r;
}

static struct request *
request_at(struct requests *q, size_t i)
{
	return &q->ring[(q->first + i) % q->cap];
}

struct request *
request_head(struct session *s)
{
	struct requests *q = &s->person->requests;

	return q->n == 0 ? NULL : request_at(q, 0);
}

static void
request_done(struct request *r)
{
	named_unref(r->named);
	meaning_unref(r->meaning);
	run_unref(r->run);
	meaning_unref(r->text);
	script_free(r->script);
	free(r->poison);
}

void
request_pop(struct session *s)
{
	struct requests *q = &s->person->requests;

	request_done(request_at(q, 0));
	q->first = (q->first + 1) % q->cap;
	q->n--;
}

void
requests_done(struct requests *q)
{
	for (; q->n > 0; q->n--)
		request_done(request_at(q, q->n - 1));
	free(q->ring);
	q->ring = NULL;
	q->cap = 0;
}

void
person_run_result(struct session *s, struct run *r)
{
	struct record_result *res;
	struct job *j;

	if (r->over || s->state >= STATE_ENDING)
		return;
	r->over = true;
	if (r->exact && !r->recorded)
		return;		/* nothing came of it */
	if ((j = job_new(s, JOB_RESULT, RECORD_RESULT)) == NULL) {
		session_end_memory(s);
		return;
	}
	res = &j->record.u.result;
	j->run = run_ref(r);
	res->rows = r->rows;
	res->bytes = r->bytes;
	res->changed = r->changed;
	res->sqlstate = r->sqlstate;	/* lives as long as the run */
	job_submit(j);
}

/* One request of a run has ended. */
static void
run_ended(struct session *s, struct run *r)
{
	if (r == NULL)
		return;
	if (r->executing > 0)
		r->executing--;
	if (r->executing == 0)
		person_run_result(s, r);
}

/* Whose rows come now. */
static struct run *
current_run(struct session *s)
{
	struct request *q = request_head(s);

	return q != NULL && (q->kind == REQUEST_QUERY ||
	    q->kind == REQUEST_EXECUTE) ? q->run : NULL;
}

/* Whether a further row is more than a statement of a person may show. */
static bool
is_row_too_many(const struct session *s, const struct run *r)
{
	uint64_t most = s->store->limits.rows;

	return s->store->mode == STORE_ENFORCE && most > 0 && r != NULL &&
	    r->rows >= most;
}

/*
 * What came so far is with the client already, so the statement cannot end as
 * if that were all of it, nor can the store be told to fail in the middle of
 * a row: the session ends.
 */
static void
end_rows(struct session *s)
{
	struct backend_error e = {"FATAL", "54000", NULL, NULL, "ask for "
	    "fewer rows, or for an aggregate of them"};

	e.message = arena_fmt(s->a, "a statement shows at most %llu rows to "
	    "a person in store %s",
	    (unsigned long long)s->store->limits.rows, s->store->name);
	if (e.message == NULL)
		session_end_memory(s);
	else
		session_end(s, "rows", &e);
}

static void
count_row(struct session *s, size_t body_len)
{
	struct run *r = current_run(s);

	if (r != NULL) {
		r->rows++;
		r->bytes += body_len;
	}
	s->rows++;
	s->bytes += body_len;
	COUNT(s->worker->shared, rows, 1);
	COUNT(s->worker->shared, bytes, body_len);
}

/* A reply of a kind that just one request can have. */
static int
end_of(struct session *s, enum request_kind kind)
{
	struct request *q = request_head(s);

	if (q == NULL || q->kind != kind || q->poison != NULL)
		return ERR_FORMAT;
	if (kind == REQUEST_PARSE || kind == REQUEST_BIND) {
		if (q->named != NULL)
			named_confirm(q->named, q->version);
	} else if (kind == REQUEST_CLOSE && q->named != NULL &&
	    q->named->version == q->version) {
		names_remove(q->is_portal ? &s->person->portals :
		    &s->person->statements, q->named);
	} else if (kind == REQUEST_EXECUTE) {
		run_ended(s, q->run);
	}
	request_pop(s);
	return 0;
}

/* CommandComplete. */
static int
command_done(struct session *s, struct request *q)
{
	if (q != NULL && q->kind == REQUEST_QUERY) {
		script_next(s, q);
		return 0;
	}
	if (q != NULL && q->kind == REQUEST_EXECUTE)
		names_effect(s, q->text);
	return end_of(s, REQUEST_EXECUTE);
}

/*
 * An error undoes the stretch up to the next Sync: also a SET in it that
 * had been taken already.
 */
static void
cancel_switch(struct session *s)
{
	struct person *p = s->person;
	size_t i;

	if (!p->switching)
		return;
	for (i = 0; i < p->requests.n; i++) {
		struct request *q = request_at(&p->requests, i);

		if (q->switches)
			break;
		if (q->kind == REQUEST_SYNC)
			return;		/* of an earlier stretch */
	}
	p->switching = false;
	p->switch_unsent = false;
}

/* What an error leaves outstanding: the store skips up to a Sync. */
static void
skip_requests(struct session *s)
{
	struct request *q = request_head(s);

	if (q == NULL || q->kind == REQUEST_QUERY || q->kind == REQUEST_SYNC)
		return;
	while ((q = request_head(s)) != NULL && q->kind != REQUEST_SYNC) {
		if (q->ours) {
			q->named->lost = true;	/* to be tried again */
			q->named->doubted |= q->kind == REQUEST_CLOSE;
		}
		else if (q->named != NULL && (q->kind == REQUEST_PARSE ||
		    q->kind == REQUEST_BIND))
			named_reject(q->named, q->version);
		run_ended(s, q->run);
		request_pop(s);
	}
	if (q == NULL)
		s->person->skipping = true;
}

/* ErrorResponse; `whole` is it with its header. */
static int
on_error(struct session *s, const struct frame *f, struct bytes whole)
{
	struct request *q = request_head(s);
	struct backend_error e = {"", "XX000", "", NULL, NULL};
	struct buf changed;

	if (f != NULL && backend_error_read(f->body, &e) != 0)
		return ERR_FORMAT;
	buf_init(&changed, 0);
	s->person->copying_in = false;
	memcpy(s->person->failed_with, e.sqlstate, 6);
	if (q != NULL && q->run != NULL)
		memcpy(q->run->sqlstate, e.sqlstate, 6);
	cancel_switch(s);
	/* A FATAL error is about the connection, whatever was asked. */
	if (q != NULL && q->poison != NULL &&
	    strcmp(e.severity, "ERROR") == 0)
		flow_add(&s->down, q->poison, q->poison_len);
	else if (q != NULL && q->meaning != NULL && f != NULL &&
	    exact_error(s, q, &e, f->body, &changed) == 0)
		exact_put(s, changed.data, changed.len);
	else
		exact_put(s, whole.data, whole.len);
	buf_done(&changed);
	if (q != NULL && q->poison != NULL) {
		free(q->poison);
		q->poison = NULL;
	}
	skip_requests(s);
	return 0;
}

/* Portals end with their transaction, and so does what they are covered by. */
static int
on_ready(struct session *s, const struct frame *f, struct bytes whole)
{
	struct person *p = s->person;
	struct request *q = request_head(s);

	if (q == NULL || q->poison != NULL ||
	    (q->kind != REQUEST_QUERY && q->kind != REQUEST_SYNC) ||
	    backend_ready_read(f->body, &p->status) != 0)
		return ERR_FORMAT;
	p->copying_in = false;
	p->discarding = false;
	script_end(s, q);
	run_ended(s, q->run);
	request_pop(s);
	if (p->status == 'I')
		names_end(&p->portals);
	if (p->switching && p->requests.n == 0 && !p->segment) {
		person_switch_begin(s);
		return 0;
	}
	flow_add(&s->down, whole.data, whole.len);
	return 0;
}

static int
on_parameter(struct session *s, const struct frame *f)
{
	const char *name, *value;
	struct reader r;

	reader_init(&r, f->body.data, f->body.len);
	if (reader_cstr(&r, &name) != 0 || reader_cstr(&r, &value) != 0)
		return ERR_FORMAT;
	if (setting_reads_otherwise(name, value))
		s->person->reads_otherwise = true;
	return 0;
}

/*
 * COPY begins. A Sync that was sent along already will be ignored by the
 * store while it takes the data.
 */
static int
on_copy_in(struct session *s)
{
	struct requests *q = &s->person->requests;
	size_t i, n = 1;

	if (q->n == 0)
		return ERR_FORMAT;
	s->person->copying_in = true;
	for (i = 1; i < q->n; i++) {
		if (request_at(q, i)->kind == REQUEST_SYNC)
			continue;	/* holds nothing that is to be freed */
		if (n != i)
			*request_at(q, n) = *request_at(q, i);
		n++;
	}
	q->n = n;
	return 0;
}

/*
 * How many rows a statement has written stands in its CommandComplete, which
 * is short. 0, or ERR_SHORT: it is not all there yet.
 */
static int
count_changed(struct session *s, size_t body_len)
{
	const struct flow *in = &s->link->in;
	const char *tag = (const char *)flow_data(in) + FRAME_HEAD;
	struct run *r = current_run(s);
	const char *number;
	uint64_t n;

	if (body_len == 0 || body_len > DONE_MAX)
		return 0;
	if (flow_len(in) < FRAME_HEAD + body_len)
		return ERR_SHORT;
	if (r == NULL || tag[body_len - 1] != 0 ||
	    (number = strrchr(tag, ' ')) == NULL ||
	    (!text_starts(tag, "INSERT ") && !text_starts(tag, "UPDATE ") &&
	    !text_starts(tag, "DELETE ") && !text_starts(tag, "MERGE ")))
		return 0;
	if (text_u64(number + 1, strlen(number + 1), &n) == 0)
		r->changed += n;
	return 0;
}

/* By its header alone: 0, ERR_FORMAT if it does not belong here, ERR_LIMIT. */
static int
on_head(struct session *s, uint8_t type, size_t body_len)
{
	struct request *q = request_head(s);

	/* Where a refused message stands, only its failure may come. */
	if (q != NULL && q->poison != NULL && type != 'E' && type != 'N' &&
	    type != 'S' && type != 'A')
		return ERR_FORMAT;
	switch (type) {
	case 'D':
	case 'd':
		if (q == NULL || (q->kind != REQUEST_QUERY &&
		    q->kind != REQUEST_EXECUTE))
			return ERR_FORMAT;
		if (is_row_too_many(s, current_run(s)))
			return exact_flush(s) != 0 ? PERSON_WAITS : ERR_LIMIT;
		if (!s->person->discarding)
			count_row(s, body_len - s->person->hold.cut);
		return 0;
	case '1':
		return end_of(s, REQUEST_PARSE);
	case '2':
		return end_of(s, REQUEST_BIND);
	case '3':
		return end_of(s, REQUEST_CLOSE);
	case 'n':
		return end_of(s, REQUEST_DESCRIBE);
	case 'T':
		return q != NULL && q->kind == REQUEST_QUERY ? 0 :
		    end_of(s, REQUEST_DESCRIBE);
	case 'C':
		return command_done(s, q);
	case 'I':
		return q != NULL && q->kind == REQUEST_QUERY ? 0 :
		    end_of(s, REQUEST_EXECUTE);
	case 's':
		return end_of(s, REQUEST_EXECUTE);
	case 'G':
		return on_copy_in(s);
	case 't':
	case 'H':
	case 'W':
	case 'c':
	case 'N':
	case 'A':
		return 0;
	default:
		return ERR_FORMAT;
	}
}

/* Hands on what there is of a message whose header was seen. */
static void
stream_on(struct session *s)
{
	struct flow *in = &s->link->in;
	size_t n = flow_len(in);

	if (n > s->person->down_left)
		n = s->person->down_left;
	if (!s->person->down_hidden)
		exact_put(s, flow_data(in), n);
	flow_drop(in, n);
	s->person->down_left -= n;
}

static int
on_whole(struct session *s, const struct frame *f, struct bytes whole)
{
	switch (f->type) {
	case 'E':
		return on_error(s, f, whole);
	case 'Z':
		return on_ready(s, f, whole);
	default:
		flow_add(&s->down, whole.data, whole.len);
		return on_parameter(s, f);
	}
}

/* One message, or what there is of it: 0, ERR_SHORT, ERR_FORMAT. */
static int
next_message(struct session *s)
{
	static const struct request none = { .kind = REQUEST_SYNC };
	struct flow *in = &s->link->in;
	struct request q;
	struct reader r;
	struct frame f;
	uint32_t body_len;
	uint8_t type;
	int e;

	if ((e = frame_head(flow_data(in), flow_len(in), &type,
	    &body_len)) != 0)
		return e;
	if ((e = exact_before(s, type, body_len)) != 0)
		return e;
	if (type == 'E' || type == 'Z' || type == 'S') {
		s->person->hold.holding = false;
		reader_init(&r, flow_data(in), flow_len(in));
		if ((e = frame_read(&r, KEEP_MAX, &f)) == ERR_SHORT)
			return e;
		if (e != 0)
			return ERR_FORMAT;
		e = on_whole(s, &f, bytes_of(flow_data(in), r.pos));
		if (s->link != NULL && e == 0)
			flow_drop(in, r.pos);
		return e;
	}
	if (type == 'C' && (e = count_changed(s, body_len)) != 0)
		return e;
	q = request_head(s) != NULL ? *request_head(s) : none;
	s->person->down_hidden = (type == '1' || type == '3') && q.ours;
	run_ref(q.run);
	if ((e = on_head(s, type, body_len)) == 0)
		e = s->person->down_hidden ? PERSON_PASS :
		    exact_message(s, type, body_len, &q);
	run_unref(q.run);
	if (e != PERSON_PASS)
		return e;
	s->person->down_left = FRAME_HEAD + (size_t)body_len;
	stream_on(s);
	return 0;
}

void
person_store(struct session *s)
{
	int e;

	while ((s->state == STATE_PERSON || s->state == STATE_WAITING) &&
	    flow_len(&s->link->in) > 0 && flow_len(&s->down) < FLOW_STOP) {
		if (s->person->hold.waiting)
			return;
		if (s->person->hold.tags_left > 0) {
			exact_tags(s);
			if (exact_many(s))
				return;
			continue;
		}
		if (s->person->hold.copying != 0) {
			if ((e = copy_tags(s)) == ERR_SHORT)
				return;
			if (e != 0) {
				session_end_protocol(s, "the store's line of "
				    "COPY has no end of its first field");
				return;
			}
			if (exact_many(s) || (s->person->hold.copying == 0 &&
			    exact_full(s)))
				return;
			continue;
		}
		if (s->person->down_left > 0) {
			stream_on(s);
			if (exact_full(s))
				return;
			continue;
		}
		if ((e = next_message(s)) == ERR_SHORT || e == PERSON_WAITS)
			return;
		if (e == ERR_LIMIT) {
			end_rows(s);
			return;
		}
		if (e != 0) {
			report(REPORT_ERROR, "session=%s a reply of the store "
			    "does not belong to any request", s->id);
			session_end_protocol(s, "the store's reply does not "
			    "belong to any request");
			return;
		}
	}
}

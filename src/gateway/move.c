/*
 * Deciding again is cheap, so it is done whenever something might have
 * changed; what came out is recorded only if it differs from what the log
 * has, or if the version is another one.
 */
#include "gateway/move.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/report.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "directory/directory.h"
#include "gateway/config.h"
#include "gateway/confirm.h"
#include "gateway/job.h"
#include "gateway/standing.h"
#include "policy/grants.h"
#include "policy/policy.h"
#include "wire/backend.h"

#define TICKETS_MAX 1		/* of a session */

static struct versions *
versions_of(const struct session *s)
{
	return &s->worker->shared->versions;
}

bool
move_needed(const struct session *s)
{
	if (s->standing == NULL || s->version->number !=
	    atomic_load(&s->worker->shared->versions.number))
		return true;
	return s->standing->until_ms != INT64_MAX &&
	    clock_now_ms() >= s->standing->until_ms;
}

int
move_decide(struct session *s, const char *purpose, const char *ticket,
    struct standing **ret, struct version **ret_version)
{
	struct version *v = versions_get(versions_of(s));
	struct standing_request q = {
		.principal = s->user, .address = s->address,
		.purpose = purpose, .ticket = ticket,
		.at_ms = clock_now_ms(), .cache = s->worker->cache,
	};
	int r = 0;

	if (v == NULL)
		return ERR_STATE;
	q.config = v->config;
	q.version = v->number;
	q.grants = v->grants;
	q.until_ms = version_turns_after(v, q.at_ms);
	if ((q.store = config_store_find(v->config, s->database)) == NULL)
		r = ERR_CONFLICT;
	if (r == 0)
		r = confirm_ticket(s, v->config, purpose, ticket, &q.answer);
	if (r == 0)
		r = standing_make(&q, ret);
	ticket_answer_unref(q.answer);
	if (r == 0)
		*ret_version = v;
	else
		version_unref(versions_of(s), v);
	return r;
}

const char *
move_closed(const struct session *s, const struct version *v,
    const struct standing *st, struct arena *a)
{
	const struct grant *x;
	char by[TIME_TEXT_MAX];

	if (st->who->kind != PRINCIPAL_PERSON ||
	    st->store->mode != STORE_ENFORCE || (x = grants_closed(v->grants,
	    s->user, s->database, clock_now_ms())) == NULL)
		return NULL;
	time_text(x->review_ms, by);
	return arena_fmt(a, "store %s is closed to you: you broke the glass "
	    "(%s), and nobody had reviewed it by %s", x->store, x->id, by);
}

void
move_end(struct session *s, int r)
{
	struct backend_error e = {"FATAL", "28000", NULL, NULL, NULL};

	switch (r) {
	case ERR_STATE:
		session_end_log(s);
		return;
	case ERR_MISSING:
		e.message = arena_fmt(s->a, "the directory knows no principal "
		    "\"%s\" any more", s->user);
		e.hint = "ask whoever keeps the directory";
		COUNT(s->worker->shared, denials, 1);
		break;
	case ERR_CONFLICT:
		e.sqlstate = "3D000";
		e.message = arena_fmt(s->a, "store \"%s\" is configured no "
		    "more", s->database);
		break;
	default:
		report(REPORT_ERROR, "deciding again failed: %s",
		    err_text(r));
		break;
	}
	if (e.message == NULL)
		session_end_memory(s);
	else
		session_end(s, "revoked", &e);
}

void
move_held_done(struct held *h)
{
	free(h->purpose);
	free(h->ticket);
	free(h->role);
	free(h->store);
	free(h->host);
	free(h->database);
	memset(h, 0, sizeof(*h));
}

static int
hold(const char *s, char **ret)
{
	*ret = s != NULL ? strdup(s) : NULL;
	return s != NULL && *ret == NULL ? ERR_MEMORY : 0;
}

/* What a record of it would say, apart from when. */
static int
record_hash(const struct session *s, const struct standing *st,
    const struct version *v, uint8_t ret[static HASH_LEN])
{
	struct record r = {.type = RECORD_CLEARANCE};
	struct record_ticket tickets[TICKETS_MAX];
	struct arena *a = arena_new();
	struct buf body;
	size_t i;
	int e;

	if (a == NULL)
		return ERR_MEMORY;
	buf_init(&body, RECORD_MAX);
	if ((e = standing_record(st, v->config, s->source, a,
	    &r.u.session)) != 0)
		goto out;
	r.u.session.session = "-";
	r.u.session.decided_ms = 0;
	for (i = 0; i < r.u.session.n_tickets && i < TICKETS_MAX; i++) {
		tickets[i] = r.u.session.tickets[i];
		tickets[i].asked_ms = 0;
		r.u.session.tickets = tickets;
	}
	if ((e = record_encode_body(&r, &body)) == 0)
		e = hash_sha256(body.data, body.len, ret);
out:
	buf_done(&body);
	arena_free(a);
	return e;
}

/* What they meant was for where the session stood. */
static void
forget_texts(struct session *s)
{
	if (s->person != NULL)
		texts_done(&s->person->texts);
}

void
move_settle(struct session *s, struct standing *st, struct version *v)
{
	struct held h = {.port = st->store->port};

	if (hold(st->purpose, &h.purpose) != 0 ||
	    hold(st->ticket, &h.ticket) != 0 || hold(st->role, &h.role) != 0 ||
	    hold(st->store->name, &h.store) != 0 ||
	    hold(st->store->host, &h.host) != 0 ||
	    hold(st->store->database, &h.database) != 0 ||
	    record_hash(s, st, v, h.record) != 0)
		memset(h.record, 0, sizeof(h.record)); /* equals none */
	if (s->standing != st)
		standing_free(s->standing);
	if (s->version != v)
		version_unref(versions_of(s), s->version);
	s->standing = st;
	s->version = v;
	s->store = st->store;
	forget_texts(s);
	move_held_done(&s->held);
	s->held = h;
}

static bool
same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool
move_relinks(const struct session *s, const struct standing *st)
{
	return !same(s->held.role, st->role) ||
	    !same(s->held.host, st->store->host) ||
	    !same(s->held.database, st->store->database) ||
	    s->held.port != st->store->port;
}

bool
move_is_recorded(const struct session *s, const struct standing *st,
    const struct version *v)
{
	uint8_t hash[HASH_LEN];

	return s->version == v && record_hash(s, st, v, hash) == 0 &&
	    memcmp(hash, s->held.record, sizeof(hash)) == 0;
}

/* ---- services ---- */

static void
end_service(struct session *s, const char *what)
{
	struct backend_error e = {"FATAL", "57P01", NULL, NULL,
	    "connect again"};

	e.message = arena_fmt(s->a, "terminating connection: %s", what);
	if (e.message == NULL)
		session_end_memory(s);
	else
		session_end(s, "moved", &e);
}

static int
submit_clearance(struct session *s, const struct standing *st,
    const struct version *v)
{
	struct job *j;

	if ((j = job_new(s, JOB_GATE, RECORD_CLEARANCE)) == NULL)
		return ERR_MEMORY;
	if (standing_record(st, v->config, s->source, j->a,
	    &j->record.u.session) != 0) {
		job_free(j);
		return ERR_MEMORY;
	}
	j->by = v->number;
	job_submit(j);
	return 0;
}

/* Takes over both. */
static void
decide_service(struct session *s, struct standing *st, struct version *v)
{
	bool recorded = move_is_recorded(s, st, v), relinks = move_relinks(s, st);

	move_settle(s, st, v);
	if (open_service_refused(s))
		return;
	if (relinks || st->login == NULL) {
		end_service(s, "what the service uses at the store has "
		    "changed");
		return;
	}
	if (recorded) {
		session_set_state(s, STATE_SERVICE);
		return;
	}
	session_set_state(s, STATE_SERVICE_MOVING);
	if (submit_clearance(s, st, v) != 0)
		session_end_memory(s);
}

void
move_service(struct session *s)
{
	struct standing *st = NULL;
	struct version *v = NULL;
	int r;

	if (s->job_out != NULL || s->jobs_first != NULL)
		return;			/* soon again: session_turn */
	if ((r = move_decide(s, s->held.purpose, s->held.ticket, &st,
	    &v)) != 0)
		move_end(s, r);
	else
		decide_service(s, st, v);
}

void
move_service_recorded(struct session *s)
{
	session_set_state(s, STATE_SERVICE);
	session_step(s, EVENT_ROOM);
}

/* ---- idle persons ---- */

static bool
is_idle(const struct session *s)
{
	const struct person *p = s->person;

	return s->state == STATE_PERSON && p->status == 'I' &&
	    p->requests.n == 0 && !p->segment && !p->switching &&
	    p->down_left == 0 && p->hold.run == NULL && s->job_out == NULL && s->jobs_first == NULL;
}

/* So that old versions, which may be large, do not stay for sessions that
 * sleep. */
static void
let_go(struct session *s)
{
	standing_free(s->standing);
	version_unref(versions_of(s), s->version);
	s->standing = NULL;
	s->version = NULL;
	s->store = NULL;
	forget_texts(s);
}

static bool
is_old(const struct session *s)
{
	return s->standing != NULL && s->version->number !=
	    atomic_load(&s->worker->shared->versions.number);
}

void
session_version(struct session *s)
{
	if (s->state == STATE_SERVICE && move_needed(s)) {
		move_service(s);
		session_settle(s);
	} else if (s->person != NULL && is_old(s) && is_idle(s)) {
		let_go(s);
	}
}

void
session_turn(struct session *s)
{
	session_version(s);
}

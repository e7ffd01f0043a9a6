/*
 * One order at a time: an answer is out before the next message is looked at,
 * so nothing can overtake it. A step leaves for the thread that takes it and
 * the session waits in STATE_DESK_WAITING.
 */
#include "gateway/desk.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "directory/directory.h"
#include "gateway/config.h"
#include "gateway/job.h"
#include "gateway/move.h"
#include "gateway/session.h"
#include "gateway/steps.h"
#include "policy/grants_words.h"
#include "tls/tls.h"
#include "wire/backend.h"
#include "wire/frontend.h"

#define ID_LEN 8
#define KEY_LEN 4

bool
desk_is_for(const struct session *s)
{
	return strcmp(s->database, CONFIG_DESK_NAME) == 0;
}

static bool
is_person(const struct session *s, const struct version *v)
{
	struct arena *a = arena_new();
	const struct principal *p;
	bool is;

	is = a != NULL && directory_principal(v->config->directory, s->user,
	    clock_now_ms(), a, &p) == 0 && p->kind == PRINCIPAL_PERSON;
	arena_free(a);
	return is;
}

void
desk_open(struct session *s)
{
	static const struct backend_error refused = {"FATAL", "28000",
	    "approvals are for persons that the directory knows", NULL, NULL};
	struct versions *vs = &s->worker->shared->versions;
	struct version *v = versions_get(vs);
	struct buf *out = flow_buf(&s->down);
	static const uint8_t nothing[KEY_LEN];

	if (v == NULL) {
		session_end_log(s);
	} else if (!is_person(s, v)) {
		login_fail(s, "directory", false, &refused);
	} else {
		backend_auth_write(out, BACKEND_AUTH_OK, bytes_of(NULL, 0));
		backend_parameter_write(out, "server_version", "15.0 (sworn)");
		backend_parameter_write(out, "server_encoding", "UTF8");
		backend_parameter_write(out, "client_encoding", "UTF8");
		backend_parameter_write(out, "DateStyle", "ISO, MDY");
		backend_parameter_write(out, "TimeZone", "UTC");
		backend_parameter_write(out, "integer_datetimes", "on");
		backend_parameter_write(out, "standard_conforming_strings",
		    "on");
		/* There is nothing that could be cancelled. */
		backend_key_write(out, 0, bytes_of(nothing, sizeof(nothing)));
		backend_ready_write(out, 'I');
		session_set_state(s, STATE_DESK);
		session_deadline(s, DESK_IDLE_MS);
	}
	version_unref(vs, v);
}

static void
refuse(struct session *s, const char *sqlstate, const char *message,
    const char *hint)
{
	struct backend_error e = {"ERROR", sqlstate, message, NULL, hint};

	backend_error_write(flow_buf(&s->down), &e);
}

static void
ready(struct session *s)
{
	backend_ready_write(flow_buf(&s->down), 'I');
}

/* ---- steps ---- */

static const char *
new_id(struct arena *a)
{
	uint8_t raw[ID_LEN];
	struct buf hex;
	char *id = NULL;

	if (random_bytes(raw, sizeof(raw)) != 0)
		return NULL;
	buf_init(&hex, 0);
	text_hex(&hex, raw, sizeof(raw));
	if (buf_text(&hex) != NULL)
		id = arena_str(a, (const char *)hex.data);
	buf_done(&hex);
	return id;
}

/* 0 of a rule that is not there: grants_check says so. */
static int64_t
review_ms(const struct version *v, const char *rule, struct arena *a)
{
	struct grant_words w;

	return grant_words(v->config->policy, rule, a, &w) == 0 ?
	    w.review_ms : 0;
}

/* What an order says, as a record; o lives in the job's arena. */
static int
fill_step(const struct session *s, const struct version *v,
    const struct desk_order *o, struct job *j)
{
	struct record_approval *r = &j->record.u.approval;
	int64_t now = clock_now_ms();

	r->step = grant_kind_text(o->kind);
	r->by = s->user;
	r->source = s->source;
	r->auth = s->auth;
	r->tls = s->tls != NULL ? tls_version_text(s->tls) : NULL;
	r->why = o->why;
	r->id = o->id;
	if (o->kind != GRANT_REQUEST && o->kind != GRANT_GLASS)
		return 0;
	r->store = o->store;
	r->rule = o->rule;
	r->ticket = o->ticket;
	r->until_ms = now + o->for_ms;
	if (o->kind == GRANT_GLASS)
		r->review_ms = now + review_ms(v, o->rule, j->a);
	return (r->id = new_id(j->a)) == NULL ? ERR_MEMORY : 0;
}

static void
begin_step(struct session *s, const struct version *v,
    const struct desk_order *o, struct job *j)
{
	if ((o->kind == GRANT_REQUEST || o->kind == GRANT_GLASS) &&
	    config_store_find(v->config, o->store) == NULL) {
		refuse(s, "3D000", arena_fmt(j->a, "store \"%s\" does not "
		    "exist", o->store), NULL);
		ready(s);
		job_free(j);
		return;
	}
	if (fill_step(s, v, o, j) != 0) {
		job_free(j);
		session_end_memory(s);
		return;
	}
	s->asking = true;	/* it stays until the job is back */
	session_deadline(s, 0);
	session_set_state(s, STATE_DESK_WAITING);
	steps_put(s->worker->shared->steps, j);
}

static const char *
sqlstate_of(int r)
{
	return r == ERR_DENIED ? "42501" : r == ERR_IO || r == ERR_STATE ?
	    "58030" : "XX000";
}

void
desk_done(struct session *s, struct job *j)
{
	struct versions *vs = &s->worker->shared->versions;
	struct version *v = versions_get(vs);
	struct desk_view view = {v, s->user, clock_now_ms(), j->a};

	s->asking = false;
	if (s->state != STATE_DESK_WAITING) {
		;			/* nobody is left to tell */
	} else if (j->result != 0 || v == NULL) {
		refuse(s, sqlstate_of(j->result), j->said != NULL ? j->said :
		    err_text(j->result), NULL);
	} else if (desk_show_step(&view, j->record.u.approval.id,
	    flow_buf(&s->down)) != 0) {
		session_end_memory(s);
	}
	version_unref(vs, v);
	job_free(j);
	if (s->state != STATE_DESK_WAITING)
		return;
	ready(s);
	session_set_state(s, STATE_DESK);
	session_deadline(s, DESK_IDLE_MS);
	desk_client(s);
}

/* ---- orders ---- */

static int
show(struct session *s, const struct version *v, const struct desk_order *o,
    struct arena *a)
{
	const struct desk_view view = {v, s->user, clock_now_ms(), a};
	struct buf *out = flow_buf(&s->down);
	int r = 0;

	if (o->verb == DESK_SHOW_ALL)
		r = desk_show_all(&view, out);
	else if (o->verb == DESK_SHOW_RULES)
		r = desk_show_rules(&view, out);
	else if (o->verb == DESK_SHOW_ONE)
		r = desk_show_one(&view, o->id, out);
	else
		backend_empty_write(out);
	if (r == ERR_MISSING) {
		refuse(s, "42704", arena_fmt(a, "there is no request %s that "
		    "concerns you", o->id), "SHOW APPROVALS lists those that "
		    "do");
		r = 0;
	}
	ready(s);
	return r;
}

static void
obey(struct session *s, const struct version *v, const char *text, size_t len)
{
	struct job *j = job_new(s, JOB_STEP, RECORD_APPROVAL);
	struct why w = {0};
	struct desk_order o;
	int r = j == NULL ? ERR_MEMORY : 0;

	if (r == 0 && (r = desk_read(text, len, j->a, &o, &w)) == 0 &&
	    o.verb == DESK_STEP) {
		begin_step(s, v, &o, j);
		return;
	}
	if (r == 0) {
		r = show(s, v, &o, j->a);
	} else if (r == ERR_FORMAT) {
		refuse(s, "42601", w.text, "docs/approvals.md has the words");
		ready(s);
		r = 0;
	}
	job_free(j);
	if (r != 0)
		session_end_memory(s);
}

/* Whoever is known no more is not answered. */
static void
on_query(struct session *s, const struct frame *f)
{
	struct versions *vs = &s->worker->shared->versions;
	struct version *v = versions_get(vs);
	struct frontend_query q;

	if (frontend_query_read(f->body, &q) != 0) {
		session_end_protocol(s, "malformed Query message");
	} else if (v == NULL) {
		session_end_log(s);
	} else if (!is_person(s, v)) {
		move_end(s, ERR_MISSING);
	} else {
		obey(s, v, q.sql, q.len);
	}
	version_unref(vs, v);
}

/* Messages of the extended protocol fail once, up to their Sync. */
static void
on_message(struct session *s, const struct frame *f)
{
	switch (f->type) {
	case 'Q':
		if (!s->desk_skips)
			on_query(s, f);
		return;
	case 'X':
		session_end(s, "client", NULL);
		return;
	case 'S':
		s->desk_skips = false;
		ready(s);
		return;
	case 'H':
		return;
	default:
		break;
	}
	if (!s->desk_skips)
		refuse(s, "0A000", "approvals are asked for and given by "
		    "simple queries alone", "send the text without "
		    "parameters; with psql it goes as it is");
	s->desk_skips = true;
}

void
desk_client(struct session *s)
{
	struct reader r;
	struct frame f;
	int e;

	while (s->state == STATE_DESK && flow_len(&s->down) < FLOW_STOP) {
		reader_init(&r, flow_data(&s->up), flow_len(&s->up));
		if ((e = frame_read(&r, FRONTEND_EARLY_MAX, &f)) ==
		    ERR_SHORT)
			return;
		if (e != 0) {
			session_end_protocol(s, "malformed message");
			return;
		}
		session_deadline(s, DESK_IDLE_MS);
		on_message(s, &f);
		if (s->state < STATE_ENDING)
			flow_drop(&s->up, r.pos);
	}
}

/*
 * What holds a message of a person's client: the record of what it may
 * disclose, or of why it is refused.
 *
 * A refusal stands where the refused message's reply would have been: the
 * store gets a text that must fail (person.h), and person_store.c puts the
 * refusal in the place of the store's error.
 */
#include "gateway/person.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "gateway/cover.h"
#include "gateway/job.h"
#include "gateway/judge.h"
#include "gateway/run.h"
#include "gateway/script.h"
#include "wire/backend.h"
#include "wire/frontend.h"

#define WAIT PERSON_STAYS

void
gate_done(struct gate *g)
{
	run_unref(g->run);
	meaning_unref(g->meaning);
	script_free(g->script);
	g->script = NULL;
	g->run = NULL;
	g->meaning = NULL;
	buf_done(&g->error);
}

/*
 * Holds the message at the front until a record of what it may disclose is
 * durable. Takes over run and m.
 */
int
gate_wait(struct session *s, struct job *j, const struct cover *c,
    struct run *run, struct meaning *m)
{
	struct gate *g = &s->person->gate;

	g->kind = GATE_FORWARD;
	g->run = run;
	g->meaning = m;
	if (cover_record(c, s, j->a, &j->record.u.statement) != 0) {
		job_free(j);
		session_end_memory(s);
		return WAIT;
	}
	j->run = run_ref(run);
	j->by = s->version->number;
	s->statements++;
	if (c->whole)
		names_doubted(s, NULL);
	session_set_state(s, STATE_WAITING);
	job_submit(j);
	return WAIT;
}

/* One refused message: its denial's record first, then the refusal. */
int
gate_deny(struct session *s, const char *what, const char *hmac,
    const struct refusal *r)
{
	struct backend_error e = {"ERROR", r->record.sqlstate, r->message,
	    r->detail, r->hint};
	struct gate *g = &s->person->gate;
	struct record_denial *d;
	struct job *j;

	if ((j = job_new(s, JOB_GATE, RECORD_DENIAL)) == NULL) {
		session_end_memory(s);
		return WAIT;
	}
	d = &j->record.u.denial;
	d->text_hmac = arena_str(j->a, hmac);
	d->what = arena_str(j->a, what);
	d->refusal.table = arena_str(j->a, r->record.table);
	d->refusal.rule = arena_str(j->a, r->record.rule);
	d->refusal.because = arena_str(j->a, r->record.because);
	d->refusal.sqlstate = r->record.sqlstate;
	g->kind = GATE_DENY;
	backend_error_write(&g->error, &e);
	if (d->text_hmac == NULL || d->what == NULL ||
	    d->refusal.table == NULL || d->refusal.rule == NULL ||
	    d->refusal.because == NULL || g->error.failed) {
		job_free(j);
		session_end_memory(s);
		return WAIT;
	}
	j->by = s->version->number;
	s->denials++;
	COUNT(s->worker->shared, denials, 1);
	session_set_state(s, STATE_WAITING);
	job_submit(j);
	return WAIT;
}

/*
 * Sends the failing text in place of the message at the front, and keeps
 * the error that its reply becomes.
 */
int
gate_poison(struct session *s, uint8_t type, const uint8_t *error, size_t len)
{
	bool simple = type == 'Q' || type == 'F';
	struct buf *out = flow_buf(&s->link->out);
	struct request *q;

	q = request_push(s, simple ? REQUEST_QUERY : REQUEST_PARSE);
	if (q == NULL || (q->poison = malloc(len)) == NULL) {
		session_end_memory(s);
		return WAIT;
	}
	memcpy(q->poison, error, len);
	q->poison_len = len;
	if (simple) {
		frontend_query_write(out, PERSON_POISON);
	} else {
		/* Under a name, since the unnamed statement would be gone
		 * even though this one never comes to be. */
		frontend_parse_write(out, PERSON_POISON, PERSON_POISON);
		s->person->segment = true;
		s->person->skipping = true;
	}
	return 0;
}

int
person_poison(struct session *s, uint8_t type, const struct backend_error *e)
{
	struct buf b;
	int r;

	buf_init(&b, 0);
	backend_error_write(&b, e);
	if (b.failed) {
		session_end_memory(s);
		r = WAIT;
	} else {
		r = gate_poison(s, type, b.data, b.len);
	}
	buf_done(&b);
	return r;
}

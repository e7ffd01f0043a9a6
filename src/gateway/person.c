/*
 * Messages of a person's client, one at a time.
 *
 * Whatever may disclose guarded rows waits at the front of `up` until its
 * record is durable. Whatever is refused goes to the store as a text that
 * must fail (person.h), and person_store.c puts the refusal in the place of
 * the store's error: order, transaction state and skipping until Sync are
 * PostgreSQL's own.
 *
 * A Query waits until nothing is outstanding; messages of the extended
 * protocol are pipelined.
 */
#include "gateway/person.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "gateway/config.h"
#include "gateway/cover.h"
#include "gateway/drift.h"
#include "gateway/job.h"
#include "gateway/judge.h"
#include "gateway/move.h"
#include "gateway/run.h"
#include "gateway/standing.h"
#include "lineage/analyze.h"
#include "lineage/naming.h"
#include "lineage/rewrite.h"
#include "wire/backend.h"
#include "wire/frontend.h"
#include "wire/strip.h"

#define STALE_MAX 3		/* times that a message is decided again */
#define WAIT PERSON_STAYS

void
person_free(struct person *p)
{
	if (p == NULL)
		return;
	gate_done(&p->gate);
	exact_done(p);
	requests_done(&p->requests);
	names_done(&p->statements);
	names_done(&p->portals);
	texts_done(&p->texts);
	standing_free(p->next);
	free(p->link_purpose);
	free(p->link_ticket);
	free(p);
}

struct person *
person_new(const char *purpose, const char *ticket)
{
	struct person *p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	p->status = 'I';
	p->stretch = 1;
	buf_init(&p->gate.error, 0);
	buf_init(&p->hold.bytes, 0);
	p->start_purpose = purpose;
	p->start_ticket = ticket;
	if ((purpose != NULL &&
	    (p->link_purpose = strdup(purpose)) == NULL) ||
	    (ticket != NULL && (p->link_ticket = strdup(ticket)) == NULL)) {
		person_free(p);
		return NULL;
	}
	return p;
}

/* The message at the front goes to the store as it is. */
static void
pass_on(struct session *s, const struct frame *f)
{
	flow_add(&s->link->out, flow_data(&s->up), FRAME_HEAD + f->body.len);
}

void
person_ask_flush(struct session *s)
{
	if (s->person->flushed)
		return;
	frontend_empty_write(flow_buf(&s->link->out), 'H');
	s->person->flushed = true;
}

/* The first refusal where rules are enforced; NULL: it may go. */
static const struct refusal *
refused(const struct session *s, const struct judgement *j)
{
	return s->store->mode == STORE_ENFORCE && j->n_refusals > 0 ?
	    &j->refusals[0] : NULL;
}

/*
 * A purpose or ticket is to change once the store has taken the SET itself,
 * which is then on its way: 0, also where nothing is to change. ERR_DENIED:
 * refused, the client's message is done with.
 */
static int
begin_switch(struct session *s, uint8_t type, const struct judgement *j)
{
	struct backend_error e = {"ERROR", NULL, NULL, NULL, NULL};
	struct person *p = s->person;
	struct arena *a;
	int r = 0;

	if (!switch_wanted(s, j))
		return 0;
	if ((a = arena_new()) == NULL) {
		session_end_memory(s);
		return WAIT;
	}
	if (j->ours != NULL && !j->alone) {
		e.sqlstate = "0A000";
		e.message = "SET sworn.purpose and sworn.ticket are to be "
		    "sent alone";
	} else if (p->status != 'I' || p->switching ||
	    (j->ours != NULL && j->ours->set_local)) {
		e.sqlstate = "25001";
		e.message = "purpose and ticket cannot be changed inside a "
		    "transaction block";
	} else if ((r = switch_prepare(s, j, a, &e)) == 0) {
		p->switching = true;
		p->switch_unsent = true;
		goto out;
	} else if (r == ERR_SHORT) {
		r = WAIT;	/* looked at again once the ticket is known */
		goto out;
	}
	r = person_poison(s, type, &e) == 0 ? ERR_DENIED : WAIT;
out:
	arena_free(a);
	return r;
}

/* Sends a Query that reads nothing and changes no name. */
static int
send_query(struct session *s, const struct frame *f)
{
	if (request_push(s, REQUEST_QUERY) == NULL) {
		session_end_memory(s);
		return WAIT;
	}
	pass_on(s, f);
	return 0;
}

static int
query_judged(struct session *s, const struct frame *f,
    const struct frontend_query *q, struct meaning *m)
{
	const struct judgement *j = m->judgement;
	const struct refusal *r;
	int e;

	if ((r = refused(s, j)) != NULL)
		return gate_deny(s, j->what, m->text_hmac, r);
	if ((e = begin_switch(s, 'Q', j)) != 0)
		return e == ERR_DENIED ? 0 : e;
	if (j->changes_reading && s->store->mode == STORE_OBSERVE)
		s->person->reads_otherwise = true;
	s->person->leaves = s->person->leaves || j->leaves;
	if (!j->guarded && j->naming == NULL && j->n_parts == 0)
		return send_query(s, f);
	if (j->exact != NULL && j->naming == NULL)
		return exact_send(s, m);
	return script_run(s, f, q, m);
}

static int
on_query(struct session *s, const struct frame *f)
{
	struct frontend_query q;
	struct meaning *m;
	int r;

	if (s->person->requests.n > 0) {
		person_ask_flush(s);
		return WAIT;
	}
	if (frontend_query_read(f->body, &q) != 0)
		return ERR_FORMAT;
	COUNT(s->worker->shared, statements, 1);
	if ((m = person_meaning(s, q.sql, q.len)) == NULL) {
		session_end_memory(s);
		return WAIT;
	}
	r = query_judged(s, f, &q, m);
	meaning_unref(m);
	return r;
}

/* One that the store may read as another's. */
static void
odd_name(struct session *s, const char *name)
{
	if (!naming_is_sure(name))
		names_doubted(s, NULL);
}

static int
on_parse(struct session *s, const struct frame *f)
{
	const struct refusal *refusal;
	struct frontend_parse p;
	struct request *q;
	struct meaning *m;
	struct named *x;
	int r = 0;

	if (frontend_parse_read(f->body, &p) != 0)
		return ERR_FORMAT;
	COUNT(s->worker->shared, statements, 1);
	if ((m = person_meaning(s, p.sql, p.len)) == NULL) {
		session_end_memory(s);
		return WAIT;
	}
	if ((refusal = refused(s, m->judgement)) != NULL) {
		r = gate_deny(s, m->judgement->what, m->text_hmac, refusal);
		goto out;
	}
	if ((q = request_push(s, REQUEST_PARSE)) == NULL) {
		session_end_memory(s);
		r = WAIT;
		goto out;
	}
	x = names_get(&s->person->statements, p.name);
	odd_name(s, p.name);
	/* The store forgets the unnamed one before it reads the text. */
	if (x != NULL && *p.name == 0)
		named_clear(x);
	else if (x != NULL && x->doubted)
		named_become(x, NULL);
	if (meaning_keep(&m, f->body) != 0 || move_refresh(s, x) != 0) {
		session_end_memory(s);
		r = WAIT;
		goto out;
	}
	q->named = named_ref(x);
	if (q->named != NULL) {
		x->lost = false;
		x->doubted = false;
		q->version = named_begin(q->named);
		named_add(q->named, m);
		x->epoch = s->person->epoch;
	}
	s->person->segment = true;
	/* Of a name that may mean anything no column could be taken off. */
	if (m->judgement->exact == NULL || x == NULL) {
		pass_on(s, f);
		goto out;
	}
	q->meaning = meaning_ref(m);
	s->person->named_exact |= *p.name != 0;
	r = strip_parse(f->body, m->judgement->exact->sql,
	    flow_buf(&s->link->out));
out:
	meaning_unref(m);
	return r;
}

/* The portal now stands for what the statement may stand for; `by` is what
 * that runs, if it runs what has a name. */
int
person_bind(struct session *s, const struct frame *f, struct run *run,
    struct meaning *by)
{
	struct frontend_bind b;
	struct named *from, *to;
	struct request *q;
	size_t i;
	int e;

	if (frontend_bind_read(f->body, &b) != 0)
		return ERR_FORMAT;
	from = names_find(&s->person->statements, b.statement);
	to = names_get(&s->person->portals, b.portal);
	odd_name(s, b.portal);
	if ((e = move_prepare(s, from)) != 0)
		return e;
	if ((q = request_push(s, REQUEST_BIND)) == NULL) {
		session_end_memory(s);
		return WAIT;
	}
	q->is_portal = true;
	q->run = run_ref(run);
	if (to != NULL) {
		/* If the Bind fails its transaction does, and no portal of
		 * before is left. */
		if (to->epoch != s->person->epoch)
			named_clear(to);
		to->epoch = s->person->epoch;
		to->stretch = s->person->stretch;
		q->named = named_ref(to);
		q->version = named_begin(to);
		if (from == NULL || from->n == 0 || from->anything)
			named_add_anything(to);
		for (i = 0; from != NULL && i < from->n; i++)
			named_add(to, from->slots[i].meaning);
		named_forget_run(to);
		to->run = run_ref(run);
		to->by = meaning_ref(by);
	}
	s->person->segment = true;
	if (run == NULL || !run->exact) {
		pass_on(s, f);
		return 0;
	}
	q->meaning = meaning_ref(run->meaning);
	s->person->named_exact |= *b.portal != 0;
	if (run->meaning->judgement->exact->names) {
		pass_on(s, f);		/* it has no rows */
		return 0;
	}
	return strip_bind(f->body, flow_buf(&s->link->out));
}

int
person_execute(struct session *s, const struct frame *f, struct run *run)
{
	struct frontend_execute x;
	struct named *portal;
	struct request *q;

	if (frontend_execute_read(f->body, &x) != 0)
		return ERR_FORMAT;
	if ((q = request_push(s, REQUEST_EXECUTE)) == NULL) {
		session_end_memory(s);
		return WAIT;
	}
	portal = names_find(&s->person->portals, x.portal);
	if (run == NULL && portal != NULL)
		run = portal->run;
	else if (run != NULL && portal != NULL && portal->run != run) {
		run_unref(portal->run);
		portal->run = run_ref(run);
	}
	if (portal != NULL)
		portal->stretch = 0;
	portal_names(s, q, portal);
	if (run != NULL) {
		q->run = run_ref(run);
		q->meaning = meaning_ref(run->meaning);
		run->executing++;
	}
	s->person->segment = true;
	pass_on(s, f);
	return 0;
}

/* Waits for a record of all that x may stand for, if it reads anything. */
static int
record_named(struct session *s, const struct named *x, bool *ret_needed)
{
	static const struct backend_error unsure = {"ERROR", "42501",
	    "what this name stands for is refused without an exact record",
	    "a rule permits it only where the record lists whose rows they "
	    "are", "prepare it again, under another name"};
	struct run *run = NULL;
	struct job *job;
	struct cover c;

	if ((job = job_new(s, JOB_GATE, RECORD_STATEMENT)) == NULL ||
	    cover_init(&c, s, job->a) != 0 || (run = run_new()) == NULL) {
		job_free(job);
		session_end_memory(s);
		return WAIT;
	}
	cover_named(&c, s, x);
	*ret_needed = c.guarded;
	if (s->standing->exact_only != NULL && s->store->mode ==
	    STORE_ENFORCE && (x == NULL || x->n == 0 || x->anything)) {
		job_free(job);
		run_unref(run);
		return person_poison(s, 'B', &unsure) == 0 ? ERR_DENIED : WAIT;
	}
	if (!c.guarded) {
		job_free(job);
		run_unref(run);
		return 0;
	}
	return gate_wait(s, job, &c, run, NULL);
}

static int
on_bind(struct session *s, const struct frame *f)
{
	static const struct backend_error unkept = {"ERROR", "54000",
	    "too many portals, or one with a name that cannot be kept in mind",
	    NULL, "use names of letters and digits, and close portals"};
	const struct refusal *refusal;
	struct frontend_bind b;
	struct run *run;
	const struct meaning *m;
	bool needed = false;
	struct named *x;
	size_t i;
	int r;

	if (frontend_bind_read(f->body, &b) != 0)
		return ERR_FORMAT;
	x = names_find(&s->person->statements, b.statement);
	if (move_refresh(s, x) != 0)
		return WAIT;
	if (named_runs(x) && (r = byname_bind(s, f, x)) != PERSON_PASS)
		return r;
	/* Judged again, it may be refused although its Parse was not. */
	for (i = 0; x != NULL && i < x->n; i++) {
		m = x->slots[i].meaning;
		if ((refusal = refused(s, m->judgement)) != NULL)
			return gate_deny(s, m->judgement->what, m->text_hmac,
			    refusal);
	}
	if ((r = exact_named(s, 'B', x, &run)) != 0)
		return r == ERR_DENIED ? 0 : r;
	if (run != NULL) {
		r = names_get(&s->person->portals, b.portal) == NULL ?
		    person_poison(s, 'B', &unkept) :
		    person_bind(s, f, run, NULL);
		run_unref(run);
		return r;
	}
	if ((r = record_named(s, x, &needed)) == ERR_DENIED)
		return 0;
	return r != 0 || needed ? r : person_bind(s, f, NULL, NULL);
}

static int
on_execute(struct session *s, const struct frame *f)
{
	static const struct backend_error full = {"ERROR", "54000",
	    "too many cursors and prepared statements", NULL,
	    "CLOSE or DEALLOCATE some"};
	const struct judgement *j;
	struct frontend_execute x;
	struct named *portal;
	struct run *run;
	bool needed = false;
	int r;

	if (frontend_execute_read(f->body, &x) != 0)
		return ERR_FORMAT;
	portal = names_find(&s->person->portals, x.portal);
	if (move_refresh(s, portal) != 0)
		return WAIT;
	if (s->person->switching) {
		/* One that came behind a SET in the same stretch. */
		struct backend_error e = {"ERROR", "25001", "nothing may "
		    "follow a change of purpose or ticket before Sync", NULL,
		    NULL};

		return person_poison(s, 'E', &e);
	}
	if ((j = portal_switch(s, portal)) != NULL &&
	    (r = begin_switch(s, 'E', j)) != 0)
		return r == ERR_DENIED ? 0 : r;
	portal_reading(s, portal);
	portal_leaves(s, portal);
	if (portal_waits(s, portal))
		return WAIT;
	if (portal != NULL && portal->by != NULL)
		return byname_execute(s, f, portal);
	if (!portal_room(s, portal))
		return person_poison(s, 'E', &full);
	if (exact_runs_named(s, portal)) {
		struct backend_error e = {"ERROR", "0A000", "FETCH and "
		    "EXECUTE of names that the protocol gave are to be sent "
		    "as a simple query", NULL, NULL};

		return person_poison(s, 'E', &e);
	}
	if ((r = exact_named(s, 'E', portal, &run)) != 0)
		return r == ERR_DENIED ? 0 : r;
	if (run != NULL) {
		r = person_execute(s, f, portal->run != NULL &&
		    !portal->run->over ? NULL : run);
		run_unref(run);
		return r;
	}
	if (portal != NULL && portal->run != NULL && !portal->run->over)
		return person_execute(s, f, NULL);
	if ((r = record_named(s, portal, &needed)) == ERR_DENIED)
		return 0;
	return r != 0 || needed ? r : person_execute(s, f, NULL);
}

static int
on_target(struct session *s, const struct frame *f, enum request_kind kind)
{
	struct frontend_target t;
	struct request *q;
	struct named *x;
	int r;

	if (frontend_target_read(f->body, &t) != 0)
		return ERR_FORMAT;
	odd_name(s, t.name);
	x = t.kind == 'P' ? NULL : names_find(&s->person->statements, t.name);
	if (kind == REQUEST_DESCRIBE && s->standing != NULL &&
	    ((r = move_refresh(s, x)) != 0 || (r = move_prepare(s, x)) != 0))
		return r;
	if ((q = request_push(s, kind)) == NULL) {
		session_end_memory(s);
		return WAIT;
	}
	q->is_portal = t.kind == 'P';
	if (kind == REQUEST_CLOSE) {
		x = names_find(q->is_portal ? &s->person->portals :
		    &s->person->statements, t.name);
		q->named = named_ref(x);
		q->version = x != NULL ? x->version : 0;
	}
	s->person->segment = true;
	pass_on(s, f);
	return 0;
}

static int
on_sync(struct session *s, const struct frame *f)
{
	struct person *p = s->person;

	pass_on(s, f);
	/* A store that takes a COPY ignores it. */
	if (p->copying_in)
		return 0;
	if (request_push(s, REQUEST_SYNC) == NULL) {
		session_end_memory(s);
		return WAIT;
	}
	p->skipping = false;
	p->segment = false;
	p->stale = 0;
	p->stretch++;
	return 0;
}

static int
on_function(struct session *s)
{
	struct refusal r = {
		.message = "function calls outside of SQL are refused",
		.detail = "a FunctionCall message runs what no rule can read",
		.hint = "call it in a SELECT",
		.record = {"", "", "", "0A000"},
	};

	if (s->person->requests.n > 0) {
		person_ask_flush(s);
		return WAIT;
	}
	return gate_deny(s, "FunctionCall", "", &r);
}

/* Nothing more of a store that is not as it was made: it ends the session.
 * One that has let its version go has been idle since, and goes on by a
 * message that makes it move. */
static bool
is_closed(struct session *s)
{
	struct backend_error e;

	if (s->version == NULL || !drift_closed(s->worker->shared->drift,
	    s->version->config, s->store, &e))
		return false;
	e.severity = "FATAL";
	session_end(s, "drift", &e);
	return true;
}

/*
 * One message: 0, it is done with; WAIT, it stays (or the session ended);
 * ERR_FORMAT.
 */
static int
on_message(struct session *s, const struct frame *f)
{
	struct person *p = s->person;
	int r;

	if (f->type == 'X') {
		session_end(s, "client", NULL);
		return WAIT;
	}
	if (p->skipping && f->type != 'S')
		return 0;
	if (p->renaming && f->type != 'S' && f->type != 'H' &&
	    f->type != 'd') {
		if (p->requests.n > 0 && !p->copying_in) {
			person_ask_flush(s);
			return WAIT;
		}
		p->renaming = p->requests.n > 0;
	}
	/* While a change is under way only its own Sync may pass. */
	if (p->switching && !p->segment && f->type != 'H')
		return WAIT;
	if (!p->switching && !p->copying_in && move_begins(s, f) &&
	    move_needed(s) && (r = move_person(s, f)) != 0)
		return r == ERR_DENIED ? 0 : r;
	if (is_closed(s))
		return WAIT;
	if (p->requests.n == REQUESTS_MAX) {
		person_ask_flush(s);
		return WAIT;
	}
	switch (f->type) {
	case 'Q':
		return on_query(s, f);
	case 'P':
		return on_parse(s, f);
	case 'B':
		return on_bind(s, f);
	case 'E':
		return on_execute(s, f);
	case 'D':
		return on_target(s, f, REQUEST_DESCRIBE);
	case 'C':
		return on_target(s, f, REQUEST_CLOSE);
	case 'S':
		return on_sync(s, f);
	case 'F':
		return on_function(s);
	case 'c':
	case 'f':
		p->copying_in = false;
		pass_on(s, f);
		return 0;
	case 'd':
	case 'H':
		pass_on(s, f);
		return 0;
	default:
		return ERR_FORMAT;
	}
}

void
person_client(struct session *s)
{
	struct reader r;
	struct frame f;
	int e;

	while (s->state == STATE_PERSON &&
	    flow_len(&s->link->out) < FLOW_STOP) {
		reader_init(&r, flow_data(&s->up), flow_len(&s->up));
		e = frame_read(&r, FRONTEND_MAX, &f);
		if (e == ERR_SHORT)
			return;
		if (e == ERR_LIMIT) {
			struct backend_error big = {"FATAL", "54000",
			    "a message of more than 16 MB is refused", NULL,
			    NULL};

			session_end(s, "protocol", &big);
			return;
		}
		if (e == 0)
			e = on_message(s, &f);
		if (e == WAIT)
			return;
		if (e != 0) {
			session_end_protocol(s, "malformed message");
			return;
		}
		flow_drop(&s->up, r.pos);
	}
}

/*
 * While the message was held, the store failed one before it, and skips up
 * to the next Sync; so must this one be.
 */
static int
skip_held(struct session *s)
{
	struct run *run = s->person->gate.run;

	if (run != NULL && !run->over) {
		memcpy(run->sqlstate, s->person->failed_with,
		    sizeof(run->sqlstate));
		person_run_result(s, run);
	}
	return 0;
}

/* The record for the message at the front is durable, or refused. */
void
person_gate(struct session *s, enum event e)
{
	static const struct backend_error no_log = {"ERROR", "58030",
	    "the disclosure log cannot be written: nothing was released",
	    NULL, "try again once the log has room"};
	static const struct backend_error changing = {"ERROR", "40001",
	    "what you may read changed while this was decided", NULL,
	    "try again"};
	struct gate *g = &s->person->gate;
	struct script *script;
	struct reader r;
	struct frame f;
	int result;

	reader_init(&r, flow_data(&s->up), flow_len(&s->up));
	if (frame_read(&r, FRONTEND_MAX, &f) != 0) {
		session_end_protocol(s, "malformed message");
		return;
	}
	session_set_state(s, STATE_PERSON);
	if (e == EVENT_STALE) {
		/* Looked at again, by another version. */
		s->statements -= g->kind == GATE_FORWARD;
		s->denials -= g->kind == GATE_DENY;
	}
	script = g->script;
	g->script = NULL;
	if (e == EVENT_DURABLE && script != NULL)
		script_recorded(script);
	if (e != EVENT_DURABLE || s->person->skipping) {
		script_drop(s, script, s->person->skipping ?
		    s->person->failed_with : "57014");
		script = NULL;
	}
	if (e == EVENT_STALE && ++s->person->stale <= STALE_MAX) {
		gate_done(g);
		return;
	}
	s->person->stale = 0;
	if (e == EVENT_STALE)
		result = person_poison(s, f.type, &changing);
	else if (s->person->skipping)
		result = skip_held(s);
	else if (e == EVENT_REFUSED)
		result = person_poison(s, f.type, &no_log);
	else if (g->kind == GATE_DENY)
		result = gate_poison(s, f.type, g->error.data, g->error.len);
	else if (script != NULL) {
		gate_done(g);	/* it may wait there again */
		result = script_go(s, &f, script);
	} else if (f.type == 'B')
		result = person_bind(s, &f, g->run, g->meaning);
	else
		result = person_execute(s, &f, g->run);
	if (s->state != STATE_WAITING)
		gate_done(g);
	if (result == ERR_FORMAT)
		session_end_protocol(s, "malformed message");
	else if (result == 0 && s->state == STATE_PERSON)
		flow_drop(&s->up, r.pos);
}

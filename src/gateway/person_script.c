/*
 * A Query: its statements are looked at one by one. Those whose record cannot
 * be exact are recorded first, each by itself; then the text goes to the
 * store, and the others are recorded as their answers come.
 */
#include "gateway/person.h"

#include <string.h>

#include "base/err.h"
#include "gateway/config.h"
#include "gateway/cover.h"
#include "gateway/job.h"
#include "gateway/judge.h"
#include "gateway/run.h"
#include "gateway/script.h"
#include "lineage/rewrite.h"
#include "wire/backend.h"
#include "wire/frontend.h"

#define WAIT PERSON_STAYS

static bool
enforces(const struct session *s)
{
	return s->store->mode == STORE_ENFORCE;
}

/* Why the names in it do not let it run; NULL: they do. */
static const struct refusal *
refused(const struct session *s, const struct judgement *j)
{
	if (!enforces(s))
		return NULL;
	if (j->n_refusals > 0)
		return &j->refusals[0];
	return j->by_name ? j->unresolved : NULL;
}

int
names_refuse(struct session *s, uint8_t type, const struct meaning *m)
{
	static const struct backend_error full = {"ERROR", "54000",
	    "too many cursors and prepared statements", NULL,
	    "CLOSE or DEALLOCATE some"};
	const struct refusal *r;
	int e;

	if ((r = refused(s, m->judgement)) != NULL) {
		e = gate_deny(s, m->judgement->what, m->text_hmac, r);
		return e == 0 ? ERR_DENIED : e;
	}
	if (names_room(s, m->judgement))
		return 0;
	return person_poison(s, type, &full) == 0 ? ERR_DENIED : WAIT;
}

static int
plan_run(struct script_part *part)
{
	const struct judgement *j = part->meaning->judgement;

	if (!j->guarded)
		return 0;
	part->bounded = j->exact == NULL;
	part->run = part->bounded ? run_new() : run_exact(part->meaning);
	if (part->run == NULL)
		return ERR_MEMORY;
	part->run->tags.unknown = j->passes;
	return 0;
}

static int
plan_part(struct session *s, const struct frontend_query *q,
    struct script *sc, size_t i)
{
	struct meaning *m;
	int r;

	m = sc->text->judgement->n_parts == 0 ? meaning_ref(sc->text) :
	    person_part(s, sc->text, q->sql, i);
	if (m == NULL)
		return ERR_MEMORY;
	r = names_resolve(s, m, sc, i, &sc->parts[i].meaning);
	meaning_unref(m);
	if (r != 0)
		return r;
	if ((r = names_refuse(s, 'Q', sc->parts[i].meaning)) != 0)
		return r;
	return plan_run(&sc->parts[i]);
}

/* Results are written of what never ran, too: they say why. */
void
script_drop(struct session *s, struct script *sc, const char *sqlstate)
{
	size_t i;

	for (i = 0; sc != NULL && i < sc->n; i++) {
		if (!sc->parts[i].recorded || sc->parts[i].run->over)
			continue;
		memcpy(sc->parts[i].run->sqlstate, sqlstate, 6);
		person_run_result(s, sc->parts[i].run);
	}
	script_free(sc);
}

/* Waits for the record of a statement: always WAIT. */
static int
wait_for(struct session *s, struct script *sc, struct script_part *part)
{
	struct job *job;
	struct cover c;
	int r;

	if ((job = job_new(s, JOB_GATE, RECORD_STATEMENT)) == NULL ||
	    cover_init(&c, s, job->a) != 0) {
		job_free(job);
		script_free(sc);
		session_end_memory(s);
		return WAIT;
	}
	cover_add(&c, s, part->meaning);
	r = gate_wait(s, job, &c, run_ref(part->run), NULL);
	if (s->state == STATE_WAITING)
		s->person->gate.script = sc;
	else
		script_free(sc);
	return r;
}

static int
send_text(struct session *s, const struct frame *f, struct script *sc)
{
	const struct rewrite *sent = sc->text->judgement->sent;
	struct buf *out = flow_buf(&s->link->out);
	struct request *q;
	size_t i;

	if ((q = request_push(s, REQUEST_QUERY)) == NULL) {
		script_free(sc);
		session_end_memory(s);
		return WAIT;
	}
	for (i = 0; i < sc->n; i++)
		if (names_changes(sc->parts[i].meaning->judgement))
			s->person->renaming = true;
	q->script = sc;
	script_enter(q);
	if (sent != NULL)
		frontend_query_write(out, sent->sql);
	else
		buf_bytes(out, flow_data(&s->up), FRAME_HEAD + f->body.len);
	return 0;
}

int
script_go(struct session *s, const struct frame *f, struct script *sc)
{
	size_t i;

	for (i = 0; i < sc->n; i++)
		if (sc->parts[i].bounded && !sc->parts[i].recorded)
			return wait_for(s, sc, &sc->parts[i]);
	return send_text(s, f, sc);
}

void
script_recorded(struct script *sc)
{
	size_t i;

	for (i = 0; i < sc->n; i++) {
		if (sc->parts[i].bounded && !sc->parts[i].recorded) {
			sc->parts[i].recorded = true;
			return;
		}
	}
}

int
script_run(struct session *s, const struct frame *f,
    const struct frontend_query *q, struct meaning *m)
{
	size_t n = m->judgement->n_parts, i;
	struct script *sc;
	int r = 0;

	if ((sc = script_new(m, n > 0 ? n : 1)) == NULL) {
		session_end_memory(s);
		return WAIT;
	}
	for (i = 0; i < sc->n && r == 0; i++)
		r = plan_part(s, q, sc, i);
	if (r == 0)
		return script_go(s, f, sc);
	script_free(sc);
	if (r == ERR_MEMORY)
		session_end_memory(s);
	return r == ERR_DENIED ? 0 : WAIT;
}

/* ---- its replies ---- */

static void
ended(struct session *s, struct run *r)
{
	if (r != NULL && r->executing > 0 && --r->executing == 0)
		person_run_result(s, r);
}

void
script_next(struct session *s, struct request *q)
{
	struct script *sc = q->script;

	if (sc == NULL || sc->at == sc->n)
		return;
	names_effect(s, sc->parts[sc->at].meaning);
	ended(s, q->run);
	sc->at++;
	script_enter(q);
}

void
script_end(struct session *s, struct request *q)
{
	struct script *sc = q->script;

	if (sc == NULL)
		return;
	ended(s, q->run);
	run_unref(q->run);
	q->run = NULL;
	q->script = NULL;
	script_drop(s, sc, s->person->failed_with);
}

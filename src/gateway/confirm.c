#include "gateway/confirm.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "directory/directory.h"
#include "gateway/config.h"
#include "gateway/job.h"
#include "gateway/lookup.h"
#include "gateway/session.h"
#include "policy/policy.h"

#define FRESH_MS 1000		/* an answer that was waited for may be used */

/* Nobody is asked about the ticket of a service: it is recorded once, and
 * nothing would take its rights back in time. */
static bool
is_person(const struct session *s, const struct config *c)
{
	const struct principal *p;
	struct arena *a = arena_new();
	bool yes;

	yes = a != NULL && directory_principal(c->directory, s->user,
	    clock_now_ms(), a, &p) == 0 && p->kind == PRINCIPAL_PERSON;
	arena_free(a);
	return yes;
}

static void
forget(struct session *s)
{
	ticket_answer_unref(s->fresh);
	free(s->fresh_key);
	s->fresh = NULL;
	s->fresh_key = NULL;
}

void
confirm_free(struct session *s)
{
	forget(s);
}

void
confirm_keep(struct session *s, struct ticket_answer *a, const char *purpose,
    const char *ticket)
{
	const struct ticket_key k = {ticket, s->user, s->database, purpose};
	struct buf b;

	forget(s);
	if (a == NULL)
		return;
	buf_init(&b, 0);
	if (ticket_question_write(&b, &k) == 0 &&
	    (s->fresh_key = buf_steal(&b)) != NULL) {
		s->fresh = ticket_answer_ref(a);
		s->fresh_ms = clock_mono_ms();
	}
	buf_done(&b);
}

/* The answer that was waited for, if it is about this. */
static int
take_fresh(struct session *s, const struct ticket_key *k,
    struct ticket_answer **ret)
{
	struct buf b;
	int r;

	*ret = NULL;
	if (s->fresh == NULL)
		return 0;
	buf_init(&b, 0);
	if ((r = ticket_question_write(&b, k)) == 0 && buf_text(&b) == NULL)
		r = ERR_MEMORY;
	if (r == 0 && strcmp((const char *)b.data, s->fresh_key) == 0 &&
	    clock_mono_ms() - s->fresh_ms < FRESH_MS)
		*ret = ticket_answer_ref(s->fresh);
	buf_done(&b);
	forget(s);
	return r;
}

/* On the look-up's thread. */
static void
answered(void *arg, struct ticket_answer *a)
{
	struct job *j = arg;

	j->answer = a;
	worker_job_done(j->worker, j);
}

int
confirm_ticket(struct session *s, const struct config *c,
    const char *purpose, const char *ticket, struct ticket_answer **ret)
{
	struct lookup *l = s->worker->shared->lookup;
	const struct ticket_key k = {ticket, s->user, s->database, purpose};
	struct job *j;
	int r;

	*ret = NULL;
	if (l == NULL || ticket == NULL ||
	    !policy_confirms(c->policy, s->database, ticket) ||
	    !is_person(s, c))
		return 0;
	if (s->asking)
		return ERR_SHORT;
	if ((r = take_fresh(s, &k, ret)) != 0 || *ret != NULL)
		return r;
	if ((*ret = lookup_find(l, &k, clock_now_ms())) != NULL)
		return 0;
	if ((j = job_new(s, JOB_TICKET, RECORD_NONE)) == NULL)
		return ERR_MEMORY;
	if ((j->purpose = purpose == NULL ? NULL :
	    arena_str(j->a, purpose)) == NULL && purpose != NULL)
		goto memory;
	if ((j->ticket = arena_str(j->a, ticket)) == NULL)
		goto memory;
	s->asking = true;
	lookup_ask(l, &k, answered, j);
	return ERR_SHORT;
memory:
	job_free(j);
	return ERR_MEMORY;
}

void
confirm_done(struct session *s, struct job *j)
{
	s->asking = false;
	confirm_keep(s, j->answer, j->purpose, j->ticket);
	/* Without memory for an answer it would be asked for ever. */
	if (s->fresh == NULL && s->state < STATE_ENDING)
		session_end_memory(s);
	job_free(j);
	if (s->state == STATE_ASKING)
		open_begin(s);
	else if (s->state == STATE_SWITCHING)
		person_switch_stale(s);
	else if (s->state == STATE_PERSON)
		session_step(s, EVENT_ROOM);
}

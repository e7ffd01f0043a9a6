/*
 * FETCH, MOVE and EXECUTE by the extended protocol.
 *
 * What they run is looked up when they are bound, since it tells whether the
 * answer has a column of tags, and again when they are executed: it has to be
 * the same still.
 */
#include "gateway/person.h"

#include "base/err.h"
#include "gateway/config.h"
#include "gateway/cover.h"
#include "gateway/job.h"
#include "gateway/judge.h"
#include "gateway/run.h"
#include "wire/backend.h"
#include "wire/frontend.h"

#define WAIT PERSON_STAYS

bool
named_runs(const struct named *x)
{
	size_t i;

	for (i = 0; x != NULL && i < x->n; i++)
		if (x->slots[i].meaning->judgement->by_name)
			return true;
	return false;
}

/* Waits for the record of what it reads. Takes over what. */
static int
gate(struct session *s, struct meaning *what)
{
	struct run *run = NULL;
	struct job *job;
	struct cover c;

	if ((job = job_new(s, JOB_GATE, RECORD_STATEMENT)) == NULL ||
	    cover_init(&c, s, job->a) != 0 || (run = run_new()) == NULL) {
		job_free(job);
		meaning_unref(what);
		session_end_memory(s);
		return WAIT;
	}
	cover_add(&c, s, what);
	return gate_wait(s, job, &c, run, what);
}

static struct run *
exact_of(struct session *s, struct meaning *what)
{
	struct run *run;

	if ((run = run_exact(what)) == NULL)
		session_end_memory(s);
	else
		run->tags.unknown = what->judgement->passes;
	return run;
}

/* What it runs is known. */
static int
bind_known(struct session *s, const struct frame *f, struct meaning *what)
{
	struct run *run;
	int r;

	if (what->judgement->exact != NULL) {
		if ((run = exact_of(s, what)) == NULL)
			return WAIT;
		r = person_bind(s, f, run, what);
		run_unref(run);
		return r;
	}
	if (what->judgement->guarded)
		return gate(s, meaning_ref(what));
	return person_bind(s, f, NULL, what);
}

int
byname_bind(struct session *s, const struct frame *f, struct named *x)
{
	struct meaning *m, *what;
	int r;

	if (s->person->requests.n > 0) {
		person_ask_flush(s);
		return WAIT;
	}
	if ((m = named_sure(x)) == NULL)
		return PERSON_PASS;
	if (names_resolve(s, m, NULL, 0, &what) != 0) {
		session_end_memory(s);
		return WAIT;
	}
	if ((r = names_refuse(s, 'B', what)) == ERR_DENIED)
		r = 0;
	else if (r == 0)
		r = what == m ? PERSON_PASS : bind_known(s, f, what);
	meaning_unref(what);
	return r;
}

static int
execute_known(struct session *s, const struct frame *f, struct named *portal,
    struct meaning *what)
{
	struct run *run;
	int r;

	if (portal->run != NULL && !portal->run->over)
		return person_execute(s, f, NULL);
	if (what->judgement->exact != NULL) {
		if ((run = exact_of(s, what)) == NULL)
			return WAIT;
		r = person_execute(s, f, run);
		run_unref(run);
		return r;
	}
	if (what->judgement->guarded)
		return gate(s, meaning_ref(what));
	return person_execute(s, f, NULL);
}

int
byname_execute(struct session *s, const struct frame *f,
    struct named *portal)
{
	static const struct backend_error other = {"ERROR", "55000",
	    "what this portal runs is another now than when it was bound",
	    NULL, "bind it again"};
	struct meaning *m = named_sure(portal), *what = NULL;
	int r;

	if (m != NULL && names_resolve(s, m, NULL, 0, &what) != 0) {
		session_end_memory(s);
		return WAIT;
	}
	if (what == NULL || what == m || what->of != portal->by->of)
		r = person_poison(s, 'E', &other);
	else
		r = execute_known(s, f, portal, what);
	meaning_unref(what);
	return r;
}

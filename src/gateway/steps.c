#include "gateway/steps.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/report.h"
#include "base/time.h"
#include "gateway/config.h"
#include "gateway/job.h"
#include "gateway/log_client.h"
#include "gateway/recall.h"
#include "gateway/version.h"
#include "gateway/worker.h"
#include "policy/grants.h"

struct steps {
	pthread_mutex_t lock;
	struct job *first, *last;
	int fd;
	bool unknown;	/* nobody knows whether the log has a step */
};

struct steps *
steps_new(void)
{
	struct steps *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	if (pthread_mutex_init(&s->lock, NULL) != 0 || (s->fd = eventfd(0,
	    EFD_NONBLOCK | EFD_CLOEXEC)) < 0) {
		free(s);
		return NULL;
	}
	return s;
}

void
steps_free(struct steps *s)
{
	if (s == NULL)
		return;
	(void)close(s->fd);	/* only a counter */
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

int
steps_fd(const struct steps *s)
{
	return s->fd;
}

void
steps_put(struct steps *s, struct job *j)
{
	uint64_t one = 1;

	j->next = NULL;
	(void)pthread_mutex_lock(&s->lock);
	if (s->last != NULL)
		s->last->next = j;
	else
		s->first = j;
	s->last = j;
	(void)pthread_mutex_unlock(&s->lock);
	/* A counter that is full wakes as well. */
	if (write(s->fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		report(REPORT_WARNING, "eventfd errno=%d", errno);
}

static struct job *
next_job(struct steps *s)
{
	struct job *j;

	(void)pthread_mutex_lock(&s->lock);
	if ((j = s->first) != NULL && (s->first = j->next) == NULL)
		s->last = NULL;
	(void)pthread_mutex_unlock(&s->lock);
	return j;
}

static bool
takes_away(enum grant_kind k)
{
	return k == GRANT_DENY || k == GRANT_REVOKE;
}

/* Loud: whoever watches the gateway is to see it now. */
static void
say_glass(struct shared *sh, const struct grant_step *s)
{
	COUNT(sh, glass_broken, 1);
	report(REPORT_WARNING, "GLASS BROKEN id=%s by=%s store=%s rule=\"%s\" "
	    "why=\"%s\"", s->id, s->by, s->store, s->rule, s->why);
}

/*
 * The version that has the step, durable. If nobody knows whether the log has
 * it, only what takes away takes effect, and no step follows: the next start
 * reads what there is.
 */
static int
record_step(struct steps *s, struct shared *sh, struct job *j,
    struct version *v, const struct grant_step *step, struct version **ret)
{
	struct version *next = NULL;
	struct grants *g;
	int r = ERR_MEMORY, e;

	if ((g = grants_copy(v->grants, step->at_ms)) == NULL ||
	    (r = grants_take(g, step)) != 0 ||
	    (r = version_with(&sh->versions, v, g, &next)) != 0) {
		grants_free(g);
		return r;
	}
	e = log_client_submit_wait(sh->log, &j->record);
	if (e == ERR_STATE)
		s->unknown = true;
	if (e == 0 || (e == ERR_STATE && takes_away(step->kind))) {
		*ret = next;
	} else {
		version_unref(&sh->versions, next->base);
		version_free(next);
	}
	return e;
}

/* 0, or an error with words in j->said. */
static int
take_step(struct steps *s, struct shared *sh, struct job *j,
    struct version **ret)
{
	struct version *v = versions_get(&sh->versions);
	struct grants_by by;
	struct grant_step step;
	struct why w = {0};
	int r;

	j->record.gateway = sh->boot->gateway;
	j->record.u.approval.decided_ms = clock_now_ms();
	if (v == NULL || s->unknown) {
		r = why_set(&w, ERR_STATE, 0, 0, s->unknown ? "nobody knows "
		    "whether the log took a step before; restart the gateway" :
		    "nothing is in force");
	} else if ((r = recall_step(&j->record.u.approval, &step)) == 0) {
		by = (struct grants_by){v->config->policy,
		    v->config->directory};
		r = grants_check(v->grants, &by, &step, j->a, &w);
		if (r == 0 && (r = record_step(s, sh, j, v, &step,
		    ret)) != 0)
			(void)why_set(&w, r, 0, 0, "the log did not take it: "
			    "%s; nothing was approved", err_text(r));
		if (r == 0 && step.kind == GRANT_GLASS)
			say_glass(sh, &step);
	}
	version_unref(&sh->versions, v);
	j->said = r == 0 ? NULL : arena_str(j->a, w.text[0] != 0 ? w.text :
	    err_text(r));
	return r;
}

bool
steps_run(struct steps *s, struct shared *sh)
{
	struct version *next;
	uint64_t count;
	bool any = false;
	struct job *j;

	if (read(s->fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		report(REPORT_WARNING, "eventfd errno=%d", errno);
	while ((j = next_job(s)) != NULL) {
		next = NULL;
		versions_lock(&sh->versions);
		j->result = take_step(s, sh, j, &next);
		if (next != NULL)
			version_unref(&sh->versions,
			    versions_set(&sh->versions, next));
		versions_unlock(&sh->versions);
		any = any || next != NULL;
		worker_job_done(j->worker, j);
	}
	return any;
}

#include "gateway/job.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/report.h"
#include "gateway/config.h"
#include "gateway/log_client.h"
#include "gateway/run.h"
#include "gateway/session.h"
#include "gateway/ticket_answer.h"
#include "gateway/worker.h"

struct job *
job_new(struct session *s, enum job_kind kind, enum record_type type)
{
	struct job *j;

	if ((j = calloc(1, sizeof(*j))) == NULL)
		return NULL;
	if ((j->a = arena_new()) == NULL) {
		free(j);
		return NULL;
	}
	j->worker = s->worker;
	j->session = s;
	j->kind = kind;
	j->record.type = type;
	return j;
}

void
job_free(struct job *j)
{
	if (j == NULL)
		return;
	run_unref(j->run);
	ticket_answer_unref(j->answer);
	arena_free(j->a);
	free(j);
}

static void
finished(void *arg, int result, uint64_t seq)
{
	struct job *j = arg;

	(void)seq;	/* a session numbers its records itself */
	j->result = result;
	worker_job_done(j->worker, j);
}

/* Where a record of this type keeps its session and number; a login's
 * failure has neither. */
static void
number(struct record *r, const char *session, uint64_t n)
{
	switch (r->type) {
	case RECORD_SESSION:
	case RECORD_CLEARANCE:
		r->u.session.session = session;
		r->u.session.n = n;
		break;
	case RECORD_BACKEND:
		r->u.backend.session = session;
		r->u.backend.n = n;
		break;
	case RECORD_STATEMENT:
		r->u.statement.session = session;
		r->u.statement.n = n;
		break;
	case RECORD_RESULT:
		r->u.result.session = session;
		r->u.result.n = n;
		break;
	case RECORD_DENIAL:
		r->u.denial.session = session;
		r->u.denial.n = n;
		break;
	case RECORD_CLOSE:
		r->u.close.session = session;
		r->u.close.n = n;
		break;
	case RECORD_SUBJECTS:
		r->u.more.session = session;
		r->u.more.n = n;
		break;
	case RECORD_NONE:
	case RECORD_GENESIS:
	case RECORD_BOOT:
	case RECORD_STOP:
	case RECORD_OBJECT:
	case RECORD_STORE:
	case RECORD_LOGIN_FAILURE:
	case RECORD_HEARTBEAT:
	case RECORD_IN_FORCE:
	case RECORD_ASKED:
	case RECORD_ROTATION:
	case RECORD_DRIFT:
	case RECORD_RECONCILED:
	case RECORD_APPROVAL:
		break;
	}
}

/* 0; ERR_CONFLICT: what it says was decided by a version from before. */
static int
hand_over(struct shared *sh, struct job *j)
{
	int r = ERR_CONFLICT;

	if (versions_enter(&sh->versions, j->by)) {
		r = log_client_submit(sh->log, &j->record, finished, j);
		if (r == ERR_CONFLICT)
			r = ERR_IO;
	}
	versions_leave(&sh->versions);
	return r;
}

void
job_pump(struct session *s)
{
	struct job *j = s->jobs_first;
	int r;

	if (s->job_out != NULL || j == NULL)
		return;
	if ((s->jobs_first = j->next) == NULL)
		s->jobs_last = NULL;
	j->next = NULL;
	s->job_out = j;
	j->record.gateway = s->worker->shared->boot->gateway;
	number(&j->record, s->id, s->n_records);
	if (j->record.type == RECORD_RESULT && j->run != NULL)
		j->record.u.result.of = j->run->n;
	if (j->record.type == RECORD_SUBJECTS)
		j->record.u.more.of = j->run->n;
	if ((r = hand_over(s->worker->shared, j)) == 0)
		return;
	if (r == ERR_CONFLICT) {
		finished(j, r, 0);
		return;
	}
	/* As if the log had refused it; told from the queue, as always. */
	report(REPORT_ERROR, "record %s was not taken: %s",
	    record_type_text(j->record.type), err_text(r));
	finished(j, r == ERR_STATE ? ERR_STATE : ERR_IO, 0);
}

void
job_submit(struct job *j)
{
	struct session *s = j->session;

	j->next = NULL;
	if (s->jobs_last != NULL)
		s->jobs_last->next = j;
	else
		s->jobs_first = j;
	s->jobs_last = j;
	job_pump(s);
}

void
job_drop_waiting(struct session *s)
{
	struct job *j;

	while ((j = s->jobs_first) != NULL) {
		s->jobs_first = j->next;
		job_free(j);
	}
	s->jobs_last = NULL;
}

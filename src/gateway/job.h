/*
 * gateway/job.h - one record of a session on its way to the log.
 *
 * A session has one job with the log at a time: were two there, the log
 * could refuse the first and take the second, and the session's numbers
 * would have a gap that nothing could ever close.
 */
#ifndef GATEWAY_JOB_H
#define GATEWAY_JOB_H

#include <stdint.h>

#include "record/record.h"

struct arena;
struct run;
struct session;
struct ticket_answer;
struct worker;

enum job_kind {
	JOB_GATE,	/* something waits for it */
	JOB_RESULT,	/* nothing does */
	JOB_HOLD,	/* what came of an exact statement waits for it */
	JOB_CLOSE,	/* the session's last */
	JOB_TICKET,	/* no record: a ticket is looked up */
	JOB_STEP,	/* of an approval: gateway/steps.h records it */
};

struct job {
	struct job *next;
	struct worker *worker;
	struct session *session;
	struct arena *a;	/* what the record points to lives here */
	struct record record;
	enum job_kind kind;
	uint64_t by;		/* number of the version that decided; 0: none */
	struct run *run;	/* gets its number, or gives it; may be NULL */
	int result;
	const char *purpose, *ticket;	/* JOB_TICKET: what is asked about */
	struct ticket_answer *answer;	/* and what came back */
	const char *said;		/* JOB_STEP: why not; may be NULL */
};

struct job *job_new(struct session *s, enum job_kind kind,
    enum record_type type);
void job_free(struct job *j);
/* Queues it; when it is done session_job_done is called. Its result is
 * ERR_CONFLICT, and nothing was recorded, if the version that decided it is
 * in force no more. */
void job_submit(struct job *j);
/* Hands the next one to the log if none is there. */
void job_pump(struct session *s);
/* Forgets those that are not with the log yet. */
void job_drop_waiting(struct session *s);

#endif

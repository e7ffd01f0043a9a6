/*
 * gateway/steps.h - steps of approvals, one after the other.
 *
 *   worker ── job ──> thread that changes versions: may it be?
 *          <── done ── record durable, then a version with it in force
 *
 * So a step is in the log before anything rests on it, and no record that
 * was decided without it takes its place behind it (gateway/version.h).
 */
#ifndef GATEWAY_STEPS_H
#define GATEWAY_STEPS_H

#include <stdbool.h>

struct job;
struct shared;
struct steps;

struct steps *steps_new(void);	/* NULL: no memory or descriptor */
void steps_free(struct steps *s);
int steps_fd(const struct steps *s);	/* readable: there are some */

/* From a worker: a job with the record of a step. */
void steps_put(struct steps *s, struct job *j);
/* Takes those that wait. Whether another version is in force. */
bool steps_run(struct steps *s, struct shared *sh);

#endif

/*
 * gateway/run.h - what one statement record covers while it runs.
 *
 * Counted references: the requests that wait for the store's replies, the
 * portal that can be executed again, the job on its way to the log.
 */
#ifndef GATEWAY_RUN_H
#define GATEWAY_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/tags.h"

struct meaning;

struct run {
	unsigned refs;
	uint64_t n;		/* of the statement's record */
	uint64_t rows;
	uint64_t bytes;
	uint64_t changed;	/* rows written */
	char sqlstate[6];
	unsigned executing;	/* requests whose end is not seen yet */
	bool over;		/* its result is written down */
	/* Exact: rows come with their tags, and wait for a record of them. */
	bool exact;
	bool recorded;		/* its statement's record is durable */
	bool bounded;		/* it is no longer exact, and recorded so */
	bool failing;		/* its last message is an error */
	struct meaning *meaning;	/* of an exact one */
	struct tags tags;
};

struct run *run_new(void);	/* one reference */
struct run *run_exact(struct meaning *m);
struct run *run_ref(struct run *r);
void run_unref(struct run *r);

#endif

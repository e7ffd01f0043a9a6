/*
 * cli/cosigner.h - the process that has the log cosigned by its witnesses.
 *
 * A child of the supervisor. It holds no key and sees no record: it reads
 * the published log and writes checkpoint.cosigned beside it. Nothing waits
 * for it but the start: the log process may sign only after the witnesses
 * have been asked whether they know more of this log than is here.
 */
#ifndef CLI_COSIGNER_H
#define CLI_COSIGNER_H

#include <stdbool.h>
#include <stdint.h>

/* Exit status: a witness contradicts this log, so nothing may be signed. */
#define COSIGNER_CONTRADICTED 3

struct metrics;
struct quorum;

struct cosigner {
	const char *log_dir;
	const struct quorum *quorum;	/* each witness with its URL */
	uint64_t every_ms;		/* between two rounds */
	/* Whether a start waits for a quorum; else witnesses that cannot be
	 * reached are passed over. One that contradicts never is. */
	bool start_needs_quorum;
	struct metrics *metrics;	/* shared */
};

/* Runs until SIGTERM; returns the process's exit status. */
int cosigner_run(const struct cosigner *c);

#endif

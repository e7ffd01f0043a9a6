/*
 * claim/pgaudit.h - what pgaudit writes into PostgreSQL's log.
 *
 * Pure. Format: pgaudit's README, "Format": AUDIT: and then values as CSV.
 */
#ifndef CLAIM_PGAUDIT_H
#define CLAIM_PGAUDIT_H

#include <stdbool.h>
#include <stdint.h>

struct arena;

struct pgaudit {
	uint64_t statement;	/* counts within the server process */
	const char *class;	/* "READ", "WRITE", ... */
	const char *object;	/* "public.users"; "": not said */
	const char *text;
};

/* *is: whether it is such a message. 0, ERR_FORMAT (it begins like one),
 * ERR_MEMORY. */
int pgaudit_read(const char *message, struct arena *a, bool *is,
    struct pgaudit *ret);

#endif

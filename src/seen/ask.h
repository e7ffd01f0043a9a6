/*
 * seen/ask.h - an index's answer: who saw this subject's data?
 *
 * Memory: everything in the arena.
 */
#ifndef SEEN_ASK_H
#define SEEN_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/record.h"

struct arena;
struct seen_index;
struct why;

struct seen_question {
	const char *store;
	const char *tag;		/* "": it has none */
	/* Where the subject is or was at home; where its tag was recorded is
	 * added. */
	struct record_strs residences;
	int64_t from_ms;		/* 0: from the begin */
	int64_t to_ms;			/* 0: to the end; else excluded */
	bool full;			/* with names */
};

/* Reads that are alike, put together. */
struct seen_group {
	uint64_t n;
	int64_t first_ms, last_ms;
	uint64_t first_seq, last_seq;	/* entries */
	bool going_on;			/* a service's session that is open */
	const char *mode, *kind, *purpose;
	const char *principal, *ticket;	/* "" unless full */
	const char *residence;		/* "": of anybody */
	const char *why;		/* not exact; "" */
	struct record_strs at, behind, rules, tables, plain, masked;
	/* rows of the index */
	int64_t place, reader, shown;
};

struct seen_asked {
	int64_t ms;
	uint64_t seq;
	const char *by;			/* "" unless full */
	bool full;
};

struct seen_answer {
	struct record_strs residences;	/* that were looked for */
	struct seen_group *exact;	/* by day, the newest first */
	size_t n_exact;
	struct seen_group *within;	/* the newest first */
	size_t n_within;
	struct seen_asked *asked;
	size_t n_asked;
};

/* 0 or an error with a sentence in *w. */
int seen_ask(struct seen_index *x, const struct seen_question *q,
    struct arena *a, struct seen_answer *ret, struct why *w);

#endif

/*
 * claim/narrow.h - what happened beside a claim's words.
 *
 * A true sentence can be worth little. Each disclosure of the period is put
 * into one line: of which reader, at which store, and why it lies outside
 * the words (or does not). Pure: records in, counts out; decides nothing.
 * Memory: open sessions and lines, texts as in claim/objects.h. Limits: NARROW_LINES_MAX lines.
 */
#ifndef CLAIM_NARROW_H
#define CLAIM_NARROW_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "claim/objects.h"
#include "record/record.h"

#define NARROW_LINES_MAX 10000

struct claim;
struct narrow;

enum narrow_why {
	NARROW_INSIDE,		/* reader and data are meant */
	NARROW_MAYBE,		/* the record does not settle it */
	NARROW_READER,		/* the data is meant or may be, the reader not */
	NARROW_DATA,		/* the reader is meant or may be, the data not */
	NARROW_BOTH,		/* neither is */
	NARROW_STORE,		/* of a store that the claim does not name */
};

/* "inside", "undecided", "reader", "data", "reader and data", "store". */
const char *narrow_why_text(enum narrow_why w);

struct narrow_line {
	enum narrow_why why;
	const char *principal;
	const char *kind;
	const char *store;
	const char *detail;		/* what of it is not meant; or "" */
	uint64_t sessions;
	uint64_t statements;
	uint64_t rows, bytes;
	struct narrow_line *next;	/* in its bucket */
};

struct narrow_result {
	/* By why, then rows, falling. */
	const struct narrow_line *const *lines;
	size_t n;
	uint64_t more;			/* disclosures in lines not kept */
	uint64_t disclosures[NARROW_STORE + 1];	/* in all, by why */
};

/* For what the claim asks readers to be, the texts are read (NULL: that is
 * undecided); decided as of the session's opening. */
struct narrow *narrow_new(const struct claim *c, objects_read_fn *read,
    void *arg);
void narrow_free(struct narrow *n);
/* A log's records, in order; then its end. 0 or ERR_MEMORY. */
int narrow_record(struct narrow *n, const struct record *r,
    struct bytes entry);
int narrow_log_end(struct narrow *n);
int narrow_end(struct narrow *n, const struct narrow_result **ret);

#endif

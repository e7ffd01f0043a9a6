/*
 * claim/match.h - does a reader, and does data, meet the claim's words?
 *
 * Three-valued: what the record does not settle is unknown, never no.
 * Pure.
 */
#ifndef CLAIM_MATCH_H
#define CLAIM_MATCH_H

#include <stdbool.h>

#include "claim/claim.h"
#include "claim/truth.h"
#include "record/record.h"

struct arena;
struct catalog;

struct match_reader {
	enum truth truth;
	/* The path that decided controlled-from, or NULL. */
	const struct record_path *path;
};

/* All but the claim's `is`, which no record answers. *ret borrows from the
 * record. */
void match_reader(const struct claim_who *w, const struct record_session *s,
    struct match_reader *ret);

struct match_data {
	/* Of the bound alone: no subject of the claim is inside it, perhaps
	 * some are, or nobody else is. Of an exact record: none is listed,
	 * one is but the data perhaps another's, or one is with that data. */
	enum truth truth;
	struct record_strs residences;	/* of the claim, and in the bound */
	struct record_strs tables;	/* that may hold them */
	struct record_strs categories;	/* of these, shown plain */
	struct record_strs masked;	/* and shown masked */
	const char *unclear;		/* why unknown; NULL otherwise */
};

struct match_context {
	const struct catalog *catalog;	/* of the store; NULL: not known */
	/* A guarded table without residences is one that cannot be read. */
	bool empty_is_closed;
	/* The residences of all whose rows were released; NULL: anybody's
	 * that the bound has. */
	const struct record_strs *exact;
};

/* Lists are in the arena and borrow from record and claim. 0, ERR_MEMORY. */
int match_data(const struct claim_data *d, const struct record_bound *b,
    const struct match_context *x, struct arena *a, struct match_data *ret);

#endif

/*
 * claim/ability.h - who of all could read what a claim says nobody could.
 *
 * Every principal that a directory has, from each place, with each purpose
 * and ticket: decided by the code that decides sessions and who-can, from the
 * texts that a log names. Nothing that happened is looked at.
 * Pure. Memory: a store's cells, one principal's facts.
 */
#ifndef CLAIM_ABILITY_H
#define CLAIM_ABILITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "claim/claim.h"
#include "claim/truth.h"
#include "record/record.h"

struct catalog;
struct directory;
struct policy;
struct principal;

/* What one principal could read of a store; texts live for the call. */
struct ability_found {
	/* TRUE: the claim means both. UNKNOWN: perhaps it does; or it takes
	 * an approval. */
	enum truth truth;
	const struct principal *who;
	const struct record_path *path;	/* of control, or NULL */
	const char *is, *because;	/* the definition met, or NULL */
	const char *unclear;		/* why unknown; NULL otherwise */
	const char *place;		/* from where, for one */
	const char *purpose, *ticket;	/* stating that, for one; or NULL */
	struct record_strs residences;
	struct record_strs tables;
	struct record_strs categories;	/* shown plain */
	struct record_strs masked;
	struct record_strs rules;	/* that permit, for that one */
};

typedef int ability_fn(void *arg, const struct ability_found *f);

struct ability {
	const struct claim *claim;
	const struct policy *policy;
	const struct directory *directory;
	const struct record_store *store;
	const struct catalog *catalog;	/* of the store */
	bool by_address;	/* addresses can be in any country */
	/* Both included. Within, facts and intervals of rules must not turn
	 * but at *next. */
	int64_t from_ms, to_ms;
	ability_fn *found;
	/* What keeps it from being decided. */
	int (*doubt)(void *arg, const char *text);
	void *arg;
};

/*
 * Decides as of from_ms. *next_ms: when to decide again; INT64_MAX: nothing
 * turns any more. 0, ERR_MEMORY, or what a function returned.
 */
int ability_decide(const struct ability *x, int64_t *next_ms);

#endif

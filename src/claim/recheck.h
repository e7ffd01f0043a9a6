/*
 * claim/recheck.h - would the gateway have had to say something else?
 *
 * A session's record names the directory, policy and catalog that it was
 * decided by. The same code decides again here: the facts, the control set,
 * the clearance and what it lets the session reach must come out the same.
 * Pure but for reading objects by the caller's function.
 */
#ifndef CLAIM_RECHECK_H
#define CLAIM_RECHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "record/record.h"

struct arena;
struct control;
struct objects;

struct recheck {
	struct objects *objects;
	void *arg;
	/* what: "object", "facts", "control", "clearance", "bound",
	 * "exact". */
	int (*doubt)(void *arg, const char *what, const char *text);
	struct arena *arena;		/* for one check's own needs */
	const struct record_session *session;	/* with the facts in effect */
	uint64_t seq;			/* of its record */
	int64_t at_ms;			/* decided as of then */
	const struct record_store *store;	/* in effect; NULL: none */
	const char *name;		/* found: the reader's name, or NULL */
	/* Found: who issued the facts that lead from the reader upward. */
	const char *const *issuers;
	size_t n_issuers;
};

/*
 * Checks facts, control set, clearance and bound. `c` is the record with the
 * clearance in effect: the session's own, or a clearance record of it, whose
 * seq is c_seq. 0 or an error of memory or of doubt().
 */
int recheck_session(struct recheck *x, const struct record_session *c,
    uint64_t c_seq);

/* The first instant after at_ms at which what decides turns by itself. */
int64_t recheck_until(struct recheck *x, const struct record_session *c);

/*
 * Whether a statement's bound is at least what the clearance in effect lets
 * it reach in the tables that it names (all of them, if it is whole).
 */
int recheck_statement(struct recheck *x, const struct record_session *c,
    const struct record_statement *s, uint64_t s_seq);

/*
 * The tables that the clearance in effect lets a person read only under exact
 * records (record: exact); none where that cannot be decided, which
 * recheck_session says. Names in a. 0 or ERR_MEMORY.
 */
int recheck_demands(struct recheck *x, const struct record_session *c,
    struct arena *a, struct record_strs *ret);
/* The first of them that a statement reads, or NULL. */
const char *recheck_demanded(const struct record_strs *demands,
    const struct record_statement *s);
/* It was answered under a bounded record all the same. */
int recheck_bounded(struct recheck *x, const char *table, uint64_t s_seq);

#endif

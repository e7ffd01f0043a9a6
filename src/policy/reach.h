/*
 * policy/reach.h - who can reach what, decided over every session there can
 * be: each principal, with each purpose and each ticket that matters
 * (policy/sessions.h), from each place they can come from.
 *
 * What can be reached is cut into cells: a column of a guarded table for one
 * residence in one store. A service reaches every cell of a store that gives
 * it a role and for all of which it is cleared, else none.
 * Pure. Memory: the arenas named.
 */
#ifndef POLICY_REACH_H
#define POLICY_REACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

struct scopes;
struct sessions;

struct reach_store {
	const char *name;
	const struct catalog *catalog;
	const char *const *residences;
	size_t n_residences;
	const char *const *services;	/* that have a role there */
	size_t n_services;
	/* What a ticket can be confirmed for there, as sessions->tickets; NULL:
	 * none is. */
	const struct scopes *scopes;
};

struct reach_cell {			/* by index */
	size_t store, table, residence, column;
};

struct reach_space {
	const struct reach_store *stores;
	size_t n_stores;
	const struct reach_cell *cells;	/* of a store, table, residence: */
	size_t n_cells;			/* together, in catalog order */
	/* Asked is not what is shown of a cell, but whether it may be written:
	 * in this way, of enum policy_write. */
	bool writes;
	enum policy_write write;
};

int reach_space_make(const struct reach_store *stores, size_t n_stores,
    struct arena *a, struct reach_space *ret);

const char *reach_residence(const struct reach_space *s,
    const struct reach_cell *c);
const struct catalog_table *reach_table(const struct reach_space *s,
    const struct reach_cell *c);
const struct catalog_column *reach_column(const struct reach_space *s,
    const struct reach_cell *c);

/* One session that there can be. */
struct reach_session {
	const struct principal *who;
	const struct control *control;
	const char *purpose, *ticket;	/* or NULL */
	size_t ticket_at;		/* index in sessions->tickets */
	size_t scope;			/* index in a store's scopes for it */
	size_t place;			/* index in sessions->places */
	const struct policy_approvals *approved;	/* or NULL */
	int64_t at_ms;			/* for the rules' hours; one of
					 * sessions->times */
};

/* Finds what tickets can be confirmed for in all stores, and notes in s how
 * much that is, for reach_each. 0 or an error with *w filled. */
int reach_scopes_make(struct reach_store *stores, size_t n_stores,
    const struct policy *const *policies, size_t n, struct sessions *s,
    struct arena *a, struct why *w);
/* Whether the session can be in a store: its ticket can be confirmed for
 * this there. */
bool reach_possible(const struct reach_store *s,
    const struct reach_session *q);

struct policy_request reach_request(const struct reach_store *s,
    const struct reach_session *q);

/* What decides a session: the records of services are bounded, so that what
 * only an exact record permits is not permitted to them. */
const struct policy *reach_policy(const struct policy *p,
    const struct reach_session *q);

/* Not 0 ends the walk, and is what it returns. */
typedef int reach_fn(void *arg, const struct reach_session *q);

/* Calls fn for every session of one principal, by the facts of at_ms, at
 * every hour there is before a rule's interval begins or ends; what is passed
 * lives until the next call. 0, ERR_MISSING, ERR_MEMORY. */
int reach_each(const struct directory *d, const struct sessions *s,
    const char *principal, int64_t at_ms, reach_fn *fn, void *arg);
/* The same, with approvals taken for given. */
int reach_each_approved(const struct directory *d, const struct sessions *s,
    const char *principal, int64_t at_ms,
    const struct policy_approvals *approved, reach_fn *fn, void *arg);

/* For one principal, place and control set, which q has: with each purpose
 * and ticket, at each hour. */
int reach_each_stated(const struct sessions *s, struct reach_session *q,
    reach_fn *fn, void *arg);

/*
 * What a session is shown of each cell: levels[0..n_cells), each an enum
 * treatment. A purpose that the policy does not know opens no session. The
 * arena is for scratch, and reset.
 */
int reach_levels(const struct reach_space *s, const struct policy *p,
    const struct reach_session *q, struct arena *scratch, uint8_t *levels);

/* Of one store, one after the other what its cells show to a request, as if
 * whoever asks were let in. Memory: the arena, which is not reset. */
int reach_shown(const struct reach_space *s, const struct policy *p,
    const struct policy_request *q, size_t store, struct arena *scratch,
    uint8_t *shown);
/* Whether the store gives a service a role. */
bool reach_has_role(const struct reach_store *s, const char *service);

#endif

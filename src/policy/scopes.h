/*
 * policy/scopes.h - what a confirmed ticket can cover, as far as policies can
 * tell it apart.
 *
 * Of tables and categories only that counts which rules a ticket covers; of
 * residences every set of them, where a store has few, and else each one,
 * each two, and all. Whoever comes with another set meets a clearance that
 * is perhaps not listed, and is then refused. Pure.
 */
#ifndef POLICY_SCOPES_H
#define POLICY_SCOPES_H

#include <stddef.h>

#include "base/err.h"

#define SCOPES_MAX 4096
#define SCOPES_ALL_SETS 5	/* residences of which every set is listed */

struct arena;
struct catalog;
struct policy;
struct policy_scope;

struct scopes_store {
	const char *name;
	const struct catalog *catalog;
	const char *const *residences;
	size_t n_residences;
};

struct scopes {
	/* NULL, not confirmed, first; only that where no rule asks. */
	const struct policy_scope *const *items;
	size_t n;
};

/* For one store and a ticket (NULL: none) of one policy, or of several whose
 * answers are to be compared. 0 or an error with *w filled. */
int scopes_list(const struct policy *const *policies, size_t n,
    const struct scopes_store *s, const char *ticket, struct arena *a,
    struct scopes *ret, struct why *w);

#endif

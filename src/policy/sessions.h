/*
 * policy/sessions.h - what sessions can state, where they can come from and
 * when they can be, as far as policies can tell them apart.
 *
 * Of tickets only the set of patterns that one matches counts. Examples of
 * each pattern are written and matched against all patterns, and one ticket
 * is kept for each distinct set. A set that no example has is not listed:
 * `sworn apply` makes no login for it either, so a session that comes with
 * such a ticket is refused unless its clearance is another one's.
 */
#ifndef POLICY_SESSIONS_H
#define POLICY_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "policy/times.h"

struct arena;
struct directory;
struct policy;

struct sessions {
	const char *const *purposes;	/* NULL, none stated, first */
	size_t n_purposes;
	const char *const *tickets;	/* NULL, none stated, first */
	size_t n_tickets;
	/* Of each ticket: for how much it can be confirmed in a store, at
	 * most (policy/reach.h); NULL: for nothing. */
	const size_t *n_scopes;
	/* NULL, nothing known but the assigned site, first; then "unknown",
	 * a network of no site; then each country that has a site, and those
	 * that addresses can be in beside. */
	const char *const *places;
	size_t n_places;
	bool by_address;	/* there are such: a site's network is not all */
	struct times times;
};

/* Countries that addresses can be in, beside those that have a site. NULL
 * stands for none. */
struct sessions_more {
	const char *const *labels;
	size_t n;
};

/* Of one policy, or of several whose answers are to be compared. Memory: the
 * arena. 0 or an error with *w filled. */
int sessions_list(const struct directory *d, const struct sessions_more *more,
    const struct policy *const *policies, size_t n, int64_t at_ms,
    struct arena *a, struct sessions *ret, struct why *w);

#endif

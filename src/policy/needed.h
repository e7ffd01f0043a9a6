/*
 * policy/needed.h - rules without which every decision would be the same.
 *
 * A rule is needed if in some session that there can be somebody would be
 * shown something else without it, all other rules as they are: whether one
 * rule, several together, or nothing at all stands in for it. Of each that is
 * not needed it is told what does as much wherever it acts.
 *
 * Approvals: none given, all given, and each rule's given alone.
 * Pure. Heap, one owner.
 */
#ifndef POLICY_NEEDED_H
#define POLICY_NEEDED_H

#include "policy/reach.h"

struct needed;

/* Borrows both. 0 or ERR_MEMORY. */
int needed_new(const struct reach_space *s, const struct policy *p,
    struct needed **ret);
void needed_free(struct needed *n);		/* NULL is fine */
/* Looks at one more session. 0 or ERR_MEMORY. */
int needed_add(struct needed *n, const struct reach_session *q);

enum needed_why {
	NEEDED,			/* something would be shown otherwise */
	NEEDED_NOWHERE,		/* it is about no cell: it is dead */
	NEEDED_FORBIDDEN,	/* a permit: each time, something forbids */
	NEEDED_COVERED,		/* others do as much wherever it acts */
	NEEDED_NOTHING,		/* no permit: nobody is shown any of it */
	NEEDED_SAME,		/* still, all is shown as it would be */
};

/* Of the policy's rule number i. For NEEDED_COVERED *ret_by is one rule that
 * alone does as much everywhere, or NULL: several together do. */
enum needed_why needed_why(const struct needed *n, size_t i,
    const char **ret_by);

#endif

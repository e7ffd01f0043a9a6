/*
 * policy/effect.h - what one session may see of one column for one
 * residence, and every rule that has a part in it.
 *
 * Pure. Memory: the arena; names are borrowed from the policy.
 */
#ifndef POLICY_EFFECT_H
#define POLICY_EFFECT_H

#include <stddef.h>

#include "policy/policy.h"

struct effect_rule {
	const char *name;
	const char *verb;	/* "permit", "forbid", "mask", "absent" */
	/* The path or condition by which it met the reader, who is "you". */
	const char *because;
};

struct effect {
	enum treatment outcome;
	const struct effect_rule *rules;	/* that apply; sorted by name */
	size_t n;
	/* The residence for whose sake the outcome is stricter than these
	 * rules alone make it: one view serves all that are shown. Or NULL. */
	const char *elsewhere;
};

/*
 * Of a guarded table (an index in c->tables), a residence (an index in
 * q->residences) and a column. c is what policy_decide gave for q. 0 or
 * ERR_MEMORY.
 */
int policy_effect(const struct policy *p, const struct policy_request *q,
    const struct clearance *c, size_t table, size_t residence, size_t column,
    struct arena *a, struct effect *ret);

#endif

/*
 * policy/who.h - the conditions of a rule about who reads.
 *
 * Pure.
 */
#ifndef POLICY_WHO_H
#define POLICY_WHO_H

#include "directory/definition.h"
#include "policy/rule.h"

struct arena;

/* What each of the policy's definitions says of one reader. */
struct decided {
	const struct definition *definitions;	/* the policy's */
	const struct defined *items;		/* of each */
	size_t n;
};

/*
 * Sets q->decided, so that each definition is decided once however many
 * rules ask. Without that it is decided each time. Memory: the arena, for
 * as long as q is used. 0 or ERR_MEMORY.
 */
int who_decide(const struct policy *p, struct policy_request *q,
    struct arena *a);

/* What one definition says. 0 or ERR_MEMORY. */
int who_defined(const struct definition *def, const struct policy_request *q,
    struct arena *a, struct defined *ret);

/* Whether an employer (of a service: an operator) is missing: none is listed
 * both where there is none and where none is known. */
bool employer_unknown(const struct policy_request *q);

/* Conditions before CONDITION_STORES. */
bool who_has(const struct rule *r, enum condition c);
enum truth who_condition(const struct rule *r, enum condition c,
    const struct policy_request *q);

#endif

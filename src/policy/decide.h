/*
 * policy/decide.h - deciding as if a rule were not there.
 *
 * Pure; for policy/ only.
 */
#ifndef POLICY_DECIDE_H
#define POLICY_DECIDE_H

#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

#define DECIDE_ALL SIZE_MAX	/* no rule is left out */

struct reach_space;

/* policy_decide without the policy's rule of that number. */
int decide_without(const struct policy *p, const struct policy_request *q,
    size_t rule, struct arena *a, const struct clearance **ret);

/* reach_shown likewise; *ret_n: how many cells the store has. */
int reach_shown_without(const struct reach_space *s, const struct policy *p,
    const struct policy_request *q, size_t store, size_t rule,
    struct arena *scratch, uint8_t *shown, size_t *ret_n);

#endif

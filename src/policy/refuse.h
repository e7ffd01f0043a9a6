/*
 * policy/refuse.h - why nothing of a residence is shown.
 */
#ifndef POLICY_REFUSE_H
#define POLICY_REFUSE_H

#include <stddef.h>

#include "policy/policy.h"

/*
 * Of a residence of a guarded table (indices as in the request and its
 * catalog) of which no column is permitted. Fills in all but the residence.
 * 0 or ERR_MEMORY.
 */
int refuse_reason(const struct policy *p, const struct policy_request *q,
    size_t table, size_t residence, struct arena *a,
    struct policy_reason *ret);

#endif

/*
 * policy/alike.h - requests that are decided alike, for questions about
 * everybody.
 *
 * What a request is shown in a store depends on nothing but the rules that
 * apply to it there, for each residence. Most sessions of most people share
 * those with many others, so whoever asks for all of them keeps what was
 * decided under that set of rules.
 * Pure. Heap, one owner; at most ALIKE_MAX sets are kept.
 */
#ifndef POLICY_ALIKE_H
#define POLICY_ALIKE_H

#include <stddef.h>

#include "policy/policy.h"

#define ALIKE_MAX 65536

struct alike;

/* n_residences: as many as a request has at most. Borrows the policy. 0 or
 * ERR_MEMORY. */
int alike_new(const struct policy *p, size_t n_residences,
    struct alike **ret);
void alike_free(struct alike *a);

/*
 * Where the caller keeps what was decided for requests like this one in the
 * store of that number: NULL at first. *ret is NULL if there is no room for
 * another. The place lives as long as *a. 0 or an error.
 */
int alike_find(struct alike *a, const struct policy_request *q, size_t store,
    const void ***ret);
/*
 * The same of a reader, for all that they may state and whenever: two who
 * share a place are decided alike in any session in which they state the
 * same at the same time.
 */
int alike_reader(struct alike *a, const struct policy_request *q,
    size_t store, const void ***ret);

#endif

/*
 * policy/memo.h - what sessions are shown, for questions about everybody:
 * the same as reach_levels, found faster, since most sessions are decided
 * like many others (policy/alike.h).
 *
 * Pure. Heap, one owner.
 */
#ifndef POLICY_MEMO_H
#define POLICY_MEMO_H

#include <stdint.h>

#include "policy/reach.h"

struct memo;

/* Borrows both. 0 or ERR_MEMORY. */
int memo_new(const struct reach_space *s, const struct policy *p,
    struct memo **ret);
void memo_free(struct memo *m);

/* levels[0..n_cells), as reach_levels. */
int memo_levels(struct memo *m, const struct reach_session *q,
    uint8_t *levels);

#endif

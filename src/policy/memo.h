/*
 * policy/memo.h - what sessions are shown, for questions about everybody:
 * the same as reach_levels, found faster.
 *
 * What a session is shown in a store depends on nothing but the rules that
 * apply to it there, for each residence. Most sessions of most people share
 * those with many others, so what was shown is kept under that set of rules.
 * Pure. Heap, one owner; at most MEMO_MAX answers are kept.
 */
#ifndef POLICY_MEMO_H
#define POLICY_MEMO_H

#include <stdint.h>

#include "policy/reach.h"

#define MEMO_MAX 65536

struct memo;

/* Borrows both. 0 or ERR_MEMORY. */
int memo_new(const struct reach_space *s, const struct policy *p,
    struct memo **ret);
void memo_free(struct memo *m);

/* levels[0..n_cells), as reach_levels. */
int memo_levels(struct memo *m, const struct reach_session *q,
    uint8_t *levels);

#endif

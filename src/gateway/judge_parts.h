/*
 * gateway/judge_parts.h - a text of several statements, each judged by
 * itself.
 *
 * The store runs them one after another and stops at the first error, so each
 * has its own record. Pure. Memory: the caller's arena.
 */
#ifndef GATEWAY_JUDGE_PARTS_H
#define GATEWAY_JUDGE_PARTS_H

#include <stddef.h>

struct analysis;
struct arena;
struct judge;
struct judgement;

#define JUDGE_PARTS_MAX 64	/* of more, one record covers all */

/* Adds to what was found of the whole: 0 or ERR_MEMORY. */
int judge_parts(const struct judge *j, const struct analysis *an,
    const char *sql, size_t len, struct arena *a, struct judgement *ret);

#endif

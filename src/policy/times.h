/*
 * policy/times.h - instants that stand for every combination of rules in
 * force that there can be, from one instant on.
 *
 * Between two ends of rules' intervals the hours of a week repeat, so the
 * first week after each end shows all there is until the next. One instant
 * is kept for each distinct set of rules in force. Pure.
 */
#ifndef POLICY_TIMES_H
#define POLICY_TIMES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define TIMES_MAX 1024

struct arena;
struct policy;

struct times {
	const int64_t *items;	/* ascending; the first is the one asked for */
	size_t n;
	size_t n_now;	/* of these: before any interval begins or ends */
};

/* Of one policy, or of several whose answers are to be compared. 0 or an
 * error with *w filled. Memory: the arena. */
int times_list(const struct policy *const *policies, size_t n, int64_t at_ms,
    struct arena *a, struct times *ret, struct why *w);

#endif

/*
 * What a decision costs when it was made before: two designs on one row of
 * sessions.
 */
#ifndef BENCH_POLICY_CACHED_H
#define BENCH_POLICY_CACHED_H

#include <stddef.h>

struct policy;
struct policy_request;

/*
 * Sessions of the readers of `requests`, each stating one of two purposes by
 * turns. Microseconds for one decision, the median of the rounds; ret[0]: of
 * one that a table has (policy/cache.h); ret[1], ret[2]: of all of them, with
 * a table for all sessions, and with a memo of two for each session. -1 where
 * an answer was not policy_decide's.
 */
int cached_measure(const struct policy *p,
    const struct policy_request *requests, size_t n,
    const char *const purposes[2], unsigned rounds, double ret[3]);

#endif

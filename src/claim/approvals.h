/*
 * claim/approvals.h - approvals in the log, judged again.
 *
 * Each step is asked of the policy and the directory in force where it
 * stands, by the gateway's own code; what sessions say that they rest on must
 * be there, count and last. A part of a log has not all steps: then only the
 * rule itself is asked.
 */
#ifndef CLAIM_APPROVALS_H
#define CLAIM_APPROVALS_H

#include <stdint.h>

struct arena;
struct policy_approvals;
struct record;
struct record_session;
struct state_session;
struct verdict;

/* What a clearance was decided with, of what had not expired by at_ms. 0 or
 * ERR_MEMORY. */
int approvals_of_record(const struct record_session *c, int64_t at_ms,
    struct arena *a, struct policy_approvals *ret);
/* The first that expires after at_ms; INT64_MAX: none. */
int64_t approvals_until(const struct record_session *c, int64_t at_ms);

/* The rest: each 0 or an error of memory. */
/* The version in force, and a step: as they come. */
int approvals_in_force(struct verdict *v, const struct record *r);
int approvals_step(struct verdict *v, const struct record *r);
/* Where a session's own record or its clearance's stands: *why is NULL, or
 * what is wrong with what it rests on, in a. */
int approvals_check(struct verdict *v, const struct state_session *s,
    struct arena *a, const char **why);
/* At a statement: whether what its clearance rests on is still so. */
int approvals_still(struct verdict *v, struct state_session *s);
/* Notes that a statement of the period rests on some. */
int approvals_used(struct verdict *v, const struct state_session *s);
/* The exceptions that a verdict names. */
int approvals_say(struct verdict *v);

#endif

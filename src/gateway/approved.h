/*
 * gateway/approved.h - the approvals that a session rests on.
 *
 * Which count for it, and for which tables each of them matters; so that a
 * statement's record names those that let it.
 * Memory: the standing's arena.
 */
#ifndef GATEWAY_APPROVED_H
#define GATEWAY_APPROVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"
#include "record/record.h"

struct arena;
struct grants;
struct grants_by;

struct approved {
	struct policy_approvals policy;	/* as policy_decide wants them */
	const struct record_approved *items;
	/* tables[i][k]: of item i, whether table k of the catalog shows more
	 * by it. */
	const bool *const *tables;
	size_t n;
};

struct approved_for {
	const char *principal, *store;
	const char *ticket;		/* or NULL */
	int64_t at_ms;
};

int approved_find(const struct grants *g, const struct grants_by *by,
    const struct approved_for *who, struct arena *a, struct approved *ret);
/* Fills in tables, once the clearance is decided by q, which says that all of
 * them are given. */
int approved_tables(struct approved *x, const struct policy *p,
    const struct policy_request *q, const struct clearance *all,
    struct arena *a);

/* Names those that matter for the tables read (NULL: all of them). */
int approved_cite(const struct approved *x, const bool *tables,
    size_t n_tables, struct arena *a, struct record_statement *ret);

#endif

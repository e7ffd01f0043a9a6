/*
 * policy/explain.h - why a rule met a reader, or did not, in words for them.
 */
#ifndef POLICY_EXPLAIN_H
#define POLICY_EXPLAIN_H

#include <stddef.h>

#include "policy/rule.h"

struct arena;
struct catalog_table;

/*
 * How well a forbid can be explained: by a path (best), by a path that ends
 * in what is not known, or by a sentence.
 */
enum explanation {
	EXPLAIN_PATH,
	EXPLAIN_UNKNOWN,
	EXPLAIN_SENTENCE,
};

enum explanation explain_rank(const struct rule *r, const char *residence,
    const struct policy_request *q);
/* The path or sentence for one residence; NULL when out of memory. */
const char *explain_forbid(const struct rule *r, const char *residence,
    const struct policy_request *q, struct arena *a);

/* What keeps a permit from one residence of one table. */
struct unmet {
	const struct rule *rule;
	unsigned distance;	/* the less the nearer; 0: nothing does */
	bool table, residence, category;	/* its data is other data */
	bool scope;		/* it is another residence to the ticket only */
};

/* The distance of a permit; the three flags are the caller's. */
void explain_measure(struct unmet *u, const struct policy_request *q);
/* The first unmet condition, and what would meet it ("" if nothing said). */
const char *explain_unmet(const struct unmet *u,
    const struct policy_request *q, const struct catalog_table *t,
    const char *residence, struct arena *a);
const char *explain_hint(const struct unmet *u,
    const struct policy_request *q, struct arena *a);

#endif

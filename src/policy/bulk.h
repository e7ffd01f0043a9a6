/*
 * policy/bulk.h - from how many people's data on a regime speaks of bulk.
 *
 * Of each list of categories a number: data about more people than that are
 * bulk. Where a store keeps several of the categories, the lowest number
 * counts for all of them. Pure.
 */
#ifndef POLICY_BULK_H
#define POLICY_BULK_H

#include <stdint.h>

#include "policy/rule.h"

struct arena;
struct catalog;

struct bulk_threshold {
	struct names categories;
	uint64_t more_than;		/* people */
};

struct bulk {
	const char *name;
	unsigned months;		/* over which people are counted */
	const struct bulk_threshold *thresholds;
	size_t n;
};

/* What one store keeps of it. */
struct bulk_found {
	const char *category;		/* that counts; NULL: it keeps none */
	uint64_t more_than;
};

struct bulk_found bulk_find(const struct bulk *b, const struct catalog *c);

/*
 * False where a store keeps none of the categories, or states that it has no
 * more subjects than the number; else not known, since what it states is how
 * many there are at most.
 */
enum truth bulk_holds(const struct bulk *b, const struct catalog *c);

/* Why, in words about the store. */
void bulk_text(struct buf *out, const struct bulk *b,
    const struct catalog *c);

#endif

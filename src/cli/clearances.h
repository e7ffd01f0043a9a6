/*
 * cli/clearances.h - every clearance that a policy can give out at a store.
 *
 * Decides for each person of the directory, with no purpose and each
 * purpose, no ticket and texts for each pattern, from no known place, each
 * country with a site, and an unknown place. Also for somebody of whom
 * nothing is known. Whoever is met by the same rules as somebody before is
 * passed over: of people it is their kinds that cost time.
 */
#ifndef CLI_CLEARANCES_H
#define CLI_CLEARANCES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "enforce/enforce.h"

struct clearance;
struct config;
struct config_store;

struct wanted {
	char role[ENFORCE_NAME_MAX];
	char hash[65];			/* hex */
	const struct clearance *clearance;
};

struct clearances {
	struct wanted *items;		/* distinct, sorted by role */
	size_t n;
	size_t decisions;		/* sessions looked at one by one */
	void *memory;
};

/* 0 or an error with *w filled. */
int clearances_make(const struct config *c, const struct config_store *s,
    int64_t at_ms, struct clearances *ret, struct why *w);
void clearances_done(struct clearances *c);

const struct wanted *clearances_find(const struct clearances *c,
    const char *role);

#endif

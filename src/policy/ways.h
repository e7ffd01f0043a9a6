/*
 * policy/ways.h - the ways by which one principal reaches something.
 *
 * A way is what a session states and the places where it may come from. Of
 * all ways those are kept that nothing makes superfluous: no other one that
 * states no more, from as many places, reaches as much by the same rules.
 */
#ifndef POLICY_WAYS_H
#define POLICY_WAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/reach.h"

struct way {
	size_t store;			/* index in the space */
	const char *purpose, *ticket;	/* or NULL */
	const struct policy_scope *scope;	/* confirmed for; or NULL */
	bool *places;			/* as sessions->places */
	size_t seen;			/* sessions that it stands for */
	bool always;			/* from all these places at all hours */
	uint8_t *levels;		/* as space->cells; else's are 0 */
	const char **rules;		/* that permit, sorted */
	size_t n_rules;
	bool superfluous;		/* on the way through ways_reduce */
};

struct ways {
	struct arena *a;
	const struct policy *policy;
	const struct reach_space *space;
	const struct sessions *sessions;
	const bool *asked;		/* as space->cells: which count */
	struct way *items;
	size_t n, cap;
};

/* Adds what a session reaches of what is asked. 0 or ERR_MEMORY. */
int ways_add(struct ways *w, const struct reach_session *q,
    const uint8_t *levels);
/* Drops what is superfluous; then they are sorted by store. */
void ways_reduce(struct ways *w);

#endif

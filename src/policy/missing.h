/*
 * policy/missing.h - rules whose outcome rests on a fact that nobody wrote.
 *
 * Most of what is not written is unknown, and then permits do not apply and
 * forbids do. Two facts are read as none instead: with no `instructor`
 * nobody is taken to stand behind a reader by actual lines, and with no
 * `roles` there are none. A rule rests on such a fact for somebody who lacks
 * it if some value of it would take away what a session is shown now: a
 * forbid or a treatment would apply, or the only permit no longer would.
 * Pure. Memory: the arena.
 */
#ifndef POLICY_MISSING_H
#define POLICY_MISSING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/reach.h"

enum missing_fact {
	MISSING_INSTRUCTOR,
	MISSING_ROLES,
	MISSING_COUNT,
};

struct missing {
	const struct policy *policy;
	const struct reach_space *space;
	/* Of each rule, for each fact: */
	bool (*seen)[MISSING_COUNT];	/* for whoever is looked at */
	size_t (*principals)[MISSING_COUNT];
};

int missing_init(struct missing *m, const struct policy *p,
    const struct reach_space *s, struct arena *a);
/* Whoever is looked at from now on is another principal. */
void missing_next(struct missing *m);
/* One session of theirs, and what it is shown (reach_levels). */
void missing_add(struct missing *m, const struct reach_session *q,
    const uint8_t *levels);

typedef void missing_fn(void *arg, unsigned line, unsigned column,
    const char *rule, enum missing_fact fact, size_t principals);

void missing_tell(const struct missing *m, missing_fn *fn, void *arg);

#endif

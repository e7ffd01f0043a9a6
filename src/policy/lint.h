/*
 * policy/lint.h - rules that do nothing.
 *
 * A rule is dead if in no session there can be it is about any cell; a
 * permit is shadowed if it is, but each time a forbid is about that cell,
 * too. Pure. Memory: the arena.
 */
#ifndef POLICY_LINT_H
#define POLICY_LINT_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/reach.h"

struct lint {
	const struct policy *policy;
	const struct reach_space *space;
	bool *applies;		/* as the policy's rules: to some cell */
	bool *permits;		/* a permit, where no forbid is about it */
};

int lint_init(struct lint *l, const struct policy *p,
    const struct reach_space *s, struct arena *a);
/* Looks at one more session. */
void lint_add(struct lint *l, const struct reach_session *q);

typedef void lint_fn(void *arg, unsigned line, unsigned column,
    const char *rule);

void lint_dead(const struct lint *l, lint_fn *fn, void *arg);
void lint_shadowed(const struct lint *l, lint_fn *fn, void *arg);

#endif

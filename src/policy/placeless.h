/*
 * policy/placeless.h - rules whose outcome rests on where companies do their
 * business, where nobody wrote it.
 *
 * An entity without a principal place of business is taken to have it where
 * it is organised. A rule rests on that for somebody if, with that place not
 * known, they would be shown less: a forbid or a treatment would apply, or a
 * permit no longer would. Decided as any session is.
 * Pure. Heap, one owner; borrows all that it is given.
 */
#ifndef POLICY_PLACELESS_H
#define POLICY_PLACELESS_H

#include <stddef.h>
#include <stdint.h>

#include "policy/reach.h"

struct placeless;

/* The directory is changed while something is looked at, and then is as it
 * was. 0 or ERR_MEMORY. */
int placeless_new(const struct reach_space *s, const struct policy *p,
    struct directory *d, struct placeless **ret);
void placeless_free(struct placeless *p);	/* NULL is fine */
/* Whoever is looked at from now on is another principal. */
void placeless_next(struct placeless *p);
/* One session of theirs, the place that it comes from, and what it is shown
 * (reach_levels). 0 or ERR_MEMORY. */
int placeless_add(struct placeless *p, const struct reach_session *q,
    const char *place, const uint8_t *levels);
/* For how many principals the policy's rule number i rests on it. */
size_t placeless_rests(const struct placeless *p, size_t i);

#endif

/*
 * directory/ownership.h - which labels own an entity, directly, indirectly
 * or in aggregate.
 *
 * An entity is owned-L if those of its owners that are L hold at least the
 * threshold together. An owner is L if it is an entity organised in L or
 * with its principal place of business there, or a person located in L or a
 * national of L, or if it is itself owned-L: the least fixed point, so that
 * a ring of owners which nobody from outside holds is owned by nobody.
 *
 * What is not known counts against: a share whose holder is not known, an
 * owner whose country is not known. If they could carry any label over the
 * threshold that is not over it without them, the entity is also owned by
 * the label "unknown".
 */
#ifndef DIRECTORY_OWNERSHIP_H
#define DIRECTORY_OWNERSHIP_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct control_step;
struct directory;
struct node;

/* One label that owns an entity, with a shortest chain of owners to it. */
struct owned {
	const char *label;
	const struct control_step *steps;
	size_t n;
};

struct owned_list {
	struct owned *items;	/* sorted by label; without those it is in */
	size_t n, cap;
};

/*
 * For each of n distinct entities the labels that own it at a time. Issuers
 * of the facts looked at are appended to *issuers. Steps and their texts are
 * in `kept`, all else is in the arena.
 */
struct issuers {
	const char **items;
	size_t n, cap;
};

int issuers_add(struct arena *a, struct issuers *s, const char *issuer);

int ownership_of(const struct directory *d, int64_t at_ms,
    const struct node *const *entities, size_t n, struct arena *kept,
    struct arena *a, struct issuers *issuers, struct owned_list *ret);

#endif

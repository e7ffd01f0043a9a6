/*
 * directory/seen.h - which nodes a walk has met, with a number for each.
 *
 * A walk reaches few nodes of a large directory, so this grows with what is
 * reached. Open addressing; memory in the arena.
 */
#ifndef DIRECTORY_SEEN_H
#define DIRECTORY_SEEN_H

#include <stddef.h>
#include <stdint.h>

#define SEEN_NONE UINT32_MAX

struct arena;
struct node;

struct seen {
	struct arena *arena;
	struct seen_slot *slots;
	size_t n, cap;		/* cap is 0 or a power of two */
};

/* SEEN_NONE if it was not met. */
uint32_t seen_find(const struct seen *s, const struct node *node);
/* Adds or replaces. 0 or ERR_MEMORY. */
int seen_put(struct seen *s, const struct node *node, uint32_t number);

/*
 * Room for one more item in an array that grows in an arena: returns the
 * array, moved if it had to grow; NULL when out of memory.
 */
void *seen_grow(struct arena *a, void *items, size_t n, size_t *cap,
    size_t size);

#endif

/*
 * Slots are probed one after the other; at most half of them are taken.
 */
#include "directory/seen.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"

struct seen_slot {
	const struct node *node;
	uint32_t number;
};

static struct seen_slot *
slot_of(struct seen_slot *slots, size_t cap, const struct node *node)
{
	uint64_t h = (uint64_t)(uintptr_t)node >> 4;
	size_t i;

	h *= UINT64_C(0x9e3779b97f4a7c15);
	for (i = (size_t)(h >> 32) & (cap - 1); slots[i].node != NULL &&
	    slots[i].node != node; i = (i + 1) & (cap - 1))
		continue;
	return &slots[i];
}

uint32_t
seen_find(const struct seen *s, const struct node *node)
{
	const struct seen_slot *slot;

	if (s->cap == 0)
		return SEEN_NONE;
	slot = slot_of(s->slots, s->cap, node);
	return slot->node == NULL ? SEEN_NONE : slot->number;
}

static int
grow(struct seen *s)
{
	size_t cap = s->cap == 0 ? 32 : s->cap * 2, i;
	struct seen_slot *slots;

	if ((slots = arena_array(s->arena, cap, sizeof(*slots))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < s->cap; i++)
		if (s->slots[i].node != NULL)
			*slot_of(slots, cap, s->slots[i].node) = s->slots[i];
	s->slots = slots;
	s->cap = cap;
	return 0;
}

int
seen_put(struct seen *s, const struct node *node, uint32_t number)
{
	struct seen_slot *slot;
	int r;

	if (2 * (s->n + 1) > s->cap && (r = grow(s)) != 0)
		return r;
	slot = slot_of(s->slots, s->cap, node);
	if (slot->node == NULL)
		s->n++;
	slot->node = node;
	slot->number = number;
	return 0;
}

void *
seen_grow(struct arena *a, void *items, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap == 0 ? 16 : *cap * 2;
	void *moved;

	if (n < *cap)
		return items;
	if ((moved = arena_array(a, more, size)) == NULL)
		return NULL;
	if (n > 0)
		memcpy(moved, items, n * size);
	*cap = more;
	return moved;
}

/*
 * Slots are probed one after the other; at most half of them are taken.
 */
#include "directory/intern.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

static uint32_t *
slot_of(const struct intern *t, const char *s)
{
	size_t i = (size_t)intern_hash(s) & (t->n_slots - 1);

	while (t->slots[i] != 0 &&
	    strcmp(t->texts[t->slots[i] - 1], s) != 0)
		i = (i + 1) & (t->n_slots - 1);
	return &t->slots[i];
}

static bool
grow(struct intern *t)
{
	size_t cap = t->cap == 0 ? 32 : t->cap * 2, i;
	const char **texts;

	if ((texts = reallocarray(t->texts, cap, sizeof(*texts))) == NULL)
		return false;
	t->texts = texts;
	t->cap = cap;
	free(t->slots);
	t->n_slots = 2 * cap;
	if ((t->slots = calloc(t->n_slots, sizeof(*t->slots))) == NULL) {
		t->n_slots = 0;
		return false;
	}
	for (i = 0; i < t->n; i++)
		*slot_of(t, t->texts[i]) = (uint32_t)i + 1;
	return true;
}

uint32_t
intern_add(struct intern *t, const char *s, struct arena *a)
{
	uint32_t *slot;

	if ((t->n == t->cap || t->slots == NULL) && !grow(t))
		return INTERN_NONE;
	slot = slot_of(t, s);
	if (*slot != 0)
		return *slot - 1;
	if ((t->texts[t->n] = arena_str(a, s)) == NULL)
		return INTERN_NONE;
	*slot = (uint32_t)++t->n;
	return *slot - 1;
}

void
intern_done(struct intern *t)
{
	free(t->texts);
	free(t->slots);
	*t = (struct intern){ .texts = NULL };
}

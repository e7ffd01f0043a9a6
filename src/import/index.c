#include "import/index.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct index_slot {
	const char *key;
	void *value;
};

void
index_init(struct index *x)
{
	memset(x, 0, sizeof(*x));
}

void
index_done(struct index *x)
{
	free(x->slots);
	index_init(x);
}

/* FNV-1a. Whoever writes the input can make it slow, not wrong. */
static uint64_t
hash(const char *key)
{
	uint64_t h = 14695981039346656037u;

	for (; *key != 0; key++)
		h = (h ^ (unsigned char)*key) * 1099511628211u;
	return h ^ h >> 32;
}

/* Where a key is, or the free slot where it would be. */
static struct index_slot *
slot_of(const struct index *x, const char *key)
{
	size_t i = (size_t)hash(key) & (x->cap - 1);

	while (x->slots[i].key != NULL && strcmp(x->slots[i].key, key) != 0)
		i = (i + 1) & (x->cap - 1);
	return &x->slots[i];
}

static int
grow(struct index *x)
{
	struct index bigger = {NULL, x->n, x->cap != 0 ? x->cap * 2 : 64};
	size_t i;

	bigger.slots = calloc(bigger.cap, sizeof(*bigger.slots));
	if (bigger.slots == NULL)
		return ERR_MEMORY;
	for (i = 0; i < x->cap; i++)
		if (x->slots[i].key != NULL)
			*slot_of(&bigger, x->slots[i].key) = x->slots[i];
	free(x->slots);
	*x = bigger;
	return 0;
}

void *
index_find(const struct index *x, const char *key)
{
	return x->n == 0 ? NULL : slot_of(x, key)->value;
}

int
index_add(struct index *x, const char *key, void *value, void **old)
{
	struct index_slot *s;
	int r;

	if (old != NULL)
		*old = NULL;
	if (x->n >= x->cap / 2 && (r = grow(x)) != 0)
		return r;
	s = slot_of(x, key);
	if (s->key != NULL) {
		if (old != NULL)
			*old = s->value;
		return ERR_EXISTS;
	}
	s->key = key;
	s->value = value;
	x->n++;
	return 0;
}

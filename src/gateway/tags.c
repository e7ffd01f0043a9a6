#include "gateway/tags.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

#define LABELS_MAX 64		/* of one record */

void
tags_done(struct tags *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		free(t->list[i]);
	free(t->list);
	free(t->slots);
	memset(t, 0, sizeof(*t));
}

bool
tags_are_many(const struct tags *t, size_t most)
{
	return t->n - t->recorded >= most;
}

void
tags_forget(struct tags *t, size_t most)
{
	size_t i;

	if (t->n < most || t->recorded < t->n)
		return;
	for (i = 0; i < t->n; i++)
		free(t->list[i]);
	memset(t->slots, 0, t->n_slots * sizeof(*t->slots));
	t->n = 0;
	t->recorded = 0;
}

/* FNV-1a: tags are random words of the store's. */
static size_t
hash(const char *s)
{
	uint64_t h = 14695981039346656037u;

	for (; *s != 0; s++)
		h = (h ^ (uint8_t)*s) * 1099511628211u;
	return (size_t)h;
}

/* The slot where s is, or would be. */
static size_t *
slot(const struct tags *t, const char *s)
{
	size_t i = hash(s) & (t->n_slots - 1);

	while (t->slots[i] != 0 && strcmp(t->list[t->slots[i] - 1], s) != 0)
		i = (i + 1) & (t->n_slots - 1);
	return &t->slots[i];
}

static int
grow(struct tags *t)
{
	size_t cap = t->cap == 0 ? 32 : t->cap * 2, i;
	size_t *slots, *old = t->slots;
	char **list;

	if ((slots = calloc(cap * 2, sizeof(*slots))) == NULL)
		return ERR_MEMORY;
	if ((list = reallocarray(t->list, cap, sizeof(*list))) == NULL) {
		free(slots);
		return ERR_MEMORY;
	}
	t->list = list;
	t->cap = cap;
	t->slots = slots;
	t->n_slots = cap * 2;
	free(old);
	for (i = 0; i < t->n; i++)
		*slot(t, t->list[i]) = i + 1;
	return 0;
}

static void
add(struct tags *t, const char *s)
{
	size_t *at;

	if (t->unknown || (t->n == t->cap && grow(t) != 0)) {
		t->unknown = true;
		return;
	}
	if (*(at = slot(t, s)) != 0)
		return;
	if ((t->list[t->n] = strdup(s)) == NULL) {
		t->unknown = true;
		return;
	}
	*at = ++t->n;
}

void
tags_end(struct tags *t)
{
	t->part[t->part_len] = 0;
	if (t->part_len > TAG_MAX)
		t->unknown = true;
	else if (t->part_len > 0 && strchr(t->part, ':') == NULL)
		t->unknown = true;	/* "?": no tag */
	else if (t->part_len > 0)
		add(t, t->part);
	t->part_len = 0;
}

void
tags_feed(struct tags *t, const void *data, size_t len)
{
	const char *p = data;
	size_t i;

	for (i = 0; i < len; i++) {
		if (p[i] == ',')
			tags_end(t);
		else if (t->part_len < TAG_MAX && p[i] != 0)
			t->part[t->part_len++] = p[i];
		else
			t->unknown = true;
	}
}

struct taking {
	struct record_subjects *by;
	size_t n;
};

static struct record_subjects *
label_of(struct taking *k, struct arena *a, const char *home, const char *s,
    size_t room)
{
	size_t len = strcspn(s, ":"), i;
	const char *label = len == 0 ? home : s;

	if (len == 0)
		len = strlen(home);
	for (i = 0; i < k->n; i++)
		if (strlen(k->by[i].label) == len &&
		    strncmp(k->by[i].label, label, len) == 0)
			return &k->by[i];
	if (k->n == LABELS_MAX)
		return NULL;
	k->by[k->n].label = arena_strn(a, label, len);
	k->by[k->n].tags.s = arena_array(a, room, sizeof(char *));
	if (k->by[k->n].label == NULL || k->by[k->n].tags.s == NULL)
		return NULL;
	return &k->by[k->n++];
}

int
tags_take(struct tags *t, const char *home, struct arena *a,
    const struct record_subjects **ret, size_t *n)
{
	struct record_subjects *r;
	struct taking k = {0};
	size_t bytes = 0, first = t->recorded, last, i;
	const char *s, **list;

	for (last = first; last < t->n && bytes < TAGS_RECORD_MAX; last++)
		bytes += strlen(t->list[last]) + 3;
	k.by = arena_array(a, LABELS_MAX, sizeof(*k.by));
	if (k.by == NULL)
		return ERR_MEMORY;
	for (i = first; i < last; i++) {
		s = t->list[i];
		r = label_of(&k, a, home, s, last - i);
		if (r == NULL)
			return ERR_MEMORY;
		list = (const char **)(uintptr_t)r->tags.s;
		list[r->tags.n] = arena_str(a, strchr(s, ':') + 1);
		if (list[r->tags.n++] == NULL)
			return ERR_MEMORY;
	}
	t->recorded = last;
	*ret = k.by;
	*n = k.n;
	return 0;
}

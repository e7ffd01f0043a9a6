#include "gateway/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "gateway/judge.h"
#include "gateway/run.h"

struct meaning *
meaning_new(struct arena *a, const struct judgement *j,
    const char text_hmac[static 65])
{
	struct meaning *m;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		return NULL;
	m->refs = 1;
	m->a = a;
	m->judgement = j;
	memcpy(m->text_hmac, text_hmac, sizeof(m->text_hmac));
	return m;
}

struct meaning *
meaning_ref(struct meaning *m)
{
	if (m != NULL)
		m->refs++;
	return m;
}

void
meaning_unref(struct meaning *m)
{
	struct meaning *of;

	for (; m != NULL && --m->refs == 0; m = of) {
		of = m->of;
		arena_free(m->a);
		free(m);
	}
}

/* Takes over *m's reference. */
static int
make_own(struct meaning **m)
{
	struct arena *a;
	struct meaning *own;

	if ((a = arena_new()) == NULL)
		return ERR_MEMORY;
	own = meaning_new(a, (*m)->judgement, (*m)->text_hmac);
	if (own == NULL) {
		arena_free(a);
		return ERR_MEMORY;
	}
	own->of = *m;
	*m = own;
	return 0;
}

/* FNV-1a: names come from the client, whose own session it is that slows. */
static struct named **
bucket(struct names *t, const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name != 0; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return &t->buckets[h % (sizeof(t->buckets) / sizeof(*t->buckets))];
}

int
meaning_keep(struct meaning **m, struct bytes parse)
{
	void *copy;

	if (parse.len > NAMES_KEEP_MAX)
		return 0;
	if ((*m)->refs > 1 && make_own(m) != 0)
		return ERR_MEMORY;
	if ((copy = arena_alloc((*m)->a, parse.len)) == NULL)
		return ERR_MEMORY;
	memcpy(copy, parse.data, parse.len);
	(*m)->parse = bytes_of(copy, parse.len);
	return 0;
}

struct named *
names_find(struct names *t, const char *name)
{
	struct named *x;

	for (x = *bucket(t, name); x != NULL; x = x->next)
		if (strcmp(x->name, name) == 0)
			return x;
	return NULL;
}

struct named *
names_get(struct names *t, const char *name)
{
	struct named *x, **b;

	if ((x = names_find(t, name)) != NULL)
		return x;
	if (t->n == NAMES_MAX || (x = calloc(1, sizeof(*x))) == NULL)
		return NULL;
	if ((x->name = strdup(name)) == NULL) {
		free(x);
		return NULL;
	}
	b = bucket(t, name);
	x->refs = 1;
	x->listed = true;
	x->next = *b;
	*b = x;
	t->n++;
	return x;
}

void
names_remove(struct names *t, struct named *x)
{
	struct named **p;

	if (!x->listed)
		return;
	for (p = bucket(t, x->name); *p != x; p = &(*p)->next)
		;
	*p = x->next;
	x->next = NULL;
	x->listed = false;
	t->n--;
	named_unref(x);
}

void
names_done(struct names *t)
{
	size_t i;

	for (i = 0; i < sizeof(t->buckets) / sizeof(*t->buckets); i++)
		while (t->buckets[i] != NULL)
			names_remove(t, t->buckets[i]);
}

static bool
can_be_prepared(const struct named *x)
{
	return x->n == 1 && !x->anything && x->slots[0].meaning->parse.len > 0;
}

void
names_lose(struct names *t)
{
	struct named *x, *next;
	size_t i;

	for (i = 0; i < sizeof(t->buckets) / sizeof(*t->buckets); i++) {
		for (x = t->buckets[i]; x != NULL; x = next) {
			next = x->next;
			if (can_be_prepared(x))
				x->lost = true;
			else
				names_remove(t, x);
		}
	}
}

struct named *
named_ref(struct named *x)
{
	if (x != NULL)
		x->refs++;
	return x;
}

void
named_unref(struct named *x)
{
	size_t i;

	if (x == NULL || --x->refs > 0)
		return;
	for (i = 0; i < x->n; i++)
		meaning_unref(x->slots[i].meaning);
	run_unref(x->run);
	free(x->name);
	free(x);
}

void
named_clear(struct named *x)
{
	size_t i;

	for (i = 0; i < x->n; i++)
		meaning_unref(x->slots[i].meaning);
	x->n = 0;
	x->anything = false;
}

void
named_become(struct named *x, struct meaning *m)
{
	(void)meaning_ref(m);
	named_clear(x);
	if (m == NULL)
		named_add_anything(x);
	else
		named_add(x, m);
	meaning_unref(m);
}

uint64_t
named_begin(struct named *x)
{
	return ++x->version;
}

void
named_add(struct named *x, struct meaning *m)
{
	if (x->n == NAMED_MAX) {
		named_add_anything(x);
		return;
	}
	x->slots[x->n].meaning = meaning_ref(m);
	x->slots[x->n].version = x->version;
	x->n++;
}

void
named_add_anything(struct named *x)
{
	x->anything = true;
	x->anything_version = x->version;
}

void
named_confirm(struct named *x, uint64_t version)
{
	size_t i, n = 0;

	if (version != x->version)
		return;
	for (i = 0; i < x->n; i++) {
		if (x->slots[i].version == version)
			x->slots[n++] = x->slots[i];
		else
			meaning_unref(x->slots[i].meaning);
	}
	x->n = n;
	if (x->anything_version != version)
		x->anything = false;
}

void
named_reject(struct named *x, uint64_t version)
{
	size_t i, n = 0;

	for (i = 0; i < x->n; i++) {
		if (x->slots[i].version != version)
			x->slots[n++] = x->slots[i];
		else
			meaning_unref(x->slots[i].meaning);
	}
	x->n = n;
	if (x->anything_version == version)
		x->anything = false;
}

enum named_kind
named_kind(const struct named *x)
{
	bool exact = false, same = true;
	size_t i;

	for (i = 0; x != NULL && i < x->n; i++) {
		exact |= x->slots[i].meaning->judgement->exact != NULL;
		same &= x->slots[i].meaning == x->slots[0].meaning;
	}
	if (!exact)
		return NAMED_PLAIN;
	return same && !x->anything ? NAMED_EXACT : NAMED_UNSURE;
}

#include "import/draft.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

struct draft *
draft_new(const char *issuer)
{
	struct draft *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->threshold = SHARE_THRESHOLD;
	index_init(&d->by_id);
	index_init(&d->site_by_id);
	if ((d->arena = arena_new()) == NULL ||
	    (d->issuer = arena_str(d->arena, issuer)) == NULL) {
		draft_free(d);
		return NULL;
	}
	return d;
}

void
draft_free(struct draft *d)
{
	if (d == NULL)
		return;
	index_done(&d->by_id);
	index_done(&d->site_by_id);
	free(d->sites);
	free(d->items);
	arena_free(d->arena);
	free(d);
}

/* Room for one more in an array of pointers; false when out of memory. */
static bool
room(void *array, size_t n, size_t *cap)
{
	void **items, **old;
	size_t more;

	memcpy(&old, array, sizeof(old));
	if (n < *cap)
		return true;
	more = *cap != 0 ? *cap * 2 : 16;
	if ((items = realloc(old, more * sizeof(*items))) == NULL)
		return false;
	memcpy(array, &items, sizeof(items));
	*cap = more;
	return true;
}

struct draft_item *
draft_item_add(struct draft *d, const char *id, struct draft_item **exists)
{
	struct draft_item *it;
	void *old;

	*exists = draft_item_find(d, id);
	if (*exists != NULL || !room(&d->items, d->n_items, &d->cap_items) ||
	    (it = arena_alloc(d->arena, sizeof(*it))) == NULL)
		return NULL;
	it->id = id;
	it->from = INT64_MIN;
	it->to = INT64_MAX;
	if (index_add(&d->by_id, id, it, &old) != 0)
		return NULL;
	d->items[d->n_items++] = it;
	return it;
}

struct draft_site *
draft_site_add(struct draft *d, const char *id, struct draft_site **exists)
{
	struct draft_site *s;
	void *old;

	*exists = draft_site_find(d, id);
	if (*exists != NULL || !room(&d->sites, d->n_sites, &d->cap_sites) ||
	    (s = arena_alloc(d->arena, sizeof(*s))) == NULL)
		return NULL;
	s->id = id;
	if (index_add(&d->site_by_id, id, s, &old) != 0)
		return NULL;
	d->sites[d->n_sites++] = s;
	return s;
}

struct draft_item *
draft_item_find(const struct draft *d, const char *id)
{
	return index_find(&d->by_id, id);
}

struct draft_site *
draft_site_find(const struct draft *d, const char *id)
{
	return index_find(&d->site_by_id, id);
}

struct draft_fact *
draft_fact_add(struct draft *d, struct draft_item *it, enum fact_kind kind)
{
	struct draft_fact *facts, *f;
	size_t cap;

	if (it->n == it->cap) {
		cap = it->cap != 0 ? it->cap * 2 : 4;
		facts = arena_array(d->arena, cap, sizeof(*facts));
		if (facts == NULL)
			return NULL;
		if (it->n > 0)
			memcpy(facts, it->facts, it->n * sizeof(*facts));
		it->facts = facts;
		it->cap = cap;
	}
	f = &it->facts[it->n++];
	memset(f, 0, sizeof(*f));
	f->kind = kind;
	f->from = INT64_MIN;
	f->to = INT64_MAX;
	return f;
}

void
draft_drop(struct draft *d, bool (*drop)(void *arg,
    const struct draft_item *it), void *arg)
{
	size_t i, k = 0;

	for (i = 0; i < d->n_items; i++)
		if (!drop(arg, d->items[i]))
			d->items[k++] = d->items[i];
	d->n_items = k;
}

static int
compare_texts(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

int
draft_fact_compare(const struct draft_fact *a, const struct draft_fact *b)
{
	int c;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if ((c = compare_texts(a->value, b->value)) != 0)
		return c;
	if (a->stated != b->stated)
		return a->stated ? 1 : -1;
	if (a->contractor != b->contractor)
		return a->contractor ? 1 : -1;
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	if (a->to != b->to)
		return a->to < b->to ? -1 : 1;
	if (a->share != b->share)
		return a->share < b->share ? -1 : 1;
	if ((c = strcmp(a->issuer, b->issuer)) != 0)
		return c;
	return compare_texts(a->evidence, b->evidence);
}

bool
draft_fact_same(const struct draft_fact *a, const struct draft_fact *b)
{
	return a->kind == b->kind && compare_texts(a->value, b->value) == 0 &&
	    a->stated == b->stated && a->contractor == b->contractor &&
	    a->share == b->share;
}

bool
draft_item_holds(const struct draft_item *it, int64_t at_ms)
{
	return it->from <= at_ms && at_ms < it->to;
}

bool
draft_fact_holds(const struct draft_item *it, const struct draft_fact *f,
    int64_t at_ms)
{
	return draft_item_holds(it, at_ms) && f->from <= at_ms &&
	    at_ms < f->to;
}

static int
compare_facts(const void *a, const void *b)
{
	return draft_fact_compare(a, b);
}

static int
compare_items(const void *a, const void *b)
{
	const struct draft_item *const *x = a, *const *y = b;

	return strcmp((*x)->id, (*y)->id);
}

static int
compare_sites(const void *a, const void *b)
{
	const struct draft_site *const *x = a, *const *y = b;

	return strcmp((*x)->id, (*y)->id);
}

/* Most of a large directory is in order already, and the look is cheap. */
static void
sort(void *items, size_t n, size_t size,
    int (*compare)(const void *, const void *))
{
	const char *p = items;
	size_t i;

	for (i = 1; i < n; i++)
		if (compare(p + (i - 1) * size, p + i * size) > 0)
			break;
	if (i < n)
		qsort(items, n, size, compare);
}

static void
sort_facts(struct draft_item *it)
{
	size_t i, k = 0;

	if (it->n < 2)
		return;
	sort(it->facts, it->n, sizeof(*it->facts), compare_facts);
	for (i = 1; i < it->n; i++)
		if (draft_fact_compare(&it->facts[k], &it->facts[i]) != 0)
			it->facts[++k] = it->facts[i];
	it->n = k + 1;
}

void
draft_sort(struct draft *d)
{
	size_t i;

	sort(d->items, d->n_items, sizeof(*d->items), compare_items);
	sort(d->sites, d->n_sites, sizeof(*d->sites), compare_sites);
	for (i = 0; i < d->n_items; i++) {
		d->items[i]->number = i;
		sort_facts(d->items[i]);
	}
}

const char *
draft_key(enum fact_kind kind)
{
	static const char *const keys[] = {
		[FACT_SITE] = "site", [FACT_EMPLOYER] = "employer",
		[FACT_MANAGER] = "manager", [FACT_INSTRUCTOR] = "instructor",
		[FACT_OPERATOR] = "operator", [FACT_KEEPER] = "keepers",
		[FACT_NATIONALITY] = "nationality",
		[FACT_RESIDENCE] = "residence",
		[FACT_OFFICE] = "offices", [FACT_ROLE] = "roles",
		[FACT_COUNTRY] = "country", [FACT_PLACE] = "principal-place",
		[FACT_OWNER] = "owners",
	};

	return keys[kind];
}

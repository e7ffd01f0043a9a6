#include "directory/above.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "directory/control.h"
#include "directory/closure.h"
#include "directory/facts.h"

static int
compare_ids(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
is_listed(const char *const *list, size_t n, const char *id)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(list[i], id) == 0)
			return true;
	return false;
}

/* Who was reached, in the order of reaching: also what is still to do. */
struct reached {
	const struct node **items;
	size_t n, cap;
};

static int
add(struct reached *r, const struct node *n, struct arena *a)
{
	const struct node **items;
	size_t i;

	for (i = 0; i < r->n; i++)
		if (r->items[i] == n)
			return 0;
	if (r->n == r->cap) {
		r->cap = r->cap == 0 ? 16 : 2 * r->cap;
		if ((items = arena_array(a, r->cap, sizeof(*items))) == NULL)
			return ERR_MEMORY;
		if (r->n > 0)
			memcpy(items, r->items, r->n * sizeof(*items));
		r->items = items;
	}
	r->items[r->n++] = n;
	return 0;
}

int
directory_above(const struct directory *d, const char *id, int64_t at_ms,
    unsigned kinds, const char *const *stop, size_t n_stop, struct arena *a,
    const char *const **ret, size_t *ret_n)
{
	const struct node *n = node_find(d, id);
	struct reached r = {NULL, 0, 0};
	const struct fact *f;
	const char **ids;
	size_t i, k;

	if (n == NULL || !node_valid(n, at_ms))
		return ERR_MISSING;
	if (add(&r, n, a) != 0)
		return ERR_MEMORY;
	for (i = 0; i < r.n; i++)
		for (k = 0; k < r.items[i]->n_facts && (i == 0 ||
		    !is_listed(stop, n_stop, r.items[i]->id)); k++) {
			f = &r.items[i]->facts[k];
			if ((edge_kind(f->kind) & kinds) == 0 ||
			    f->node == NULL ||
			    !fact_valid(f, at_ms) ||
			    !node_valid(f->node, at_ms))
				continue;
			if (add(&r, f->node, a) != 0)
				return ERR_MEMORY;
		}
	if ((ids = arena_array(a, r.n, sizeof(*ids))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < r.n; i++)
		ids[i] = r.items[i]->id;
	qsort(ids, r.n, sizeof(*ids), compare_ids);
	*ret = ids;
	*ret_n = r.n;
	return 0;
}

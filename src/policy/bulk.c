/*
 * The lowest number among the categories that a store has columns of. They
 * are looked for in all of its guarded tables, whatever one rule covers: a
 * regime that counts combined data counts what lies together.
 */
#include "policy/bulk.h"

#include <inttypes.h>

#include "base/buf.h"
#include "catalog/catalog.h"

static void
consider(const struct bulk *b, const char *category, struct bulk_found *f)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		if (names_match(&b->thresholds[i].categories, category) &&
		    (f->category == NULL ||
		    b->thresholds[i].more_than < f->more_than)) {
			f->category = category;
			f->more_than = b->thresholds[i].more_than;
		}
}

struct bulk_found
bulk_find(const struct bulk *b, const struct catalog *c)
{
	struct bulk_found f = {NULL, 0};
	size_t i, k;

	for (i = 0; i < c->n_tables; i++)
		for (k = 0; k < c->tables[i].n_columns; k++)
			consider(b, c->tables[i].columns[k].category, &f);
	return f;
}

enum truth
bulk_holds(const struct bulk *b, const struct catalog *c)
{
	struct bulk_found f = bulk_find(b, c);

	if (f.category == NULL ||
	    (c->has_at_most && c->at_most <= f.more_than))
		return TRUTH_FALSE;
	return TRUTH_UNKNOWN;
}

void
bulk_text(struct buf *out, const struct bulk *b, const struct catalog *c)
{
	struct bulk_found f = bulk_find(b, c);

	if (f.category == NULL) {
		buf_fmt(out, "this store keeps nothing that %s counts",
		    b->name);
		return;
	}
	if (c->has_at_most)
		buf_fmt(out, "this store may have the data of %" PRIu64
		    " people", c->at_most);
	else
		buf_str(out, "this store does not state of how many people "
		    "it has data");
	buf_fmt(out, ", and %s calls data of more than %" PRIu64
	    " people bulk (%s)", b->name, f.more_than, f.category);
}

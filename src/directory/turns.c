#include "directory/turns.h"

#include "directory/facts.h"

static void
consider(int64_t instant, int64_t at_ms, int64_t *next)
{
	if (instant > at_ms && instant < *next)
		*next = instant;
}

int64_t
directory_changes_at(const struct directory *d, int64_t at_ms)
{
	const struct node *n;
	int64_t next = INT64_MAX;
	size_t i, k;

	for (i = 0; i < d->n_nodes; i++) {
		n = &d->nodes[i];
		consider(n->from, at_ms, &next);
		consider(n->to, at_ms, &next);
		for (k = 0; k < n->n_facts; k++) {
			consider(n->facts[k].warrant->from, at_ms,
			    &next);
			consider(n->facts[k].warrant->to, at_ms, &next);
		}
	}
	return next;
}

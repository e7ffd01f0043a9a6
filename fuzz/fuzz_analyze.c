/*
 * Any bytes are SQL or are not; either way nothing is read or written out
 * of bounds, and what is said of them keeps the promises of analyze.h.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "lineage/analyze.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct analysis *all;
	const struct statement *s;
	struct arena *a = arena_new();
	size_t i;

	if (a == NULL)
		return 0;
	if (analyze((const char *)data, size, a, &all, NULL) == 0) {
		for (i = 0; i < all->n; i++) {
			s = &all->statements[i];
			if (s->class == STATEMENT_UNKNOWN || s->what == NULL ||
			    s->whole != (s->whole_why != NULL) ||
			    s->start > size || s->len > size - s->start ||
			    (s->forbidden_function != NULL && !s->whole))
				abort();
		}
	}
	arena_free(a);
	return 0;
}

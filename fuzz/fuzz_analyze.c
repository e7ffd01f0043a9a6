/* lineage/analyze.h: statements lie within the text, in order, and none
 * that is refused as SQL is also analysed. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "lineage/analyze.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct analysis *found = NULL;
	struct arena *a = arena_new();
	size_t i, end = 0;

	if (a != NULL && analyze((const char *)data, len, a, &found,
	    NULL) == 0) {
		for (i = 0; i < found->n; i++) {
			const struct statement *st = &found->statements[i];

			if (st->start < end || st->start > len ||
			    st->len > len - st->start || st->what == NULL ||
			    st->whole != (st->whole_why != NULL))
				abort();
			end = st->start + st->len;
		}
	}
	arena_free(a);
	return 0;
}

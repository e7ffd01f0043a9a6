/* gateway/look_read.h: any answer of a store, in two pieces, ends as lines in
 * their order behind a seal, or as an error; it is never read twice. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "enforce/watch.h"
#include "gateway/look_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check(const struct look_read *k, size_t used, size_t len)
{
	size_t i;

	if (used > len || (k->n > 0 && k->seal == NULL))
		abort();
	for (i = 0; i < k->n; i++)
		if (k->lines[i].name[0] == 0 || (i > 0 &&
		    strcmp(k->lines[i - 1].name, k->lines[i].name) >= 0))
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct look_read k = {.a = arena_new()};
	size_t first, second = 0;

	if (k.a == NULL)
		return 0;
	if (look_read(&k, data, len / 2, &first) == 0) {
		check(&k, first, len / 2);
		if (look_read(&k, data + first, len - first, &second) == 0 &&
		    k.done && k.seal == NULL)
			abort();
		check(&k, first + second, len);
	}
	free(k.lines);
	arena_free(k.a);
	return 0;
}

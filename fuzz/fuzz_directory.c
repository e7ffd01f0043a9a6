/*
 * directory/directory.h: any text is loaded whole or refused with words;
 * what is loaded answers for everybody in it.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "directory/control.h"
#include "directory/definition.h"
#include "directory/directory.h"

static const char *const outside_of[] = {"CC"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *const *ids;
	const struct control *c;
	const struct principal *p;
	const struct definition def = {.name = "any", .owned = 50000000,
	    .organised_in = {outside_of, 1, true, true},
	    .resident_in = {outside_of, 1, true, true},
	    .employed_as = EMPLOYED_EMPLOYEE | EMPLOYED_CONTRACTOR,
	    .by_operator = true, .by_keepers = true};
	struct defined got;
	struct directory *d = NULL;
	struct why w = {0};
	struct arena *a = arena_new();
	size_t i, n;
	int result;

	result = directory_load((const char *)data, size, &d, &w);
	if ((result == 0) != (d != NULL))
		abort();
	if (result != 0 && result != ERR_MEMORY && w.text[0] == 0)
		abort();	/* refused without a word */
	if (a != NULL && result == 0 &&
	    directory_list(d, 0, a, &ids, &n) == 0)
		for (i = 0; i < n && i < 64; i++)
			if (directory_principal(d, ids[i], 0, a, &p) != 0 ||
			    control_of(d, ids[i], 0, NULL, 0, a, &c) != 0 ||
			    definition_decide(&def, p, NULL, 0, a, &got) != 0 ||
			    (got.certain && !got.possible))
				abort();
	directory_free(d);
	arena_free(a);
	return 0;
}

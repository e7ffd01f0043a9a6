/*
 * What was counted, against what the catalog's `at-most` states.
 */
#include "cli/at_most.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "catalog/catalog.h"
#include "gateway/config.h"

int
at_most_check(const struct config_store *s, uint64_t subjects)
{
	if (!s->catalog->has_at_most || subjects <= s->catalog->at_most)
		return 0;
	(void)fprintf(stderr, "store %s: its catalog states at-most: %" PRIu64
	    ", and %" PRIu64 " subjects were counted; correct that, or take "
	    "it out\n", s->name, s->catalog->at_most, subjects);
	return ERR_DENIED;
}

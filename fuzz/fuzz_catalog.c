/*
 * catalog/catalog.h: any text is loaded whole or refused with words; in what
 * is loaded, tables are sorted and every way ends at a subject.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct catalog_table *t;
	struct catalog *c = NULL;
	struct why w = {0};
	size_t i, k;
	int result;

	result = catalog_load((const char *)data, size, &c, &w);
	if ((result == 0) != (c != NULL))
		abort();
	if (result != 0 && result != ERR_MEMORY && w.text[0] == 0)
		abort();	/* refused without a word */
	if (result != 0)
		return 0;
	for (i = 0; i < c->n_tables; i++) {
		t = &c->tables[i];
		if (catalog_find(c, t->schema, t->name) != t ||
		    (i > 0 && strcmp(c->tables[i - 1].full, t->full) >= 0) ||
		    t->is_public != (t->n_subjects == 0))
			abort();
		for (k = 0; k < t->n_subjects; k++)
			if (t->subjects[k].n > 0 && strcmp(t->subjects[k]
			    .steps[t->subjects[k].n - 1].table,
			    c->subject_table) != 0)
				abort();
	}
	catalog_free(c);
	return 0;
}

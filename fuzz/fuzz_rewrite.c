/*
 * Whatever SQL is rewritten is SQL still, one query that only reads, and each
 * place in it leads back into the old text or nowhere.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "lineage/analyze.h"
#include "lineage/rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const columns[] = {"id", "name", "owner"};
static const struct rewrite_table tables[] = {
	{"users", columns, 3, NULL, "id"}, {"a", columns, 3, NULL, "owner"},
	{"t", columns, 3, NULL, NULL},
};
static const struct rewrite_schema schema = {"twin", tables, 3};

static void
check(const char *old, size_t len, struct arena *a)
{
	const struct analysis *all;
	const struct rewrite *r;
	unsigned i, place;

	if (rewrite(old, len, &schema, a, &r) != 0)
		return;
	if ((r->sql == NULL) != (r->why != NULL))
		abort();
	if (r->sql == NULL)
		return;
	if (analyze(r->sql, strlen(r->sql), a, &all, NULL) == 0 &&
	    (all->n != 1 || all->statements[0].class != (r->copy !=
	    REWRITE_ROWS ? STATEMENT_COPY_OUT : STATEMENT_READ)))
		abort();
	for (i = 0; i < strlen(r->sql) + 2; i++) {
		place = rewrite_place(r, old, i);
		if (place > len + 1)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct analysis *all;
	struct arena *a = arena_new();
	char *text = NULL;

	if (a != NULL && size < 20000 &&
	    (text = arena_strn(a, (const char *)data, size)) != NULL &&
	    analyze((const char *)data, size, a, &all, NULL) == 0 &&
	    all->n == 1 && (all->statements[0].class == STATEMENT_READ ||
	    all->statements[0].class == STATEMENT_COPY_OUT))
		check(text, size, a);
	arena_free(a);
	return 0;
}

/*
 * tables: reads an SQL text from standard input and prints a line for each
 * statement: its class, "whole" or "-", and its tables, separated by tabs.
 * For tests that compare with what a real server says.
 */
#include <stdio.h>

#include "base/arena.h"
#include "lineage/analyze.h"

int
main(void)
{
	static char sql[ANALYZE_MAX + 1];
	const struct analysis *all;
	const struct statement *s;
	struct arena *a;
	struct why w = { .line = 0 };
	size_t len, i, k;
	int r;

	len = fread(sql, 1, sizeof(sql), stdin);
	if ((a = arena_new()) == NULL)
		return 1;
	if ((r = analyze(sql, len, a, &all, &w)) != 0) {
		(void)fprintf(stderr, "%u:%u: %s\n", w.line, w.column, w.text);
		arena_free(a);
		return 1;
	}
	for (i = 0; i < all->n; i++) {
		s = &all->statements[i];
		(void)printf("%s\t%s", statement_class_text(s->class),
		    s->whole ? "whole" : "-");
		for (k = 0; k < s->n_tables; k++)
			(void)printf("\t%s%s%s", s->tables[k].schema != NULL ?
			    s->tables[k].schema : "", s->tables[k].schema !=
			    NULL ? "." : "", s->tables[k].name);
		(void)printf("\n");
	}
	arena_free(a);
	return 0;
}

/*
 * rewrite SCHEMA TABLES: reads texts separated by NUL, writes each rewritten,
 * or "!why", ended by NUL; "~" comes first where it holds of all rows only.
 * TABLES is "users:id*,name;likes:user_id*":
 * the column of whose a row is has a star.
 * For tests that run the result on a real server.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "lineage/analyze.h"
#include "lineage/rewrite.h"

#define MAX 64

static struct rewrite_table tables[MAX];
static const char *columns[MAX][MAX];

static void
read_tables(struct rewrite_schema *s, char *text)
{
	char *table, *column;
	size_t n;

	while ((table = strsep(&text, ";")) != NULL && s->n_tables < MAX) {
		n = 0;
		tables[s->n_tables].name = strsep(&table, ":");
		while ((column = strsep(&table, ",")) != NULL && n < MAX) {
			columns[s->n_tables][n++] = column;
			if (column[strlen(column) - 1] != '*')
				continue;
			column[strlen(column) - 1] = 0;
			tables[s->n_tables].subject = column;
		}
		tables[s->n_tables].columns = columns[s->n_tables];
		tables[s->n_tables++].n_columns = n;
	}
	s->tables = tables;
}

/* Why all within reach bounds it, whatever rewriting says; NULL: it does not. */
static const char *
whole(const char *sql, size_t len, struct arena *a)
{
	const struct analysis *all;
	struct why why;

	if (analyze(sql, len, a, &all, &why) != 0)
		return NULL;	/* rewriting says it */
	return all->statements[0].whole ? all->statements[0].whole_why : NULL;
}

int
main(int argc, char **argv)
{
	struct rewrite_schema s = {0};
	const struct rewrite *r;
	struct arena *a;
	const char *why;
	char *text = NULL;
	size_t cap = 0;
	ssize_t n;

	if (argc != 3 || (a = arena_new()) == NULL)
		return 2;
	s.twins = argv[1];
	read_tables(&s, argv[2]);
	while ((n = getdelim(&text, &cap, 0, stdin)) > 0) {
		if (text[n - 1] == 0)
			n--;
		if (rewrite(text, (size_t)n, &s, a, &r) != 0)
			return 1;
		if ((why = whole(text, (size_t)n, a)) == NULL)
			why = r->why;
		if (why != NULL)
			(void)printf("!%s", why);
		else
			(void)printf("%s%s", r->prefix ? "" : "~", r->sql);
		(void)putchar(0);
		(void)fflush(stdout);
		arena_reset(a);
	}
	free(text);
	arena_free(a);
	return 0;
}

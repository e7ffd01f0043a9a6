/*
 * emit WHAT CATALOG [ROLE]: the SQL of enforce/, for the tests that run it
 * on a real server. WHAT is base, clearance, drop, base-drop, print, watch or
 * count.
 * Standard input has the clearance, a word list a line:
 *
 *	type SCHEMA TABLE COLUMN CATEGORY NOTNULL(t|f) TYPE;TYPE WITHOUT LENGTH
 *	state SCHEMA TABLE
 *	table FULL LABEL,LABEL COLUMN=plain COLUMN=mask
 *
 * A public table is shown without labels: "table public.topics -".
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "catalog/catalog.h"
#include "enforce/enforce.h"
#include "enforce/twin.h"
#include "enforce/watch.h"
#include "policy/policy.h"

#define MAX 256

static struct arena *arena;
static struct catalog *catalog;
static struct enforce_type types[MAX];
static size_t n_types;
static struct enforce_table_state states[MAX];
static size_t n_states;
static struct clearance_table tables[MAX];

static void
fail(const char *what)
{
	(void)fprintf(stderr, "emit: %s\n", what);
	exit(1);
}

/* The next word of *line, cut off; the rest of it if last. */
static char *
word(char **line, bool last)
{
	char *w = last ? *line : strsep(line, " \n");

	if (w == NULL)
		fail("a line is too short");
	w[strcspn(w, "\n")] = 0;
	return arena_str(arena, w);
}

static void
read_labels(struct clearance_table *t, char *list)
{
	const char **labels = arena_array(arena, MAX, sizeof(*labels));
	char *s;

	while ((s = strsep(&list, ",")) != NULL)
		labels[t->n_residences++] = s;
	t->residences = labels;
}

static void
read_table(char **line)
{
	const char *full = word(line, false);
	enum treatment *columns;
	struct clearance_table *t = NULL;
	char *labels, *w, *how;
	size_t i, k;

	for (i = 0; i < catalog->n_tables; i++)
		if (strcmp(catalog->tables[i].full, full) == 0)
			t = &tables[i];
	if (t == NULL)
		fail("no such table");
	t->readable = true;
	labels = word(line, false);
	if (t->table->is_public)
		return;
	read_labels(t, labels);
	columns = arena_array(arena, t->table->n_columns, sizeof(*columns));
	t->columns = columns;
	while (*line != NULL && **line != 0) {
		w = word(line, false);
		if ((how = strchr(w, '=')) == NULL)
			break;
		*how++ = 0;
		for (k = 0; k < t->table->n_columns; k++)
			if (strcmp(t->table->columns[k].name, w) == 0)
				columns[k] = strcmp(how, "mask") == 0 ?
				    TREAT_MASK : TREAT_PLAIN;
	}
}

static void
read_line(char *line)
{
	const char *w = word(&line, false);
	char *rest;

	if (strcmp(w, "type") == 0) {
		types[n_types].schema = word(&line, false);
		types[n_types].table = word(&line, false);
		types[n_types].column = word(&line, false);
		types[n_types].category = *word(&line, false);
		types[n_types].not_null = *word(&line, false) == 't';
		rest = word(&line, true);
		types[n_types].type = rest;
		if ((rest = strchr(rest, ';')) == NULL)
			fail("a type has no second form");
		*rest++ = 0;
		types[n_types++].bare = rest;
	} else if (strcmp(w, "state") == 0) {
		states[n_states].schema = word(&line, false);
		states[n_states].table = word(&line, false);
		states[n_states++].row_security = 1;
	} else if (strcmp(w, "table") == 0) {
		read_table(&line);
	} else if (*w != 0) {
		fail("a line says neither type, state nor table");
	}
}

static void
read_catalog(const char *path)
{
	static char text[1 << 16];
	struct why w;
	FILE *f;
	size_t n, i;

	if ((f = fopen(path, "r")) == NULL)
		fail("cannot open the catalog");
	n = fread(text, 1, sizeof(text), f);
	(void)fclose(f);
	if (catalog_load(text, n, &catalog, &w) != 0)
		fail(w.text);
	for (i = 0; i < catalog->n_tables; i++)
		tables[i].table = &catalog->tables[i];
}

static int
emit(const char *what, const char *role, struct buf *out)
{
	const struct clearance c = { .store = "test", .tables = tables,
	    .n_tables = catalog->n_tables };
	int r;

	if (strcmp(what, "base") == 0) {
		if ((r = twin_tags_sql(catalog, out)) == 0)
			r = enforce_base_sql(catalog, states, n_states, out);
		twin_base_sql(catalog, out);
		return r;
	}
	if (strcmp(what, "clearance") == 0) {
		r = enforce_clearance_sql(catalog, &c, role, types, n_types,
		    false, out);
		return r != 0 ? r : enforce_twins_sql(catalog, &c, role,
		    types, n_types, false, out);
	}
	if (strcmp(what, "drop") == 0)
		return enforce_drop_sql(role, catalog, out);
	if (strcmp(what, "base-drop") == 0)
		return twin_tags_drop_sql(out) != 0 ? ERR_MEMORY :
		    enforce_base_drop_sql(catalog, out);
	if (strcmp(what, "print") == 0)
		return role == NULL ? enforce_print_base_sql(out) :
		    enforce_prints_sql(role, false, out);
	if (strcmp(what, "watch") == 0)
		return watch_sql(out);
	if (strcmp(what, "count") == 0)
		return enforce_count_sql(catalog, "XX", out);
	fail("no such thing to write");
	return 0;
}

int
main(int argc, char **argv)
{
	char line[4096];
	struct buf out;
	int r;

	if (argc < 3)
		fail("usage: emit WHAT CATALOG [ROLE]");
	if ((arena = arena_new()) == NULL)
		fail("out of memory");
	read_catalog(argv[2]);
	while (fgets(line, sizeof(line), stdin) != NULL)
		read_line(line);
	enforce_types_sort(types, n_types);
	buf_init(&out, 0);
	r = emit(argv[1], argc > 3 ? argv[3] : NULL, &out);
	if (r == 0)
		(void)fputs(buf_text(&out), stdout);
	else
		(void)fprintf(stderr, "emit: %s\n", err_text(r));
	buf_done(&out);
	catalog_free(catalog);
	arena_free(arena);
	return r == 0 ? 0 : 1;
}

/*
 * sworn catalog suggest DSN
 *
 * Reads a live database and prints a catalog to review: which table holds the
 * subjects, how rows lead to them, what the columns hold, each with its
 * reason as a comment. Values are looked at for their shapes only and none is
 * printed, but those of the residence column.
 *
 * The subjects' table: the one that most rows of others lead to, more so if
 * it is named for people. A table's way: all foreign keys to the subjects, or
 * else to the tables that are nearest to them; or else columns named for the
 * subjects. In doubt a table is left out, which keeps it from persons.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "cli/db.h"
#include "cli/guess.h"
#include "cli/sample.h"

#define FAR 1000		/* no way to the subjects */
#define STEPS_MAX 8		/* of a way */
#define VALUES_MAX 100		/* different residences */

struct link {			/* a foreign key of one column */
	const char *column;
	struct table *to;
	const char *key;
	bool guessed;		/* by the column's name */
};

struct column {
	const char *name, *type;
	struct guess_shapes shapes;
};

struct table {
	const char *schema, *name, *full;
	const char *key;	/* the one column of its primary key; NULL */
	const char *key_type;
	double rows;
	struct column *columns;
	size_t n_columns;
	struct link *links;
	size_t n_links;
	unsigned distance;	/* steps to the subjects */
};

struct suggest {
	PGconn *c;
	struct arena *a;
	struct table *tables;
	size_t n;
	struct table *subjects;
	bool failed;
};

static const char *
copy(struct suggest *s, const char *text)
{
	const char *p = arena_str(s->a, text);

	if (p == NULL)
		s->failed = true;
	return p != NULL ? p : "";
}

static struct table *
find(struct suggest *s, const char *full)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (strcmp(s->tables[i].full, full) == 0)
			return &s->tables[i];
	return NULL;
}

/* Names that a catalog can have without thought. */
static bool
is_plain(const char *name)
{
	size_t i;

	for (i = 0; name[i] != 0; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '_')
			return false;
	return i > 0 && !isdigit((unsigned char)name[0]);
}

/* ---- reading ---- */

static int
read_tables(struct suggest *s)
{
	PGresult *rows = NULL;
	struct table *t;
	int r, i;

	r = db_rows(s->c, "reading tables", "SELECT n.nspname, c.relname, "
	    "n.nspname || '.' || c.relname, c.reltuples, a.attname, "
	    "format_type(a.atttypid, NULL), a.attname IS NOT NULL "
	    "FROM pg_class c "
	    "JOIN pg_namespace n ON n.oid = c.relnamespace "
	    "LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary "
	    "AND i.indnkeyatts = 1 LEFT JOIN pg_attribute a ON "
	    "a.attrelid = c.oid AND a.attnum = i.indkey[0] "
	    "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition "
	    "AND n.nspname !~ '^(pg_.*|information_schema|sworn|"
	    "sworn_p?[0-9a-f]{16}(_twin)?)$' ORDER BY 1, 2", &rows);
	if (r != 0)
		return r;
	s->tables = arena_array(s->a, (size_t)PQntuples(rows) + 1,
	    sizeof(*s->tables));
	for (i = 0; s->tables != NULL && i < PQntuples(rows); i++) {
		if (!is_plain(PQgetvalue(rows, i, 0)) ||
		    !is_plain(PQgetvalue(rows, i, 1))) {
			(void)printf("# %s: a name that a catalog cannot "
			    "have; left out\n", PQgetvalue(rows, i, 2));
			continue;
		}
		t = &s->tables[s->n++];
		t->schema = copy(s, PQgetvalue(rows, i, 0));
		t->name = copy(s, PQgetvalue(rows, i, 1));
		t->full = copy(s, PQgetvalue(rows, i, 2));
		t->rows = strtod(PQgetvalue(rows, i, 3), NULL);
		t->distance = FAR;
		if (*PQgetvalue(rows, i, 6) == 't') {
			t->key = copy(s, PQgetvalue(rows, i, 4));
			t->key_type = copy(s, PQgetvalue(rows, i, 5));
		}
	}
	PQclear(rows);
	return s->tables == NULL || s->failed ? ERR_MEMORY : 0;
}

static int
read_columns(struct suggest *s, struct table *t)
{
	const char *params[] = { t->schema, t->name };
	PGresult *rows = NULL;
	int r, i;

	r = db_rows_with(s->c, "reading columns", "SELECT a.attname, "
	    "format_type(a.atttypid, NULL) FROM pg_attribute a JOIN pg_class "
	    "c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = "
	    "c.relnamespace WHERE n.nspname = $1 AND c.relname = $2 "
	    "AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum", 2,
	    params, &rows);
	if (r != 0)
		return r;
	t->columns = arena_array(s->a, (size_t)PQntuples(rows) + 1,
	    sizeof(*t->columns));
	/* Room for each to be a link, too. */
	t->links = arena_array(s->a, (size_t)PQntuples(rows) + 1,
	    sizeof(*t->links));
	if (t->columns == NULL || t->links == NULL)
		s->failed = true;
	for (i = 0; !s->failed && i < PQntuples(rows); i++) {
		if (!is_plain(PQgetvalue(rows, i, 0)))
			continue;
		t->columns[t->n_columns].name = copy(s,
		    PQgetvalue(rows, i, 0));
		t->columns[t->n_columns++].type = copy(s,
		    PQgetvalue(rows, i, 1));
	}
	PQclear(rows);
	return s->failed ? ERR_MEMORY : 0;
}

static const struct column *
column_find(const struct table *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->n_columns; i++)
		if (strcmp(t->columns[i].name, name) == 0)
			return &t->columns[i];
	return NULL;
}

static void
add_link(struct table *t, const char *column, struct table *to,
    const char *key, bool guessed)
{
	size_t i;

	for (i = 0; i < t->n_links; i++)
		if (strcmp(t->links[i].column, column) == 0)
			return;
	if (column_find(t, column) != NULL)
		t->links[t->n_links++] = (struct link){ .column = column,
		    .to = to, .key = key, .guessed = guessed };
}

static int
read_links(struct suggest *s)
{
	PGresult *rows = NULL;
	struct table *from, *to;
	int r, i;

	r = db_rows(s->c, "reading foreign keys", "SELECT "
	    "fn.nspname || '.' || f.relname, fa.attname, "
	    "tn.nspname || '.' || t.relname, ta.attname FROM pg_constraint k "
	    "JOIN pg_class f ON f.oid = k.conrelid "
	    "JOIN pg_namespace fn ON fn.oid = f.relnamespace "
	    "JOIN pg_class t ON t.oid = k.confrelid "
	    "JOIN pg_namespace tn ON tn.oid = t.relnamespace "
	    "JOIN pg_attribute fa ON fa.attrelid = f.oid "
	    "AND fa.attnum = k.conkey[1] JOIN pg_attribute ta "
	    "ON ta.attrelid = t.oid AND ta.attnum = k.confkey[1] "
	    "WHERE k.contype = 'f' AND cardinality(k.conkey) = 1 "
	    "ORDER BY 1, fa.attnum", &rows);
	for (i = 0; r == 0 && i < PQntuples(rows); i++) {
		from = find(s, PQgetvalue(rows, i, 0));
		to = find(s, PQgetvalue(rows, i, 2));
		if (from != NULL && to != NULL && from != to)
			add_link(from, copy(s, PQgetvalue(rows, i, 1)), to,
			    copy(s, PQgetvalue(rows, i, 3)), false);
	}
	PQclear(rows);
	return r != 0 ? r : s->failed ? ERR_MEMORY : 0;
}

/* Counts of the shapes of some values, for each column. */
static int
read_shapes(struct suggest *s, struct table *t)
{
	const char **names = arena_array(s->a, t->n_columns + 1,
	    sizeof(*names));
	struct guess_shapes *shapes = arena_array(s->a, t->n_columns + 1,
	    sizeof(*shapes));
	size_t i;
	int r;

	if (names == NULL || shapes == NULL)
		return ERR_MEMORY;
	for (i = 0; i < t->n_columns; i++)
		names[i] = t->columns[i].name;
	r = sample_shapes(s->c, t->schema, t->name, names, t->n_columns,
	    shapes);
	for (i = 0; r == 0 && i < t->n_columns; i++)
		t->columns[i].shapes = shapes[i];
	return r;
}

/* ---- deciding ---- */

static size_t
personal_columns(const struct table *t)
{
	const char *category, *why;
	size_t i, n = 0;

	for (i = 0; i < t->n_columns; i++) {
		category = guess_category(t->name, t->columns[i].name,
		    t->columns[i].type, &t->columns[i].shapes, &why);
		n += strcmp(category, "contact") == 0 ||
		    strcmp(category, "identity") == 0 ||
		    strcmp(category, "health") == 0 ||
		    strcmp(category, "secret") == 0;
	}
	return n;
}

static void
choose_subjects(struct suggest *s)
{
	size_t i, k, m, score, best = 0;
	struct table *t;

	for (i = 0; i < s->n; i++) {
		t = &s->tables[i];
		if (t->key == NULL || personal_columns(t) == 0)
			continue;
		score = 1 + personal_columns(t) +
		    (guess_is_people(t->name) ? 10 : 0);
		for (k = 0; k < s->n; k++)
			for (m = 0; m < s->tables[k].n_links; m++)
				if (s->tables[k].links[m].to == t)
					score += 2;
		if (score > best) {
			best = score;
			s->subjects = t;
		}
	}
}

/* "user_id" or "userid" for users, of the type of their key. */
static bool
is_named_for(const struct column *c, const struct table *subjects)
{
	size_t len = strlen(subjects->name);

	if (strcmp(c->type, subjects->key_type) != 0)
		return false;
	if (len > 1 && subjects->name[len - 1] == 's')
		len--;
	return strncmp(c->name, subjects->name, len) == 0 &&
	    (strcmp(c->name + len, "_id") == 0 ||
	    strcmp(c->name + len, "id") == 0);
}

static void
guess_links(struct suggest *s)
{
	struct table *t;
	size_t i, k;

	for (i = 0; i < s->n; i++) {
		t = &s->tables[i];
		for (k = 0; t != s->subjects && k < t->n_columns; k++)
			if (is_named_for(&t->columns[k], s->subjects))
				add_link(t, t->columns[k].name, s->subjects,
				    s->subjects->key, true);
	}
}

/* The distance of each table, as far as links lead. A link to a key other
 * than the subjects' own is no way to them. */
static void
measure(struct suggest *s)
{
	struct table *t;
	unsigned round, d;
	size_t i, k;

	s->subjects->distance = 0;
	for (round = 0; round < STEPS_MAX; round++)
		for (i = 0; i < s->n; i++) {
			t = &s->tables[i];
			for (k = 0; k < t->n_links; k++) {
				d = t->links[k].to->distance;
				if (d == 0 && strcmp(t->links[k].key,
				    s->subjects->key) != 0)
					continue;
				if (d == round && d + 1 < t->distance)
					t->distance = d + 1;
			}
		}
}

static const struct column *
country_column(const struct table *t)
{
	const struct column *c;
	size_t i;

	for (i = 0; i < t->n_columns; i++) {
		c = &t->columns[i];
		if (guess_is_country(c->name) && c->shapes.n > 0 &&
		    3 * c->shapes.country >= 2 * c->shapes.n)
			return c;
	}
	return NULL;
}

/* ---- printing ---- */

static int
print_values(struct suggest *s, const struct table *t, const char *column)
{
	PGresult *rows = NULL;
	const char *v;
	struct buf sql;
	int r, i;

	buf_init(&sql, 0);
	buf_str(&sql, "SELECT ");
	text_sql_ident(&sql, column);
	buf_str(&sql, "::text, count(*) FROM ");
	text_sql_ident(&sql, t->schema);
	buf_str(&sql, ".");
	text_sql_ident(&sql, t->name);
	buf_str(&sql, " WHERE ");
	text_sql_ident(&sql, column);
	buf_fmt(&sql, "::text ~ '^[A-Za-z0-9_-]{1,32}$' GROUP BY 1 "
	    "ORDER BY 2 DESC, 1 LIMIT %d", VALUES_MAX);
	r = db_rows_buf(s->c, "reading residences", &sql, &rows);
	buf_done(&sql);
	if (r != 0)
		return r;
	(void)printf("    column: %s\n    # Each value and its label; two "
	    "spellings of one country need one label.\n    values:\n",
	    column);
	for (i = 0; i < PQntuples(rows); i++) {
		v = PQgetvalue(rows, i, 0);
		(void)printf("      %s: %s    # %s rows\n", v, v,
		    PQgetvalue(rows, i, 1));
	}
	PQclear(rows);
	return 0;
}

static int
print_residence(struct suggest *s)
{
	const struct table *t = s->subjects;
	const struct column *c = country_column(t);
	const struct link *l;
	size_t i;

	if (c != NULL) {
		(void)printf("  # Named for a country, and its values look "
		    "like codes.\n  residence:\n");
		return print_values(s, t, c->name);
	}
	for (i = 0; i < t->n_links; i++) {
		l = &t->links[i];
		if ((c = country_column(l->to)) == NULL)
			continue;
		(void)printf("  # Over a foreign key, to a column named for a "
		    "country.\n  residence:\n    through:\n      - {column: "
		    "%s, table: %s, key: %s}\n", l->column, l->to->full,
		    l->key);
		return print_values(s, l->to, c->name);
	}
	(void)printf("  # No column looks like a country: right only if "
	    "everybody here has one residence.\n  residence: store\n");
	return 0;
}

static void
print_columns(const struct table *t)
{
	const struct column *c;
	const char *category, *why;
	size_t i;

	(void)printf("    columns:\n");
	for (i = 0; i < t->n_columns; i++) {
		c = &t->columns[i];
		category = guess_category(t->name, c->name, c->type,
		    &c->shapes, &why);
		(void)printf("      %s: %s    # %s, %s\n", c->name, category,
		    c->type, why);
	}
}

static void
print_ways(const struct suggest *s, const struct table *t)
{
	const struct link *l;
	size_t i;

	for (i = 0; i < t->n_links; i++) {
		l = &t->links[i];
		if (l->to->distance != FAR && l->to->distance + 1 >
		    t->distance)
			(void)printf("    # %s leads to %s: a subject, too, "
			    "if the row is about them.\n", l->column,
			    l->to->full);
	}
	(void)printf("    subjects:\n");
	for (i = 0; i < t->n_links; i++) {
		l = &t->links[i];
		if (l->to->distance + 1 != t->distance)
			continue;
		if (l->to == s->subjects && strcmp(l->key,
		    s->subjects->key) == 0)
			(void)printf("      - %s    # %s\n", l->column,
			    l->guessed ? "by its name: no foreign key says so"
			    : "a foreign key");
		else if (l->to != s->subjects)
			(void)printf("      - {column: %s, via: %s, key: %s}"
			    "    # foreign keys, %u steps\n", l->column,
			    l->to->full, l->key, t->distance);
	}
}

static void
print_table(const struct suggest *s, const struct table *t)
{
	(void)printf("  %s:\n", t->full);
	if (t == s->subjects)
		(void)printf("    subject: self\n");
	else
		print_ways(s, t);
	print_columns(t);
}

/* A short list of terms, with nothing of anybody in it. */
static bool
is_list(const struct table *t)
{
	size_t i;

	if (t->rows > 1000 || t->n_columns == 0)
		return false;
	for (i = 0; i < t->n_columns; i++)
		if (!guess_is_term(t->columns[i].name) ||
		    t->columns[i].shapes.email > 0 ||
		    t->columns[i].shapes.phone > 0)
			return false;
	return true;
}

static void
print_rest(const struct suggest *s)
{
	const struct table *t;
	size_t i, n = 0;

	(void)printf("\n# Short lists of terms that lead to nobody: every "
	    "known principal would read these.\npublic: [");
	for (i = 0; i < s->n; i++) {
		t = &s->tables[i];
		if (t->distance == FAR && is_list(t))
			(void)printf("%s%s", n++ > 0 ? ", " : "", t->full);
	}
	(void)printf("]\n");
	for (i = 0; i < s->n; i++) {
		t = &s->tables[i];
		if (t->distance == FAR && !is_list(t))
			(void)printf("# %s: no way to a subject was found. "
			    "Left out, so no person reads it%s.\n", t->full,
			    personal_columns(t) > 0 ? ", and it looks as if "
			    "it were about people" : "");
	}
}

static int
print_catalog(struct suggest *s)
{
	size_t i;
	int r;

	(void)printf("# Suggested by sworn catalog suggest: read every line "
	    "before use. What is not listed,\n# persons do not get.\n"
	    "catalog: suggested\ncategories: [");
	for (i = 0; i < guess_n_categories; i++)
		(void)printf("%s%s", i > 0 ? ", " : "", guess_categories[i]);
	(void)printf("]\n\n# %s: named for people or about them, and most "
	    "others lead to it.\nsubjects:\n  table: %s\n  key: %s\n",
	    s->subjects->full, s->subjects->full, s->subjects->key);
	if ((r = print_residence(s)) != 0)
		return r;
	(void)printf("\ntables:\n");
	print_table(s, s->subjects);
	for (i = 0; i < s->n; i++)
		if (s->tables[i].distance != FAR &&
		    &s->tables[i] != s->subjects)
			print_table(s, &s->tables[i]);
	print_rest(s);
	return 0;
}

static int
suggest(struct suggest *s, const char *dsn)
{
	size_t i;
	int r;

	if ((r = db_open(dsn, &s->c)) != 0 ||
	    (r = db_run(s->c, "beginning", "BEGIN ISOLATION LEVEL REPEATABLE "
	    "READ READ ONLY; SET LOCAL statement_timeout = '60s'")) != 0 ||
	    (r = read_tables(s)) != 0)
		return r;
	for (i = 0; i < s->n; i++)
		if ((r = read_columns(s, &s->tables[i])) != 0 ||
		    (r = read_shapes(s, &s->tables[i])) != 0)
			return r;
	if ((r = read_links(s)) != 0)
		return r;
	choose_subjects(s);
	if (s->subjects == NULL) {
		(void)fprintf(stderr, "sworn catalog: no table with a primary "
		    "key of one column looks as if it were about people\n");
		return ERR_MISSING;
	}
	guess_links(s);
	measure(s);
	return print_catalog(s);
}

int
cmd_catalog(int argc, char **argv)
{
	struct suggest s = { .n = 0 };
	int r = ERR_MEMORY;

	if (argc != 3 || strcmp(argv[1], "suggest") != 0) {
		(void)fprintf(stderr, "usage: sworn catalog suggest DSN\n");
		return 2;
	}
	if ((s.a = arena_new()) != NULL)
		r = suggest(&s, argv[2]);
	if (r == ERR_MEMORY)
		(void)fprintf(stderr, "sworn catalog: out of memory\n");
	PQfinish(s.c);
	arena_free(s.a);
	return r == 0 ? 0 : 1;
}

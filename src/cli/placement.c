/*
 * sworn placement check -c FILE STORE --admin DSN [--json]
 *
 * Whether a store holds what belongs there: subjects whose residence is not
 * one of the store's, columns that look like personal data and are not in
 * the catalog, and what carries rows out (placement_ways.c). Changes nothing:
 * one read-only transaction.
 *
 * Exit status: 0 nothing, or only of severity low; 1 something; 2 it could
 * not be told.
 */
#include "cli/placement.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "catalog/catalog.h"
#include "cli/cmd.h"
#include "cli/db.h"
#include "cli/guess.h"
#include "cli/load.h"
#include "cli/options.h"
#include "cli/sample.h"
#include "enforce/enforce.h"
#include "gateway/config.h"

static const char *const severities[] = { "low", "medium", "high" };

void
placement_found(struct placement *p, enum placement_severity severity,
    const char *kind, const char *what, const char *why, const char *todo)
{
	p->n++;
	p->n_serious += severity > PLACEMENT_LOW;
	if (p->list == NULL) {
		(void)printf("%s: %s: %s\n    %s\n", severities[severity],
		    what, why, todo);
	} else if (json_array_append_new(p->list, json_pack(
	    "{ssssssssss}", "severity", severities[severity], "kind", kind,
	    "what", what, "why", why, "todo", todo)) != 0) {
		p->failed = true;
	}
}

/* ---- subjects ---- */

static bool
belongs(const struct config_store *s, const char *label)
{
	size_t i;

	for (i = 0; i < s->n_residences; i++)
		if (strcmp(s->residences[i], label) == 0)
			return true;
	return false;
}

static void
found_subjects(struct placement *p, const char *label, const char *n)
{
	const struct config *c = p->config;
	struct buf what, todo;
	size_t i, found = 0;

	buf_init(&what, 0);
	buf_init(&todo, 0);
	if (strcmp(label, "unknown") == 0) {
		buf_fmt(&what, "%s subjects of no known residence", n);
		buf_str(&todo, "map what is stored there in the catalog, or "
		    "correct the rows");
	} else {
		buf_fmt(&what, "%s subjects at home in %s", n, label);
		buf_str(&todo, "move them to a store that they belong in:");
		for (i = 0; i < c->n_stores; i++)
			if (belongs(&c->stores[i], label))
				buf_fmt(&todo, "%s %s", found++ > 0 ? "," : "",
				    c->stores[i].name);
		if (found == 0)
			buf_str(&todo, " none of the configuration");
	}
	if (buf_text(&what) == NULL || buf_text(&todo) == NULL)
		p->failed = true;
	else
		placement_found(p, strcmp(label, "unknown") == 0 ?
		    PLACEMENT_MEDIUM : PLACEMENT_HIGH, "subjects",
		    buf_text(&what), "the store is not for them",
		    buf_text(&todo));
	buf_done(&what);
	buf_done(&todo);
}

static int
check_subjects(struct placement *p)
{
	PGresult *rows = NULL;
	struct buf sql;
	int r, i;

	buf_init(&sql, 0);
	r = enforce_count_sql(p->store->catalog, p->store->n_residences > 0 ?
	    p->store->residences[0] : "unknown", &sql);
	if (r == 0)
		r = db_rows_buf(p->c, "counting subjects", &sql, &rows);
	for (i = 0; r == 0 && i < PQntuples(rows); i++)
		if (!belongs(p->store, PQgetvalue(rows, i, 0)))
			found_subjects(p, PQgetvalue(rows, i, 0),
			    PQgetvalue(rows, i, 1));
	PQclear(rows);
	buf_done(&sql);
	return r;
}

/* ---- columns ---- */

static const struct catalog_table *
listed(const struct catalog *c, const char *schema, const char *table)
{
	size_t i;

	for (i = 0; i < c->n_tables; i++)
		if (strcmp(c->tables[i].schema, schema) == 0 &&
		    strcmp(c->tables[i].name, table) == 0)
			return &c->tables[i];
	return NULL;
}

static bool
has_column(const struct catalog_table *t, const char *column)
{
	size_t i;

	for (i = 0; i < t->n_columns; i++)
		if (strcmp(t->columns[i].name, column) == 0)
			return true;
	return false;
}

static bool
is_personal(const char *category)
{
	static const char *const all[] = { "contact", "identity", "health",
	    "secret", "location", "messages" };
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i], category) == 0)
			return true;
	return false;
}

static void
found_column(struct placement *p, const struct catalog_table *t,
    const char *full, const char *column, const char *category,
    const char *guess)
{
	struct buf what;
	const char *why = "no catalog says whose it is: persons do not read "
	    "it, services do without a word of it in the record";
	enum placement_severity severity = PLACEMENT_MEDIUM;

	if (t != NULL && t->is_public) {
		severity = PLACEMENT_HIGH;
		why = "the table is public: everybody reads it, and it is "
		    "recorded as nobody's";
	}
	buf_init(&what, 0);
	buf_fmt(&what, "%s.%s looks like %s, %s", full, column, category,
	    guess);
	if (buf_text(&what) == NULL)
		p->failed = true;
	else
		placement_found(p, severity, "column", buf_text(&what), why,
		    "list it in the catalog, under its subject; sworn catalog "
		    "suggest drafts that");
	buf_done(&what);
}

/* rows[from..to) are one table's columns: (schema, table, full, column,
 * type). */
static int
check_table(struct placement *p, PGresult *rows, int from, int to,
    struct arena *a)
{
	size_t n = (size_t)(to - from), i;
	const char **names = arena_array(a, n, sizeof(*names));
	struct guess_shapes *shapes = arena_array(a, n, sizeof(*shapes));
	const struct catalog_table *t;
	const char *category, *guess, *type, *table;
	int r;

	if (names == NULL || shapes == NULL)
		return ERR_MEMORY;
	for (i = 0; i < n; i++)
		names[i] = PQgetvalue(rows, from + (int)i, 3);
	table = PQgetvalue(rows, from, 1);
	t = listed(p->store->catalog, PQgetvalue(rows, from, 0), table);
	if ((r = sample_shapes(p->c, PQgetvalue(rows, from, 0), table, names,
	    n, shapes)) != 0)
		return r;
	for (i = 0; i < n; i++) {
		if (t != NULL && !t->is_public && has_column(t, names[i]))
			continue;
		type = PQgetvalue(rows, from + (int)i, 4);
		category = guess_category(table, names[i], type, &shapes[i],
		    &guess);
		if (is_personal(category))
			found_column(p, t, PQgetvalue(rows, from, 2),
			    names[i], category, guess);
	}
	return 0;
}

static int
check_columns(struct placement *p)
{
	struct arena *a = arena_new();
	PGresult *rows = NULL;
	int r = ERR_MEMORY, from, to, n;

	if (a == NULL)
		goto out;
	r = db_rows(p->c, "reading columns", "SELECT n.nspname, c.relname, "
	    "c.oid::regclass, a.attname, format_type(a.atttypid, NULL) "
	    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
	    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "
	    "AND NOT a.attisdropped WHERE c.relkind IN ('r', 'p', 'm', 'f') "
	    "AND NOT c.relispartition AND (c.relkind <> 'm' OR "
	    "c.relispopulated) AND n.nspname !~ '^(pg_|information_schema$|"
	    "sworn(_|$))' AND a.attname !~ '^sworn[$]' "
	    "ORDER BY 1, 2, a.attnum", &rows);
	n = r == 0 ? PQntuples(rows) : 0;
	for (from = 0; r == 0 && from < n; from = to) {
		for (to = from + 1; to < n &&
		    strcmp(PQgetvalue(rows, to, 2),
		    PQgetvalue(rows, from, 2)) == 0; to++)
			continue;
		arena_reset(a);
		r = check_table(p, rows, from, to, a);
	}
out:
	PQclear(rows);
	arena_free(a);
	return r;
}

/* ---- the whole ---- */

static int
check_all(struct placement *p, const char *admin)
{
	int r;

	if ((r = db_open(admin, &p->c)) != 0 ||
	    (r = db_run(p->c, "beginning", "BEGIN ISOLATION LEVEL REPEATABLE "
	    "READ READ ONLY")) != 0 ||
	    (r = check_subjects(p)) != 0 || (r = check_columns(p)) != 0 ||
	    (r = placement_ways(p)) != 0)
		return r;
	return p->failed ? ERR_MEMORY : 0;
}

static int
report(struct placement *p)
{
	json_t *root;
	int r;

	if (p->list == NULL) {
		(void)printf("store %s: %zu findings, %zu of them above low\n",
		    p->store->name, p->n, p->n_serious);
		return 0;
	}
	root = json_pack("{sssO}", "store", p->store->name, "findings",
	    p->list);
	r = root == NULL || json_dumpf(root, stdout, JSON_INDENT(1)) != 0 ?
	    ERR_MEMORY : 0;
	(void)printf("\n");
	json_decref(root);
	return r;
}

int
cmd_placement(int argc, char **argv)
{
	static const char usage[] = "usage: sworn placement check -c FILE "
	    "STORE --admin DSN [--json]\n";
	struct placement p = { .n = 0 };
	struct config *config = NULL;
	const char *file = NULL, *admin = NULL, *words[2] = { NULL };
	bool json = false;
	const struct option_slot slots[] = {
		{ "-c", &file, NULL }, { "--admin", &admin, NULL },
		{ "--json", NULL, &json }, { NULL, NULL, NULL },
	};
	int r = ERR_MISSING;

	if (options_read(argc, argv, slots, words, 2, usage) != 0)
		return 2;
	if (file == NULL || admin == NULL || strcmp(words[0], "check") != 0) {
		(void)fprintf(stderr, "%s", usage);
		return 2;
	}
	if ((config = load_config(file)) == NULL)
		return 2;
	p.config = config;
	p.store = config_store_find(config, words[1]);
	if (json && (p.list = json_array()) == NULL)
		goto out;
	if (p.store == NULL)
		(void)fprintf(stderr, "sworn placement: %s has no store "
		    "\"%s\"\n", file, words[1]);
	else if ((r = check_all(&p, admin)) == 0)
		r = report(&p);
out:
	PQfinish(p.c);
	json_decref(p.list);
	config_free(config);
	if (r != 0)
		return 2;
	return p.n_serious > 0 ? 1 : 0;
}

/*
 * The queries name everything in full: the session's search_path is
 * pg_catalog (cli/db.c).
 */
#include "cli/live.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/db.h"
#include "enforce/enforce.h"

static int
memory(void)
{
	(void)fprintf(stderr, "sworn: out of memory\n");
	return ERR_MEMORY;
}

static bool
read_type(struct arena *a, const PGresult *rows, int i,
    struct enforce_type *t)
{
	t->schema = arena_str(a, PQgetvalue(rows, i, 0));
	t->table = arena_str(a, PQgetvalue(rows, i, 1));
	t->column = arena_str(a, PQgetvalue(rows, i, 2));
	t->type = arena_str(a, PQgetvalue(rows, i, 3));
	t->bare = arena_str(a, PQgetvalue(rows, i, 4));
	t->category = *PQgetvalue(rows, i, 5);
	t->not_null = *PQgetvalue(rows, i, 6) == 't';
	if (!PQgetisnull(rows, i, 7) &&
	    (t->far = arena_str(a, PQgetvalue(rows, i, 7))) == NULL)
		return false;
	return t->schema != NULL && t->table != NULL && t->column != NULL &&
	    t->type != NULL && t->bare != NULL;
}

int
live_types(PGconn *c, struct arena *a, struct enforce_type **ret,
    size_t *ret_n)
{
	struct enforce_type *types;
	PGresult *rows = NULL;
	int r, i, n;

	r = db_rows(c, "reading the tables' columns",
	    "WITH RECURSIVE base(oid, below, mod) AS ("
	    "SELECT oid, oid, -1 FROM pg_type WHERE typtype <> 'd' "
	    "UNION ALL SELECT t.oid, b.below, "
	    "CASE WHEN b.mod < 0 THEN t.typtypmod ELSE b.mod END "
	    "FROM pg_type t JOIN base b ON t.typbasetype = b.oid "
	    "WHERE t.typtype = 'd'), "
	    "above(oid, server) AS (SELECT ftrelid, ftserver FROM "
	    "pg_foreign_table UNION SELECT i.inhparent, above.server FROM "
	    "pg_inherits i JOIN above ON i.inhrelid = above.oid), "
	    "far AS (SELECT above.oid, array_agg(s.srvname ORDER BY s.srvname) "
	    "AS servers FROM above JOIN pg_foreign_server s ON s.oid = "
	    "above.server GROUP BY above.oid) "
	    "SELECT n.nspname, c.relname, a.attname, "
	    "format_type(b.below, CASE WHEN a.atttypmod < 0 THEN b.mod "
	    "ELSE a.atttypmod END), format_type(b.below, -1), t.typcategory, "
	    "a.attnotnull, far.servers "
	    "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
	    "JOIN pg_namespace n ON n.oid = c.relnamespace "
	    "JOIN base b ON b.oid = a.atttypid "
	    "JOIN pg_type t ON t.oid = b.below "
	    "LEFT JOIN far ON far.oid = c.oid "
	    "WHERE a.attnum > 0 AND NOT a.attisdropped "
	    "AND c.relkind IN ('r', 'p', 'v', 'm', 'f') "
	    "AND n.nspname NOT IN ('pg_catalog', 'information_schema') "
	    "AND n.nspname !~ '^sworn_p?[0-9a-f]{16}(_twin)?$'", &rows);
	if (r != 0)
		return r;
	n = PQntuples(rows);
	types = arena_array(a, (size_t)n + 1, sizeof(*types));
	for (i = 0; types != NULL && i < n; i++)
		if (!read_type(a, rows, i, &types[i]))
			types = NULL;
	PQclear(rows);
	if (types == NULL)
		return memory();
	*ret = types;
	*ret_n = (size_t)n;
	return 0;
}

int
live_states(PGconn *c, struct arena *a, bool applied,
    struct enforce_table_state **ret, size_t *ret_n)
{
	struct enforce_table_state *states;
	PGresult *rows = NULL;
	int r, i, n;

	r = db_rows(c, "reading the tables' row security", !applied ?
	    "SELECT n.nspname, c.relname FROM pg_class c "
	    "JOIN pg_namespace n ON n.oid = c.relnamespace "
	    "WHERE c.relrowsecurity ORDER BY 1, 2" :
	    "SELECT n.nspname, c.relname FROM pg_class c "
	    "JOIN pg_namespace n ON n.oid = c.relnamespace "
	    "WHERE c.relrowsecurity AND NOT EXISTS (SELECT FROM "
	    "sworn.row_security s WHERE s.table_schema = n.nspname "
	    "AND s.table_name = c.relname) ORDER BY 1, 2", &rows);
	if (r != 0)
		return r;
	n = PQntuples(rows);
	states = arena_array(a, (size_t)n + 1, sizeof(*states));
	for (i = 0; states != NULL && i < n; i++) {
		states[i].schema = arena_str(a, PQgetvalue(rows, i, 0));
		states[i].table = arena_str(a, PQgetvalue(rows, i, 1));
		states[i].row_security = 1;
		if (states[i].schema == NULL || states[i].table == NULL)
			states = NULL;
	}
	PQclear(rows);
	if (states == NULL)
		return memory();
	*ret = states;
	*ret_n = (size_t)n;
	return 0;
}

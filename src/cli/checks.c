/*
 * Each check is a query over `listed`, the catalog's tables, with the rows
 * (what is in the way, the command that ends it).
 *
 * Relations, functions and schemas of pg_catalog and information_schema are
 * left out: what PUBLIC has there shows no row of anybody's table. So are
 * those of other sessions' temporary tables, and Sworn's own.
 */
#include "cli/checks.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "cli/db.h"

#define NOT_SYSTEM							\
	"n.nspname !~ '^(pg_catalog|information_schema|pg_toast.*"	\
	"|pg_temp_.*|pg_toast_temp_.*|sworn|sworn_keep|sworn_p?[0-9a-f]{16})$' "

/* p(root, ftrelid, ftserver): parts of what the catalog names that are on
 * other servers. */
#define FAR								\
	"(WITH RECURSIVE part(root, oid) AS (SELECT c.oid, c.oid "	\
	"FROM (SELECT s, t FROM listed UNION SELECT s, t FROM columns) k " \
	"JOIN pg_class c ON c.oid = to_regclass(format('%I.%I', k.s, k.t)) " \
	"UNION SELECT part.root, i.inhrelid FROM part JOIN pg_inherits i " \
	"ON i.inhparent = part.oid) SELECT part.root, f.ftrelid, "	\
	"f.ftserver FROM part JOIN pg_foreign_table f "			\
	"ON f.ftrelid = part.oid) p "

static const struct check checks[] = {
	{ "what the catalog names does not exist",
	    "SELECT DISTINCT format('table %I.%I', l.s, l.t), "
	    "'correct the catalog, or make the table' FROM listed l "
	    "WHERE to_regclass(format('%I.%I', l.s, l.t)) IS NULL "
	    "UNION ALL SELECT format('column %I.%I.%I', k.s, k.t, k.c), "
	    "'correct the catalog, or make the column' FROM columns k "
	    "WHERE to_regclass(format('%I.%I', k.s, k.t)) IS NOT NULL "
	    "AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = "
	    "to_regclass(format('%I.%I', k.s, k.t)) AND a.attname = k.c "
	    "AND a.attnum > 0 AND NOT a.attisdropped)" },
	{ "only tables can have row security",
	    "SELECT format('%s is not a table', c.oid::regclass), "
	    "CASE c.relkind WHEN 'f' THEN 'make it a partition of a table, "
	    "and name that in the catalog' ELSE "
	    "'name the tables below it in the catalog instead' END "
	    "FROM listed l JOIN pg_class c "
	    "ON c.oid = to_regclass(format('%I.%I', l.s, l.t)) "
	    "WHERE l.rows AND c.relkind NOT IN ('r', 'p')" },
	{ "it is on another server, where its owner has no user mapping that "
	    "Sworn's roles could be given",
	    "SELECT DISTINCT format('%s', p.ftrelid::regclass), "
	    "format('CREATE USER MAPPING FOR %I SERVER %I OPTIONS (...);', "
	    "pg_get_userbyid(c.relowner), s.srvname) FROM " FAR
	    "JOIN pg_class c ON c.oid = p.ftrelid "
	    "JOIN pg_foreign_server s ON s.oid = p.ftserver WHERE NOT EXISTS "
	    "(SELECT FROM pg_user_mapping u WHERE u.umserver = s.oid "
	    "AND u.umuser IN (0, c.relowner))" },
	{ "the owners of tables there have different user mappings, and "
	    "Sworn's roles can have one only",
	    "SELECT format('server %I', s.srvname), "
	    "'let one role own them all: ALTER FOREIGN TABLE ... OWNER TO "
	    "...;' FROM " FAR "JOIN pg_class c ON c.oid = p.ftrelid "
	    "JOIN pg_foreign_server s ON s.oid = p.ftserver "
	    "LEFT JOIN pg_user_mapping u ON u.umserver = s.oid "
	    "AND u.umuser = c.relowner GROUP BY s.srvname "
	    "HAVING count(DISTINCT coalesce(u.umoptions::text, '')) > 1" },
	{ "of postgres_fdw alone it is known how to keep a reader's "
	    "conditions away from hidden rows",
	    "SELECT DISTINCT format('%s', p.ftrelid::regclass), 'keep its "
	    "rows in a table, here or on a server that postgres_fdw reaches' "
	    "FROM " FAR "JOIN pg_foreign_server s ON s.oid = p.ftserver "
	    "JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw "
	    "JOIN pg_class c ON c.oid = p.root "
	    "JOIN pg_namespace n ON n.oid = c.relnamespace "
	    "JOIN listed l ON l.s = n.nspname AND l.t = c.relname "
	    "WHERE l.rows AND (w.fdwhandler = 0 OR w.fdwhandler NOT IN "
	    "(SELECT f.oid FROM pg_proc f WHERE f.proname = "
	    "'postgres_fdw_handler'))" },
	{ "a policy that lies idle would come into force for everybody",
	    "SELECT format('policy %I on %s', p.polname, c.oid::regclass), "
	    "format('DROP POLICY %I ON %s;', p.polname, c.oid::regclass) "
	    "FROM listed l JOIN pg_class c "
	    "ON c.oid = to_regclass(format('%I.%I', l.s, l.t)) "
	    "JOIN pg_policy p ON p.polrelid = c.oid "
	    "WHERE l.rows AND NOT c.relrowsecurity AND NOT p.polpermissive "
	    "AND p.polname !~ '^sworn_p?[0-9a-f]{16}_rows$'" },
	{ "PUBLIC may read it, and so may every login",
	    "SELECT format('%s', c.oid::regclass), "
	    "format('REVOKE ALL ON TABLE %s FROM PUBLIC;', c.oid::regclass) "
	    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
	    "LEFT JOIN listed l ON l.s = n.nspname AND l.t = c.relname "
	    "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND " NOT_SYSTEM
	    "AND (l.s IS NULL OR l.guarded) "
	    "AND EXISTS (SELECT FROM aclexplode(c.relacl) x "
	    "WHERE x.grantee = 0)" },
	{ "PUBLIC may read a column of it, and so may every login",
	    "SELECT format('%s.%I', c.oid::regclass, a.attname), "
	    "format('REVOKE ALL (%I) ON TABLE %s FROM PUBLIC;', a.attname, "
	    "c.oid::regclass) FROM pg_attribute a "
	    "JOIN pg_class c ON c.oid = a.attrelid "
	    "JOIN pg_namespace n ON n.oid = c.relnamespace "
	    "LEFT JOIN listed l ON l.s = n.nspname AND l.t = c.relname "
	    "WHERE " NOT_SYSTEM "AND (l.s IS NULL OR l.guarded) "
	    "AND EXISTS (SELECT FROM aclexplode(a.attacl) x "
	    "WHERE x.grantee = 0)" },
	{ "it runs with its owner's rights, and every login may call it",
	    "SELECT format('function %s', p.oid::regprocedure), "
	    "format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC;', "
	    "p.oid::regprocedure) FROM pg_proc p "
	    "JOIN pg_namespace n ON n.oid = p.pronamespace "
	    "WHERE p.prosecdef AND " NOT_SYSTEM
	    "AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, "
	    "acldefault('f', p.proowner))) x WHERE x.grantee = 0 "
	    "AND x.privilege_type = 'EXECUTE')" },
	{ "every login could make objects of its own",
	    "SELECT format('schema %I', n.nspname), "
	    "format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC;', n.nspname) "
	    "FROM pg_namespace n WHERE EXISTS (SELECT FROM "
	    "aclexplode(n.nspacl) x WHERE x.grantee = 0 "
	    "AND x.privilege_type = 'CREATE') "
	    "UNION ALL SELECT format('database %I', d.datname), "
	    "format('REVOKE CREATE ON DATABASE %I FROM PUBLIC;', d.datname) "
	    "FROM pg_database d WHERE d.datname = current_database() "
	    "AND EXISTS (SELECT FROM aclexplode(d.datacl) x "
	    "WHERE x.grantee = 0 AND x.privilege_type = 'CREATE')" },
	{ "every login could read it",
	    "SELECT format('large object %s', m.oid), "
	    "format('REVOKE ALL ON LARGE OBJECT %s FROM PUBLIC;', m.oid) "
	    "FROM pg_largeobject_metadata m WHERE EXISTS (SELECT FROM "
	    "aclexplode(m.lomacl) x WHERE x.grantee = 0) "
	    "UNION ALL SELECT 'all large objects', "
	    "'ALTER SYSTEM SET lo_compat_privileges = off;' "
	    "WHERE current_setting('lo_compat_privileges') = 'on'" },
};

static const struct check check_temp = {
	"every login could make temporary tables; --revoke-public-temp "
	"does this, and leaves the right to all roles that exist",
	"SELECT format('database %I', d.datname), "
	"format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC;', d.datname) "
	"FROM pg_database d WHERE d.datname = current_database() "
	"AND EXISTS (SELECT FROM aclexplode(coalesce(d.datacl, "
	"acldefault('d', d.datdba))) x WHERE x.grantee = 0 "
	"AND x.privilege_type = 'TEMPORARY')",
};

/* Who can insert, is no superuser, does not bypass and is not the owner. */
static const struct check check_copy = {
	"INSERT goes on as before, but COPY FROM and pg_dump as this role end "
	"with an error under row security; --bypass-rls does this",
	"SELECT format('role %I', r.rolname), "
	"format('ALTER ROLE %I BYPASSRLS;', r.rolname) "
	"FROM pg_roles r WHERE NOT r.rolsuper AND NOT r.rolbypassrls "
	"AND r.rolcanlogin AND r.rolname !~ '^(pg_|sworn_)' AND EXISTS ("
	"SELECT FROM listed l JOIN pg_class c ON c.oid = "
	"to_regclass(format('%I.%I', l.s, l.t)) WHERE l.rows "
	"AND has_any_column_privilege(r.oid, c.oid, 'INSERT') "
	"AND NOT pg_has_role(r.oid, c.relowner, 'USAGE'))",
};

static const struct check check_far_columns = {
	"a part of it is on another server, where Sworn can keep no residence "
	"beside its keys",
	"SELECT DISTINCT format('%s', p.ftrelid::regclass), "
	"'apply without --residence-columns' FROM " FAR,
};

static void
put_values(struct buf *out, const char *a, const char *b)
{
	buf_str(out, ", (");
	text_sql_literal(out, a);
	buf_str(out, ", ");
	text_sql_literal(out, b);
}

static void
put_column(struct buf *out, const char *schema, const char *table,
    const char *column)
{
	put_values(out, schema, table);
	buf_str(out, ", ");
	text_sql_literal(out, column);
	buf_str(out, ")");
}

static void
put_step(struct buf *out, const struct catalog_step *s)
{
	put_column(out, s->schema, s->table, s->key);
}

/* listed(s, t, guarded, rows): rows says that row security is used. */
static void
put_listed(struct buf *out, const struct catalog *c)
{
	const struct catalog_table *t;
	size_t i;

	buf_str(out, "WITH listed(s, t, guarded, rows) AS (VALUES "
	    "('', '', false, false)");
	for (i = 0; i < c->n_tables; i++) {
		t = &c->tables[i];
		put_values(out, t->schema, t->name);
		buf_fmt(out, ", %s, %s)", t->is_public ? "false" : "true",
		    t->is_public || c->residence_store ? "false" : "true");
	}
	buf_str(out, " OFFSET 1), columns(s, t, c) AS "
	    "(VALUES ('', '', '')");
	for (i = 0; i < c->n_tables; i++) {
		size_t k, j;

		t = &c->tables[i];
		for (k = 0; k < t->n_columns; k++)
			put_column(out, t->schema, t->name,
			    t->columns[k].name);
		for (k = 0; k < t->n_subjects; k++)
			for (j = 0; j < t->subjects[k].n; j++)
				put_step(out, &t->subjects[k].steps[j]);
	}
	for (i = 0; i < c->n_residence_steps; i++)
		put_step(out, &c->residence_steps[i]);
	buf_str(out, " OFFSET 1) ");
}

int
check_run(PGconn *c, const struct catalog *catalog,
    const struct check *check, FILE *out, size_t *ret_n)
{
	PGresult *rows = NULL;
	struct buf sql;
	int r, i;

	buf_init(&sql, 0);
	put_listed(&sql, catalog);
	buf_str(&sql, check->sql);
	buf_str(&sql, " ORDER BY 1");
	r = db_rows_buf(c, "looking at the store", &sql, &rows);
	for (i = 0; r == 0 && i < PQntuples(rows); i++)
		(void)fprintf(out, "%s: %s\n    %s\n",
		    PQgetvalue(rows, i, 0), check->what,
		    PQgetvalue(rows, i, 1));
	*ret_n += r == 0 ? (size_t)PQntuples(rows) : 0;
	PQclear(rows);
	buf_done(&sql);
	return r;
}

int
checks_run(PGconn *c, const struct catalog *catalog, bool temp_too,
    FILE *out, size_t *ret_n)
{
	size_t i, missing = 0;
	int r;

	/* Without its tables the others make no sense. */
	r = check_run(c, catalog, &checks[0], out, &missing);
	if (r != 0 || missing > 0) {
		*ret_n += missing;
		return r;
	}
	for (i = 1; i < sizeof(checks) / sizeof(checks[0]); i++)
		if ((r = check_run(c, catalog, &checks[i], out, ret_n)) != 0)
			return r;
	return temp_too ? check_run(c, catalog, &check_temp, out, ret_n) : 0;
}

int
checks_far_columns(PGconn *c, const struct catalog *catalog, FILE *out,
    size_t *ret_n)
{
	return check_run(c, catalog, &check_far_columns, out, ret_n);
}

int
checks_warn_copy(PGconn *c, const struct catalog *catalog)
{
	size_t n = 0;

	return check_run(c, catalog, &check_copy, stderr, &n);
}

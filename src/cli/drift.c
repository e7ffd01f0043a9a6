/*
 * sworn drift -c FILE STORE --admin DSN
 *
 * What differs in a store from what sworn apply made there, and what has come
 * since that goes around it. Each finding is a line that names it and says
 * why it matters, and a line with the SQL that mends it. Changes nothing:
 * one read-only transaction, one snapshot.
 *
 * Exit status, as diff(1): 0 none, 1 drift, 2 it could not be told.
 *
 * Two looks: queries for what can be named, and for each login, and for the
 * base, the hash of what the server says of it (enforce_print_sql) against
 * the one that apply kept in sworn.state. The second misses nothing of what
 * apply made, but can only say whose it is.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/checks.h"
#include "cli/clearances.h"
#include "cli/cmd.h"
#include "cli/columns.h"
#include "cli/db.h"
#include "cli/load.h"
#include "cli/options.h"
#include "crypto/hash.h"
#include "enforce/enforce.h"
#include "enforce/keep.h"
#include "gateway/config.h"

#define LOGIN "'^sworn_[0-9a-f]{16}$' "
#define OWNER "'^sworn_p?[0-9a-f]{16}_own$' "
#define VIEWS "'^sworn_p?[0-9a-f]{16}(_twin)?$' "
#define PANES "'^sworn_p[0-9a-f]{16}(_twin)?$' "
#define OWNER_OF "regexp_replace(n.nspname, '_twin$', '') || '_own'"
#define OURS "'^sworn_(p?[0-9a-f]{16}(_own)?|way)$' "

/* A clearance that may write: which of these rights it has, its hash tells. */
#define WRITES "(x.privilege_type IN ('INSERT', 'UPDATE', 'DELETE') AND " \
	"NOT x.is_grantable AND EXISTS (SELECT FROM pg_db_role_setting s " \
	"JOIN pg_roles w ON w.oid = s.setrole WHERE w.rolname ~ " LOGIN \
	"AND 'default_transaction_read_only=off' = ANY (s.setconfig) AND " \
	"(w.rolname = regexp_replace(g.rolname, '_own$', '') OR " \
	"g.rolname ~ '^sworn_p'))) "

struct drift {
	PGconn *c;
	const struct config *config;
	const struct config_store *store;
	const char *file;
	struct clearances wanted;
	size_t n;		/* findings */
};

static const struct check checks[] = {
	{ "a login of a clearance, or its views' owner, has more than it was "
	    "made with",
	    "SELECT format('role %I', rolname), format('ALTER ROLE %I %s "
	    "NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION "
	    "NOBYPASSRLS;', rolname, CASE WHEN rolname ~ " LOGIN
	    "THEN 'LOGIN' ELSE 'NOLOGIN' END) FROM pg_roles "
	    "WHERE rolname ~ " OURS "AND (rolsuper OR rolcreatedb OR "
	    "rolcreaterole OR rolreplication OR rolbypassrls OR rolinherit "
	    "OR rolcanlogin <> (rolname ~ " LOGIN "))" },
	{ "a clearance's roles are members of nothing and have no members",
	    "SELECT format('role %I in role %I', m.rolname, g.rolname), "
	    "format('REVOKE %I FROM %I;', g.rolname, m.rolname) "
	    "FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member "
	    "JOIN pg_roles g ON g.oid = a.roleid WHERE m.rolname ~ " OURS
	    "OR g.rolname ~ " OURS },
	{ "a login has this beside its own views",
	    "SELECT format('%s on %s for %I', x.privilege_type, "
	    "c.oid::regclass, g.rolname), format('REVOKE %s ON %s FROM %I;', "
	    "x.privilege_type, c.oid::regclass, g.rolname) FROM pg_class c "
	    "JOIN pg_namespace n ON n.oid = c.relnamespace, "
	    "aclexplode(c.relacl) x JOIN pg_roles g ON g.oid = x.grantee "
	    "WHERE g.rolname ~ " LOGIN "AND ((n.nspname NOT IN "
	    "(g.rolname, g.rolname || '_twin') AND n.nspname !~ " PANES ") OR "
	    "(x.privilege_type <> 'SELECT' AND NOT " WRITES ") OR "
	    "x.is_grantable) "
	    "UNION ALL SELECT format('%s on %s.%I for %I', "
	    "x.privilege_type, c.oid::regclass, a.attname, g.rolname), "
	    "format('REVOKE %s (%I) ON %s FROM %I;', x.privilege_type, "
	    "a.attname, c.oid::regclass, g.rolname) FROM pg_attribute a "
	    "JOIN pg_class c ON c.oid = a.attrelid "
	    "JOIN pg_namespace n ON n.oid = c.relnamespace, "
	    "aclexplode(a.attacl) x JOIN pg_roles g ON g.oid = x.grantee "
	    "WHERE g.rolname ~ " LOGIN "AND NOT (" WRITES "AND (n.nspname = "
	    "g.rolname OR n.nspname ~ " PANES ")) "
	    "UNION ALL SELECT format('%s on schema %I for %I', "
	    "x.privilege_type, n.nspname, g.rolname), format('REVOKE %s ON "
	    "SCHEMA %I FROM %I;', x.privilege_type, n.nspname, g.rolname) "
	    "FROM pg_namespace n, aclexplode(n.nspacl) x JOIN pg_roles g "
	    "ON g.oid = x.grantee WHERE g.rolname ~ " LOGIN
	    "AND ((n.nspname NOT IN (g.rolname, g.rolname || '_twin') AND "
	    "n.nspname !~ " PANES ") OR x.privilege_type <> 'USAGE') "
	    "UNION ALL SELECT format('function %s for %I', "
	    "p.oid::regprocedure, g.rolname), format('REVOKE EXECUTE ON "
	    "ROUTINE %s FROM %I;', p.oid::regprocedure, g.rolname) "
	    "FROM pg_proc p, aclexplode(p.proacl) x JOIN pg_roles g "
	    "ON g.oid = x.grantee WHERE x.grantee <> p.proowner AND "
	    "g.rolname ~ " OURS
	    "UNION ALL SELECT format('%s on database %I for %I', "
	    "x.privilege_type, d.datname, g.rolname), format('REVOKE %s ON "
	    "DATABASE %I FROM %I;', x.privilege_type, d.datname, g.rolname) "
	    "FROM pg_database d, aclexplode(d.datacl) x JOIN pg_roles g "
	    "ON g.oid = x.grantee WHERE g.rolname ~ " OURS },
	{ "the owner of a clearance's views may do more than its views need",
	    "SELECT format('%s on %s for %I', x.privilege_type, "
	    "c.oid::regclass, g.rolname), format('REVOKE %s ON %s FROM %I;', "
	    "x.privilege_type, c.oid::regclass, g.rolname) FROM pg_class c "
	    "JOIN pg_namespace n ON n.oid = c.relnamespace "
	    "LEFT JOIN listed l ON l.s = n.nspname AND l.t = c.relname, "
	    "aclexplode(c.relacl) x JOIN pg_roles g ON g.oid = x.grantee "
	    "WHERE g.rolname ~ " OWNER "AND c.relowner <> g.oid AND "
	    "n.nspname NOT IN ('sworn', 'sworn_tag') AND "
	    "CASE WHEN x.privilege_type = 'SELECT' THEN l.guarded IS NOT "
	    "FALSE ELSE NOT (l.guarded IS TRUE AND " WRITES ") END "
	    "UNION ALL SELECT format('%s on %s.%I for %I', "
	    "x.privilege_type, c.oid::regclass, a.attname, g.rolname), "
	    "format('REVOKE %s (%I) ON %s FROM %I;', x.privilege_type, "
	    "a.attname, c.oid::regclass, g.rolname) FROM pg_attribute a "
	    "JOIN pg_class c ON c.oid = a.attrelid "
	    "JOIN pg_namespace n ON n.oid = c.relnamespace, "
	    "aclexplode(a.attacl) x JOIN pg_roles g ON g.oid = x.grantee "
	    "WHERE g.rolname ~ " OWNER "AND n.nspname <> 'sworn' AND "
	    "NOT " WRITES "AND (x.privilege_type <> 'SELECT' OR (NOT EXISTS (SELECT FROM "
	    "pg_depend d JOIN pg_rewrite w ON d.classid = "
	    "'pg_rewrite'::regclass AND d.objid = w.oid JOIN pg_class v "
	    "ON v.oid = w.ev_class WHERE v.relowner = g.oid AND "
	    "d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid "
	    "AND d.refobjsubid = a.attnum) AND EXISTS (SELECT FROM "
	    "pg_depend d JOIN pg_rewrite w ON d.classid = "
	    "'pg_rewrite'::regclass AND d.objid = w.oid JOIN pg_class v "
	    "ON v.oid = w.ev_class WHERE v.relowner = g.oid AND "
	    "d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid "
	    "AND d.refobjsubid > 0)))" },
	{ "it is in a clearance's schema and was not made so",
	    "SELECT format('%s, owned by %I', c.oid::regclass, "
	    "pg_get_userbyid(c.relowner)), CASE WHEN c.relkind = 'v' THEN "
	    "format('ALTER VIEW %s OWNER TO %I;', c.oid::regclass, "
	    OWNER_OF ") ELSE format('DROP %s %s;', CASE c.relkind "
	    "WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' "
	    "WHEN 'i' THEN 'INDEX' WHEN 'f' THEN 'FOREIGN TABLE' ELSE "
	    "'TABLE' END, c.oid::regclass) END FROM pg_class c "
	    "JOIN pg_namespace n ON n.oid = c.relnamespace "
	    "WHERE n.nspname ~ " VIEWS "AND c.relkind <> 'c' AND "
	    "(c.relkind <> 'v' OR pg_get_userbyid(c.relowner) <> "
	    OWNER_OF ") "
	    "UNION ALL SELECT format('%s on %s for %s', x.privilege_type, "
	    "c.oid::regclass, coalesce(quote_ident(g.rolname), 'PUBLIC')), "
	    "format('REVOKE %s ON %s FROM %s;', x.privilege_type, "
	    "c.oid::regclass, coalesce(quote_ident(g.rolname), 'PUBLIC')) "
	    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, "
	    "aclexplode(c.relacl) x LEFT JOIN pg_roles g "
	    "ON g.oid = x.grantee WHERE n.nspname ~ " VIEWS
	    "AND x.grantee <> c.relowner AND coalesce(g.rolname, '') <> "
	    "regexp_replace(n.nspname, '_twin$', '') AND NOT (n.nspname ~ "
	    PANES "AND coalesce(g.rolname, '') ~ " LOGIN ")" },
	{ "a part of its table is on another server, and hidden rows there "
	    "meet a reader's conditions; sworn apply makes it a barrier",
	    "SELECT DISTINCT format('view %s', v.oid::regclass), format('ALTER VIEW %s SET "
	    "(security_barrier);', v.oid::regclass) FROM pg_class v "
	    "JOIN pg_namespace n ON n.oid = v.relnamespace "
	    "JOIN pg_rewrite w ON w.ev_class = v.oid JOIN pg_depend d "
	    "ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid "
	    "AND d.refclassid = 'pg_class'::regclass "
	    "JOIN (WITH RECURSIVE above(oid) AS (SELECT ftrelid FROM "
	    "pg_foreign_table UNION SELECT i.inhparent FROM pg_inherits i "
	    "JOIN above ON i.inhrelid = above.oid) SELECT oid FROM above) far "
	    "ON far.oid = d.refobjid JOIN pg_class c ON c.oid = d.refobjid "
	    "JOIN pg_namespace m ON m.oid = c.relnamespace "
	    "JOIN listed l ON l.s = m.nspname AND l.t = c.relname "
	    "WHERE l.guarded AND v.relkind = 'v' AND n.nspname ~ " VIEWS
	    "AND NOT coalesce(v.reloptions @> '{security_barrier=true}', "
	    "false)" },
	{ "row security is off, and the views show all rows",
	    "SELECT format('table %s', c.oid::regclass), format('ALTER TABLE "
	    "%s ENABLE ROW LEVEL SECURITY;', c.oid::regclass) FROM listed l "
	    "JOIN pg_class c ON c.oid = to_regclass(format('%I.%I', l.s, "
	    "l.t)) WHERE l.rows AND NOT c.relrowsecurity" },
	{ "a clearance's row filter is gone or lets everything through; this "
	    "closes the table to it until sworn apply has run",
	    "SELECT format('table %s for %I', c.oid::regclass, g.rolname), "
	    "format('REVOKE SELECT ON %s FROM %I;', c.oid::regclass, "
	    "g.rolname) FROM listed l JOIN pg_class c ON c.oid = "
	    "to_regclass(format('%I.%I', l.s, l.t)), pg_roles g "
	    "WHERE l.rows AND g.rolname ~ " OWNER "AND "
	    "has_any_column_privilege(g.oid, c.oid, 'SELECT') "
	    "AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid "
	    "AND p.polname = regexp_replace(g.rolname, '_own$', '_rows') AND "
	    "NOT p.polpermissive AND p.polroles = ARRAY[g.oid] AND "
	    "pg_get_expr(p.polqual, p.polrelid) NOT IN ('true', '(true)'))" },
	{ "what everybody else may see depends on it",
	    "SELECT format('policy sworn_all on %s', c.oid::regclass), "
	    "format('CREATE POLICY sworn_all ON %s USING (true) WITH CHECK "
	    "(true);', c.oid::regclass) FROM sworn.row_security s "
	    "JOIN pg_class c ON c.oid = to_regclass(format('%I.%I', "
	    "s.table_schema, s.table_name)) WHERE NOT EXISTS (SELECT FROM "
	    "pg_policy p WHERE p.polrelid = c.oid AND "
	    "p.polname = 'sworn_all')" },
	{ "it was made since the last apply, and the catalog does not say "
	    "whose data is in it",
	    "SELECT format('%s', c.oid::regclass), '-- list it in the "
	    "catalog, guarded or public, and run sworn apply' "
	    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
	    "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') "
	    "AND c.oid > to_regclass('sworn.state')::oid "
	    "AND n.nspname IN (SELECT l.s FROM listed l WHERE l.guarded) "
	    "AND NOT EXISTS (SELECT FROM listed l WHERE l.s = n.nspname "
	    "AND l.t = c.relname)" },
	{ "whatever is made later will be open to every login",
	    "SELECT format('default privileges of %I', r.rolname), "
	    "format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s REVOKE ALL ON "
	    "TABLES FROM PUBLIC;', r.rolname, CASE WHEN n.oid IS NULL THEN '' "
	    "ELSE format(' IN SCHEMA %I', n.nspname) END) "
	    "FROM pg_default_acl d JOIN pg_roles r ON r.oid = d.defaclrole "
	    "LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace "
	    "WHERE d.defaclobjtype = 'r' AND EXISTS (SELECT FROM "
	    "aclexplode(d.defaclacl) x WHERE x.grantee = 0)" },
};

/* Who may log in to the store itself, and is not one of the gateway's. */
static int
find_logins(struct drift *d)
{
	struct check check = { .what = "it may log in around the gateway, "
	    "and reads or writes what is guarded" };
	struct buf sql;
	size_t i;
	int r;

	buf_init(&sql, 0);
	buf_str(&sql, "SELECT format('role %I%s', r.rolname, CASE WHEN "
	    "r.rolsuper THEN ' (superuser)' ELSE '' END), "
	    "format('ALTER ROLE %I NOLOGIN;', r.rolname) FROM pg_roles r "
	    "WHERE r.rolcanlogin AND r.rolname !~ " OURS
	    "AND r.rolname NOT IN (session_user");
	if (d->store->observe_role != NULL) {
		buf_str(&sql, ", ");
		text_sql_literal(&sql, d->store->observe_role);
	}
	for (i = 0; i < d->store->n_services; i++) {
		buf_str(&sql, ", ");
		text_sql_literal(&sql, d->store->service_roles[i]);
	}
	buf_str(&sql, ") AND has_database_privilege(r.oid, "
	    "current_database(), 'CONNECT') AND EXISTS (SELECT FROM listed l "
	    "JOIN pg_class c ON c.oid = to_regclass(format('%I.%I', l.s, "
	    "l.t)) WHERE l.guarded AND (has_any_column_privilege(r.oid, "
	    "c.oid, 'SELECT, INSERT, UPDATE') OR has_table_privilege(r.oid, "
	    "c.oid, 'DELETE, TRUNCATE')))");
	check.sql = buf_text(&sql);
	r = check.sql == NULL ? ERR_MEMORY : check_run(d->c,
	    d->store->catalog, &check, stdout, &d->n);
	buf_done(&sql);
	return r;
}

static void
found(struct drift *d, const char *what, const char *name, const char *why)
{
	(void)printf("%s%s: %s\n    -- sworn apply -c %s %s\n", what, name,
	    why, d->file, d->store->name);
	d->n++;
}

/* Whether what the server has of the base is as the value in sworn.state
 * says, "HASH HASH". */
static int
base_same(struct drift *d, const char *value, bool *ret)
{
	uint8_t hash[HASH_LEN];
	PGresult *rows = NULL;
	struct buf sql, hex;
	const char *kept = strchr(value, ' ');
	int r;

	buf_init(&sql, 0);
	buf_init(&hex, 0);
	if ((r = enforce_print_base_sql(&sql)) != 0 ||
	    (r = db_rows_buf(d->c, "comparing with what was made", &sql,
	    &rows)) != 0 ||
	    (r = hash_sha256(PQgetvalue(rows, 0, 0),
	    (size_t)PQgetlength(rows, 0, 0), hash)) != 0)
		goto out;
	text_hex(&hex, hash, sizeof(hash));
	if (buf_text(&hex) == NULL)
		r = ERR_MEMORY;
	else
		*ret = kept != NULL && strcmp(kept + 1, buf_text(&hex)) == 0;
out:
	PQclear(rows);
	buf_done(&sql);
	buf_done(&hex);
	return r;
}

static int
read_prints(struct drift *d, bool closed, PGresult **ret)
{
	struct buf sql;
	int r;

	buf_init(&sql, 0);
	if ((r = enforce_prints_sql(NULL, closed, &sql)) == 0)
		r = db_rows_buf(d->c, "comparing with what was made", &sql,
		    ret);
	buf_done(&sql);
	return r;
}

/* Of a clearance, a pane or a login; prints has (name, hash), by name. */
static bool
is_same(PGresult *prints, const char *name, const char *value)
{
	const char *kept = strchr(value, ' ');
	int lo = 0, hi = PQntuples(prints), at, order;

	while (lo < hi) {
		at = lo + (hi - lo) / 2;
		order = strcmp(PQgetvalue(prints, at, 0), name);
		if (order == 0)
			return kept != NULL && strcmp(kept + 1,
			    PQgetvalue(prints, at, 1)) == 0;
		if (order < 0)
			lo = at + 1;
		else
			hi = at;
	}
	return false;
}

static const char changed_words[] = "not as they were made: roles, views, "
    "rights, row filters or settings";

static int
find_changed_base(struct drift *d, PGresult *state)
{
	bool same = false;
	int i, r;

	for (i = 0; i < PQntuples(state); i++) {
		if (strcmp(PQgetvalue(state, i, 0), "closed") == 0)
			found(d, "store ", d->store->name, "an apply that "
			    "takes several transactions has not ended, and "
			    "persons cannot log in until one has");
		if (strcmp(PQgetvalue(state, i, 0), "base") != 0)
			continue;
		r = base_same(d, PQgetvalue(state, i, 1), &same);
		if (r != 0)
			return r;
		if (!same)
			found(d, "the ways to residences", "", changed_words);
	}
	return 0;
}

static int
find_changed(struct drift *d, PGresult *state)
{
	PGresult *prints = NULL;
	const char *key, *name;
	bool pane, closed = false;
	int i, r;

	for (i = 0; i < PQntuples(state); i++)
		if (strcmp(PQgetvalue(state, i, 0), "closed") == 0)
			closed = true;
	if ((r = find_changed_base(d, state)) != 0 ||
	    (r = read_prints(d, closed, &prints)) != 0)
		return r;
	for (i = 0; i < PQntuples(state); i++) {
		key = PQgetvalue(state, i, 0);
		pane = text_starts(key, "pane " ENFORCE_PREFIX);
		if (!pane && !text_starts(key, "role " ENFORCE_PREFIX))
			continue;
		name = key + strlen("role ");
		if (!is_same(prints, name, PQgetvalue(state, i, 1)))
			found(d, pane ? "shared views " : "role ", name,
			    changed_words);
		if (!pane && clearances_find(&d->wanted, name) == NULL)
			found(d, "role ", name, "the policy no longer gives "
			    "out this clearance");
	}
	PQclear(prints);
	return 0;
}

static int
find_missing(struct drift *d, PGresult *state)
{
	size_t i;
	int k;

	for (i = 0; i < d->wanted.n; i++) {
		for (k = 0; k < PQntuples(state); k++)
			if (text_starts(PQgetvalue(state, k, 0), "role ") &&
			    strcmp(PQgetvalue(state, k, 0) + 5,
			    d->wanted.items[i].role) == 0)
				break;
		if (k == PQntuples(state))
			found(d, "role ", d->wanted.items[i].role,
			    "the policy gives out this clearance, and the "
			    "store does not have it");
	}
	return 0;
}

/* Residence columns: how they are kept, and whether they are right. */
static int
find_columns(struct drift *d)
{
	bool there = false, same = false;
	PGresult *rows = NULL;
	struct buf sql;
	int r, i;

	if ((r = columns_are_there(d->c, &there)) != 0 || !there)
		return r;
	if ((r = columns_same(d->c, &same)) != 0)
		return r;
	if (!same)
		found(d, "the residence columns", "", "not as they were made: "
		    "triggers, functions, columns or role sworn_keep");
	buf_init(&sql, 0);
	if ((r = keep_check_sql(d->store->catalog, &sql)) == 0)
		r = db_rows_buf(d->c, "comparing residences", &sql, &rows);
	for (i = 0; r == 0 && i < PQntuples(rows); i++) {
		(void)printf("%s.\"%s\": in %s rows it is not the residence "
		    "to which their keys lead\n    UPDATE %s SET \"%s\" = "
		    "NULL;\n", PQgetvalue(rows, i, 0), PQgetvalue(rows, i, 1),
		    PQgetvalue(rows, i, 2), PQgetvalue(rows, i, 0),
		    PQgetvalue(rows, i, 1));
		d->n++;
	}
	PQclear(rows);
	buf_done(&sql);
	return r;
}

static int
find_all(struct drift *d)
{
	PGresult *has = NULL, *state = NULL;
	size_t i;
	int r;

	r = db_rows(d->c, "looking for what was applied", "SELECT 1 WHERE "
	    "to_regclass('sworn.state') IS NOT NULL AND "
	    "to_regclass('sworn.row_security') IS NOT NULL", &has);
	if (r != 0)
		goto out;
	if (PQntuples(has) == 0) {
		found(d, "store ", d->store->name, "nothing is applied");
		goto out;
	}
	if ((r = checks_run(d->c, d->store->catalog, true, stdout,
	    &d->n)) != 0)
		goto out;
	for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if ((r = check_run(d->c, d->store->catalog, &checks[i],
		    stdout, &d->n)) != 0)
			goto out;
	if ((r = find_logins(d)) != 0 ||
	    (r = db_rows(d->c, "reading what was applied",
	    "SELECT key, value FROM sworn.state ORDER BY key", &state)) != 0 ||
	    (r = find_changed(d, state)) != 0)
		goto out;
	if ((r = find_missing(d, state)) == 0)
		r = find_columns(d);
out:
	PQclear(has);
	PQclear(state);
	return r;
}

static int
drift_store(struct drift *d, const char *admin)
{
	struct why w;
	int r;

	r = clearances_make(d->config, d->store, clock_now_ms(), &d->wanted,
	    &w);
	if (r != 0) {
		(void)fprintf(stderr, "sworn drift: %s\n", w.text);
		return r;
	}
	if ((r = db_open(admin, &d->c)) != 0 ||
	    (r = db_run(d->c, "beginning", "BEGIN ISOLATION LEVEL REPEATABLE "
	    "READ READ ONLY")) != 0 ||
	    (r = find_all(d)) != 0)
		return r;
	if (d->n == 0)
		(void)printf("store %s: as sworn apply made it, %zu "
		    "clearances\n", d->store->name, d->wanted.n);
	else
		(void)printf("store %s: %zu findings\n", d->store->name,
		    d->n);
	return 0;
}

int
cmd_drift(int argc, char **argv)
{
	static const char usage[] =
	    "usage: sworn drift -c FILE STORE --admin DSN\n";
	struct drift d = { .n = 0 };
	struct config *config = NULL;
	const char *file = NULL, *admin = NULL, *words[1] = { NULL };
	const struct option_slot slots[] = {
		{ "-c", &file, NULL }, { "--admin", &admin, NULL },
		{ NULL, NULL, NULL },
	};
	int r = ERR_MISSING;

	if (options_read(argc, argv, slots, words, 1, usage) != 0)
		return 2;
	if (file == NULL || admin == NULL) {
		(void)fprintf(stderr, "%s", usage);
		return 2;
	}
	d.file = file;
	if ((config = load_config(file)) == NULL)
		goto out;
	d.config = config;
	d.store = config_store_find(config, words[0]);
	if (d.store == NULL)
		(void)fprintf(stderr, "sworn drift: %s has no store \"%s\"\n",
		    file, words[0]);
	else
		r = drift_store(&d, admin);
out:
	PQfinish(d.c);
	clearances_done(&d.wanted);
	config_free(config);
	if (r != 0)
		return 2;
	return d.n > 0 ? 1 : 0;
}

/*
 * Only pg_catalog is read, which every login may. Whatever a query says must
 * not depend on who asks: so identifiers instead of names that are qualified
 * where they are not on the search path, and stored trees instead of text.
 *
 * What is not apply's own matters where it goes around the clearances: what
 * PUBLIC has, which every login has too; relations beside the guarded ones;
 * and logins that reach guarded tables. One of those gone is no drift.
 */
#include "enforce/watch.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "catalog/catalog.h"

#define OURS "'^sworn_(p?[0-9a-f]{16}(_own)?|way|keep)$'"
#define BASE "'sworn base'"
#define PUBLICS "'rights of PUBLIC'"
/* A right of nobody that apply makes and takes away with a clearance. */
#define OTHERS "x.grantee NOT IN (SELECT oid FROM every)"

static const char with_sql[] =
    ", every AS MATERIALIZED (SELECT oid, rolname, regexp_replace(rolname, "
    "'_own$', '') AS name FROM pg_roles WHERE rolname ~ " OURS "),\n"
    "places AS MATERIALIZED (SELECT oid, nspowner, nspacl, CASE WHEN nspname "
    "IN ('sworn', 'sworn_tag') THEN " BASE " ELSE regexp_replace(nspname, "
    "'_twin$', '') END AS name FROM pg_namespace WHERE nspname ~ "
    "'^sworn(_p?[0-9a-f]{16}(_twin)?|_tag)?$'),\n"
    "tables AS MATERIALIZED (SELECT c.oid, c.relname, n.nspname FROM listed "
    "l JOIN pg_namespace n ON n.nspname = l.s JOIN pg_class c ON "
    "c.relnamespace = n.oid AND c.relname = l.t),\n"
    "said(name, what) AS (\n";

static const char ours_sql[] =
    "SELECT e.name, concat_ws(' ', 'role', (to_jsonb(r) - 'rolpassword' - "
    "'rolvaliduntil'), extract(epoch FROM r.rolvaliduntil)) FROM pg_roles r "
    "JOIN every e USING (oid)\n"
    "UNION ALL SELECT e.name, concat_ws(' ', 'setting', to_jsonb(s)) FROM "
    "pg_db_role_setting s JOIN every e ON s.setrole = e.oid\n"
    "UNION ALL SELECT e.name, concat_ws(' ', 'default', to_jsonb(d)) FROM "
    "pg_default_acl d JOIN every e ON d.defaclrole = e.oid\n"
    "UNION ALL SELECT e.name, concat_ws(' ', 'member', to_jsonb(m) - 'oid') "
    "FROM pg_auth_members m JOIN every e ON e.oid IN (m.member, m.roleid)\n"
    "UNION ALL SELECT p.name, concat_ws(' ', 'schema', p.oid, p.nspowner, "
    "array(SELECT x::text FROM aclexplode(p.nspacl) x WHERE " OTHERS
    " ORDER BY 1)) FROM places p\n"
    "UNION ALL SELECT p.name, concat_ws(' ', 'view', c.relname, c.relkind, "
    "array(SELECT x::text FROM aclexplode(c.relacl) x WHERE " OTHERS
    " ORDER BY 1), c.relowner, c.reloptions, (SELECT string_agg(concat_ws("
    "' ', w.rulename, w.ev_type, w.is_instead, md5(w.ev_action::text), "
    "w.ev_qual::text), ' ' ORDER BY w.rulename) FROM pg_rewrite w WHERE "
    "w.ev_class = c.oid)) FROM pg_class c JOIN places p ON p.oid = "
    "c.relnamespace WHERE c.relkind NOT IN ('i', 'c', 't')\n"
    "UNION ALL SELECT p.name, concat_ws(' ', 'function', f.oid, f.proname, "
    "f.proowner, f.prosecdef, md5(f.prosrc), f.prosqlbody::text, "
    "f.proconfig, array(SELECT x::text FROM aclexplode(f.proacl) x WHERE "
    OTHERS " ORDER BY 1)) FROM pg_proc f JOIN places p ON p.oid = "
    "f.pronamespace\n"
    "UNION ALL SELECT " BASE ", concat_ws(' ', 'trigger', to_jsonb(t)) FROM "
    "pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid JOIN places p ON p.oid "
    "= f.pronamespace\n"
    "UNION ALL SELECT e.name, concat_ws(' ', 'policy', to_jsonb(p) - 'oid') FROM "
    "pg_policy p JOIN every e ON e.oid = ANY (p.polroles)\n"
    "UNION ALL SELECT " BASE ", concat_ws(' ', 'all', to_jsonb(p) - 'oid', "
    "c.relrowsecurity) FROM pg_policy p JOIN pg_class c ON c.oid = "
    "p.polrelid WHERE p.polname = 'sworn_all'\n"
    "UNION ALL SELECT e.name, concat_ws(' ', 'column', a.attrelid, "
    "a.attname, x.privilege_type, x.is_grantable, e.rolname) FROM "
    "pg_attribute a, aclexplode(a.attacl) x JOIN every e ON x.grantee = "
    "e.oid WHERE a.attacl IS NOT NULL\n"
    "UNION ALL SELECT e.name, concat_ws(' ', 'table', c.oid, "
    "x.privilege_type, x.is_grantable, e.rolname) FROM pg_class c, "
    "aclexplode(c.relacl) x JOIN every e ON x.grantee = e.oid\n"
    "UNION ALL SELECT e.name, concat_ws(' ', 'in schema', n.oid, "
    "x.privilege_type, x.is_grantable, e.rolname) FROM pg_namespace n, "
    "aclexplode(n.nspacl) x JOIN every e ON x.grantee = e.oid\n"
    "UNION ALL SELECT e.name, concat_ws(' ', 'calls', f.oid, e.rolname) "
    "FROM pg_proc f, aclexplode(f.proacl) x JOIN every e ON x.grantee = "
    "e.oid WHERE f.proacl IS NOT NULL\n"
    "UNION ALL SELECT e.name, concat_ws(' ', 'database', d.oid, "
    "x.privilege_type, e.rolname) FROM pg_database d, aclexplode(d.datacl) x "
    "JOIN every e ON x.grantee = e.oid\n";

static const char others_sql[] =
    "UNION ALL SELECT concat('relation ', n.nspname, '.', c.relname), "
    "concat_ws(' ', 'relation', c.relkind, c.relrowsecurity) FROM pg_class "
    "c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN "
    "('r', 'p', 'v', 'm', 'f') AND n.nspname IN (SELECT s FROM listed)\n"
    "UNION ALL SELECT " PUBLICS ", 'none else'\n"
    "UNION ALL SELECT " PUBLICS ", concat_ws(' ', 'relation', c.oid, "
    "x.privilege_type) FROM pg_class c JOIN pg_namespace n ON n.oid = "
    "c.relnamespace, aclexplode(c.relacl) x WHERE x.grantee = 0 AND "
    "n.nspname !~ '^pg_(temp|toast)'\n"
    "UNION ALL SELECT " PUBLICS ", concat_ws(' ', 'column', a.attrelid, "
    "a.attname, x.privilege_type) FROM pg_attribute a, aclexplode(a.attacl) "
    "x WHERE a.attacl IS NOT NULL AND x.grantee = 0\n"
    "UNION ALL SELECT " PUBLICS ", concat_ws(' ', 'definer', f.oid, "
    "f.proowner, md5(f.prosrc)) FROM pg_proc f WHERE f.prosecdef AND EXISTS "
    "(SELECT FROM aclexplode(coalesce(f.proacl, acldefault('f', "
    "f.proowner))) x WHERE x.grantee = 0)\n"
    "UNION ALL SELECT " PUBLICS ", concat_ws(' ', 'schema', n.oid) FROM "
    "pg_namespace n, aclexplode(n.nspacl) x WHERE x.grantee = 0 AND "
    "x.privilege_type = 'CREATE'\n"
    "UNION ALL SELECT " PUBLICS ", concat_ws(' ', 'database', "
    "x.privilege_type) FROM pg_database d, aclexplode(coalesce(d.datacl, "
    "acldefault('d', d.datdba))) x WHERE d.datname = current_database() AND "
    "x.grantee = 0\n"
    "UNION ALL SELECT " PUBLICS ", concat_ws(' ', 'large object', m.oid) "
    "FROM pg_largeobject_metadata m, aclexplode(m.lomacl) x WHERE "
    "x.grantee = 0\n"
    "UNION ALL SELECT " PUBLICS ", concat_ws(' ', 'later', d.oid, "
    "x.privilege_type) FROM pg_default_acl d, aclexplode(d.defaclacl) x "
    "WHERE x.grantee = 0 AND d.defaclobjtype = 'r'\n";

/* A superuser has all of it, whatever is granted. */
static const char logins_sql[] =
    "UNION ALL SELECT concat('login ', r.rolname), concat_ws(' ', CASE WHEN "
    "r.rolsuper THEN 'superuser' ELSE t.oid::text END, "
    "CASE WHEN NOT r.rolsuper THEN concat(has_any_column_privilege(r.oid, "
    "t.oid, 'SELECT'), has_any_column_privilege(r.oid, t.oid, 'INSERT, "
    "UPDATE'), has_table_privilege(r.oid, t.oid, 'DELETE, TRUNCATE')) END) "
    "FROM pg_roles r, tables t WHERE r.rolcanlogin AND r.rolname !~ " OURS
    " AND has_database_privilege(r.oid, current_database(), 'CONNECT') AND "
    "(has_any_column_privilege(r.oid, t.oid, 'SELECT, INSERT, UPDATE') OR "
    "has_table_privilege(r.oid, t.oid, 'DELETE, TRUNCATE')) AND r.rolname "
    "NOT IN (''";

int
watch_sql(const struct catalog *c, const char *const *roles, size_t n,
    struct buf *out)
{
	size_t i;

	buf_str(out, "WITH listed(s, t) AS (VALUES ('', '')");
	for (i = 0; i < c->n_tables; i++) {
		if (c->tables[i].is_public)
			continue;
		buf_str(out, ", (");
		text_sql_literal(out, c->tables[i].schema);
		buf_str(out, ", ");
		text_sql_literal(out, c->tables[i].name);
		buf_str(out, ")");
	}
	buf_str(out, ")");
	buf_str(out, with_sql);
	buf_str(out, ours_sql);
	buf_str(out, others_sql);
	buf_str(out, logins_sql);
	for (i = 0; i < n; i++) {
		buf_str(out, ", ");
		text_sql_literal(out, roles[i]);
	}
	buf_str(out, "))\nSELECT name, encode(sha256(convert_to(string_agg("
	    "DISTINCT what, E'\\n' ORDER BY what), 'UTF8')), 'hex') FROM "
	    "(SELECT name, what COLLATE \"C\" AS what FROM said) s "
	    "GROUP BY name ORDER BY name COLLATE \"C\"");
	return out->failed ? ERR_MEMORY : 0;
}

/* Whether it matters that it is gone. */
static bool
is_needed(const char *name)
{
	return !text_starts(name, "relation ") && !text_starts(name, "login ");
}

static const char *
why_new(const char *name)
{
	if (text_starts(name, "login "))
		return "it may log in around the gateway and reach what is "
		    "guarded, and could not when sworn apply ran";
	return "it was not there when sworn apply ran";
}

size_t
watch_compare(const struct watch_line *kept, size_t n_kept,
    const struct watch_line *now, size_t n_now,
    void (*found)(void *arg, const char *name, const char *why), void *arg)
{
	size_t i = 0, k = 0, n = 0;
	int order;

	while (i < n_kept || k < n_now) {
		order = i == n_kept ? 1 : k == n_now ? -1 :
		    strcmp(kept[i].name, now[k].name);
		if (order < 0 && is_needed(kept[i].name)) {
			found(arg, kept[i].name, "it is gone");
			n++;
		} else if (order > 0) {
			found(arg, now[k].name, why_new(now[k].name));
			n++;
		} else if (order == 0 &&
		    strcmp(kept[i].hash, now[k].hash) != 0) {
			found(arg, now[k].name, "it is not as sworn apply "
			    "left it");
			n++;
		}
		i += order <= 0;
		k += order >= 0;
	}
	return n;
}

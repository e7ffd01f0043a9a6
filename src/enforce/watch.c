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

#define OURS "'^sworn_(p?[0-9a-f]{16}(_own)?|way|keep)$'"
#define BASE "'sworn base'"
#define PUBLICS "'rights of PUBLIC'"
#define LOGIN_LINE "login "
/* A right of nobody that apply makes and takes away with a clearance. */
#define OTHERS "x.grantee NOT IN (SELECT oid FROM every)"

/* Roles are the whole server's: ours are those that this database depends on.
 * What a clearance may read columns of is guarded, with its partitions; what
 * it may read whole is public. */
static const char with_sql[] =
    "WITH RECURSIVE every AS MATERIALIZED (SELECT r.oid, r.rolname, "
    "regexp_replace(r.rolname, '_own$', '') AS name FROM pg_roles r WHERE "
    "r.rolname ~ " OURS " AND EXISTS (SELECT FROM pg_shdepend d WHERE "
    "d.refclassid = 'pg_authid'::regclass AND d.refobjid = r.oid AND d.dbid "
    "= (SELECT oid FROM pg_database WHERE datname = current_database()))),\n"
    "places AS MATERIALIZED (SELECT oid, nspowner, nspacl, CASE WHEN nspname "
    "IN ('sworn', 'sworn_tag') THEN " BASE " ELSE regexp_replace(nspname, "
    "'_twin$', '') END AS name FROM pg_namespace WHERE nspname ~ "
    "'^sworn(_p?[0-9a-f]{16}(_twin)?|_tag)?$'),\n"
    "granted AS MATERIALIZED (SELECT DISTINCT c.oid, c.relnamespace FROM "
    "pg_attribute a JOIN pg_class c ON c.oid = a.attrelid, aclexplode("
    "a.attacl) x JOIN every e ON x.grantee = e.oid WHERE a.attacl IS NOT "
    "NULL AND c.relnamespace NOT IN (SELECT oid FROM places)),\n"
    "tables AS (SELECT oid FROM granted UNION SELECT i.inhrelid FROM "
    "pg_inherits i JOIN tables t ON i.inhparent = t.oid),\n"
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
    "('r', 'p', 'v', 'm', 'f') AND n.oid IN (SELECT relnamespace FROM "
    "granted) AND NOT (c.relispartition AND c.relkind IN ('r', 'p') AND "
    "c.oid IN (SELECT oid FROM tables))\n"
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
    "FROM pg_roles r, tables t WHERE r.rolcanlogin AND r.oid NOT IN (SELECT "
    "oid FROM every) AND has_database_privilege(r.oid, current_database(), "
    "'CONNECT') AND (has_any_column_privilege(r.oid, t.oid, 'SELECT, INSERT, "
    "UPDATE') OR has_table_privilege(r.oid, t.oid, 'DELETE, TRUNCATE'))";

int
watch_sql(struct buf *out)
{
	buf_str(out, with_sql);
	buf_str(out, ours_sql);
	buf_str(out, others_sql);
	buf_str(out, logins_sql);
	buf_str(out, ")\nSELECT '' AS name, coalesce(obj_description("
	    "to_regnamespace('sworn'), 'pg_namespace'), '') AS hash\n"
	    "UNION ALL (SELECT name, encode(sha256(convert_to(string_agg("
	    "DISTINCT what, E'\\n' ORDER BY what), 'UTF8')), 'hex') FROM "
	    "(SELECT name COLLATE \"C\" AS name, what COLLATE \"C\" AS what "
	    "FROM said) s GROUP BY name) ORDER BY 1");
	return out->failed ? ERR_MEMORY : 0;
}

/* Whether it matters that it is gone. */
static bool
is_needed(const char *name)
{
	return !text_starts(name, "relation ") && !text_starts(name, LOGIN_LINE);
}

static const char *
why_new(const char *name)
{
	if (text_starts(name, LOGIN_LINE))
		return "it may log in around the gateway and reach what is "
		    "guarded, and could not when sworn apply ran";
	return "it was not there when sworn apply ran";
}

/* A login that is another's business: of a service, or the observe-role. */
static bool
is_expected(const char *name, const char *const *roles, size_t n)
{
	size_t i;

	if (!text_starts(name, LOGIN_LINE))
		return false;
	for (i = 0; i < n; i++)
		if (strcmp(name + strlen(LOGIN_LINE), roles[i]) == 0)
			return true;
	return false;
}

size_t
watch_compare(const struct watch_list *kept, const struct watch_list *now,
    const char *const *roles, size_t n_roles,
    void (*found)(void *arg, const char *name, const char *why), void *arg)
{
	size_t i = 0, k = 0, n = 0;
	const char *why, *name;
	int order;

	while (i < kept->n || k < now->n) {
		order = i == kept->n ? 1 : k == now->n ? -1 :
		    strcmp(kept->lines[i].name, now->lines[k].name);
		name = order <= 0 ? kept->lines[i].name : now->lines[k].name;
		why = NULL;
		if (order < 0 && is_needed(name))
			why = "it is gone";
		else if (order > 0)
			why = why_new(name);
		else if (order == 0 && strcmp(kept->lines[i].hash,
		    now->lines[k].hash) != 0)
			why = "it is not as sworn apply left it";
		if (why != NULL && !is_expected(name, roles, n_roles)) {
			found(arg, name, why);
			n++;
		}
		i += order <= 0;
		k += order >= 0;
	}
	return n;
}

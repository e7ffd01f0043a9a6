/*
 * What is there of a clearance, a pane or a login, in rows of text, hashed
 * by the server: definitions, owners, rights and attributes, all of them at
 * once, since at a thousand clearances each query of its own would be long.
 *
 * An object belongs to the name that its role's or schema's begins with. A
 * right belongs to whoever has it, so a login's right on a pane is the
 * login's and not the pane's.
 */
#include "enforce/enforce.h"

#include "base/buf.h"

#define NAMED "^sworn_p?[0-9a-f]{16}"

/* Whether a user mapping is still a copy of somebody's who is not Sworn. */
#define LIKE_OWNERS "EXISTS (SELECT FROM pg_catalog.pg_user_mapping o "	\
	"JOIN pg_catalog.pg_roles r ON r.oid = o.umuser WHERE o.umserver "	\
	"= m.umserver AND r.rolname !~ '^sworn_' AND o.umoptions IS NOT "	\
	"DISTINCT FROM m.umoptions)"

/* ours(oid, rolname, name): roles; places(oid, name): schemas. */
static void
ours_sql(const char *names, struct buf *out)
{
	buf_str(out, "WITH every AS (SELECT oid, rolname, regexp_replace("
	    "rolname, '_own$', '') AS name FROM pg_catalog.pg_roles "
	    "WHERE rolname ~ '" NAMED "(_own)?$'), ours AS MATERIALIZED "
	    "(SELECT * FROM every");
	if (names != NULL)
		buf_fmt(out, " WHERE name = ANY ('{%s}')", names);
	buf_str(out, "), places AS MATERIALIZED (SELECT * FROM (SELECT oid, "
	    "nspowner, nspacl, regexp_replace(nspname, '_twin$', '') AS name "
	    "FROM pg_catalog.pg_namespace WHERE nspname ~ '" NAMED
	    "(_twin)?$') p");
	if (names != NULL)
		buf_fmt(out, " WHERE name = ANY ('{%s}')", names);
	buf_str(out, "), said AS (\n");
}

static const char roles_sql[] =
    "UNION ALL SELECT ours.name, concat_ws(' ', 'setting', to_jsonb(s)) FROM "
    "pg_catalog.pg_db_role_setting s JOIN ours ON s.setrole = ours.oid\n"
    "UNION ALL SELECT ours.name, concat_ws(' ', 'default right', "
    "to_jsonb(d)) FROM "
    "pg_catalog.pg_default_acl d JOIN ours ON d.defaclrole = ours.oid\n"
    "UNION ALL SELECT ours.name, concat_ws(' ', 'member', to_jsonb(m)) FROM "
    "pg_catalog.pg_auth_members m JOIN ours ON ours.oid IN (m.member, "
    "m.roleid)\n"
    "UNION ALL SELECT ours.name, concat_ws(' ', 'mapping', m.umserver, "
    "ours.rolname, " LIKE_OWNERS ") FROM pg_catalog.pg_user_mapping m "
    "JOIN ours ON ours.oid = m.umuser\n"
    "UNION ALL SELECT s.login::text, concat_ws(' ', 'sees', s.place, "
    "s.stored) FROM sworn.sees s JOIN ours ON ours.rolname = s.login\n";

static const char objects_sql[] =
    "UNION ALL SELECT n.name, concat_ws(' ', 'schema', n.oid, n.nspowner, "
    "array(SELECT x::text FROM pg_catalog.aclexplode(n.nspacl) x "
    "WHERE x.grantee NOT IN (SELECT oid FROM every) ORDER BY 1)) "
    "FROM places n\n"
    "UNION ALL SELECT n.name, concat_ws(' ', 'view', c.relname, c.relkind, "
    "array(SELECT x::text FROM pg_catalog.aclexplode(c.relacl) x "
    "WHERE x.grantee NOT IN (SELECT oid FROM every) ORDER BY 1), "
    "c.relowner, c.reloptions, (SELECT string_agg(concat_ws(' ', "
    "w.rulename, w.ev_type, w.is_instead, md5(w.ev_action::text), "
    "w.ev_qual::text), ' ' ORDER BY w.rulename) FROM pg_catalog.pg_rewrite w "
    "WHERE w.ev_class = c.oid)) FROM pg_catalog.pg_class c JOIN places n "
    "ON n.oid = c.relnamespace WHERE c.relkind NOT IN ('i', 'c', 't')\n"
    "UNION ALL SELECT ours.name, concat_ws(' ', 'policy', to_jsonb(p)) "
    "FROM pg_catalog.pg_policy p JOIN ours ON ours.oid = ANY (p.polroles)\n"
    "UNION ALL SELECT ours.name, concat_ws(' ', 'column', a.attrelid, "
    "a.attname, x.privilege_type, x.is_grantable, ours.rolname) FROM "
    "pg_catalog.pg_attribute a, pg_catalog.aclexplode(a.attacl) x JOIN ours "
    "ON x.grantee = ours.oid WHERE a.attacl IS NOT NULL\n"
    "UNION ALL SELECT ours.name, concat_ws(' ', 'table', c.oid, "
    "x.privilege_type, x.is_grantable, ours.rolname) FROM "
    "pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) x JOIN ours "
    "ON x.grantee = ours.oid WHERE c.relacl IS NOT NULL\n"
    "UNION ALL SELECT ours.name, concat_ws(' ', 'schema right', n.oid, "
    "x.privilege_type, x.is_grantable, ours.rolname) FROM "
    "pg_catalog.pg_namespace n, pg_catalog.aclexplode(n.nspacl) x JOIN ours "
    "ON x.grantee = ours.oid\n";

int
enforce_prints_sql(const char *names, bool closed, struct buf *out)
{
	ours_sql(names, out);
	buf_str(out, "SELECT ours.name, concat_ws(' ', 'role', "
	    "(to_jsonb(r) - 'rolpassword')");
	if (closed)
		buf_str(out, " || CASE WHEN r.rolname = ours.name THEN "
		    "'{\"rolcanlogin\": true}' ELSE '{}' END::jsonb");
	buf_str(out, ") AS what FROM pg_catalog.pg_roles r JOIN ours USING "
	    "(oid)\n");
	buf_str(out, roles_sql);
	buf_str(out, objects_sql);
	buf_str(out, ")\nSELECT name, encode(sha256(convert_to(string_agg("
	    "what, E'\\n' ORDER BY what COLLATE \"C\"), 'UTF8')), 'hex') "
	    "FROM said GROUP BY name ORDER BY name COLLATE \"C\"");
	return out->failed ? ERR_MEMORY : 0;
}

int
enforce_print_base_sql(struct buf *out)
{
	/* What clearances have of the base comes and goes with them. */
	buf_str(out,
	    "WITH who AS (SELECT oid, rolname FROM pg_catalog.pg_roles "
	    "WHERE rolname = 'sworn_way'), ours AS (SELECT oid FROM "
	    "pg_catalog.pg_roles WHERE rolname ~ '" NAMED "(_own)?$'), "
	    "said AS (\n"
	    "SELECT 'role', to_jsonb(r) - 'rolpassword' FROM "
	    "pg_catalog.pg_roles r JOIN who USING (oid)\n"
	    "UNION ALL SELECT 'setting', to_jsonb(s) FROM "
	    "pg_catalog.pg_db_role_setting s JOIN who ON s.setrole = who.oid\n"
	    "UNION ALL SELECT 'default right', to_jsonb(d) FROM "
	    "pg_catalog.pg_default_acl d JOIN who ON d.defaclrole = who.oid\n"
	    "UNION ALL SELECT 'member', to_jsonb(m) FROM "
	    "pg_catalog.pg_auth_members m, who WHERE m.member = who.oid OR "
	    "m.roleid = who.oid\n"
	    "UNION ALL SELECT 'mapping', jsonb_build_array(m.umserver, "
	    LIKE_OWNERS ") FROM pg_catalog.pg_user_mapping m JOIN who ON "
	    "m.umuser = who.oid\n"
	    "UNION ALL SELECT 'schema', jsonb_build_array(n.oid, n.nspowner, "
	    "array(SELECT x::text FROM pg_catalog.aclexplode(n.nspacl) x "
	    "WHERE x.grantee NOT IN (SELECT oid FROM ours) ORDER BY 1)) FROM "
	    "pg_catalog.pg_namespace n WHERE n.nspname = 'sworn'\n"
	    "UNION ALL SELECT 'view', jsonb_build_array(c.relname, "
	    "array(SELECT x::text FROM pg_catalog.aclexplode(c.relacl) x "
	    "WHERE x.grantee NOT IN (SELECT oid FROM ours) ORDER BY 1), "
	    "c.relowner, c.reloptions, pg_catalog.pg_get_viewdef(c.oid)) "
	    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "
	    "ON n.oid = c.relnamespace WHERE n.nspname = 'sworn' "
	    "AND c.relkind IN ('r', 'v')\n"
	    "UNION ALL SELECT 'policy', to_jsonb(p) || jsonb_build_object("
	    "'polqual', pg_catalog.pg_get_expr(p.polqual, p.polrelid)) "
	    "FROM pg_catalog.pg_policy p, who "
	    "WHERE who.oid = ANY (p.polroles)\n"
	    "UNION ALL SELECT 'column', jsonb_build_array(a.attrelid, "
	    "a.attname, x.privilege_type, who.rolname) FROM "
	    "pg_catalog.pg_attribute a, pg_catalog.aclexplode(a.attacl) x, "
	    "who WHERE a.attacl IS NOT NULL AND x.grantee = who.oid\n"
	    "UNION ALL SELECT 'table', jsonb_build_array(c.oid, "
	    "x.privilege_type, who.rolname) FROM pg_catalog.pg_class c, "
	    "pg_catalog.aclexplode(c.relacl) x, who "
	    "WHERE c.relacl IS NOT NULL AND x.grantee = who.oid\n"
	    "UNION ALL SELECT 'schema right', jsonb_build_array(n.oid, "
	    "x.privilege_type, who.rolname) FROM pg_catalog.pg_namespace n, "
	    "pg_catalog.aclexplode(n.nspacl) x, who "
	    "WHERE x.grantee = who.oid\n"
	    "UNION ALL SELECT 'all', jsonb_build_array(s.*, "
	    "c.relrowsecurity, p.polpermissive, p.polroles, "
	    "pg_catalog.pg_get_expr(p.polqual, p.polrelid)) "
	    "FROM sworn.row_security s LEFT JOIN pg_catalog.pg_class "
	    "c ON c.oid = to_regclass(format('%I.%I', "
	    "s.table_schema, s.table_name)) LEFT JOIN "
	    "pg_catalog.pg_policy p ON p.polrelid = c.oid "
	    "AND p.polname = 'sworn_all'\n"
	    ")\nSELECT coalesce(string_agg(said::text, E'\\n' "
	    "ORDER BY said::text COLLATE \"C\"), '') FROM said");
	return out->failed ? ERR_MEMORY : 0;
}

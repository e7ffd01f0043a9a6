/*
 * One clearance, for `users` (residence in a column) and `reports` (its
 * subject is the owner of a video):
 *
 *	role x_own: SELECT on the shown columns of public.users
 *	policies on public.users, for x_own only:
 *	    permissive   true
 *	    restrictive  country::text IN ('US')
 *	policies on public.reports, for x_own only:
 *	    permissive   true
 *	    restrictive  EXISTS (SELECT FROM sworn."public.videos" w1
 *	        JOIN sworn."public.users" w2 ON w2.id = w1.owner_id
 *	        WHERE w1.id = reports.video_id AND w2.country::text IN ('US'))
 *	views x.users, x.reports, owned by x_own
 *	role x: USAGE on schema x, SELECT on its views
 *
 * A NULL on the way and a value that maps to no label of the clearance make
 * the filter not true: the row is not shown. A row of several subjects has
 * their filters joined by AND. Where the store has one residence there is no
 * filter.
 *
 * Privileges given by default (ALTER DEFAULT PRIVILEGES) are taken back from
 * PUBLIC on everything made here.
 */
#include "enforce/enforce.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "enforce/far.h"
#include "enforce/mask.h"
#include "enforce/share.h"
#include "enforce/sql.h"
#include "enforce/twin.h"
#include "enforce/way.h"
#include "enforce/write.h"
#include "policy/policy.h"

static void
name_of(const char *prefix, const uint8_t hash[static 32],
    char ret[static ENFORCE_NAME_MAX])
{
	static const char digits[] = "0123456789abcdef";
	size_t i, n = strlen(prefix);

	memcpy(ret, prefix, n);
	for (i = 0; i < 8; i++) {
		ret[n++] = digits[hash[i] >> 4];
		ret[n++] = digits[hash[i] & 15];
	}
	ret[n] = 0;
}

void
enforce_role_name(const uint8_t hash[static 32],
    char ret[static ENFORCE_NAME_MAX])
{
	name_of(ENFORCE_PREFIX, hash, ret);
}

void
enforce_pane_name(const uint8_t hash[static 32],
    char ret[static ENFORCE_NAME_MAX])
{
	name_of(PANE_PREFIX, hash, ret);
}

static bool
others_guard(const struct catalog_table *t,
    const struct enforce_table_state *states, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(states[i].schema, t->schema) == 0 &&
		    strcmp(states[i].table, t->name) == 0)
			return states[i].row_security != 0;
	return false;
}

/*
 * Row security where there was none; everybody is as before. Policies that
 * lie idle there are counted, to be told from later ones.
 */
static void
base_table(const struct catalog_table *t, struct buf *out)
{
	buf_str(out, "INSERT INTO sworn.row_security SELECT ");
	text_sql_literal(out, t->schema);
	buf_str(out, ", ");
	text_sql_literal(out, t->name);
	buf_str(out, ", count(*) FROM pg_catalog.pg_policy p, "
	    "pg_catalog.pg_class c, pg_catalog.pg_namespace n "
	    "WHERE p.polrelid = c.oid AND c.relnamespace = n.oid "
	    "AND n.nspname = ");
	text_sql_literal(out, t->schema);
	buf_str(out, " AND c.relname = ");
	text_sql_literal(out, t->name);
	buf_str(out, ";\nCREATE POLICY sworn_all ON ");
	sql_table(out, t->schema, t->name);
	buf_str(out, " AS PERMISSIVE FOR ALL TO PUBLIC "
	    "USING (true) WITH CHECK (true);\nALTER TABLE ");
	sql_table(out, t->schema, t->name);
	buf_str(out, " ENABLE ROW LEVEL SECURITY;\n");
}

int
enforce_base_sql(const struct catalog *c,
    const struct enforce_table_state *states, size_t n, struct buf *out)
{
	const struct catalog_table *t;
	size_t i;
	int r;

	buf_str(out,
	    "CREATE SCHEMA IF NOT EXISTS sworn;\n"
	    "REVOKE ALL ON SCHEMA sworn FROM PUBLIC;\n"
	    "CREATE TABLE IF NOT EXISTS sworn.state\n"
	    "\t(key text PRIMARY KEY, value text NOT NULL);\n"
	    "CREATE TABLE IF NOT EXISTS sworn.row_security\n"
	    "\t(table_schema text, table_name text, policies bigint,\n"
	    "\tPRIMARY KEY (table_schema, table_name));\n"
	    "CREATE TABLE IF NOT EXISTS sworn.sees\n"
	    "\t(login name, place text, stored text[] NOT NULL,\n"
	    "\tPRIMARY KEY (login, place));\n"
	    "REVOKE ALL ON sworn.state, sworn.row_security, sworn.sees "
	    "FROM PUBLIC;\n"
	    "DO $$BEGIN\n"
	    "\tIF NOT EXISTS (SELECT FROM pg_catalog.pg_roles\n"
	    "\t    WHERE rolname = 'sworn_way') THEN\n"
	    "\t\tCREATE ROLE sworn_way NOLOGIN NOINHERIT;\n"
	    "\tEND IF;\n"
	    "END$$;\n"
	    "ALTER ROLE sworn_way NOLOGIN NOINHERIT NOSUPERUSER NOCREATEDB "
	    "NOCREATEROLE NOREPLICATION NOBYPASSRLS;\n");
	mask_key_sql(out);
	for (i = 0; i < c->n_tables && !c->residence_store; i++) {
		t = &c->tables[i];
		if (!t->is_public && !others_guard(t, states, n))
			base_table(t, out);
	}
	if ((r = way_views_sql(c, out)) != 0)
		return r;
	return out->failed ? ERR_MEMORY : 0;
}

struct far_way {
	const struct enforce_type *types;
	size_t n;
	struct buf *out;
};

static void
far_way(void *arg, const char *schema, const char *table)
{
	const struct far_way *w = arg;
	const char *servers = far_servers(w->types, w->n, schema, table);

	if (servers != NULL)
		far_mapping_sql("sworn_way", schema, table, servers, w->out);
}

int
enforce_base_far_sql(const struct catalog *c,
    const struct enforce_type *types, size_t n_types, struct buf *out)
{
	struct far_way w = { .types = types, .n = n_types, .out = out };
	int r;

	/* sworn.subject reads the subjects' table, on a way or not. */
	far_way(&w, c->subject_schema, c->subject_table);
	if ((r = way_each(c, far_way, &w)) != 0)
		return r;
	return out->failed ? ERR_MEMORY : 0;
}

static int
type_compare(const void *a, const void *b)
{
	const struct enforce_type *x = a, *y = b;
	int r;

	if ((r = strcmp(x->schema, y->schema)) == 0 &&
	    (r = strcmp(x->table, y->table)) == 0)
		r = strcmp(x->column, y->column);
	return r;
}

void
enforce_types_sort(struct enforce_type *types, size_t n)
{
	if (n > 0)
		qsort(types, n, sizeof(*types), type_compare);
}

static const struct enforce_type *
type_find(const struct enforce_type *types, size_t n,
    const struct catalog_table *t, const char *column)
{
	const struct enforce_type key = { .schema = t->schema,
	    .table = t->name, .column = column };

	return n == 0 ? NULL : bsearch(&key, types, n, sizeof(*types),
	    type_compare);
}

/* A view's column: the base's, or what its mask makes of it. */
static int
view_column(const struct clearance_table *ct, size_t i,
    const struct enforce_type *types, size_t n_types, struct buf *out)
{
	const struct catalog_column *c = &ct->table->columns[i];
	const struct enforce_type *type;

	if (ct->columns[i] == TREAT_PLAIN) {
		buf_str(out, "t.");
		text_sql_ident(out, c->name);
		return 0;
	}
	type = type_find(types, n_types, ct->table, c->name);
	if (type == NULL)
		return ERR_MISSING;
	if (mask_misfit(&c->mask, type) != NULL)
		return ERR_DENIED;
	mask_sql(out, &c->mask, type, "t");
	buf_str(out, " AS ");
	text_sql_ident(out, c->name);
	return 0;
}

static int
view_columns(const struct clearance_table *ct,
    const struct enforce_type *types, size_t n_types, struct buf *out)
{
	bool first = true;
	size_t i;
	int r;

	if (ct->table->is_public) {
		buf_str(out, "t.*");
		return 0;
	}
	for (i = 0; i < ct->table->n_columns; i++) {
		if (ct->columns[i] == TREAT_ABSENT)
			continue;
		if (!first)
			buf_str(out, ", ");
		first = false;
		if ((r = view_column(ct, i, types, n_types, out)) != 0)
			return r;
	}
	return 0;
}

/* Whether the view has to read a column. */
static bool
is_read(const struct clearance_table *ct, size_t i)
{
	return ct->columns[i] == TREAT_PLAIN || (ct->columns[i] ==
	    TREAT_MASK && mask_reads(&ct->table->columns[i].mask));
}

/*
 * The owner role's rights on a base table: the columns that its view reads.
 * With none, one column all the same: without any the view could not even
 * tell that a row is there.
 */
static void
owner_grant(const struct catalog *c, const struct clearance_table *ct,
    const char *role, struct buf *out)
{
	const struct catalog_table *t = ct->table;
	bool first = true;
	size_t i;

	buf_str(out, "GRANT SELECT");
	if (!t->is_public) {
		buf_str(out, " (");
		for (i = 0; i < t->n_columns; i++) {
			if (!is_read(ct, i))
				continue;
			if (!first)
				buf_str(out, ", ");
			first = false;
			text_sql_ident(out, t->columns[i].name);
		}
		if (first)
			text_sql_ident(out, t->subjects[0].n > 0 ?
			    t->subjects[0].steps[0].column : c->subject_key);
		buf_str(out, ")");
	}
	buf_str(out, " ON ");
	sql_table(out, t->schema, t->name);
	buf_fmt(out, " TO %s_own;\n", role);
}

static void
owner_policies(const struct catalog *c, const struct clearance_table *ct,
    const char *role, unsigned how, struct buf *out)
{
	const char *acts = ct->writes != NULL ? "ALL" : "SELECT";
	size_t i;

	buf_fmt(out, "CREATE POLICY %s_all ON ", role);
	sql_table(out, ct->table->schema, ct->table->name);
	buf_fmt(out, " AS PERMISSIVE FOR %s TO %s_own USING (true);\n", acts,
	    role);
	if (ct->table->is_public || c->residence_store)
		return;
	buf_fmt(out, "CREATE POLICY %s_rows ON ", role);
	sql_table(out, ct->table->schema, ct->table->name);
	buf_fmt(out, " AS RESTRICTIVE FOR %s TO %s_own USING (", acts, role);
	for (i = 0; i < ct->table->n_subjects; i++) {
		buf_str(out, i > 0 ? "\n\tAND " : "\n\t");
		way_filter_sql(c, ct, &ct->table->subjects[i], how, out);
	}
	buf_str(out, ");\n");
}

/* Nobody's data hides nothing. */
static bool
is_far(const struct catalog_table *t, const struct enforce_type *types,
    size_t n_types)
{
	return !t->is_public &&
	    far_servers(types, n_types, t->schema, t->name) != NULL;
}

static int
clearance_view(const struct catalog *c, const struct clearance_table *ct,
    const char *role, const struct enforce_type *types, size_t n_types,
    unsigned how, struct buf *out)
{
	const struct catalog_table *t = ct->table;
	struct buf owner;
	int r;

	buf_str(out, "GRANT USAGE ON SCHEMA ");
	text_sql_ident(out, t->schema);
	buf_fmt(out, " TO %s_own;\n", role);
	owner_grant(c, ct, role, out);
	buf_init(&owner, 0);
	buf_fmt(&owner, "%s_own", role);
	if (buf_text(&owner) != NULL)
		write_grant_sql(ct, t->schema, buf_text(&owner), out);
	out->failed = out->failed || owner.failed;
	buf_done(&owner);
	owner_policies(c, ct, role, how, out);
	buf_str(out, "CREATE VIEW ");
	sql_table(out, role, t->name);
	far_barrier(is_far(t, types, n_types), out);
	buf_str(out, " AS SELECT ");
	if ((r = view_columns(ct, types, n_types, out)) != 0)
		return r;
	buf_str(out, " FROM ");
	sql_table(out, t->schema, t->name);
	buf_str(out, " t;\nALTER VIEW ");
	sql_table(out, role, t->name);
	buf_fmt(out, " OWNER TO %s_own;\nREVOKE ALL ON ", role);
	sql_table(out, role, t->name);
	buf_str(out, " FROM PUBLIC;\n");
	if (!(how & WAY_SHARED)) {
		buf_str(out, "GRANT SELECT ON ");
		sql_table(out, role, t->name);
		buf_fmt(out, " TO %s;\n", role);
		write_grant_sql(ct, role, role, out);
	}
	return 0;
}

static void
owner_role(const char *name, struct buf *out)
{
	buf_fmt(out, "CREATE ROLE %s_own NOLOGIN NOINHERIT NOSUPERUSER "
	    "NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;\n", name);
}

/*
 * The login's settings are a default that it may change: they keep nobody
 * out. track_activities is the administrator's to change only: without it,
 * readers that share a clearance see each other's statements.
 */
static void
login_role(const char *role, struct bytes search_path, bool writes,
    struct buf *out)
{
	buf_fmt(out, "CREATE ROLE %s LOGIN NOINHERIT NOSUPERUSER NOCREATEDB "
	    "NOCREATEROLE NOREPLICATION NOBYPASSRLS;\n"
	    "ALTER ROLE %s SET search_path = ", role, role);
	buf_bytes(out, search_path.data, search_path.len);
	buf_fmt(out, ";\n"
	    "ALTER ROLE %s SET default_transaction_read_only = %s;\n"
	    "ALTER ROLE %s SET row_security = on;\n"
	    "ALTER ROLE %s SET track_activities = off;\n",
	    role, writes ? "off" : "on", role, role);
}

static void
own_schema(const char *name, struct buf *out)
{
	buf_fmt(out, "CREATE SCHEMA %s;\n"
	    "REVOKE ALL ON SCHEMA %s FROM PUBLIC;\n", name, name);
}

static bool
has_pseudonyms(const struct clearance *cl)
{
	const struct clearance_table *ct;
	size_t i, k;

	for (i = 0; i < cl->n_tables; i++) {
		ct = &cl->tables[i];
		for (k = 0; ct->readable && !ct->table->is_public &&
		    k < ct->table->n_columns; k++)
			if (ct->columns[k] == TREAT_MASK &&
			    ct->table->columns[k].mask.kind == MASK_PSEUDONYM)
				return true;
	}
	return false;
}

bool
enforce_misfit(const struct clearance *cl,
    const struct enforce_type *types, size_t n_types, size_t *at,
    struct enforce_misfit *ret)
{
	const struct clearance_table *ct;
	const struct enforce_type *type;
	size_t i, k, seen = 0;

	for (i = 0; i < cl->n_tables; i++) {
		ct = &cl->tables[i];
		for (k = 0; ct->readable && !ct->table->is_public &&
		    k < ct->table->n_columns; k++) {
			if (seen++ < *at || ct->columns[k] != TREAT_MASK)
				continue;
			ret->table = ct->table;
			ret->column = &ct->table->columns[k];
			type = type_find(types, n_types, ct->table,
			    ret->column->name);
			if (type == NULL || (ret->why = mask_misfit(
			    &ret->column->mask, type)) == NULL)
				continue;
			ret->type = type->type;
			*at = seen;
			return true;
		}
	}
	return false;
}

/* Two shown tables of the same name have no place in one schema. */
static bool
names_clash(const struct clearance *cl)
{
	size_t i, k;

	for (i = 0; i < cl->n_tables; i++)
		for (k = 0; cl->tables[i].readable && k < i; k++)
			if (cl->tables[k].readable &&
			    strcmp(cl->tables[i].table->name,
			    cl->tables[k].table->name) == 0)
				return true;
	return false;
}

/* Its views, and what they need. */
static int
views_sql(const struct catalog *c, const struct clearance *cl,
    const char *name, const struct enforce_type *types, size_t n_types,
    unsigned how, struct buf *out)
{
	size_t i;
	int r;

	if (names_clash(cl))
		return ERR_CONFLICT;
	if ((r = way_grants_sql(c, cl, name, out)) != 0)
		return r;
	if (has_pseudonyms(cl))
		mask_key_grant_sql(out, name);
	far_owner_sql(cl, name, types, n_types, out);
	for (i = 0; i < cl->n_tables; i++) {
		if (!cl->tables[i].readable)
			continue;
		r = clearance_view(c, &cl->tables[i], name, types, n_types,
		    how, out);
		if (r != 0)
			return r;
	}
	return out->failed ? ERR_MEMORY : 0;
}

int
enforce_clearance_sql(const struct catalog *c,
    const struct clearance *cl, const char *role,
    const struct enforce_type *types, size_t n_types, bool kept,
    struct buf *out)
{
	owner_role(role, out);
	login_role(role, bytes_str(role), write_any(cl), out);
	own_schema(role, out);
	buf_fmt(out, "GRANT USAGE ON SCHEMA %s TO %s;\n", role, role);
	return views_sql(c, cl, role, types, n_types, kept ? WAY_KEPT : 0,
	    out);
}

int
enforce_pane_sql(const struct catalog *c, const struct clearance *cl,
    const char *name, const struct enforce_type *types, size_t n_types,
    bool kept, struct buf *out)
{
	unsigned how = WAY_SHARED | (kept ? WAY_KEPT : 0);

	owner_role(name, out);
	own_schema(name, out);
	if (!c->residence_store)
		buf_fmt(out, "GRANT USAGE ON SCHEMA sworn TO %s_own;\n"
		    "GRANT SELECT ON sworn.sees TO %s_own;\n", name, name);
	return views_sql(c, cl, name, types, n_types, how, out);
}

int
enforce_login_sql(const struct catalog *c, const struct clearance *cl,
    const char *role, const char *const *panes, size_t n_panes,
    struct buf *out)
{
	struct buf path;
	size_t i;

	buf_init(&path, 0);
	for (i = 0; i < n_panes; i++)
		buf_fmt(&path, "%s%s", i > 0 ? ", " : "", panes[i]);
	if (n_panes == 0)
		buf_str(&path, "pg_catalog");
	login_role(role, bytes_of(path.data, path.len), write_any(cl), out);
	out->failed = out->failed || path.failed;
	buf_done(&path);
	if (names_clash(cl))
		return ERR_CONFLICT;
	way_sees_sql(c, cl, role, out);
	return out->failed ? ERR_MEMORY : 0;
}

void
enforce_pane_grant_sql(const char *name, const char *roles,
    const struct clearance *shown, struct buf *out)
{
	size_t i;

	buf_fmt(out, "GRANT USAGE ON SCHEMA %s, %s" TWIN_SUFFIX " TO %s;\n"
	    "GRANT SELECT ON ALL TABLES IN SCHEMA %s, %s" TWIN_SUFFIX
	    " TO %s;\n", name, name, roles, name, name, roles);
	for (i = 0; i < shown->n_tables; i++)
		if (shown->tables[i].readable)
			write_grant_sql(&shown->tables[i], name, roles, out);
}

int
enforce_twins_sql(const struct catalog *c, const struct clearance *cl,
    const char *role, const struct enforce_type *types, size_t n_types,
    bool shared, struct buf *out)
{
	const struct clearance_table *ct;
	struct buf columns;
	size_t i;
	int r = 0;

	buf_init(&columns, 0);
	twin_schema_sql(role, shared, out);
	for (i = 0; r == 0 && i < cl->n_tables; i++) {
		ct = &cl->tables[i];
		if (!ct->readable || ct->table->is_public)
			continue;
		buf_reset(&columns);
		r = view_columns(ct, types, n_types, &columns);
		if (r == 0)
			twin_view_sql(c, ct, role, shared,
			    is_far(ct->table, types, n_types),
			    bytes_of(columns.data, columns.len), out);
		out->failed = out->failed || columns.failed;
	}
	buf_done(&columns);
	if (r == 0 && out->failed)
		r = ERR_MEMORY;
	return r;
}

/* DROP OWNED takes the policies with it, since they are for that role only.
 * What is gone already is not missed. */
int
enforce_drop_sql(const char *role, const struct catalog *c, struct buf *out)
{
	(void)c;	/* tables that left the catalog are cleaned up, too */
	buf_fmt(out,
	    "DROP SCHEMA IF EXISTS %s, %s_twin CASCADE;\n"
	    "DO $$DECLARE r text; BEGIN\n"
	    "\tFOR r IN SELECT rolname FROM pg_catalog.pg_roles\n"
	    "\t    WHERE rolname IN ('%s', '%s_own') LOOP\n"
	    "\t\tEXECUTE format('DROP OWNED BY %%I', r);\n"
	    "\t\tEXECUTE format('DROP ROLE %%I', r);\n"
	    "\tEND LOOP;\n"
	    "\tIF to_regclass('sworn.sees') IS NOT NULL THEN\n"
	    "\t\tDELETE FROM sworn.sees WHERE login = '%s';\n"
	    "\tEND IF;\n"
	    "END$$;\n", role, role, role, role, role);
	return out->failed ? ERR_MEMORY : 0;
}

/*
 * Row security is turned off only where Sworn turned it on, and not where
 * somebody has since come to rely on it. Role sworn_way stays while another
 * database of the same server has use for it.
 */
int
enforce_base_drop_sql(const struct catalog *c, struct buf *out)
{
	(void)c;
	buf_str(out,
	    "DO $$DECLARE r record; t regclass; BEGIN\n"
	    "\tFOR r IN SELECT * FROM sworn.row_security LOOP\n"
	    "\t\tt := to_regclass(format('%I.%I', r.table_schema,\n"
	    "\t\t    r.table_name));\n"
	    "\t\tCONTINUE WHEN t IS NULL;\n"
	    "\t\tEXECUTE format('DROP POLICY IF EXISTS sworn_all ON %s', t);\n"
	    "\t\tIF (SELECT count(*) FROM pg_catalog.pg_policy p\n"
	    "\t\t    WHERE p.polrelid = t AND p.polname NOT IN\n"
	    "\t\t    ('sworn_way', 'sworn_subject'))\n"
	    "\t\t    <= r.policies THEN\n"
	    "\t\t\tEXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL '\n"
	    "\t\t\t    'SECURITY', t);\n"
	    "\t\tEND IF;\n"
	    "\tEND LOOP;\n"
	    "END$$;\n"
	    "DROP FUNCTION IF EXISTS sworn.new_subject() CASCADE;\n"
	    "DROP OWNED BY sworn_way;\n"
	    "DROP SCHEMA sworn CASCADE;\n"
	    "DO $$BEGIN\n"
	    "\tDROP ROLE sworn_way;\n"
	    "EXCEPTION WHEN dependent_objects_still_exist THEN\n"
	    "\tNULL;\n"
	    "END$$;\n");
	return out->failed ? ERR_MEMORY : 0;
}

int
enforce_count_sql(const struct catalog *c, const char *store_residence,
    struct buf *out)
{
	buf_str(out, "SELECT label, count(*) FROM (SELECT ");
	way_residence_label(c, store_residence, out);
	buf_str(out, " AS label FROM ");
	sql_table(out, c->subject_schema, c->subject_table);
	buf_str(out, " s");
	if (!c->residence_store)
		way_residence_joins(c, out);
	buf_str(out, ") counted GROUP BY label ORDER BY label");
	return out->failed ? ERR_MEMORY : 0;
}

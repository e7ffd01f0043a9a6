/*
 * Two writers at a time. One writes a row that leads to a subject whose
 * residence another is changing: if the first looks up the old residence,
 * and the second does not see the first's row when it looks for rows to
 * change, the row keeps a residence that is wrong. So who looks up takes a
 * shared lock of the key (an advisory one, until its transaction ends), and
 * who changes where a key leads takes it exclusively, before it changes
 * anything. Whoever comes second sees what the first has committed, since at
 * READ COMMITTED each statement in a function has a snapshot of its own.
 *
 * At the stricter levels it has not. There the one that looks up is told by
 * FOR SHARE that the row has changed since its snapshot (40001, to be tried
 * again), and the one that changes a residence is refused. At READ COMMITTED
 * a lock of the row would add nothing, and writers who lock the same row and
 * update it later would deadlock.
 *
 * Keys are locked by 16 classes of their hash, so that a transaction which
 * writes a million rows does not hold a million locks.
 *
 * The triggers' names begin with zz: they come after others that change the
 * row. Nothing computes a residence but the trigger of the row: everybody
 * else sets the column to NULL, upon which it is looked up.
 */
#include "enforce/keep.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "enforce/sql.h"
#include "enforce/way.h"

#define PREFIX "sworn$r_"
#define LATEST "current_setting('transaction_isolation') IN\n"	\
	"\t    ('read committed', 'read uncommitted')"
#define LOCKS "15"		/* mask of a hash: 16 classes */

/* FNV-1a of the parts' bytes: a name, not a proof of anything. */
static uint64_t
mix(uint64_t h, const char *s)
{
	for (; *s != 0; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3;
	return (h ^ 0x1f) * 0x100000001b3;
}

/* Of a table and one of its ways. */
static uint64_t
way_hash(const struct catalog *c, const struct catalog_table *t,
    const struct catalog_subject *s)
{
	const struct catalog_step *step;
	uint64_t h = 0xcbf29ce484222325;
	size_t i;

	h = mix(mix(h, t->schema), t->name);
	for (i = 0; (step = way_step(c, s, i)) != NULL; i++)
		h = mix(mix(mix(mix(h, step->column), step->schema),
		    step->table), step->key);
	return mix(h, c->residence_column) & 0xffffffffffff;
}

bool
keep_column(const struct catalog *c, const struct catalog_table *t,
    const struct catalog_subject *s, char ret[static KEEP_NAME_MAX])
{
	if (c->residence_store || way_step(c, s, 0) == NULL)
		return false;
	(void)snprintf(ret, KEEP_NAME_MAX, PREFIX "%012" PRIx64,
	    way_hash(c, t, s));
	return true;
}

typedef void each_way(const struct catalog *c, const struct catalog_table *t,
    const struct catalog_subject *s, const char *column, struct buf *out);

static void
for_each_way(const struct catalog *c, each_way *fn, struct buf *out)
{
	char column[KEEP_NAME_MAX];
	size_t i, k;

	for (i = 0; i < c->n_tables; i++)
		for (k = 0; k < c->tables[i].n_subjects; k++)
			if (keep_column(c, &c->tables[i],
			    &c->tables[i].subjects[k], column))
				fn(c, &c->tables[i],
				    &c->tables[i].subjects[k], column, out);
}

/* The column of step i's table that leads on, or has the residence. */
static const char *
next_column(const struct catalog *c, const struct catalog_subject *s,
    size_t i)
{
	const struct catalog_step *next = way_step(c, s, i + 1);

	return next != NULL ? next->column : c->residence_column;
}

/* 'schema.table', as text. */
static void
table_literal(struct buf *out, const char *schema, const char *table)
{
	struct buf name;

	buf_init(&name, 0);
	sql_table(&name, schema, table);
	if (buf_text(&name) != NULL)
		text_sql_literal(out, buf_text(&name));
	else
		out->failed = true;
	buf_done(&name);
}

/* The lock of a key: its class by table, and by hash. */
static void
lock_sql(struct buf *out, const struct catalog_step *step, const char *what,
    const char *key)
{
	uint64_t h = mix(mix(mix(0xcbf29ce484222325, step->schema),
	    step->table), step->key);

	buf_fmt(out, "\tPERFORM pg_advisory_xact_lock%s(%" PRId32
	    ", hashtext(%s::text) & " LOCKS ");\n", what, (int32_t)h, key);
}

/* ---- what the row's own trigger does ---- */

static void
declare_key(struct buf *out, const struct catalog_step *step, char kind,
    const char *hash, size_t i, const char *column)
{
	buf_fmt(out, "\t%c%s_%zu ", kind, hash, i);
	sql_table(out, step->schema, step->table);
	buf_str(out, ".");
	text_sql_ident(out, column);
	buf_str(out, "%TYPE;\n");
}

static void
declare_way(const struct catalog *c, const struct catalog_subject *s,
    const char *hash, struct buf *out)
{
	const struct catalog_step *step;
	size_t i;

	for (i = 0; (step = way_step(c, s, i)) != NULL; i++) {
		declare_key(out, step, 'k', hash, i, step->key);
		declare_key(out, step, 'n', hash, i, next_column(c, s, i));
	}
}

static void
look_up_step(const struct catalog *c, const struct catalog_subject *s,
    size_t i, const char *hash, const char *key, struct buf *out)
{
	const struct catalog_step *step = way_step(c, s, i);

	buf_str(out, "\t\tSELECT w.");
	text_sql_ident(out, next_column(c, s, i));
	buf_fmt(out, " INTO n%s_%zu FROM ", hash, i);
	sql_table(out, step->schema, step->table);
	buf_str(out, " w WHERE w.");
	text_sql_ident(out, step->key);
	buf_fmt(out, " = %s", key);
}

static void
look_up_way(const struct catalog *c, const struct catalog_subject *s,
    const char *column, const char *hash, struct buf *out)
{
	const struct catalog_step *step;
	char key[KEEP_NAME_MAX + 16];
	size_t i;

	for (i = 0; (step = way_step(c, s, i)) != NULL; i++) {
		(void)snprintf(key, sizeof(key), "k%s_%zu", hash, i);
		buf_fmt(out, "\t%s := ", key);
		if (i == 0) {
			buf_str(out, "NEW.");
			text_sql_ident(out, step->column);
		} else {
			buf_fmt(out, "n%s_%zu", hash, i - 1);
		}
		buf_str(out, ";\n");
		lock_sql(out, step, "_shared", key);
		buf_str(out, "\tIF latest THEN\n");
		look_up_step(c, s, i, hash, key, out);
		buf_str(out, ";\n\tELSE\n");
		look_up_step(c, s, i, hash, key, out);
		buf_str(out, " FOR SHARE;\n\tEND IF;\n");
	}
	buf_str(out, "\tNEW.");
	text_sql_ident(out, column);
	buf_fmt(out, " := n%s_%zu::text;\n", hash, i - 1);
}

static void
changed(struct buf *out, const char *column, bool *first)
{
	buf_str(out, *first ? "OLD." : " OR OLD.");
	*first = false;
	text_sql_ident(out, column);
	buf_str(out, " IS DISTINCT FROM NEW.");
	text_sql_ident(out, column);
}

static void
row_triggers(const struct catalog *c, const struct catalog_table *t,
    const char *function, struct buf *out)
{
	char column[KEEP_NAME_MAX];
	bool first = true;
	size_t k;

	buf_str(out, "CREATE TRIGGER zz_sworn_new BEFORE INSERT ON ");
	sql_table(out, t->schema, t->name);
	buf_fmt(out, " FOR EACH ROW EXECUTE FUNCTION sworn_keep.%s();\n"
	    "CREATE TRIGGER zz_sworn_set BEFORE UPDATE ON ", function);
	sql_table(out, t->schema, t->name);
	buf_str(out, " FOR EACH ROW WHEN (");
	for (k = 0; k < t->n_subjects; k++) {
		if (!keep_column(c, t, &t->subjects[k], column))
			continue;
		changed(out, way_step(c, &t->subjects[k], 0)->column, &first);
		changed(out, column, &first);
		buf_str(out, " OR NEW.");
		text_sql_ident(out, column);
		buf_str(out, " IS NULL");
	}
	buf_fmt(out, ") EXECUTE FUNCTION sworn_keep.%s();\n", function);
}

static void
function_head(struct buf *out, const char *name)
{
	buf_fmt(out, "CREATE FUNCTION sworn_keep.%s() RETURNS trigger "
	    "LANGUAGE plpgsql\nSECURITY DEFINER SET search_path = "
	    "pg_catalog, pg_temp AS $sworn$\nDECLARE\n", name);
}

static void
function_tail(struct buf *out, const char *name)
{
	buf_fmt(out, "END$sworn$;\nALTER FUNCTION sworn_keep.%s() OWNER TO "
	    "sworn_keep;\nREVOKE ALL ON FUNCTION sworn_keep.%s() FROM "
	    "PUBLIC;\n", name, name);
}

static void
row_sql(const struct catalog *c, const struct catalog_table *t,
    struct buf *out)
{
	char column[KEEP_NAME_MAX], name[KEEP_NAME_MAX] = "";
	size_t k;

	for (k = 0; k < t->n_subjects; k++) {
		if (!keep_column(c, t, &t->subjects[k], column))
			continue;
		if (name[0] == 0) {
			(void)snprintf(name, sizeof(name), "row_%s",
			    column + strlen(PREFIX));
			function_head(out, name);
			buf_str(out, "\tlatest boolean := " LATEST ";\n");
		}
		declare_way(c, &t->subjects[k], column + strlen(PREFIX), out);
	}
	if (name[0] == 0)
		return;
	buf_str(out, "BEGIN\n");
	for (k = 0; k < t->n_subjects; k++)
		if (keep_column(c, t, &t->subjects[k], column))
			look_up_way(c, &t->subjects[k], column,
			    column + strlen(PREFIX), out);
	buf_str(out, "\tRETURN NEW;\n");
	function_tail(out, name);
	row_triggers(c, t, name, out);
}

/* ---- what the triggers of the tables on the way do ---- */

/* The rows of t that lead to a row of step i's table with key a or b. */
static void
leading_sql(const struct catalog *c, const struct catalog_subject *s,
    size_t i, struct buf *out)
{
	const struct catalog_step *step;
	size_t k;

	text_sql_ident(out, way_step(c, s, 0)->column);
	for (k = 0; k < i; k++) {
		step = way_step(c, s, k);
		buf_fmt(out, " IN (SELECT w%zu.", k);
		text_sql_ident(out, step->key);
		buf_str(out, " FROM ");
		sql_table(out, step->schema, step->table);
		buf_fmt(out, " w%zu WHERE w%zu.", k, k);
		text_sql_ident(out, way_step(c, s, k + 1)->column);
	}
	buf_str(out, " IN (a, b)");
	for (k = 0; k < i; k++)
		buf_str(out, ")");
}

static void
up_functions(const struct catalog *c, const struct catalog_table *t,
    const struct catalog_subject *s, const char *column, size_t i,
    struct buf *out)
{
	const struct catalog_step *step = way_step(c, s, i);
	const char *hash = column + strlen(PREFIX);
	char name[KEEP_NAME_MAX + 16];
	int after;

	for (after = 0; after < 2; after++) {
		(void)snprintf(name, sizeof(name), "%s_%s_%zu",
		    after ? "again" : "lock", hash, i);
		function_head(out, name);
		buf_str(out, "\ta ");
		sql_table(out, step->schema, step->table);
		buf_str(out, ".");
		text_sql_ident(out, step->key);
		buf_str(out, "%TYPE;\n\tb a%TYPE;\nBEGIN\n");
		if (after) {
			buf_str(out, "\tIF TG_OP = 'TRUNCATE' THEN\n"
			    "\t\tUPDATE ");
			sql_table(out, t->schema, t->name);
			buf_fmt(out, " SET \"%s\" = NULL WHERE \"%s\" IS "
			    "NOT NULL;\n\t\tRETURN NULL;\n\tEND IF;\n",
			    column, column);
		}
		buf_str(out, "\tIF TG_OP <> 'INSERT' THEN\n\t\ta := OLD.");
		text_sql_ident(out, step->key);
		buf_str(out, ";\n\tEND IF;\n"
		    "\tIF TG_OP <> 'DELETE' THEN\n\t\tb := NEW.");
		text_sql_ident(out, step->key);
		buf_str(out, ";\n\tEND IF;\n");
		if (!after) {
			buf_str(out, "\tIF TG_OP <> 'INSERT' AND "
			    "NOT " LATEST " THEN\n\t\tRAISE EXCEPTION 'where people are at "
			    "home is changed at READ COMMITTED only'\n"
			    "\t\t    USING ERRCODE = '0A000', HINT = 'rows "
			    "that others are writing could keep the residence "
			    "of before';\n\tEND IF;\n");
			lock_sql(out, step, "", "a");
			lock_sql(out, step, "", "b");
			buf_str(out, "\tIF TG_OP = 'DELETE' THEN\n"
			    "\t\tRETURN OLD;\n\tEND IF;\n\tRETURN NEW;\n");
		} else {
			buf_str(out, "\tUPDATE ");
			sql_table(out, t->schema, t->name);
			buf_str(out, " SET ");
			text_sql_ident(out, column);
			buf_str(out, " = NULL WHERE ");
			leading_sql(c, s, i, out);
			buf_str(out, ";\n\tRETURN NULL;\n");
		}
		function_tail(out, name);
	}
}

/*
 * Rows of a way's table come and go unnoticed where a foreign key sees to it
 * that nothing leads to them when they do. Otherwise they have triggers, too.
 */
static void
coming_and_going(const struct catalog *c, const struct catalog_table *t,
    const struct catalog_subject *s, const char *hash, size_t i,
    struct buf *out)
{
	const struct catalog_step *step = way_step(c, s, i), *before =
	    i > 0 ? way_step(c, s, i - 1) : NULL;
	int after;

	buf_str(out, "DO $$BEGIN\nIF NOT EXISTS (SELECT FROM pg_constraint k, "
	    "pg_attribute a, pg_attribute b WHERE k.contype = 'f' AND NOT "
	    "k.condeferrable AND k.convalidated AND k.conrelid = a.attrelid "
	    "AND k.confrelid = b.attrelid AND k.conkey = ARRAY[a.attnum] AND "
	    "k.confkey = ARRAY[b.attnum] AND a.attrelid = ");
	table_literal(out, before != NULL ? before->schema : t->schema,
	    before != NULL ? before->table : t->name);
	buf_str(out, "::regclass AND a.attname = ");
	text_sql_literal(out, step->column);
	buf_str(out, " AND b.attrelid = ");
	table_literal(out, step->schema, step->table);
	buf_str(out, "::regclass AND b.attname = ");
	text_sql_literal(out, step->key);
	buf_str(out, ") THEN\n");
	for (after = 0; after < 2; after++) {
		buf_fmt(out, "\tCREATE TRIGGER zz_sworn_%s_%zu_%s %s INSERT OR "
		    "DELETE ON ", hash, i, after ? "d" : "c",
		    after ? "AFTER" : "BEFORE");
		sql_table(out, step->schema, step->table);
		buf_fmt(out, " FOR EACH ROW EXECUTE FUNCTION "
		    "sworn_keep.%s_%s_%zu();\n", after ? "again" : "lock",
		    hash, i);
	}
	buf_fmt(out, "\tCREATE TRIGGER zz_sworn_%s_%zu_e AFTER TRUNCATE ON ",
	    hash, i);
	sql_table(out, step->schema, step->table);
	buf_fmt(out, " EXECUTE FUNCTION sworn_keep.again_%s_%zu();\n", hash, i);
	buf_str(out, "END IF;\nEND$$;\n");
}

static void
up_sql(const struct catalog *c, const struct catalog_table *t,
    const struct catalog_subject *s, const char *column, struct buf *out)
{
	const char *hash = column + strlen(PREFIX);
	const struct catalog_step *step;
	bool first;
	size_t i;
	int after;

	for (i = 0; (step = way_step(c, s, i)) != NULL; i++) {
		up_functions(c, t, s, column, i, out);
		for (after = 0; after < 2; after++) {
			buf_fmt(out, "CREATE TRIGGER zz_sworn_%s_%zu_%s %s "
			    "UPDATE ON ", hash, i, after ? "b" : "a",
			    after ? "AFTER" : "BEFORE");
			sql_table(out, step->schema, step->table);
			buf_str(out, " FOR EACH ROW WHEN (");
			first = true;
			changed(out, step->key, &first);
			changed(out, next_column(c, s, i), &first);
			buf_fmt(out, ") EXECUTE FUNCTION sworn_keep.%s_%s_%zu"
			    "();\n", after ? "again" : "lock", hash, i);
		}
		coming_and_going(c, t, s, hash, i, out);
	}
}

/* ---- columns and rights ---- */

/* FOR SHARE asks for the right to update some column. */
static void
column_sql(const struct catalog *c, const struct catalog_table *t,
    const struct catalog_subject *s, const char *column, struct buf *out)
{
	const struct catalog_step *step;
	size_t i;

	buf_str(out, "INSERT INTO sworn_keep.columns VALUES (");
	table_literal(out, t->schema, t->name);
	buf_fmt(out, ", '%s', false) ON CONFLICT DO NOTHING;\nALTER TABLE ",
	    column);
	sql_table(out, t->schema, t->name);
	buf_fmt(out, " ADD COLUMN IF NOT EXISTS \"%s\" text;\n"
	    "GRANT USAGE ON SCHEMA ", column);
	text_sql_ident(out, t->schema);
	buf_str(out, " TO sworn_keep;\nGRANT SELECT (");
	text_sql_ident(out, way_step(c, s, 0)->column);
	buf_fmt(out, ", \"%s\"), UPDATE (\"%s\") ON ", column, column);
	sql_table(out, t->schema, t->name);
	buf_str(out, " TO sworn_keep;\n");
	for (i = 0; (step = way_step(c, s, i)) != NULL; i++) {
		buf_str(out, "GRANT USAGE ON SCHEMA ");
		text_sql_ident(out, step->schema);
		buf_str(out, " TO sworn_keep;\nGRANT SELECT (");
		text_sql_ident(out, step->key);
		buf_str(out, ", ");
		text_sql_ident(out, next_column(c, s, i));
		buf_str(out, "), UPDATE (");
		text_sql_ident(out, step->key);
		buf_str(out, ") ON ");
		sql_table(out, step->schema, step->table);
		buf_str(out, " TO sworn_keep;\n");
	}
}

int
keep_make_sql(const struct catalog *c, struct buf *out)
{
	size_t i;

	buf_str(out,
	    "CREATE SCHEMA IF NOT EXISTS sworn_keep;\n"
	    "REVOKE ALL ON SCHEMA sworn_keep FROM PUBLIC;\n"
	    "CREATE TABLE IF NOT EXISTS sworn_keep.columns\n"
	    "\t(table_name text, column_name text, filled boolean NOT NULL,\n"
	    "\tPRIMARY KEY (table_name, column_name));\n"
	    "CREATE TABLE IF NOT EXISTS sworn_keep.state (value text);\n"
	    "REVOKE ALL ON sworn_keep.columns, sworn_keep.state FROM PUBLIC;\n"
	    "DO $$DECLARE f text; BEGIN\n"
	    "\tIF NOT EXISTS (SELECT FROM pg_roles\n"
	    "\t    WHERE rolname = 'sworn_keep') THEN\n"
	    "\t\tCREATE ROLE sworn_keep;\n"
	    "\tEND IF;\n"
	    "\tFOR f IN SELECT p.oid::regprocedure FROM pg_proc p\n"
	    "\t    WHERE p.pronamespace = 'sworn_keep'::regnamespace LOOP\n"
	    "\t\tEXECUTE format('DROP FUNCTION %s CASCADE', f);\n"
	    "\tEND LOOP;\n"
	    "END$$;\n"
	    "ALTER ROLE sworn_keep NOLOGIN NOINHERIT NOSUPERUSER NOCREATEDB "
	    "NOCREATEROLE NOREPLICATION BYPASSRLS;\n"
	    "GRANT USAGE ON SCHEMA sworn_keep TO sworn_keep;\n");
	for_each_way(c, column_sql, out);
	for (i = 0; i < c->n_tables && !c->residence_store; i++)
		row_sql(c, &c->tables[i], out);
	for_each_way(c, up_sql, out);
	return out->failed ? ERR_MEMORY : 0;
}

static void
unused_sql(const struct catalog *c, const struct catalog_table *t,
    const struct catalog_subject *s, const char *column, struct buf *out)
{
	(void)c;
	(void)s;
	buf_str(out, ", (");
	table_literal(out, t->schema, t->name);
	buf_fmt(out, ", '%s')", column);
}

int
keep_drop_unused_sql(const struct catalog *c, struct buf *out)
{
	buf_str(out, "DO $$DECLARE r record; BEGIN\n"
	    "\tFOR r IN DELETE FROM sworn_keep.columns WHERE (table_name, "
	    "column_name) NOT IN (VALUES ('', '')");
	for_each_way(c, unused_sql, out);
	buf_str(out, ") RETURNING * LOOP\n"
	    "\t\tEXECUTE format('ALTER TABLE IF EXISTS %s DROP COLUMN IF "
	    "EXISTS %I',\n\t\t    r.table_name, r.column_name);\n"
	    "\tEND LOOP;\nEND$$;\n");
	return out->failed ? ERR_MEMORY : 0;
}

int
keep_remove_sql(struct buf *out)
{
	buf_str(out, "DO $$DECLARE r record; BEGIN\n"
	    "\tIF to_regclass('sworn_keep.columns') IS NULL THEN\n"
	    "\t\tRETURN;\n\tEND IF;\n"
	    "\tFOR r IN DELETE FROM sworn_keep.columns RETURNING * LOOP\n"
	    "\t\tEXECUTE format('ALTER TABLE IF EXISTS %s DROP COLUMN IF "
	    "EXISTS %I CASCADE',\n\t\t    r.table_name, r.column_name);\n"
	    "\tEND LOOP;\n"
	    "\tDROP SCHEMA sworn_keep CASCADE;\n"
	    "\tDROP OWNED BY sworn_keep;\n"
	    "\tBEGIN\n\t\tDROP ROLE sworn_keep;\n"
	    "\tEXCEPTION WHEN dependent_objects_still_exist THEN\n"
	    "\t\tNULL;\n\tEND;\nEND$$;\n");
	return out->failed ? ERR_MEMORY : 0;
}

/* ---- looking ---- */

static void
unique_sql(const struct catalog *c, const struct catalog_table *t,
    const struct catalog_subject *s, const char *column, struct buf *out)
{
	const struct catalog_step *step;
	size_t i;

	(void)t;
	(void)column;
	for (i = 0; (step = way_step(c, s, i)) != NULL; i++) {
		buf_str(out, ", (");
		table_literal(out, step->schema, step->table);
		buf_str(out, ", ");
		text_sql_literal(out, step->key);
		buf_str(out, ")");
	}
}

int
keep_unique_sql(const struct catalog *c, struct buf *out)
{
	buf_str(out, "SELECT DISTINCT v.t, v.k FROM (VALUES ('', '')");
	for_each_way(c, unique_sql, out);
	buf_str(out, ") v(t, k) WHERE v.t <> '' AND NOT EXISTS (SELECT FROM "
	    "pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND "
	    "a.attnum = i.indkey[0] WHERE i.indrelid = to_regclass(v.t) AND "
	    "a.attname = v.k AND i.indisunique AND i.indisvalid AND "
	    "i.indnkeyatts = 1 AND i.indpred IS NULL) ORDER BY 1, 2");
	return out->failed ? ERR_MEMORY : 0;
}

int
keep_print_sql(struct buf *out)
{
	buf_str(out,
	    "WITH said AS (SELECT 'function', p.oid::regprocedure::text, "
	    "to_jsonb(p) - 'oid' AS what FROM pg_proc p WHERE p.pronamespace "
	    "= 'sworn_keep'::regnamespace "
	    "UNION ALL SELECT 'trigger', t.tgrelid::regclass || '.' || "
	    "t.tgname, jsonb_build_array(t.tgenabled, "
	    "pg_get_triggerdef(t.oid)) FROM pg_trigger t WHERE t.tgfoid IN "
	    "(SELECT oid FROM pg_proc WHERE pronamespace = "
	    "'sworn_keep'::regnamespace) "
	    "UNION ALL SELECT 'column', c.table_name || '.' || "
	    "c.column_name, to_jsonb(a.atttypid) FROM sworn_keep.columns c "
	    "LEFT JOIN pg_attribute a ON a.attrelid = "
	    "to_regclass(c.table_name) AND a.attname = c.column_name AND NOT "
	    "a.attisdropped "
	    "UNION ALL SELECT 'role', r.rolname, to_jsonb(r) - 'rolpassword' "
	    "FROM pg_roles r WHERE r.rolname = 'sworn_keep' "
	    "UNION ALL SELECT 'member', '', to_jsonb(m) FROM pg_auth_members "
	    "m WHERE 'sworn_keep'::regrole IN (m.roleid, m.member)) "
	    "SELECT coalesce(string_agg(said::text, E'\\n' ORDER BY "
	    "said::text COLLATE \"C\"), '') FROM said");
	return out->failed ? ERR_MEMORY : 0;
}

static void
check_sql(const struct catalog *c, const struct catalog_table *t,
    const struct catalog_subject *s, const char *column, struct buf *out)
{
	const struct catalog_step *step;
	size_t i;

	buf_str(out, " UNION ALL SELECT ");
	table_literal(out, t->schema, t->name);
	buf_fmt(out, ", '%s', count(*) FROM ", column);
	sql_table(out, t->schema, t->name);
	for (i = 0; way_step(c, s, i) != NULL; i++)
		continue;
	buf_fmt(out, " t WHERE t.\"%s\" IS DISTINCT FROM (SELECT w%zu.",
	    column, i - 1);
	text_sql_ident(out, c->residence_column);
	buf_str(out, "::text FROM ");
	for (i = 0; (step = way_step(c, s, i)) != NULL; i++) {
		if (i > 0)
			buf_str(out, " JOIN ");
		sql_table(out, step->schema, step->table);
		buf_fmt(out, " w%zu", i);
		if (i == 0)
			continue;
		buf_fmt(out, " ON w%zu.", i);
		text_sql_ident(out, step->key);
		buf_fmt(out, " = w%zu.", i - 1);
		text_sql_ident(out, step->column);
	}
	buf_str(out, " WHERE w0.");
	text_sql_ident(out, way_step(c, s, 0)->key);
	buf_str(out, " = t.");
	text_sql_ident(out, way_step(c, s, 0)->column);
	buf_str(out, ")");
}

int
keep_check_sql(const struct catalog *c, struct buf *out)
{
	buf_str(out, "SELECT * FROM (SELECT '' AS t, '' AS c, 0::bigint AS n");
	for_each_way(c, check_sql, out);
	buf_str(out, ") v WHERE n > 0 ORDER BY 1, 2");
	return out->failed ? ERR_MEMORY : 0;
}

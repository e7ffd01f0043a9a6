/*
 * The twin of a view of public.reports, whose subjects are the owner of a
 * video and whoever reported it:
 *
 *	CREATE VIEW x_twin.reports AS SELECT (as in the view), concat_ws(',',
 *	    coalesce((SELECT string_agg(g.tag, ',') FROM
 *	        sworn."public.videos" w1 JOIN sworn.subject g
 *	        ON g.key = w1.owner_id WHERE w1.id = t.video_id), '?'),
 *	    coalesce((SELECT string_agg(g.tag, ',') FROM sworn.subject g
 *	        WHERE g.key = t.reporter_id), '?')) AS "sworn$"
 *	FROM public.reports t
 *
 * sworn.subject gives LABEL:TAG for a subject's key. It belongs to sworn_way,
 * as all that looks past the row filters of an owner role does.
 *
 * In a store of one residence the label is left out, and a row whose way
 * begins with NULL is nobody's: nothing filters it out there.
 */
#include "enforce/twin.h"

#include <stdbool.h>

#include "base/buf.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "enforce/far.h"
#include "enforce/sql.h"
#include "enforce/way.h"
#include "policy/policy.h"

/* 12 random bytes of base64: 2^48 subjects before two are likely alike. */
#define NEW_TAG "substr(translate(encode(sha256(uuid_send(" \
    "gen_random_uuid())), 'base64'), '+/', '-_'), 1, 16)"

static void
key(const struct catalog *c, const char *of, struct buf *out)
{
	buf_fmt(out, "%s.", of);
	text_sql_ident(out, c->subject_key);
}

int
twin_tags_sql(const struct catalog *c, struct buf *out)
{
	buf_str(out,
	    "CREATE SCHEMA IF NOT EXISTS sworn_tag;\n"
	    "REVOKE ALL ON SCHEMA sworn_tag FROM PUBLIC;\n"
	    "DO $$BEGIN\n"
	    "\tIF to_regclass('sworn_tag.tag') IS NULL THEN\n"
	    "\t\tCREATE TABLE sworn_tag.tag AS SELECT ");
	key(c, "s", out);
	buf_str(out, " AS key,\n\t\t    ''::text COLLATE \"C\" AS tag FROM ");
	sql_table(out, c->subject_schema, c->subject_table);
	buf_str(out, " s WITH NO DATA;\n"
	    "\t\tREVOKE ALL ON sworn_tag.tag FROM PUBLIC;\n"
	    "\t\tALTER TABLE sworn_tag.tag ADD PRIMARY KEY (key),\n"
	    "\t\t    ADD UNIQUE (tag), ALTER tag SET NOT NULL,\n"
	    "\t\t    ALTER tag SET DEFAULT " NEW_TAG ";\n"
	    "\tEND IF;\n"
	    "END$$;\n"
	    "INSERT INTO sworn_tag.tag (key) SELECT DISTINCT ");
	key(c, "s", out);
	buf_str(out, " FROM ");
	sql_table(out, c->subject_schema, c->subject_table);
	buf_str(out, " s WHERE ");
	key(c, "s", out);
	buf_str(out, " IS NOT NULL AND NOT EXISTS\n"
	    "\t(SELECT FROM sworn_tag.tag g WHERE g.key = ");
	key(c, "s", out);
	buf_str(out, ") ON CONFLICT DO NOTHING;\n");
	return out->failed ? ERR_MEMORY : 0;
}

int
twin_tags_drop_sql(struct buf *out)
{
	buf_str(out, "DROP SCHEMA IF EXISTS sworn_tag CASCADE;\n");
	return out->failed ? ERR_MEMORY : 0;
}

/* LABEL:TAG of each subject. */
static void
subject_view(const struct catalog *c, struct buf *out)
{
	size_t i;

	buf_str(out, "CREATE VIEW sworn.subject AS SELECT g.key, ");
	if (c->residence_store) {
		buf_str(out, "':' || g.tag AS tag FROM sworn_tag.tag g;\n");
		return;
	}
	buf_str(out, "CASE ");
	way_residence_column(c, out);
	buf_str(out, "::text");
	for (i = 0; i < c->n_values; i++) {
		buf_str(out, " WHEN ");
		text_sql_literal(out, c->values[i].value);
		buf_str(out, " THEN ");
		text_sql_literal(out, c->values[i].label);
	}
	buf_str(out, " ELSE 'unknown' END || ':' || g.tag AS tag\n\tFROM ");
	sql_table(out, c->subject_schema, c->subject_table);
	buf_str(out, " s JOIN sworn_tag.tag g ON g.key = ");
	key(c, "s", out);
	way_residence_joins(c, out);
	buf_str(out, ";\n");
}

/* sworn_way may read the subjects' table, which is on no way perhaps. */
static void
subject_rights(const struct catalog *c, struct buf *out)
{
	const char *next = c->n_residence_steps > 0 ?
	    c->residence_steps[0].column : c->residence_column;

	buf_str(out, "GRANT USAGE ON SCHEMA ");
	text_sql_ident(out, c->subject_schema);
	buf_str(out, " TO sworn_way;\nGRANT SELECT (");
	text_sql_ident(out, c->subject_key);
	if (!c->residence_store) {
		buf_str(out, ", ");
		text_sql_ident(out, next);
	}
	buf_str(out, ") ON ");
	sql_table(out, c->subject_schema, c->subject_table);
	buf_str(out, " TO sworn_way;\n");
	if (c->residence_store)
		return;
	buf_str(out, "CREATE POLICY sworn_subject ON ");
	sql_table(out, c->subject_schema, c->subject_table);
	buf_str(out, " AS PERMISSIVE FOR SELECT TO sworn_way USING (true);\n");
}

/*
 * A new subject gets a tag at once, where a trigger can be: not on foreign
 * tables, whose server may be elsewhere. Without a tag its rows make a record
 * bounded until the next apply.
 */
static void
trigger(const struct catalog *c, struct buf *out)
{
	struct buf name;

	buf_init(&name, 0);
	sql_table(&name, c->subject_schema, c->subject_table);
	buf_str(out, "CREATE FUNCTION sworn.new_subject() RETURNS trigger\n"
	    "LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, "
	    "pg_temp AS $$BEGIN\n"
	    "\tINSERT INTO sworn_tag.tag (key) VALUES (");
	key(c, "NEW", out);
	buf_str(out, ")\n\t    ON CONFLICT (key) DO NOTHING;\n"
	    "\tRETURN NULL;\n"
	    "END$$;\n"
	    "REVOKE ALL ON FUNCTION sworn.new_subject() FROM PUBLIC;\n"
	    "ALTER FUNCTION sworn.new_subject() OWNER TO sworn_way;\n"
	    "DO $$BEGIN\n"
	    "\tIF (SELECT relkind IN ('r', 'p') FROM pg_catalog.pg_class\n"
	    "\t    WHERE oid = ");
	text_sql_literal(out, buf_text(&name) != NULL ? buf_text(&name) : "");
	buf_str(out, "::regclass) AND NOT EXISTS (SELECT FROM\n"
	    "\t    pg_catalog.pg_partition_tree(");
	text_sql_literal(out, buf_text(&name) != NULL ? buf_text(&name) : "");
	buf_str(out, "::regclass) p\n\t    JOIN pg_catalog.pg_class c "
	    "ON c.oid = p.relid WHERE c.relkind = 'f') THEN\n"
	    "\t\tCREATE TRIGGER sworn_tag AFTER INSERT OR UPDATE OF ");
	text_sql_ident(out, c->subject_key);
	buf_str(out, " ON\n\t\t    ");
	sql_table(out, c->subject_schema, c->subject_table);
	buf_str(out, " FOR EACH ROW\n\t\t    "
	    "EXECUTE FUNCTION sworn.new_subject();\n"
	    "\tEND IF;\n"
	    "END$$;\n");
	out->failed = out->failed || name.failed;
	buf_done(&name);
}

void
twin_base_sql(const struct catalog *c, struct buf *out)
{
	buf_str(out, "GRANT USAGE ON SCHEMA sworn_tag, sworn TO sworn_way;\n"
	    "GRANT SELECT, INSERT ON sworn_tag.tag TO sworn_way;\n");
	subject_rights(c, out);
	subject_view(c, out);
	buf_str(out, "ALTER VIEW sworn.subject OWNER TO sworn_way;\n"
	    "REVOKE ALL ON sworn.subject FROM PUBLIC;\n");
	trigger(c, out);
}

void
twin_schema_sql(const char *name, bool shared, struct buf *out)
{
	buf_fmt(out,
	    "CREATE SCHEMA %s_twin;\n"
	    "REVOKE ALL ON SCHEMA %s_twin FROM PUBLIC;\n", name, name);
	if (!shared)
		buf_fmt(out, "GRANT USAGE ON SCHEMA %s_twin TO %s;\n", name,
		    name);
	buf_fmt(out,
	    "GRANT USAGE ON SCHEMA sworn TO %s_own;\n"
	    "GRANT SELECT ON sworn.subject TO %s_own;\n"
	    "GRANT USAGE ON SCHEMA sworn_tag TO %s_own;\n"
	    "GRANT SELECT ON sworn_tag.tag TO %s_own;\n",
	    name, name, name, name);
}

/* The column of the row itself that a way begins with. */
static const char *
first_column(const struct catalog *c, const struct catalog_subject *s)
{
	return s->n > 0 ? s->steps[0].column : c->subject_key;
}

/* Where all that a table shows are at home in one place, a tag is all that is
 * looked for; NULL: in several. */
static const char *
one_label(const struct catalog *c, const struct clearance_table *ct)
{
	if (c->residence_store)
		return "";
	return ct->n_residences == 1 ? ct->residences[0] : NULL;
}

static void
tag_of(const char *label, struct buf *out)
{
	if (label == NULL) {
		buf_str(out, "g.tag");
		return;
	}
	text_sql_literal(out, label);
	buf_str(out, " || ':' || g.tag");
}

/*
 * One subject of row t. The key that sworn.subject knows is what the last
 * step's column holds. Of one step and one place there is one tag at most,
 * since the tags' own key is unique.
 */
static void
subject_tags(const struct catalog *c, const struct catalog_subject *s,
    const char *label, struct buf *out)
{
	const char *from = label == NULL ? "sworn.subject" : "sworn_tag.tag";
	bool one = label != NULL && s->n <= 1;
	size_t i;

	if (c->residence_store) {
		buf_str(out, "CASE WHEN t.");
		text_sql_ident(out, first_column(c, s));
		buf_str(out, " IS NULL THEN '' ELSE ");
	}
	buf_str(out, one ? "coalesce((SELECT " :
	    "coalesce((SELECT string_agg(");
	tag_of(label, out);
	buf_str(out, one ? " FROM " : ", ',') FROM ");
	for (i = 0; i + 1 < s->n; i++) {
		if (i > 0)
			buf_str(out, " JOIN ");
		way_view_name(out, s->steps[i].schema, s->steps[i].table);
		buf_fmt(out, " w%zu", i + 1);
		if (i > 0) {
			buf_fmt(out, " ON w%zu.", i + 1);
			text_sql_ident(out, s->steps[i].key);
			buf_fmt(out, " = w%zu.", i);
			text_sql_ident(out, s->steps[i].column);
		}
	}
	if (i > 0) {
		buf_fmt(out, " JOIN %s g ON g.key = w%zu.", from, i);
		text_sql_ident(out, s->steps[i].column);
		buf_str(out, " WHERE w1.");
		text_sql_ident(out, s->steps[0].key);
	} else {
		buf_fmt(out, "%s g WHERE g.key", from);
	}
	buf_str(out, " = t.");
	text_sql_ident(out, first_column(c, s));
	buf_str(out, "), '?')");
	if (c->residence_store)
		buf_str(out, " END");
}

/* The owner role reads what the ways begin with, plain or not. */
static void
owner_rights(const struct catalog *c, const struct catalog_table *t,
    const char *role, struct buf *out)
{
	size_t i;

	buf_str(out, "GRANT SELECT (");
	for (i = 0; i < t->n_subjects; i++) {
		if (i > 0)
			buf_str(out, ", ");
		text_sql_ident(out, first_column(c, &t->subjects[i]));
	}
	buf_str(out, ") ON ");
	sql_table(out, t->schema, t->name);
	buf_fmt(out, " TO %s_own;\n", role);
}

static void
twin_name(struct buf *out, const char *role, const struct catalog_table *t)
{
	buf_fmt(out, "%s_twin.", role);
	text_sql_ident(out, t->name);
}

void
twin_view_sql(const struct catalog *c, const struct clearance_table *ct,
    const char *role, bool shared, bool far, struct bytes columns,
    struct buf *out)
{
	const struct catalog_table *t = ct->table;
	size_t i;

	owner_rights(c, t, role, out);
	buf_str(out, "CREATE VIEW ");
	twin_name(out, role, t);
	far_barrier(far, out);
	buf_str(out, " AS SELECT ");
	buf_bytes(out, columns.data, columns.len);
	buf_str(out, t->n_subjects > 1 ? ",\n\tconcat_ws(','" : ",\n\t");
	for (i = 0; i < t->n_subjects; i++) {
		if (t->n_subjects > 1)
			buf_str(out, ",\n\t");
		subject_tags(c, &t->subjects[i], one_label(c, ct), out);
	}
	buf_str(out, t->n_subjects > 1 ? ")" : "");
	buf_str(out, " AS \"" TWIN_COLUMN "\"\n\tFROM ");
	sql_table(out, t->schema, t->name);
	buf_str(out, " t;\nALTER VIEW ");
	twin_name(out, role, t);
	buf_fmt(out, " OWNER TO %s_own;\nREVOKE ALL ON ", role);
	twin_name(out, role, t);
	buf_str(out, " FROM PUBLIC;\n");
	if (shared)
		return;
	buf_str(out, "GRANT SELECT ON ");
	twin_name(out, role, t);
	buf_fmt(out, " TO %s;\n", role);
}

const char twin_pairs_sql[] =
    "SELECT n.nspname, v.oid, t.oid, v.relname "
    "FROM pg_catalog.pg_class v "
    "JOIN pg_catalog.pg_namespace n ON n.oid = v.relnamespace "
    "AND n.nspname ~ '^sworn_p?[0-9a-f]{16}$' "
    "JOIN pg_catalog.pg_class t ON t.relname = v.relname "
    "AND t.relkind = 'v' JOIN pg_catalog.pg_namespace m "
    "ON m.oid = t.relnamespace AND m.nspname = n.nspname || '_twin' "
    "WHERE v.relkind = 'v' ORDER BY n.nspname COLLATE \"C\", t.oid";

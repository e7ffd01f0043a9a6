/*
 * The tables on a way are numbered from 1 in its order: first those of the
 * steps from the row to its subject, then those from the subject to its
 * residence. Step i leads from table i-1 (the row itself is 0) to table i:
 *
 *	w<i>.key = w<i-1>.column
 */
#include "enforce/way.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "enforce/enforce.h"
#include "enforce/keep.h"
#include "enforce/sql.h"
#include "policy/policy.h"

#define TABLES_MAX 256		/* on all ways of a catalog */
#define COLUMNS_MAX 64		/* that ways read of one table */

struct way_table {
	const char *schema;
	const char *table;
	const char *columns[COLUMNS_MAX];
	size_t n_columns;
};

struct way_set {
	struct way_table tables[TABLES_MAX];
	size_t n;
	bool full;		/* something did not fit */
};

void
sql_table(struct buf *out, const char *schema, const char *table)
{
	text_sql_ident(out, schema);
	buf_str(out, ".");
	text_sql_ident(out, table);
}

/* sworn."schema.table" */
void
way_view_name(struct buf *out, const char *schema, const char *table)
{
	struct buf name;

	buf_init(&name, 0);
	buf_fmt(&name, "%s.%s", schema, table);
	buf_str(out, "sworn.");
	if (buf_text(&name) != NULL)
		text_sql_ident(out, buf_text(&name));
	else
		out->failed = true;
	buf_done(&name);
}

const struct catalog_step *
way_step(const struct catalog *c, const struct catalog_subject *s, size_t i)
{
	if (i < s->n)
		return &s->steps[i];
	if (i - s->n < c->n_residence_steps)
		return &c->residence_steps[i - s->n];
	return NULL;
}

static struct way_table *
set_table(struct way_set *set, const char *schema, const char *table)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		if (strcmp(set->tables[i].schema, schema) == 0 &&
		    strcmp(set->tables[i].table, table) == 0)
			return &set->tables[i];
	if (set->n == TABLES_MAX) {
		set->full = true;
		return NULL;
	}
	set->tables[set->n].schema = schema;
	set->tables[set->n].table = table;
	return &set->tables[set->n++];
}

static void
set_add(struct way_set *set, const char *schema, const char *table,
    const char *column)
{
	struct way_table *t = set_table(set, schema, table);
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < t->n_columns; i++)
		if (strcmp(t->columns[i], column) == 0)
			return;
	if (t->n_columns == COLUMNS_MAX)
		set->full = true;
	else
		t->columns[t->n_columns++] = column;
}

/* What a way reads of tables other than the row's own. */
static void
set_add_way(struct way_set *set, const struct catalog *c,
    const struct catalog_subject *s)
{
	const struct catalog_step *step, *next;
	size_t i;

	for (i = 0; (step = way_step(c, s, i)) != NULL; i++) {
		next = way_step(c, s, i + 1);
		/* Where nothing is filtered, twins look for keys only. */
		if (c->residence_store && next == NULL)
			return;
		set_add(set, step->schema, step->table, step->key);
		set_add(set, step->schema, step->table, next != NULL ?
		    next->column : c->residence_column);
	}
}

/* All ways of a catalog, or of a clearance's tables. The caller frees. */
static int
set_make(const struct catalog *c, const struct clearance *cl,
    struct way_set **ret)
{
	const struct catalog_table *t;
	struct way_set *set;
	size_t i, k;

	if ((set = calloc(1, sizeof(*set))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < c->n_tables; i++) {
		t = &c->tables[i];
		if (t->is_public || (cl != NULL && !cl->tables[i].readable))
			continue;
		for (k = 0; k < t->n_subjects; k++)
			set_add_way(set, c, &t->subjects[k]);
	}
	for (i = 0; i < set->n; i++)
		if (strlen(set->tables[i].schema) + 1 +
		    strlen(set->tables[i].table) > ENFORCE_WAY_MAX)
			set->full = true;
	if (set->full) {
		free(set);
		return ERR_LIMIT;
	}
	*ret = set;
	return 0;
}

static void
table_columns(const struct way_table *t, struct buf *out)
{
	size_t i;

	for (i = 0; i < t->n_columns; i++) {
		if (i > 0)
			buf_str(out, ", ");
		text_sql_ident(out, t->columns[i]);
	}
}

static void
view_sql(const struct catalog *c, const struct way_table *t, struct buf *out)
{
	buf_str(out, "GRANT USAGE ON SCHEMA ");
	text_sql_ident(out, t->schema);
	buf_str(out, " TO sworn_way;\nGRANT SELECT (");
	table_columns(t, out);
	buf_str(out, ") ON ");
	sql_table(out, t->schema, t->table);
	buf_str(out, " TO sworn_way;\n");
	if (!c->residence_store) {
		buf_str(out, "CREATE POLICY sworn_way ON ");
		sql_table(out, t->schema, t->table);
		buf_str(out, " AS PERMISSIVE FOR SELECT TO sworn_way "
		    "USING (true);\n");
	}
	buf_str(out, "CREATE VIEW ");
	way_view_name(out, t->schema, t->table);
	buf_str(out, " AS SELECT ");
	table_columns(t, out);
	buf_str(out, " FROM ");
	sql_table(out, t->schema, t->table);
	buf_str(out, ";\nALTER VIEW ");
	way_view_name(out, t->schema, t->table);
	buf_str(out, " OWNER TO sworn_way;\nREVOKE ALL ON ");
	way_view_name(out, t->schema, t->table);
	buf_str(out, " FROM PUBLIC;\n");
}

int
way_views_sql(const struct catalog *c, struct buf *out)
{
	struct way_set *set = NULL;
	size_t i;
	int r;

	if ((r = set_make(c, NULL, &set)) != 0)
		return r;
	for (i = 0; i < set->n; i++)
		view_sql(c, &set->tables[i], out);
	free(set);
	return 0;
}

int
way_each(const struct catalog *c, void (*fn)(void *arg, const char *schema,
    const char *table), void *arg)
{
	struct way_set *set = NULL;
	size_t i;
	int r;

	if ((r = set_make(c, NULL, &set)) != 0)
		return r;
	for (i = 0; i < set->n; i++)
		fn(arg, set->tables[i].schema, set->tables[i].table);
	free(set);
	return 0;
}

int
way_grants_sql(const struct catalog *c, const struct clearance *cl,
    const char *role, struct buf *out)
{
	struct way_set *set = NULL;
	size_t i;
	int r;

	if ((r = set_make(c, cl, &set)) != 0)
		return r;
	if (set->n > 0)
		buf_fmt(out, "GRANT USAGE ON SCHEMA sworn TO %s_own;\n", role);
	for (i = 0; i < set->n; i++) {
		buf_str(out, "GRANT SELECT ON ");
		way_view_name(out, set->tables[i].schema, set->tables[i].table);
		buf_fmt(out, " TO %s_own;\n", role);
	}
	free(set);
	return 0;
}

static bool
allowed(const struct clearance_table *ct, const char *label)
{
	size_t i;

	for (i = 0; i < ct->n_residences; i++)
		if (strcmp(ct->residences[i], label) == 0)
			return true;
	return false;
}

/* The stored values of the residences that may be shown, as literals;
 * whether there are any. */
static bool
values_list(const struct catalog *c, const struct clearance_table *ct,
    struct buf *out)
{
	bool first = true;
	size_t i;

	for (i = 0; i < c->n_values; i++) {
		if (!allowed(ct, c->values[i].label))
			continue;
		if (!first)
			buf_str(out, ", ");
		first = false;
		text_sql_literal(out, c->values[i].value);
	}
	return !first;
}

/*
 * "::text IN ('US', 'USA')", or what is never true if nothing maps. Shared:
 * what sworn.sees says of the session's login, looked up once a statement;
 * a session that it does not know is shown nothing.
 */
static void
values_in(const struct catalog *c, const struct clearance_table *ct,
    unsigned how, struct buf *out)
{
	if (how & WAY_SHARED) {
		buf_str(out, "::text = ANY (coalesce((SELECT s.stored FROM "
		    "sworn.sees s WHERE s.login = session_user AND s.place = ");
		text_sql_literal(out, ct->table->full);
		buf_str(out, "), '{}'))");
		return;
	}
	buf_str(out, "::text IN (");
	if (!values_list(c, ct, out))
		buf_str(out, "NULL");
	buf_str(out, ")");
}

void
way_sees_sql(const struct catalog *c, const struct clearance *cl,
    const char *role, struct buf *out)
{
	const struct clearance_table *ct;
	bool first = true;
	size_t i;

	for (i = 0; i < cl->n_tables && !c->residence_store; i++) {
		ct = &cl->tables[i];
		if (!ct->readable || ct->table->is_public)
			continue;
		buf_str(out, first ? "INSERT INTO sworn.sees VALUES\n\t" :
		    ",\n\t");
		first = false;
		buf_fmt(out, "('%s', ", role);
		text_sql_literal(out, ct->table->full);
		buf_str(out, ", ARRAY[");
		(void)values_list(c, ct, out);	/* none is an empty array */
		buf_str(out, "]::text[])");
	}
	if (!first)
		buf_str(out, ";\n");
}

/* The row's own table is named in full: no alias on the way hides it. */
static void
own_column(const struct clearance_table *ct, const char *column,
    struct buf *out)
{
	sql_table(out, ct->table->schema, ct->table->name);
	buf_str(out, ".");
	text_sql_ident(out, column);
}

void
way_filter_sql(const struct catalog *c, const struct clearance_table *ct,
    const struct catalog_subject *subject, unsigned how, struct buf *out)
{
	const struct catalog_step *first = way_step(c, subject, 0), *step;
	char column[KEEP_NAME_MAX];
	size_t i;

	if ((how & WAY_KEPT) && keep_column(c, ct->table, subject, column)) {
		own_column(ct, column, out);
		values_in(c, ct, how, out);
		return;
	}
	if (first == NULL) {
		own_column(ct, c->residence_column, out);
		values_in(c, ct, how, out);
		return;
	}
	buf_str(out, "EXISTS (SELECT FROM ");
	way_view_name(out, first->schema, first->table);
	buf_str(out, " w1");
	for (i = 1; (step = way_step(c, subject, i)) != NULL; i++) {
		buf_str(out, " JOIN ");
		way_view_name(out, step->schema, step->table);
		buf_fmt(out, " w%zu ON w%zu.", i + 1, i + 1);
		text_sql_ident(out, step->key);
		buf_fmt(out, " = w%zu.", i);
		text_sql_ident(out, step->column);
	}
	buf_str(out, " WHERE w1.");
	text_sql_ident(out, first->key);
	buf_str(out, " = ");
	own_column(ct, first->column, out);
	buf_fmt(out, " AND w%zu.", i);
	text_sql_ident(out, c->residence_column);
	values_in(c, ct, how, out);
	buf_str(out, ")");
}

void
way_residence_column(const struct catalog *c, struct buf *out)
{
	if (c->n_residence_steps == 0)
		buf_str(out, "s.");
	else
		buf_fmt(out, "w%zu.", c->n_residence_steps);
	text_sql_ident(out, c->residence_column);
}

void
way_residence_joins(const struct catalog *c, struct buf *out)
{
	const struct catalog_step *step;
	size_t i;

	for (i = 0; i < c->n_residence_steps; i++) {
		step = &c->residence_steps[i];
		buf_str(out, " LEFT JOIN ");
		sql_table(out, step->schema, step->table);
		buf_fmt(out, " w%zu ON w%zu.", i + 1, i + 1);
		text_sql_ident(out, step->key);
		if (i == 0)
			buf_str(out, " = s.");
		else
			buf_fmt(out, " = w%zu.", i);
		text_sql_ident(out, step->column);
	}
}

void
way_residence_label(const struct catalog *c, const char *store_residence,
    struct buf *out)
{
	size_t i;

	if (c->residence_store) {
		text_sql_literal(out, store_residence);
		buf_str(out, "::text");
	} else {
		buf_str(out, "CASE ");
		way_residence_column(c, out);
		buf_str(out, "::text");
		for (i = 0; i < c->n_values; i++) {
			buf_str(out, " WHEN ");
			text_sql_literal(out, c->values[i].value);
			buf_str(out, " THEN ");
			text_sql_literal(out, c->values[i].label);
		}
		buf_str(out, " ELSE 'unknown' END");
	}
}

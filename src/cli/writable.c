#include "cli/writable.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "cli/clearances.h"
#include "cli/db.h"
#include "policy/policy.h"

/* Behind a list of the tables that may be written: (t, act, c), c being the
 * columns that may be updated. */
static const char in_the_way[] =
    "), w AS (SELECT to_regclass(t) AS t, act, c FROM written), "
    "kin(t, part) AS (SELECT t, t::oid FROM w UNION SELECT k.t, i.inhrelid "
    "FROM kin k JOIN pg_inherits i ON i.inhparent = k.part) "
    "SELECT format('%s has rows on another server (%s): row security does "
    "not guard what is written there', k.t, f.oid::regclass) FROM kin k JOIN "
    "pg_class f ON f.oid = k.part AND f.relkind = 'f' "
    "UNION SELECT format('rows of %s are deleted or changed along with those "
    "of %s, by constraint %I, whoever may see them', k.conrelid::regclass, "
    "w.t, k.conname) FROM w JOIN pg_constraint k ON k.contype = 'f' AND "
    "k.confrelid = w.t WHERE (w.act = 'delete' AND k.confdeltype NOT IN "
    "('a', 'r')) OR (w.act = 'update' AND k.confupdtype NOT IN ('a', 'r') "
    "AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = w.t AND "
    "a.attnum = ANY (k.confkey) AND a.attname = ANY (w.c)))"
    "UNION SELECT format('%s is written by rule %I beside what is asked for', "
    "w.t, r.rulename) FROM w JOIN pg_rewrite r ON r.ev_class = w.t "
    "ORDER BY 1";

static void
put_columns(const struct clearance_table *t, struct buf *out)
{
	bool first = true;
	size_t i;

	buf_str(out, "ARRAY[");
	for (i = 0; i < t->table->n_columns; i++) {
		if ((t->writes[i] & 1u << POLICY_UPDATE) == 0)
			continue;
		if (!first)
			buf_str(out, ", ");
		first = false;
		text_sql_literal(out, t->table->columns[i].name);
	}
	buf_str(out, "]::name[])");
}

static void
put_table(const struct clearance_table *t, struct buf *out, size_t *n)
{
	struct buf name;
	int k;

	buf_init(&name, 0);
	text_sql_ident(&name, t->table->schema);
	buf_str(&name, ".");
	text_sql_ident(&name, t->table->name);
	for (k = 0; k < POLICY_WRITES && buf_text(&name) != NULL; k++) {
		if (!clearance_writes(t, (enum policy_write)k))
			continue;
		buf_str(out, (*n)++ > 0 ? ", (" : "(");
		text_sql_literal(out, buf_text(&name));
		buf_fmt(out, ", '%s', ",
		    policy_write_text((enum policy_write)k));
		put_columns(t, out);
	}
	out->failed = out->failed || name.failed;
	buf_done(&name);
}

int
writable_check(PGconn *c, const struct clearances *all)
{
	const struct clearance *cl;
	PGresult *rows = NULL;
	struct buf sql;
	size_t i, k, n = 0;
	int r = 0, j;

	buf_init(&sql, 0);
	buf_str(&sql, "WITH RECURSIVE written(t, act, c) AS (VALUES ");
	for (i = 0; i < all->n; i++) {
		cl = all->items[i].clearance;
		for (k = 0; k < cl->n_tables; k++)
			if (cl->tables[k].readable &&
			    cl->tables[k].writes != NULL)
				put_table(&cl->tables[k], &sql, &n);
	}
	buf_str(&sql, in_the_way);
	if (n == 0)
		goto out;
	r = db_rows_buf(c, "looking at what persons may write", &sql, &rows);
	for (j = 0; r == 0 && j < PQntuples(rows); j++)
		(void)fprintf(stderr, "sworn apply: %s\n",
		    PQgetvalue(rows, j, 0));
	if (r == 0 && PQntuples(rows) > 0) {
		(void)fprintf(stderr, "sworn apply: the policy lets persons "
		    "write where the store could not hold them; take the "
		    "permit or what is named away\n");
		r = ERR_DENIED;
	}
out:
	PQclear(rows);
	buf_done(&sql);
	return r;
}

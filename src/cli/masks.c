/*
 * Each clearance has its own masked columns, but what does not fit in one
 * does not in the others: the first that has any is enough to tell.
 */
#include "cli/masks.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "cli/clearances.h"
#include "cli/db.h"
#include "enforce/enforce.h"

/* Whether the server reads a constant as the column's type. */
static int
try_constant(PGconn *db, const struct enforce_type *types, size_t n,
    const struct catalog_table *t, const struct catalog_column *c)
{
	char what[300];
	struct buf sql;
	size_t i;
	int r;

	for (i = 0; i < n; i++)
		if (strcmp(types[i].schema, t->schema) == 0 &&
		    strcmp(types[i].table, t->name) == 0 &&
		    strcmp(types[i].column, c->name) == 0)
			break;
	if (i == n)
		return 0;	/* the other checks say so */
	(void)snprintf(what, sizeof(what), "the constant that masks %s.%s",
	    t->full, c->name);
	buf_init(&sql, 0);
	buf_str(&sql, "SELECT ");
	text_sql_literal(&sql, c->mask.arg);
	buf_fmt(&sql, "::%s", types[i].type);
	r = db_run_buf(db, what, &sql);
	buf_done(&sql);
	return r;
}

int
masks_check(PGconn *db, const struct catalog *c,
    const struct clearances *wanted, const struct enforce_type *types,
    size_t n_types)
{
	const struct catalog_column *column;
	struct enforce_misfit m;
	size_t i, k, at, n = 0;
	int r = 0;

	for (i = 0; i < wanted->n && n == 0; i++)
		for (at = 0; enforce_misfit(wanted->items[i].clearance,
		    types, n_types, &at, &m); n++)
			(void)fprintf(stderr, "sworn apply: %s.%s is of type "
			    "%s, and its mask does not fit: %s; give the "
			    "column a mask of its own in the catalog\n",
			    m.table->full, m.column->name, m.type, m.why);
	if (n > 0) {
		(void)fprintf(stderr, "sworn apply: nothing was changed\n");
		return ERR_DENIED;
	}
	for (i = 0; i < c->n_tables; i++)
		for (k = 0; r == 0 && k < c->tables[i].n_columns; k++) {
			column = &c->tables[i].columns[k];
			if (column->mask.kind == MASK_CONSTANT &&
			    column->mask.arg != NULL)
				r = try_constant(db, types, n_types,
				    &c->tables[i], column);
		}
	return r;
}

/*
 * One query with five counts for each column. A target list has at most 1664
 * entries, so very wide tables go by their names alone.
 */
#include "cli/sample.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/db.h"
#include "cli/guess.h"

static const char *const shapes[] = { "IS NOT NULL",
	"~ '^[^@ ]+@[^@ ]+[.][a-zA-Z]+$'",
	("~ '^[+(]?[0-9][-0-9 ()./]{6,18}$' AND v !~ '^[0-9]+$' AND "
	"v !~ '^[0-9]{4}-'"),
	"~ '^([0-9]{1,3}[.]){3}[0-9]{1,3}(/[0-9]+)?$'",
	"~ '^[A-Z]{2,3}$'" };

#define SHAPES (sizeof(shapes) / sizeof(*shapes))

int
sample_shapes(PGconn *c, const char *schema, const char *table,
    const char *const *columns, size_t n, struct guess_shapes *ret)
{
	PGresult *rows = NULL;
	struct buf sql;
	size_t i, k;
	int r, at;

	memset(ret, 0, n * sizeof(*ret));
	if (n > SAMPLE_COLUMNS)
		return 0;
	buf_init(&sql, 0);
	buf_str(&sql, "SELECT 0");
	for (i = 0; i < n; i++)
		for (k = 0; k < SHAPES; k++) {
			buf_str(&sql, ", (SELECT count(*) FROM unnest(array_agg"
			    "(left((");
			text_sql_ident(&sql, columns[i]);
			buf_fmt(&sql, ")::text, 100))) v WHERE v %s)",
			    shapes[k]);
		}
	buf_str(&sql, " FROM (SELECT * FROM ");
	text_sql_ident(&sql, schema);
	buf_str(&sql, ".");
	text_sql_ident(&sql, table);
	buf_fmt(&sql, " LIMIT %d) s", SAMPLE_ROWS);
	r = db_rows_buf(c, "looking at values", &sql, &rows);
	for (i = 0; r == 0 && i < n; i++) {
		at = (int)(1 + SHAPES * i);
		ret[i].n = strtol(PQgetvalue(rows, 0, at), NULL, 10);
		ret[i].email = strtol(PQgetvalue(rows, 0, at + 1), NULL, 10);
		ret[i].phone = strtol(PQgetvalue(rows, 0, at + 2), NULL, 10);
		ret[i].address = strtol(PQgetvalue(rows, 0, at + 3), NULL, 10);
		ret[i].country = strtol(PQgetvalue(rows, 0, at + 4), NULL, 10);
	}
	PQclear(rows);
	buf_done(&sql);
	return r;
}

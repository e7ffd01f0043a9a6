#include "cli/subject.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "cli/db.h"
#include "enforce/sql.h"
#include "enforce/way.h"
#include "gateway/config.h"

/* SELECT of the labels of where subject $1 is at home. */
static void
home_sql(const struct config_store *s, struct buf *out)
{
	const struct catalog *c = s->catalog;

	buf_str(out, "SELECT DISTINCT ");
	way_residence_label(c, s->residences[0], out);
	buf_str(out, " FROM ");
	sql_table(out, c->subject_schema, c->subject_table);
	buf_str(out, " s");
	if (!c->residence_store)
		way_residence_joins(c, out);
	buf_str(out, " WHERE s.");
	text_sql_ident(out, c->subject_key);
	buf_str(out, " = $1");
}

static int
find_tag(PGconn *c, const char *subject, struct arena *a,
    struct subject *ret)
{
	const char *const params[] = {subject};
	PGresult *rows = NULL;
	bool none;
	int r;

	ret->tag = "";
	if ((r = db_rows(c, "looking for the tags", "SELECT "
	    "to_regclass('sworn_tag.tag') IS NULL", &rows)) != 0)
		return r;
	none = strcmp(PQgetvalue(rows, 0, 0), "t") == 0;
	PQclear(rows);
	if (none)
		return 0;
	if ((r = db_rows_with(c, "looking for the subject's tag", "SELECT "
	    "tag FROM sworn_tag.tag WHERE key = $1", 1, params, &rows)) != 0)
		return r;
	if (PQntuples(rows) > 0)
		ret->tag = arena_str(a, PQgetvalue(rows, 0, 0));
	PQclear(rows);
	return ret->tag == NULL ? ERR_MEMORY : 0;
}

static int
find_home(PGconn *c, const struct config_store *s, const char *subject,
    struct arena *a, struct subject *ret)
{
	const char *const params[] = {subject};
	const char **labels;
	PGresult *rows = NULL;
	struct buf sql;
	int r = ERR_MEMORY, i, n;

	buf_init(&sql, 0);
	home_sql(s, &sql);
	if (buf_text(&sql) == NULL || (r = db_rows_with(c, "looking for the "
	    "subject", (const char *)sql.data, 1, params, &rows)) != 0)
		goto out;
	n = PQntuples(rows);
	ret->there = n > 0;
	if ((labels = arena_array(a, (size_t)n, sizeof(*labels))) == NULL)
		r = ERR_MEMORY;
	for (i = 0; r == 0 && i < n; i++)
		if ((labels[i] = arena_str(a, PQgetvalue(rows, i, 0))) ==
		    NULL)
			r = ERR_MEMORY;
	ret->residences = (struct record_strs){labels, (size_t)n};
	PQclear(rows);
out:
	buf_done(&sql);
	return r;
}

int
subject_find(const struct config_store *s, const char *admin,
    const char *subject, struct arena *a, struct subject *ret)
{
	PGconn *c = NULL;
	int r;

	memset(ret, 0, sizeof(*ret));
	if ((r = db_open(admin, &c)) == 0 &&
	    (r = find_tag(c, subject, a, ret)) == 0)
		r = find_home(c, s, subject, a, ret);
	PQfinish(c);
	return r;
}

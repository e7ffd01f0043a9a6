/*
 * sworn_keep.state has one value, "HASH HASH": of the SQL that made all of
 * it, and of what the server said it then had. sworn_keep.columns says which
 * columns are filled, so that an apply that was ended goes on where the last
 * one was.
 *
 * A row is filled by setting its column to NULL: its trigger looks it up. The
 * triggers are there before the first batch, so what is written meanwhile is
 * right already, wherever it lands.
 */
#include "cli/columns.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/checks.h"
#include "cli/db.h"
#include "crypto/hash.h"
#include "enforce/keep.h"

#define BATCH_PAGES 512		/* 4 MiB */

int
columns_are_there(PGconn *c, bool *ret)
{
	PGresult *rows = NULL;
	int r;

	r = db_rows(c, "looking for residence columns", "SELECT 1 WHERE "
	    "to_regclass('sworn_keep.state') IS NOT NULL", &rows);
	if (r == 0)
		*ret = PQntuples(rows) > 0;
	PQclear(rows);
	return r;
}

static int
add_hash(const void *data, size_t len, struct buf *out)
{
	uint8_t hash[HASH_LEN];
	int r;

	if ((r = hash_sha256(data, len, hash)) != 0)
		return r;
	text_hex(out, hash, sizeof(hash));
	return 0;
}

/* The hash of what the server has. */
static int
print_hash(PGconn *c, struct buf *out)
{
	PGresult *rows = NULL;
	struct buf sql;
	int r;

	buf_init(&sql, 0);
	if ((r = keep_print_sql(&sql)) == 0 &&
	    (r = db_rows_buf(c, "comparing with what was made", &sql,
	    &rows)) == 0)
		r = add_hash(PQgetvalue(rows, 0, 0),
		    (size_t)PQgetlength(rows, 0, 0), out);
	PQclear(rows);
	buf_done(&sql);
	return r;
}

static int
read_state(PGconn *c, PGresult **ret)
{
	return db_rows(c, "reading what was made",
	    "SELECT value FROM sworn_keep.state", ret);
}

int
columns_same(PGconn *c, bool *ret)
{
	PGresult *rows = NULL;
	const char *space;
	struct buf now;
	int r;

	buf_init(&now, 0);
	if ((r = read_state(c, &rows)) != 0 || (r = print_hash(c, &now)) != 0)
		goto out;
	*ret = PQntuples(rows) == 1 && buf_text(&now) != NULL &&
	    (space = strchr(PQgetvalue(rows, 0, 0), ' ')) != NULL &&
	    strcmp(space + 1, buf_text(&now)) == 0;
out:
	PQclear(rows);
	buf_done(&now);
	return r;
}

/* Whether the SQL that made it is this, and nothing has changed since. */
static int
is_made(PGconn *c, const struct buf *sql, bool *ret)
{
	PGresult *rows = NULL;
	struct buf hash;
	int r;

	*ret = false;
	if ((r = columns_are_there(c, ret)) != 0 || !*ret)
		return r;
	if ((r = columns_same(c, ret)) != 0 || !*ret)
		return r;
	buf_init(&hash, 0);
	if ((r = read_state(c, &rows)) != 0 ||
	    (r = add_hash(sql->data, sql->len, &hash)) != 0)
		goto out;
	*ret = buf_text(&hash) != NULL && text_starts(PQgetvalue(rows, 0, 0),
	    buf_text(&hash));
out:
	PQclear(rows);
	buf_done(&hash);
	return r;
}

/* Where a key is not unique, a row would have several residences. */
static int
refuse_keys(PGconn *c, const struct catalog *catalog)
{
	PGresult *rows = NULL;
	struct buf sql;
	int r, i;

	buf_init(&sql, 0);
	if ((r = keep_unique_sql(catalog, &sql)) != 0 ||
	    (r = db_rows_buf(c, "looking at the ways' keys", &sql,
	    &rows)) != 0)
		goto out;
	for (i = 0; i < PQntuples(rows); i++)
		(void)fprintf(stderr, "sworn apply: nothing keeps %s of %s "
		    "unique, so a residence cannot be kept beside what leads "
		    "there\n    CREATE UNIQUE INDEX ON %s (%s);\n",
		    PQgetvalue(rows, i, 1), PQgetvalue(rows, i, 0),
		    PQgetvalue(rows, i, 0), PQgetvalue(rows, i, 1));
	if (PQntuples(rows) > 0)
		r = ERR_DENIED;
out:
	PQclear(rows);
	buf_done(&sql);
	return r;
}

static int
make(PGconn *c, struct buf *sql, int (*part)(void *arg, bool after),
    void *arg)
{
	struct buf state;
	int r;

	buf_init(&state, 0);
	if ((r = db_run(c, "making residence columns", "BEGIN; SET LOCAL "
	    "lock_timeout = '10s'; "
	    "SELECT pg_advisory_xact_lock(8319104478)")) != 0 ||
	    (r = part(arg, false)) != 0 ||
	    (r = db_run_buf(c, "making residence columns", sql)) != 0)
		goto out;
	buf_str(&state, "TRUNCATE sworn_keep.state; INSERT INTO "
	    "sworn_keep.state VALUES ('");
	if ((r = add_hash(sql->data, sql->len, &state)) != 0)
		goto out;
	buf_str(&state, " ");
	if ((r = print_hash(c, &state)) != 0)
		goto out;
	buf_str(&state, "')");
	if ((r = db_run_buf(c, "making residence columns", &state)) != 0 ||
	    (r = part(arg, true)) != 0)
		goto out;
	r = db_run(c, "making residence columns", "COMMIT");
out:
	if (r != 0)
		(void)db_run(c, "undoing", "ROLLBACK");
	buf_done(&state);
	return r;
}

/* One table, or one partition of it. */
static int
fill_table(PGconn *c, const char *table, const char *column, uint64_t pages)
{
	struct buf sql;
	uint64_t at;
	int r = 0;

	buf_init(&sql, 0);
	for (at = 0; r == 0 && at < pages; at += BATCH_PAGES) {
		buf_reset(&sql);
		buf_fmt(&sql, "UPDATE ONLY %s SET \"%s\" = NULL WHERE "
		    "\"%s\" IS NULL AND ctid >= '(%" PRIu64 ",0)' AND "
		    "ctid < '(%" PRIu64 ",0)'", table, column, column, at,
		    at + BATCH_PAGES);
		r = db_run_buf(c, "filling a residence column", &sql);
	}
	buf_done(&sql);
	return r;
}

static int
fill(PGconn *c)
{
	PGresult *rows = NULL;
	uint64_t pages;
	int r, i;

	r = db_rows(c, "looking for columns to fill", "SELECT "
	    "p.oid::regclass, c.column_name, pg_relation_size(p.oid) / "
	    "current_setting('block_size')::int + 1 FROM sworn_keep.columns "
	    "c, LATERAL (SELECT relid FROM "
	    "pg_partition_tree(c.table_name::regclass) WHERE isleaf UNION "
	    "SELECT c.table_name::regclass) t JOIN pg_class p ON p.oid = "
	    "t.relid WHERE NOT c.filled AND p.relkind = 'r' ORDER BY 1, 2",
	    &rows);
	for (i = 0; r == 0 && i < PQntuples(rows); i++)
		if ((r = text_u64(PQgetvalue(rows, i, 2),
		    (size_t)PQgetlength(rows, i, 2), &pages)) == 0)
			r = fill_table(c, PQgetvalue(rows, i, 0),
			    PQgetvalue(rows, i, 1), pages);
	PQclear(rows);
	if (r == 0)
		r = db_run(c, "filling residence columns",
		    "UPDATE sworn_keep.columns SET filled = true "
		    "WHERE NOT filled");
	return r;
}

int
columns_make(PGconn *c, const struct catalog *catalog,
    int (*part)(void *arg, bool after), void *arg)
{
	struct buf sql;
	size_t far = 0;
	bool made = false;
	int r;

	if ((r = checks_far_columns(c, catalog, stderr, &far)) != 0)
		return r;
	if (far > 0)
		return ERR_DENIED;
	buf_init(&sql, 0);
	if ((r = keep_make_sql(catalog, &sql)) != 0 ||
	    (r = is_made(c, &sql, &made)) != 0)
		goto out;
	if (!made && ((r = refuse_keys(c, catalog)) != 0 ||
	    (r = make(c, &sql, part, arg)) != 0))
		goto out;
	r = fill(c);
out:
	buf_done(&sql);
	return r;
}

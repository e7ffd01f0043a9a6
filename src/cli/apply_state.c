/*
 * sworn.state remembers of the base, and of each item by its name:
 *	key "base", "role sworn_...", "pane sworn_p...", value "HASH HASH"
 * the hashes of the SQL that made it, and of what the server said it then
 * had (enforce_prints_sql). Both equal: it is kept. An empty value: it was
 * being made. Further keys are "temp", "temp ROLE" and "bypass ROLE", what
 * --remove takes back; "form", that views are shared; and "closed", since
 * when an apply of several transactions is under way.
 */
#include "cli/apply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/db.h"
#include "gateway/config.h"

int
apply_said(int r, const char *words)
{
	(void)fprintf(stderr, "sworn apply: %s\n", words);
	return r;
}

int
apply_change(struct apply *a, const char *what, struct buf *sql)
{
	if (buf_text(sql) == NULL)
		return apply_said(ERR_MEMORY, "out of memory");
	if (!a->dry_run)
		return db_run(a->c, what, buf_text(sql));
	(void)printf("-- %s\n%s\n", what, buf_text(sql));
	return 0;
}

int
apply_change_text(struct apply *a, const char *what, const char *sql)
{
	struct buf b;
	int r;

	buf_init(&b, 0);
	buf_str(&b, sql);
	r = apply_change(a, what, &b);
	buf_done(&b);
	return r;
}

int
apply_hash(const void *data, size_t len, char ret[static APPLY_HEX + 1])
{
	uint8_t hash[HASH_LEN];
	struct buf hex;
	int r;

	if ((r = hash_sha256(data, len, hash)) != 0)
		return apply_said(r, "cannot hash");
	buf_init(&hex, 0);
	text_hex(&hex, hash, sizeof(hash));
	if (buf_text(&hex) == NULL)
		r = apply_said(ERR_MEMORY, "out of memory");
	else
		memcpy(ret, buf_text(&hex), APPLY_HEX + 1);
	buf_done(&hex);
	return r;
}

/* ---- transactions ---- */

/* The lock is the session's, since an apply may take several transactions;
 * having it already does no harm. */
int
apply_begin(struct apply *a)
{
	a->locks = 0;
	return db_run(a->c, "beginning", "BEGIN; SET LOCAL lock_timeout = "
	    "'10s'; SELECT pg_advisory_lock(8319104478)");
}

int
apply_next(struct apply *a)
{
	int r;

	if (a->dry_run || !(a->parts || a->remove))
		return 0;
	if (!a->remove && (r = apply_remember_pending(a)) != 0)
		return r;
	r = db_run(a->c, "ending", "COMMIT");
	return r != 0 ? r : apply_begin(a);
}

int
apply_room(struct apply *a, uint64_t locks)
{
	int r;

	if (a->parts && a->locks > 0 && a->locks + locks > a->locks_max &&
	    (r = apply_next(a)) != 0)
		return r;
	a->locks += locks;
	return 0;
}

/*
 * A role's rights are one thing, what it may see of each table another, and
 * with a transaction between them neither says what a clearance is. So no
 * login gets in until all are whole.
 */
int
apply_close(struct apply *a)
{
	int r;

	if (a->dry_run)
		return 0;
	(void)fprintf(stderr, "sworn apply: this takes more locks than one "
	    "transaction may have here, so it takes several; persons cannot "
	    "log in to store %s until it has ended\n", a->store->name);
	a->parts = a->closed = true;
	r = db_run(a->c, "closing the store to persons",
	    "CREATE SCHEMA IF NOT EXISTS sworn;\n"
	    "REVOKE ALL ON SCHEMA sworn FROM PUBLIC;\n"
	    "CREATE TABLE IF NOT EXISTS sworn.state\n"
	    "\t(key text PRIMARY KEY, value text NOT NULL);\n"
	    "REVOKE ALL ON sworn.state FROM PUBLIC;\n"
	    "INSERT INTO sworn.state VALUES ('closed', now()::text)\n"
	    "\tON CONFLICT DO NOTHING;\n"
	    "DO $$DECLARE n text; BEGIN\n"
	    "\tFOR n IN SELECT r.rolname FROM pg_roles r JOIN sworn.state s\n"
	    "\t    ON s.key = 'role ' || r.rolname LOOP\n"
	    "\t\tEXECUTE format('ALTER ROLE %I NOLOGIN', n);\n"
	    "\tEND LOOP;\nEND$$; COMMIT;\n"
	    "DO $$BEGIN\n\tPERFORM pg_terminate_backend(b.pid, 5000)\n"
	    "\t    FROM pg_stat_activity b JOIN sworn.state s\n"
	    "\t    ON s.key = 'role ' || b.usename\n"
	    "\t    WHERE b.datname = current_database();\nEND$$");
	return r != 0 ? r : apply_begin(a);
}

int
apply_open(struct apply *a)
{
	if (!a->closed || a->dry_run)
		return 0;
	return db_run(a->c, "opening the store to persons",
	    "DELETE FROM sworn.state WHERE key = 'closed';\n"
	    "DO $$DECLARE n text; BEGIN\n"
	    "\tFOR n IN SELECT r.rolname FROM pg_roles r JOIN sworn.state s\n"
	    "\t    ON s.key = 'role ' || r.rolname LOOP\n"
	    "\t\tEXECUTE format('ALTER ROLE %I LOGIN', n);\n"
	    "\tEND LOOP;\nEND$$");
}

/* ---- what is known ---- */

const char *
apply_known(const struct apply *a, const char *key)
{
	int lo = 0, hi = a->known != NULL ? PQntuples(a->known) : 0, at, order;

	while (lo < hi) {
		at = lo + (hi - lo) / 2;
		order = strcmp(PQgetvalue(a->known, at, 0), key);
		if (order == 0)
			return PQgetvalue(a->known, at, 1);
		if (order < 0)
			lo = at + 1;
		else
			hi = at;
	}
	return NULL;
}

int
apply_read_known(struct apply *a)
{
	PGresult *has = NULL;
	int r;

	PQclear(a->known);
	a->known = NULL;
	r = db_rows(a->c, "looking for what is there",
	    "SELECT 1 WHERE to_regclass('sworn.state') IS NOT NULL", &has);
	if (r == 0 && PQntuples(has) == 1)
		r = db_rows(a->c, "reading what was applied",
		    "SELECT key, value FROM sworn.state "
		    "ORDER BY key COLLATE \"C\"", &a->known);
	PQclear(has);
	return r;
}

const char *
apply_key_name(const char *key)
{
	if (text_starts(key, "role " ENFORCE_PREFIX) ||
	    text_starts(key, "pane " ENFORCE_PREFIX))
		return key + 5;
	return NULL;
}

void
apply_key(const struct apply_item *it, char *ret, size_t size)
{
	(void)snprintf(ret, size, "%s %s", it->kind == APPLY_PANE ? "pane" :
	    "role", it->name);
}

/* By name; prints has (name, hash), by name. */
static const char *
print_find(PGresult *prints, const char *name)
{
	int lo = 0, hi = PQntuples(prints), at, order;

	while (lo < hi) {
		at = lo + (hi - lo) / 2;
		order = strcmp(PQgetvalue(prints, at, 0), name);
		if (order == 0)
			return PQgetvalue(prints, at, 1);
		if (order < 0)
			lo = at + 1;
		else
			hi = at;
	}
	return "";
}

static int
prints(struct apply *a, const char *names, PGresult **ret)
{
	struct buf sql;
	int r;

	buf_init(&sql, 0);
	if ((r = enforce_prints_sql(names, a->closed, &sql)) == 0)
		r = db_rows_buf(a->c, "comparing with what was made", &sql,
		    ret);
	buf_done(&sql);
	return r;
}

/* A login of a pane that has to be made again has lost its rights there. */
static void
unkeep_readers(struct apply *a)
{
	const struct share_pane *p;
	size_t i, k;

	for (i = 0; i < a->share.n; i++) {
		p = &a->share.panes[i];
		for (k = 0; !a->items[i].kept && k < p->n_readers; k++)
			a->items[a->share.n + p->readers[k]].kept = false;
	}
}

int
apply_compare(struct apply *a)
{
	char key[ENFORCE_NAME_MAX + 8], value[2 * APPLY_HEX + 2];
	PGresult *now = NULL;
	const char *known;
	size_t i;
	int r;

	/* Of a base without it: all that stands on it is made again. */
	if (a->known == NULL || apply_known(a, "base") == NULL)
		return 0;
	if ((r = db_rows(a->c, "looking for what is there", "SELECT 1 WHERE "
	    "to_regclass('sworn.sees') IS NOT NULL", &now)) != 0)
		return r;
	i = (size_t)PQntuples(now);
	PQclear(now);
	now = NULL;
	if (i == 0)
		return 0;
	if ((r = prints(a, NULL, &now)) != 0)
		return r;
	for (i = 0; i < a->n_items; i++) {
		apply_key(&a->items[i], key, sizeof(key));
		(void)snprintf(value, sizeof(value), "%s %s",
		    a->items[i].sql_hash, print_find(now, a->items[i].name));
		known = apply_known(a, key);
		a->items[i].kept = known != NULL && strcmp(known, value) == 0;
	}
	unkeep_readers(a);
	PQclear(now);
	return 0;
}

static int
pending_names(const struct apply *a, struct buf *names, size_t *ret_n)
{
	size_t i;

	*ret_n = 0;
	for (i = 0; i < a->n_items; i++)
		if (a->items[i].pending)
			buf_fmt(names, "%s%s", (*ret_n)++ > 0 ? "," : "",
			    a->items[i].name);
	return buf_text(names) == NULL ? ERR_MEMORY : 0;
}

int
apply_remember_pending(struct apply *a)
{
	char key[ENFORCE_NAME_MAX + 8];
	PGresult *now = NULL;
	struct buf names, sql;
	size_t i, n;
	int r;

	buf_init(&names, 0);
	buf_init(&sql, 0);
	if ((r = pending_names(a, &names, &n)) != 0 || n == 0 ||
	    a->dry_run || (r = prints(a, buf_text(&names), &now)) != 0)
		goto out;
	buf_str(&sql, "INSERT INTO sworn.state VALUES ");
	for (i = 0, n = 0; i < a->n_items; i++) {
		if (!a->items[i].pending)
			continue;
		apply_key(&a->items[i], key, sizeof(key));
		buf_fmt(&sql, "%s('%s', '%s %s')", n++ > 0 ? ", " : "", key,
		    a->items[i].sql_hash, print_find(now, a->items[i].name));
		a->items[i].pending = false;
	}
	buf_str(&sql, " ON CONFLICT (key) DO UPDATE SET value = "
	    "excluded.value");
	r = db_run_buf(a->c, "remembering what was made", &sql);
out:
	PQclear(now);
	buf_done(&names);
	buf_done(&sql);
	return r;
}

int
apply_base_value(struct apply *a, struct buf *sql,
    char ret[static 2 * APPLY_HEX + 2])
{
	PGresult *rows = NULL;
	struct buf print;
	int r;

	buf_init(&print, 0);
	if (buf_text(sql) == NULL)
		r = apply_said(ERR_MEMORY, "out of memory");
	else if ((r = apply_hash(sql->data, sql->len, ret)) == 0 &&
	    (r = enforce_print_base_sql(&print)) == 0 &&
	    (r = db_rows_buf(a->c, "comparing with what was made", &print,
	    &rows)) == 0)
		r = apply_hash(PQgetvalue(rows, 0, 0),
		    (size_t)PQgetlength(rows, 0, 0), ret + APPLY_HEX + 1);
	ret[APPLY_HEX] = ' ';
	PQclear(rows);
	buf_done(&print);
	return r;
}

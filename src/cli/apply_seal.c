/*
 * What a gateway that looks for drift is to find: the lines of
 * enforce/watch.h go into the logins' file, and under a seal into the store,
 * in the same transaction as what they are about.
 */
#include "cli/apply.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/db.h"
#include "enforce/watch.h"
#include "gateway/config.h"

static int
take_list(struct apply *a, PGresult *rows, struct watch_list *ret)
{
	int i, n = PQntuples(rows);
	struct watch_line *lines = arena_array(a->arena, (size_t)n + 1,
	    sizeof(*lines));

	if (lines == NULL)
		return apply_said(ERR_MEMORY, "out of memory");
	for (i = 1; i < n; i++) {	/* the first is the old seal */
		lines[i - 1].name = arena_str(a->arena,
		    PQgetvalue(rows, i, 0));
		lines[i - 1].hash = arena_str(a->arena,
		    PQgetvalue(rows, i, 1));
		if (lines[i - 1].name == NULL || lines[i - 1].hash == NULL)
			return apply_said(ERR_MEMORY, "out of memory");
	}
	*ret = (struct watch_list){lines, n > 0 ? (size_t)n - 1 : 0};
	return 0;
}

/* The lines as they are now, and the seal that is there, or "". */
static int
look(struct apply *a, struct watch_list *list, const char **seal)
{
	PGresult *rows = NULL;
	struct buf sql;
	int r;

	buf_init(&sql, 0);
	if ((r = watch_sql(&sql)) == 0 &&
	    (r = db_rows_buf(a->c, "looking at what was made", &sql,
	    &rows)) == 0 && (r = take_list(a, rows, list)) == 0) {
		*seal = PQntuples(rows) > 0 ? arena_str(a->arena,
		    PQgetvalue(rows, 0, 1)) : "";
		r = *seal == NULL ? ERR_MEMORY : 0;
	}
	PQclear(rows);
	buf_done(&sql);
	return r;
}

/* The key stays as long as the file does; the number grows. */
static int
next_seal(struct apply *a, const char *now)
{
	const struct seal *old = &a->store->seal;
	uint64_t there = seal_number(now);

	if (!a->seal.set) {
		a->seal = *old;
		if (!old->set && random_bytes(a->seal.key,
		    sizeof(a->seal.key)) != 0)
			return apply_said(ERR_CRYPTO, "no random bytes");
		a->seal.set = true;
	}
	if (there > a->seal.number && there < SEAL_NUMBER_MAX)
		a->seal.number = there;
	a->seal.number++;
	return 0;
}

static int
write_seal(struct apply *a, const struct watch_list *l)
{
	struct buf text, sql;
	int r;

	buf_init(&text, 0);
	buf_init(&sql, 0);
	if ((r = seal_write(&a->seal, a->store->name, l, &text)) != 0) {
		(void)apply_said(r, "what was made cannot be sealed");
		goto out;
	}
	buf_str(&sql, "COMMENT ON SCHEMA sworn IS ");
	text_sql_literal(&sql, buf_text(&text));
	r = db_run_buf(a->c, "sealing what was made", &sql);
out:
	buf_done(&text);
	buf_done(&sql);
	return r;
}

static void
on_new(void *arg, const char *name, const char *why)
{
	const struct apply *a = arg;

	(void)why;
	if (!text_starts(name, "sworn"))
		(void)printf("store %s: %s: new or changed since the last "
		    "apply, and taken for known from now on\n",
		    a->store->name, name);
}

int
apply_seal(struct apply *a)
{
	const struct watch_list *old = &a->store->watch;
	const char *seal;
	int r;

	if ((r = look(a, &a->watch, &seal)) != 0 ||
	    (r = next_seal(a, seal)) != 0 ||
	    (r = write_seal(a, &a->watch)) != 0)
		return r;
	if (old->n > 0)
		(void)watch_compare(old, &a->watch, a->store->service_roles,
		    a->store->n_services, on_new, a);
	return 0;
}

static void
on_any(void *arg, const char *name, const char *why)
{
	(void)arg;
	(void)name;
	(void)why;
}

/* Drift is not to be sealed on the way: only what was as applied before
 * still is. */
int
apply_seal_part(void *arg, bool after)
{
	struct apply *a = arg;
	struct watch_list now;
	const char *seal;
	uint64_t number;
	int r;

	if (after && !a->as_left)
		return 0;
	if ((r = look(a, &now, &seal)) != 0)
		return r;
	if (after) {
		if ((r = next_seal(a, seal)) != 0)
			return r;
		return write_seal(a, &now);
	}
	a->as_left = a->store->watch.n > 0 &&
	    (watch_compare(&a->store->watch, &now, NULL, 0, on_any, a) == 0 ||
	    (a->store->seal.set && seal_check(a->store->seal.key,
	    a->store->name, &now, seal, &number)));
	return 0;
}

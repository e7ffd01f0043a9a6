/*
 * Schema sworn, and what outlives it: the tags, the key of the pseudonyms,
 * and what --remove takes back.
 */
#include "cli/apply.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/db.h"
#include "enforce/twin.h"
#include "gateway/config.h"

/* What outlives a base that is made again: what --remove takes back, and
 * the key of the pseudonyms. */
static const char set_aside[] =
    "CREATE TEMP TABLE sworn_kept ON COMMIT DROP AS SELECT * FROM "
    "sworn.state WHERE key ~ '^(temp|bypass|closed|form)';\n"
    "DO $$BEGIN\n"
    "\tIF to_regclass('sworn.pseudonym_key') IS NOT NULL THEN\n"
    "\t\tCREATE TEMP TABLE sworn_kept_key ON COMMIT DROP AS\n"
    "\t\t    TABLE sworn.pseudonym_key;\n"
    "\tEND IF;\n"
    "END$$;\n";
static const char put_back[] =
    "INSERT INTO sworn.state SELECT * FROM pg_temp.sworn_kept "
    "ON CONFLICT DO NOTHING;\n"
    "DO $$BEGIN\n"
    "\tIF to_regclass('pg_temp.sworn_kept_key') IS NOT NULL THEN\n"
    "\t\tDELETE FROM sworn.pseudonym_key;\n"
    "\t\tINSERT INTO sworn.pseudonym_key TABLE pg_temp.sworn_kept_key;\n"
    "\tEND IF;\n"
    "END$$;\n";

/* They outlive the base: a new tag would be as if all had been forgotten. */
int
apply_make_tags(struct apply *a)
{
	struct buf sql;
	int r;

	buf_init(&sql, 0);
	if ((r = twin_tags_sql(a->store->catalog, &sql)) == 0)
		r = apply_change(a, "giving each subject a tag", &sql);
	buf_done(&sql);
	return r;
}

static int
remember_base(struct apply *a, struct buf *sql)
{
	char value[2 * APPLY_HEX + 2];
	struct buf insert;
	int r;

	if (a->dry_run)
		return 0;
	if ((r = apply_base_value(a, sql, value)) != 0)
		return r;
	buf_init(&insert, 0);
	buf_fmt(&insert, "INSERT INTO sworn.state VALUES ('base', '%s') "
	    "ON CONFLICT (key) DO UPDATE SET value = excluded.value", value);
	r = db_run_buf(a->c, "remembering what was made", &insert);
	buf_done(&insert);
	return r;
}

/* All that stands on it goes first. */
static int
drop_base(struct apply *a)
{
	struct buf drop;
	size_t i;
	int r;

	for (i = 0; i < a->n_items; i++)
		a->items[i].kept = false;
	if ((r = apply_drop_known(a, false)) != 0)
		return r;
	buf_init(&drop, 0);
	buf_str(&drop, set_aside);
	if ((r = enforce_base_drop_sql(a->store->catalog, &drop)) == 0)
		r = apply_change(a, "dropping the base", &drop);
	a->base_dropped = true;
	buf_done(&drop);
	return r;
}

int
apply_make_base(struct apply *a)
{
	char value[2 * APPLY_HEX + 2];
	const char *known = apply_known(a, "base");
	struct buf sql;
	int r;

	buf_init(&sql, 0);
	r = enforce_base_sql(a->store->catalog, a->states, a->n_states, &sql);
	if (r == 0)
		r = enforce_base_far_sql(a->store->catalog, a->types,
		    a->n_types, &sql);
	if (r == 0)
		twin_base_sql(a->store->catalog, &sql);
	if (r != 0) {
		(void)apply_said(r, r == ERR_LIMIT ? "the ways to residences "
		    "lead over too many tables, or one whose name is too "
		    "long" : err_text(r));
		goto out;
	}
	if (known != NULL) {
		if ((r = apply_base_value(a, &sql, value)) != 0)
			goto out;
		if (strcmp(known, value) == 0)
			goto out;	/* it is as it was made */
		if ((r = drop_base(a)) != 0)
			goto out;
	}
	if ((r = apply_change(a, "making the base", &sql)) != 0)
		goto out;
	if (known != NULL)
		r = apply_change_text(a, "putting back what outlives the base",
		    put_back);
	if (r == 0)
		r = remember_base(a, &sql);
out:
	buf_done(&sql);
	return r;
}

/*
 * sworn apply -c FILE STORE --admin DSN [--dry-run] [--remove]
 *     [--revoke-public-temp] [--bypass-rls] [--residence-columns]
 *     [--shared-views] [--keep]
 *
 * Makes a store hold every clearance that the policy can give out there, in
 * one transaction where the server has locks enough for it:
 *
 *	lock, probe, check               nothing is made; may refuse
 *	drop what is no longer wanted, or is not as it was made
 *	make what is missing; set every login's password
 *	count the subjects
 *	seal what is there, for gateways that look for drift
 *	write the file for the gateway beside the old one
 *	commit; put the file in its place
 *
 * In several, it closes the store to persons first and opens it in the last:
 * what is there already is found again by a later apply, which goes on.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "catalog/catalog.h"
#include "cli/applied.h"
#include "cli/apply.h"
#include "cli/at_most.h"
#include "cli/checks.h"
#include "cli/clearances.h"
#include "cli/cmd.h"
#include "cli/columns.h"
#include "cli/db.h"
#include "cli/live.h"
#include "cli/load.h"
#include "cli/masks.h"
#include "cli/probe.h"
#include "cli/rights.h"
#include "cli/writable.h"
#include "enforce/enforce.h"
#include "enforce/keep.h"
#include "enforce/twin.h"
#include "gateway/config.h"

static int
usage(void)
{
	(void)fprintf(stderr, "usage: sworn apply -c FILE STORE --admin DSN "
	    "[--dry-run] [--remove]\n"
	    "           [--revoke-public-temp] [--bypass-rls] "
	    "[--residence-columns]\n"
	    "           [--shared-views] [--keep]\n");
	return 2;
}

/* What was there under a name that Sworn would use, but does not know. */
static int
refuse_strangers(struct apply *a)
{
	char key[ENFORCE_NAME_MAX + 8];
	PGresult *rows = NULL;
	const char *role;
	size_t len;
	bool pane;
	int r, i;

	r = db_rows(a->c, "looking for roles", "SELECT rolname, rolname ~ "
	    "'^sworn_p' FROM pg_roles WHERE rolname ~ "
	    "'^sworn_([0-9a-f]{16}|p[0-9a-f]{16}_own)$'", &rows);
	for (i = 0; r == 0 && i < PQntuples(rows); i++) {
		role = PQgetvalue(rows, i, 0);
		pane = *PQgetvalue(rows, i, 1) == 't';
		len = strlen(role) - (pane ? strlen("_own") : 0);
		(void)snprintf(key, sizeof(key), "%s %.*s", pane ? "pane" :
		    "role", (int)len, role);
		if (apply_known(a, key) != NULL || !apply_wants(a, key + 5))
			continue;
		(void)fprintf(stderr, "sworn apply: role %s exists, but not "
		    "by an apply to this database; drop it there, or here: "
		    "DROP OWNED BY %.*s%s, %.*s_own; DROP ROLE %.*s%s, "
		    "%.*s_own;\n", role, (int)len, role, pane ? "_own" : "",
		    (int)len, role, (int)len, role, pane ? "_own" : "",
		    (int)len, role);
		r = ERR_EXISTS;
	}
	PQclear(rows);
	return r;
}

static int
others_rights(struct apply *a)
{
	int r = 0;

	if (a->revoke_temp)
		r = apply_change_text(a, "taking temporary tables from PUBLIC",
		    rights_revoke_temp_sql);
	if (r == 0 && a->bypass_rls)
		r = apply_change_text(a, "keeping COPY FROM as it was", rights_bypass_sql);
	return r;
}

/* ---- the whole ---- */

/* Before anything is made. */
static int
examine(struct apply *a)
{
	size_t in_the_way = 0;
	int r;

	if (!a->dry_run && (r = probe_run(a->c)) != 0)
		return r;
	r = checks_run(a->c, a->store->catalog, !a->revoke_temp, stderr,
	    &in_the_way);
	if (r != 0)
		return r;
	if (in_the_way > 0) {
		(void)fprintf(stderr, "sworn apply: store %s is refused, for "
		    "what is said above (%zu in all); nothing was changed\n",
		    a->store->name, in_the_way);
		return ERR_DENIED;
	}
	if (!a->bypass_rls)
		return checks_warn_copy(a->c, a->store->catalog);
	return 0;
}

static int
count(struct apply *a, PGresult **ret)
{
	struct buf sql;
	int r;

	buf_init(&sql, 0);
	r = enforce_count_sql(a->store->catalog,
	    a->store->n_residences > 0 ? a->store->residences[0] : "unknown",
	    &sql);
	if (r == 0)
		r = db_rows_buf(a->c, "counting subjects", &sql, ret);
	buf_done(&sql);
	return r;
}

static uint64_t
total(PGresult *counts)
{
	uint64_t n = 0;
	int i;

	for (i = 0; i < PQntuples(counts); i++)
		n += strtoull(PQgetvalue(counts, i, 1), NULL, 10);
	return n;
}

/* Whether all of it fits a transaction of this server; half of the locks
 * that it has are left to others. */
static int
plan(struct apply *a)
{
	PGresult *rows = NULL, *counts = NULL;
	uint64_t wants = apply_locks(a) + 8 * a->store->catalog->n_tables;
	int r;

	r = db_rows(a->c, "asking for the number of locks", "SELECT "
	    "current_setting('max_locks_per_transaction')::bigint * "
	    "(current_setting('max_connections')::bigint + "
	    "current_setting('max_prepared_transactions')::bigint) / 2",
	    &rows);
	if (r == 0)
		a->locks_max = strtoull(PQgetvalue(rows, 0, 0), NULL, 10);
	PQclear(rows);
	if (r != 0 || wants <= a->locks_max || a->dry_run)
		return r;
	/* What would refuse at the end refuses before anything is closed. */
	if ((r = count(a, &counts)) == 0)
		r = at_most_check(a->store, total(counts));
	PQclear(counts);
	return r != 0 ? r : apply_close(a);
}

static int
look(struct apply *a)
{
	int r;

	if ((r = examine(a)) != 0 || (r = apply_read_known(a)) != 0)
		return r;
	a->closed = apply_known(a, "closed") != NULL;
	if ((r = live_types(a->c, a->arena, &a->types, &a->n_types)) != 0 ||
	    (r = live_states(a->c, a->arena, apply_known(a, "base") != NULL,
	    &a->states, &a->n_states)) != 0)
		return r;
	enforce_types_sort(a->types, a->n_types);
	if ((r = masks_check(a->c, a->store->catalog, &a->wanted, a->types,
	    a->n_types)) != 0 ||
	    (r = writable_check(a->c, &a->wanted)) != 0 ||
	    (r = apply_list(a)) != 0 ||
	    (r = refuse_strangers(a)) != 0)
		return r;
	return apply_compare(a);
}

static int
make_all(struct apply *a)
{
	int r;

	if ((r = look(a)) != 0 || (r = plan(a)) != 0)
		return r;
	if ((r = apply_make_tags(a)) != 0 || (r = apply_make_base(a)) != 0)
		return r;
	if (!a->base_dropped && (r = apply_drop_known(a, a->keep)) != 0)
		return r;
	if ((r = others_rights(a)) != 0 || (r = apply_make_items(a)) != 0)
		return r;
	return apply_set_passwords(a);
}

static void
summary(const struct apply *a, PGresult *counts)
{
	int i;

	(void)printf("store %s: %zu clearances (%zu new, %zu kept, %zu "
	    "dropped) of %zu decisions; ", a->store->name, a->wanted.n,
	    a->n_new, a->n_kept, a->n_dropped, a->wanted.decisions);
	if (a->shared)
		(void)printf("%zu panes of shared views; ", a->share.n);
	(void)printf("subjects:");
	for (i = 0; i < PQntuples(counts); i++)
		(void)printf(" %s %s", PQgetvalue(counts, i, 0),
		    PQgetvalue(counts, i, 1));
	(void)printf("\n");
}

/*
 * Residence columns are made and filled before the rest, in transactions of
 * their own, once the store has been looked at.
 */
static int
make_columns(struct apply *a)
{
	struct buf sql;
	bool there = false;
	int r;

	if ((r = columns_are_there(a->c, &there)) != 0)
		return r;
	if (a->store->catalog->residence_store) {
		if (a->residence_columns)
			return apply_said(ERR_DENIED, "the residence is the whole "
			    "store's: no row needs a column for it");
		return 0;
	}
	if (!there && !a->residence_columns)
		return 0;
	a->residence_columns = true;
	if (a->dry_run) {
		buf_init(&sql, 0);
		if ((r = keep_make_sql(a->store->catalog, &sql)) == 0)
			r = apply_change(a, "making residence columns", &sql);
		buf_done(&sql);
		return r;
	}
	if (!there && ((r = apply_begin(a)) != 0 || (r = examine(a)) != 0 ||
	    (r = db_run(a->c, "ending", "ROLLBACK")) != 0))
		return r;
	return columns_make(a->c, a->store->catalog, apply_seal_part, a);
}

static int
drop_unused_columns(struct apply *a)
{
	struct buf sql;
	int r;

	if (!a->residence_columns)
		return 0;
	buf_init(&sql, 0);
	if ((r = keep_drop_unused_sql(a->store->catalog, &sql)) == 0)
		r = apply_change(a, "dropping columns that no way needs", &sql);
	buf_done(&sql);
	return r;
}

static int
apply_store(struct apply *a)
{
	struct applied f = { .path = a->store->applied_path };
	PGresult *counts = NULL, *twins = NULL;
	int64_t now = clock_now_ms();
	struct why w;
	int r;

	r = clearances_make(a->config, a->store, now, &a->wanted, &w);
	if (r != 0)
		return apply_said(r, w.text);
	a->passwords = calloc(a->wanted.n + 1, sizeof(*a->passwords));
	a->verifiers = arena_array(a->arena, a->wanted.n + 1,
	    sizeof(*a->verifiers));
	if (a->passwords == NULL || a->verifiers == NULL)
		return apply_said(ERR_MEMORY, "out of memory");
	if ((r = make_columns(a)) != 0 || (r = apply_begin(a)) != 0 ||
	    (r = make_all(a)) != 0 || (r = drop_unused_columns(a)) != 0)
		return r;
	if (a->dry_run)
		return db_run(a->c, "ending", "ROLLBACK");
	if ((r = count(a, &counts)) != 0 ||
	    (r = at_most_check(a->store, total(counts))) != 0 ||
	    (r = db_rows(a->c, "reading the twins", twin_pairs_sql,
	    &twins)) != 0 ||
	    (r = apply_open(a)) != 0 ||
	    (r = apply_seal(a)) != 0 ||
	    (r = applied_write(&f, a, counts, twins, now)) != 0 ||
	    (r = db_run(a->c, "committing", "COMMIT")) != 0 ||
	    (r = applied_commit(&f)) != 0)
		goto out;
	summary(a, counts);
out:
	applied_done(&f);
	PQclear(twins);
	PQclear(counts);
	return r;
}

static int
remove_all(struct apply *a)
{
	struct buf sql;
	int r;

	if ((r = apply_begin(a)) != 0 || (r = apply_read_known(a)) != 0)
		return r;
	if (a->known == NULL) {
		(void)printf("store %s: nothing was applied\n",
		    a->store->name);
		return 0;
	}
	buf_init(&sql, 0);
	if ((r = apply_drop_known(a, false)) != 0 ||
	    (r = apply_change_text(a, "giving rights back", rights_give_back_sql)) != 0 ||
	    (r = enforce_base_drop_sql(a->store->catalog, &sql)) != 0 ||
	    (r = keep_remove_sql(&sql)) != 0 ||
	    (r = twin_tags_drop_sql(&sql)) != 0 ||
	    (r = apply_change(a, "dropping the base", &sql)) != 0)
		goto out;
	r = db_run(a->c, "ending", a->dry_run ? "ROLLBACK" : "COMMIT");
	if (r != 0 || a->dry_run)
		goto out;
	if (unlink(a->store->applied_path) != 0 && errno != ENOENT)
		r = apply_said(ERR_IO, "cannot remove the logins' file");
	(void)printf("store %s: removed, with %zu clearances\n",
	    a->store->name, a->n_dropped);
out:
	buf_done(&sql);
	return r;
}

static int
parse(struct apply *a, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-c") == 0 && i + 1 < argc)
			a->file = argv[++i];
		else if (strcmp(argv[i], "--admin") == 0 && i + 1 < argc)
			a->admin = argv[++i];
		else if (strcmp(argv[i], "--dry-run") == 0)
			a->dry_run = true;
		else if (strcmp(argv[i], "--remove") == 0)
			a->remove = true;
		else if (strcmp(argv[i], "--revoke-public-temp") == 0)
			a->revoke_temp = true;
		else if (strcmp(argv[i], "--bypass-rls") == 0)
			a->bypass_rls = true;
		else if (strcmp(argv[i], "--residence-columns") == 0)
			a->residence_columns = true;
		else if (strcmp(argv[i], "--shared-views") == 0)
			a->shared = true;
		else if (strcmp(argv[i], "--keep") == 0)
			a->keep = true;
		else if (argv[i][0] != '-' && a->store_name == NULL)
			a->store_name = argv[i];
		else
			return ERR_FORMAT;
	}
	return a->file != NULL && a->store_name != NULL && a->admin != NULL ?
	    0 : ERR_FORMAT;
}

int
cmd_apply(int argc, char **argv)
{
	struct apply a = { .file = NULL };
	int r = ERR_MISSING;

	if (parse(&a, argc, argv) != 0)
		return usage();
	if ((a.config = load_config(a.file)) == NULL)
		goto out;
	a.store = config_store_find(a.config, a.store_name);
	if (a.store == NULL) {
		(void)fprintf(stderr, "sworn apply: %s has no store \"%s\"\n",
		    a.file, a.store_name);
		goto out;
	}
	if ((a.arena = arena_new()) == NULL)
		goto out;
	if (!a.dry_run && !a.remove && (r = applied_folder(a.config->state_dir)) != 0)
		goto out;
	if ((r = db_open(a.admin, &a.c)) == 0)
		r = a.remove ? remove_all(&a) : apply_store(&a);
out:
	if (a.passwords != NULL)
		wipe(a.passwords, a.wanted.n * sizeof(*a.passwords));
	free(a.passwords);
	wipe(a.seal.key, sizeof(a.seal.key));
	PQclear(a.known);
	PQfinish(a.c);		/* a transaction that is open is undone */
	clearances_done(&a.wanted);
	arena_free(a.arena);
	config_free(a.config);
	return r == 0 ? 0 : 1;
}

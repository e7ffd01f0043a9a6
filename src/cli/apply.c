/*
 * sworn apply -c FILE STORE --admin DSN [--dry-run] [--remove]
 *     [--revoke-public-temp] [--bypass-rls] [--residence-columns]
 *     [--keep]
 *
 * Makes a store hold every clearance that the policy can give out there, in
 * one transaction:
 *
 *	lock, probe, check               nothing is made; may refuse
 *	drop what is no longer wanted, or is not as it was made
 *	make what is missing; set every login's password
 *	count the subjects
 *	write the file for the gateway beside the old one
 *	commit; put the file in its place
 *
 * sworn.state remembers of the base, and of each clearance by its login:
 *	key "base" or "role sworn_...", value "HASH HASH"
 * the hashes of the SQL that made it, and of what the server said it then
 * had (enforce_print_sql). Both equal: it is kept. Further keys are
 * "temp", "temp ROLE" and "bypass ROLE": what --remove takes back.
 *
 * A password is made here, and only its SCRAM verifier goes to the server.
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
#include "base/text.h"
#include "base/time.h"
#include "catalog/catalog.h"
#include "cli/applied.h"
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
#include "crypto/hash.h"
#include "crypto/scram.h"
#include "enforce/enforce.h"
#include "enforce/keep.h"
#include "enforce/twin.h"
#include "gateway/config.h"

#define HEX (2 * HASH_LEN)
#define BEGIN "BEGIN; SET LOCAL lock_timeout = '10s'; "

struct apply {
	/* from the command line */
	const char *file, *store_name, *admin;
	bool dry_run, remove, revoke_temp, bypass_rls, residence_columns;
	bool keep;		/* what is no longer given out, too */

	struct config *config;
	const struct config_store *store;
	PGconn *c;
	struct arena *arena;
	struct clearances wanted;
	char (*passwords)[PASSWORD_HEX + 1];	/* of wanted.items */
	bool *kept;				/* of wanted.items */
	struct enforce_type *types;
	size_t n_types;
	struct enforce_table_state *states;
	size_t n_states;
	PGresult *known;	/* sworn.state: (key, value); NULL: no base */
	size_t n_new, n_kept, n_dropped;
};

static int
usage(void)
{
	(void)fprintf(stderr, "usage: sworn apply -c FILE STORE --admin DSN "
	    "[--dry-run] [--remove]\n"
	    "           [--revoke-public-temp] [--bypass-rls] "
	    "[--residence-columns]\n"
	    "           [--keep]\n");
	return 2;
}

static int
said(int r, const char *words)
{
	(void)fprintf(stderr, "sworn apply: %s\n", words);
	return r;
}

/* Runs what changes the store, or prints it. */
static int
change(struct apply *a, const char *what, struct buf *sql)
{
	if (buf_text(sql) == NULL)
		return said(ERR_MEMORY, "out of memory");
	if (!a->dry_run)
		return db_run(a->c, what, buf_text(sql));
	(void)printf("-- %s\n%s\n", what, buf_text(sql));
	return 0;
}

static int
change_text(struct apply *a, const char *what, const char *sql)
{
	struct buf b;
	int r;

	buf_init(&b, 0);
	buf_str(&b, sql);
	r = change(a, what, &b);
	buf_done(&b);
	return r;
}

static int
hex_hash(const void *data, size_t len, char ret[static HEX + 1])
{
	uint8_t hash[HASH_LEN];
	struct buf hex;
	int r;

	if ((r = hash_sha256(data, len, hash)) != 0)
		return said(r, "cannot hash");
	buf_init(&hex, 0);
	text_hex(&hex, hash, sizeof(hash));
	if (buf_text(&hex) == NULL)
		r = said(ERR_MEMORY, "out of memory");
	else
		memcpy(ret, buf_text(&hex), HEX + 1);
	buf_done(&hex);
	return r;
}

/* ---- what the store has ---- */

static const char *
known_value(const struct apply *a, const char *key)
{
	int i;

	for (i = 0; a->known != NULL && i < PQntuples(a->known); i++)
		if (strcmp(PQgetvalue(a->known, i, 0), key) == 0)
			return PQgetvalue(a->known, i, 1);
	return NULL;
}

static int
read_known(struct apply *a)
{
	PGresult *has = NULL;
	int r;

	r = db_rows(a->c, "looking for what is there",
	    "SELECT 1 WHERE to_regclass('sworn.state') IS NOT NULL", &has);
	if (r == 0 && PQntuples(has) == 1)
		r = db_rows(a->c, "reading what was applied",
		    "SELECT key, value FROM sworn.state ORDER BY key",
		    &a->known);
	PQclear(has);
	return r;
}

/* Hash of what the server has of a role's clearance (NULL: of the base). */
static int
print_hash(struct apply *a, const char *role, char ret[static HEX + 1])
{
	PGresult *rows = NULL;
	struct buf sql;
	int r;

	buf_init(&sql, 0);
	if ((r = enforce_print_sql(role, &sql)) == 0 &&
	    (r = db_rows_buf(a->c, "comparing with what was made", &sql,
	    &rows)) == 0)
		r = hex_hash(PQgetvalue(rows, 0, 0),
		    (size_t)PQgetlength(rows, 0, 0), ret);
	PQclear(rows);
	buf_done(&sql);
	return r;
}

/* "HASH HASH" of SQL and of what is there now. */
static int
value_of(struct apply *a, const char *role, struct buf *sql,
    char ret[static 2 * HEX + 2])
{
	int r;

	if (buf_text(sql) == NULL)
		return said(ERR_MEMORY, "out of memory");
	if ((r = hex_hash(sql->data, sql->len, ret)) != 0 ||
	    (r = print_hash(a, role, ret + HEX + 1)) != 0)
		return r;
	ret[HEX] = ' ';
	return 0;
}

static int
remember(struct apply *a, const char *role, struct buf *sql)
{
	char value[2 * HEX + 2];
	struct buf insert;
	int r;

	if (a->dry_run)
		return 0;
	if ((r = value_of(a, role, sql, value)) != 0)
		return r;
	buf_init(&insert, 0);
	buf_fmt(&insert, "INSERT INTO sworn.state VALUES ('%s%s', '%s') "
	    "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
	    role != NULL ? "role " : "base", role != NULL ? role : "", value);
	r = db_run_buf(a->c, "remembering what was made", &insert);
	buf_done(&insert);
	return r;
}

/* ---- the parts ---- */

/* The lock is the session's where a removal takes several transactions. */
static int
begin(struct apply *a)
{
	return db_run(a->c, "beginning", a->remove ?
	    BEGIN "SELECT pg_advisory_lock(8319104478)" :
	    BEGIN "SELECT pg_advisory_xact_lock(8319104478)");
}

static int
clearance_sql(struct apply *a, const struct wanted *w, struct buf *sql)
{
	int r;

	r = enforce_clearance_sql(a->store->catalog, w->clearance, w->role,
	    a->types, a->n_types, a->residence_columns, sql);
	if (r == 0)
		r = enforce_twins_sql(a->store->catalog, w->clearance,
		    w->role, a->types, a->n_types, sql);
	switch (r) {
	case 0:
		limits_sql(&a->store->limits, w->role, sql);
		return 0;
	case ERR_CONFLICT:
		return said(r, "two tables that may be shown together have "
		    "the same name, and their views are in one schema; "
		    "permit one of them only");
	case ERR_MISSING:
		return said(r, "a masked column is not in the store");
	case ERR_DENIED:
		return said(r, "a mask does not fit its column");
	case ERR_LIMIT:
		return said(r, "the ways to residences lead over too many "
		    "tables, or one whose name is too long");
	default:
		return said(r, err_text(r));
	}
}

static int
drop_clearance(struct apply *a, const char *role)
{
	struct buf sql;
	int r;

	buf_init(&sql, 0);
	if ((r = enforce_drop_sql(role, a->store->catalog, &sql)) == 0) {
		buf_fmt(&sql, "DELETE FROM sworn.state WHERE key = "
		    "'role %s';\n", role);
		r = change(a, "dropping a clearance", &sql);
	}
	buf_done(&sql);
	return r;
}

/* The login in a key of sworn.state, or NULL. */
static const char *
key_role(const char *key)
{
	return text_starts(key, "role " ENFORCE_PREFIX) ? key + 5 : NULL;
}

/* All clearances together may need more locks than a server has. */
static int
next_transaction(struct apply *a)
{
	int r;

	if (!a->remove || a->dry_run)
		return 0;
	r = db_run(a->c, "ending", "COMMIT");
	return r != 0 ? r : begin(a);
}

/* Drops what is known, but the clearances that are marked as kept; and,
 * keep_others, those that are no longer wanted. */
static int
drop_known(struct apply *a, bool keep_others)
{
	const struct wanted *w;
	const char *role;
	int i, r;

	for (i = 0; a->known != NULL && i < PQntuples(a->known); i++) {
		role = key_role(PQgetvalue(a->known, i, 0));
		if (role == NULL)
			continue;
		w = clearances_find(&a->wanted, role);
		if (w != NULL && a->kept[w - a->wanted.items])
			continue;
		if (w == NULL && keep_others)
			continue;
		if (w == NULL)
			a->n_dropped++;
		if ((r = drop_clearance(a, role)) != 0 ||
		    (r = next_transaction(a)) != 0)
			return r;
	}
	return 0;
}

/* Which of the wanted are there as they should be. */
static int
mark_kept(struct apply *a)
{
	char key[ENFORCE_NAME_MAX + 8], value[2 * HEX + 2];
	const char *known;
	struct buf sql;
	size_t i;
	int r = 0;

	buf_init(&sql, 0);
	for (i = 0; r == 0 && i < a->wanted.n; i++) {
		(void)snprintf(key, sizeof(key), "role %s",
		    a->wanted.items[i].role);
		if ((known = known_value(a, key)) == NULL)
			continue;
		buf_reset(&sql);
		if ((r = clearance_sql(a, &a->wanted.items[i], &sql)) != 0 ||
		    (r = value_of(a, a->wanted.items[i].role, &sql,
		    value)) != 0)
			break;
		a->kept[i] = strcmp(known, value) == 0;
	}
	buf_done(&sql);
	return r;
}

/* What was there under a name that Sworn would use, but does not know. */
static int
refuse_strangers(struct apply *a)
{
	char key[ENFORCE_NAME_MAX + 8];
	PGresult *rows = NULL;
	const char *role;
	int r, i;

	r = db_rows(a->c, "looking for roles", "SELECT rolname FROM pg_roles "
	    "WHERE rolname ~ '^sworn_[0-9a-f]{16}$'", &rows);
	for (i = 0; r == 0 && i < PQntuples(rows); i++) {
		role = PQgetvalue(rows, i, 0);
		(void)snprintf(key, sizeof(key), "role %s", role);
		if (clearances_find(&a->wanted, role) == NULL ||
		    known_value(a, key) != NULL)
			continue;
		(void)fprintf(stderr, "sworn apply: role %s exists, but not "
		    "by an apply to this database; drop it there, or here: "
		    "DROP OWNED BY %s, %s_own; DROP ROLE %s, %s_own;\n",
		    role, role, role, role, role);
		r = ERR_EXISTS;
	}
	PQclear(rows);
	return r;
}

/* What outlives a base that is made again: what --remove takes back, and
 * the key of the pseudonyms. */
static const char set_aside[] =
    "CREATE TEMP TABLE sworn_kept ON COMMIT DROP AS SELECT * FROM "
    "sworn.state WHERE key ~ '^(temp|bypass)';\n"
    "DO $$BEGIN\n"
    "\tIF to_regclass('sworn.pseudonym_key') IS NOT NULL THEN\n"
    "\t\tCREATE TEMP TABLE sworn_kept_key ON COMMIT DROP AS\n"
    "\t\t    TABLE sworn.pseudonym_key;\n"
    "\tEND IF;\n"
    "END$$;\n";
static const char put_back[] =
    "INSERT INTO sworn.state SELECT * FROM pg_temp.sworn_kept;\n"
    "DO $$BEGIN\n"
    "\tIF to_regclass('pg_temp.sworn_kept_key') IS NOT NULL THEN\n"
    "\t\tDELETE FROM sworn.pseudonym_key;\n"
    "\t\tINSERT INTO sworn.pseudonym_key TABLE pg_temp.sworn_kept_key;\n"
    "\tEND IF;\n"
    "END$$;\n";

/* They outlive the base: a new tag would be as if all had been forgotten. */
static int
make_tags(struct apply *a)
{
	struct buf sql;
	int r;

	buf_init(&sql, 0);
	if ((r = twin_tags_sql(a->store->catalog, &sql)) == 0)
		r = change(a, "giving each subject a tag", &sql);
	buf_done(&sql);
	return r;
}

static int
make_base(struct apply *a)
{
	char value[2 * HEX + 2];
	const char *known = known_value(a, "base");
	struct buf sql, drop;
	int r;

	buf_init(&sql, 0);
	buf_init(&drop, 0);
	r = enforce_base_sql(a->store->catalog, a->states, a->n_states, &sql);
	if (r == 0)
		twin_base_sql(a->store->catalog, &sql);
	if (r != 0) {
		(void)said(r, r == ERR_LIMIT ? "the ways to residences lead "
		    "over too many tables, or one whose name is too long" :
		    err_text(r));
		goto out;
	}
	if (known != NULL) {
		if ((r = value_of(a, NULL, &sql, value)) != 0)
			goto out;
		if (strcmp(known, value) == 0)
			goto out;	/* it is as it was made */
		memset(a->kept, 0, a->wanted.n * sizeof(*a->kept));
		if ((r = drop_known(a, false)) != 0)
			goto out;
		buf_str(&drop, set_aside);
		if ((r = enforce_base_drop_sql(a->store->catalog,
		    &drop)) != 0 ||
		    (r = change(a, "dropping the base", &drop)) != 0)
			goto out;
	}
	if ((r = change(a, "making the base", &sql)) != 0)
		goto out;
	if (known != NULL)
		r = change_text(a, "putting back what outlives the base",
		    put_back);
	if (r == 0)
		r = remember(a, NULL, &sql);
out:
	buf_done(&sql);
	buf_done(&drop);
	return r;
}

/* The password that the gateway has already, or a new one. */
static int
choose_password(struct apply *a, size_t i)
{
	const struct config_login *old;
	uint8_t bytes[PASSWORD_HEX / 2];
	struct buf hex;
	int r;

	old = config_login_find(a->store, a->wanted.items[i].role);
	if (old != NULL && strlen(old->password) == PASSWORD_HEX) {
		memcpy(a->passwords[i], old->password, PASSWORD_HEX + 1);
		return 0;
	}
	if ((r = random_bytes(bytes, sizeof(bytes))) != 0)
		return said(r, "no random bytes");
	buf_init(&hex, 0);
	text_hex(&hex, bytes, sizeof(bytes));
	if (buf_text(&hex) == NULL)
		r = said(ERR_MEMORY, "out of memory");
	else
		memcpy(a->passwords[i], buf_text(&hex), PASSWORD_HEX + 1);
	wipe(bytes, sizeof(bytes));
	buf_wipe_done(&hex);
	return r;
}

/* Set each time: a role may change its own password. */
static int
set_password(struct apply *a, size_t i)
{
	struct scram_verifier v;
	struct buf sql;
	int r;

	if (a->dry_run) {
		(void)printf("ALTER ROLE %s PASSWORD '(made by apply)';\n\n",
		    a->wanted.items[i].role);
		return 0;
	}
	if ((r = choose_password(a, i)) != 0)
		return r;
	if ((r = scram_verifier_make(a->passwords[i], &v)) != 0)
		return said(r, "cannot make a verifier");
	buf_init(&sql, 0);
	buf_fmt(&sql, "ALTER ROLE %s PASSWORD '", a->wanted.items[i].role);
	scram_verifier_write(&v, &sql);
	buf_str(&sql, "'");
	r = db_run_buf(a->c, "setting a password", &sql);
	buf_wipe_done(&sql);
	wipe(&v, sizeof(v));
	return r;
}

static int
make_clearances(struct apply *a)
{
	struct buf sql;
	size_t i;
	int r = 0;

	buf_init(&sql, 0);
	for (i = 0; r == 0 && i < a->wanted.n; i++) {
		if (a->kept[i]) {
			a->n_kept++;
			r = set_password(a, i);
			continue;
		}
		a->n_new++;
		buf_reset(&sql);
		if ((r = clearance_sql(a, &a->wanted.items[i], &sql)) != 0 ||
		    (r = change(a, "making a clearance", &sql)) != 0 ||
		    (r = set_password(a, i)) != 0)
			break;
		r = remember(a, a->wanted.items[i].role, &sql);
	}
	buf_done(&sql);
	return r;
}

static int
others_rights(struct apply *a)
{
	int r = 0;

	if (a->revoke_temp)
		r = change_text(a, "taking temporary tables from PUBLIC",
		    rights_revoke_temp_sql);
	if (r == 0 && a->bypass_rls)
		r = change_text(a, "keeping COPY FROM as it was", rights_bypass_sql);
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
make_all(struct apply *a)
{
	int r;

	if ((r = examine(a)) != 0 || (r = read_known(a)) != 0 ||
	    (r = refuse_strangers(a)) != 0 ||
	    (r = live_types(a->c, a->arena, &a->types, &a->n_types)) != 0 ||
	    (r = live_states(a->c, a->arena, a->known != NULL, &a->states,
	    &a->n_states)) != 0 ||
	    (r = masks_check(a->c, a->store->catalog, &a->wanted, a->types,
	    a->n_types)) != 0 || (r = mark_kept(a)) != 0)
		return r;
	if ((r = make_tags(a)) != 0 || (r = make_base(a)) != 0)
		return r;
	/* A base that was made again has dropped everything. */
	if (known_value(a, "base") != NULL && (r = drop_known(a,
	    a->keep)) != 0)
		return r;
	if ((r = others_rights(a)) != 0)
		return r;
	return make_clearances(a);
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

static void
summary(const struct apply *a, PGresult *counts)
{
	int i;

	(void)printf("store %s: %zu clearances (%zu new, %zu kept, %zu "
	    "dropped) of %zu decisions; subjects:", a->store->name,
	    a->wanted.n, a->n_new, a->n_kept, a->n_dropped,
	    a->wanted.decisions);
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
			return said(ERR_DENIED, "the residence is the whole "
			    "store's: no row needs a column for it");
		return 0;
	}
	if (!there && !a->residence_columns)
		return 0;
	a->residence_columns = true;
	if (a->dry_run) {
		buf_init(&sql, 0);
		if ((r = keep_make_sql(a->store->catalog, &sql)) == 0)
			r = change(a, "making residence columns", &sql);
		buf_done(&sql);
		return r;
	}
	if (!there && ((r = begin(a)) != 0 || (r = examine(a)) != 0 ||
	    (r = db_run(a->c, "ending", "ROLLBACK")) != 0))
		return r;
	return columns_make(a->c, a->store->catalog);
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
		r = change(a, "dropping columns that no way needs", &sql);
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
		return said(r, w.text);
	a->passwords = calloc(a->wanted.n, sizeof(*a->passwords));
	a->kept = calloc(a->wanted.n, sizeof(*a->kept));
	if (a->passwords == NULL || a->kept == NULL)
		return said(ERR_MEMORY, "out of memory");
	if ((r = make_columns(a)) != 0 || (r = begin(a)) != 0 ||
	    (r = make_all(a)) != 0 || (r = drop_unused_columns(a)) != 0)
		return r;
	if (a->dry_run)
		return db_run(a->c, "ending", "ROLLBACK");
	if ((r = count(a, &counts)) != 0 ||
	    (r = at_most_check(a->store, total(counts))) != 0 ||
	    (r = db_rows(a->c, "reading the twins", twin_pairs_sql,
	    &twins)) != 0 ||
	    (r = applied_write(&f, a->store->name, &a->wanted, a->passwords,
	    counts, twins, now)) != 0 ||
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

	if ((r = begin(a)) != 0 || (r = read_known(a)) != 0)
		return r;
	if (a->known == NULL) {
		(void)printf("store %s: nothing was applied\n",
		    a->store->name);
		return 0;
	}
	buf_init(&sql, 0);
	if ((r = drop_known(a, false)) != 0 ||
	    (r = change_text(a, "giving rights back", rights_give_back_sql)) != 0 ||
	    (r = enforce_base_drop_sql(a->store->catalog, &sql)) != 0 ||
	    (r = keep_remove_sql(&sql)) != 0 ||
	    (r = twin_tags_drop_sql(&sql)) != 0 ||
	    (r = change(a, "dropping the base", &sql)) != 0)
		goto out;
	r = db_run(a->c, "ending", a->dry_run ? "ROLLBACK" : "COMMIT");
	if (r != 0 || a->dry_run)
		goto out;
	if (unlink(a->store->applied_path) != 0 && errno != ENOENT)
		r = said(ERR_IO, "cannot remove the logins' file");
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
	free(a.kept);
	PQclear(a.known);
	PQfinish(a.c);		/* a transaction that is open is undone */
	clearances_done(&a.wanted);
	arena_free(a.arena);
	config_free(a.config);
	return r == 0 ? 0 : 1;
}

/*
 * cli/apply.h - what the files of `sworn apply` share.
 *
 *	apply.c		the command, and the order of it all
 *	apply_base.c	what a store has once
 *	apply_items.c	clearances, panes and logins: which there are to be,
 *			which are there, making and dropping them
 *	apply_seal.c	what gateways that look for drift compare with
 *	apply_state.c	sworn.state, and transactions
 *
 * Errors are said on standard error where they are found.
 */
#ifndef CLI_APPLY_H
#define CLI_APPLY_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/applied.h"
#include "cli/clearances.h"
#include "crypto/hash.h"
#include "enforce/enforce.h"
#include "enforce/share.h"
#include "enforce/watch.h"
#include "gateway/seal.h"

struct arena;
struct buf;
struct config;
struct config_store;

#define APPLY_HEX (2 * HASH_LEN)
/* More views than this, a view each for every clearance and table, and they
 * are shared from then on. */
#define APPLY_VIEWS_MAX 1024

enum apply_kind {
	APPLY_WHOLE,	/* a clearance with views of its own */
	APPLY_PANE,
	APPLY_LOGIN,	/* a clearance that reads panes */
};

struct apply_item {
	enum apply_kind kind;
	size_t index;		/* in wanted.items or share.panes */
	const char *name;
	char sql_hash[APPLY_HEX + 1];
	bool kept;		/* it is there as it should be */
	bool pending;		/* made, and not remembered yet */
};

struct apply {
	/* from the command line */
	const char *file, *store_name, *admin;
	bool dry_run, remove, revoke_temp, bypass_rls, residence_columns;
	bool keep;		/* what is no longer given out, too */
	bool shared;		/* or because of how many there are */

	struct config *config;
	const struct config_store *store;
	PGconn *c;
	struct arena *arena;
	struct clearances wanted;
	char (*passwords)[PASSWORD_HEX + 1];	/* of wanted.items */
	const char **verifiers;			/* of these */
	struct share share;
	struct apply_item *items;	/* panes first */
	size_t n_items;
	struct enforce_type *types;
	size_t n_types;
	struct enforce_table_state *states;
	size_t n_states;
	PGresult *known;	/* sworn.state: (key, value); NULL: no base */
	size_t n_new, n_kept, n_dropped;	/* clearances */

	struct watch_list watch;	/* as it is at the end */
	struct seal seal;		/* about it */
	bool as_left;		/* before the part under way began */

	uint64_t locks;		/* of this transaction, by estimate */
	uint64_t locks_max;	/* that one may have; 0: any */
	bool base_dropped;	/* and so everything */
	bool parts;		/* it is more than one transaction */
	bool closed;		/* no login may log in until the end */
};

/* ---- apply_state.c ---- */

int apply_said(int r, const char *words);
/* Runs what changes the store, or prints it. */
int apply_change(struct apply *a, const char *what, struct buf *sql);
int apply_change_text(struct apply *a, const char *what, const char *sql);
int apply_hash(const void *data, size_t len, char ret[static APPLY_HEX + 1]);

int apply_begin(struct apply *a);
/* About to take this many locks: where that may be too many, what was done is
 * remembered and committed first. */
int apply_room(struct apply *a, uint64_t locks);
/* Ends a transaction, if there are to be several, and begins the next. */
int apply_next(struct apply *a);
/* No person gets in from now on, until apply_open; says so in sworn.state. */
int apply_close(struct apply *a);
int apply_open(struct apply *a);

int apply_read_known(struct apply *a);
const char *apply_known(const struct apply *a, const char *key);
/* The name in a key of sworn.state if it is one of an item, or NULL. */
const char *apply_key_name(const char *key);
void apply_key(const struct apply_item *it, char *ret, size_t size);
/* Compares all items with what is there, and sets kept. */
int apply_compare(struct apply *a);
int apply_remember_pending(struct apply *a);
/* "HASH HASH" of the base's SQL and of what is there. */
int apply_base_value(struct apply *a, struct buf *sql,
    char ret[static 2 * APPLY_HEX + 2]);

/* ---- apply_base.c ---- */

int apply_make_tags(struct apply *a);
int apply_make_base(struct apply *a);

/* ---- apply_seal.c ---- */

/* Sets watch and seal, and writes the seal; says what is new beside what
 * apply makes. */
int apply_seal(struct apply *a);
/* Before and after a transaction of its own, inside of it; arg is the apply:
 * seals what came out, if what was there was sealed. */
int apply_seal_part(void *arg, bool after);

/* ---- apply_items.c ---- */

/* Which items there are to be, with the hashes of their SQL. */
int apply_list(struct apply *a);
/* Whether an item of this name is to be. */
bool apply_wants(const struct apply *a, const char *name);
/* Locks for all that is not kept. */
uint64_t apply_locks(const struct apply *a);
/* Drops what is known, but the items that are kept; and, keep_others, those
 * that are no longer wanted. */
int apply_drop_known(struct apply *a, bool keep_others);
int apply_make_items(struct apply *a);
int apply_set_passwords(struct apply *a);

#endif

/*
 * logdir/logread.h - a log's files, all checked, entry by entry.
 *
 * Trusts nothing but the keys that the caller brings. Every hash at every
 * level is computed again from the entries; what does not match is damage,
 * named with its place, and reading goes on as far as it can.
 * Memory: one bundle, one tile a level, one record.
 */
#ifndef LOGDIR_LOGREAD_H
#define LOGDIR_LOGREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "log/note.h"
#include "log/rotation.h"
#include "record/record.h"

/* A checkpoint that somebody kept from before. */
struct logread_kept {
	const char *path;
	struct checkpoint c;
	bool by_given;			/* signed by one of the keys */
	bool used;			/* found: it is of this log */
};

struct logread {
	const char *dir;
	const struct note_key *keys;
	size_t n_keys;
	struct logread_kept *kept;
	size_t n_kept;
	void *arg;
	/* what: "checkpoint", "rotation", "missing", "entry", "tile", "root",
	 * "record", "order", "rollback" or "rewritten". */
	int (*damage)(void *arg, const char *what, const char *text);
	/* Each record in order. NULL: none wanted. */
	int (*record)(void *arg, const struct record *r, struct bytes entry);
	struct buf *note;		/* to get the signed checkpoint, or NULL */

	/* Found: */
	bool keyed;			/* chain was read */
	struct rotations chain;		/* its keys, up to the head */
	struct checkpoint head;
	const struct note_key *key;	/* that signed it; NULL: none did */
	char gateway[NOTE_NAME_MAX];	/* "" if no record says */
	uint64_t entries;		/* read */
	int64_t first_ms, last_ms;
};

/*
 * 0 whatever the log's state, if damage() and record() returned 0; else
 * their error, or ERR_MEMORY, ERR_CRYPTO.
 */
int logread(struct logread *l);

/* Finds out which keys the log has had, for those who need it before;
 * logread() does it by itself. */
int logread_keys(struct logread *l);

/*
 * The key that the log in the folder dir names as its own, in its first
 * entry. Nothing is checked: with it only a log's wholeness can be. 0, or an
 * error with a sentence in *w.
 */
int logread_own_key(const char *dir, struct note_key *ret, struct why *w);

/* Reads a kept checkpoint; logread() checks by which key of the log it is
 * signed. 0, or an error with a sentence in *w. */
int logread_kept_read(const char *path, const struct note_key *keys,
    size_t n_keys, struct logread_kept *ret, struct why *w);

#endif

/*
 * store/rotate.h - gives a log its next signing key, while nobody writes it.
 *
 * The order survives a crash at any point, and doing it again finishes it:
 *
 *	1. all that is durable is published, signed by the old key
 *	2. the rotation's record into the journal, synced
 *	3. the note into `rotations` in the log's directory, synced
 *	4. the tree with the record published, signed by the new key
 *
 * The record is the last entry until 4 is done: no log process starts with
 * either key before that.
 */
#ifndef STORE_ROTATE_H
#define STORE_ROTATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "log/note.h"

struct disk;
struct journal_entry;

struct rotate_conf {
	const struct disk *disk;
	int log_dir;
	int state_dir;			/* locked by the caller */
	const struct note_signer *from, *to;
	const char *gateway;		/* the name that records bear */
	int64_t now_ms;
};

/* *ret: the index of the record. *w says what is in the way. */
int rotate_run(const struct rotate_conf *conf, uint64_t *ret, struct why *w);

/* Whether an entry of the journal gives the log another key than this one:
 * then a run was cut short before 4, or the key is a retired one. */
bool rotate_is_to_another(const struct journal_entry *e,
    const struct note_key *key);

#endif

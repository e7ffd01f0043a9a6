/*
 * store/tiles.h - the published log: tiles, entry bundles, checkpoint.
 *
 * Three sizes: what is added (in memory here, durable in the journal), what
 * is signed (the checkpoint in the state directory, which the log's readers
 * do not see), and what is published. Never is a tree signed that
 * contradicts one signed before: the signed checkpoint is stored before
 * anything of its tree is published, and a start that finds it unpublished
 * must publish exactly that tree first.
 * One owner, one thread. Format of the files: c2sp.org/tlog-tiles.
 */
#ifndef STORE_TILES_H
#define STORE_TILES_H

#include <stdint.h>

#include "base/err.h"
#include "log/note.h"

struct buf;
struct disk;
struct journal_entry;
struct tiles;

#define TILES_SIGNED "signed"		/* in the state directory */
#define TILES_PARTIALS "partials"	/* too */
#define TILES_CHECKPOINT "checkpoint"	/* in the log's directory */
#define TILES_STAGING ".staging"	/* too */
#define TILES_KEEP 64	/* sizes whose partial tiles stay for readers */
#define TILES_ROUND_MAX 16384	/* entries published at a time */

/* Borrowed for as long as the tiles live. */
struct tiles_conf {
	const struct disk *disk;
	int log_dir;
	int state_dir;
	const struct note_signer *signer;
	/* The key before it, by which a checkpoint may still be signed while
	 * one key is followed by the next; else NULL. */
	const struct note_key *old_key;
};

/*
 * Reads both checkpoints and the right edge of the tree. Anything that does
 * not fit together is an error, and *w says what it is, where, and what to
 * do. Reads a number of tiles that does not depend on the log's size.
 */
int tiles_open(const struct tiles_conf *conf, struct tiles **ret,
    struct why *w);
void tiles_free(struct tiles *t);

/* From here on this one signs. Its name is the log's. */
void tiles_sign_by(struct tiles *t, const struct note_signer *signer);

uint64_t tiles_published(const struct tiles *t);
uint64_t tiles_signed(const struct tiles *t);
/* Index of the next entry to add. */
uint64_t tiles_next(const struct tiles *t);

/* Adds an entry that is durable in the journal; copies it. */
int tiles_add(struct tiles *t, const struct journal_entry *e);

/*
 * After the journal's entries were added: whether they lead to the tree that
 * is signed. ERR_CONFLICT: no, and *w says how.
 */
int tiles_check_signed(const struct tiles *t, struct why *w);

/*
 * Publishes what was added, at most TILES_ROUND_MAX entries. 0; ERR_IO: not
 * now, try again later; anything else: the process must end, *w says why.
 */
int tiles_publish(struct tiles *t, struct why *w);

/* The last entry that is added or published. ERR_MISSING: none. */
int tiles_last(const struct tiles *t, struct buf *out);

#endif

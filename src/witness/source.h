/*
 * witness/source.h - the hashes of a log's tree, out of its tiles.
 *
 * They are what the tiles say: the caller checks them against a signed root.
 * Keeps the last tile read.
 */
#ifndef WITNESS_SOURCE_H
#define WITNESS_SOURCE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "log/merkle.h"
#include "log/note.h"
#include "log/rotation.h"

#define SOURCE_BUNDLE_MAX ((size_t)256 * (65535 + 2))

struct fetch;

struct source {
	struct fetch *fetch;
	uint64_t size;		/* of the tree that is read */
	struct why *w;
	struct buf tile;
	int level;		/* of it; -2: none */
	uint64_t index;
};

void source_init(struct source *s, struct fetch *f, uint64_t size,
    struct why *w);
void source_done(struct source *s);

/* A tile or bundle as wide as in this tree: the partial one, or the full one
 * that came after it (then out is longer). Errors as fetch_file. */
int source_tile(struct source *s, int level, uint64_t index,
    struct buf *out);

/* A merkle_read_fn; arg is the source. */
int source_subtree(void *arg, unsigned level, uint64_t index,
    struct merkle_hash *ret);

/*
 * The log's checkpoint, of the log that key is for, signed by the one of its
 * keys that signs trees of that size. chain: empty, or key is one of it.
 */
int source_checkpoint(struct fetch *f, const char *name,
    const struct note_key *key, const struct rotations *chain,
    struct buf *note, struct checkpoint *ret, struct why *w);

/*
 * What the file of rotations says; an empty chain if there is none, or if
 * key is none of its keys. text gets the file.
 */
int source_rotations(struct fetch *f, const struct note_key *key,
    struct buf *text, struct rotations *ret, struct why *w);

#endif

/*
 * logdir/tree.h - the hashes of a log's entries, level by level, against
 * the tiles on disk.
 *
 * Fed with leaf hashes in order; compares each tile as soon as its hashes
 * are known, so memory is one tile a level.
 */
#ifndef LOGDIR_TREE_H
#define LOGDIR_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log/merkle.h"
#include "log/tile.h"

#define TREE_LEVELS 8

struct buf;

struct tree {
	const char *dir;
	uint64_t size;			/* by the checkpoint */
	void *arg;
	int (*damage)(void *arg, const char *what, const char *text);
	struct {
		struct merkle_hash h[TILE_WIDTH];
		unsigned n;
		uint64_t index;		/* of the tile */
	} level[TREE_LEVELS];
};

/*
 * Reads the tile (or bundle, level TILE_ENTRIES) of that width: the partial
 * file, or the full one. Appends to out. Errors as logfile_read.
 */
int tree_read_tile(const char *dir, int level, uint64_t index,
    unsigned width, struct buf *out);

/* The hash of a full tile's 256 hashes. */
int tree_tile_root(const struct merkle_hash h[static TILE_WIDTH],
    struct merkle_hash *ret);

/* The hash that the level above has for a full tile. ERR_MISSING if it is
 * not on disk. */
int tree_above(const char *dir, unsigned level, uint64_t index,
    uint64_t size, struct merkle_hash *ret);

/* The next full tile of level 0 has this hash. 0 or an error. */
int tree_add(struct tree *t, const struct merkle_hash *h);
/* Compares what is left: the partial tiles. */
int tree_end(struct tree *t);

#endif

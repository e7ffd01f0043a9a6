/*
 * store/tiles_state.h - what tiles.c and publish.c share; private to them.
 */
#ifndef STORE_TILES_STATE_H
#define STORE_TILES_STATE_H

#include <stdbool.h>

#include "base/buf.h"
#include "log/tile.h"
#include "store/tiles.h"

#define TILE_LEVELS 8
#define TILE_LEVEL_BITS 8

struct tiles_pending {
	struct bytes data;	/* on the heap */
	struct merkle_hash leaf;
};

struct tiles {
	struct tiles_conf conf;
	bool has_signed;
	struct checkpoint signed_tree;
	struct buf note;		/* the signed checkpoint, as it is */
	bool signed_met;		/* the added entries led to its root */
	/* The published tree: its right edge, which appending needs. */
	struct merkle_frontier done;
	struct merkle_hash edge[TILE_LEVELS][TILE_WIDTH];
	struct buf bundle;		/* the last, partial one */
	/* Added and not published. */
	struct merkle_frontier added;
	struct tiles_pending *pending;
	size_t n_pending, cap_pending;
	/* Sizes that may have partial tiles, the oldest first. */
	uint64_t kept[TILES_KEEP + 4];
	size_t n_kept;
	bool synced;	/* all directories on the way were, since the start */
};

/* Width of the partial tile at the right edge: 0 if there is none. */
static inline unsigned
edge_width(unsigned level, uint64_t size)
{
	return (unsigned)(size >> (TILE_LEVEL_BITS * level)) % TILE_WIDTH;
}

static inline uint64_t
edge_index(unsigned level, uint64_t size)
{
	return size >> (TILE_LEVEL_BITS * level) >> TILE_LEVEL_BITS;
}

#endif

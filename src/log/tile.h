/*
 * log/tile.h - names and contents of tiles and entry bundles.
 *
 * Format: c2sp.org/tlog-tiles. Level TILE_ENTRIES names entry bundles.
 */
#ifndef LOG_TILE_H
#define LOG_TILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "log/merkle.h"

#define TILE_WIDTH 256
#define TILE_ENTRIES (-1)
#define TILE_PATH_MAX 96
#define TILE_ENTRY_MAX 65535

/* "tile/0/x001/234", with ".p/W" when width < 256. width is 1..256. */
int tile_path(int level, uint64_t index, unsigned width,
    char ret[static TILE_PATH_MAX]);
/* Width of the tile `index` at a level for a tree of `size`: 0 if none. */
unsigned tile_width(unsigned level, uint64_t index, uint64_t size);
/* Number of tiles (full and partial) at a level for a tree of `size`. */
uint64_t tile_count(unsigned level, uint64_t size);

/*
 * The hash of a complete subtree inside one tile: of the 2^level hashes
 * (level 0..8) from index * 2^level on. ERR_FORMAT if the tile is too short.
 */
int tile_subtree(struct bytes tile, unsigned level, uint64_t index,
    struct merkle_hash *ret);

/* The next entry of a bundle. 0, ERR_SHORT at the end, ERR_FORMAT if cut. */
int tile_entry(struct reader *r, struct bytes *ret);
int tile_entry_write(struct buf *out, const void *entry, size_t len);

#endif

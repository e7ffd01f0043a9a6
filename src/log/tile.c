/*
 * A tile of level L and index N holds up to 256 hashes of tree level 8 * L:
 * those of the complete subtrees N * 256 ... N * 256 + 255. So its width in
 * a tree of s leaves is floor(s / 256^L) - N * 256, at most 256.
 */
#include "log/tile.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

#define LEVEL_BITS 8
#define LEVELS 8		/* 8 * 8 bits are all that a size has */

/* N in groups of three digits, all but the last with an x: x001/x234/067. */
static int
path_index(uint64_t index, char *out, size_t cap)
{
	unsigned group[7], n = 0;
	size_t len = 0;
	int w;

	do {
		group[n++] = (unsigned)(index % 1000);
		index /= 1000;
	} while (index != 0);
	while (n > 0) {
		n--;
		w = snprintf(out + len, cap - len, n > 0 ? "x%03u/" : "%03u",
		    group[n]);
		if (w < 0 || (size_t)w >= cap - len)
			return ERR_LIMIT;
		len += (size_t)w;
	}
	return 0;
}

int
tile_path(int level, uint64_t index, unsigned width,
    char ret[static TILE_PATH_MAX])
{
	char number[48], name[16], partial[16] = "";
	int n;

	ret[0] = '\0';
	if (level < TILE_ENTRIES || level >= LEVELS || width == 0 ||
	    width > TILE_WIDTH)
		return ERR_LIMIT;
	if (level == TILE_ENTRIES)
		n = snprintf(name, sizeof(name), "entries");
	else
		n = snprintf(name, sizeof(name), "%d", level);
	if (n < 0 || path_index(index, number, sizeof(number)) != 0)
		return ERR_LIMIT;
	if (width < TILE_WIDTH &&
	    snprintf(partial, sizeof(partial), ".p/%u", width) < 0)
		return ERR_LIMIT;
	n = snprintf(ret, TILE_PATH_MAX, "tile/%s/%s%s", name, number,
	    partial);
	return n > 0 && n < TILE_PATH_MAX ? 0 : ERR_LIMIT;
}

/* Hashes at a tile level in a tree of `size` leaves. */
static uint64_t
hashes(unsigned level, uint64_t size)
{
	return level < LEVELS ? size >> (LEVEL_BITS * level) : 0;
}

unsigned
tile_width(unsigned level, uint64_t index, uint64_t size)
{
	uint64_t n = hashes(level, size);

	if (index >= tile_count(level, size))
		return 0;
	n -= index * TILE_WIDTH;
	return n < TILE_WIDTH ? (unsigned)n : TILE_WIDTH;
}

uint64_t
tile_count(unsigned level, uint64_t size)
{
	uint64_t n = hashes(level, size);

	return n / TILE_WIDTH + (n % TILE_WIDTH != 0);
}

int
tile_subtree(struct bytes tile, unsigned level, uint64_t index,
    struct merkle_hash *ret)
{
	struct merkle_hash h[TILE_WIDTH];
	size_t n, i;
	int r;

	if (level > LEVEL_BITS)
		return ERR_LIMIT;
	n = (size_t)1 << level;
	if (index >= TILE_WIDTH || (index + 1) * n * HASH_LEN > tile.len)
		return ERR_FORMAT;
	memcpy(h, tile.data + index * n * HASH_LEN, n * HASH_LEN);
	for (; n > 1; n /= 2)
		for (i = 0; i < n / 2; i++)
			if ((r = merkle_node(&h[2 * i], &h[2 * i + 1],
			    &h[i])) != 0)
				return r;
	*ret = h[0];
	return 0;
}

int
tile_entry(struct reader *r, struct bytes *ret)
{
	struct reader at = *r;
	uint16_t len;

	if (reader_left(r) == 0)
		return ERR_SHORT;
	if (reader_u16(&at, &len) != 0 || reader_bytes(&at, len, ret) != 0)
		return ERR_FORMAT;
	*r = at;
	return 0;
}

int
tile_entry_write(struct buf *out, const void *entry, size_t len)
{
	if (len > TILE_ENTRY_MAX)
		return ERR_LIMIT;
	buf_u16(out, (uint16_t)len);
	buf_bytes(out, entry, len);
	return out->failed ? ERR_MEMORY : 0;
}

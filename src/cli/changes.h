/*
 * cli/changes.h - what one principal gains and loses, in words: by store and
 * table, residences of which the same is said together.
 */
#ifndef CLI_CHANGES_H
#define CLI_CHANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct reach_space;

/* Of a cell (policy/reach.h). */
struct cell_change {
	uint8_t before, after;		/* the most: enum treatment */
	uint16_t moves;			/* in some session: changes_move */
};

/* A session is shown a cell at one level, then at another. */
static inline void
changes_move(struct cell_change *c, uint8_t from, uint8_t to)
{
	if (from != to)
		c->moves |= (uint16_t)(1u << (from * 3u + to));
}

/* Cells as those of the space. */
bool changes_any(const struct cell_change *cells, size_t n);
/* 0 or ERR_MEMORY; resets scratch. */
int changes_say(const struct reach_space *space,
    const struct cell_change *cells, struct arena *scratch, struct buf *out);

#endif

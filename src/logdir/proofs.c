#include "logdir/proofs.h"

#include <string.h>

#include "base/err.h"
#include "log/proof.h"
#include "log/tile.h"

void
proofs_init(struct proofs *p, const char *dir, const struct checkpoint *head,
    struct bytes note)
{
	size_t i;

	memset(p, 0, sizeof(*p));
	p->dir = dir;
	p->head = head;
	p->note = note;
	for (i = 0; i < TREE_LEVELS; i++)
		buf_init(&p->tiles[i], 0);
}

void
proofs_done(struct proofs *p)
{
	size_t i;

	for (i = 0; i < TREE_LEVELS; i++)
		buf_done(&p->tiles[i]);
}

/* A subtree of 2^level entries: within a tile of the level below or at it. */
static int
read_subtree(void *arg, unsigned level, uint64_t index,
    struct merkle_hash *ret)
{
	struct proofs *p = arg;
	unsigned of = level / 8, within = level % 8;
	uint64_t first = index << within, tile = first / TILE_WIDTH;
	struct buf *t;
	int r;

	if (of >= TREE_LEVELS)
		return ERR_LIMIT;
	t = &p->tiles[of];
	if (t->len == 0 || p->index[of] != tile) {
		buf_reset(t);
		if ((r = tree_read_tile(p->dir, (int)of, tile,
		    tile_width(of, tile, p->head->size), t)) != 0)
			return r;
		p->index[of] = tile;
	}
	return tile_subtree(bytes_of(t->data, t->len), within,
	    (first % TILE_WIDTH) >> within, ret);
}

int
proofs_write(struct proofs *p, uint64_t seq, struct bytes entry,
    struct buf *out)
{
	struct proof proof = {.index = seq, .checkpoint = p->note};
	int r;

	if ((r = merkle_inclusion(seq, p->head->size, read_subtree, p,
	    proof.hashes, &proof.n)) != 0 ||
	    (r = proof_check(&proof, entry.data, entry.len, p->head)) != 0)
		return r;
	proof_write(out, &proof);
	return out->failed ? ERR_MEMORY : 0;
}

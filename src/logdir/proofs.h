/*
 * logdir/proofs.h - proofs that entries are in a log, from its tiles.
 *
 * Memory: one tile a level, since entries are mostly asked for in order.
 */
#ifndef LOGDIR_PROOFS_H
#define LOGDIR_PROOFS_H

#include <stdint.h>

#include "base/buf.h"
#include "log/note.h"
#include "logdir/tree.h"

struct proofs {
	const char *dir;		/* of the log: borrowed, like the rest */
	const struct checkpoint *head;
	struct bytes note;		/* that signs it */
	struct buf tiles[TREE_LEVELS];	/* the last one read of each level */
	uint64_t index[TREE_LEVELS];
};

void proofs_init(struct proofs *p, const char *dir,
    const struct checkpoint *head, struct bytes note);
void proofs_done(struct proofs *p);
/* Appends the proof file of an entry; it has been checked. 0 or an error. */
int proofs_write(struct proofs *p, uint64_t seq, struct bytes entry,
    struct buf *out);

#endif

/*
 * verify/cosigned.h - which of a log's checkpoints witnesses have cosigned.
 *
 * Trusts the keys that the caller brings, as logread does. The tree of what
 * is found is compared by logread, as of a checkpoint that was kept.
 */
#ifndef VERIFY_COSIGNED_H
#define VERIFY_COSIGNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log/note.h"
#include "log/quorum.h"
#include "log/rotation.h"
#include "logdir/logread.h"

struct cosigned {
	char path[4096];
	struct checkpoint c;		/* of the best file, if n > 0 */
	size_t n;			/* witnesses that cosigned it */
	bool met;			/* they are a quorum */
	uint64_t time_s;		/* by when a quorum of them had */
};

struct cosigned_keys {
	const struct note_key *keys;	/* of the log */
	size_t n_keys;
	const struct rotations *chain;	/* and those that they lead to */
	const struct quorum *quorum;
};

/*
 * Looks at `checkpoint` and `checkpoint.cosigned` in dir, and takes the
 * larger of those that reach the quorum, else the one with more. 0 whatever
 * the files are; ERR_MEMORY.
 */
int cosigned_read(const char *dir, const struct cosigned_keys *k,
    struct cosigned *ret);

#endif

/*
 * log/proof.h - a proof file: that an entry is in a log.
 *
 * Format: c2sp.org/tlog-proof. Pure: text in, struct out. It says where the
 * entry is, not what it is, so the reader brings the entry.
 */
#ifndef LOG_PROOF_H
#define LOG_PROOF_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "log/merkle.h"
#include "log/note.h"

/* The longest: header, extra data as long as a note, hashes, a note. */
#define PROOF_FILE_MAX ((size_t)2 * NOTE_MAX + 8192)

struct proof {
	uint64_t index;
	struct merkle_hash hashes[MERKLE_PROOF_MAX];
	size_t n;
	struct bytes checkpoint;	/* the signed note, unchecked */
};

/* Sets out->failed if there is no memory. */
void proof_write(struct buf *out, const struct proof *p);

/* 0 or ERR_FORMAT. ret->checkpoint points into the text. */
int proof_read(const char *text, size_t len, struct proof *ret);

/*
 * 0 if the entry is where the proof says, in the tree of that root;
 * ERR_CRYPTO if not; ERR_FORMAT if the proof cannot be of such a tree.
 */
int proof_check(const struct proof *p, const void *entry, size_t len,
    const struct checkpoint *tree);

#endif

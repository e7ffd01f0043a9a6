/*
 * witness/mirror.h - a verified copy of a log, which only ever extends.
 *
 * A file of the copy is written once its hash was found in a tree that the
 * log's key has signed, so an interrupted run goes on where it was. Files:
 * those of docs/log.md, and
 *
 *	.next		the signed checkpoint that is being copied
 *	.wanted		objects that records name and the source does not have
 *	fork/		signed checkpoints that contradict each other
 *
 * Memory: one tile a level and one bundle. One run at a time (.lock).
 */
#ifndef WITNESS_MIRROR_H
#define WITNESS_MIRROR_H

#include <stdint.h>

struct note_key;
struct why;

struct mirror_result {
	uint64_t before, after;	/* entries in the copy */
	uint64_t wanted;	/* objects that are missing at the source */
};

/*
 * 0: the copy is as long as the source. ERR_CONFLICT: the source's tree is
 * not the one that was copied, it has forked; both signed checkpoints are in
 * fork/. ERR_STATE: the source shows an older tree than is known.
 * ERR_CRYPTO or ERR_FORMAT: the source's files do not fit its checkpoint.
 * *w always says more. The copy is a whole one after each of these.
 */
int mirror_run(const char *from, const char *to, const struct note_key *key,
    struct mirror_result *ret, struct why *w);

#endif

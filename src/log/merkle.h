/*
 * log/merkle.h - the Merkle tree of RFC 6962 (SHA-256).
 *
 * Pure. Hashes of an arbitrary tree are asked of the caller by position, so
 * a tree of any size needs memory for one path only.
 * Format: RFC 6962, section 2.1.
 */
#ifndef LOG_MERKLE_H
#define LOG_MERKLE_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/hash.h"

#define MERKLE_PROOF_MAX 64
#define MERKLE_SIZE_MAX (UINT64_MAX >> 1) /* proofs of it are not longer */

struct merkle_hash {
	uint8_t h[HASH_LEN];
};

int merkle_leaf(const void *entry, size_t len, struct merkle_hash *ret);
int merkle_node(const struct merkle_hash *l, const struct merkle_hash *r,
    struct merkle_hash *ret);

/* The right edge of a growing tree: append leaves, ask for the root. */
struct merkle_frontier {
	uint64_t size;
	struct merkle_hash edge[64];	/* edge[i] used if bit i of size */
};

void merkle_frontier_init(struct merkle_frontier *f);
int merkle_frontier_add(struct merkle_frontier *f,
    const struct merkle_hash *leaf);
int merkle_frontier_root(const struct merkle_frontier *f,
    struct merkle_hash *ret);

/*
 * The hash of the complete subtree of 2^level leaves at index (the leaves
 * index*2^level ...). 0 or an error, which the callers below pass on.
 */
typedef int merkle_read_fn(void *arg, unsigned level, uint64_t index,
    struct merkle_hash *ret);

int merkle_root(uint64_t size, merkle_read_fn *read, void *arg,
    struct merkle_hash *ret);
/* Proofs: hashes from leaf to root. *n <= MERKLE_PROOF_MAX. ERR_LIMIT: not
 * within the tree, or a tree larger than MERKLE_SIZE_MAX. */
int merkle_inclusion(uint64_t index, uint64_t size, merkle_read_fn *read,
    void *arg, struct merkle_hash ret[static MERKLE_PROOF_MAX], size_t *n);
int merkle_consistency(uint64_t old, uint64_t size, merkle_read_fn *read,
    void *arg, struct merkle_hash ret[static MERKLE_PROOF_MAX], size_t *n);

/* 0 if the proof holds, ERR_CRYPTO if not, ERR_FORMAT if misshapen. */
int merkle_check_inclusion(uint64_t index, uint64_t size,
    const struct merkle_hash *leaf, const struct merkle_hash *root,
    const struct merkle_hash *proof, size_t n);
int merkle_check_consistency(uint64_t old, uint64_t size,
    const struct merkle_hash *old_root, const struct merkle_hash *root,
    const struct merkle_hash *proof, size_t n);

#endif

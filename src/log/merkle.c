/*
 * A tree of n leaves is split at the largest power of two smaller than n, so
 * its left part is always complete and only the right edge is ragged:
 *
 *            root
 *          /      \
 *        *          \          size 7 = 4 + 2 + 1: three complete
 *       / \          *         subtrees, one for each bit that is set
 *      *   *       /   \
 *     / \ / \     *     6
 *     0 1 2 3    / \
 *                4 5
 *
 * Every hash that a root or a proof needs is a fold of complete subtrees,
 * and these are what the caller is asked for.
 */
#include "log/merkle.h"

#include <stdbool.h>
#include <string.h>

#include "base/err.h"

static bool
same(const struct merkle_hash *a, const struct merkle_hash *b)
{
	return memcmp(a->h, b->h, HASH_LEN) == 0;
}

/* The exponent of the largest power of two that is at most n > 0. */
static unsigned
log2_floor(uint64_t n)
{
	return 63u - (unsigned)__builtin_clzll(n);
}

int
merkle_leaf(const void *entry, size_t len, struct merkle_hash *ret)
{
	static const uint8_t prefix = 0x00;
	struct hash *h;
	int r;

	memset(ret, 0, sizeof(*ret));
	if ((h = hash_new()) == NULL)
		return ERR_MEMORY;
	if ((r = hash_add(h, &prefix, 1)) == 0 &&
	    (r = hash_add(h, entry, len)) == 0)
		r = hash_end(h, ret->h);
	hash_free(h);
	return r;
}

int
merkle_node(const struct merkle_hash *l, const struct merkle_hash *r,
    struct merkle_hash *ret)
{
	uint8_t in[1 + 2 * HASH_LEN];

	in[0] = 0x01;
	memcpy(in + 1, l->h, HASH_LEN);
	memcpy(in + 1 + HASH_LEN, r->h, HASH_LEN);
	return hash_sha256(in, sizeof(in), ret->h);
}

void
merkle_frontier_init(struct merkle_frontier *f)
{
	memset(f, 0, sizeof(*f));
}

int
merkle_frontier_add(struct merkle_frontier *f, const struct merkle_hash *leaf)
{
	struct merkle_hash h = *leaf;
	unsigned i;
	int r;

	if (f->size == MERKLE_SIZE_MAX)
		return ERR_LIMIT;
	for (i = 0; (f->size >> i & 1) != 0; i++)
		if ((r = merkle_node(&f->edge[i], &h, &h)) != 0)
			return r;
	f->edge[i] = h;
	f->size++;
	return 0;
}

int
merkle_frontier_root(const struct merkle_frontier *f, struct merkle_hash *ret)
{
	struct merkle_hash h;
	unsigned i, low;
	int r;

	if (f->size == 0)
		return hash_sha256("", 0, ret->h);
	low = (unsigned)__builtin_ctzll(f->size);
	h = f->edge[low];
	for (i = low + 1; i < 64; i++)
		if ((f->size >> i & 1) != 0 &&
		    (r = merkle_node(&f->edge[i], &h, &h)) != 0)
			return r;
	*ret = h;
	return 0;
}

/*
 * The hash over the n > 0 leaves from `start` on. In all splits of a tree
 * start is a multiple of the power of two that n is at most, so each of its
 * complete parts has an index at its level.
 */
static int
range_hash(uint64_t start, uint64_t n, merkle_read_fn *read, void *arg,
    struct merkle_hash *ret)
{
	struct merkle_hash part[64], h;
	unsigned level, parts = 0;
	int r;

	while (n > 0) {
		level = log2_floor(n);
		if ((r = read(arg, level, start >> level, &part[parts])) != 0)
			return r;
		parts++;
		start += (uint64_t)1 << level;
		n -= (uint64_t)1 << level;
	}
	h = part[--parts];
	while (parts > 0)
		if ((r = merkle_node(&part[--parts], &h, &h)) != 0)
			return r;
	*ret = h;
	return 0;
}

int
merkle_root(uint64_t size, merkle_read_fn *read, void *arg,
    struct merkle_hash *ret)
{
	if (size == 0)
		return hash_sha256("", 0, ret->h);
	return range_hash(0, size, read, arg, ret);
}

/* The walks below go from the root down; proofs go from the leaf up. */
static void
reverse(struct merkle_hash *h, size_t n)
{
	struct merkle_hash t;
	size_t i;

	for (i = 0; i < n / 2; i++) {
		t = h[i];
		h[i] = h[n - 1 - i];
		h[n - 1 - i] = t;
	}
}

/* Where a tree of n > 1 leaves is split. */
static uint64_t
split(uint64_t n)
{
	return (uint64_t)1 << log2_floor(n - 1);
}

int
merkle_inclusion(uint64_t index, uint64_t size, merkle_read_fn *read,
    void *arg, struct merkle_hash ret[static MERKLE_PROOF_MAX], size_t *n)
{
	uint64_t start = 0, left = size, k;
	size_t len = 0;
	int r;

	if (index >= size || size > MERKLE_SIZE_MAX)
		return ERR_LIMIT;
	while (left > 1) {
		k = split(left);
		if (index - start < k) {
			r = range_hash(start + k, left - k, read, arg,
			    &ret[len++]);
			left = k;
		} else {
			r = range_hash(start, k, read, arg, &ret[len++]);
			start += k;
			left -= k;
		}
		if (r != 0)
			return r;
	}
	reverse(ret, len);
	*n = len;
	return 0;
}

int
merkle_consistency(uint64_t old, uint64_t size, merkle_read_fn *read,
    void *arg, struct merkle_hash ret[static MERKLE_PROOF_MAX], size_t *n)
{
	uint64_t start = 0, left = size, k;
	size_t len = 0;
	int r;

	if (old > size || size > MERKLE_SIZE_MAX)
		return ERR_LIMIT;
	*n = 0;
	if (old == 0 || old == size)
		return 0;
	while (old - start != left) {
		k = split(left);
		if (old - start <= k) {
			r = range_hash(start + k, left - k, read, arg,
			    &ret[len++]);
			left = k;
		} else {
			r = range_hash(start, k, read, arg, &ret[len++]);
			start += k;
			left -= k;
		}
		if (r != 0)
			return r;
	}
	/* At the left edge it is the old root, which the checker has. */
	if (start != 0 &&
	    (r = range_hash(start, left, read, arg, &ret[len++])) != 0)
		return r;
	reverse(ret, len);
	*n = len;
	return 0;
}

/*
 * Both checks climb with two positions: that of the node hashed so far and
 * that of the last node of its level. Above a last node that is a left child
 * there is no sibling, so it moves up until it is a right child.
 */
struct climb {
	uint64_t at;
	uint64_t last;
};

static bool
is_right(const struct climb *c)
{
	return (c->at & 1) != 0 || c->at == c->last;
}

static void
climb_up(struct climb *c)
{
	c->at >>= 1;
	c->last >>= 1;
}

static void
climb_edge(struct climb *c)
{
	while ((c->at & 1) == 0 && c->at != 0)
		climb_up(c);
}

int
merkle_check_inclusion(uint64_t index, uint64_t size,
    const struct merkle_hash *leaf, const struct merkle_hash *root,
    const struct merkle_hash *proof, size_t n)
{
	struct climb c = {index, size - 1};
	struct merkle_hash h = *leaf;
	size_t i;
	int r;

	if (index >= size || n > MERKLE_PROOF_MAX)
		return ERR_FORMAT;
	for (i = 0; i < n; i++) {
		if (c.last == 0)
			return ERR_FORMAT;
		if (is_right(&c)) {
			r = merkle_node(&proof[i], &h, &h);
			climb_edge(&c);
		} else {
			r = merkle_node(&h, &proof[i], &h);
		}
		if (r != 0)
			return r;
		climb_up(&c);
	}
	if (c.last != 0)
		return ERR_FORMAT;
	return same(&h, root) ? 0 : ERR_CRYPTO;
}

/* old == 0 and old == size have nothing to prove but what they say. */
static int
check_trivial(uint64_t old, uint64_t size, const struct merkle_hash *old_root,
    const struct merkle_hash *root, size_t n)
{
	struct merkle_hash empty;
	int r;

	if (n != 0)
		return ERR_FORMAT;
	if (old == size && !same(old_root, root))
		return ERR_CRYPTO;
	if (old != 0)
		return 0;
	if ((r = hash_sha256("", 0, empty.h)) != 0)
		return r;
	return same(old_root, &empty) ? 0 : ERR_CRYPTO;
}

int
merkle_check_consistency(uint64_t old, uint64_t size,
    const struct merkle_hash *old_root, const struct merkle_hash *root,
    const struct merkle_hash *proof, size_t n)
{
	struct climb c = {old - 1, size - 1};
	struct merkle_hash was, now;
	size_t i = 0;
	int r = 0;

	if (old > size || n > MERKLE_PROOF_MAX)
		return ERR_FORMAT;
	if (old == 0 || old == size)
		return check_trivial(old, size, old_root, root, n);
	while ((c.at & 1) != 0)
		climb_up(&c);
	if (c.at == 0)			/* old is a power of two */
		was = now = *old_root;
	else if (n > 0)
		was = now = proof[i++];
	else
		return ERR_FORMAT;
	for (; i < n && r == 0; i++) {
		if (c.last == 0)
			return ERR_FORMAT;
		if (is_right(&c)) {
			if ((r = merkle_node(&proof[i], &was, &was)) == 0)
				r = merkle_node(&proof[i], &now, &now);
			climb_edge(&c);
		} else {
			r = merkle_node(&now, &proof[i], &now);
		}
		climb_up(&c);
	}
	if (r != 0)
		return r;
	if (c.last != 0)
		return ERR_FORMAT;
	return same(&was, old_root) && same(&now, root) ? 0 : ERR_CRYPTO;
}

/*
 * The oracle is naive(): RFC 6962, section 2.1, as it is written, on arrays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "log/merkle.h"

#define SIZE_MAX_TESTED 130

static struct merkle_hash leaves[SIZE_MAX_TESTED];

static void
naive(size_t start, size_t n, struct merkle_hash *ret)
{
	struct merkle_hash l, r;
	size_t k = 1;

	if (n == 0) {
		assert_int_equal(hash_sha256("", 0, ret->h), 0);
		return;
	}
	if (n == 1) {
		*ret = leaves[start];
		return;
	}
	while (k * 2 < n)
		k *= 2;
	naive(start, k, &l);
	naive(start + k, n - k, &r);
	assert_int_equal(merkle_node(&l, &r, ret), 0);
}

/* PATH(m, D[n]) of RFC 6962, section 2.1.1. */
static void
naive_path(size_t m, size_t start, size_t n, struct merkle_hash *ret,
    size_t *len)
{
	size_t k = 1;

	if (n == 1)
		return;
	while (k * 2 < n)
		k *= 2;
	if (m < k) {
		naive_path(m, start, k, ret, len);
		naive(start + k, n - k, &ret[(*len)++]);
	} else {
		naive_path(m - k, start + k, n - k, ret, len);
		naive(start, k, &ret[(*len)++]);
	}
}

/* SUBPROOF(m, D[n], b) of RFC 6962, section 2.1.2. */
static void
naive_subproof(size_t m, size_t start, size_t n, bool b,
    struct merkle_hash *ret, size_t *len)
{
	size_t k = 1;

	if (m == n) {
		if (!b)
			naive(start, n, &ret[(*len)++]);
		return;
	}
	while (k * 2 < n)
		k *= 2;
	if (m <= k) {
		naive_subproof(m, start, k, b, ret, len);
		naive(start + k, n - k, &ret[(*len)++]);
	} else {
		naive_subproof(m - k, start + k, n - k, false, ret, len);
		naive(start, k, &ret[(*len)++]);
	}
}

/* Answers as tiles would: complete subtrees that the tree really has. */
static int
read_naive(void *arg, unsigned level, uint64_t index, struct merkle_hash *ret)
{
	uint64_t size = *(uint64_t *)arg;

	assert_true(((index + 1) << level) <= size);
	naive((size_t)(index << level), (size_t)1 << level, ret);
	return 0;
}

static int
read_failing(void *arg, unsigned level, uint64_t index,
    struct merkle_hash *ret)
{
	int *left = arg;

	(void)level;
	(void)index;
	if ((*left)-- == 0)
		return ERR_IO;
	memset(ret, 0, sizeof(*ret));
	return 0;
}

static int
make_leaves(void **state)
{
	uint8_t entry[3] = {0x5a, 0, 0};
	size_t i;

	(void)state;
	for (i = 0; i < SIZE_MAX_TESTED; i++) {
		entry[1] = (uint8_t)i;
		if (merkle_leaf(entry, i % 4, &leaves[i]) != 0)
			return -1;
	}
	return 0;
}

static void
assert_hex(const struct merkle_hash *h, const char *start, const char *end)
{
	struct buf b;
	const char *s;

	buf_init(&b, 0);
	text_hex(&b, h->h, HASH_LEN);
	assert_non_null(s = buf_text(&b));
	assert_memory_equal(s, start, strlen(start));
	assert_string_equal(s + strlen(s) - strlen(end), end);
	buf_done(&b);
}

static void
roots_of_known_leaves_are_as_published(void **state)
{
	struct merkle_frontier f;
	struct merkle_hash h, root;

	(void)state;
	merkle_frontier_init(&f);
	assert_int_equal(merkle_frontier_root(&f, &root), 0);
	assert_hex(&root, "e3b0c44298fc1c14", "a495991b7852b855");
	assert_int_equal(merkle_leaf("", 0, &h), 0);
	assert_int_equal(merkle_frontier_add(&f, &h), 0);
	assert_int_equal(merkle_frontier_root(&f, &root), 0);
	assert_hex(&root, "6e340b9c", "a01d");
	assert_int_equal(merkle_leaf("\0", 1, &h), 0);
	assert_int_equal(merkle_frontier_add(&f, &h), 0);
	assert_int_equal(merkle_frontier_root(&f, &root), 0);
	assert_hex(&root, "fac54203", "c125");
}

static void
frontier_and_subtrees_give_the_root_of_the_definition(void **state)
{
	struct merkle_frontier f;
	struct merkle_hash want, got;
	uint64_t n;

	(void)state;
	merkle_frontier_init(&f);
	for (n = 0; n <= SIZE_MAX_TESTED; n++) {
		naive(0, (size_t)n, &want);
		assert_int_equal(merkle_frontier_root(&f, &got), 0);
		assert_memory_equal(&want, &got, sizeof(want));
		assert_int_equal(merkle_root(n, read_naive, &n, &got), 0);
		assert_memory_equal(&want, &got, sizeof(want));
		if (n < SIZE_MAX_TESTED)
			assert_int_equal(merkle_frontier_add(&f, &leaves[n]),
			    0);
	}
}

static void
inclusion_proofs_of_all_sizes_are_the_definition_and_hold(void **state)
{
	struct merkle_hash root, got[MERKLE_PROOF_MAX], want[MERKLE_PROOF_MAX];
	uint64_t size, i;
	size_t n, want_n;

	(void)state;
	for (size = 1; size <= SIZE_MAX_TESTED; size++) {
		naive(0, (size_t)size, &root);
		for (i = 0; i < size; i++) {
			want_n = 0;
			naive_path((size_t)i, 0, (size_t)size, want, &want_n);
			assert_int_equal(merkle_inclusion(i, size, read_naive,
			    &size, got, &n), 0);
			assert_int_equal(n, want_n);
			if (n > 0)
				assert_memory_equal(got, want,
				    n * sizeof(got[0]));
			assert_int_equal(merkle_check_inclusion(i, size,
			    &leaves[i], &root, got, n), 0);
		}
	}
}

static void
consistency_proofs_of_all_sizes_are_the_definition_and_hold(void **state)
{
	struct merkle_hash was, now, got[MERKLE_PROOF_MAX];
	struct merkle_hash want[MERKLE_PROOF_MAX];
	uint64_t size, old;
	size_t n, want_n;

	(void)state;
	for (size = 1; size <= SIZE_MAX_TESTED; size++) {
		naive(0, (size_t)size, &now);
		for (old = 0; old <= size; old++) {
			naive(0, (size_t)old, &was);
			want_n = 0;
			if (old > 0)
				naive_subproof((size_t)old, 0, (size_t)size,
				    true, want, &want_n);
			assert_int_equal(merkle_consistency(old, size,
			    read_naive, &size, got, &n), 0);
			assert_int_equal(n, want_n);
			if (n > 0)
				assert_memory_equal(got, want,
				    n * sizeof(got[0]));
			assert_int_equal(merkle_check_consistency(old, size,
			    &was, &now, got, n), 0);
		}
	}
}

/* Every way to spoil a proof in one place; the check must refuse each. */
static void
inclusion_check_refuses_any_change(void **state)
{
	struct merkle_hash root, p[MERKLE_PROOF_MAX + 1], bad;
	uint64_t size, i, j;
	size_t n, k;

	(void)state;
	memset(p, 0, sizeof(p));
	for (size = 1; size <= 40; size++) {
		naive(0, (size_t)size, &root);
		for (i = 0; i < size; i++) {
			assert_int_equal(merkle_inclusion(i, size, read_naive,
			    &size, p, &n), 0);
			for (k = 0; k < n; k++) {
				p[k].h[k % HASH_LEN] ^= 0x10;
				assert_int_equal(merkle_check_inclusion(i,
				    size, &leaves[i], &root, p, n),
				    ERR_CRYPTO);
				p[k].h[k % HASH_LEN] ^= 0x10;
			}
			assert_int_equal(merkle_check_inclusion(i, size,
			    &leaves[i], &root, p, n + 1), ERR_FORMAT);
			if (n > 0)
				assert_int_equal(merkle_check_inclusion(i,
				    size, &leaves[i], &root, p, n - 1),
				    ERR_FORMAT);
			for (j = 0; j < size; j++)
				if (j != i)
					assert_int_not_equal(
					    merkle_check_inclusion(j, size,
					    &leaves[i], &root, p, n), 0);
			bad = leaves[i];
			bad.h[31] ^= 1;
			assert_int_equal(merkle_check_inclusion(i, size, &bad,
			    &root, p, n), ERR_CRYPTO);
			assert_int_equal(merkle_check_inclusion(size, size,
			    &leaves[i], &root, p, n), ERR_FORMAT);
			assert_int_equal(merkle_check_inclusion(0, 0,
			    &leaves[i], &root, p, n), ERR_FORMAT);
		}
	}
}

static void
consistency_check_refuses_any_change(void **state)
{
	struct merkle_hash was, now, bad, p[MERKLE_PROOF_MAX + 1];
	uint64_t size, old;
	size_t n, k;

	(void)state;
	memset(p, 0, sizeof(p));
	for (size = 1; size <= 66; size++) {
		naive(0, (size_t)size, &now);
		for (old = 0; old <= size; old++) {
			naive(0, (size_t)old, &was);
			assert_int_equal(merkle_consistency(old, size,
			    read_naive, &size, p, &n), 0);
			for (k = 0; k < n; k++) {
				p[k].h[(k * 7) % HASH_LEN] ^= 0x80;
				assert_int_equal(merkle_check_consistency(old,
				    size, &was, &now, p, n), ERR_CRYPTO);
				p[k].h[(k * 7) % HASH_LEN] ^= 0x80;
			}
			assert_int_equal(merkle_check_consistency(old, size,
			    &was, &now, p, n + 1), ERR_FORMAT);
			if (n > 0)
				assert_int_equal(merkle_check_consistency(old,
				    size, &was, &now, p, n - 1), ERR_FORMAT);
			bad = was;
			bad.h[0] ^= 1;
			assert_int_equal(merkle_check_consistency(old, size,
			    &bad, &now, p, n), ERR_CRYPTO);
			bad = now;
			bad.h[0] ^= 1;
			if (old > 0)	/* nothing binds the empty tree */
				assert_int_equal(merkle_check_consistency(old,
				    size, &was, &bad, p, n), ERR_CRYPTO);
			assert_int_equal(merkle_check_consistency(size + 1,
			    size, &was, &now, p, n), ERR_FORMAT);
		}
	}
}

static void
reading_errors_are_passed_on(void **state)
{
	struct merkle_hash p[MERKLE_PROOF_MAX];
	int i, left;
	size_t n;

	(void)state;
	for (i = 0; i < 4; i++) {
		left = i;
		assert_int_equal(merkle_inclusion(3, 11, read_failing, &left,
		    p, &n), ERR_IO);
		left = i;
		assert_int_equal(merkle_consistency(5, 11, read_failing,
		    &left, p, &n), ERR_IO);
	}
	left = 2;
	assert_int_equal(merkle_root(11, read_failing, &left, p), ERR_IO);
}

static void
proofs_past_the_tree_are_refused(void **state)
{
	struct merkle_hash p[MERKLE_PROOF_MAX];
	uint64_t size = 4;
	size_t n;

	(void)state;
	assert_int_equal(merkle_inclusion(4, 4, read_naive, &size, p, &n),
	    ERR_LIMIT);
	assert_int_equal(merkle_consistency(5, 4, read_naive, &size, p, &n),
	    ERR_LIMIT);
}

/* Shapes only: each hash is its position, so no tree of that size is made. */
static int
read_any(void *arg, unsigned level, uint64_t index, struct merkle_hash *ret)
{
	unsigned *calls = arg;

	(*calls)++;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->h, &index, sizeof(index));
	ret->h[31] = (uint8_t)level;
	return 0;
}

static void
largest_trees_need_one_path_only(void **state)
{
	const uint64_t size = MERKLE_SIZE_MAX;
	struct merkle_hash p[MERKLE_PROOF_MAX];
	unsigned calls = 0;
	size_t n;

	(void)state;
	assert_int_equal(merkle_inclusion(0, size, read_any, &calls, p, &n),
	    0);
	assert_int_equal(n, 63);
	assert_int_equal(merkle_inclusion(size - 1, size, read_any, &calls, p,
	    &n), 0);
	assert_in_range(n, 1, 63);
	assert_int_equal(merkle_consistency(3, size, read_any, &calls, p, &n),
	    0);
	assert_int_equal(n, 64);
	assert_in_range(calls, 1, 8 * 64);
	assert_int_equal(merkle_inclusion(0, size + 1, read_any, &calls, p,
	    &n), ERR_LIMIT);
	assert_int_equal(merkle_consistency(3, size + 1, read_any, &calls, p,
	    &n), ERR_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_of_known_leaves_are_as_published),
		cmocka_unit_test(
		    frontier_and_subtrees_give_the_root_of_the_definition),
		cmocka_unit_test(
		    inclusion_proofs_of_all_sizes_are_the_definition_and_hold),
		cmocka_unit_test(
		    consistency_proofs_of_all_sizes_are_the_definition_and_hold),
		cmocka_unit_test(inclusion_check_refuses_any_change),
		cmocka_unit_test(consistency_check_refuses_any_change),
		cmocka_unit_test(reading_errors_are_passed_on),
		cmocka_unit_test(proofs_past_the_tree_are_refused),
		cmocka_unit_test(largest_trees_need_one_path_only),
	};

	return cmocka_run_group_tests(tests, make_leaves, NULL);
}

/*
 * Notes are made here by the same code that reads them; that their bytes are
 * those of the specification is for tests/interop, where Go reads them. Here:
 * nothing but the exact bytes that both have signed is a rotation, and which
 * key counts where.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "log/rotation.h"

#define KEYS (ROTATIONS_MAX + 3)

static struct note_key keys[KEYS];
static uint8_t seeds[KEYS][SIGN_SEED_LEN];
static struct note_signer signers[KEYS];

static int
make_keys(void **state)
{
	uint8_t public[SIGN_PUBLIC_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < KEYS; i++) {
		memset(seeds[i], (int)i + 1, SIGN_SEED_LEN);
		assert_int_equal(sign_public(seeds[i], public), 0);
		assert_int_equal(note_key_make("test.example/log", 1, public,
		    &keys[i]), 0);
		signers[i].key = &keys[i];
		signers[i].seed = seeds[i];
	}
	return 0;
}

static void
add_note(size_t from, size_t to, uint64_t seq, struct buf *out)
{
	struct buf note;

	buf_init(&note, 0);
	assert_int_equal(rotation_write(&signers[from], &signers[to], seq,
	    &note), 0);
	buf_bytes(out, note.data, note.len);
	buf_u8(out, '\n');
	buf_done(&note);
}

static int
read_all(const struct buf *b, struct rotations *ret)
{
	return rotations_read((const char *)b->data, b->len, ret);
}

static void
note_is_read_back(void **state)
{
	static const uint64_t seqs[] = {0, 1, 255, 256, MERKLE_SIZE_MAX - 1};
	struct rotation got;
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(seqs) / sizeof(seqs[0]); i++) {
		buf_init(&b, 0);
		assert_int_equal(rotation_write(&signers[0], &signers[1],
		    seqs[i], &b), 0);
		assert_int_equal(rotation_read((char *)b.data, b.len, &got),
		    0);
		assert_int_equal(got.seq, seqs[i]);
		assert_true(note_key_same(&got.from, &keys[0]));
		assert_true(note_key_same(&got.to, &keys[1]));
		buf_done(&b);
	}
}

/* Ed25519 signatures that are changed do not hold, nor is there slack in
 * base64, so no byte is without meaning. */
static void
no_byte_of_a_note_can_be_changed_cut_or_added(void **state)
{
	struct rotation got = {.seq = 77};
	struct buf b;
	char *copy;
	size_t i, bit;

	(void)state;
	buf_init(&b, 0);
	assert_int_equal(rotation_write(&signers[0], &signers[1], 12, &b), 0);
	copy = malloc(b.len + 1);
	assert_non_null(copy);
	for (i = 0; i < b.len; i++) {
		for (bit = 0; bit < 8; bit++) {
			memcpy(copy, b.data, b.len);
			copy[i] = (char)(copy[i] ^ (1 << bit));
			assert_int_not_equal(rotation_read(copy, b.len, &got),
			    0);
		}
		assert_int_not_equal(rotation_read((char *)b.data, i, &got),
		    0);
		memcpy(copy, b.data, i);
		copy[i] = '0';
		memcpy(copy + i + 1, b.data + i, b.len - i);
		assert_int_not_equal(rotation_read(copy, b.len + 1, &got), 0);
	}
	assert_int_equal(got.seq, 77);
	free(copy);
	buf_done(&b);
}

static void
both_keys_sign_or_nobody_follows(void **state)
{
	static const size_t lines[][2] = {{6, 6}, {7, 7}, {6, 5}};
	const char *line[9], *p;
	struct rotation got;
	struct buf b, some;
	size_t i, j;

	(void)state;
	buf_init(&b, 0);
	assert_int_equal(rotation_write(&signers[0], &signers[1], 12, &b), 0);
	for (i = 0, p = buf_text(&b); i < 9; i++) {
		line[i] = p;
		p = p != NULL && strchr(p, '\n') != NULL ? strchr(p, '\n') + 1
		    : p;
	}
	/* The text and the blank line are 0 to 5, the signatures 6 and 7. */
	for (i = 0; i < 3; i++) {
		buf_init(&some, 0);
		buf_bytes(&some, b.data, (size_t)(line[6] - line[0]));
		for (j = lines[i][0]; j <= lines[i][1]; j++)
			buf_bytes(&some, line[j],
			    (size_t)(line[j + 1] - line[j]));
		assert_int_not_equal(rotation_read((char *)some.data,
		    some.len, &got), 0);
		if (i < 2)
			assert_int_equal(rotation_read((char *)some.data,
			    some.len, &got), ERR_CRYPTO);
		buf_done(&some);
	}
	buf_done(&b);
}

static void
only_two_keys_of_one_log_can_follow_each_other(void **state)
{
	struct note_key other, cosigner;
	struct note_signer to = {.key = &other, .seed = seeds[1]};
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	assert_int_equal(note_key_make("test.example/other", 1,
	    keys[1].public, &other), 0);
	assert_int_equal(rotation_write(&signers[0], &to, 1, &b),
	    ERR_FORMAT);
	assert_int_equal(note_key_make(keys[1].name, 4, keys[1].public,
	    &cosigner), 0);
	to.key = &cosigner;
	assert_int_equal(rotation_write(&signers[0], &to, 1, &b),
	    ERR_FORMAT);
	assert_int_equal(rotation_write(&signers[0], &signers[0], 1, &b),
	    ERR_FORMAT);
	assert_int_equal(b.len, 0);
	buf_done(&b);
}

static void
each_tree_has_the_one_key_that_signs_it(void **state)
{
	static const struct {
		uint64_t size;
		size_t key;
	} want[] = {{0, 0}, {1, 0}, {10, 0}, {11, 1}, {20, 1}, {21, 2},
	    {MERKLE_SIZE_MAX, 2}};
	struct rotations all, cut, none = {.n = 0};
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 0);
	add_note(0, 1, 10, &b);
	add_note(1, 2, 20, &b);
	assert_int_equal(read_all(&b, &all), 0);
	assert_int_equal(all.n, 2);
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_true(note_key_same(rotations_key(&all, want[i].size),
		    &keys[want[i].key]));
		cut = all;
		rotations_cut(&cut, want[i].size);
		assert_int_equal(cut.n, want[i].key);
		assert_true(rotations_begin(&all, &cut));
		assert_int_equal(rotations_begin(&cut, &all), cut.n == 2);
	}
	assert_null(rotations_key(&none, 5));
	assert_false(rotations_has(&none, &keys[0]));
	for (i = 0; i < 4; i++)
		assert_int_equal(rotations_has(&all, &keys[i]), i < 3);
	buf_done(&b);
}

static void
chain_that_does_not_hang_together_is_none(void **state)
{
	static const struct {
		const char *what;
		size_t from, to;
		uint64_t seq;
	} second[] = {
		{"from a stranger", 3, 2, 20}, {"from the key before", 0, 2, 20},
		{"at the same place", 1, 2, 10}, {"earlier", 1, 2, 9},
		{"back", 1, 0, 20}, {"the same again", 0, 1, 10},
	};
	struct rotations all;
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(second) / sizeof(second[0]); i++) {
		buf_init(&b, 0);
		add_note(0, 1, 10, &b);
		add_note(second[i].from, second[i].to, second[i].seq, &b);
		all.n = 1;
		if (read_all(&b, &all) != ERR_CONFLICT || all.n != 0)
			fail_msg("%s", second[i].what);
		buf_done(&b);
	}
}

static void
two_chains_are_one_only_if_one_begins_the_other(void **state)
{
	struct rotations a, other;
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	add_note(0, 1, 10, &b);
	assert_int_equal(read_all(&b, &a), 0);
	buf_reset(&b);
	add_note(0, 1, 11, &b);
	assert_int_equal(read_all(&b, &other), 0);
	assert_false(rotations_begin(&a, &other));
	buf_reset(&b);
	add_note(0, 2, 10, &b);
	assert_int_equal(read_all(&b, &other), 0);
	assert_false(rotations_begin(&a, &other));
	assert_true(rotations_begin(&a, &a));
	buf_done(&b);
}

static void
a_file_has_at_most_so_many_and_ends_with_an_empty_line(void **state)
{
	struct rotations all;
	struct buf b;
	size_t i, whole;

	(void)state;
	buf_init(&b, 0);
	assert_int_equal(read_all(&b, &all), 0);
	assert_int_equal(all.n, 0);
	for (i = 0; i < ROTATIONS_MAX; i++)
		add_note(i, i + 1, i * 3, &b);
	assert_true(b.len <= ROTATIONS_FILE_MAX);
	assert_int_equal(read_all(&b, &all), 0);
	assert_int_equal(all.n, ROTATIONS_MAX);
	whole = b.len;
	b.len = whole - 1;
	assert_int_equal(read_all(&b, &all), ERR_FORMAT);
	b.len = whole;
	buf_u8(&b, '\n');
	assert_int_equal(read_all(&b, &all), ERR_FORMAT);
	b.len = whole;
	add_note(i, i + 1, i * 3, &b);
	assert_int_equal(read_all(&b, &all), ERR_LIMIT);
	assert_int_equal(all.n, 0);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(note_is_read_back),
		cmocka_unit_test(no_byte_of_a_note_can_be_changed_cut_or_added),
		cmocka_unit_test(both_keys_sign_or_nobody_follows),
		cmocka_unit_test(
		    only_two_keys_of_one_log_can_follow_each_other),
		cmocka_unit_test(each_tree_has_the_one_key_that_signs_it),
		cmocka_unit_test(chain_that_does_not_hang_together_is_none),
		cmocka_unit_test(
		    two_chains_are_one_only_if_one_begins_the_other),
		cmocka_unit_test(
		    a_file_has_at_most_so_many_and_ends_with_an_empty_line),
	};

	return cmocka_run_group_tests_name("rotation", tests, make_keys,
	    NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/err.h"
#include "log/tile.h"

static void
paths_are_those_of_the_specification(void **state)
{
	static const struct {
		int level;
		uint64_t index;
		unsigned width;
		const char *want;
	} cases[] = {
		{0, 0, 256, "tile/0/000"},
		{0, 0, 1, "tile/0/000.p/1"},
		{0, 1234067, 256, "tile/0/x001/x234/067"},
		{3, 1234067, 8, "tile/3/x001/x234/067.p/8"},
		{0, 273, 112, "tile/0/273.p/112"},
		{1, 1, 17, "tile/1/001.p/17"},
		{2, 0, 1, "tile/2/000.p/1"},
		{0, 999, 256, "tile/0/999"},
		{0, 1000, 256, "tile/0/x001/000"},
		{TILE_ENTRIES, 273, 112, "tile/entries/273.p/112"},
		{TILE_ENTRIES, 1000000, 256, "tile/entries/x001/x000/000"},
		{7, UINT64_MAX, 255, "tile/7/x018/x446/x744/x073/x709/x551/"
		    "615.p/255"},
	};
	char path[TILE_PATH_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(tile_path(cases[i].level, cases[i].index,
		    cases[i].width, path), 0);
		assert_string_equal(path, cases[i].want);
	}
	assert_int_equal(tile_path(0, 0, 0, path), ERR_LIMIT);
	assert_int_equal(tile_path(0, 0, 257, path), ERR_LIMIT);
	assert_int_equal(tile_path(8, 0, 1, path), ERR_LIMIT);
	assert_int_equal(tile_path(-2, 0, 1, path), ERR_LIMIT);
}

static void
tree_of_70000_leaves_has_the_tiles_of_the_specification(void **state)
{
	(void)state;
	assert_int_equal(tile_count(0, 70000), 274);
	assert_int_equal(tile_width(0, 272, 70000), 256);
	assert_int_equal(tile_width(0, 273, 70000), 112);
	assert_int_equal(tile_width(0, 274, 70000), 0);
	assert_int_equal(tile_count(1, 70000), 2);
	assert_int_equal(tile_width(1, 0, 70000), 256);
	assert_int_equal(tile_width(1, 1, 70000), 17);
	assert_int_equal(tile_count(2, 70000), 1);
	assert_int_equal(tile_width(2, 0, 70000), 1);
	assert_int_equal(tile_count(3, 70000), 0);
	assert_int_equal(tile_width(3, 0, 70000), 0);
}

/* Counted one by one: a hash of level 8L exists when its leaves do. */
static void
widths_agree_with_counting(void **state)
{
	uint64_t size, n, i;
	unsigned level, width;

	(void)state;
	for (size = 0; size <= 70000; size += size < 600 ? 1 : 997) {
		for (level = 0; level < 4; level++) {
			n = 0;
			while (((n + 1) << (8 * level)) <= size &&
			    n < 100000)
				n++;
			for (i = 0; i < 3; i++) {
				width = 0;
				while (width < 256 && i * 256 + width < n)
					width++;
				assert_int_equal(tile_width(level, i, size),
				    width);
			}
			assert_int_equal(tile_count(level, size),
			    (n + 255) / 256);
		}
	}
	assert_int_equal(tile_count(0, 0), 0);
	assert_int_equal(tile_count(8, UINT64_MAX), 0);
	assert_int_equal(tile_width(7, 0, UINT64_MAX), 255);
}

static void
subtrees_of_a_tile_agree_with_a_frontier(void **state)
{
	static uint8_t tile[TILE_WIDTH * HASH_LEN];
	struct merkle_frontier f;
	struct merkle_hash h, want, got;
	unsigned level, i, k;

	(void)state;
	for (i = 0; i < TILE_WIDTH; i++) {
		assert_int_equal(merkle_leaf(&i, sizeof(i), &h), 0);
		memcpy(tile + i * HASH_LEN, h.h, HASH_LEN);
	}
	for (level = 0; level <= 8; level++) {
		for (i = 0; i < 256u >> level; i++) {
			merkle_frontier_init(&f);
			for (k = i << level; k < (i + 1) << level; k++) {
				memcpy(h.h, tile + k * HASH_LEN, HASH_LEN);
				assert_int_equal(merkle_frontier_add(&f, &h),
				    0);
			}
			assert_int_equal(merkle_frontier_root(&f, &want), 0);
			assert_int_equal(tile_subtree(bytes_of(tile,
			    sizeof(tile)), level, i, &got), 0);
			assert_memory_equal(&want, &got, sizeof(got));
		}
	}
	assert_int_equal(tile_subtree(bytes_of(tile, 7 * HASH_LEN), 2, 1,
	    &got), ERR_FORMAT);
	assert_int_equal(tile_subtree(bytes_of(tile, 8 * HASH_LEN), 2, 1,
	    &got), 0);
	assert_int_equal(tile_subtree(bytes_of(tile, sizeof(tile)), 8, 1,
	    &got), ERR_FORMAT);
	assert_int_equal(tile_subtree(bytes_of(tile, sizeof(tile)), 9, 0,
	    &got), ERR_LIMIT);
	assert_int_equal(tile_subtree(bytes_of(tile, sizeof(tile)), 0,
	    UINT64_MAX, &got), ERR_FORMAT);
}

static void
bundles_are_read_as_written_and_cut_ones_refused(void **state)
{
	static uint8_t big[TILE_ENTRY_MAX + 1];
	struct bytes e;
	struct reader r;
	struct buf out;
	size_t cut, n;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(tile_entry_write(&out, "abc", 3), 0);
	assert_int_equal(tile_entry_write(&out, "", 0), 0);
	assert_int_equal(tile_entry_write(&out, "x", 1), 0);
	assert_memory_equal(out.data, "\0\3abc\0\0\0\1x", 10);
	for (cut = 0; cut <= out.len; cut++) {
		reader_init(&r, out.data, cut);
		for (n = 0; tile_entry(&r, &e) == 0; n++)
			;
		assert_int_equal(n, (cut >= 5) + (cut >= 7) + (cut >= 10));
		assert_int_equal(tile_entry(&r, &e), cut == 0 || cut == 5 ||
		    cut == 7 || cut == 10 ? ERR_SHORT : ERR_FORMAT);
	}
	assert_int_equal(tile_entry_write(&out, big, sizeof(big)), ERR_LIMIT);
	assert_int_equal(tile_entry_write(&out, big, TILE_ENTRY_MAX), 0);
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_those_of_the_specification),
		cmocka_unit_test(
		    tree_of_70000_leaves_has_the_tiles_of_the_specification),
		cmocka_unit_test(widths_agree_with_counting),
		cmocka_unit_test(subtrees_of_a_tile_agree_with_a_frontier),
		cmocka_unit_test(
		    bundles_are_read_as_written_and_cut_ones_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

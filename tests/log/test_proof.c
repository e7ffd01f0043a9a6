/*
 * log/proof: the file that the specification shows, files made by hand, and
 * trees small enough to hash here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "log/proof.h"

/* Shaped as the specification's example is; hashes of 32 bytes each. */
#define HASH_A "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n"
#define HASH_B "B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\n"
#define NOTE "example.com/fancylog\n109482\n" \
	"sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n\n" \
	"\xe2\x80\x94 example.com/fancylog hI2DJw==\n"
#define EXAMPLE "c2sp.org/tlog-proof@v1\nextra YWdl\nindex 73894\n" \
	HASH_A HASH_B "\n" NOTE

static void
proof_reads_index_hashes_and_checkpoint(void **state)
{
	struct proof p;

	(void)state;
	assert_int_equal(proof_read(EXAMPLE, strlen(EXAMPLE), &p), 0);
	assert_int_equal(p.index, 73894);
	assert_int_equal(p.n, 2);
	assert_int_equal(p.hashes[0].h[0], 0x81);
	assert_int_equal(p.hashes[1].h[0], 0x07);
	assert_int_equal(p.checkpoint.len, strlen(NOTE));
	assert_memory_equal(p.checkpoint.data, NOTE, strlen(NOTE));
}

static void
proof_written_is_the_file_without_extra(void **state)
{
	static const char want[] = "c2sp.org/tlog-proof@v1\nindex 73894\n"
	    HASH_A HASH_B "\n" NOTE;
	struct proof p;
	struct buf out;

	(void)state;
	assert_int_equal(proof_read(EXAMPLE, strlen(EXAMPLE), &p), 0);
	buf_init(&out, 0);
	proof_write(&out, &p);
	assert_string_equal(buf_text(&out), want);
	buf_done(&out);
}

static void
proof_rejects_what_is_misshapen(void **state)
{
	static const char *const bad[] = {
		"",
		"c2sp.org/tlog-proof@v1\n",
		"c2sp.org/tlog-proof@v2\nindex 1\n\n" NOTE,
		"c2sp.org/tlog-proof@v1\nindex 1\n\n",
		"c2sp.org/tlog-proof@v1\nindex 1\n" NOTE,
		"c2sp.org/tlog-proof@v1\nindex 01\n\n" NOTE,
		"c2sp.org/tlog-proof@v1\nindex -1\n\n" NOTE,
		"c2sp.org/tlog-proof@v1\nindex\n\n" NOTE,
		"c2sp.org/tlog-proof@v1\n" HASH_A "index 1\n\n" NOTE,
		"c2sp.org/tlog-proof@v1\nextra !\nindex 1\n\n" NOTE,
		"c2sp.org/tlog-proof@v1\nindex 1\nYWdl\n\n" NOTE,
		"c2sp.org/tlog-proof@v1\r\nindex 1\n\n" NOTE,
	};
	struct proof p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(proof_read(bad[i], strlen(bad[i]), &p),
		    ERR_FORMAT);
}

static void
proof_rejects_more_hashes_than_a_tree_has(void **state)
{
	struct proof p;
	struct buf b;
	int i;

	(void)state;
	buf_init(&b, 0);
	buf_str(&b, "c2sp.org/tlog-proof@v1\nindex 1\n");
	for (i = 0; i < MERKLE_PROOF_MAX + 1; i++)
		buf_str(&b, HASH_A);
	buf_str(&b, "\n" NOTE);
	assert_int_equal(proof_read(buf_text(&b), b.len, &p), ERR_FORMAT);
	buf_done(&b);
}

/* A tree of two: the root is the node of both leaves, whatever we compute. */
static void
proof_holds_for_its_entry_and_place_only(void **state)
{
	struct merkle_hash a, b;
	struct checkpoint tree = {.size = 2};
	struct proof p = {.index = 0, .n = 1};

	(void)state;
	assert_int_equal(merkle_leaf("one", 3, &a), 0);
	assert_int_equal(merkle_leaf("two", 3, &b), 0);
	assert_int_equal(merkle_node(&a, &b, &tree.root), 0);
	p.hashes[0] = b;
	assert_int_equal(proof_check(&p, "one", 3, &tree), 0);
	assert_int_equal(proof_check(&p, "onf", 3, &tree), ERR_CRYPTO);
	p.index = 1;
	assert_int_equal(proof_check(&p, "one", 3, &tree), ERR_CRYPTO);
	p.hashes[0] = a;
	assert_int_equal(proof_check(&p, "two", 3, &tree), 0);
	p.index = 2;
	assert_int_not_equal(proof_check(&p, "two", 3, &tree), 0);
	p.index = 1;
	p.n = 0;
	assert_int_not_equal(proof_check(&p, "two", 3, &tree), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proof_reads_index_hashes_and_checkpoint),
		cmocka_unit_test(proof_written_is_the_file_without_extra),
		cmocka_unit_test(proof_rejects_what_is_misshapen),
		cmocka_unit_test(proof_rejects_more_hashes_than_a_tree_has),
		cmocka_unit_test(proof_holds_for_its_entry_and_place_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * gateway/look_read.h: what is an answer, and what is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "enforce/watch.h"
#include "gateway/look_read.h"
#include "wire/frame.h"

static void
row(struct buf *out, const char *name, const char *hash)
{
	size_t at = frame_begin(out, 'D');

	buf_u16(out, 2);
	buf_u32(out, (uint32_t)strlen(name));
	buf_str(out, name);
	buf_u32(out, (uint32_t)strlen(hash));
	buf_str(out, hash);
	frame_end(out, at);
}

static void
message(struct buf *out, uint8_t type, const void *body, size_t len)
{
	size_t at = frame_begin(out, type);

	buf_bytes(out, body, len);
	frame_end(out, at);
}

static int
read_all(const struct buf *in, struct look_read *k)
{
	size_t used;

	memset(k, 0, sizeof(*k));
	k->a = arena_new();
	assert_non_null(k->a);
	return look_read(k, in->data, in->len, &used);
}

static void
done(struct look_read *k)
{
	free(k->lines);
	arena_free(k->a);
}

static void
good(struct buf *out)
{
	message(out, 'T', "\0\0", 2);
	row(out, "", "the seal");
	row(out, "login app", "1");
	row(out, "sworn base", "2");
	message(out, 'C', "SELECT 3", 9);
	message(out, 'Z', "I", 1);
}

static void
answer_is_the_same_wherever_it_is_cut_in_two(void **state)
{
	struct look_read k;
	size_t cut, used, more;
	struct buf in;

	(void)state;
	buf_init(&in, 0);
	good(&in);
	for (cut = 0; cut <= in.len; cut++) {
		memset(&k, 0, sizeof(k));
		k.a = arena_new();
		assert_int_equal(look_read(&k, in.data, cut, &used), 0);
		assert_int_equal(look_read(&k, in.data + used, in.len - used,
		    &more), 0);
		assert_int_equal(used + more, in.len);
		assert_true(k.done);
		assert_string_equal(k.seal, "the seal");
		assert_int_equal(k.n, 2);
		assert_string_equal(k.lines[1].name, "sworn base");
		assert_string_equal(k.lines[1].hash, "2");
		done(&k);
	}
	buf_done(&in);
}

static void
what_is_no_answer_is_an_error(void **state)
{
	static const char *const cases[][4] = {
		{ "", "b", "a" },	/* order */
		{ "", "a", "a" },
		{ "a" },		/* no seal first */
		{ "", "" },		/* a second one */
		{ NULL },		/* nothing at all */
	};
	struct look_read k;
	struct buf in;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_init(&in, 0);
		for (n = 0; n < 4 && cases[i][n] != NULL; n++)
			row(&in, cases[i][n], "1");
		message(&in, 'Z', "I", 1);
		assert_int_equal(read_all(&in, &k), ERR_FORMAT);
		done(&k);
		buf_done(&in);
	}
}

static void
row_of_another_shape_is_an_error(void **state)
{
	static const struct {
		const char *body;
		size_t len;
	} cases[] = {
		{ "\0\1\0\0\0\0", 6 },				/* columns */
		{ "\0\3\0\0\0\0\0\0\0\0\0\0\0\0", 14 },
		{ "\0\2\0\0\0\0\xff\xff\xff\xff", 10 },		/* NULL */
		{ "\0\2\0\0\0\0\0\0\0\1", 10 },			/* short */
		{ "\0\2\0\0\0\0\0\0\0\1\0", 11 },		/* a NUL */
		{ "\0\2\0\0\0\0\0\0\0\1xy", 12 },		/* behind */
	};
	struct look_read k;
	struct buf in;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_init(&in, 0);
		message(&in, 'D', cases[i].body, cases[i].len);
		assert_int_equal(read_all(&in, &k), ERR_FORMAT);
		done(&k);
		buf_done(&in);
	}
}

static void
error_of_the_store_is_told_in_its_words(void **state)
{
	static const char error[] = "SERROR\0C42501\0Mpermission denied\0";
	struct look_read k;
	struct buf in;

	(void)state;
	buf_init(&in, 0);
	row(&in, "", "");
	message(&in, 'E', error, sizeof(error));
	assert_int_equal(read_all(&in, &k), ERR_IO);
	assert_string_equal(k.why, "permission denied");
	done(&k);
	buf_done(&in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answer_is_the_same_wherever_it_is_cut_in_two),
		cmocka_unit_test(what_is_no_answer_is_an_error),
		cmocka_unit_test(row_of_another_shape_is_an_error),
		cmocka_unit_test(error_of_the_store_is_told_in_its_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

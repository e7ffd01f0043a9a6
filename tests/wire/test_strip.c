/* wire/strip.h: each message against the bytes it should be, and cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "wire/frame.h"
#include "wire/strip.h"

static uint32_t
plus_ten(void *arg, uint32_t n)
{
	(void)arg;
	return n == 0 ? 0 : n + 10;
}

static void
put_column(struct buf *b, const char *name, uint32_t table)
{
	buf_cstr(b, name);
	buf_u32(b, table);
	buf_u16(b, 3);
	buf_u32(b, 23);
	buf_u16(b, 4);
	buf_u32(b, UINT32_MAX);
	buf_u16(b, 1);
}

static void
description_loses_its_first_column_and_renames_tables(void **state)
{
	struct buf in, want, out;
	size_t at, i;

	(void)state;
	buf_init(&in, 0);
	buf_init(&want, 0);
	buf_init(&out, 0);
	buf_u16(&in, 3);
	put_column(&in, "sworn$1", 0);
	put_column(&in, "id", 7);
	put_column(&in, "", 0);
	at = frame_begin(&want, 'T');
	buf_u16(&want, 2);
	put_column(&want, "id", 17);
	put_column(&want, "", 0);
	frame_end(&want, at);
	assert_true(strip_has_mark(bytes_of(in.data, in.len), "sworn$"));
	assert_int_equal(strip_description(bytes_of(in.data, in.len),
	    plus_ten, NULL, &out), 0);
	assert_true(bytes_equal(bytes_of(out.data, out.len),
	    bytes_of(want.data, want.len)));
	for (i = 0; i < in.len; i++) {
		buf_reset(&out);
		assert_int_equal(strip_description(bytes_of(in.data, i),
		    plus_ten, NULL, &out), ERR_FORMAT);
		assert_int_equal(out.len, 0);
	}
	buf_done(&in);
	buf_done(&want);
	buf_done(&out);
}

static void
copy_loses_its_first_column(void **state)
{
	static const uint8_t in[] = {0, 0, 3, 0, 0, 0, 1, 0, 2};
	static const uint8_t want[] = {0, 0, 2, 0, 1, 0, 2};
	static const uint8_t none[] = {0, 0, 0};
	uint16_t others = 9;
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out, 0);
	for (i = 0; i < sizeof(in); i++)
		assert_int_equal(strip_copy(bytes_of(in, i), &others, &out),
		    ERR_FORMAT);
	assert_int_equal(strip_copy(bytes_of(none, sizeof(none)), &others,
	    &out), ERR_FORMAT);
	assert_int_equal(out.len, 0);
	assert_int_equal(strip_copy(bytes_of(in, sizeof(in)), &others, &out),
	    0);
	assert_int_equal(others, 2);
	assert_int_equal(out.len, FRAME_HEAD + sizeof(want));
	assert_int_equal(out.data[0], 'H');
	assert_memory_equal(out.data + FRAME_HEAD, want, sizeof(want));
	buf_done(&out);
}

static void
bind_gets_a_format_only_where_each_column_has_its_own(void **state)
{
	uint16_t formats, i;
	struct buf in, out;

	(void)state;
	for (formats = 0; formats < 4; formats++) {
		buf_init(&in, 0);
		buf_init(&out, 0);
		buf_cstr(&in, "p");
		buf_cstr(&in, "s");
		buf_u16(&in, 1);
		buf_u16(&in, 1);
		buf_u16(&in, 2);
		buf_u32(&in, 4);
		buf_u32(&in, 77);
		buf_u32(&in, UINT32_MAX);
		buf_u16(&in, formats);
		for (i = 0; i < formats; i++)
			buf_u16(&in, 1);
		assert_int_equal(strip_bind(bytes_of(in.data, in.len), &out),
		    0);
		assert_int_equal(out.len, FRAME_HEAD + in.len +
		    (formats > 1 ? 2u : 0u));
		if (formats > 1) {
			size_t at = out.len - 2 * (size_t)formats - 4;

			assert_int_equal(out.data[at + 1], formats + 1);
			assert_int_equal(out.data[at + 3], 0);
			assert_int_equal(out.data[at + 5], 1);
		}
		buf_done(&in);
		buf_done(&out);
	}
}

static void
error_points_into_the_old_text_and_tells_no_mark(void **state)
{
	static const char in[] = "SERROR\0C42703\0Mno column\0P5\0"
	    "Hperhaps \"sworn$1\"\0";
	static const char want[] = "SERROR\0C42703\0Mno column\0P15\0";
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(strip_error(bytes_of(in, sizeof(in)), "sworn$",
	    plus_ten, NULL, &out), 0);
	assert_int_equal(out.len, FRAME_HEAD + sizeof(want));
	assert_memory_equal(out.data + FRAME_HEAD, want, sizeof(want));
	buf_reset(&out);
	assert_int_equal(strip_error(bytes_of(in, sizeof(in) - 1), "sworn$",
	    plus_ten, NULL, &out), ERR_FORMAT);
	assert_int_equal(out.len, 0);
	buf_done(&out);
}

static void
row_s_first_column_must_be_within_it(void **state)
{
	static const uint8_t head[] = {0, 2, 0, 0, 0, 5};
	static const uint8_t null[] = {0, 1, 255, 255, 255, 255};
	static const uint8_t none[] = {0, 0, 0, 0, 0, 0};
	uint32_t len = 9;
	uint16_t n = 9;

	(void)state;
	assert_int_equal(strip_row_head(head, 11, &len, &n), 0);
	assert_int_equal(len, 5);
	assert_int_equal(n, 1);
	assert_int_equal(strip_row_head(head, 10, &len, &n), ERR_FORMAT);
	assert_int_equal(strip_row_head(null, 6, &len, &n), 0);
	assert_int_equal(len, 0);
	assert_int_equal(n, 0);
	assert_int_equal(strip_row_head(none, 6, &len, &n), ERR_FORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    description_loses_its_first_column_and_renames_tables),
		cmocka_unit_test(copy_loses_its_first_column),
		cmocka_unit_test(
		    bind_gets_a_format_only_where_each_column_has_its_own),
		cmocka_unit_test(
		    error_points_into_the_old_text_and_tells_no_mark),
		cmocka_unit_test(row_s_first_column_must_be_within_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

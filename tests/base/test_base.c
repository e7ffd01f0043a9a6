/* Buffers, text and time: bounds first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"

static void
reader_never_passes_the_end_at_any_truncation(void **state)
{
	static const uint8_t in[] = {1, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0,
	    4, 'a', 'b', 0};
	size_t cut;

	(void)state;
	for (cut = 0; cut <= sizeof(in); cut++) {
		struct reader r;
		uint8_t a = 0;
		uint16_t b = 0;
		uint32_t c = 0;
		uint64_t d = 0;
		const char *s = NULL;

		reader_init(&r, in, cut);
		assert_int_equal(reader_u8(&r, &a), cut < 1 ? ERR_SHORT : 0);
		if (cut < 1)
			continue;
		assert_int_equal(reader_u16(&r, &b), cut < 3 ? ERR_SHORT : 0);
		if (cut < 3)
			continue;
		assert_int_equal(reader_u32(&r, &c), cut < 7 ? ERR_SHORT : 0);
		if (cut < 7)
			continue;
		assert_int_equal(reader_u64(&r, &d), cut < 15 ? ERR_SHORT : 0);
		if (cut < 15)
			continue;
		assert_int_equal(reader_cstr(&r, &s), cut < 18 ? ERR_SHORT : 0);
		if (cut < 18) {
			assert_int_equal(r.pos, 15);
			continue;
		}
		assert_string_equal(s, "ab");
		assert_true(a == 1 && b == 2 && c == 3 && d == 4);
		assert_int_equal(reader_left(&r), 0);
	}
}

static void
buf_fails_once_and_stays_failed_at_its_maximum(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8);
	buf_u32(&b, 0x01020304);
	buf_u32(&b, 5);
	assert_false(b.failed);
	buf_u8(&b, 1);
	assert_true(b.failed);
	assert_int_equal(b.len, 8);
	buf_consume(&b, 4);
	buf_u8(&b, 1);
	assert_true(b.failed);
	assert_null(buf_text(&b));
	buf_reset(&b);
	buf_fmt(&b, "%d-%s", 12, "ab");
	assert_string_equal(buf_text(&b), "12-ab");
	buf_done(&b);
}

static void
base64_round_trips_and_refuses_loose_forms(void **state)
{
	/* RFC 4648, section 10. */
	static const char *const vectors[][2] = {{"", ""}, {"f", "Zg=="},
	    {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
	    {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
	static const char *const bad[] = {"Zg", "Zg=", "Zh==", "Zm9=", "Z===",
	    "====", "Zg==Zg==", "Zm 9", "Zm9v\n", "Zm-_"};
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 0);
	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		buf_reset(&b);
		text_base64(&b, vectors[i][0], strlen(vectors[i][0]));
		assert_string_equal(buf_text(&b), vectors[i][1]);
		buf_reset(&b);
		assert_int_equal(text_unbase64(vectors[i][1],
		    strlen(vectors[i][1]), &b), 0);
		assert_string_equal(buf_text(&b), vectors[i][0]);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_reset(&b);
		if (text_unbase64(bad[i], strlen(bad[i]), &b) != ERR_FORMAT)
			fail_msg("accepted \"%s\"", bad[i]);
	}
	buf_done(&b);
}

static void
time_agrees_with_known_instants_and_refuses_others(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"2000-02-29T12:00:00Z", 951825600000},
		{"2026-11-23T17:40:00.123Z", 1795455600123},
		{"2026-11-23T18:40:00.123456+01:00", 1795455600123},
		{"1969-12-31T23:59:59.999Z", -1},
		{"2026-11-23", 1795392000000},
	};
	static const char *const bad[] = {"", "2026", "2026-13-01",
	    "2026-02-29", "2026-11-23T24:00:00Z", "2026-11-23T10:00:00",
	    "2026-11-23T10:00:00.Z", "2026-11-23T10:00:00Zx", "x"};
	char text[TIME_TEXT_MAX];
	int64_t ms;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(time_parse(good[i].text,
		    strlen(good[i].text), &ms), 0);
		assert_int_equal(ms, good[i].ms);
		time_text(ms, text);
		assert_int_equal(time_parse(text, strlen(text), &ms), 0);
		assert_int_equal(ms, good[i].ms);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (time_parse(bad[i], strlen(bad[i]), &ms) != ERR_FORMAT)
			fail_msg("accepted \"%s\"", bad[i]);
}

static void
utf8_follows_the_unicode_table(void **state)
{
	static const char *const good[] = {"", "a", "\xc3\xa9",
	    "\xe2\x86\x92", "\xf0\x9f\x98\x80", "\xed\x9f\xbf"};
	static const char *const bad[] = {"\x80", "\xc0\x80", "\xc3",
	    "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
	    "\xf0\x8f\xbf\xbf", "\xe2\x86", "\xff"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(text_is_utf8(good[i], strlen(good[i])));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_is_utf8(bad[i], strlen(bad[i])));
}

static void
numbers_have_one_form_and_no_overflow(void **state)
{
	uint64_t v;

	(void)state;
	assert_int_equal(text_u64("18446744073709551615", 20, &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(text_u64("18446744073709551616", 20, &v), ERR_FORMAT);
	assert_int_equal(text_u64("0", 1, &v), 0);
	assert_int_equal(text_u64("01", 2, &v), ERR_FORMAT);
	assert_int_equal(text_u64("", 0, &v), ERR_FORMAT);
	assert_int_equal(text_u64("+1", 2, &v), ERR_FORMAT);
}

static void
sql_quoting_doubles_the_quote(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	text_sql_ident(&b, "a\"b");
	text_sql_literal(&b, "it's");
	assert_string_equal(buf_text(&b), "\"a\"\"b\"'it''s'");
	buf_done(&b);
}

static void
arena_gives_zeroed_memory_that_does_not_overlap(void **state)
{
	struct arena *a = arena_new();
	char *p[200];
	size_t i, k;

	(void)state;
	for (i = 0; i < 200; i++) {
		p[i] = arena_alloc(a, i * 37);
		assert_non_null(p[i]);
		for (k = 0; k < i * 37; k++)
			assert_int_equal(p[i][k], 0);
		memset(p[i], (int)i, i * 37);
	}
	for (i = 0; i < 200; i++)
		for (k = 0; k < i * 37; k++)
			assert_int_equal((uint8_t)p[i][k], i);
	assert_null(arena_alloc(a, SIZE_MAX - 8));
	assert_null(arena_array(a, SIZE_MAX / 2, 3));
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reader_never_passes_the_end_at_any_truncation),
		cmocka_unit_test(buf_fails_once_and_stays_failed_at_its_maximum),
		cmocka_unit_test(base64_round_trips_and_refuses_loose_forms),
		cmocka_unit_test(
		    time_agrees_with_known_instants_and_refuses_others),
		cmocka_unit_test(utf8_follows_the_unicode_table),
		cmocka_unit_test(numbers_have_one_form_and_no_overflow),
		cmocka_unit_test(sql_quoting_doubles_the_quote),
		cmocka_unit_test(
		    arena_gives_zeroed_memory_that_does_not_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * gateway/seal.h: who has no key makes no seal, and nothing about a seal can
 * be changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "enforce/watch.h"
#include "gateway/seal.h"

static const struct watch_line lines[] = {
	{ "login app", "11" }, { "rights of PUBLIC", "22" },
};
static const struct watch_list list = { lines, 2 };

static struct seal
a_seal(uint64_t number)
{
	struct seal s = {.set = true, .number = number};

	memset(s.key, 7, sizeof(s.key));
	return s;
}

/* HMAC-SHA-256 by Python's hmac module, key 32 times 0x07, of
 * b"us\0" + (5).to_bytes(8, "big") +
 * b"login app\0" b"11\0" b"rights of PUBLIC\0" b"22\0". */
static const char by_python[] =
    "sworn 1 5 a9c67a2ed4b113394142161c676835bd"
    "cf7d740879504c2fa888dc9aa09a39a5";

static void
seal_is_the_mac_that_its_format_says(void **state)
{
	const struct seal s = a_seal(5);
	uint64_t number = 0;
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(seal_write(&s, "us", &list, &out), 0);
	assert_string_equal(buf_text(&out), by_python);
	assert_true(seal_check(s.key, "us", &list, by_python, &number));
	assert_int_equal(number, 5);
	buf_done(&out);
}

static void
seal_with_any_byte_changed_cut_off_or_added_is_none(void **state)
{
	const struct seal s = a_seal(5);
	char text[sizeof(by_python) + 1];
	uint64_t number = 99;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(by_python) - 1; i++) {
		memcpy(text, by_python, sizeof(by_python));
		text[i] ^= 1;
		assert_false(seal_check(s.key, "us", &list, text, &number));
		memcpy(text, by_python, sizeof(by_python));
		text[i] = 0;
		assert_false(seal_check(s.key, "us", &list, text, &number));
	}
	memcpy(text, by_python, sizeof(by_python));
	memcpy(text + sizeof(by_python) - 1, "0", 2);
	assert_false(seal_check(s.key, "us", &list, text, &number));
	assert_int_equal(number, 99);
}

static void
seal_is_of_one_store_one_key_and_these_lines(void **state)
{
	struct watch_line other[2];
	const struct watch_list changed = { other, 2 }, less = { lines, 1 };
	struct seal s = a_seal(5);
	uint64_t number;

	(void)state;
	assert_false(seal_check(s.key, "eu", &list, by_python, &number));
	assert_false(seal_check(s.key, "us", &less, by_python, &number));
	memcpy(other, lines, sizeof(other));
	other[1].hash = "23";
	assert_false(seal_check(s.key, "us", &changed, by_python, &number));
	s.key[31] ^= 1;
	assert_false(seal_check(s.key, "us", &list, by_python, &number));
}

static void
number_is_read_whoever_wrote_it_and_zero_is_none(void **state)
{
	static const struct {
		const char *text;
		uint64_t n;
	} cases[] = {
		{ "sworn 1 12 ab", 12 }, { "sworn 1 12", 12 },
		{ "", 0 }, { "sworn", 0 }, { "sworn 1 ", 0 },
		{ "sworn 1 -1 ab", 0 }, { "sworn 1 0 ab", 0 },
		{ "sworn 1 4503599627370496 x", SEAL_NUMBER_MAX },
		{ "sworn 1 4503599627370497 x", 0 },
		{ "sworn 1 99999999999999999999999 x", 0 },
		{ "the gateway's own", 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(seal_number(cases[i].text), cases[i].n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seal_is_the_mac_that_its_format_says),
		cmocka_unit_test(
		    seal_with_any_byte_changed_cut_off_or_added_is_none),
		cmocka_unit_test(seal_is_of_one_store_one_key_and_these_lines),
		cmocka_unit_test(
		    number_is_read_whoever_wrote_it_and_zero_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

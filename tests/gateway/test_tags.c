/* gateway/tags.h: lists in pieces of any size, each tag once, and records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "gateway/tags.h"

#define MANY 50000

static void
field(struct tags *t, const char *s, size_t step)
{
	size_t len = strlen(s), i;

	for (i = 0; i < len; i += step)
		tags_feed(t, s + i, len - i < step ? len - i : step);
	tags_end(t);
}

static void
tags_are_the_same_in_pieces_of_any_size(void **state)
{
	const struct record_subjects *s;
	struct arena *a = arena_new();
	size_t step, n;

	(void)state;
	for (step = 1; step < 12; step++) {
		struct tags t = {0};

		field(&t, "US:abc,IE:de,US:abc,,US:f", step);
		field(&t, "", step);
		field(&t, ":own,IE:de", step);
		assert_false(t.unknown);
		assert_int_equal(t.n, 4);
		assert_int_equal(tags_take(&t, "DE", a, &s, &n), 0);
		assert_int_equal(n, 3);
		assert_string_equal(s[0].label, "US");
		assert_int_equal(s[0].tags.n, 2);
		assert_string_equal(s[0].tags.s[1], "f");
		assert_string_equal(s[1].label, "IE");
		assert_string_equal(s[2].label, "DE");
		assert_string_equal(s[2].tags.s[0], "own");
		assert_int_equal(tags_take(&t, "DE", a, &s, &n), 0);
		assert_int_equal(n, 0);
		tags_done(&t);
	}
	arena_free(a);
}

static void
what_is_no_tag_makes_the_answer_bounded(void **state)
{
	static const char *const bad[] = {"?", "US:a,?", "a", "US:a,b,US:c",
	    "*"};
	struct tags t = {0};
	char text[TAG_MAX + 2];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		field(&t, bad[i], 3);
		assert_true(t.unknown);
		tags_done(&t);
	}
	memset(text, 'x', sizeof(text));
	text[2] = ':';
	text[TAG_MAX] = 0;
	field(&t, text, 7);
	assert_false(t.unknown);
	text[TAG_MAX] = 'x';
	text[TAG_MAX + 1] = 0;
	field(&t, text, 7);
	assert_true(t.unknown);
	tags_done(&t);
	tags_feed(&t, "US:\0a", 5);
	tags_end(&t);
	assert_true(t.unknown);
	tags_done(&t);
}

static void
many_tags_come_in_records_of_bounded_size_and_none_twice(void **state)
{
	const struct record_subjects *s;
	size_t n, i, all = 0, bytes, records = 0;
	struct tags t = {0};
	struct arena *a = arena_new();
	char text[64];

	(void)state;
	for (i = 0; i < 2 * (size_t)MANY; i++) {
		(void)snprintf(text, sizeof(text), "US:%zu", i / 2);
		field(&t, text, 64);
	}
	assert_false(t.unknown);
	assert_int_equal(t.n, MANY);
	assert_true(tags_are_many(&t, MANY));
	assert_false(tags_are_many(&t, MANY + 1));
	for (;;) {
		assert_int_equal(tags_take(&t, "", a, &s, &n), 0);
		if (n == 0)
			break;
		records++;
		for (i = 0, bytes = 0; i < s[0].tags.n; i++)
			bytes += strlen(s[0].tags.s[i]) + 3;
		assert_true(bytes < RECORD_MAX - 8192);
		all += s[0].tags.n;
		arena_reset(a);
	}
	assert_int_equal(all, MANY);
	assert_true(records > 5);
	/* Each is in a record: they may be forgotten, and come again. */
	tags_forget(&t, MANY + 1);
	assert_int_equal(t.n, MANY);
	assert_false(tags_are_many(&t, 1));
	field(&t, "US:one more", 64);
	tags_forget(&t, MANY);
	assert_int_equal(t.n, MANY + 1);	/* one is in none */
	assert_int_equal(tags_take(&t, "", a, &s, &n), 0);
	assert_int_equal(s[0].tags.n, 1);
	tags_forget(&t, MANY);
	assert_int_equal(t.n, 0);
	field(&t, "US:5,US:6,US:5", 64);
	assert_int_equal(t.n, 2);
	assert_int_equal(tags_take(&t, "", a, &s, &n), 0);
	assert_string_equal(s[0].tags.s[1], "6");
	assert_false(t.unknown);
	tags_done(&t);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tags_are_the_same_in_pieces_of_any_size),
		cmocka_unit_test(what_is_no_tag_makes_the_answer_bounded),
		cmocka_unit_test(
		    many_tags_come_in_records_of_bounded_size_and_none_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

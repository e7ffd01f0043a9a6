/*
 * What is said at the approvals' desk: whole orders are read as they are
 * meant, and nothing else is an order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "gateway/desk_words.h"

#define HOUR INT64_C(3600000)

static void
same(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static const struct {
	const char *text;
	struct desk_order want;
} orders[] = {
	{"", {.verb = DESK_NOTHING}},
	{" \n;\t", {.verb = DESK_NOTHING}},
	{"show approvals", {.verb = DESK_SHOW_ALL}},
	{"SHOW RULES;", {.verb = DESK_SHOW_RULES}},
	{"Show Approval 0a1b ;", {.verb = DESK_SHOW_ONE, .id = "0a1b"}},
	{"APPROVE 'ab'", {.verb = DESK_STEP, .kind = GRANT_APPROVE,
	    .id = "ab"}},
	{"approve ab because 'it''s ''fine'''", {.verb = DESK_STEP,
	    .kind = GRANT_APPROVE, .id = "ab", .why = "it's 'fine'"}},
	{"DENY ab BECAUSE no", {.verb = DESK_STEP, .kind = GRANT_DENY,
	    .id = "ab", .why = "no"}},
	{"REVOKE ab", {.verb = DESK_STEP, .kind = GRANT_REVOKE, .id = "ab"}},
	{"REVIEW ab BECAUSE '\xc3\xbc'", {.verb = DESK_STEP,
	    .kind = GRANT_REVIEW, .id = "ab", .why = "\xc3\xbc"}},
	{"REQUEST 'r; s' ON us FOR '2h' BECAUSE 'why' TICKET 'T-1';",
	    {.verb = DESK_STEP, .kind = GRANT_REQUEST, .rule = "r; s",
	    .store = "us", .for_ms = 2 * HOUR, .why = "why",
	    .ticket = "T-1"}},
	{"break  glass\n'r' on 'us' for 30m because x", {.verb = DESK_STEP,
	    .kind = GRANT_GLASS, .rule = "r", .store = "us",
	    .for_ms = HOUR / 2, .why = "x"}},
};

static void
orders_are_read_as_they_are_meant(void **state)
{
	struct arena *a = arena_new();
	struct desk_order got;
	struct why w = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
		if (desk_read(orders[i].text, strlen(orders[i].text), a, &got,
		    &w) != 0)
			fail_msg("%s: %s", orders[i].text, w.text);
		assert_int_equal(got.verb, orders[i].want.verb);
		assert_int_equal(got.kind, orders[i].want.kind);
		assert_int_equal(got.for_ms, orders[i].want.for_ms);
		same(got.id, orders[i].want.id);
		same(got.rule, orders[i].want.rule);
		same(got.store, orders[i].want.store);
		same(got.ticket, orders[i].want.ticket);
		same(got.why, orders[i].want.why);
	}
	arena_free(a);
}

static void
what_is_no_order_is_refused_with_words(void **state)
{
	static const char *const texts[] = {"SELECT 1", "APPROVE", "APPROVE a b",
	    "APPROVE a; DENY b BECAUSE c", "APPROVE 'a", "APPROVE ''",
	    "SHOW", "SHOW APPROVAL", "SHOW TABLES", "APPROVE a BECAUSE",
	    "REQUEST r", "REQUEST 'r' ON us", "REQUEST 'r' ON us FOR '2'",
	    "REQUEST 'r' ON us FOR '2h'",
	    "REQUEST 'r' ON us FOR '0h' BECAUSE x",
	    "REQUEST 'r' ON us FOR '32d' BECAUSE x",
	    "REQUEST 'r' ON us FOR '1h' BECAUSE x TICKET", "BREAK 'r'",
	    "APPROVE '\xff'", "approvex a", "-- APPROVE a"};
	char longest[DESK_TEXT_MAX + 32];
	struct arena *a = arena_new();
	struct desk_order got;
	struct why w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		w.text[0] = 0;
		if (desk_read(texts[i], strlen(texts[i]), a, &got, &w) !=
		    ERR_FORMAT)
			fail_msg("%s", texts[i]);
		assert_true(w.text[0] != 0);
	}
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "APPROVE '", 9);
	longest[9 + DESK_TEXT_MAX] = '\'';
	assert_int_equal(desk_read(longest, 10 + DESK_TEXT_MAX, a, &got, &w),
	    0);
	longest[9 + DESK_TEXT_MAX] = 'x';
	longest[10 + DESK_TEXT_MAX] = '\'';
	assert_int_equal(desk_read(longest, 11 + DESK_TEXT_MAX, a, &got, &w),
	    ERR_FORMAT);
	/* A NUL ends no text. */
	assert_int_equal(desk_read("APPROVE 'a\0b'", 13, a, &got, &w),
	    ERR_FORMAT);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_are_read_as_they_are_meant),
		cmocka_unit_test(what_is_no_order_is_refused_with_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

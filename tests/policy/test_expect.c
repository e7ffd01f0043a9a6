/*
 * Reading tables of expected outcomes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "policy/expect.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define HEAD "policy-test: 1\n"
#define FOUR HEAD "columns: [reader, store, table, expect]\n"

static void
rows_are_read_by_the_columns_named_first(void **state)
{
	static const char text[] = HEAD "at: 2026-11-23\n"
	    "columns: [expect, table, reader, store, ticket, from, rule, "
	    "confirmed, approved]\n"
	    "rows:\n"
	    "- [mask, p.t.c, ann, NO, none, unknown, it is a rule, NO, true]\n"
	    "- [refused, t, bob, us, T-1]\n";
	struct arena *a = arena_new();
	struct expect e;
	struct why w = {0};

	(void)state;
	assert_non_null(a);
	if (expect_load(text, strlen(text), a, &e, &w) != 0)
		fail_msg("%u:%u: %s", w.line, w.column, w.text);
	assert_int_equal(e.n, 2);
	assert_true(e.has_at);
	assert_int_equal(e.at_ms, INT64_C(1795392000000));
	assert_int_equal(e.rows[0].line, 5);
	assert_int_equal(e.rows[0].expected, EXPECT_MASK);
	assert_string_equal(e.rows[0].reader, "ann");
	assert_string_equal(e.rows[0].store, "NO");
	assert_null(e.rows[0].ticket);
	assert_null(e.rows[0].purpose);
	assert_null(e.rows[0].residence);
	assert_string_equal(e.rows[0].from, "unknown");
	assert_string_equal(e.rows[0].rule, "it is a rule");
	assert_string_equal(e.rows[0].confirmed, "NO");
	assert_true(e.rows[0].approved);
	assert_null(e.rows[1].confirmed);
	assert_false(e.rows[1].approved);
	assert_int_equal(e.rows[1].expected, EXPECT_REFUSED);
	assert_string_equal(e.rows[1].ticket, "T-1");
	assert_null(e.rows[1].from);
	arena_free(a);
}

static const struct {
	const char *text;
	unsigned line;
	const char *words;		/* of what is said */
} bad[] = {
	{"", 0, ""},
	{"[]\n", 1, ""},
	{FOUR, 1, "rows"},
	{FOUR "rows: []\n", 3, "rows"},
	{FOUR "rows: {}\n", 3, "list"},
	{HEAD "rows: [[a, b, c, plain]]\n", 1, "columns"},
	{"policy-test: 2\ncolumns: []\nrows: []\n", 1, ""},
	{HEAD "columns: [reader, store, table]\nrows: [[a, b, c]]\n", 2,
	    "expect"},
	{HEAD "columns: [reader, store, tabel, expect]\nrows: [[a]]\n", 2,
	    "table"},
	{HEAD "columns: [reader, store, store, expect]\nrows: [[a]]\n", 2,
	    "twice"},
	{HEAD "columns: [reader, purpose, ticket, confirmed, approved, from, "
	    "store, table, residence, expect, rule, rule]\nrows: [[a]]\n", 2,
	    "11"},
	{HEAD "columns: [reader, store, table, expect, approved]\n"
	    "rows: [[a, b, c, plain, perhaps]]\n", 3, "true"},
	{FOUR "rows:\n- [a, b, c, plain]\n- [a, b, c, plain, d]\n", 5,
	    "4 columns"},
	{FOUR "rows:\n- [a, b, c]\n", 4, "lacks"},
	{FOUR "rows:\n- [a, b, c, visible]\n", 4, "visible"},
	{FOUR "rows:\n- a\n", 4, "list"},
	{FOUR "rows:\n- [a, [b], c, plain]\n", 4, ""},
	{FOUR "more: 1\nrows:\n- [a, b, c, plain]\n", 3, "more"},
	{HEAD "at: noon\ncolumns: []\nrows: []\n", 2, ""},
};

static void
what_is_not_such_a_table_is_refused_with_its_line(void **state)
{
	struct expect e;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(bad); i++) {
		struct arena *a = arena_new();
		struct why w = {0};

		assert_non_null(a);
		if (expect_load(bad[i].text, strlen(bad[i].text), a, &e,
		    &w) == 0)
			fail_msg("taken: %s", bad[i].text);
		if ((bad[i].line != 0 && w.line != bad[i].line) ||
		    strstr(w.text, bad[i].words) == NULL)
			fail_msg("%s: line %u: %s", bad[i].text, w.line,
			    w.text);
		arena_free(a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_read_by_the_columns_named_first),
		cmocka_unit_test(
		    what_is_not_such_a_table_is_refused_with_its_line),
	};

	return cmocka_run_group_tests_name("expect", tests, NULL, NULL);
}

/*
 * A store's limits for persons: what is read, and which times a person may
 * ask for. PostgreSQL's own reading of the times is in the second column.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "gateway/limits.h"
#include "yaml/yaml.h"

static int
read_text(const char *text, struct store_limits *ret, struct why *w)
{
	struct arena *a = arena_new();
	struct yaml_in in = {.arena = a, .why = w};
	const struct yaml_node *n;

	assert_non_null(a);
	memset(w, 0, sizeof(*w));
	assert_int_equal(yaml_parse(a, text, strlen(text), &n, w), 0);
	limits_read(&in, n, ret);
	arena_free(a);
	return in.result;
}

static void
what_is_left_out_has_its_default(void **state)
{
	struct store_limits l;
	struct yaml_in in = {.arena = NULL};
	struct why w;

	(void)state;
	limits_read(&in, NULL, &l);
	assert_int_equal(l.statement_ms, 600000);
	assert_int_equal(l.temp_mb, 1024);
	assert_int_equal(l.rows, 0);
	assert_int_equal(l.work_mb, 0);
	assert_int_equal(l.connections, 0);
	assert_int_equal(l.subjects, 50000);
	assert_int_equal(read_text("{statement: none, temp-mb: none, rows: 5,"
	    " work-mb: 8, connections: 3, subjects: 7}\n", &l, &w), 0);
	assert_int_equal(l.subjects, 7);
	assert_int_equal(l.statement_ms, 0);
	assert_int_equal(l.temp_mb, 0);
	assert_int_equal(l.rows, 5);
	assert_int_equal(l.work_mb, 8);
	assert_int_equal(l.connections, 3);
	assert_int_equal(read_text("{statement: 2m}\n", &l, &w), 0);
	assert_int_equal(l.statement_ms, 120000);
}

static void
what_is_no_limit_is_refused_where_it_stands(void **state)
{
	static const struct {
		const char *text;
		unsigned column;
	} cases[] = {
		{"{subjects: 0}\n", 12}, {"{subjects: none}\n", 12},
		{"{rows: 0}\n", 8}, {"{rows: -1}\n", 8}, {"{rows: many}\n", 8},
		{"{statement: 10}\n", 13}, {"{statement: 0s}\n", 13},
		{"{statement: 9999h}\n", 13}, {"{temp: 5}\n", 2},
		{"{temp-mb: 5GB}\n", 11}, {"{connections: 10001}\n", 15},
	};
	struct store_limits l;
	struct why w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (read_text(cases[i].text, &l, &w) == 0)
			fail_msg("%s was taken", cases[i].text);
		assert_int_equal(w.column, cases[i].column);
	}
}

static void
a_person_may_only_ask_for_less_time(void **state)
{
	static const struct {
		const char *value;
		bool fine;
	} cases[] = {
		{"60000", true}, {"60s", true}, {"1min", true}, {" 1 min", true},
		{"1", true}, {"500ms", true}, {"60001", false}, {"61s", false},
		{"2min", false}, {"1h", false}, {"1d", false}, {"0", false},
		{"-1", false}, {"", false}, {"0x10", false}, {"1e3", false},
		{"1.5min", false}, {"1us", false}, {"99999999999", false},
		{"60s ", false},
	};
	const struct store_limits l = {.statement_ms = 60000}, none = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (limits_allow(&l, "Statement_Timeout", cases[i].value) !=
		    cases[i].fine)
			fail_msg("%s", cases[i].value);
		assert_true(limits_allow(&none, "statement_timeout",
		    cases[i].value));
		assert_true(limits_allow(&l, "lock_timeout", cases[i].value));
	}
	assert_true(limits_allow(&l, "statement_timeout", NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_left_out_has_its_default),
		cmocka_unit_test(what_is_no_limit_is_refused_where_it_stands),
		cmocka_unit_test(a_person_may_only_ask_for_less_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

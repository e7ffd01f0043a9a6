/* lineage/naming.h and how DECLARE and PREPARE are rewritten. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/text.h"
#include "lineage/analyze.h"
#include "lineage/rewrite.h"

static struct arena *a;

static const struct statement *
statement(const char *sql)
{
	const struct analysis *all;
	struct why why;

	assert_int_equal(analyze(sql, strlen(sql), a, &all, &why), 0);
	assert_int_equal(all->n, 1);
	return &all->statements[0];
}

static void
what_fetch_passes_over_is_told_from_what_it_shows(void **state)
{
	/* By the manual's list of directions, FETCH and MOVE. */
	static const struct {
		const char *direction;
		enum naming_way fetch, move;
	} cases[] = {
		{"", NAMING_STEPS, NAMING_PASSES},
		{"NEXT", NAMING_STEPS, NAMING_PASSES},
		{"PRIOR", NAMING_STEPS, NAMING_STEPS},
		{"FIRST", NAMING_STEPS, NAMING_PASSES},
		{"LAST", NAMING_PASSES, NAMING_PASSES},
		{"ABSOLUTE 0", NAMING_STEPS, NAMING_STEPS},
		{"ABSOLUTE 2", NAMING_PASSES, NAMING_PASSES},
		{"ABSOLUTE -1", NAMING_PASSES, NAMING_PASSES},
		{"RELATIVE 0", NAMING_STEPS, NAMING_PASSES},
		{"RELATIVE 1", NAMING_STEPS, NAMING_PASSES},
		{"RELATIVE -1", NAMING_STEPS, NAMING_PASSES},
		{"RELATIVE 2", NAMING_PASSES, NAMING_PASSES},
		{"3", NAMING_STEPS, NAMING_PASSES},
		{"-3", NAMING_STEPS, NAMING_STEPS},
		{"0", NAMING_STEPS, NAMING_STEPS},
		{"ALL", NAMING_ALL, NAMING_PASSES},
		{"FORWARD", NAMING_STEPS, NAMING_PASSES},
		{"FORWARD 7", NAMING_STEPS, NAMING_PASSES},
		{"FORWARD ALL", NAMING_ALL, NAMING_PASSES},
		{"BACKWARD", NAMING_STEPS, NAMING_STEPS},
		{"BACKWARD 7", NAMING_STEPS, NAMING_STEPS},
		{"BACKWARD -7", NAMING_STEPS, NAMING_PASSES},
		{"BACKWARD ALL", NAMING_STEPS, NAMING_STEPS},
	};
	const struct statement *st;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		st = statement(arena_fmt(a, "FETCH %s FROM c",
		    cases[i].direction));
		assert_int_equal(st->naming.kind, NAMING_FETCH);
		assert_string_equal(st->naming.name, "c");
		if (st->naming.way != cases[i].fetch)
			fail_msg("FETCH %s", cases[i].direction);
		st = statement(arena_fmt(a, "MOVE %s IN c",
		    cases[i].direction));
		if (st->naming.way != cases[i].move)
			fail_msg("MOVE %s", cases[i].direction);
	}
}

static void
names_are_as_the_store_keeps_them(void **state)
{
	static const struct {
		const char *sql;
		enum naming_kind kind;
		const char *name;	/* NULL: all */
	} cases[] = {
		{"DECLARE Abc CURSOR FOR SELECT 1", NAMING_DECLARE, "abc"},
		{"DECLARE \"Abc\" CURSOR FOR SELECT 1", NAMING_DECLARE, "Abc"},
		{"PREPARE p AS SELECT 1", NAMING_PREPARE, "p"},
		{"EXECUTE P (1)", NAMING_EXECUTE, "p"},
		{"CLOSE c", NAMING_CLOSE, "c"},
		{"CLOSE ALL", NAMING_CLOSE, NULL},
		{"DEALLOCATE p", NAMING_DEALLOCATE, "p"},
		{"DEALLOCATE ALL", NAMING_DEALLOCATE, NULL},
		{"DISCARD ALL", NAMING_DISCARD, NULL},
		{"DISCARD PLANS", NAMING_NONE, NULL},
		{"SELECT 1", NAMING_NONE, NULL},
	};
	const struct statement *st;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		st = statement(cases[i].sql);
		if (st->naming.kind != cases[i].kind ||
		    (st->naming.name == NULL) != (cases[i].name == NULL))
			fail_msg("%s", cases[i].sql);
		if (cases[i].name != NULL)
			assert_string_equal(st->naming.name, cases[i].name);
	}
	assert_true(statement("DECLARE c BINARY SCROLL CURSOR WITH HOLD FOR "
	    "SELECT 1")->naming.hold);
	assert_false(statement("DECLARE c ASENSITIVE NO SCROLL CURSOR WITHOUT "
	    "HOLD FOR SELECT 1")->naming.hold);
	assert_true(naming_is_sure("abc"));
	assert_false(naming_is_sure("\303\251"));
	assert_false(naming_is_sure("0123456789012345678901234567890123456789"
	    "012345678901234567890123"));
	assert_true(naming_is_sure("0123456789012345678901234567890123456789"
	    "01234567890123456789012"));
}

static void
only_the_name_keeps_it_from_being_told(void **state)
{
	(void)state;
	assert_true(statement("EXECUTE p (1)")->by_name);
	assert_true(statement("FETCH c")->by_name);
	assert_false(statement("EXECUTE p (what(1))")->by_name);
	assert_false(statement("DECLARE c CURSOR FOR SELECT 1")->by_name);
	assert_false(statement("SELECT what(1)")->by_name);
}

static void
query_of_a_name_is_rewritten_in_its_place(void **state)
{
	static const char *const columns[] = {"id"};
	static const struct rewrite_table tables[] = {
		{"users", columns, 1, NULL, NULL},
	};
	static const struct rewrite_schema twins = {"tw", tables, 1};
	static const struct {
		const char *sql, *want;
	} cases[] = {
		{"DECLARE c SCROLL CURSOR FOR SELECT id FROM users",
		    "DECLARE c SCROLL CURSOR FOR SELECT pg_catalog.concat_ws("
		    "',', \"users\".\"sworn$\") AS \"sworn$1\", id FROM \"tw\".\"users\""},
		{"PREPARE p (int) AS SELECT id FROM users",
		    "PREPARE p (int) AS SELECT pg_catalog.concat_ws(',', "
		    "\"users\".\"sworn$\") AS \"sworn$1\", id FROM \"tw\".\"users\""},
	};
	const struct rewrite *r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(rewrite(cases[i].sql, strlen(cases[i].sql),
		    &twins, a, &r), 0);
		assert_string_equal(r->sql, cases[i].want);
		assert_true(r->names);
	}
}

static int
set_up(void **state)
{
	(void)state;
	return (a = arena_new()) == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_fetch_passes_over_is_told_from_what_it_shows),
		cmocka_unit_test(names_are_as_the_store_keeps_them),
		cmocka_unit_test(only_the_name_keeps_it_from_being_told),
		cmocka_unit_test(query_of_a_name_is_rewritten_in_its_place),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

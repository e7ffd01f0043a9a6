/*
 * enforce/watch.h: what differs between two looks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "enforce/watch.h"

static char said[1024];

static void
on_found(void *arg, const char *name, const char *why)
{
	size_t len = strlen(said);

	(void)arg;
	(void)why;
	(void)snprintf(said + len, sizeof(said) - len, "[%s]", name);
}

static size_t
compare(const struct watch_line *a, size_t n, const struct watch_line *b,
    size_t k)
{
	static const char *const roles[] = { "feed", "staff" };
	const struct watch_list kept = { a, n }, now = { b, k };

	said[0] = 0;
	return watch_compare(&kept, &now, roles, 2, on_found, NULL);
}

static const struct watch_line kept[] = {
	{ "login app", "1" }, { "relation public.users", "2" },
	{ "rights of PUBLIC", "3" }, { "sworn base", "4" },
	{ "sworn_0123456789abcdef", "5" },
};
#define N (sizeof(kept) / sizeof(kept[0]))

static void
the_same_twice_is_no_difference(void **state)
{
	(void)state;
	assert_int_equal(compare(kept, N, kept, N), 0);
	assert_int_equal(compare(NULL, 0, NULL, 0), 0);
	assert_string_equal(said, "");
}

static void
every_changed_line_is_named(void **state)
{
	struct watch_line now[N];
	char want[128];
	size_t i;

	(void)state;
	for (i = 0; i < N; i++) {
		memcpy(now, kept, sizeof(now));
		now[i].hash = "0";
		assert_int_equal(compare(kept, N, now, N), 1);
		(void)snprintf(want, sizeof(want), "[%s]", kept[i].name);
		assert_string_equal(said, want);
	}
}

static void
what_is_new_is_a_difference_wherever_it_stands(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N; i++) {
		struct watch_line less[N];

		memcpy(less, kept, sizeof(less));
		memmove(less + i, less + i + 1, (N - i - 1) * sizeof(*less));
		assert_int_equal(compare(less, N - 1, kept, N), 1);
	}
	assert_int_equal(compare(NULL, 0, kept, N), N);
}

static void
only_what_apply_made_has_to_stay(void **state)
{
	(void)state;
	assert_int_equal(compare(kept, N, NULL, 0), 3);
	assert_string_equal(said, "[rights of PUBLIC][sworn base]"
	    "[sworn_0123456789abcdef]");
}

static void
a_login_that_is_expected_may_come_go_and_change(void **state)
{
	static const struct watch_line some[] = {
		{ "login feed", "1" }, { "rights of PUBLIC", "3" },
	}, others[] = {
		{ "login feed", "2" }, { "login feeder", "1" },
		{ "login staff", "1" }, { "relation staff", "1" },
		{ "rights of PUBLIC", "3" },
	};

	(void)state;
	assert_int_equal(compare(some, 2, others, 5), 2);
	assert_string_equal(said, "[login feeder][relation staff]");
	assert_int_equal(compare(others, 5, some, 2), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_twice_is_no_difference),
		cmocka_unit_test(every_changed_line_is_named),
		cmocka_unit_test(what_is_new_is_a_difference_wherever_it_stands),
		cmocka_unit_test(only_what_apply_made_has_to_stay),
		cmocka_unit_test(
		    a_login_that_is_expected_may_come_go_and_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

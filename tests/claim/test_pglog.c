/*
 * What pgaudit writes, as its manual shows it; and which lines a log lacks,
 * against a plain set of numbers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "claim/lines.h"
#include "claim/pgaudit.h"
#include "claim/pglog.h"

static const struct {
	const char *message;
	const char *class;	/* NULL: none of pgaudit's; "": refused */
	const char *object;
	uint64_t statement;
} audits[] = {
	{"AUDIT: SESSION,2,1,READ,SELECT,TABLE,public.account,\"select *\n"
	    "    from account\",<not logged>", "READ", "public.account", 2},
	{"AUDIT: OBJECT,1,1,WRITE,UPDATE,TABLE,\"public.\"\"A b\"\"\",update,"
	    "<none>", "WRITE", "public.\"A b\"", 1},
	{"AUDIT: SESSION,1,1,FUNCTION,DO,,,\"DO $$\nEND $$;\",<not logged>",
	    "FUNCTION", "", 1},
	{"connection received", NULL, NULL, 0},
	{"AUDIT: ", "", NULL, 0},
	{"AUDIT: SESSION,1,1,READ", "", NULL, 0},
	{"AUDIT: SESSION,x,1,READ,SELECT,TABLE,a,b,c", "", NULL, 0},
	{"AUDIT: OTHER,1,1,READ,SELECT,TABLE,a,b,c", "", NULL, 0},
	{"AUDIT: SESSION,1,1,READ,SELECT,TABLE,a,\"b", "", NULL, 0},
};

static void
pgaudit_is_read_as_its_manual_shows_it(void **state)
{
	struct arena *a = arena_new();
	struct pgaudit got;
	size_t i;
	bool is;
	int r;

	(void)state;
	for (i = 0; i < sizeof(audits) / sizeof(audits[0]); i++) {
		r = pgaudit_read(audits[i].message, a, &is, &got);
		if (audits[i].class == NULL) {
			assert_int_equal(r, 0);
			assert_false(is);
		} else if (audits[i].class[0] == 0) {
			assert_int_not_equal(r, 0);
		} else {
			assert_int_equal(r, 0);
			assert_true(is);
			assert_string_equal(got.class, audits[i].class);
			assert_string_equal(got.object, audits[i].object);
			assert_int_equal(got.statement, audits[i].statement);
		}
	}
	arena_free(a);
}

#define NUMBERS 60

static unsigned
rnd(unsigned n)
{
	static uint64_t x = 88172645463325252u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (unsigned)(x % n);
}

static int
mark(void *arg, const struct lines_gap *g)
{
	bool *gone = arg;
	uint64_t i;

	assert_true(g->from <= g->to && g->to <= NUMBERS);
	for (i = g->from; i <= g->to; i++) {
		assert_false(gone[i]);
		gone[i] = true;
	}
	return 0;
}

/* Some of 1..NUMBERS, some of them twice, in any order. */
static void
lines_that_are_missing_are_found_in_any_order(void **state)
{
	bool there[NUMBERS + 1], gone[NUMBERS + 1];
	struct pglog_line l = {.time_ms = 5000, .session = (uint64_t)4 << 32};
	unsigned round, i, n, last;
	struct lines *x;

	(void)state;
	for (round = 0; round < 3000; round++) {
		memset(there, 0, sizeof(there));
		memset(gone, 0, sizeof(gone));
		assert_non_null(x = lines_new());
		/* Another process's line, so that the log begins before. */
		assert_int_equal(lines_add(x, &(struct pglog_line){
		    .time_ms = 3000, .session = (uint64_t)3 << 32,
		    .number = 7}), 0);
		n = rnd(2 * NUMBERS) + 1;
		for (i = 0, last = 0; i < n; i++) {
			l.number = rnd(NUMBERS) + 1;
			there[l.number] = true;
			assert_int_equal(lines_add(x, &l), 0);
		}
		for (i = 1; i <= NUMBERS; i++)
			last = there[i] ? i : last;
		assert_int_equal(lines_gaps(x, 0, 9000, mark, gone), 0);
		for (i = 1; i <= NUMBERS; i++)
			assert_int_equal(gone[i], i < last && !there[i]);
		memset(gone, 0, sizeof(gone));
		assert_int_equal(lines_gaps(x, 5001, 9000, mark, gone), 0);
		for (i = 1; i <= NUMBERS; i++)
			assert_false(gone[i]);
		lines_free(x);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pgaudit_is_read_as_its_manual_shows_it),
		cmocka_unit_test(lines_that_are_missing_are_found_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * When facts begin and end to hold: the instants are told by hand, and
 * between two of them everything that a directory says stays as it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/time.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "directory/told.h"
#include "directory/turns.h"

static const char text[] = "directory: 1\nissuer: hr\n"
    "sites:\n"
    "  here: {country: AA}\n"
    "  there: {country: BB}\n"
    "entities:\n"
    "  one: {country: AA, owners: {two: {share: 100,"
    " to: \"2026-04-01\"}}, rest: dispersed}\n"
    "  two: {country: BB, owners: {}, rest: dispersed}\n"
    "people:\n"
    "  ann:\n"
    "    name: Ann\n"
    "    from: \"2026-01-01\"\n"
    "    to: \"2026-12-01\"\n"
    "    employer: one\n"
    "    manager: none\n"
    "    site: [{id: there, to: \"2026-06-01T00:00:00Z\"},"
    " {id: here, from: \"2026-06-01T00:00:00Z\"}]\n"
    "    roles: [writer, {value: reader, from: \"2026-07-01\"}]\n"
    "  bob: {name: Bob, employer: two, site: here,"
    " manager: [{id: ann, from: \"2026-03-01\", to: \"2026-06-01\"}]}\n"
    "services:\n"
    "  feed: {name: feed, operator: one, site: here,"
    " keepers: [{id: bob, to: \"2026-11-01\"}]}\n";

/* Each of the above once, in order. */
static const char *const instants[] = {
	"2026-01-01", "2026-03-01", "2026-04-01", "2026-06-01", "2026-07-01",
	"2026-11-01", "2026-12-01",
};
#define N (sizeof(instants) / sizeof(instants[0]))

static int64_t
ms_of(const char *s)
{
	int64_t ms = 0;

	assert_int_equal(time_parse(s, strlen(s), &ms), 0);
	return ms;
}

static struct directory *
load(void)
{
	struct directory *d = NULL;
	struct why w = {0};

	if (directory_load(text, strlen(text), &d, &w) != 0)
		fail_msg("%u:%u: %s", w.line, w.column, w.text);
	return d;
}

static void
next_instant_is_the_first_behind_a_time(void **state)
{
	struct directory *d = load();
	size_t i;
	int64_t at;

	(void)state;
	for (i = 0; i < N; i++) {
		at = ms_of(instants[i]);
		assert_int_equal(directory_changes_at(d, at - 1), at);
		/* At the instant itself it has turned already. */
		assert_int_equal(directory_changes_at(d, at), i + 1 < N ?
		    ms_of(instants[i + 1]) : INT64_MAX);
	}
	assert_int_equal(directory_changes_at(d, ms_of("1990-01-01")),
	    ms_of(instants[0]));
	directory_free(d);
}

/* Everything that rests on facts and a time, as text. */
static void
tell(const struct directory *d, int64_t at, struct buf *out)
{
	static const char *const ids[] = {"ann", "bob", "feed"};
	struct arena *a = arena_new();
	const struct control *c;
	size_t i, k, m;

	buf_reset(out);
	for (i = 0; i < 3; i++) {
		buf_fmt(out, "%s %d\n", ids[i], control_of(d, ids[i], at,
		    NULL, 0, a, &c));
		if (control_of(d, ids[i], at, NULL, 0, a, &c) != 0)
			continue;
		for (k = 0; k < c->n; k++)
			for (m = 0; m < c->members[k].n_paths; m++)
				buf_fmt(out, " %s %u", c->members[k].label,
				    c->members[k].paths[m].kinds);
		assert_int_equal(told_facts(out, d, ids[i], at), 0);
	}
	assert_non_null(buf_text(out));
	arena_free(a);
}

static void
nothing_turns_between_two_instants_and_something_at_each(void **state)
{
	struct directory *d = load();
	struct buf first, last, next;
	int64_t at = ms_of("2025-12-01"), turn;
	size_t seen = 0;

	(void)state;
	buf_init(&first, 0);
	buf_init(&last, 0);
	buf_init(&next, 0);
	while ((turn = directory_changes_at(d, at)) != INT64_MAX) {
		assert_true(turn > at);
		tell(d, at, &first);
		tell(d, turn - 1, &last);
		tell(d, turn, &next);
		assert_string_equal((char *)first.data, (char *)last.data);
		assert_string_not_equal((char *)last.data, (char *)next.data);
		at = turn;
		seen++;
	}
	assert_int_equal(seen, N);
	tell(d, at, &first);
	tell(d, ms_of("2999-01-01"), &last);
	assert_string_equal((char *)first.data, (char *)last.data);
	buf_done(&first);
	buf_done(&last);
	buf_done(&next);
	directory_free(d);
}

static void
directory_without_intervals_never_turns(void **state)
{
	static const char plain[] = "directory: 1\nissuer: hr\n"
	    "sites:\n  here: {country: AA}\n"
	    "entities:\n  one: {country: AA, owners: {}, rest: dispersed}\n"
	    "people:\n  ann: {name: Ann, employer: one, site: here,"
	    " manager: none}\n";
	struct directory *d = NULL;
	struct why w = {0};

	(void)state;
	assert_int_equal(directory_load(plain, strlen(plain), &d, &w), 0);
	assert_int_equal(directory_changes_at(d, INT64_MIN), INT64_MAX);
	assert_int_equal(directory_changes_at(d, 0), INT64_MAX);
	directory_free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_instant_is_the_first_behind_a_time),
		cmocka_unit_test(
		    nothing_turns_between_two_instants_and_something_at_each),
		cmocka_unit_test(directory_without_intervals_never_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Circles: which there are, and that random ones are all found, each told as
 * a way that is one. The oracle asks of everybody whether they reach
 * themselves.
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
#include "base/buf.h"
#include "directory/circles.h"
#include "directory/directory.h"

#define HEAD "directory: 1\nissuer: hr\n"
#define PEOPLE 7
#define ROUNDS 3000

static uint64_t seed = 20261123;

static unsigned
roll(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

static struct directory *
load(const char *text)
{
	struct directory *d = NULL;
	struct why w = {0};

	if (directory_load(text, strlen(text), &d, &w) != 0)
		fail_msg("%u:%u: %s", w.line, w.column, w.text);
	return d;
}

static int
note(void *arg, const char *what, const char *const *ids, size_t n)
{
	struct buf *out = arg;
	size_t i;

	buf_fmt(out, "%s:", what);
	for (i = 0; i < n; i++)
		buf_fmt(out, " %s", ids[i]);
	buf_str(out, "; ");
	return 0;
}

static void
each_kind_of_circle_is_told_once(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"people: {a: {manager: b}, b: {manager: none}}\n", ""},
		{"people: {a: {manager: a}}\n", "manager circle: a; "},
		{"people: {c: {manager: a}, b: {manager: c}, a: {manager: b}, "
		    "d: {manager: a}}\n", "manager circle: a b c; "},
		{"people: {a: {manager: b}, b: {instructor: a}}\n",
		    "circle of instruction: a b; "},
		{"people: {a: {manager: b, instructor: b}, "
		    "b: {manager: a, instructor: a}}\n",
		    "manager circle: a b; "},
		{"entities: {e: {owners: {e: 5}}, f: {owners: {g: 1}}, "
		    "g: {owners: {f: 100}}, h: {owners: {h: 0}}}\n",
		    "ownership circle: e; ownership circle: f g; "},
		{"services: {s: {keepers: [t]}, t: {keepers: [s, t]}}\n",
		    "keeping circle: s t; "},
		{"people: {a: {manager: {id: b, to: 2026-01-01}}, "
		    "b: {manager: a}}\n", ""},
	};
	struct buf text, said;
	struct directory *d;
	struct arena *a;
	size_t i;

	(void)state;
	buf_init(&text, 0);
	buf_init(&said, 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_reset(&text);
		buf_reset(&said);
		buf_fmt(&text, HEAD "%s", cases[i].text);
		d = load(buf_text(&text));
		a = arena_new();
		assert_int_equal(circles_each(d, INT64_C(1790000000000), a,
		    note, &said), 0);
		assert_string_equal(buf_text(&said), cases[i].want);
		arena_free(a);
		directory_free(d);
	}
	buf_done(&text);
	buf_done(&said);
}

struct model {
	bool up[PEOPLE][PEOPLE];	/* manager of */
	bool reaches[PEOPLE][PEOPLE];
	bool told[PEOPLE];
};

/* A way along edges; whoever it passes reaches each other. */
static int
check(void *arg, const char *what, const char *const *ids, size_t n)
{
	struct model *m = arg;
	size_t i, k;
	int from, to;

	assert_string_equal(what, "manager circle");
	for (i = 0; i < n; i++) {
		from = ids[i][1] - '0';
		to = ids[(i + 1) % n][1] - '0';
		assert_true(m->up[from][to]);
	}
	for (k = 0; k < PEOPLE; k++) {
		from = ids[0][1] - '0';
		if (m->reaches[from][k] && m->reaches[k][from]) {
			assert_false(m->told[k]);	/* a set once */
			m->told[k] = true;
		}
	}
	return 0;
}

static void
random_circles_are_all_found(void **state)
{
	struct directory *d;
	struct arena *a;
	struct model m;
	struct buf text;
	int round, i, k, j;

	(void)state;
	buf_init(&text, 0);
	for (round = 0; round < ROUNDS; round++) {
		memset(&m, 0, sizeof(m));
		buf_reset(&text);
		buf_str(&text, HEAD "people:\n");
		for (i = 0; i < PEOPLE; i++) {
			buf_fmt(&text, "  p%d: {manager: [", i);
			for (k = 0; k < PEOPLE; k++)
				if ((m.up[i][k] = roll(6) == 0))
					buf_fmt(&text, "p%d, ", k);
			buf_str(&text, "]}\n");
		}
		memcpy(m.reaches, m.up, sizeof(m.up));
		for (j = 0; j < PEOPLE; j++)
			for (i = 0; i < PEOPLE; i++)
				for (k = 0; k < PEOPLE; k++)
					m.reaches[i][k] |= m.reaches[i][j] &&
					    m.reaches[j][k];
		d = load(buf_text(&text));
		a = arena_new();
		assert_int_equal(circles_each(d, 0, a, check, &m), 0);
		for (i = 0; i < PEOPLE; i++)
			assert_int_equal(m.told[i], m.reaches[i][i]);
		arena_free(a);
		directory_free(d);
	}
	buf_done(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_circle_is_told_once),
		cmocka_unit_test(random_circles_are_all_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* YAML as contracts are written: typed by the schema, refused with places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "yaml/yaml.h"

static const struct yaml_node *
parse(struct arena *a, const char *text)
{
	const struct yaml_node *n = NULL;
	struct why w;

	assert_int_equal(yaml_parse(a, text, strlen(text), &n, &w), 0);
	return n;
}

static void
scalars_are_typed_by_the_reader(void **state)
{
	struct arena *a = arena_new();
	struct yaml_in in = {.arena = a};
	const struct yaml_node *n = parse(a,
	    "{country: NO, code: 0123, on: yes, when: 2026-01-02, n: 12,"
	    " empty: \"\", wait: 5m, share: 33.5}");

	(void)state;
	assert_string_equal(yaml_str(&in, yaml_get(n, "country")), "NO");
	assert_string_equal(yaml_str(&in, yaml_get(n, "code")), "0123");
	assert_string_equal(yaml_str(&in, yaml_get(n, "on")), "yes");
	assert_string_equal(yaml_str(&in, yaml_get(n, "when")), "2026-01-02");
	assert_string_equal(yaml_str(&in, yaml_get(n, "empty")), "");
	assert_int_equal(yaml_time_ms(&in, yaml_get(n, "when")),
	    1767312000000LL);
	assert_int_equal(yaml_u64(&in, yaml_get(n, "n"), 1, 20), 12);
	assert_int_equal(yaml_duration_ms(&in, yaml_get(n, "wait"), 0,
	    1000000), 300000);
	assert_true(yaml_share(&in, yaml_get(n, "share")) == 33.5);
	assert_null(yaml_str(&in, yaml_get(n, "absent")));
	assert_int_equal(in.result, 0);
	arena_free(a);
}

static void
readers_refuse_what_is_of_another_type(void **state)
{
	static const struct {
		const char *text;
		int kind;
	} cases[] = {
		{"k: yes", 'b'}, {"k: 1e3", 'n'}, {"k: -1", 'n'},
		{"k: 21", 'n'}, {"k: 007", 'n'}, {"k: 5 m", 'd'},
		{"k: 5", 'd'}, {"k: 101", 's'}, {"k: 0x10", 's'},
		{"k: tomorrow", 't'}, {"k: 2026-02-30", 't'},
		{"k: [a]", 'x'}, {"k:", 'x'}, {"k: {a: b}", 'l'},
		{"k: [a, [b]]", 'l'}, {"k: [a, ]\nj: [,]", 'p'},
	};
	struct arena *a = arena_new();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct yaml_node *n = NULL, *k;
		struct why w = {0};
		struct yaml_in in = {.arena = a, .why = &w};
		size_t count;
		int r = yaml_parse(a, cases[i].text, strlen(cases[i].text),
		    &n, &w);

		if (cases[i].kind == 'p') {
			assert_int_equal(r, ERR_FORMAT);
			assert_int_equal(w.line, 2);
			continue;
		}
		assert_int_equal(r, 0);
		k = yaml_get(n, "k");
		switch (cases[i].kind) {
		case 'b': (void)yaml_bool(&in, k); break;
		case 'n': (void)yaml_u64(&in, k, 0, 20); break;
		case 'd': (void)yaml_duration_ms(&in, k, 0, 100); break;
		case 's': (void)yaml_share(&in, k); break;
		case 't': (void)yaml_time_ms(&in, k); break;
		case 'l': (void)yaml_strs(&in, k, &count); break;
		default: (void)yaml_str(&in, k); break;
		}
		if (in.result != ERR_FORMAT || w.line != 1 || w.column < 3)
			fail_msg("%s: result %d at %u:%u", cases[i].text,
			    in.result, w.line, w.column);
	}
	arena_free(a);
}

static void
parser_refuses_what_hides_meaning(void **state)
{
	static const struct {
		const char *text;
		unsigned line, column;
	} cases[] = {
		{"a: 1\nb: 2\na: 3\n", 3, 1},
		{"a: &x 1\n", 1, 4},
		{"a: &x {b: 1}\nc: *x\n", 1, 4},
		{"a: !!int 1\n", 1, 4},
		{"<<: {a: 1}\n", 1, 1},
		{"a: 1\n---\nb: 2\n", 2, 1},
		{"? [a]\n: b\n", 1, 3},
		{"a: [1, 2\n", 2, 1},
		{"a: 1\n  b: 2\n", 2, 4},
		{"\t- a\n", 1, 1},
	};
	struct arena *a = arena_new();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct yaml_node *n = NULL;
		struct why w = {0};

		if (yaml_parse(a, cases[i].text, strlen(cases[i].text), &n,
		    &w) != ERR_FORMAT || w.line != cases[i].line ||
		    w.column != cases[i].column)
			fail_msg("%s: at %u:%u: %s", cases[i].text, w.line,
			    w.column, w.text);
		assert_null(n);
	}
	arena_free(a);
}

static void
parser_bounds_depth_and_refuses_bad_utf8(void **state)
{
	struct arena *a = arena_new();
	const struct yaml_node *n = NULL;
	char deep[200];
	struct why w;

	(void)state;
	memset(deep, '[', 100);
	memset(deep + 100, ']', 100);
	assert_int_equal(yaml_parse(a, deep, sizeof(deep), &n, &w), ERR_LIMIT);
	assert_int_equal(yaml_parse(a, "a: \xc0\xaf", 5, &n, &w), ERR_FORMAT);
	assert_int_equal(yaml_parse(a, "", 0, &n, &w), ERR_FORMAT);
	arena_free(a);
}

static void
unknown_keys_are_refused_with_the_nearest_known(void **state)
{
	static const char *const allowed[] = {"residence", "table", NULL};
	struct arena *a = arena_new();
	struct why w = {0};
	struct yaml_in in = {.arena = a, .why = &w};

	(void)state;
	yaml_map(&in, parse(a, "table: x\nresidense: y\n"), allowed);
	assert_int_equal(in.result, ERR_FORMAT);
	assert_int_equal(w.line, 2);
	assert_int_equal(w.column, 1);
	assert_non_null(strstr(w.text, "residence"));
	/* Sticky: the first failure stands. */
	(void)yaml_need(&in, parse(a, "b: 1"), "zzz");
	assert_int_equal(w.line, 2);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalars_are_typed_by_the_reader),
		cmocka_unit_test(readers_refuse_what_is_of_another_type),
		cmocka_unit_test(parser_refuses_what_hides_meaning),
		cmocka_unit_test(parser_bounds_depth_and_refuses_bad_utf8),
		cmocka_unit_test(
		    unknown_keys_are_refused_with_the_nearest_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * A policy of several files: one text of it, and back; what is refused, and
 * in which file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "policy/bundle.h"
#include "policy/policy.h"

#define HEAD "policy: p\nversion: 1\n"

struct file {
	const char *name, *text;
};

static void
put_files(struct buf *out, const struct file *files)
{
	struct bundle_file list[5];
	size_t n;

	for (n = 0; n < 5 && files[n].name != NULL; n++)
		list[n] = (struct bundle_file){files[n].name, files[n].text,
		    strlen(files[n].text)};
	bundle_write(out, list, n);
}

/* Bytes that would end a YAML document, or look like the next file. */
static const struct file awkward[] = {
	{"p.yaml", "--- \nfile 3 x\n...\n"}, {"a b/c", ""},
	{"d", "sworn policy bundle 1\nfile 1 y\nz\n"}, {NULL, NULL},
};

static void
files_come_back_byte_for_byte(void **state)
{
	const struct bundle_file *got;
	struct arena *a = arena_new();
	struct buf text;
	struct why w;
	size_t i, n;

	(void)state;
	buf_init(&text, 0);
	put_files(&text, awkward);
	assert_true(bundle_is(buf_text(&text), text.len));
	assert_int_equal(bundle_read(buf_text(&text), text.len, a, &got, &n,
	    &w), 0);
	assert_int_equal(n, 3);
	for (i = 0; i < n; i++) {
		assert_string_equal(got[i].name, awkward[i].name);
		assert_int_equal(got[i].len, strlen(awkward[i].text));
		assert_memory_equal(got[i].text, awkward[i].text, got[i].len);
	}
	buf_done(&text);
	arena_free(a);
}

/* Between two files it is a bundle of fewer; anywhere else it is none. */
static void
a_bundle_that_was_cut_is_refused(void **state)
{
	const struct bundle_file *got;
	struct arena *a = arena_new();
	struct buf text;
	struct why w;
	size_t i, n, whole = 0;

	(void)state;
	buf_init(&text, 0);
	put_files(&text, awkward);
	for (i = 0; i < text.len; i++)
		if (bundle_read(buf_text(&text), i, a, &got, &n, &w) == 0)
			whole++;
		else
			assert_int_not_equal(w.text[0], 0);
	assert_int_equal(whole, 2);
	buf_done(&text);
	arena_free(a);
}

static const struct {
	const char *what;
	struct file files[5];
	/* NULL: it is taken */
	const char *word, *file;
	unsigned line, column;
} cases[] = {
	{"rules, sets and purposes of all files", {{"p", HEAD
	    "include: [a/a.yaml]\npurposes: [x]\nrules:\n"
	    "- {rule: r, permit: read, whose: $s, why: {purposes: y}}\n"},
	    {"a/a.yaml", "include: [b.yaml]\npurposes: [x, y]\n"
	    "rules: [{rule: q, permit: read, whose: $s, why: {purposes: x}}]"
	    "\n"}, {"a/b.yaml", "sets: {s: [AA]}\n"}}, NULL, NULL, 0, 0},
	{"a file that two include", {{"p", HEAD "include: [a, b]\n"},
	    {"a", "include: [c]\n"}, {"b", "include: [c]\n"},
	    {"c", "policy: c\nversion: 2\nrules: [{rule: r, permit: read}]\n"
	    }}, NULL, NULL, 0, 0},
	{"a circle", {{"p", HEAD "include: [a]\n"},
	    {"a", "sets: {}\ninclude:\n- b\n"}, {"b", "include: [a]\n"}},
	    "within itself", "b", 1, 11},
	{"a circle through the policy", {{"p", HEAD "include: [a]\n"},
	    {"a", "include: [p]\n"}}, "within itself", "a", 1, 11},
	{"one that is not there", {{"p", HEAD "include: [a]\n"},
	    {"a", "include: [x/b.yaml]\n"}}, "not there", "a", 1, 11},
	{"one that nothing includes", {{"p", HEAD "include: [a]\n"},
	    {"a", "rules: []\n"}, {"b", "rules: []\n"}}, "b", "", 0, 0},
	{"a set in two files", {{"p", HEAD "include: [a]\nsets: {s: [AA]}\n"},
	    {"a", "rules: []\nsets:\n  t: [BB]\n  s: [BB]\n"}}, "already",
	    "a", 4, 3},
	{"a rule in two files", {{"p", HEAD "include: [a]\n"
	    "rules: [{rule: r, permit: read}]\n"},
	    {"a", "rules:\n- {rule: r, permit: read}\n"}}, "twice", "a", 2,
	    10},
	{"a broken rule", {{"p", HEAD "include: [a]\n"},
	    {"a", "rules:\n- {rule: r, permit: all}\n"}}, "read", "a", 2,
	    21},
	{"text that is not YAML", {{"p", HEAD "include: [a]\n"},
	    {"a", "rules:\n- [\n"}}, "YAML", "a", 3, 1},
	{"a second document", {{"p", HEAD "include: [a]\n"},
	    {"a", "rules: []\n---\nrules: []\n"}}, "second", "a", 2, 1},
	{"a broken value of another file's set", {{"p", HEAD
	    "include: [a]\nrules:\n- {rule: r, permit: read, whose: $s}\n"},
	    {"a", "sets:\n  s: [AA, A A]\n"}}, "label", "a", 2, 11},
	{"what stands in the policy, past another file's set", {{"p", HEAD
	    "include: [a]\nrules:\n- {rule: r, permit: read, whose: [$s,"
	    " A A]}\n"}, {"a", "sets: {s: [AA]}\n"}}, "label", "", 5, 39},
	{"a path upward", {{"p", HEAD "include: [../a]\n"}}, "below", "", 3,
	    11},
	{"an absolute path", {{"p", HEAD "include: [/a]\n"}}, "below", "", 3,
	    11},
	{"a path upward from below", {{"p", HEAD "include: [a/b]\n"},
	    {"a/b", "include: [c/../../x]\n"}}, "below", "a/b", 1, 11},
	{"one included twice", {{"p", HEAD "include: [a, a]\n"},
	    {"a", "rules: []\n"}}, "twice", "", 3, 14},
	{"an include that is no list", {{"p", HEAD "include: a\n"}}, "list",
	    "", 3, 10},
	{"nothing to decide by", {{"p", HEAD}}, "rules", "", 1, 1},
};

static void
files_make_one_policy_or_are_refused_where_they_are_wrong(void **state)
{
	struct policy *p;
	struct buf text;
	struct why w;
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&w, 0, sizeof(w));
		p = NULL;
		buf_init(&text, 0);
		put_files(&text, cases[i].files);
		r = policy_load(buf_text(&text), text.len, &p, &w);
		if ((r == 0) != (cases[i].word == NULL))
			fail_msg("%s: %s:%u:%u: %s", cases[i].what, w.file,
			    w.line, w.column, w.text);
		if (r != 0 && (strstr(w.text, cases[i].word) == NULL ||
		    strcmp(w.file, cases[i].file) != 0 ||
		    w.line != cases[i].line || w.column != cases[i].column))
			fail_msg("%s: %s:%u:%u: %s", cases[i].what, w.file,
			    w.line, w.column, w.text);
		policy_free(p);
		buf_done(&text);
	}
}

static void
a_rule_knows_its_file_and_the_policy_its_name(void **state)
{
	static const struct file files[] = {
		{"p", HEAD "include: [a]\nrules: [{rule: r, permit: read}]\n"},
		{"a", "policy: other\nversion: 7\npurposes: [x]\n"
		    "rules: [{rule: q, permit: read}]\n"}, {NULL, NULL},
	};
	struct policy *p = NULL;
	struct buf text;
	struct why w;
	size_t n;

	(void)state;
	buf_init(&text, 0);
	put_files(&text, files);
	assert_int_equal(policy_load(buf_text(&text), text.len, &p, &w), 0);
	assert_string_equal(policy_name(p), "p");
	assert_null(policy_file_of(p, "r"));
	assert_string_equal(policy_file_of(p, "q"), "a");
	assert_string_equal(policy_purposes(p, &n)[0], "x");
	assert_int_equal(n, 1);
	policy_free(p);
	buf_done(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_come_back_byte_for_byte),
		cmocka_unit_test(a_bundle_that_was_cut_is_refused),
		cmocka_unit_test(
		    files_make_one_policy_or_are_refused_where_they_are_wrong),
		cmocka_unit_test(
		    a_rule_knows_its_file_and_the_policy_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

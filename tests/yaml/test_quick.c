/*
 * The quick reader against libyaml, which says what a text means: whatever
 * it reads, libyaml reads to the same tree with the same places. Texts are
 * written at random: whole ones by a grammar, with more room for mistakes
 * than people take, and soups of everything that means something in YAML.
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
#include "yaml/quick.h"
#include "yaml/yaml.h"

#define SOUPS 150000
#define DOCUMENTS 30000

static uint64_t seed = 20261123;

static unsigned
roll(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

static bool
same(const struct yaml_node *x, const struct yaml_node *y)
{
	size_t i;

	if (x->kind != y->kind || x->line != y->line ||
	    x->column != y->column || x->quoted != y->quoted || x->n != y->n)
		return false;
	if (x->kind == YAML_SCALAR)
		return strcmp(x->text, y->text) == 0;
	for (i = 0; i < x->n; i++)
		if ((x->kind == YAML_MAP && !same(x->keys[i], y->keys[i])) ||
		    !same(x->items[i], y->items[i]))
			return false;
	return true;
}

/* Whether the quick reader read it; fails if libyaml differs. */
static bool
agree(const char *text, size_t len)
{
	struct arena *a = arena_new();
	struct yaml_node *quick, *events;
	struct why w = {0};
	int r;

	assert_non_null(a);
	r = quick_parse(a, text, len, NULL, &quick);
	if (r != 0)
		assert_int_equal(r, ERR_STATE);
	else if (events_parse(a, text, len, &events, &w) != 0)
		fail_msg("libyaml refuses, %u:%u: %s\n%s|", w.line, w.column,
		    w.text, text);
	else if (!same(quick, events))
		fail_msg("libyaml reads another tree\n%s|", text);
	arena_free(a);
	return r == 0;
}

static void
soups_are_declined_or_read_as_libyaml_does(void **state)
{
	static const char *const bits[] = {"a", "bc", "\xc3\xa9", ": ", ":",
	    "\n", "\n", "\n", " ", "  ", "- ", "-", "{", "}", "[", "]", ", ",
	    ",", "'", "\"", "#", " # c", "\\", "?", "? ", "k: ", "k: ", "k:\n",
	    "l: v\n", "m: w\n", "{a: b}", "[c, d]", "'q'", "\"r\"", "''",
	    "\"\"", "&", "*", "!", "|", ">", "%", "@", "~", "=", "<<: ",
	    "---", "...", "\t", "\r", "1", "\xe2\x80\xa8", "\xc2\x85",
	    "\xef\xbb\xbf", "\xf0\x9f\x98\x80", "\x7f", "::", "a: b, ",
	    "\xef\xbf\xbe", "\xc2\x9f", "\xef\xbc\x81"};
	unsigned i, k, n, read = 0;
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	for (i = 0; i < SOUPS; i++) {
		buf_reset(&b);
		n = 1 + roll(9);
		for (k = 0; k < n; k++)
			buf_str(&b, bits[roll(sizeof(bits) /
			    sizeof(bits[0]))]);
		assert_non_null(buf_text(&b));
		read += agree(buf_text(&b), b.len);
	}
	buf_done(&b);
	if (read < SOUPS / 100)
		fail_msg("only %u were read", read);
}

static const char *
pick(const char *const *from)
{
	unsigned n = 0;

	while (from[n] != NULL)
		n++;
	return from[roll(n)];
}

static void
put_scalar(struct buf *out)
{
	static const char *const some[] = {"a", "two words", "x:y", "10.0.0.0/8",
	    "'it''s'", "\"say \\\"no\\\"\"", "\"#\"", "' '", "a#b", "-1",
	    "\xc3\xa9t\xc3\xa9", "\xe5\x85\xac\xe5\x8f\xb8", "2026-01-02",
	    "\"a: b\"", "'{'", "2001:db8::/32", "NO", "a  b", "\"\\\\\"", NULL};

	buf_str(out, pick(some));
}

static void
put_gap(struct buf *out)
{
	static const char *const gaps[] = {"", "", "", "", " ", "  ", "\n",
	    "\n ", "\n   "};

	buf_str(out, gaps[roll(9)]);
}

static void
put_key(struct buf *out, unsigned i)
{
	static const char *const forms[] = {"k%u", "k%u", "k%u", "\"k%u\"",
	    "'k%u'", "k %u", "\xc3\xb6%u", "-k%u"};
	const char *form = forms[roll(8)];
	const char *mark = strstr(form, "%u");

	buf_bytes(out, form, (size_t)(mark - form));
	/* Once in a while the same key twice. */
	buf_fmt(out, "%u%s%s", roll(200) == 0 ? 0 : i, mark + 2,
	    roll(30) == 0 ? " " : "");
}

static void
put_flow(struct buf *out, unsigned depth)
{
	unsigned i, n = roll(4), map = roll(2);

	if (depth > 3 || roll(2) == 0) {
		put_scalar(out);
		return;
	}
	buf_str(out, map ? "{" : "[");
	for (i = 0; i < n; i++) {
		put_gap(out);
		if (map) {
			put_key(out, i);
			buf_str(out, ":");
			buf_str(out, roll(200) == 0 ? "" : " ");
		}
		put_flow(out, depth + 1);
		put_gap(out);
		buf_str(out, i + 1 < n || roll(5) == 0 ? "," : "");
		buf_str(out, roll(3) == 0 ? "" : " ");
	}
	put_gap(out);
	buf_str(out, map ? "}" : "]");
}

static void
put_indent(struct buf *out, unsigned indent)
{
	if (roll(500) == 0)
		indent = roll(6);
	while (indent-- > 0)
		buf_str(out, " ");
}

static void
put_end(struct buf *out)
{
	static const char *const ends[] = {"\n", "\n", "\n", "\n", "\n\n",
	    " # why\n", "  \n", "\n# \xc3\xa9\n", "\n      # far\n"};

	buf_str(out, ends[roll(9)]);
	if (roll(500) == 0)
		buf_str(out, "   more\n");
}

static void put_block(struct buf *out, unsigned indent, unsigned depth);

static void
put_value(struct buf *out, unsigned indent, unsigned depth)
{
	unsigned deeper = indent + 1 + roll(4);

	if (depth < 4 && roll(2) == 0) {
		put_end(out);
		put_block(out, roll(5) == 0 ? indent : deeper, depth + 1);
		return;
	}
	buf_str(out, " ");
	put_flow(out, 0);
	put_end(out);
}

static void
put_block(struct buf *out, unsigned indent, unsigned depth)
{
	unsigned i, n = 1 + roll(4), map = depth == 0 || roll(3) > 0;

	for (i = 0; i < n; i++) {
		put_indent(out, indent);
		if (map) {
			put_key(out, i);
			buf_str(out, ":");
			put_value(out, indent, depth);
		} else if (depth < 4 && roll(4) == 0) {
			buf_str(out, "- ");
			put_key(out, 0);
			buf_str(out, ":");
			put_value(out, indent + 2, depth + 1);
			put_indent(out, indent + 2);
			put_key(out, 1);
			buf_str(out, ": v\n");
		} else {
			buf_str(out, "-");
			put_value(out, indent, depth);
		}
	}
}

static void
documents_are_read_as_libyaml_does(void **state)
{
	unsigned i, read = 0;
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	for (i = 0; i < DOCUMENTS; i++) {
		buf_reset(&b);
		put_block(&b, roll(8) == 0, 0);
		if (roll(3) == 0 && b.len > 0)
			b.len--;
		assert_non_null(buf_text(&b));
		read += agree(buf_text(&b), b.len);
	}
	buf_done(&b);
	if (read < DOCUMENTS / 4)
		fail_msg("only %u were read", read);
}

static void
usual_forms_are_read_quickly(void **state)
{
	static const char *const texts[] = {
	    "a: b", "a: b\n", "{a: b}", "# c\n\na:\n  - b\n  - c: d\n    e: f\n",
	    "a:\n- b\n- c\nd: e\n", "a: {b: [c, 'd', \"e\"],\n    f: g}\n",
	    "a:   # why\n  b: \"#\"   # so\n", "networks: [2001:db8::/32]\n",
	    "'a b': c\n\"d\": {}\ne: []\n", "a: \xe5\x85\xac \xc3\xa9 # \xc3\xa9\n"};
	static const char *const others[] = {
	    "", "a:\n", "a: |\n  b\n", "a: b\n  c\n", "a: &x b\n",
	    "---\na: b\n", "a: b\n...\n", "a: [b\n c]\n", "<<: {a: b}\n",
	    "a: b\na: c\n", "{a: b, a: c}", "a: \"b\nc\"\n", "a: 'b\n",
	    "a:\tb\n", "a: !x b\n", "a: b: c\n", "? a\n: b\n", "{a}", "[a: b]"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!agree(texts[i], strlen(texts[i])))
			fail_msg("declined: %s", texts[i]);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (agree(others[i], strlen(others[i])))
			fail_msg("read: %s", others[i]);
	assert_false(agree("a: b\n---\nc: d\n", 14));
}

static int
take_pair(void *arg, const char *section, const struct yaml_node *key,
    const struct yaml_node *value)
{
	struct buf *out = arg;

	buf_fmt(out, "%s %s@%u:%u %s@%u:%u;", section, key->text, key->line,
	    key->column, value->kind == YAML_MAP ? value->items[0]->text :
	    value->text, value->line, value->column);
	return strcmp(key->text, "stop") == 0 ? ERR_LIMIT : 0;
}

static void
sections_are_handed_over_pair_by_pair(void **state)
{
	static const char *const names[] = {"people", "things", NULL};
	static const char text[] = "kind: 1\npeople:\n  ann: {a: b}\n"
	    "  bob:\n    c: d\nother:\n  people: {x: y}\n"
	    "things: {cup: tea,\n  pot: full}\n";
	struct arena *a = arena_new(), *scratch = arena_new();
	const struct yaml_node *root = NULL;
	struct yaml_sections s = { .names = names, .scratch = scratch,
	    .pair = take_pair };
	struct why w = {0};
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	s.arg = &out;
	assert_int_equal(yaml_parse_sections(a, text, strlen(text), &s, &root,
	    &w), 0);
	assert_string_equal(buf_text(&out), "people ann@3:3 b@3:8;"
	    "people bob@4:3 d@5:5;things cup@8:10 tea@8:15;"
	    "things pot@9:3 full@9:8;");
	assert_int_equal(root->n, 4);
	assert_int_equal(yaml_get(root, "people")->kind, YAML_MAP);
	assert_int_equal(yaml_get(root, "people")->n, 0);
	assert_int_equal(yaml_get(root, "people")->line, 3);
	assert_int_equal(yaml_get(yaml_get(root, "other"), "people")->n, 1);
	assert_int_equal(yaml_get(root, "things")->column, 9);
	assert_int_equal(yaml_parse_sections(a, "people: {stop: x, y: z}", 23,
	    &s, &root, &w), ERR_LIMIT);
	assert_int_equal(yaml_parse_sections(a, "people: {x: *y}", 15, &s,
	    &root, &w), ERR_STATE);
	buf_done(&out);
	arena_free(a);
	arena_free(scratch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_forms_are_read_quickly),
		cmocka_unit_test(sections_are_handed_over_pair_by_pair),
		cmocka_unit_test(documents_are_read_as_libyaml_does),
		cmocka_unit_test(soups_are_declined_or_read_as_libyaml_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* gateway/login_rules.h: what is read, what is refused and where; and which
 * rule decides, against a second matcher over random files. */
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
#include "gateway/login_lines.h"
#include "gateway/login_rules.h"

static int
read_file(void *arg, const char *outer, const char *name,
    const char **ret_name, const char **ret, size_t *ret_len)
{
	(void)arg;
	*ret_name = name;
	if (strcmp(name, "names") == 0)
		*ret = "ann bob,\n# nobody: eve\n\"c d\" @more\\\nx\n";
	else if (strcmp(name, "morex") == 0)
		*ret = outer != NULL && strcmp(outer, "names") == 0 ?
		    "person" : "wrong";
	else if (strcmp(name, "none") == 0)
		*ret = "# nobody\n";
	else if (strcmp(name, "circle") == 0)
		*ret = "@circle";
	else if (strcmp(name, "wide") == 0)
		*ret = "a,a,a,a,a,a,a,a,@wide2,@wide2,@wide2,@wide2,@wide2";
	else
		*ret = "b,b,b,b,b,b,b,b,b,b,b,b,b,b,b,b";
	*ret_len = strlen(*ret);
	return 0;
}

static const struct login_files files = {.read = read_file};

static int
read_text(const char *text, struct arena *a, struct login_rules *ret,
    struct why *w)
{
	memset(w, 0, sizeof(*w));
	return login_rules_read(text, strlen(text), &files, a, ret, w);
}

static void
words_are_read_as_pg_hba_conf_has_them(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"host all all all reject", "host all all all reject"},
		{"  host\tall , x\n", NULL},
		{"host us, eu,\tx all all reject", "host "
		    "\"us\",\"eu\",\"x\" all all reject"},
		{"host us all 10.1.2.3/8 scram-sha-256 # all", "host \"us\" "
		    "all 10.0.0.0/8 scram-sha-256"},
		{"host us all 10.1.2.3 255.255.0.0 reject", "host \"us\" all "
		    "10.1.0.0/16 reject"},
		{"host us all 10.1.2.3 255.0.255.0 reject", "host \"us\" all "
		    "10.0.2.0 255.0.255.0 reject"},
		{"host us all 2001:db8::1/32 reject\r", "host \"us\" all "
		    "2001:db8::/32 reject"},
		{"host us\\\n,eu all\\\r\n all reject", "host "
		    "\"us\",\"eu\" all all reject"},
		{"# x \\\nhost all all all reject", ""},
		{"host all all all reject#x", "host all all all reject"},
		{"host \"all\" \"a \"\"#b\" all reject", "host \"all\" "
		    "\"a \"\"#b\" all reject"},
		{"host x\"y z\" \"+r\",+\"r s\" samenet reject", "host "
		    "\"xy z\" \"+r\",+\"r s\" samenet reject"},
		{"host us @names samehost reject", "host \"us\" \"ann\","
		    "\"bob\",\"c d\",person samehost reject"},
		{"host us \"@names\" all reject", "host \"us\" \"@names\" "
		    "all reject"},
		{"local all service reject", "local all service reject"},
		{"hostssl all all all cert clientcert=verify-full", "hostssl "
		    "all all all cert clientcert=verify-full"},
	};
	struct arena *a = arena_new();
	struct login_rules rules;
	struct buf out;
	struct why w;
	size_t i, k;
	int r;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		r = read_text(cases[i].text, a, &rules, &w);
		if (cases[i].want == NULL) {
			assert_int_equal(r, ERR_FORMAT);
			continue;
		}
		assert_int_equal(r, 0);
		buf_init(&out, 0);
		for (k = 0; k < rules.n; k++)
			login_rule_write(&out, &rules.list[k]);
		assert_string_equal(buf_text(&out), cases[i].want);
		buf_done(&out);
	}
	arena_free(a);
}

static void
what_is_not_taken_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *line, *word;
	} cases[] = {
		{"host all all all ldap ldapserver=x", "ldap"},
		{"host all all all trust", "trust"},
		{"host all all all md5", "md5"},
		{"host all all all peer", "peer"},
		{"host all all all SCRAM-SHA-256", "SCRAM-SHA-256"},
		{"hostgssenc all all all reject", "hostssl"},
		{"include other", "@FILE"},
		{"hosts all all all reject", "hosts"},
		{"host replication all all reject", "replication"},
		{"host sameuser all all reject", "sameuser"},
		{"host all /^a all reject", "/^a"},
		{"host all + all reject", "+"},
		{"host all \"\" all reject", "the name"},
		{"host all all example.org reject", "example.org"},
		{"host all all \"all\" reject", "all"},
		{"host all all 10.0.0.0/33 reject", "10.0.0.0/33"},
		{"host all all 10.0.0.0/-1 reject", "10.0.0.0/-1"},
		{"host all all 10.0.0.0/ reject", "10.0.0.0/"},
		{"host all all 10.0.0.0/8/8 reject", "10.0.0.0/8/8"},
		{"host all all 10.0.0.0 reject", "reject"},
		{"host all all 10.0.0.0 ffff:: reject", "ffff::"},
		{"host all all 10.0.0.0", "mask"},
		{"host all all all", "a method"},
		{"host all", "a principal"},
		{"host,local all all all reject", "2 words"},
		{"host all all all,samenet reject", "2 words"},
		{"host all all all cert", "hostssl"},
		{"host all all all scram-sha-256 clientcert=verify-ca",
		    "hostssl"},
		{"hostssl all all all cert clientcert=verify-ca", "verify-ca"},
		{"hostssl all all all cert clientcert=1", "clientcert=1"},
		{"hostssl all all all cert map=x", "section tls"},
		{"hostssl all all all scram-sha-256 ldaptls=1", "ldaptls=1"},
		{"local all all all reject", "all"},
		{"host \"all all all reject", "quote"},
		{"host all @circle all reject", "circle"},
		{"host @none all @none reject", "0 words"},
	};
	struct arena *a = arena_new();
	struct login_rules rules;
	char text[256];
	struct why w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		(void)snprintf(text, sizeof(text), "# one\nhost all all all "
		    "\\\n reject\n\n%s\nhost all all all reject\n",
		    cases[i].line);
		if (strstr(cases[i].line, "@none") != NULL)
			(void)snprintf(text, sizeof(text), "\n\n\n\n%s",
			    cases[i].line);
		assert_true(read_text(text, a, &rules, &w) < 0);
		assert_int_equal(w.line, 5);
		assert_non_null(strstr(w.text, cases[i].word));
	}
	assert_int_equal(login_rules_read("host\0", 5, &files, a, &rules, &w),
	    ERR_FORMAT);
	arena_free(a);
}

static void
files_that_name_files_are_bounded(void **state)
{
	struct arena *a = arena_new();
	struct login_rules rules;
	struct buf text;
	struct why w;
	size_t i;

	(void)state;
	buf_init(&text, 0);
	buf_str(&text, "host all ");
	for (i = 0; i < LOGIN_WORDS_MAX / 88 + 1; i++)
		buf_str(&text, "@wide,");
	buf_str(&text, "x all reject");
	assert_int_equal(read_text(buf_text(&text), a, &rules, &w), ERR_LIMIT);
	assert_int_equal(w.line, 1);
	buf_done(&text);
	arena_free(a);
}

static void
an_empty_file_lets_nobody_in_and_an_empty_list_names_nobody(void **state)
{
	struct login_asked q = {.store = "us", .principal = "ann",
	    .kind = LOGIN_NAME_PERSON, .address = {{10, 0, 0, 1}, 4}};
	struct arena *a = arena_new();
	struct login_rules rules;
	struct why w;

	(void)state;
	assert_int_equal(read_text("# nothing\n", a, &rules, &w), 0);
	assert_null(login_rules_find(&rules, &q));
	assert_int_equal(read_text("host all @none all reject\n"
	    "host all all all scram-sha-256", a, &rules, &w), 0);
	assert_int_equal(login_rules_find(&rules, &q)->line, 2);
	arena_free(a);
}

/* ---- against a second matcher ---- */

static const char *const types[] = {"host", "hostssl", "hostnossl", "local"};
static const char *const stores[] = {"us", "eu", "\"all\"", "all"};
static const char *const people[] = {"ann", "feed", "\"person\"", "+staff",
    "+dba", "person", "service", "all"};
static const uint32_t places[] = {0x0a010203, 0x0a010299, 0x0a017f01,
    0x0a800001, 0x7f000001};

struct drawn {
	int type, bits;		/* bits: -1 all, -2 samehost, -3 samenet */
	unsigned stores, people;	/* sets */
	uint32_t address;
};

struct visitor {
	const char *name;
	enum login_name_kind kind;
	const char *role;
};

static const struct visitor visitors[] = {
	{"ann", LOGIN_NAME_PERSON, "staff"},
	{"feed", LOGIN_NAME_SERVICE, "dba"},
	{"bob", LOGIN_NAME_PERSON, NULL},
	{"person", LOGIN_NAME_SERVICE, "staff"},
	{"all", LOGIN_NAME, NULL},
};

static unsigned
below(uint64_t *seed, unsigned n)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*seed >> 33) % n;
}

static void
write_set(struct buf *out, uint64_t *seed, const char *const *words, size_t n,
    unsigned set)
{
	const char *comma = "";
	size_t i;

	for (i = 0; i < n; i++)
		if ((set & 1u << i) != 0) {
			buf_fmt(out, "%s%s", comma, words[i]);
			comma = below(seed, 2) == 0 ? "," : ", ";
		}
	buf_str(out, below(seed, 8) == 0 ? " \\\n\t" : "\t");
}

static void
draw(struct drawn *d, uint64_t *seed, struct buf *out)
{
	static const char *const words[] = {"all", "samehost", "samenet"};
	uint32_t m;

	d->type = (int)below(seed, 4);
	d->stores = 1 + below(seed, 15);
	d->people = 1u << below(seed, 8) | 1u << below(seed, 8);
	d->address = places[below(seed, 5)];
	d->bits = (int)below(seed, 36) - 3;
	buf_fmt(out, "%s ", types[d->type]);
	write_set(out, seed, stores, 4, d->stores);
	write_set(out, seed, people, 8, d->people);
	m = d->bits <= 0 ? 0 : UINT32_MAX << (32 - d->bits);
	if (d->type == 3)
		;
	else if (d->bits < 0)
		buf_str(out, words[-1 - d->bits]);
	else if (below(seed, 2) == 0)
		buf_fmt(out, "%u.%u.%u.%u/%d", d->address >> 24,
		    d->address >> 16 & 255, d->address >> 8 & 255,
		    d->address & 255, d->bits);
	else
		buf_fmt(out, "%u.%u.%u.%u %u.%u.%u.%u", d->address >> 24,
		    d->address >> 16 & 255, d->address >> 8 & 255,
		    d->address & 255, m >> 24, m >> 16 & 255, m >> 8 & 255,
		    m & 255);
	buf_str(out, " reject # x\n");
}

static bool
would_match(const struct drawn *d, const struct visitor *v, unsigned store,
    uint32_t from, bool encrypted)
{
	static const uint32_t our = 0x0a010203;		/* /24 */
	bool who = (d->people & 128) != 0, where;

	if (d->type == 3 || (d->type == 1 && !encrypted) ||
	    (d->type == 2 && encrypted) || (d->stores & (8 | 1u << store)) == 0)
		return false;
	who = who || ((d->people & 1) != 0 && v == &visitors[0]) ||
	    ((d->people & 2) != 0 && v == &visitors[1]) ||
	    ((d->people & 4) != 0 && v == &visitors[3]) ||
	    ((d->people & 8) != 0 && (v == &visitors[0] || v == &visitors[3])) ||
	    ((d->people & 16) != 0 && v == &visitors[1]) ||
	    ((d->people & 32) != 0 && (v == &visitors[0] || v == &visitors[2])) ||
	    ((d->people & 64) != 0 && (v == &visitors[1] || v == &visitors[3]));
	if (d->bits == -1 || d->bits == 0)
		where = true;
	else if (d->bits == -2)
		where = from == our;
	else if (d->bits == -3)
		where = from >> 8 == our >> 8;
	else
		where = from >> (32 - d->bits) ==
		    d->address >> (32 - d->bits);
	return who && where;
}

#define RULES 12

static void
check_drawn(const struct drawn *d, const struct login_rules *rules,
    uint64_t *seed)
{
	static const struct login_network ours = {{{10, 1, 2, 3}, 4},
	    {255, 255, 255}};
	static const char *const names[] = {"us", "eu", "all"};
	const struct visitor *v = &visitors[below(seed, 5)];
	unsigned store = below(seed, 3), i;
	uint32_t from = places[below(seed, 5)];
	struct login_asked q = {.store = names[store], .principal = v->name,
	    .kind = v->kind, .roles = &v->role, .n_roles = v->role != NULL,
	    .encrypted = below(seed, 2) == 0, .ours = &ours, .n_ours = 1,
	    .address = {{(uint8_t)(from >> 24), (uint8_t)(from >> 16),
	    (uint8_t)(from >> 8), (uint8_t)from}, 4}};
	const struct login_rule *found = login_rules_find(rules, &q);

	for (i = 0; i < RULES; i++)
		if (would_match(&d[i], v, store, from, q.encrypted))
			break;
	if (i == RULES)
		assert_null(found);
	else
		assert_ptr_equal(found, &rules->list[i]);
}

static void
the_first_rule_that_a_second_matcher_finds_decides(void **state)
{
	struct drawn d[RULES];
	struct login_rules rules;
	uint64_t seed = 20261124;
	struct arena *a = arena_new();
	struct buf text;
	struct why w;
	int i, k;

	(void)state;
	buf_init(&text, 0);
	for (i = 0; i < 2000; i++) {
		buf_reset(&text);
		for (k = 0; k < RULES; k++)
			draw(&d[k], &seed, &text);
		assert_int_equal(read_text(buf_text(&text), a, &rules, &w), 0);
		assert_int_equal(rules.n, RULES);
		for (k = 0; k < 20; k++)
			check_drawn(d, &rules, &seed);
		arena_reset(a);
	}
	buf_done(&text);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_read_as_pg_hba_conf_has_them),
		cmocka_unit_test(what_is_not_taken_is_refused_with_its_line),
		cmocka_unit_test(files_that_name_files_are_bounded),
		cmocka_unit_test(
		    an_empty_file_lets_nobody_in_and_an_empty_list_names_nobody),
		cmocka_unit_test(
		    the_first_rule_that_a_second_matcher_finds_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

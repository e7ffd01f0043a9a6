/*
 * Loading a directory, asking it, and what it refuses: with line and column.
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
#include "base/time.h"
#include "directory/directory.h"

#define HEAD "directory: 1\nissuer: hr\n"

static int64_t
at(const char *text)
{
	int64_t ms = 0;

	assert_int_equal(time_parse(text, strlen(text), &ms), 0);
	return ms;
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

static void
facts_hold_in_their_interval_only(void **state)
{
	static const char text[] = HEAD
	    "sites:\n"
	    "  here: {country: AA}\n"
	    "  there: {country: BB}\n"
	    "entities:\n"
	    "  one: {country: AA, owners: {}, rest: dispersed}\n"
	    "people:\n"
	    "  ann:\n"
	    "    name: Ann\n"
	    "    from: \"2026-01-01\"\n"
	    "    to: \"2026-12-01\"\n"
	    "    employer: one\n"
	    "    site: [{id: there, to: \"2026-06-01T00:00:00Z\"},"
	    " {id: here, from: \"2026-06-01T00:00:00Z\", issuer: door}]\n"
	    "    roles: [writer, {value: reader, from: \"2026-07-01\"}]\n";
	struct directory *d = load(text);
	const struct principal *p;
	struct arena *a = arena_new();

	(void)state;
	assert_int_equal(directory_principal(d, "ann",
	    at("2025-12-31T23:59:59.999Z"), a, &p), ERR_MISSING);
	assert_int_equal(directory_principal(d, "ann", at("2026-12-01"), a,
	    &p), ERR_MISSING);
	assert_int_equal(directory_principal(d, "ann", at("2026-01-01"), a,
	    &p), 0);
	assert_string_equal(p->site, "there");
	assert_int_equal(p->n_roles, 1);
	assert_int_equal(p->n_issuers, 1);
	assert_int_equal(directory_principal(d, "ann",
	    at("2026-05-31T23:59:59.999Z"), a, &p), 0);
	assert_string_equal(p->site, "there");
	assert_int_equal(directory_principal(d, "ann", at("2026-06-01"), a,
	    &p), 0);
	assert_string_equal(p->site, "here");
	assert_int_equal(p->n_issuers, 2);
	assert_string_equal(p->issuers[0], "door");
	assert_string_equal(p->issuers[1], "hr");
	assert_int_equal(directory_principal(d, "ann", at("2026-07-01"), a,
	    &p), 0);
	assert_int_equal(p->n_roles, 2);
	assert_string_equal(p->roles[0], "reader");
	assert_string_equal(p->roles[1], "writer");
	assert_int_equal(directory_principal(d, "one", at("2026-07-01"), a,
	    &p), ERR_MISSING);
	arena_free(a);
	directory_free(d);
}

static void
scalars_keep_the_type_of_the_schema(void **state)
{
	static const char text[] = HEAD
	    "sites: {oslo: {country: NO}}\n"
	    "people:\n"
	    "  007: {site: oslo, nationality: [NO, 0x1F], manager: none}\n";
	struct directory *d = load(text);
	struct arena *a = arena_new();
	const struct principal *p;

	(void)state;
	assert_int_equal(directory_principal(d, "007", 0, a, &p), 0);
	assert_string_equal(p->name, "007");
	assert_string_equal(p->nationalities[0], "0x1F");
	assert_string_equal(p->nationalities[1], "NO");
	assert_string_equal(directory_site_find(d, "oslo")->country, "NO");
	arena_free(a);
	directory_free(d);
}

static void
list_has_the_principals_of_the_time_sorted(void **state)
{
	static const char text[] = HEAD
	    "entities: {b: {country: AA}}\n"
	    "people: {d: {}, a: {}, c: {to: \"2026-01-01\"}}\n"
	    "services: {B: {}}\n";
	struct directory *d = load(text);
	struct arena *a = arena_new();
	const char *const *ids;
	size_t n;

	(void)state;
	assert_int_equal(directory_list(d, at("2026-01-01"), a, &ids, &n), 0);
	assert_int_equal(n, 3);
	assert_string_equal(ids[0], "B");
	assert_string_equal(ids[1], "a");
	assert_string_equal(ids[2], "d");
	assert_int_equal(directory_list(d, at("2025-01-01"), a, &ids, &n), 0);
	assert_int_equal(n, 4);
	arena_free(a);
	directory_free(d);
}

static void
address_belongs_to_the_longest_network(void **state)
{
	static const char text[] = HEAD
	    "sites:\n"
	    "  world: {country: WW, networks: [0.0.0.0/0]}\n"
	    "  wide: {country: AA, networks: [10.0.0.0/8, \"2001:db8::/32\"]}\n"
	    "  room: {country: BB, networks: [10.1.2.128/25,"
	    " \"2001:db8:0:8000::/49\"]}\n"
	    "  desk: {country: CC, networks: [10.1.2.129/32]}\n";
	static const struct {
		const char *address, *site;
	} cases[] = {
		{"10.1.2.127", "wide"}, {"10.1.2.128", "room"},
		{"10.1.2.129", "desk"}, {"10.1.2.130", "room"},
		{"10.1.3.128", "wide"}, {"11.0.0.0", "world"},
		{"9.255.255.255", "world"}, {"::ffff:10.1.2.129", "desk"},
		{"2001:db8::1", "wide"}, {"2001:db8:0:8000::1", "room"},
		{"2001:db8:0:ffff::", "room"}, {"2001:db8:0:7fff::", "wide"},
		{"2001:db9::1", NULL}, {"::1", NULL}, {"", NULL},
		{"10.1.2", NULL}, {"10.1.2.300", NULL}, {"localhost", NULL},
	};
	const struct directory_site *s;
	struct directory *d = load(text);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s = directory_site_of_address(d, cases[i].address);
		if (cases[i].site == NULL)
			assert_null(s);
		else
			assert_string_equal(s->id, cases[i].site);
	}
	directory_free(d);
}

static void
network_is_well_formed_or_nothing(void **state)
{
	static const char *const bad[] = {"", "/", "10.0.0.0", "10.0.0.0/",
	    "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/08", "10.0.0.0/-1",
	    "10.0.0.0/8 ", "10.0.0/8", "::/129", "::1/64",
	    "::ffff:10.0.0.0/104", "fe80::%eth0/64"};
	static const char *const good[] = {"0.0.0.0/0", "10.0.0.0/8",
	    "10.0.0.1/32", "::/0", "::1/128", "2001:db8::/32"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (network_valid(bad[i]))
			fail_msg("\"%s\" was taken", bad[i]);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!network_valid(good[i]))
			fail_msg("\"%s\" was refused", good[i]);
	assert_true(network_contains("10.0.0.0/8", "10.255.0.1"));
	assert_false(network_contains("10.0.0.0/8", "11.0.0.0"));
	assert_false(network_contains("0.0.0.0/0", "::1"));
	assert_true(network_contains("0.0.0.0/0", "::ffff:1.2.3.4"));
	assert_true(network_contains("::/0", "::1"));
	assert_false(network_contains("10.0.0.1/8", "10.0.0.1"));
	assert_false(network_contains("10.0.0.0/8", "ten"));
}

static const struct {
	const char *what, *text;
	unsigned line, column;
	const char *word;	/* that the sentence must have */
} broken[] = {
	{"no version", "issuer: hr\n", 1, 1, "directory"},
	{"another version", "directory: 2\nissuer: hr\n", 1, 12, "2"},
	{"no issuer", "directory: 1\n", 1, 1, "issuer"},
	{"unknown section", HEAD "persons: {}\n", 3, 1, "persons"},
	{"unknown key", HEAD "people:\n  ann: {boss: none}\n", 4, 9, "boss"},
	{"person with networks", HEAD "people:\n  a: {networks: []}\n", 4, 7,
	    "networks"},
	{"no such employer", HEAD "people:\n  ann: {employer: acme}\n", 4, 19,
	    "acme"},
	{"no such manager", HEAD "people:\n  ann: {manager: bob}\n", 4, 18,
	    "bob"},
	{"no such instructor", HEAD
	    "people:\n  ann: {instructor: {id: bob}}\n", 4, 26, "ann"},
	{"no such site", HEAD "people:\n  ann: {site: moon}\n", 4, 15, "moon"},
	{"no such operator", HEAD "services:\n  s: {operator: x}\n", 4, 17,
	    "operator"},
	{"no such keeper", HEAD "services:\n  s: {keepers: [s, x]}\n", 4, 20,
	    "keepers"},
	{"no such owner", HEAD
	    "entities:\n  e: {country: AA, owners: {x: 1}}\n", 4, 29, "x"},
	{"an entity as manager", HEAD "entities: {e: {}}\n"
	    "people: {a: {manager: e}}\n", 4, 23, "an entity"},
	{"a person as employer", HEAD "people: {a: {employer: a}}\n", 3, 24,
	    "a person"},
	{"a service as owner", HEAD "services: {s: {}}\n"
	    "entities: {e: {owners: {s: 1}}}\n", 4, 25, "a service"},
	{"one id for two", HEAD "people:\n  x: {}\nservices:\n  x: {}\n", 6, 3,
	    "line 4"},
	{"entity and person of one id", HEAD
	    "people:\n  x: {}\nentities:\n  x: {}\n", 6, 3, "line 4"},
	{"one id twice in a section", HEAD
	    "people:\n  x: {}\n  w: {}\n  x: {name: y}\n", 6, 3, "twice"},
	{"a section that is no map", HEAD "people: [x]\n", 3, 9, "map"},
	{"id none", HEAD "people:\n  none: {}\n", 4, 3, "none"},
	{"id with a space", HEAD "people:\n  a b: {}\n", 4, 3, "space"},
	{"label unknown", HEAD "sites: {s: {country: unknown}}\n", 3, 22,
	    "reserved"},
	{"label with a space", HEAD "entities: {e: {country: A B}}\n", 3, 25,
	    "label"},
	{"label too long", HEAD "people: {a: {nationality: "
	    "A23456789012345678901234567890123}}\n", 3, 27, "label"},
	{"site without country", HEAD "sites:\n  s: {networks: []}\n", 4, 6,
	    "country"},
	{"bad network", HEAD
	    "sites:\n  s: {country: AA, networks: [10.0.0.0/8, 10.0.0.1/8]}\n",
	    4, 43, "10.0.0.1/8"},
	{"network twice", HEAD
	    "sites:\n  s: {country: AA, networks: [10.0.0.0/8]}\n"
	    "  r: {country: BB, networks: [10.0.0.0/8]}\n", 5, 30, "common"},
	{"network twice in one site, written otherwise", HEAD
	    "sites:\n  s: {country: AA, networks: ['::/0', '0:0::/0']}\n",
	    4, 30, "common"},
	{"service with bad network", HEAD
	    "services:\n  s: {networks: [local]}\n", 4, 18, "local"},
	{"interval reversed", HEAD
	    "people:\n  a: {from: 2026-02-01, to: 2026-01-01}\n", 4, 29,
	    "after"},
	{"fact's interval empty", HEAD
	    "people:\n  a: {roles: [{value: r, from: 2026-01-01,"
	    " to: 2026-01-01}]}\n", 4, 48, "after"},
	{"no time", HEAD "people:\n  a: {to: tomorrow}\n", 4, 11, "time"},
	{"share over 100", HEAD
	    "entities:\n  e: {owners: {e: 101}}\n", 4, 19, "101"},
	{"share no number", HEAD
	    "entities:\n  e: {owners: {e: half}}\n", 4, 19, "half"},
	{"share too fine", HEAD
	    "entities:\n  e: {owners: {e: 33.3333333}}\n", 4, 19, "six"},
	{"shares over 100 together", HEAD
	    "entities:\n  e: {owners: {e: 60, f: 40.000001}}\n  f: {}\n",
	    4, 15, "100"},
	{"shares over 100 for a day", HEAD
	    "entities:\n  f: {}\n  e: {owners: {e: [{share: 60, to: 2026-01-02"
	    "}, {share: 41, from: 2026-01-01}]}}\n", 5, 15, "100"},
	{"rest of another kind", HEAD "entities:\n  e: {rest: some}\n", 4, 13,
	    "some"},
	{"threshold of nothing", HEAD "ownership-threshold: 0\n", 3, 22,
	    "threshold"},
	{"employment of another kind", HEAD "entities: {e: {}}\n"
	    "people:\n  a: {employer: {id: e, kind: slave}}\n", 5, 31,
	    "slave"},
	{"a fact without its value", HEAD
	    "people:\n  a: {roles: [{from: 2026-01-01}]}\n", 4, 15, "value"},
	{"a map where text is", HEAD "people:\n  a: {name: {x: y}}\n", 4, 13,
	    "map"},
	{"a line end in a name", HEAD "people:\n  a: {name: \"b\\nc\"}\n", 4,
	    13, "line"},
	{"a person that is no map", HEAD "people:\n  a: yes\n", 4, 6, "map"},
};

/* As it is, and, from the second half on, in a form that is read as a tree. */
static int
load_broken(size_t *i, struct directory **ret, struct why *w)
{
	size_t n = sizeof(broken) / sizeof(broken[0]);
	struct buf text;
	int r;

	buf_init(&text, 0);
	buf_str(&text, broken[*i % n].text);
	buf_str(&text, *i < n ? "" : "...\n");
	*i %= n;
	r = directory_load((const char *)text.data, text.len, ret, w);
	buf_done(&text);
	return r;
}

static void
broken_text_is_refused_where_it_is_broken(void **state)
{
	struct directory *d = NULL;
	struct why w;
	size_t i, k;
	int r;

	(void)state;
	for (k = 0; k < 2 * sizeof(broken) / sizeof(broken[0]); k++) {
		i = k;
		memset(&w, 0, sizeof(w));
		r = load_broken(&i, &d, &w);
		if (r == 0)
			fail_msg("%s: was taken", broken[i].what);
		if (w.line != broken[i].line || w.column != broken[i].column ||
		    strstr(w.text, broken[i].word) == NULL)
			fail_msg("%s: %u:%u: %s (wanted %u:%u, %s)",
			    broken[i].what, w.line, w.column, w.text,
			    broken[i].line, broken[i].column, broken[i].word);
		assert_null(d);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts_hold_in_their_interval_only),
		cmocka_unit_test(scalars_keep_the_type_of_the_schema),
		cmocka_unit_test(list_has_the_principals_of_the_time_sorted),
		cmocka_unit_test(address_belongs_to_the_longest_network),
		cmocka_unit_test(network_is_well_formed_or_nothing),
		cmocka_unit_test(broken_text_is_refused_where_it_is_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

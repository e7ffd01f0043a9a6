/*
 * The control set: the story's people, ownership, what is not known, time.
 * Expected paths are written as a reader would be told them.
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
#include "base/err.h"
#include "base/time.h"
#include "directory/control.h"
#include "directory/directory.h"

#define HEAD "directory: 1\nissuer: hr\n" \
    "sites: {sa: {country: AA}, sb: {country: BB}}\n"
#define ARROW " \xe2\x86\x92 "

static struct directory *
load(const char *text, size_t len)
{
	struct directory *d = NULL;
	struct why w = {0};

	if (directory_load(text, len, &d, &w) != 0)
		fail_msg("%u:%u: %s", w.line, w.column, w.text);
	return d;
}

static struct directory *
load_demo(void)
{
	FILE *f = fopen(DEMO_DIR "/conf/directory.yaml", "r");
	struct directory *d;
	char *text;
	size_t n;

	assert_non_null(f);
	assert_non_null(text = malloc(1 << 20));
	n = fread(text, 1, 1 << 20, f);
	(void)fclose(f);		/* only read */
	d = load(text, n);
	free(text);
	return d;
}

/* Fails unless the path to a label within kinds reads so; NULL: no path. */
static void
expect(const struct directory *d, const char *id, const char *at,
    const char *label, unsigned kinds, const char *want)
{
	struct arena *a = arena_new();
	const struct control_path *p;
	const struct control *c;
	const char *got;
	struct buf out;
	int64_t ms = 0;

	buf_init(&out, 0);
	assert_int_equal(time_parse(at, strlen(at), &ms), 0);
	assert_int_equal(control_of(d, id, ms, NULL, 0, a, &c), 0);
	p = control_find(c, label, kinds);
	if (p != NULL)
		control_path_text(&out, p);
	got = p != NULL ? buf_text(&out) : NULL;
	if ((got == NULL) != (want == NULL) ||
	    (got != NULL && want != NULL && strcmp(got, want) != 0))
		fail_msg("%s to %s within %x at %s: %s (wanted %s)", id, label,
		    kinds, at, got != NULL ? got : "no path",
		    want != NULL ? want : "no path");
	buf_done(&out);
	arena_free(a);
}

#define DIRECTION (CONTROL_LOCATION | CONTROL_FORMAL | CONTROL_ACTUAL | \
    CONTROL_KEEPING)

static const struct {
	const char *id, *at, *label;
	unsigned kinds;
	const char *want;
} story[] = {
	{"lina", "2026-10-01", "CN", DIRECTION, "you" ARROW "located in CN"},
	{"lina", "2026-10-01", "US", CONTROL_ALL, NULL},
	{"ethan", "2026-10-01", "CN", DIRECTION,
	    "you" ARROW "instructed by Liu Yang" ARROW "located in CN"},
	{"ethan", "2026-10-01", "CN", CONTROL_LOCATION | CONTROL_FORMAL,
	    NULL},
	{"ethan", "2026-10-01", "CN", CONTROL_ACTUAL | CONTROL_EMPLOYMENT,
	    "you" ARROW "instructed by Liu Yang" ARROW
	    "employed by Clipwave Group" ARROW "which is in CN"},
	{"ethan", "2026-10-01", "CN", CONTROL_OWNERSHIP | CONTROL_EMPLOYMENT,
	    "you" ARROW "employed by Clipwave US Inc." ARROW
	    "owned by Clipwave Group" ARROW "which is in CN"},
	{"aoife", "2026-10-01", "CN", DIRECTION, NULL},
	{"aoife", "2026-10-01", "US", DIRECTION,
	    "you" ARROW "reports to Niamh Byrne" ARROW
	    "reports to Dana Brooks" ARROW "located in US"},
	{"aoife", "2026-10-01", "unknown", CONTROL_ALL, NULL},
	{"sam", "2026-10-01", "CN", CONTROL_ALL, NULL},
	{"feed-international", "2026-10-31T23:59:59Z", "CN", DIRECTION,
	    "you" ARROW "credentials kept by Wei Jun" ARROW "located in CN"},
	{"feed-international", "2026-11-01", "CN", DIRECTION, NULL},
	{"feed-international", "2026-11-01", "CN", CONTROL_ALL,
	    "you" ARROW "operated by Clipwave US Inc." ARROW
	    "owned by Clipwave Group" ARROW "which is in CN"},
	{"feed-international", "2026-11-01", "US", CONTROL_KEEPING,
	    "you" ARROW "operated by Clipwave US Inc." ARROW
	    "which is in US"},
};

static void
story_has_the_paths_that_it_tells(void **state)
{
	struct directory *d = load_demo();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(story) / sizeof(story[0]); i++)
		expect(d, story[i].id, story[i].at, story[i].label,
		    story[i].kinds, story[i].want);
	directory_free(d);
}

/*
 * One person p employed by e, whose owners are given; the same person of AA
 * owns where "p" is written. Wanted: is e owned-AA, owned-BB, unknown?
 */
static const struct {
	const char *what, *entities;
	bool aa, bb, unknown;
} owners[] = {
	{"half is enough",
	    "  e: {country: ZZ, owners: {a: 50}, rest: dispersed}",
	    true, false, false},
	{"a millionth less is not",
	    "  e: {country: ZZ, owners: {a: 49.999999}, rest: dispersed}",
	    false, false, false},
	{"thirds that do not add up in binary",
	    "  e: {country: ZZ, owners: {a: 16.666667, a2: 16.666667,"
	    " p: 16.666666}, rest: dispersed}", true, false, false},
	{"two make it together",
	    "  e: {country: ZZ, owners: {a: 25, a2: 25, b: 50}}", true, true,
	    false},
	{"indirectly",
	    "  e: {country: ZZ, owners: {m: 50}, rest: dispersed}\n"
	    "  m: {country: YY, owners: {a: 50, b: 49}, rest: dispersed}",
	    true, false, false},
	{"in aggregate of direct and indirect",
	    "  e: {country: ZZ, owners: {m: 20, a: 30}, rest: dispersed}\n"
	    "  m: {country: YY, owners: {a: 100}}", true, false, false},
	{"shares are not multiplied",
	    "  e: {country: ZZ, owners: {m: 50, k: 50}}\n"
	    "  m: {country: YY, owners: {a: 50}, rest: dispersed}\n"
	    "  k: {country: XX, owners: {b: 50}, rest: dispersed}", true, true,
	    false},
	{"principal place", "  e: {country: ZZ, owners: {m: 50},"
	    " rest: dispersed}\n  m: {country: YY, principal-place: BB,"
	    " owners: {}, rest: dispersed}", false, true, false},
	{"national", "  e: {country: ZZ, owners: {n: 50}, rest: dispersed}",
	    true, true, false},
	{"a ring owns nothing by itself",
	    "  e: {country: ZZ, owners: {m: 100}}\n"
	    "  m: {country: YY, owners: {e: 100}}", false, false, false},
	{"a ring with a share from outside",
	    "  e: {country: ZZ, owners: {m: 100}}\n"
	    "  m: {country: YY, owners: {e: 50, a: 50}}", true, false, false},
	{"itself", "  e: {country: ZZ, owners: {e: 100}}", false, false,
	    false},
	{"itself and others", "  e: {country: ZZ, owners: {e: 10, a: 50},"
	    " rest: dispersed}", true, false, false},
	{"no owners written", "  e: {country: ZZ}", false, false, true},
	{"owners {} and no rest", "  e: {country: ZZ, owners: {}}", false,
	    false, true},
	{"dispersed", "  e: {country: ZZ, rest: dispersed}", false, false,
	    false},
	{"a rest of 50", "  e: {country: ZZ, owners: {z: 50}}", false, false,
	    true},
	{"a rest below 50",
	    "  e: {country: ZZ, owners: {z: 50.000001}}", false, false,
	    false},
	{"a rest that could lift a share over the half",
	    "  e: {country: ZZ, owners: {a: 30, b: 29, z: 20}}", false, false,
	    true},
	{"a rest that could not",
	    "  e: {country: ZZ, owners: {a: 28, b: 28, z: 23}}", false, false,
	    false},
	{"an owner whose country is not known",
	    "  e: {country: ZZ, owners: {m: 50}, rest: dispersed}\n"
	    "  m: {owners: {}, rest: dispersed}", false, false, true},
	{"a person whose location is not known",
	    "  e: {country: ZZ, owners: {q: 50}, rest: dispersed}", false,
	    false, true},
	{"an owner whose owners are not known",
	    "  e: {country: ZZ, owners: {m: 50}, rest: dispersed}\n"
	    "  m: {country: YY}", false, false, true},
	{"what is certain needs no doubt",
	    "  e: {country: ZZ, owners: {a: 51}}", true, false, false},
};

static void
ownership_is_the_least_fixed_point(void **state)
{
	const unsigned kinds = CONTROL_EMPLOYMENT | CONTROL_OWNERSHIP;
	char text[2000];
	struct arena *a;
	const struct control *c;
	struct directory *d;
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
		n = snprintf(text, sizeof(text), HEAD "entities:\n"
		    "  a: {country: AA, rest: dispersed}\n"
		    "  a2: {country: AA, rest: dispersed}\n"
		    "  b: {country: BB, rest: dispersed}\n"
		    "  z: {country: ZZ, rest: dispersed}\n%s\n"
		    "people:\n"
		    "  n: {site: sa, nationality: BB}\n"
		    "  q: {nationality: ZZ}\n"
		    "  p: {employer: e, site: sa, manager: none}\n",
		    owners[i].entities);
		assert_in_range(n, 1, sizeof(text) - 1);
		d = load(text, (size_t)n);
		a = arena_new();
		assert_int_equal(control_of(d, "p", 0, NULL, 0, a, &c), 0);
		if ((control_find(c, "AA", kinds) != NULL) != owners[i].aa ||
		    (control_find(c, "BB", kinds) != NULL) != owners[i].bb ||
		    (control_find(c, "unknown", CONTROL_ALL) != NULL) !=
		    owners[i].unknown)
			fail_msg("%s", owners[i].what);
		arena_free(a);
		directory_free(d);
	}
}

static void
threshold_is_data(void **state)
{
	static const char text[] = HEAD "ownership-threshold: 25\n"
	    "entities: {a: {country: AA, rest: dispersed},"
	    " e: {country: BB, owners: {a: 25}, rest: dispersed}}\n"
	    "people: {p: {employer: e, site: sb, manager: none}}\n";
	struct directory *d = load(text, strlen(text));

	(void)state;
	expect(d, "p", "2026-01-01", "AA", CONTROL_ALL, "you" ARROW
	    "employed by e" ARROW "owned by a" ARROW "which is in AA");
	directory_free(d);
}

/* What a principal lacks, and by which kind alone it is not known then. */
static const struct {
	const char *what, *section, *facts;
	unsigned kind;		/* 0: nothing is unknown */
	const char *want;
} lacking[] = {
	{"nothing", "people", "employer: e, site: sa, manager: none", 0,
	    NULL},
	{"site", "people", "employer: e, manager: none", CONTROL_LOCATION,
	    "you" ARROW "location not known"},
	{"employer", "people", "site: sa, manager: none", CONTROL_EMPLOYMENT,
	    "you" ARROW "employer not known"},
	{"manager", "people", "employer: e, site: sa", CONTROL_FORMAL,
	    "you" ARROW "manager not known"},
	{"employer is nobody", "people",
	    "employer: none, site: sa, manager: none", 0, NULL},
	{"a manager whose manager is not known", "people",
	    "employer: e, site: sa, manager: m", CONTROL_FORMAL,
	    "you" ARROW "reports to m" ARROW "manager not known"},
	{"an employer in no country", "people",
	    "employer: f, site: sa, manager: none", CONTROL_EMPLOYMENT,
	    "you" ARROW "employed by f" ARROW "whose country is not known"},
	{"a site that has ended", "people",
	    "employer: e, site: {id: sa, to: 2020-01-01}, manager: none",
	    CONTROL_LOCATION, "you" ARROW "location not known"},
	{"a site that begins", "people",
	    "employer: e, site: {id: sa, from: 2030-01-01}, manager: none",
	    CONTROL_LOCATION, "you" ARROW "location not known"},
	{"a top that has ended", "people",
	    "employer: e, site: sa, manager: {id: none, to: 2020-01-01}",
	    CONTROL_FORMAL, "you" ARROW "manager not known"},
	{"whoever instructs", "people",
	    "employer: e, site: sa, manager: none, instructor: none", 0,
	    NULL},
	{"service with all", "services", "operator: e, site: sa, keepers: []",
	    0, NULL},
	{"service kept by none", "services",
	    "operator: e, site: sa, keepers: none", 0, NULL},
	{"operator", "services", "site: sa, keepers: []", CONTROL_KEEPING,
	    "you" ARROW "operator not known"},
	{"keepers", "services", "operator: e, site: sa", CONTROL_KEEPING,
	    "you" ARROW "keepers of its credentials not known"},
	{"where it runs", "services", "operator: e, keepers: none",
	    CONTROL_LOCATION, "you" ARROW "location not known"},
};

static void
each_missing_fact_adds_unknown_by_its_kind(void **state)
{
	struct directory *d;
	char text[1000];
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < sizeof(lacking) / sizeof(lacking[0]); i++) {
		n = snprintf(text, sizeof(text), HEAD
		    "entities: {e: {country: AA, rest: dispersed},"
		    " f: {rest: dispersed}}\npeople:\n"
		    "  m: {employer: e, site: sa}\n%s  x: {%s}\n",
		    strcmp(lacking[i].section, "people") == 0 ? "" :
		    "services:\n", lacking[i].facts);
		assert_in_range(n, 1, sizeof(text) - 1);
		d = load(text, (size_t)n);
		expect(d, "x", "2026-01-01", "unknown", lacking[i].kind != 0 ?
		    lacking[i].kind : CONTROL_ALL, lacking[i].want);
		expect(d, "x", "2026-01-01", "unknown",
		    CONTROL_ALL & ~lacking[i].kind &
		    ~(unsigned)CONTROL_OWNERSHIP, NULL);
		directory_free(d);
	}
}

static void
network_counts_beside_the_site(void **state)
{
	static const char text[] = HEAD
	    "people: {p: {employer: none, site: sa, manager: none}}\n";
	static const char *const seen[] = {"CC", "unknown"};
	struct directory *d = load(text, strlen(text));
	struct arena *a = arena_new();
	const struct control *c;
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(control_of(d, "p", 0, seen, 2, a, &c), 0);
	assert_non_null(control_find(c, "AA", CONTROL_LOCATION));
	control_path_text(&out, control_find(c, "CC", CONTROL_LOCATION));
	assert_string_equal(buf_text(&out), "you" ARROW "connected from CC");
	assert_non_null(control_find(c, "unknown", CONTROL_LOCATION));
	buf_done(&out);
	arena_free(a);
	directory_free(d);
}

static void
circles_of_managers_end(void **state)
{
	static const char text[] = HEAD
	    "people:\n"
	    "  p: {employer: none, site: sa, manager: q, instructor: p}\n"
	    "  q: {employer: none, site: sb, manager: r}\n"
	    "  r: {employer: none, site: sa, manager: p}\n";
	struct directory *d = load(text, strlen(text));

	(void)state;
	expect(d, "r", "2026-01-01", "BB", CONTROL_ALL, "you" ARROW
	    "reports to p" ARROW "reports to q" ARROW "located in BB");
	expect(d, "r", "2026-01-01", "unknown", CONTROL_ALL, NULL);
	directory_free(d);
}

static void
same_facts_in_another_order_give_the_same_paths(void **state)
{
	static const char one[] = HEAD
	    "entities: {e: {country: AA, rest: dispersed},"
	    " f: {country: AA, rest: dispersed}}\n"
	    "people:\n"
	    "  p: {employer: [e, f], site: sb, manager: [q, r]}\n"
	    "  q: {employer: e, site: sa, manager: none}\n"
	    "  r: {employer: f, site: sa, manager: none}\n";
	static const char two[] = HEAD
	    "people:\n"
	    "  r: {manager: none, site: sa, employer: f}\n"
	    "  q: {manager: none, site: sa, employer: e}\n"
	    "  p: {manager: [r, q], site: sb, employer: [f, e]}\n"
	    "entities: {f: {rest: dispersed, country: AA},"
	    " e: {rest: dispersed, country: AA}}\n";
	const char *texts[] = {one, two};
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct directory *d = load(texts[i], strlen(texts[i]));

		expect(d, "p", "2026-01-01", "AA", CONTROL_EMPLOYMENT, "you"
		    ARROW "employed by e" ARROW "which is in AA");
		expect(d, "p", "2026-01-01", "AA", CONTROL_FORMAL |
		    CONTROL_LOCATION, "you" ARROW "reports to q" ARROW
		    "located in AA");
		directory_free(d);
	}
}

static void
issuers_of_all_facts_on_the_way_are_named(void **state)
{
	struct directory *d = load_demo();
	struct arena *a = arena_new();
	const struct control *c;

	(void)state;
	assert_int_equal(control_of(d, "aoife", 0, NULL, 0, a, &c), 0);
	assert_int_equal(c->n_issuers, 1);
	assert_string_equal(c->issuers[0], "hr.clipwave.example");
	assert_int_equal(control_of(d, "ethan", 0, NULL, 0, a, &c), 0);
	assert_int_equal(c->n_issuers, 2);
	assert_string_equal(c->issuers[0], "audit.granite.example");
	assert_int_equal(control_of(d, "clipwave-us", 0, NULL, 0, a, &c),
	    ERR_MISSING);
	assert_int_equal(control_of(d, "nobody", 0, NULL, 0, a, &c),
	    ERR_MISSING);
	arena_free(a);
	directory_free(d);
}

static void
kinds_are_named_both_ways(void **state)
{
	unsigned k;

	(void)state;
	for (k = 1; k < CONTROL_ALL; k <<= 1)
		assert_int_equal(control_kind_of(control_kind_text(
		    (enum control_kind)k)), k);
	assert_int_equal(control_kind_of("Location"), 0);
	assert_int_equal(control_kind_of(""), 0);
}

static void
issuers_and_labels_of_those_above_are_theirs(void **state)
{
	static const char text[] = "directory: 1\nissuer: hr\n"
	    "sites: {z: {country: ZZ}, a: {country: AA}}\n"
	    "entities: {e: {issuer: register, country: MM, rest: dispersed}}\n"
	    "people:\n"
	    "  p: {site: z, employer: e, manager: q}\n"
	    "  q: {issuer: other, site: a, employer: none, manager: none}\n";
	static const char *const labels[] = {"AA", "MM", "ZZ"};
	static const char *const issuers[] = {"hr", "other", "register"};
	struct directory *d = load(text, strlen(text));
	struct arena *a = arena_new();
	const struct control *c;
	size_t i;

	(void)state;
	assert_int_equal(control_of(d, "p", 0, NULL, 0, a, &c), 0);
	assert_int_equal(c->n, 3);
	assert_int_equal(c->n_issuers, 3);
	for (i = 0; i < 3; i++) {
		assert_string_equal(c->members[i].label, labels[i]);
		assert_string_equal(c->issuers[i], issuers[i]);
	}
	expect(d, "p", "2026-11-01", "ZZ", CONTROL_LOCATION,
	    "you \xe2\x86\x92 located in ZZ");
	expect(d, "p", "2026-11-01", "AA", CONTROL_ALL,
	    "you \xe2\x86\x92 reports to q \xe2\x86\x92 located in AA");
	arena_free(a);
	directory_free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(story_has_the_paths_that_it_tells),
		cmocka_unit_test(ownership_is_the_least_fixed_point),
		cmocka_unit_test(threshold_is_data),
		cmocka_unit_test(each_missing_fact_adds_unknown_by_its_kind),
		cmocka_unit_test(network_counts_beside_the_site),
		cmocka_unit_test(circles_of_managers_end),
		cmocka_unit_test(
		    same_facts_in_another_order_give_the_same_paths),
		cmocka_unit_test(issuers_of_all_facts_on_the_way_are_named),
		cmocka_unit_test(issuers_and_labels_of_those_above_are_theirs),
		cmocka_unit_test(kinds_are_named_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Definitions: who is one, who may be, and by which way. The cases are the
 * kinds of person that regimes tell apart; the expected answers come from
 * the examples that regulators give, not from the program.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "directory/definition.h"
#include "directory/directory.h"

#define ARROW " \xe2\x86\x92 "
#define PERCENT 1000000u

/* Home is HH, of concern are CC and DD, FF is any other place. */
static const char *const home[] = {"HH"};
static const char *const concern[] = {"CC", "DD"};
static const char *const near_by[] = {"HH", "FF"};
static const char *const named[] = {"listed"};
static const char *const spared[] = {"spared"};
static const char *const council[] = {"CC"};

#define IN(list) {(list), sizeof(list) / sizeof((list)[0]), false, true}
#define OUTSIDE(list) {(list), sizeof(list) / sizeof((list)[0]), true, true}

static const struct definition covered = {
	.name = "covered", .named = IN(named), .organised_in = IN(concern),
	.business_in = IN(concern), .owned = 50 * PERCENT,
	.resident_in = IN(concern),
	.employed_as = EMPLOYED_EMPLOYEE | EMPLOYED_CONTRACTOR,
	.by_operator = true, .by_keepers = true, .running_in = IN(concern),
	.unless = {.named = IN(spared), .organised_only_in = IN(home),
	    .nationality = IN(home), .located_only_in = IN(home)},
};

/* No owners; employees only; offices; places by what they are not. */
static const struct definition importer = {
	.name = "importer", .organised_in = OUTSIDE(near_by),
	.business_in = OUTSIDE(near_by), .employed_as = EMPLOYED_EMPLOYEE,
	.contracting_in = OUTSIDE(near_by), .holding_office = IN(council),
	.by_keepers = true,
};

#define TEXT \
    "directory: 1\nissuer: hr\n" \
    "sites: {h: {country: HH}, c: {country: CC}, f: {country: FF}}\n" \
    "entities:\n" \
    "  hq: {country: CC}\n" \
    "  ring-a: {country: FF, owners: {ring-b: 100}}\n" \
    "  ring-b: {country: FF, owners: {ring-a: 100}}\n" \
    "  sub: {country: FF, owners: {hq: 60}, rest: dispersed}\n" \
    "  subsub: {country: FF, owners: {sub: 60}, rest: dispersed}\n" \
    "  hq-dd: {country: DD}\n" \
    "  two: {country: FF, owners: {hq: 25, hq-dd: 25}, rest: dispersed}\n" \
    "  almost: {country: FF, owners: {hq: 25, hq-dd: 24.999999}, " \
    "rest: dispersed}\n" \
    "  vague: {country: FF, owners: {hq: 20}}\n" \
    "  clear: {country: FF, owners: {hq: 20}, rest: dispersed}\n" \
    "  mostly: {country: FF, owners: {hq: 20, ann: 31}}\n" \
    "  branch: {country: FF, principal-place: CC}\n" \
    "  both: {country: [HH, CC]}\n" \
    "  nowhere: {}\n" \
    "  home-sub: {country: HH, owners: {hq: 100}}\n" \
    "  below-home: {country: FF, owners: {home-sub: 100}}\n" \
    "  by-resident: {country: FF, owners: {wang: 50}, rest: dispersed}\n" \
    "  by-national: {country: FF, owners: {chen: 50}, rest: dispersed}\n" \
    "  by-staff: {country: FF, owners: {rosa: 50}, rest: dispersed}\n" \
    "people:\n" \
    "  ann: {employer: none, site: f, nationality: FF}\n" \
    "  wang: {employer: none, site: c, nationality: CC}\n" \
    "  chen: {employer: none, site: f, nationality: CC}\n" \
    "  rosa: {employer: {id: hq, kind: contractor}, site: f, " \
    "nationality: FF}\n" \
    "  at-hq: {employer: {id: hq, kind: employee}, site: f, " \
    "nationality: FF}\n" \
    "  at-sub: {employer: sub, site: f, nationality: FF}\n" \
    "  at-subsub: {employer: subsub, site: f, nationality: FF}\n" \
    "  at-two: {employer: two, site: f, nationality: FF}\n" \
    "  at-almost: {employer: almost, site: f, nationality: FF}\n" \
    "  at-vague: {employer: vague, site: f, nationality: FF}\n" \
    "  at-clear: {employer: clear, site: f, nationality: FF}\n" \
    "  at-mostly: {employer: mostly, site: f, nationality: FF}\n" \
    "  at-branch: {employer: branch, site: f, nationality: FF}\n" \
    "  at-both: {employer: both, site: f, nationality: FF}\n" \
    "  at-nowhere: {employer: nowhere, site: f, nationality: FF}\n" \
    "  at-ring: {employer: ring-a, site: f, nationality: FF}\n" \
    "  at-home-sub: {employer: home-sub, site: f, nationality: FF}\n" \
    "  at-below: {employer: below-home, site: f, nationality: FF}\n" \
    "  at-resident: {employer: by-resident, site: f, nationality: FF}\n" \
    "  at-national: {employer: by-national, site: f, nationality: FF}\n" \
    "  at-staff: {employer: by-staff, site: f, nationality: FF}\n" \
    "  posted: {employer: hq, site: h, nationality: CC}\n" \
    "  half-posted: {employer: hq, site: [h, c], nationality: CC}\n" \
    "  citizen: {employer: hq, site: c, nationality: [HH, CC]}\n" \
    "  whence: {employer: hq, site: f}\n" \
    "  commuter: {employer: none, site: f, residence: CC, " \
    "nationality: FF}\n" \
    "  abroad: {employer: none, site: c, residence: FF, " \
    "nationality: FF}\n" \
    "  blank: {}\n" \
    "  adrift: {employer: hq, nationality: FF}\n" \
    "  listed: {employer: home-sub, site: h, nationality: HH}\n" \
    "  spared: {employer: hq, site: f, nationality: FF}\n" \
    "  unstated: {employer: hq, site: f, offices: none}\n" \
    "  envoy: {employer: none, site: f, offices: 'CC: envoy'}\n" \
    "  mayor: {employer: {id: sub, kind: employee}, site: f, " \
    "offices: ['FF: mayor']}\n" \
    "  minister: {employer: {id: sub, kind: employee}, site: f}\n" \
    "  plain: {employer: {id: sub, kind: employee}, site: c, " \
    "offices: []}\n" \
    "  free: {employer: {id: sub, kind: contractor}, site: c, " \
    "offices: none}\n" \
    "  lent: {employer: {id: hq, kind: contractor}, site: f, " \
    "offices: none}\n" \
    "services:\n" \
    "  fine: {operator: home-sub, keepers: none, site: h}\n" \
    "  kept: {operator: home-sub, keepers: [rosa], site: h}\n" \
    "  lender: {operator: home-sub, keepers: kept, site: h}\n" \
    "  whose: {operator: home-sub, site: h}\n" \
    "  hosted: {operator: home-sub, keepers: none, site: c}\n"

enum { NO, MAYBE, YES };

static const struct {
	const struct definition *def;
	const char *who;
	const char *seen_at;		/* or NULL */
	int want;
	const char *because;		/* or NULL: not asked */
} cases[] = {
	/* Places: residence counts, neither nationality nor a journey. */
	{&covered, "ann", NULL, NO, NULL},
	{&covered, "ann", "CC", NO, NULL},
	{&covered, "wang", NULL, YES, "you" ARROW "resident in CC"},
	{&covered, "chen", NULL, NO, NULL},
	{&covered, "commuter", NULL, YES, "you" ARROW "resident in CC"},
	{&covered, "abroad", NULL, NO, NULL},
	/* Employers. */
	{&covered, "at-hq", NULL, YES,
	    "you" ARROW "employed by hq" ARROW "organised in CC"},
	{&covered, "rosa", NULL, YES,
	    "you" ARROW "contracted by hq" ARROW "organised in CC"},
	{&covered, "at-branch", NULL, YES, "you" ARROW "employed by branch"
	    ARROW "with its principal place of business in CC"},
	{&covered, "at-both", NULL, YES, NULL},
	{&covered, "at-nowhere", NULL, MAYBE, "you" ARROW
	    "employed by nowhere" ARROW "whose country is not known"},
	/* Owners: in sum, over several places, through those owned. */
	{&covered, "at-sub", NULL, YES, "you" ARROW "employed by sub" ARROW
	    "owned by hq" ARROW "organised in CC"},
	{&covered, "at-subsub", NULL, YES, "you" ARROW "employed by subsub"
	    ARROW "owned by sub" ARROW "owned by hq" ARROW "organised in CC"},
	{&covered, "at-two", NULL, YES, NULL},
	{&covered, "at-almost", NULL, NO, NULL},
	{&covered, "at-vague", NULL, MAYBE, NULL},
	{&covered, "at-clear", NULL, NO, NULL},
	{&covered, "at-mostly", NULL, MAYBE, NULL},
	{&covered, "at-ring", NULL, NO, NULL},
	{&covered, "at-resident", NULL, YES, NULL},
	{&covered, "at-national", NULL, NO, NULL},
	{&covered, "at-staff", NULL, YES, NULL},
	/* Whoever is of home is none, and hands nothing on. */
	{&covered, "at-home-sub", NULL, NO, NULL},
	{&covered, "at-below", NULL, NO, NULL},
	{&covered, "posted", NULL, NO, NULL},
	{&covered, "posted", "CC", YES, NULL},
	{&covered, "posted", "HH", NO, NULL},
	{&covered, "posted", "unknown", MAYBE, NULL},
	{&covered, "half-posted", NULL, YES, NULL},
	{&covered, "citizen", NULL, NO, NULL},
	{&covered, "citizen", "CC", NO, NULL},
	{&covered, "whence", NULL, MAYBE, "you" ARROW "employed by hq" ARROW
	    "organised in CC, as far as is known"},
	{&covered, "blank", NULL, MAYBE, NULL},
	{&covered, "adrift", NULL, MAYBE, NULL},
	{&covered, "listed", NULL, YES, "you" ARROW "named as covered"},
	{&covered, "spared", NULL, NO, NULL},
	/* Services, by whoever holds their credentials. */
	{&covered, "fine", NULL, NO, NULL},
	{&covered, "kept", NULL, YES, "you" ARROW "credentials kept by rosa"
	    ARROW "contracted by hq" ARROW "organised in CC"},
	{&covered, "lender", NULL, YES, NULL},
	{&covered, "whose", NULL, MAYBE,
	    "you" ARROW "keepers of its credentials not known"},
	{&covered, "hosted", NULL, YES, NULL},
	/* Another definition, with other parts. */
	{&importer, "plain", NULL, NO, NULL},
	{&importer, "plain", "CC", NO, NULL},
	{&importer, "free", NULL, YES, "you" ARROW "a contractor in CC"},
	{&importer, "lent", NULL, NO, NULL},
	{&importer, "unstated", NULL, MAYBE, NULL},
	{&importer, "envoy", NULL, YES,
	    "you" ARROW "in the office CC: envoy"},
	{&importer, "mayor", NULL, NO, NULL},
	{&importer, "minister", NULL, MAYBE,
	    "you" ARROW "offices not known"},
	{&importer, "wang", NULL, YES, NULL},
	{&importer, "hosted", NULL, NO, NULL},
	{&importer, "kept", NULL, MAYBE, NULL},
};

static void
decide(const struct directory *d, size_t i, struct arena *a,
    struct defined *ret)
{
	const struct principal *p;

	assert_int_equal(directory_principal(d, cases[i].who, 0, a, &p), 0);
	assert_int_equal(definition_decide(cases[i].def, p,
	    &cases[i].seen_at, cases[i].seen_at != NULL, a, ret), 0);
}

static void
everybody_is_what_the_definition_says(void **state)
{
	struct directory *d = NULL;
	struct arena *a = arena_new();
	struct defined got;
	struct why w = {0};
	size_t i;
	int found;

	(void)state;
	if (directory_load(TEXT, sizeof(TEXT) - 1, &d, &w) != 0)
		fail_msg("%u:%u: %s", w.line, w.column, w.text);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		decide(d, i, a, &got);
		found = got.certain ? YES : got.possible ? MAYBE : NO;
		if (found != cases[i].want || (found == NO) !=
		    (got.because == NULL) || (cases[i].because != NULL &&
		    strcmp(cases[i].because, got.because) != 0))
			fail_msg("%s seen at %s as %s: %d, wanted %d; %s",
			    cases[i].who, cases[i].seen_at != NULL ?
			    cases[i].seen_at : "home", cases[i].def->name,
			    found, cases[i].want, got.because != NULL ?
			    got.because : "");
	}
	arena_free(a);
	directory_free(d);
}

static void
nothing_known_of_a_reader_is_no_answer(void **state)
{
	const struct principal stranger = {.id = "x"};
	struct arena *a = arena_new();
	struct defined got;

	(void)state;
	assert_int_equal(definition_decide(&covered, &stranger, NULL, 0, a,
	    &got), 0);
	assert_false(got.certain);
	assert_true(got.possible);
	arena_free(a);
}

/* The threshold is data: what half owns is owned by a fifth, too. */
static void
a_lower_threshold_lets_in_more(void **state)
{
	struct definition strict = covered;
	struct directory *d = NULL;
	struct arena *a = arena_new();
	const struct principal *p;
	struct defined got;
	struct why w;

	(void)state;
	assert_int_equal(directory_load(TEXT, sizeof(TEXT) - 1, &d, &w), 0);
	assert_int_equal(directory_principal(d, "at-clear", 0, a, &p), 0);
	strict.owned = 20 * PERCENT;
	assert_int_equal(definition_decide(&strict, p, NULL, 0, a, &got), 0);
	assert_true(got.certain);
	strict.owned = 20 * PERCENT + 1;
	assert_int_equal(definition_decide(&strict, p, NULL, 0, a, &got), 0);
	assert_false(got.possible);
	arena_free(a);
	directory_free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_is_what_the_definition_says),
		cmocka_unit_test(nothing_known_of_a_reader_is_no_answer),
		cmocka_unit_test(a_lower_threshold_lets_in_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

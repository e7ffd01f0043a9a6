/*
 * Rules that rest on a place of business that nobody wrote, by the
 * counterfactual: where one is named, some country written into the text as
 * the place of a company without one takes something away; where none is, no
 * country does. Writing that it is where the company is organised changes
 * nothing, and then no rule rests on it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "policy/placeless.h"
#include "policy/rule.h"
#include "policy/sessions.h"
#include "story.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define CELLS_MAX 100

static const char *const residences[] = {"AA", "BB"};
static const char *const people[] = {"ann", "boss"};
static const char *const places[] = {"AA", "BB", "CC"};

static const char catalog[] =
    "catalog: c\ncategories: [key, mail]\n"
    "subjects: {table: p.users, key: id,"
    " residence: {column: land, values: {b: BB, a: AA}}}\n"
    "tables:\n"
    "  p.users: {subject: self, columns: {mail: mail, id: key}}\n";

/* Whose company, and who owns it: the place of either may be missing. */
enum lacks {
	LACKS_EMPLOYER,
	LACKS_OWNER,
	LACKS_COUNT,
};

struct walk {
	struct placeless *placeless;
	const struct story *story;
	const struct reach_space *space;
	const struct sessions *sessions;
	struct arena *scratch;
	size_t shown;			/* levels of all sessions, in sum */
};

static int
look(void *arg, const struct reach_session *q)
{
	struct walk *w = arg;
	uint8_t levels[CELLS_MAX];
	size_t i;
	int r;

	assert_int_equal(reach_levels(w->space, w->story->policy, q,
	    w->scratch, levels), 0);
	r = placeless_add(w->placeless, q, w->sessions->places[q->place],
	    levels);
	for (i = 0; i < w->space->n_cells; i++)
		w->shown += levels[i];
	return r;
}

/* Levels in sum, with that place written (NULL: none is); *ret_rests: for how
 * many principals the rule "this" rests on what is not. */
static size_t
find(const char *rules, enum lacks lacks, const char *place,
    size_t *ret_rests)
{
	struct reach_store store = {.name = "s", .residences = residences,
	    .n_residences = LENGTH(residences)};
	char directory[1000], policy[1000], is[40] = "";
	struct arena *a = arena_new();
	struct reach_space space;
	struct sessions sessions;
	const struct policy *list[1];
	struct story s;
	struct walk w;
	struct why why;
	size_t i;

	if (place != NULL)
		(void)snprintf(is, sizeof(is), ", principal-place: %s",
		    place);
	(void)snprintf(directory, sizeof(directory),
	    "directory: 1\nissuer: hr\n"
	    "sites: {sa: {country: AA}, sc: {country: CC}}\n"
	    "entities:\n"
	    "  e: {country: AA, owners: {o: 60}, rest: dispersed%s}\n"
	    "  o: {country: AA, owners: {}, rest: dispersed%s}\n"
	    "  b: {country: BB, owners: {}, rest: dispersed,"
	    " principal-place: BB}\n"
	    "people:\n"
	    "  ann: {employer: e, site: sa, manager: none, instructor: none}\n"
	    "  boss: {employer: b, site: sa, manager: none,"
	    " instructor: none}\n",
	    lacks == LACKS_EMPLOYER ? is : ", principal-place: AA",
	    lacks == LACKS_OWNER ? is : ", principal-place: AA");
	(void)snprintf(policy, sizeof(policy), "policy: p\nversion: 1\n"
	    "definitions:\n"
	    "  far: {entities: {business-in: [CC], owned: 50}, people:"
	    " {employed-as: [employee, contractor]}}\n"
	    "rules: [%s]\n", rules);
	story_init(&s, directory, catalog, policy);
	store.catalog = s.catalog;
	assert_int_equal(reach_space_make(&store, 1, a, &space), 0);
	assert_in_range(space.n_cells, 1, CELLS_MAX);
	list[0] = s.policy;
	assert_int_equal(sessions_list(s.directory, NULL, list, 1,
	    STORY_OCTOBER, a, &sessions, &why), 0);
	memset(&w, 0, sizeof(w));
	w.story = &s;
	w.space = &space;
	w.sessions = &sessions;
	assert_non_null(w.scratch = arena_new());
	assert_int_equal(placeless_new(&space, s.policy, s.directory,
	    &w.placeless), 0);
	for (i = 0; i < LENGTH(people); i++) {
		placeless_next(w.placeless);
		assert_int_equal(reach_each(s.directory, &sessions,
		    people[i], STORY_OCTOBER, look, &w), 0);
	}
	*ret_rests = 0;
	for (i = 0; i < s.policy->n_rules; i++)
		if (strcmp(s.policy->rules[i].name, "this") == 0)
			*ret_rests = placeless_rests(w.placeless, i);
	placeless_free(w.placeless);
	arena_free(w.scratch);
	arena_free(a);
	story_done(&s);
	return w.shown;
}

static const struct {
	const char *what, *rules;
	bool rests[LACKS_COUNT];
} cases[] = {
	{"nothing asks", "{rule: this, permit: read}", {false, false}},
	{"employment", "{rule: all, permit: read}, {rule: this, forbid: read,"
	    " who: {controlled-from: CC, by: [employment]}}", {true, false}},
	{"ownership, too", "{rule: all, permit: read}, {rule: this, forbid:"
	    " read, who: {controlled-from: CC, by: [employment,"
	    " ownership]}}", {true, true}},
	{"lines that no company is on", "{rule: all, permit: read}, {rule:"
	    " this, forbid: read, who: {controlled-from: CC, by: [formal,"
	    " location]}}", {false, false}},
	{"what is not shown anyway", "{rule: all, permit: read, what:"
	    " {categories: key}}, {rule: this, forbid: read, who:"
	    " {controlled-from: CC, by: [employment]}, what: {categories:"
	    " mail}}", {false, false}},
	{"a mask", "{rule: all, permit: read}, {rule: this, treat: mask,"
	    " who: {controlled-from: {outside: [AA, BB]}, by:"
	    " [employment]}}", {true, false}},
	{"a permit where nobody else is behind", "{rule: this, permit: read,"
	    " whose: {relation: no-other-behind, by: [employment]}}",
	    {true, false}},
	{"another permit gives the same", "{rule: all, permit: read}, {rule:"
	    " this, permit: read, whose: {relation: no-other-behind, by:"
	    " [employment]}}", {false, false}},
	{"a definition by place of business", "{rule: all, permit: read},"
	    " {rule: this, forbid: read, who: {is: far}}", {true, true}},
	{"a permit never rests on who is", "{rule: this, permit: read, who:"
	    " {is: far}}", {false, false}},
	{"another forbids it anyway", "{rule: all, permit: read}, {rule: no,"
	    " forbid: read, who: {principals: ann}}, {rule: this, forbid:"
	    " read, who: {is: far}}", {false, false}},
};

static void
a_rule_is_named_if_writing_a_place_takes_something_away(void **state)
{
	size_t i, p, rests, bare, shown, less, none;
	int lacks;

	(void)state;
	for (i = 0; i < LENGTH(cases); i++) {
		for (lacks = 0; lacks < LACKS_COUNT; lacks++) {
			bare = find(cases[i].rules, (enum lacks)lacks, NULL,
			    &rests);
			for (p = less = 0; p < LENGTH(places); p++) {
				shown = find(cases[i].rules,
				    (enum lacks)lacks, places[p], &none);
				less += shown < bare;
				/* Where it is organised is what counts. */
				if (none != 0 || (p == 0 && shown != bare))
					fail_msg("%s: %zu rest on a place "
					    "that is written",
					    cases[i].what, none);
			}
			if (rests != cases[i].rests[lacks] ||
			    (less > 0) != (rests > 0))
				fail_msg("%s, of %d: %zu rest on it, %zu "
				    "places take something", cases[i].what,
				    lacks, rests, less);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_rule_is_named_if_writing_a_place_takes_something_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

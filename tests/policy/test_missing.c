/*
 * Rules that rest on a fact that nobody wrote, by the counterfactual: where
 * one is named, writing a value of that fact takes something away, and
 * writing that there is none does not; where none is named, no value does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "policy/missing.h"
#include "policy/sessions.h"
#include "story.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define CELLS_MAX 100

static const char *const residences[] = {"AA", "BB"};

static const char catalog[] =
    "catalog: c\ncategories: [key, mail]\n"
    "subjects: {table: p.users, key: id,"
    " residence: {column: land, values: {b: BB, a: AA}}}\n"
    "tables:\n"
    "  p.users: {subject: self, columns: {mail: mail, id: key}}\n";

/* Of ann, with these facts beside what is known of her anyway. */
struct found {
	unsigned shown;			/* levels of all cells, in sum */
	size_t rests[MISSING_COUNT];	/* principals, of the rule "this" */
};

struct walk {
	struct missing missing;
	const struct story *story;
	const struct reach_space *space;
	struct arena *scratch;
	uint8_t most[CELLS_MAX];
	bool is_ann;
};

static int
look(void *arg, const struct reach_session *q)
{
	struct walk *w = arg;
	uint8_t levels[CELLS_MAX];
	size_t i;
	int r;

	r = reach_levels(w->space, w->story->policy, q, w->scratch, levels);
	missing_add(&w->missing, q, levels);
	for (i = 0; w->is_ann && i < w->space->n_cells; i++)
		if (levels[i] > w->most[i])
			w->most[i] = levels[i];
	return r;
}

static void
take(void *arg, unsigned line, unsigned column, const char *rule,
    enum missing_fact fact, size_t principals)
{
	struct found *f = arg;

	assert_true(line > 0 && column > 0);
	if (strcmp(rule, "this") == 0)
		f->rests[fact] = principals;
}

static void
find(const char *rules, const char *facts, struct found *ret)
{
	static const char *const people[] = {"ann", "boss"};
	char directory[1000], policy[1000];
	struct reach_store store = {.name = "s", .residences = residences,
	    .n_residences = LENGTH(residences)};
	struct arena *a = arena_new();
	struct reach_space space;
	struct sessions sessions;
	const struct policy *list[1];
	struct story s;
	struct walk w;
	struct why why;
	size_t i;

	(void)snprintf(directory, sizeof(directory),
	    "directory: 1\nissuer: hr\n"
	    "sites: {sa: {country: AA}, sb: {country: BB}}\n"
	    "entities: {e: {country: AA, rest: dispersed}}\n"
	    "people:\n"
	    "  ann: {employer: e, site: sa, manager: none%s}\n"
	    "  boss: {employer: e, site: sb, manager: none,"
	    " instructor: none, roles: [chief]}\n", facts);
	(void)snprintf(policy, sizeof(policy),
	    "policy: p\nversion: 1\nrules: [%s]\n", rules);
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
	assert_non_null(w.scratch = arena_new());
	assert_int_equal(missing_init(&w.missing, s.policy, &space, a), 0);
	for (i = 0; i < LENGTH(people); i++) {
		missing_next(&w.missing);
		w.is_ann = i == 0;
		assert_int_equal(reach_each(s.directory, &sessions,
		    people[i], STORY_OCTOBER, look, &w), 0);
	}
	memset(ret, 0, sizeof(*ret));
	for (i = 0; i < space.n_cells; i++)
		ret->shown += w.most[i];
	missing_tell(&w.missing, take, ret);
	arena_free(w.scratch);
	arena_free(a);
	story_done(&s);
}

static const struct {
	const char *what, *rules;
	bool instructor, roles;		/* does "this" rest on it? */
} cases[] = {
	{"nothing forbids", "{rule: this, permit: read}", false, false},
	{"direction from elsewhere is forbidden", "{rule: all, permit: read},"
	    " {rule: this, forbid: read, who: {controlled-from: BB,"
	    " by: [actual, location]}}", true, false},
	{"by any path", "{rule: all, permit: read}, {rule: this, forbid:"
	    " read, who: {controlled-from: BB}}", true, false},
	{"formal lines only", "{rule: all, permit: read}, {rule: this,"
	    " forbid: read, who: {controlled-from: BB, by: [formal]}}",
	    false, false},
	{"what is forbidden is not shown anyway", "{rule: all, permit: read,"
	    " what: {categories: key}}, {rule: this, forbid: read, who:"
	    " {controlled-from: BB}, what: {categories: mail}}", false,
	    false},
	{"a mask", "{rule: all, permit: read}, {rule: this, treat: mask,"
	    " who: {controlled-from: {outside: [AA]}, by: [actual,"
	    " location]}}", true, false},
	{"a mask of what is masked", "{rule: all, permit: read}, {rule: m,"
	    " treat: mask}, {rule: this, treat: mask, who: {controlled-from:"
	    " BB, by: [actual, location]}}", false, false},
	{"it asks for more than is met", "{rule: all, permit: read}, {rule:"
	    " this, forbid: read, who: {controlled-from: BB, principals:"
	    " boss, by: [actual]}}", false, false},
	{"others behind", "{rule: all, permit: read}, {rule: this, forbid:"
	    " read, whose: {relation: others-behind, by: [location,"
	    " actual]}}", true, false},
	{"a permit if no other is behind", "{rule: this, permit: read, whose:"
	    " {relation: no-other-behind, by: [location, actual]}}", true,
	    false},
	{"another permit gives the same", "{rule: this, permit: read, whose:"
	    " {relation: no-other-behind, by: [location, actual]}}, {rule:"
	    " all, permit: read}", false, false},
	{"a role that is forbidden", "{rule: all, permit: read}, {rule: this,"
	    " forbid: read, who: {roles: [chief]}}", false, true},
	{"what asks who instructs knows that it does not know", "{rule: all,"
	    " permit: read}, {rule: this, forbid: read, who: {instructed-by:"
	    " boss}}", false, false},
};

static void
a_rule_is_named_if_writing_the_fact_takes_something_away(void **state)
{
	struct found bare, is, none;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(cases); i++) {
		find(cases[i].rules, "", &bare);
		find(cases[i].rules, ", instructor: boss", &is);
		find(cases[i].rules, ", instructor: none", &none);
		if (bare.rests[MISSING_INSTRUCTOR] != cases[i].instructor ||
		    (is.shown < bare.shown) != cases[i].instructor ||
		    none.shown < bare.shown ||
		    is.rests[MISSING_INSTRUCTOR] != 0 ||
		    none.rests[MISSING_INSTRUCTOR] != 0)
			fail_msg("%s: %zu rest on the instructor; %u shown, "
			    "%u with one, %u with none", cases[i].what,
			    bare.rests[MISSING_INSTRUCTOR], bare.shown,
			    is.shown, none.shown);
		find(cases[i].rules, ", roles: [chief]", &is);
		find(cases[i].rules, ", roles: [clerk]", &none);
		if (bare.rests[MISSING_ROLES] != cases[i].roles ||
		    (is.shown < bare.shown) != cases[i].roles ||
		    none.shown != bare.shown || is.rests[MISSING_ROLES] != 0)
			fail_msg("%s: %zu rest on roles; %u shown, %u with "
			    "one", cases[i].what, bare.rests[MISSING_ROLES],
			    bare.shown, is.shown);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_rule_is_named_if_writing_the_fact_takes_something_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

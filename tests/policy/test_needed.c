/*
 * Rules that could as well be gone, against taking each out of the text and
 * deciding everything: every session of everybody with and without it, with
 * every approval that there can be of up to two rules. What is said of a
 * rule beside that is held to the rules that apply to each cell, one by one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "policy/effect.h"
#include "policy/needed.h"
#include "policy/rule.h"
#include "policy/sessions.h"
#include "story.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define CASES 100
#define RULES 6
#define CELLS_MAX 64
#define TEXT_MAX 4096

static const char *const residences[] = {"AA", "BB"};
static const char *const services[] = {"feed"};
static const char *const people[] = {"mill", "feed", "ann", "bob", "cat"};

static const char directory[] =
    "directory: 1\nissuer: hr\n"
    "sites: {sa: {country: AA}, sb: {country: BB}}\n"
    "entities: {e: {country: AA, owners: {}, rest: dispersed}}\n"
    "people:\n"
    "  ann: {employer: e, site: sa, manager: none, instructor: none,"
    " roles: [r0]}\n"
    "  bob: {employer: e, site: sb, manager: ann, instructor: none,"
    " roles: [r0, r1]}\n"
    "  cat: {employer: e, manager: bob, roles: [r1]}\n"
    "services:\n"
    "  feed: {operator: e, site: sa, keepers: [bob]}\n"
    "  mill: {operator: e, site: sb, keepers: none}\n";

static const char catalog[] =
    "catalog: c\ncategories: [key, mail, note]\n"
    "subjects: {table: p.users, key: id,"
    " residence: {column: land, values: {b: BB, a: AA}}}\n"
    "tables:\n"
    "  p.users: {subject: self, columns: {id: key, mail: mail}}\n"
    "  p.notes: {subject: 'who > p.users.id', columns: {who: key,"
    " text: note, cc: mail}}\n";

static uint64_t seed;

static unsigned
roll(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

struct texts {
	char rules[RULES][512];
};

static void
make_rules(struct texts *t)
{
	static const char *const verbs[] = {"permit: read", "permit: read",
	    "permit: read", "forbid: read", "treat: mask", "treat: absent"};
	static const char *const who[] = {"", "", "who: {roles: r0}, ",
	    "who: {roles: r1}, ", "who: {kind: person}, ",
	    "who: {controlled-from: BB}, ", "who: {principals: ann}, ",
	    "who: {located-in: AA}, ", "who: {kind: service}, ",
	    "who: {roles: nobody}, "};
	static const char *const what[] = {"", "", "what: {tables: p.users}, ",
	    "what: {categories: mail}, ", "what: {categories: [key, note]}, ",
	    "what: {tables: p.notes, categories: [key, mail]}, ",
	    "what: {stores: other}, "};
	static const char *const whose[] = {"", "", "whose: AA, ",
	    "whose: {relation: behind}, ", "whose: [AA, BB], "};
	static const char *const why[] = {"", "", "why: {purposes: w0}, ",
	    "why: {ticket: 'T-[0-9]+'}, ", "why: {purposes: [w0, w1]}, "};
	static const char *const when[] = {"", "", "", "",
	    "when: {hours: '08:00-18:00', utc-offset: '+00:00'}, "};
	const char *parts[5];
	unsigned i, verb, approvals = 0;
	bool approval;

	for (i = 0; i < RULES; i++) {
		verb = roll(LENGTH(verbs));
		approval = verb < 3 && approvals < 2 && roll(5) == 0;
		approvals += approval;
		/* One after another: compilers differ in the order in which
		 * they work out what a function is given. */
		parts[4] = when[roll(LENGTH(when))];
		parts[3] = why[roll(LENGTH(why))];
		parts[2] = whose[roll(LENGTH(whose))];
		parts[1] = what[roll(LENGTH(what))];
		parts[0] = who[roll(LENGTH(who))];
		(void)snprintf(t->rules[i], sizeof(t->rules[i]),
		    "- {rule: n%u, %s, %s%s%s%s%s%s}\n", i, verbs[verb],
		    parts[0], parts[1], parts[2], parts[3], parts[4],
		    approval ? "approval: {by: {roles: r1}, apart: [formal]}, " : "");
	}
}

/* The policy without one rule; RULES: with all. */
static void
write_policy(const struct texts *t, unsigned without, char ret[TEXT_MAX])
{
	size_t len;
	unsigned i;

	len = (size_t)snprintf(ret, TEXT_MAX, "policy: p\nversion: 1\n"
	    "purposes: [w0, w1]\nrules:\n"
	    "- {rule: last, permit: read, who: {principals: nobody}}\n");
	for (i = 0; i < RULES; i++)
		if (i != without)
			len += (size_t)snprintf(ret + len, TEXT_MAX - len,
			    "%s", t->rules[i]);
	assert_in_range(len, 1, TEXT_MAX - 1);
}

/* --- the oracle --- */

struct walk {
	struct story whole, without[RULES];
	struct reach_store store;
	struct reach_space space;
	struct sessions sessions;
	struct arena *a, *scratch;
	struct needed *n;
	bool needed[RULES];
	/* Of the rules that apply to cells, one by one: */
	bool acts[RULES], open[RULES], permitted[RULES];
	bool covers[RULES][RULES];	/* applies wherever that is open */
	bool alone[RULES];		/* nothing does as much somewhere */
};

static unsigned
number_of(const char *name)
{
	return (unsigned)(name[1] - '0');
}

/* Whether one does at least as much as another, of the same sort. */
static bool
as_much(const char *verb, const char *than)
{
	return strcmp(verb, than) == 0 || (strcmp(verb, "absent") == 0 &&
	    strcmp(than, "mask") == 0);
}

static void
look_at_cell(struct walk *w, const struct effect *e)
{
	bool permitted = false, forbidden = false, found;
	bool covers[RULES];
	size_t i, k;

	for (i = 0; i < e->n; i++) {
		permitted |= strcmp(e->rules[i].verb, "permit") == 0;
		forbidden |= strcmp(e->rules[i].verb, "forbid") == 0;
	}
	for (i = 0; i < e->n; i++) {
		unsigned one = number_of(e->rules[i].name);
		bool is_forbid = strcmp(e->rules[i].verb, "forbid") == 0;

		w->acts[one] = true;
		w->permitted[one] |= permitted;
		if (!is_forbid && (!permitted || forbidden))
			continue;
		w->open[one] = true;
		memset(covers, 0, sizeof(covers));
		for (k = 0, found = false; k < e->n; k++)
			if (k != i && as_much(e->rules[k].verb,
			    e->rules[i].verb)) {
				covers[number_of(e->rules[k].name)] = true;
				found = true;
			}
		w->alone[one] |= !found;
		for (k = 0; k < RULES; k++)
			w->covers[one][k] &= covers[k];
	}
}

static void
look_at_cells(struct walk *w, const struct reach_session *q)
{
	struct policy_request r = reach_request(&w->store, q);
	const struct clearance *c = NULL;
	struct effect e;
	size_t i;

	assert_int_equal(policy_decide(w->whole.policy, &r, w->scratch, &c),
	    0);
	for (i = 0; i < w->space.n_cells; i++) {
		assert_int_equal(policy_effect(w->whole.policy, &r, c,
		    w->space.cells[i].table, w->space.cells[i].residence,
		    w->space.cells[i].column, w->scratch, &e), 0);
		look_at_cell(w, &e);
	}
	arena_reset(w->scratch);
}

static int
try_each(void *arg, const struct reach_session *q)
{
	struct walk *w = arg;
	uint8_t with[CELLS_MAX], levels[CELLS_MAX];
	unsigned i;

	assert_int_equal(reach_levels(&w->space, w->whole.policy, q,
	    w->scratch, with), 0);
	for (i = 0; i < RULES; i++) {
		assert_int_equal(reach_levels(&w->space, w->without[i].policy,
		    q, w->scratch, levels), 0);
		if (memcmp(with, levels, w->space.n_cells) != 0)
			w->needed[i] = true;
	}
	look_at_cells(w, q);
	return q->approved == NULL ? needed_add(w->n, q) : 0;
}

/* With every set of approvals. */
static void
try_all(struct walk *w)
{
	const char *approvable[RULES], *chosen[RULES];
	struct policy_approvals given = { .rules = chosen };
	size_t i, n = 0;
	unsigned set, k;

	for (i = 0; i < w->whole.policy->n_rules; i++)
		if (w->whole.policy->rules[i].approval.set)
			approvable[n++] = w->whole.policy->rules[i].name;
	for (set = 0; set < 1u << n; set++) {
		for (k = 0, given.n = 0; k < n; k++)
			if ((set >> k & 1) != 0)
				chosen[given.n++] = approvable[k];
		for (i = 0; i < LENGTH(people); i++)
			assert_int_equal(reach_each_approved(
			    w->whole.directory, &w->sessions, people[i],
			    STORY_OCTOBER, set == 0 ? NULL : &given,
			    try_each, w), 0);
	}
}

static void
begin(struct walk *w, const struct texts *t)
{
	char text[TEXT_MAX];
	const struct policy *list[1];
	struct why why;
	unsigned i;

	memset(w, 0, sizeof(*w));
	memset(w->covers, 1, sizeof(w->covers));
	write_policy(t, RULES, text);
	story_init(&w->whole, directory, catalog, text);
	for (i = 0; i < RULES; i++) {
		write_policy(t, i, text);
		story_init(&w->without[i], directory, catalog, text);
	}
	w->store = (struct reach_store){.name = "s", .catalog =
	    w->whole.catalog, .residences = residences, .n_residences =
	    LENGTH(residences), .services = services, .n_services =
	    LENGTH(services)};
	assert_non_null(w->a = arena_new());
	assert_non_null(w->scratch = arena_new());
	assert_int_equal(reach_space_make(&w->store, 1, w->a, &w->space), 0);
	assert_in_range(w->space.n_cells, 1, CELLS_MAX);
	list[0] = w->whole.policy;
	assert_int_equal(sessions_list(w->whole.directory, NULL, list, 1,
	    STORY_OCTOBER, w->a, &w->sessions, &why), 0);
	assert_int_equal(needed_new(&w->space, w->whole.policy, &w->n), 0);
}

static void
end(struct walk *w)
{
	unsigned i;

	needed_free(w->n);
	arena_free(w->a);
	arena_free(w->scratch);
	story_done(&w->whole);
	for (i = 0; i < RULES; i++)
		story_done(&w->without[i]);
}

static unsigned told[NEEDED_SAME + 1], by_one;

static void
check_rule(const struct walk *w, size_t number)
{
	const struct rule *r = &w->whole.policy->rules[number];
	unsigned i = number_of(r->name);
	const char *by;
	enum needed_why why = needed_why(w->n, number, &by);

	told[why]++;
	assert_int_equal(why == NEEDED, w->needed[i]);
	assert_int_equal(why == NEEDED_NOWHERE, !w->acts[i]);
	if (why == NEEDED || why == NEEDED_NOWHERE)
		return;
	assert_int_equal(why == NEEDED_FORBIDDEN, r->verb == VERB_PERMIT &&
	    !w->open[i]);
	if (why == NEEDED_COVERED)
		assert_false(w->alone[i]);
	if (why == NEEDED_SAME || (why == NEEDED_NOTHING && w->open[i]))
		assert_true(w->alone[i]);
	if (by != NULL) {
		assert_int_equal(why, NEEDED_COVERED);
		assert_true(w->covers[i][number_of(by)]);
		by_one++;
	} else if (why == NEEDED_COVERED) {
		for (number = 0; number < RULES; number++)
			assert_false(w->covers[i][number]);
	}
}

static void
a_rule_is_needed_if_without_it_something_is_decided_otherwise(void **state)
{
	struct texts t;
	struct walk w;
	unsigned i;
	size_t k;

	(void)state;
	for (i = 0; i < CASES; i++) {
		seed = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
		make_rules(&t);
		begin(&w, &t);
		try_all(&w);
		/* Sorted by name, "last" before the others. */
		for (k = 1; k < w.whole.policy->n_rules; k++)
			check_rule(&w, k);
		end(&w);
	}
	/* Each answer was given often enough to be tried. */
	print_message("# %u needed, %u nowhere, %u forbidden, %u covered (%u "
	    "by one), %u nothing, %u same\n", told[0], told[1], told[2],
	    told[3], by_one, told[4], told[5]);
	assert_in_range(told[NEEDED], 50, CASES * RULES);
	assert_in_range(told[NEEDED_NOWHERE], 20, CASES * RULES);
	assert_in_range(told[NEEDED_FORBIDDEN], 3, CASES * RULES);
	assert_in_range(told[NEEDED_NOTHING], 20, CASES * RULES);
	assert_in_range(by_one, 20, CASES * RULES);
	assert_in_range(told[NEEDED_COVERED] - by_one, 1, CASES * RULES);
}

static const struct {
	const char *rules[RULES];	/* NULL: one that nobody meets */
	enum needed_why why;		/* of n0 */
	const char *by;
} cases[] = {
	{{"permit: read", "permit: read, who: {roles: r0}"}, NEEDED, NULL},
	{{"permit: read, who: {roles: r0}", "permit: read"}, NEEDED_COVERED,
	    "n1"},
	{{"permit: read, what: {categories: [key, mail]}", "permit: read, "
	    "what: {categories: [key, note]}", "permit: read, what: "
	    "{categories: [mail, note]}"}, NEEDED_COVERED, NULL},
	{{"permit: read, whose: AA", "forbid: read, whose: [AA, BB]"},
	    NEEDED_FORBIDDEN, NULL},
	{{"permit: read, who: {roles: nobody}"}, NEEDED_NOWHERE, NULL},
	{{"forbid: read, whose: AA", "permit: read, whose: BB"},
	    NEEDED_NOTHING, NULL},
	{{"forbid: read, whose: AA", "permit: read", "forbid: read"},
	    NEEDED_COVERED, "n2"},
	{{"treat: mask, what: {categories: mail}", "permit: read", "treat: "
	    "absent, what: {categories: [mail, note]}"}, NEEDED_COVERED,
	    "n2"},
	{{"treat: absent, what: {categories: mail}", "permit: read", "treat: "
	    "mask, what: {categories: mail}"}, NEEDED, NULL},
	{{"treat: mask, what: {categories: mail}", "permit: read, what: "
	    "{categories: key}"}, NEEDED_NOTHING, NULL},
	/* The text is permitted to one residence, and no column is shown
	 * that is not for all who are: so it stays away. */
	{{"permit: read, what: {categories: note}, whose: AA", "permit: "
	    "read, what: {categories: key}"}, NEEDED_SAME, NULL},
	/* What an approval would open is not idle for the want of one. */
	{{"permit: read, approval: {by: {roles: r1}, apart: [formal]}"},
	    NEEDED, NULL},
};

static void
what_does_as_much_is_named(void **state)
{
	static const char nobody[] = "permit: read, who: {roles: nobody}";
	const char *by, *rule;
	struct texts t;
	struct walk w;
	size_t i, k;

	(void)state;
	for (i = 0; i < LENGTH(cases); i++) {
		for (k = 0; k < RULES; k++) {
			rule = cases[i].rules[k];
			(void)snprintf(t.rules[k], sizeof(t.rules[k]),
			    "- {rule: n%zu, %s}\n", k, rule != NULL ? rule :
			    nobody);
		}
		begin(&w, &t);
		try_all(&w);
		assert_int_equal(needed_why(w.n, 1, &by), cases[i].why);
		if (cases[i].by == NULL)
			assert_null(by);
		else
			assert_string_equal(by, cases[i].by);
		end(&w);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_does_as_much_is_named),
		cmocka_unit_test(
	    a_rule_is_needed_if_without_it_something_is_decided_otherwise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

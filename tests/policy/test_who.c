/*
 * Every condition about who reads, and how many are in a store: true, false
 * or not known. Each is asked twice, of a permit and of a forbid beside a
 * permit for all, since what is not known must refuse by both.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "catalog/catalog.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "policy/policy.h"

static const char directory_text[] =
    "directory: 1\nissuer: hr\n"
    "sites: {a: {country: AA}, b: {country: BB}}\n"
    "entities:\n"
    "  ea: {country: AA, owners: {}, rest: dispersed}\n"
    "  eb: {country: BB, owners: {}, rest: dispersed}\n"
    "  ec: {owners: {}, rest: dispersed}\n"
    "people:\n"
    "  ann: {employer: {id: ea, kind: employee}, site: a, manager: none,"
    " instructor: none, nationality: AA, offices: none}\n"
    "  bob: {employer: {id: eb, kind: contractor}, site: b, manager: ann,"
    " instructor: ann, nationality: [AA, BB],"
    " offices: ['BB: mayor', 'party of BB']}\n"
    "  cat: {employer: ea, site: [a, b], manager: none, instructor: [eb,"
    " ann]}\n"
    "  dan: {}\n"
    "  eve: {employer: none, site: a, manager: none, nationality: CC}\n"
    "  fay: {employer: [{id: ea, kind: employee}, {id: eb, kind:"
    " contractor}], site: a, manager: none}\n"
    "  gus: {employer: ec, site: a, manager: none}\n"
    "services:\n"
    "  run: {operator: ea, keepers: none, site: a}\n"
    "  lost: {}\n";

static const char catalog_text[] =
    "catalog: c\ncategories: [name, gene, note]\n"
    "subjects: {table: public.people, key: id, residence: store%s}\n"
    "tables:\n"
    "  public.people: {subject: self, columns: {id: name, genome: gene,"
    " said: note}}\n";

static const char definitions[] =
    "definitions:\n"
    "  local:\n"
    "    entities: {organised-in: [AA]}\n"
    "    people: {employed-as: [employee, contractor]}\n"
    "    services: {through: operator}\n"
    "  stranger:\n"
    "    people: {resident-in: {outside: [AA]}}\n"
    "    unless: {nationality: AA}\n"
    "bulk:\n"
    "  low: {months: 12, thresholds: [{categories: gene, more-than: 100},"
    " {categories: [name], more-than: 1000}]}\n"
    "  name-only: {months: 12, thresholds: [{categories: name,"
    " more-than: 1000}]}\n"
    "  elsewhere: {months: 12, thresholds: [{categories: voice,"
    " more-than: 1}]}\n";

enum { NO, MAYBE, YES };

static const struct {
	const char *condition, *who;
	const char *seen_at;		/* or NULL */
	int want;
} cases[] = {
	{"who: {employed-as: employee}", "ann", NULL, YES},
	{"who: {employed-as: contractor}", "ann", NULL, NO},
	{"who: {employed-as: nobody}", "ann", NULL, NO},
	{"who: {employed-as: nobody}", "eve", NULL, YES},
	{"who: {employed-as: employee}", "cat", NULL, MAYBE},
	{"who: {employed-as: [employee, contractor]}", "cat", NULL, YES},
	{"who: {employed-as: nobody}", "cat", NULL, NO},
	{"who: {employed-as: employee}", "dan", NULL, MAYBE},
	{"who: {employed-as: employee}", "run", NULL, NO},
	/* Of one and the same employment. */
	{"who: {employed-by: eb, employed-as: contractor}", "fay", NULL, YES},
	{"who: {employed-by: eb, employed-as: employee}", "fay", NULL, NO},
	{"who: {employed-by: ea, employed-as: employee}", "fay", NULL, YES},
	{"who: {employed-by: ea, employed-as: employee}", "cat", NULL, MAYBE},

	{"who: {instructed-by: ann}", "bob", NULL, YES},
	{"who: {instructed-by: [eb]}", "cat", NULL, YES},
	{"who: {instructed-by: dan}", "cat", NULL, NO},
	{"who: {instructed-by: ann}", "ann", NULL, NO},
	{"who: {instructed-by: ann}", "dan", NULL, MAYBE},
	{"who: {instructed-by: ann}", "run", NULL, NO},

	{"who: {offices: BB}", "bob", NULL, YES},
	{"who: {offices: 'BB: mayor'}", "bob", NULL, YES},
	{"who: {offices: 'BB: may'}", "bob", NULL, NO},
	{"who: {offices: B}", "bob", NULL, NO},
	{"who: {offices: [AA, party of BB]}", "bob", NULL, YES},
	{"who: {offices: BB}", "ann", NULL, NO},
	{"who: {offices: BB}", "dan", NULL, MAYBE},
	{"who: {offices: BB}", "lost", NULL, NO},

	{"who: {based-in: AA}", "ann", NULL, YES},
	{"who: {based-in: AA}", "ann", "BB", YES},
	{"who: {based-in: BB}", "ann", "BB", NO},
	{"who: {based-in: BB}", "cat", NULL, YES},
	{"who: {based-in: AA}", "dan", "AA", MAYBE},
	{"who: {based-in: {outside: AA}}", "ann", NULL, NO},
	{"who: {based-in: {outside: [AA]}}", "cat", NULL, YES},
	{"who: {based-in: {outside: [AA]}}", "dan", NULL, MAYBE},
	{"who: {based-in: AA}", "run", NULL, YES},

	{"who: {connecting-from: AA}", "ann", NULL, YES},
	{"who: {connecting-from: AA}", "ann", "AA", YES},
	{"who: {connecting-from: AA}", "ann", "BB", NO},
	{"who: {connecting-from: AA}", "ann", "unknown", MAYBE},
	{"who: {connecting-from: {outside: AA}}", "ann", "AA", NO},
	{"who: {connecting-from: {outside: AA}}", "ann", "BB", YES},
	{"who: {connecting-from: {outside: AA}}", "ann", "unknown", MAYBE},
	{"who: {connecting-from: AA}", "dan", NULL, MAYBE},

	{"who: {located-in: {outside: AA}}", "ann", NULL, NO},
	{"who: {located-in: {outside: AA}}", "ann", "BB", YES},
	{"who: {located-in: {outside: AA}}", "ann", "unknown", MAYBE},
	{"who: {located-in: {outside: AA}}", "dan", NULL, MAYBE},
	{"who: {located-in: {outside: [AA, BB]}}", "cat", NULL, NO},

	{"who: {nationality: {outside: AA}}", "ann", NULL, NO},
	{"who: {nationality: {outside: AA}}", "bob", NULL, YES},
	{"who: {nationality: {outside: AA}}", "dan", NULL, MAYBE},

	{"who: {controlled-from: {outside: AA}, by: employment}", "ann",
	    NULL, NO},
	{"who: {controlled-from: {outside: AA}, by: employment}", "bob",
	    NULL, YES},
	{"who: {controlled-from: {outside: AA}, by: employment}", "gus",
	    NULL, MAYBE},
	{"who: {controlled-from: {outside: AA}, by: employment}", "eve",
	    NULL, NO},
	{"who: {controlled-from: {outside: BB}, by: [location, formal]}",
	    "bob", NULL, YES},

	{"who: {is: local}", "ann", NULL, YES},
	{"who: {is: local}", "bob", NULL, NO},
	{"who: {is: local}", "gus", NULL, MAYBE},
	{"who: {is: local}", "dan", NULL, MAYBE},
	{"who: {is: local}", "eve", NULL, NO},
	{"who: {is: local}", "run", NULL, YES},
	{"who: {is: local}", "lost", NULL, MAYBE},
	{"who: {is: stranger}", "bob", NULL, NO},
	{"who: {is: stranger}", "cat", NULL, MAYBE},
	{"who: {is: [local, stranger]}", "cat", NULL, YES},
	{"who: {is: [stranger]}", "dan", NULL, MAYBE},
	{"who: {is: local, based-in: BB}", "cat", NULL, YES},
	{"who: {is: local, based-in: BB}", "ann", NULL, NO},
	{"who: {is: local, based-in: BB}", "gus", NULL, NO},
};

static struct directory *
load_directory(void)
{
	struct directory *d = NULL;
	struct why w = {0};

	if (directory_load(directory_text, strlen(directory_text), &d,
	    &w) != 0)
		fail_msg("directory:%u:%u: %s", w.line, w.column, w.text);
	return d;
}

static struct catalog *
load_catalog(const char *more)
{
	struct catalog *c = NULL;
	struct why w = {0};
	char text[1000];

	(void)snprintf(text, sizeof(text), catalog_text, more);
	if (catalog_load(text, strlen(text), &c, &w) != 0)
		fail_msg("catalog:%u:%u: %s", w.line, w.column, w.text);
	return c;
}

/* Whether anything is shown. */
static bool
is_shown(const struct directory *d, const struct catalog *c,
    const char *rules, const char *who, const char *seen_at)
{
	static const char *const home[] = {"AA"};
	struct policy_request q = {.store = "s", .residences = home,
	    .n_residences = 1, .catalog = c};
	const struct clearance *cl;
	struct arena *a = arena_new();
	struct policy *p = NULL;
	struct why w = {0};
	char text[4000];
	bool shown;

	(void)snprintf(text, sizeof(text), "policy: p\nversion: 1\n%srules:\n"
	    "%s", definitions, rules);
	if (policy_load(text, strlen(text), &p, &w) != 0)
		fail_msg("%s: %u:%u: %s", rules, w.line, w.column, w.text);
	assert_int_equal(directory_principal(d, who, 0, a, &q.who), 0);
	assert_int_equal(control_of(d, who, 0, &seen_at, seen_at != NULL, a,
	    &q.control), 0);
	assert_int_equal(policy_decide(p, &q, a, &cl), 0);
	shown = cl->tables[0].readable;
	policy_free(p);
	arena_free(a);
	return shown;
}

static void
check(const struct directory *d, const struct catalog *c,
    const char *condition, const char *who, const char *seen_at, int want)
{
	char rules[1000];
	bool permit, forbid;

	(void)snprintf(rules, sizeof(rules),
	    "  - {rule: r, permit: read, %s}\n", condition);
	permit = is_shown(d, c, rules, who, seen_at);
	(void)snprintf(rules, sizeof(rules), "  - {rule: a, permit: read}\n"
	    "  - {rule: r, forbid: read, %s}\n", condition);
	forbid = !is_shown(d, c, rules, who, seen_at);
	if (permit != (want == YES) || forbid != (want != NO))
		fail_msg("%s of %s seen at %s: %s and %s, wanted %d",
		    condition, who, seen_at != NULL ? seen_at : "home",
		    permit ? "permitted" : "not permitted",
		    forbid ? "forbidden" : "not forbidden", want);
}

static void
what_is_not_known_of_a_reader_refuses_both_ways(void **state)
{
	struct directory *d = load_directory();
	struct catalog *c = load_catalog("");
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(d, c, cases[i].condition, cases[i].who,
		    cases[i].seen_at, cases[i].want);
	catalog_free(c);
	directory_free(d);
}

/* What a catalog states is how many there are at most, so that there are
 * more than the number is never known for sure. */
static void
store_that_does_not_state_few_subjects_counts_as_bulk(void **state)
{
	static const struct {
		const char *stated, *bulk;
		int want;
	} counts[] = {
		{"", "low", MAYBE},
		{", at-most: 101", "low", MAYBE},
		{", at-most: 100", "low", NO},
		{", at-most: 0", "low", NO},
		{"", "name-only", MAYBE},
		{", at-most: 1001", "name-only", MAYBE},
		{", at-most: 1000", "name-only", NO},
		{"", "elsewhere", NO},
	};
	struct directory *d = load_directory();
	struct catalog *c;
	char what[100];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		c = load_catalog(counts[i].stated);
		(void)snprintf(what, sizeof(what), "what: {bulk: %s}",
		    counts[i].bulk);
		check(d, c, what, "ann", NULL, counts[i].want);
		catalog_free(c);
	}
	directory_free(d);
}

#define POLICY "policy: p\nversion: 1\n"
#define RULE POLICY "rules:\n  - {rule: r, permit: read, "

static const struct {
	const char *what, *text;
	unsigned line, column;
	const char *word;
} broken[] = {
	{"no such definition", RULE "who: {is: wizard}}\n", 4, 39, "wizard"},
	{"no such employment", RULE "who: {employed-as: slave}}\n", 4, 48,
	    "slave"},
	{"outside of nothing", RULE "who: {based-in: {outside: []}}}\n", 4,
	    55, "empty"},
	{"unknown key beside outside", RULE
	    "who: {based-in: {outside: AA, inside: BB}}}\n", 4, 59, "inside"},
	{"outside of ids", RULE "who: {employed-by: {outside: ea}}}\n", 4,
	    48, "text"},
	{"no such bulk", RULE "what: {bulk: heaps}}\n", 4, 42, "heaps"},
	{"definition that nobody can meet", POLICY "definitions:\n  d:\n"
	    "    people: {employed-as: employee}\nrules: []\n", 5, 5,
	    "nobody can be"},
	{"definition of nothing", POLICY "definitions:\n  d: {}\nrules: []\n",
	    4, 6, "nobody can be"},
	{"definition by nobody's employment", POLICY "definitions:\n  d:\n"
	    "    people: {employed-as: nobody, resident-in: AA}\n"
	    "rules: []\n", 5, 27, "employed-as"},
	{"ownership of nothing", POLICY "definitions:\n  d:\n"
	    "    entities: {organised-in: AA, owned: 0}\nrules: []\n", 5, 41,
	    "share"},
	{"ownership above all", POLICY "definitions:\n  d:\n"
	    "    entities: {organised-in: AA, owned: 101}\nrules: []\n", 5,
	    41, "share"},
	{"unknown label", POLICY "definitions:\n  d:\n"
	    "    people: {resident-in: unknown}\nrules: []\n", 5, 27,
	    "reserved"},
	{"unknown way", POLICY "definitions:\n  d:\n    named: x\n"
	    "    services: {through: [owner]}\nrules: []\n", 6, 26, "owner"},
	{"bulk without thresholds", POLICY "bulk:\n  b: {months: 12,"
	    " thresholds: []}\nrules: []\n", 4, 31, "threshold"},
	{"bulk over no time", POLICY "bulk:\n  b: {months: 0, thresholds:"
	    " [{categories: c, more-than: 1}]}\nrules: []\n", 4, 15, "1"},
	{"two numbers of one category", POLICY "bulk:\n  b:\n    months: 12\n"
	    "    thresholds:\n      - {categories: [c, d], more-than: 1}\n"
	    "      - {categories: d, more-than: 2}\nrules: []\n", 8, 9, "\"d\""},
	{"regime without a date", POLICY "regime: {title: t, source: [s],"
	    " leaves-out: [x]}\nrules: []\n", 3, 9, "as-of"},
};

static void
what_could_match_nobody_is_refused_where_it_stands(void **state)
{
	struct policy *p = NULL;
	struct why w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		memset(&w, 0, sizeof(w));
		if (policy_load(broken[i].text, strlen(broken[i].text), &p,
		    &w) == 0)
			fail_msg("%s: was taken", broken[i].what);
		if (w.line != broken[i].line || w.column != broken[i].column ||
		    strstr(w.text, broken[i].word) == NULL)
			fail_msg("%s: %u:%u: %s (wanted %u:%u, %s)",
			    broken[i].what, w.line, w.column, w.text,
			    broken[i].line, broken[i].column, broken[i].word);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_is_not_known_of_a_reader_refuses_both_ways),
		cmocka_unit_test(
		    store_that_does_not_state_few_subjects_counts_as_bulk),
		cmocka_unit_test(
		    what_could_match_nobody_is_refused_where_it_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

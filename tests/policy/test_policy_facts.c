/*
 * Random policies about what is derived from a directory, or stated of a
 * store: definitions, offices held, where a session connects from, bulk,
 * hours of the week, approvals; with masks and relations among them. Against
 * the sentences of docs/policy.md, iterated literally; what they say of each
 * reader is written down here by hand, true, false or not known.
 *
 * SWORN_POLICY_SEED and SWORN_POLICY_CASES as for test_policy_random.
 */
#include <inttypes.h>
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
#include "catalog/catalog.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "policy/policy.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define CASES 2000
#define REQUESTS 12
#define SEED 20261124
#define RULES 7
#define READERS 6
#define COLUMNS 3
#define MONDAY_MS INT64_C(1795392000000)	/* 2026-11-23T00:00:00Z */
#define MINUTE_MS 60000
#define DAY_MIN 1440

enum value { NO, MAYBE, YES };

static const char directory_text[] =
    "directory: 1\nissuer: hr\n"
    "sites: {sa: {country: AA}, sb: {country: BB}}\n"
    "entities:\n"
    "  eb: {country: BB, owners: {}, rest: dispersed}\n"
    "  ea: {country: AA, owners: {eb: 40}, rest: unknown}\n"
    "  ed: {country: AA, owners: {}, rest: dispersed}\n"
    "people:\n"
    "  ann: {employer: eb, site: sa, manager: none, instructor: none,"
    " offices: none, roles: [r0]}\n"
    "  bob: {employer: none, manager: none, instructor: none,"
    " offices: ['CC: mayor'], roles: [r1]}\n"
    "  cat: {employer: ea, site: sb, residence: BB, manager: none,"
    " instructor: none, roles: [r0, r1]}\n"
    "services:\n"
    "  svc: {operator: eb, site: sa, keepers: none}\n"
    "  run: {operator: ed, keepers: none, roles: [r0]}\n"
    "  mix: {operator: ea, site: sb, keepers: none}\n";

static const char definitions_text[] =
    "definitions:\n"
    "  d0: {people: {resident-in: [AA]}, services: {located-in: [AA]}}\n"
    "  d1: {entities: {organised-in: [BB], owned: 50}, people:"
    " {employed-as: [employee, contractor]}, services: {through:"
    " [operator]}}\n"
    "  d2: {people: {offices: [CC]}}\n"
    "bulk:\n"
    "  b0: {months: 12, thresholds: [{categories: [c0, c1], more-than: 100},"
    " {categories: [c2], more-than: 10}]}\n"
    "  b1: {months: 12, thresholds: [{categories: [c1], more-than: 20}]}\n";

/* By hand, from the texts above. */
static const struct {
	const char *id;
	bool service;
	unsigned roles;
	int based;			/* 0 AA, 1 BB, -1 not known */
	enum value is[3];
	enum value office[3];		/* as offices[] */
} readers[READERS] = {
	{"ann", false, 1, 0, {YES, YES, NO}, {NO, NO, NO}},
	{"bob", false, 2, -1, {MAYBE, NO, YES}, {YES, YES, NO}},
	{"cat", false, 3, 1, {NO, MAYBE, MAYBE}, {MAYBE, MAYBE, MAYBE}},
	{"svc", true, 0, 0, {YES, YES, NO}, {NO, NO, NO}},
	{"run", true, 1, -1, {MAYBE, NO, NO}, {NO, NO, NO}},
	{"mix", true, 0, 1, {NO, MAYBE, NO}, {NO, NO, NO}},
};
static const char *const labels[] = {"AA", "BB", "CC", "unknown"};
static const char *const offices[] = {"CC", "'CC: mayor'", "'AA: judge'"};
static const char *const names[] = {"d0", "d1", "d2"};
static const char *const roles[] = {"r0", "r1"};
static const char *const categories[] = {"c0", "c1", "c2"};

/* Stores: their columns' categories, and of how many people they state at
 * most to have data; 0: they state nothing. Whether that is bulk, by hand. */
static const struct {
	unsigned n_columns;		/* c0, c1, ... */
	unsigned first;			/* or from here on */
	uint64_t at_most;
	enum value bulk[2];
} stores[] = {
	{3, 0, 0, {MAYBE, MAYBE}},
	{3, 0, 15, {MAYBE, NO}},
	{3, 0, 10, {NO, NO}},
	{2, 0, 100, {NO, MAYBE}},
	{2, 0, 101, {MAYBE, MAYBE}},
	{1, 0, 5000, {MAYBE, NO}},
	{1, 2, 11, {MAYBE, NO}},
};

static struct catalog catalogs[LENGTH(stores)];
static struct catalog_table tables[LENGTH(stores)];
static struct catalog_column columns[LENGTH(stores)][COLUMNS];

struct rule {
	int verb;			/* 0 permit, 1 forbid, 2 treat */
	int treat;
	int kind;			/* 0 any, 1 person, 2 service */
	unsigned roles, is, offices, connecting, categories, whose;
	bool outside;			/* connecting */
	int relation;			/* 0 none, 1 behind, 2 not */
	int bulk;			/* -1: not asked */
	bool approval;
	/* When, in minutes; days 0: not asked. */
	unsigned days, from, to;
	int offset;
};

struct request {
	unsigned who, store;
	unsigned seen;			/* set of labels */
	int64_t at_ms;
	unsigned approved;		/* set of rules */
	bool all_approved;
};

static uint64_t seed;

static unsigned
roll(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

static unsigned
roll_set(unsigned in, unsigned n)
{
	return roll(in) == 0 ? 1 + roll((1u << n) - 1) : 0;
}

static void
make_rule(struct rule *r)
{
	memset(r, 0, sizeof(*r));
	r->verb = roll(5) < 3 ? 0 : 1 + (int)roll(2);
	r->treat = roll(3) == 0 ? TREAT_ABSENT : TREAT_MASK;
	r->kind = roll(5) == 0 ? 1 + (int)roll(2) : 0;
	r->roles = roll_set(4, 2);
	r->is = roll_set(3, 3);
	r->offices = roll_set(6, 3);
	r->connecting = roll_set(5, 3);
	r->outside = roll(3) == 0;
	r->categories = roll_set(3, 3);
	r->whose = roll_set(4, 2);
	r->relation = roll(6) == 0 ? 1 + (int)roll(2) : 0;
	r->bulk = roll(5) == 0 ? (int)roll(2) : -1;
	r->approval = r->verb == 0 && roll(4) == 0;
	if (roll(4) == 0) {
		r->days = 1 + roll(127);
		r->from = roll(DAY_MIN);
		do
			r->to = roll(DAY_MIN);
		while (r->to == r->from);
		r->offset = (int)roll(57) * 30 - 840;
	}
}

static void
make_request(struct request *q)
{
	q->who = roll(READERS);
	q->store = roll(LENGTH(stores));
	q->seen = roll(4) == 0 ? 0 : 1 + roll(15);
	q->at_ms = MONDAY_MS + (int64_t)roll(14 * DAY_MIN) * MINUTE_MS +
	    roll(MINUTE_MS);
	q->approved = roll(2) == 0 ? 0 : roll(1u << RULES);
	q->all_approved = roll(8) == 0;
}

/* --- the definition --- */

static enum value
least(enum value a, enum value b)
{
	return a < b ? a : b;
}

/* Of a list one suffices. */
static enum value
best_of(unsigned set, const enum value *of, unsigned n)
{
	enum value best = NO;
	unsigned i;

	for (i = 0; i < n; i++)
		if ((set >> i & 1) != 0 && of[i] > best)
			best = of[i];
	return set == 0 ? YES : best;
}

static enum value
connects(const struct rule *r, const struct request *q)
{
	unsigned set = r->outside ? ~r->connecting & 7 : r->connecting;
	int based = readers[q->who].based;

	if (r->connecting == 0)
		return YES;
	if (q->seen == 0)	/* at their own site */
		return based < 0 ? MAYBE : (set >> based & 1) != 0 ? YES : NO;
	if ((q->seen & set) != 0)
		return YES;
	return (q->seen & 8) != 0 ? MAYBE : NO;
}

/* Every span of some days before and after, laid out one by one. */
static bool
in_hours(const struct rule *r, int64_t at_ms)
{
	int64_t minute = at_ms / MINUTE_MS + r->offset;
	int64_t first = MONDAY_MS / MINUTE_MS, day, begin, end;

	if (r->days == 0)
		return true;
	for (day = -3; day < 18; day++) {
		if ((r->days >> (day + 7) % 7 & 1) == 0)
			continue;
		begin = first + day * DAY_MIN + r->from;
		end = first + day * DAY_MIN + r->to +
		    (r->to < r->from ? DAY_MIN : 0);
		if (begin <= minute && minute < end)
			return true;
	}
	return false;
}

/* Whether the residence stands behind the reader, by any path: asked of the
 * control set, which others test. */
static enum value
related(const struct rule *r, const struct control *c, unsigned residence)
{
	enum value v = NO;

	if (r->relation == 0)
		return YES;
	if (control_find(c, "unknown", CONTROL_ALL) != NULL)
		v = MAYBE;
	if (control_find(c, labels[residence], CONTROL_ALL) != NULL)
		v = YES;
	return r->relation == 1 ? v : v == MAYBE ? MAYBE : v == YES ? NO :
	    YES;
}

static bool
applies(const struct rule *r, unsigned number, const struct request *q,
    const struct control *c, unsigned residence, unsigned category)
{
	const enum value *is = readers[q->who].is;
	const enum value *office = readers[q->who].office;
	enum value v;

	if ((r->kind == 1 && readers[q->who].service) ||
	    (r->kind == 2 && !readers[q->who].service) ||
	    (r->roles != 0 && (r->roles & readers[q->who].roles) == 0) ||
	    (r->categories != 0 && (r->categories >> category & 1) == 0) ||
	    (r->whose != 0 && (r->whose >> residence & 1) == 0) ||
	    (r->approval && !q->all_approved &&
	    (q->approved >> number & 1) == 0) || !in_hours(r, q->at_ms))
		return false;
	v = least(connects(r, q), related(r, c, residence));
	v = least(v, best_of(r->is, is, 3));
	v = least(v, best_of(r->offices, office, 3));
	if (r->bulk >= 0)
		v = least(v, stores[q->store].bulk[r->bulk]);
	return v == YES || (v == MAYBE && r->verb != 0);
}

/* What one cell shows by itself. */
static enum treatment
cell(const struct rule *rules, const struct request *q,
    const struct control *c, unsigned residence, unsigned category)
{
	enum treatment t = TREAT_PLAIN;
	bool permitted = false;
	unsigned i;

	for (i = 0; i < RULES; i++) {
		if (!applies(&rules[i], i, q, c, residence, category))
			continue;
		if (rules[i].verb == 1)
			return TREAT_ABSENT;
		permitted |= rules[i].verb == 0;
		if (rules[i].verb == 2 && rules[i].treat < (int)t)
			t = (enum treatment)rules[i].treat;
	}
	/* Permitted and absent is still permitted: see below. */
	return permitted ? t : TREAT_ABSENT;
}

static bool
permitted(const struct rule *rules, const struct request *q,
    const struct control *c, unsigned residence, unsigned category)
{
	bool yes = false;
	unsigned i;

	for (i = 0; i < RULES; i++) {
		if (!applies(&rules[i], i, q, c, residence, category))
			continue;
		if (rules[i].verb == 1)
			return false;
		yes |= rules[i].verb == 0;
	}
	return yes;
}

struct answer {
	unsigned residences;
	enum treatment columns[COLUMNS];
};

/* A residence is shown if some column may be; a column if it may be for all
 * of these, in the strictest treatment; with no column left nobody is. */
static void
define(const struct rule *rules, const struct request *q,
    const struct control *control, struct answer *ret)
{
	unsigned n = stores[q->store].n_columns, first =
	    stores[q->store].first, r, c;
	bool left = false;

	memset(ret, 0, sizeof(*ret));
	for (r = 0; r < 2; r++)
		for (c = 0; c < n; c++)
			if (permitted(rules, q, control, r, first + c))
				ret->residences |= 1u << r;
	for (c = 0; c < n && ret->residences != 0; c++) {
		ret->columns[c] = TREAT_PLAIN;
		for (r = 0; r < 2; r++)
			if ((ret->residences >> r & 1) != 0 && cell(rules, q,
			    control, r, first + c) < ret->columns[c])
				ret->columns[c] = cell(rules, q, control, r,
				    first + c);
		left |= ret->columns[c] != TREAT_ABSENT;
	}
	if (!left)
		ret->residences = 0;
}

/* --- the product's input --- */

static void
make_catalogs(void)
{
	static const struct catalog_subject self;
	size_t i, k;

	for (i = 0; i < LENGTH(stores); i++) {
		for (k = 0; k < stores[i].n_columns; k++)
			columns[i][k] = (struct catalog_column){
			    .name = categories[k],
			    .category = categories[stores[i].first + k] };
		tables[i] = (struct catalog_table){ .schema = "p",
		    .name = "t", .full = "p.t", .columns = columns[i],
		    .n_columns = stores[i].n_columns, .subjects = &self,
		    .n_subjects = 1 };
		catalogs[i] = (struct catalog){ .name = "c",
		    .categories = categories, .n_categories = 3,
		    .tables = &tables[i], .n_tables = 1,
		    .has_at_most = stores[i].at_most != 0,
		    .at_most = stores[i].at_most, .subject_schema = "p",
		    .subject_table = "t", .subject_key = "k",
		    .residence_store = true };
	}
}

static void
put_set(struct buf *out, const char *key, unsigned set,
    const char *const *of)
{
	unsigned i;

	if (set == 0)
		return;
	buf_fmt(out, "%s: [", key);
	for (i = 0; set >> i != 0; i++)
		if ((set >> i & 1) != 0)
			buf_fmt(out, "%s, ", of[i]);
	buf_str(out, "], ");
}

static void
put_when(struct buf *out, const struct rule *r)
{
	static const char *const days[] = {"mon", "tue", "wed", "thu", "fri",
	    "sat", "sun"};
	unsigned off = (unsigned)abs(r->offset);

	if (r->days == 0)
		return;
	buf_str(out, "when: {");
	put_set(out, "days", r->days, days);
	buf_fmt(out, "hours: \"%02u:%02u-%02u:%02u\", utc-offset: "
	    "\"%c%02u:%02u\"}, ", r->from / 60, r->from % 60, r->to / 60,
	    r->to % 60, r->offset < 0 ? '-' : '+', off / 60, off % 60);
}

static void
put_rule(struct buf *out, const struct rule *r, unsigned number)
{
	static const char *const verbs[] = {"permit: read", "forbid: read",
	    "treat: mask", "treat: absent"};

	buf_fmt(out, "- {rule: n%u, %s, who: {", number, verbs[r->verb +
	    (r->verb == 2 && r->treat == TREAT_ABSENT)]);
	if (r->kind != 0)
		buf_fmt(out, "kind: %s, ", r->kind == 1 ? "person" :
		    "service");
	put_set(out, "roles", r->roles, roles);
	put_set(out, "is", r->is, names);
	put_set(out, "offices", r->offices, offices);
	if (r->outside && r->connecting != 0) {
		buf_str(out, "connecting-from: {");
		put_set(out, "outside", r->connecting, labels);
		buf_str(out, "}, ");
	} else {
		put_set(out, "connecting-from", r->connecting, labels);
	}
	buf_str(out, "}, what: {");
	put_set(out, "categories", r->categories, categories);
	if (r->bulk >= 0)
		buf_fmt(out, "bulk: b%d, ", r->bulk);
	buf_str(out, "}, ");
	if (r->relation != 0) {
		buf_fmt(out, "whose: {relation: %s, ", r->relation == 1 ?
		    "behind" : "not-behind");
		put_set(out, "residences", r->whose, labels);
		buf_str(out, "}, ");
	} else {
		put_set(out, "whose", r->whose, labels);
	}
	put_when(out, r);
	if (r->approval)
		buf_str(out, "approval: {by: {roles: [r0]}, apart: "
		    "[formal]}, ");
	buf_str(out, "}\n");
}

static struct policy *
load_rules(const struct rule *rules)
{
	unsigned order[RULES], i, k, swap;
	struct policy *p = NULL;
	struct why w = {0};
	struct buf text;

	for (i = 0; i < RULES; i++)
		order[i] = i;
	for (i = RULES - 1; i > 0; i--) {
		k = roll(i + 1);
		swap = order[i];
		order[i] = order[k];
		order[k] = swap;
	}
	buf_init(&text, 0);
	buf_fmt(&text, "policy: p\nversion: 1\n%srules:\n",
	    definitions_text);
	for (i = 0; i < RULES; i++)
		put_rule(&text, &rules[order[i]], order[i]);
	assert_non_null(buf_text(&text));
	if (policy_load(buf_text(&text), text.len, &p, &w) != 0)
		fail_msg("%u:%u: %s in\n%s", w.line, w.column, w.text,
		    buf_text(&text));
	buf_done(&text);
	return p;
}

/* --- comparing --- */

static unsigned decisions, asked, readable, masked;

static void
check_clearance(const struct clearance *c, const struct request *q,
    const struct answer *want)
{
	const struct clearance_table *t = &c->tables[0];
	unsigned r, i;
	size_t n = 0;

	assert_int_equal(t->readable, want->residences != 0);
	for (r = 0; r < 2; r++)
		if ((want->residences >> r & 1) != 0) {
			assert_in_range(n, 0, t->n_residences - 1);
			assert_string_equal(t->residences[n++], labels[r]);
		}
	assert_int_equal(t->n_residences, n);
	for (i = 0; i < stores[q->store].n_columns; i++) {
		assert_int_equal(t->columns[i], want->columns[i]);
		masked += want->columns[i] == TREAT_MASK;
	}
	decisions += 2 * stores[q->store].n_columns;
	asked++;
	readable += t->readable;
}

static void
check_request(const struct rule *rules, const struct directory *d,
    const struct policy *const policies[2])
{
	const char *seen[4], *approved[RULES], *residences[] = {"BB", "AA"};
	struct policy_approvals given = { .rules = approved };
	struct policy_request in = { .store = "s", .residences = residences,
	    .n_residences = 2, .approved = &given };
	struct arena *a = arena_new();
	const struct clearance *c = NULL;
	char rule_names[RULES][4];
	struct request q;
	struct answer want;
	size_t n_seen = 0;
	unsigned i;

	make_request(&q);
	for (i = 0; i < 4; i++)
		if ((q.seen >> i & 1) != 0)
			seen[n_seen++] = labels[i];
	for (i = 0; i < RULES; i++) {
		(void)snprintf(rule_names[i], sizeof(rule_names[i]), "n%u",
		    i);
		if ((q.approved >> i & 1) != 0)
			approved[given.n++] = rule_names[i];
	}
	given.all = q.all_approved;
	in.at_ms = q.at_ms;
	in.catalog = &catalogs[q.store];
	assert_int_equal(directory_principal(d, readers[q.who].id, q.at_ms, a,
	    &in.who), 0);
	assert_int_equal(control_of(d, readers[q.who].id, q.at_ms, seen,
	    n_seen, a, &in.control), 0);
	define(rules, &q, in.control, &want);
	for (i = 0; i < 2; i++) {
		assert_int_equal(policy_decide(policies[i], &in, a, &c), 0);
		check_clearance(c, &q, &want);
	}
	arena_free(a);
}

static uint64_t running;	/* the seed of the case that runs; 0: none */

static int
tell_seed(void **state)
{
	(void)state;
	if (running != 0)
		print_message("# SWORN_POLICY_SEED=%" PRIu64
		    " SWORN_POLICY_CASES=1 runs this case alone\n", running);
	return 0;
}

static void
check_case(const struct directory *d, uint64_t number)
{
	const struct policy *policies[2];
	struct rule rules[RULES];
	unsigned k;

	running = number;
	seed = number * UINT64_C(0x9e3779b97f4a7c15);
	for (k = 0; k < RULES; k++)
		make_rule(&rules[k]);
	for (k = 0; k < 2; k++)
		policies[k] = load_rules(rules);
	for (k = 0; k < REQUESTS; k++)
		check_request(rules, d, policies);
	for (k = 0; k < 2; k++)
		policy_free((struct policy *)(uintptr_t)policies[k]);
	running = 0;
}

static uint64_t
number(const char *variable, uint64_t otherwise)
{
	const char *text = getenv(variable);

	return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void
random_policies_about_facts_decide_as_defined_in_any_order(void **state)
{
	uint64_t first = number("SWORN_POLICY_SEED", SEED), i;
	uint64_t cases = number("SWORN_POLICY_CASES", CASES);
	struct directory *d = NULL;
	struct why w = {0};

	(void)state;
	make_catalogs();
	if (directory_load(directory_text, strlen(directory_text), &d,
	    &w) != 0)
		fail_msg("%u:%u: %s", w.line, w.column, w.text);
	print_message("# %" PRIu64 " policies from seed %" PRIu64 "\n", cases,
	    first);
	for (i = 0; i < cases; i++)
		check_case(d, first + i);
	directory_free(d);
	print_message("# %u decisions of a column for a residence\n",
	    decisions);
	if (cases < CASES)
		return;
	/* Nothing is so rare that it would hardly be tried. */
	assert_in_range(readable, asked / 20, asked / 20 * 19);
	assert_in_range(masked, asked / 50, UINT32_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    random_policies_about_facts_decide_as_defined_in_any_order,
		    tell_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

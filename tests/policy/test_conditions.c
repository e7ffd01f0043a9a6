/*
 * How a residence stands to the reader: every small control set, against
 * the sentences of docs/policy.md iterated over its labels. And what a
 * confirmed ticket covers, against the same.
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
#include "catalog/catalog.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "policy/policy.h"
#include "policy/scopes.h"

#define N 3
#define UNKNOWN N

static const char *const labels[] = {"AA", "BB", "CC", "unknown"};
static const char *const categories[] = {"c0", "c1"};
static struct catalog_column columns[2][2] = {
	{{.name = "a", .category = "c0"}, {.name = "b", .category = "c1"}},
	{{.name = "a", .category = "c0"}, {.name = "b", .category = "c0"}},
};
static const struct catalog_subject self;
static const struct catalog_table tables[] = {
	{"p", "t0", "p.t0", false, columns[0], 2, &self, 1},
	{"p", "t1", "p.t1", false, columns[1], 2, &self, 1},
};
static const struct catalog catalog = {
	.name = "c", .categories = categories, .n_categories = 2,
	.tables = tables, .n_tables = 2, .residence_store = true,
	.subject_schema = "p", .subject_table = "t0", .subject_key = "a",
};
static const struct principal who = {.id = "x", .name = "x",
    .kind = PRINCIPAL_PERSON};

static struct policy *
load(const char *rule)
{
	struct policy *p = NULL;
	struct why w = {0};
	struct buf text;

	buf_init(&text, 0);
	buf_fmt(&text, "policy: p\nversion: 1\nrules:\n%s", rule);
	if (policy_load(buf_text(&text), text.len, &p, &w) != 0)
		fail_msg("%u:%u: %s in %s", w.line, w.column, w.text,
		    buf_text(&text));
	buf_done(&text);
	return p;
}

/* --- relation --- */

static const struct control_step step = {CONTROL_LOCATION, "x", "by x"};

/* Bit i: labels[i] by location; bit 4 + i: by the actual line (and where
 * that leads). */
struct someone {
	struct control control;
	struct control_member members[4];
	struct control_path paths[4][2];
};

static void
make_reader(unsigned set, struct someone *r)
{
	size_t i, k;

	memset(r, 0, sizeof(*r));
	r->control.members = r->members;
	for (i = 0; i < 4; i++) {
		struct control_member *m = &r->members[r->control.n];
		unsigned kinds[2] = {
			(set >> i & 1) != 0 ? CONTROL_LOCATION : 0,
			(set >> (4 + i) & 1) != 0 ? CONTROL_ACTUAL : 0,
		};

		m->label = labels[i];
		m->paths = r->paths[i];
		for (k = 0; k < 2; k++)
			if (kinds[k] != 0)
				r->paths[i][m->n_paths++] =
				    (struct control_path){kinds[k], &step, 1};
		r->control.n += m->n_paths > 0;
		if (m->n_paths == 0)
			memset(m, 0, sizeof(*m));
	}
}

static const char *const relations[] = {"behind", "not-behind",
    "others-behind", "no-other-behind"};
static const char *const bys[] = {"", ", by: location", ", by: [actual]"};
static const unsigned by_bits[] = {0xff, 0x0f, 0xf0};
static const struct {
	const char *text;
	int group[N];
} togethers[] = {
	{"", {0, 1, 2}},
	{", together: [AA, BB]", {0, 0, 2}},
	{", together: [[CC, AA], [BB]]", {0, 1, 0}},
};

static bool
stands_behind(unsigned set, int label)
{
	return (set >> label & 1) != 0 || (set >> (4 + label) & 1) != 0;
}

/* 2: true, 1: not known, 0: false. */
static int
define(int relation, unsigned set, const int *group, int residence)
{
	bool one = false, other = false;
	int i, t;

	for (i = 0; i < N; i++) {
		if (!stands_behind(set, i))
			continue;
		if (group[i] == group[residence])
			one = true;
		else
			other = true;
	}
	t = (relation < 2 ? one : other) ? 2 :
	    stands_behind(set, UNKNOWN) ? 1 : 0;
	return relation % 2 == 0 ? t : 2 - t;
}

static void
check_reader(const struct policy *p, unsigned set, int relation, size_t by,
    size_t together, bool forbid)
{
	struct policy_request q = {.who = &who, .store = "s",
	    .residences = labels, .n_residences = N + 1,
	    .catalog = &catalog};
	struct arena *a = arena_new();
	const struct clearance *c;
	struct policy_reason reason;
	struct someone r;
	int i, t;

	make_reader(set, &r);
	q.control = &r.control;
	assert_int_equal(policy_decide(p, &q, a, &c), 0);
	for (i = 0; i < N; i++) {
		t = define(relation, set & by_bits[by],
		    togethers[together].group, i);
		assert_int_equal(clearance_reason(c, 0, (size_t)i, a,
		    &reason), 0);
		if (reason.permitted != (forbid ? t == 0 : t == 2))
			fail_msg("%s%s%s %s of %s by %x", relations[relation],
			    bys[by], togethers[together].text, forbid ?
			    "forbid" : "permit", labels[i], set);
		assert_int_equal(reason.permitted, *reason.because == 0);
	}
	assert_false(c->outcomes[UNKNOWN].permitted);
	arena_free(a);
}

static void
residences_stand_to_readers_as_defined(void **state)
{
	struct policy *p;
	char rule[300];
	unsigned set;
	size_t n, by, together;
	bool forbid;

	(void)state;
	for (n = 0; n < 4 * 3 * 3 * 2; n++) {
		by = n / 4 % 3;
		together = n / 12 % 3;
		forbid = n >= 36;
		(void)snprintf(rule, sizeof(rule), "%s- {rule: r, %s: read, "
		    "whose: {relation: %s%s%s}}\n", forbid ?
		    "- {rule: q, permit: read}\n" : "",
		    forbid ? "forbid" : "permit", relations[n % 4], bys[by],
		    togethers[together].text);
		p = load(rule);
		for (set = 0; set < 256; set++)
			check_reader(p, set, (int)(n % 4), by, together,
			    forbid);
		policy_free(p);
	}
}

/* --- what a ticket covers --- */

static const struct {
	const char *what;
	unsigned tables, categories;	/* that the rule permits */
} rules[] = {
	{"", 3, 3},
	{", what: {tables: [p.t1]}", 2, 1},
	{", what: {tables: [p.t0], categories: [c1]}", 1, 2},
	{", what: {categories: [c0]}", 3, 1},
	{", what: {categories: [c1]}", 1, 2},
};

static size_t
pick(unsigned set, const char *const *names, const char **ret)
{
	size_t n = 0;
	int i;

	for (i = 0; set >> i != 0; i++)
		if ((set >> i & 1) != 0)
			ret[n++] = names[i];
	return n;
}

static void
check_scope(const struct policy *p, size_t rule, unsigned set, bool confirmed)
{
	static const char *const fulls[] = {"p.t0", "p.t1"};
	const struct control control = {.members = NULL};
	const char *t[2], *c[2], *r[3];
	struct policy_scope scope = {.tables = t, .categories = c,
	    .residences = r};
	struct policy_request q = {.who = &who, .control = &control,
	    .store = "s", .residences = labels, .n_residences = N,
	    .catalog = &catalog, .ticket = "T-1"};
	struct arena *a = arena_new();
	const struct clearance *got;
	bool covers;
	size_t i;

	scope.n_tables = pick(set & 3, fulls, t);
	scope.n_categories = pick(set >> 2 & 3, categories, c);
	scope.n_residences = pick(set >> 4, labels, r);
	if (confirmed)
		q.scope = &scope;
	covers = confirmed && (rules[rule].tables & ~set) == 0 &&
	    (rules[rule].categories & ~(set >> 2)) == 0;
	assert_int_equal(policy_decide(p, &q, a, &got), 0);
	for (i = 0; i < 2 * N; i++) {
		bool want = covers && (set >> (4 + i % N) & 1) != 0 &&
		    (rules[rule].tables >> (i / N) & 1) != 0;

		if (got->outcomes[i].permitted != want)
			fail_msg("%s, ticket %x, %s of %s", rules[rule].what,
			    set, fulls[i / N], labels[i % N]);
	}
	arena_free(a);
}

static void
a_confirmed_ticket_permits_what_it_covers_and_no_more(void **state)
{
	struct policy *p;
	char rule[300];
	unsigned set;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		(void)snprintf(rule, sizeof(rule), "- {rule: r, permit: read, "
		    "why: {ticket: 'T-[0-9]+', confirmed: true}%s}\n",
		    rules[i].what);
		p = load(rule);
		for (set = 0; set < 128; set++) {
			check_scope(p, i, set, true);
			check_scope(p, i, set, false);
		}
		policy_free(p);
	}
}

/* --- the scopes that stand for all --- */

#define TEXTS_MAX 600

struct texts {
	char *items[TEXTS_MAX];
	size_t n;
};

static bool
has_text(const struct texts *t, const char *s)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (strcmp(t->items[i], s) == 0)
			return true;
	return false;
}

static void
add_decision(const struct policy *p, const struct policy_scope *scope,
    struct texts *t)
{
	const struct control control = {.members = NULL};
	struct policy_request q = {.who = &who, .control = &control,
	    .store = "s", .residences = labels, .n_residences = N,
	    .catalog = &catalog, .ticket = "T-1", .scope = scope};
	struct arena *a = arena_new();
	const struct clearance *c;
	struct buf b;

	assert_int_equal(policy_decide(p, &q, a, &c), 0);
	buf_init(&b, 0);
	clearance_text(&b, c);
	if (!has_text(t, buf_text(&b))) {
		assert_in_range(t->n, 0, TEXTS_MAX - 1);
		assert_non_null(t->items[t->n++] = buf_steal(&b));
	}
	buf_done(&b);
	arena_free(a);
}

static const char *const asking[] = {
	"- {rule: r, permit: read, why: {ticket: 'T-1|X', confirmed: true}}\n",
	"- {rule: r, permit: read, what: {tables: [p.t1]}, why: {ticket: T-1,"
	    " confirmed: true}}\n"
	    "- {rule: q, permit: read, what: {categories: [c1]}, why: {ticket:"
	    " T-1, confirmed: true}}\n",
	"- {rule: r, permit: read, what: {tables: [p.t0]}, whose: [AA, CC],"
	    " why: {ticket: T-1, confirmed: true}}\n"
	    "- {rule: q, permit: read, what: {categories: [c0]}, whose: [BB]}\n"
	    "- {rule: s, treat: mask, what: {categories: [c0]}, whose: CC}\n"
	    "- {rule: o, permit: read, what: {stores: [x]}, why: {ticket: T-1,"
	    " confirmed: true}}\n",
	"- {rule: r, permit: read, why: {ticket: T-2, confirmed: true}}\n",
	"- {rule: r, permit: read, why: {ticket: T-1}}\n",
};

static void
listed_scopes_lead_to_every_clearance_that_any_does(void **state)
{
	static const char *const fulls[] = {"p.t0", "p.t1"};
	const struct scopes_store store = {"s", &catalog, labels, N};
	const char *t[2], *c[2], *r[3];
	struct policy_scope scope = {.tables = t, .categories = c,
	    .residences = r};
	const struct policy *list[1];
	struct arena *a = arena_new();
	struct texts any, listed;
	struct scopes scopes;
	struct policy *p;
	struct why w;
	unsigned set;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(asking) / sizeof(asking[0]); i++) {
		list[0] = p = load(asking[i]);
		any.n = listed.n = 0;
		add_decision(p, NULL, &any);
		for (set = 0; set < 128; set++) {
			scope.n_tables = pick(set & 3, fulls, t);
			scope.n_categories = pick(set >> 2 & 3, categories,
			    c);
			scope.n_residences = pick(set >> 4, labels, r);
			add_decision(p, &scope, &any);
		}
		assert_int_equal(scopes_list(list, 1, &store, "T-1", a,
		    &scopes, &w), 0);
		assert_null(scopes.items[0]);
		assert_int_equal(scopes.n == 1, i > 2);
		for (k = 0; k < scopes.n; k++)
			add_decision(p, scopes.items[k], &listed);
		assert_int_equal(listed.n, any.n);
		for (k = 0; k < any.n; k++) {
			assert_true(has_text(&listed, any.items[k]));
			free(any.items[k]);
		}
		for (k = 0; k < listed.n; k++)
			free(listed.items[k]);
		assert_int_equal(scopes_list(list, 1, &store, NULL, a,
		    &scopes, &w), 0);
		assert_int_equal(scopes.n, 1);
		policy_free(p);
	}
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(residences_stand_to_readers_as_defined),
		cmocka_unit_test(
		    a_confirmed_ticket_permits_what_it_covers_and_no_more),
		cmocka_unit_test(
		    listed_scopes_lead_to_every_clearance_that_any_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

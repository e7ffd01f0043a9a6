/*
 * A million decisions of random policies against the definition, iterated
 * literally: for every table, residence and column, is there a permit that
 * applies and no forbid. The rules are a model of bit sets; the product gets
 * a text made from it, in two random orders, and must answer both alike.
 *
 * Each policy has a seed, which is printed when it fails. SWORN_POLICY_SEED
 * begins with that one, SWORN_POLICY_CASES says how many follow, so
 * SWORN_POLICY_CASES=1 runs it alone and a large number runs for long.
 */
#include <inttypes.h>
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

#define CASES 4800
#define REQUESTS 12
#define SEED 20261123
#define RULES 8
#define N 3			/* of nearly everything */
#define UNKNOWN N
#define NOW INT64_C(1790000000000)	/* in 2026 */

static const char *const labels[] = {"AA", "BB", "CC", "unknown"};
static const char *const people[] = {"ann", "bob", "cat"};
static const char *const roles[] = {"r0", "r1", "r2"};
static const char *const employers[] = {"e0", "e1", "e2"};
static const char *const stores[] = {"s0", "s1", "s2"};
static const char *const tables[] = {"p.t0", "p.t1", "p.t2"};
static const char *const categories[] = {"c0", "c1", "c2"};
static const char *const purposes[] = {"w0", "w1", "w2"};
static const char *const kinds[] = {"location", "employment", "ownership",
    "formal", "actual", "keeping"};
static const char *const employments[] = {"employee", "contractor",
    "nobody"};
static const char *const patterns[] = {"T-[0-9]+", "X|TX", "[a-c]{2}"};
/* Which of them each ticket matches, worked out by hand. */
static const struct {
	const char *text;
	unsigned matches;
} tickets[] = {
	{NULL, 0}, {"T-1", 1}, {"T-", 0}, {"aT-1", 0}, {"T-1\n", 0}, {"X", 2},
	{"TX", 2}, {"XX", 0}, {"TTX", 0}, {"bc", 4}, {"abc", 0}, {"", 0},
};
#define N_TICKETS (sizeof(tickets) / sizeof(tickets[0]))

#define COLUMN(n, c) { .name = n, .category = c }
static struct catalog_column columns[N][4] = {
	{COLUMN("a", "c0"), COLUMN("b", "c1"), COLUMN("c", "c2"),
	    COLUMN("d", "c0")},
	{COLUMN("a", "c0"), COLUMN("b", "c0")},
	{COLUMN("z", "c2"), COLUMN("y", "c1"), COLUMN("x", "c1")},
};
static const struct catalog_subject self;
static const struct catalog_table guarded[] = {
	{"p", "t0", "p.t0", false, columns[0], 4, &self, 1},
	{"p", "t1", "p.t1", false, columns[1], 2, &self, 1},
	{"p", "t2", "p.t2", false, columns[2], 3, &self, 1},
	{"p", "t3", "p.t3", true, NULL, 0, NULL, 0},
};
static const struct catalog catalog = {
	.name = "c", .categories = categories, .n_categories = N,
	.tables = guarded, .n_tables = N + 1, .residence_store = true,
	.subject_schema = "p", .subject_table = "t0", .subject_key = "a",
};

/* A set of indices; 0: not written. */
struct rule {
	int verb;		/* 0 permit, 1 forbid, 2 treat */
	int treat;
	int kind;		/* 0 any, 1 person, 2 service */
	unsigned principals, roles, employers, nations, located, controlled;
	unsigned by;		/* kinds; 0: not written, all */
	unsigned based, instructed;
	unsigned employed_as;	/* set of EMPLOYED_*; 0: not written */
	unsigned outside;	/* set of OUTSIDE_*: their complement */
	int relation;		/* 0 none, else by its place in relations */
	unsigned relation_by;	/* as by */
	unsigned stores, tables, categories, whose, purposes;
	int pattern;		/* or -1 */
	bool confirmed;
	int when;		/* by its place in whens */
};

enum {
	OUTSIDE_NATIONS = 1,
	OUTSIDE_LOCATED = 2,
	OUTSIDE_CONTROLLED = 4,
	OUTSIDE_BASED = 8,
};

static const char *const whens[] = {"", "{from: 2020-01-01}",
    "{hours: \"14:13-14:14\", utc-offset: \"+00:00\"}",
    "{days: sun, hours: \"23:00-16:00\", utc-offset: \"+01:00\"}",
    /* from here on not in force: */
    "{to: 2020-01-01}", "{from: 2099-01-01, to: 2100-01-01}",
    "{hours: \"14:14-14:13\", utc-offset: \"+00:00\"}",
    "{days: [tue, sun], utc-offset: \"+00:00\"}",
};
#define N_WHENS (sizeof(whens) / sizeof(whens[0]))
#define IN_FORCE 3

static const char *const relations[] = {"", "behind", "not-behind",
    "others-behind", "no-other-behind"};

struct request {
	int person, kind;
	unsigned roles, employers, nations, based, instructors;
	bool no_instructor;	/* it is known that there is none else */
	bool no_employer;	/* it is known that there is none */
	int employed_as[N];	/* by which: 0 not stated, else EMPLOYED_* */
	bool scoped;		/* the ticket is confirmed, for these: */
	unsigned scope_tables, scope_categories, scope_residences;
	unsigned paths[N + 1][2];	/* kinds; 0: none */
	int store, purpose, ticket;	/* -1: none; purpose N: unheard of */
	unsigned residences;
};

enum value { NO, MAYBE, YES };

static uint64_t seed;

static unsigned
roll(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

/* A set that is written once in `in` times. */
static unsigned
roll_set(unsigned in)
{
	return roll(in) == 0 ? 1 + roll((1 << N) - 1) : 0;
}

static void
make_rule(struct rule *r)
{
	memset(r, 0, sizeof(*r));
	r->verb = roll(5) < 3 ? 0 : 1 + (int)roll(2);
	r->treat = (int)roll(3) == 0 ? TREAT_ABSENT : TREAT_MASK;
	r->kind = roll(4) == 0 ? 1 + (int)roll(2) : 0;
	r->principals = roll_set(8);
	r->roles = roll_set(3);
	r->employers = roll_set(5);
	r->nations = roll_set(8);
	r->located = roll_set(6);
	r->controlled = roll_set(r->verb == 1 ? 2 : 6);
	r->by = roll(2) == 0 ? 1 + roll(CONTROL_ALL) : 0;
	r->stores = roll_set(6);
	r->tables = roll_set(4);
	r->categories = roll_set(3);
	r->whose = roll_set(3);
	r->purposes = roll_set(5);
	r->pattern = roll(8) == 0 ? (int)roll(N) : -1;
	r->when = roll(6) == 0 ? (int)roll(N_WHENS) : 0;
	r->confirmed = r->verb == 0 && r->pattern >= 0 && roll(2) == 0;
	r->employed_as = roll(10) == 0 ? 1 + roll(7) : 0;
	r->based = roll_set(12);
	r->instructed = roll_set(12);
	r->outside = roll(3) == 0 ? roll(16) : 0;
	r->relation = roll(6) == 0 ? 1 + (int)roll(4) : 0;
	r->relation_by = roll(2) == 0 ? 1 + roll(CONTROL_ALL) : 0;
}

static void
make_request(struct request *q)
{
	int i;

	memset(q, 0, sizeof(*q));
	q->person = (int)roll(N);
	q->kind = 1 + (int)roll(2);
	q->roles = roll(8);
	q->employers = roll(8) & roll(8);
	q->no_employer = q->employers == 0 && roll(2) == 0;
	q->nations = roll(8) & roll(8);
	q->based = roll(8) & roll(8);
	q->instructors = roll(8) & roll(8);
	q->no_instructor = roll(2) == 0;
	for (i = 0; i < N; i++)
		q->employed_as[i] = (int)roll(3);
	q->scoped = roll(3) != 0;
	q->scope_tables = roll(8) | roll(8);
	q->scope_categories = roll(8) | roll(8);
	q->scope_residences = roll(8) | roll(8);
	for (i = 0; i <= N; i++) {
		if (roll(i == UNKNOWN ? 4 : 2) != 0)
			continue;
		/* Two paths whose kinds do not include one another. */
		q->paths[i][0] = 1u << roll(6);
		q->paths[i][1] = roll(2) != 0 ? 0 :
		    (1u << roll(6) | 1u << roll(6)) & ~q->paths[i][0];
	}
	if (q->employers == 0 && !q->no_employer) {
		q->paths[UNKNOWN][0] = q->kind == 1 ? CONTROL_EMPLOYMENT :
		    CONTROL_KEEPING;
		q->paths[UNKNOWN][1] = 0;
	} else if (q->employers == 0) {
		q->paths[UNKNOWN][0] &= CONTROL_LOCATION | CONTROL_FORMAL;
		q->paths[UNKNOWN][1] = 0;
	}
	q->store = (int)roll(N);
	q->purpose = (int)roll(N + 2) - 1;
	q->ticket = (int)roll(N_TICKETS);
	q->residences = roll(1 << (N + 1));
}

/* --- the definition --- */

static enum value
truth(bool b)
{
	return b ? YES : NO;
}

static bool
reaches(const struct request *q, int label, unsigned allowed)
{
	int i;

	for (i = 0; i < 2; i++)
		if (q->paths[label][i] != 0 &&
		    (q->paths[label][i] | allowed) == allowed)
			return true;
	return false;
}

static enum value
reached(const struct request *q, unsigned from, unsigned allowed)
{
	int i;

	for (i = 0; i < N; i++)
		if ((from >> i & 1) != 0 && reaches(q, i, allowed))
			return YES;
	return reaches(q, UNKNOWN, allowed) ? MAYBE : NO;
}

/* The labels that a rule lists, or all but those. */
static unsigned
listed(const struct rule *r, unsigned set, unsigned outside)
{
	return (r->outside & outside) != 0 ? ~set & ((1 << N) - 1) : set;
}

static unsigned
chosen(unsigned by)
{
	return by != 0 ? by : CONTROL_ALL;
}

/* How a residence stands to the reader. */
static enum value
related(const struct rule *r, const struct request *q, int residence)
{
	unsigned this = 1u << residence, set;
	enum value v;

	if (r->relation == 0)
		return YES;
	if (residence == UNKNOWN)
		return MAYBE;
	set = r->relation <= 2 ? this : ~this & ((1 << N) - 1);
	v = reached(q, set, chosen(r->relation_by));
	if (r->relation == 1 || r->relation == 3)
		return v;
	return v == MAYBE ? MAYBE : v == YES ? NO : YES;
}

/* Of one employer, or of whom nobody employs: as what? */
static enum value
employment(const struct rule *r, const struct request *q, int employer)
{
	unsigned both = r->employed_as & 3;

	if (r->employers != 0 && (r->employers >> employer & 1) == 0)
		return NO;
	if (q->employed_as[employer] != 0)
		return truth((both & (unsigned)q->employed_as[employer]) !=
		    0);
	return both == 3 ? YES : both == 0 ? NO : MAYBE;
}

static enum value
employed(const struct rule *r, const struct request *q)
{
	enum value best = NO, v;
	int i;

	if (r->employed_as == 0)
		return YES;
	if (q->kind == 2)
		return NO;
	if (q->employers == 0)
		return q->no_employer ? truth((r->employed_as & 4) != 0) :
		    MAYBE;
	for (i = 0; i < N; i++)
		if ((q->employers >> i & 1) != 0 &&
		    (v = employment(r, q, i)) > best)
			best = v;
	return best;
}

static bool in(unsigned set, int i);

/* Whether a ticket covers all tables and categories that a rule permits. */
static bool
covers(const struct rule *r, const struct request *q, int residence)
{
	int t, c;
	size_t i;

	if (!q->scoped || residence == UNKNOWN ||
	    (q->scope_residences >> residence & 1) == 0)
		return false;
	for (t = 0; t < N; t++)
		for (i = 0; i < guarded[t].n_columns; i++) {
			c = guarded[t].columns[i].category[1] - '0';
			if (in(r->tables, t) && in(r->categories, c) &&
			    ((q->scope_tables >> t & 1) == 0 ||
			    (q->scope_categories >> c & 1) == 0))
				return false;
		}
	return true;
}

static enum value
about_facts(const struct rule *r, const struct request *q)
{
	enum value least = employed(r, q), v;

	if (r->employers != 0) {
		v = q->employers == 0 ? (q->no_employer ? NO : MAYBE) :
		    truth((r->employers & q->employers) != 0);
		least = v < least ? v : least;
	}
	if (r->nations != 0) {
		v = q->nations == 0 ? MAYBE :
		    truth((listed(r, r->nations, OUTSIDE_NATIONS) &
		    q->nations) != 0);
		least = v < least ? v : least;
	}
	if (r->located != 0) {
		v = reached(q, listed(r, r->located, OUTSIDE_LOCATED),
		    CONTROL_LOCATION);
		least = v < least ? v : least;
	}
	if (r->controlled != 0) {
		v = reached(q, listed(r, r->controlled, OUTSIDE_CONTROLLED),
		    chosen(r->by));
		least = v < least ? v : least;
	}
	if (r->based != 0) {
		v = q->based == 0 ? MAYBE : truth((listed(r, r->based,
		    OUTSIDE_BASED) & q->based) != 0);
		least = v < least ? v : least;
	}
	if (r->instructed != 0) {
		v = (r->instructed & q->instructors) != 0 ? YES :
		    q->no_instructor || q->kind == 2 ? NO : MAYBE;
		least = v < least ? v : least;
	}
	return least;
}

static bool
in(unsigned set, int i)
{
	return set == 0 || (i >= 0 && (set >> i & 1) != 0);
}

/* Whether a rule is about this cell, for this session. */
static bool
applies(const struct rule *r, const struct request *q, int table,
    int residence, const char *category)
{
	enum value v = about_facts(r, q), w = related(r, q, residence);
	int c = category[1] - '0';

	if ((r->kind != 0 && r->kind != q->kind) ||
	    !in(r->principals, q->person) ||
	    (r->roles != 0 && (r->roles & q->roles) == 0) ||
	    !in(r->stores, q->store) || !in(r->tables, table) ||
	    !in(r->categories, c) || r->when > IN_FORCE ||
	    (r->whose != 0 && (residence == UNKNOWN ||
	    (r->whose >> residence & 1) == 0)) ||
	    (r->purposes != 0 && (q->purpose >= N ||
	    !in(r->purposes, q->purpose))) ||
	    (r->pattern >= 0 &&
	    (tickets[q->ticket].matches >> r->pattern & 1) == 0) ||
	    (r->confirmed && !covers(r, q, residence)))
		return false;
	v = w < v ? w : v;
	return v == YES || (v == MAYBE && r->verb != 0);
}

static bool
any(const struct rule *rules, int verb, const struct request *q, int table,
    int residence, const char *category)
{
	int i;

	for (i = 0; i < RULES; i++)
		if (rules[i].verb == verb &&
		    applies(&rules[i], q, table, residence, category))
			return true;
	return false;
}

struct answer {
	bool readable;
	unsigned residences;
	enum treatment columns[4];
	bool permitted[N + 1];
};

static void
define(const struct rule *rules, const struct request *q, int table,
    struct answer *ret)
{
	const struct catalog_table *t = &guarded[table];
	bool cell[N + 1][4] = {{false}};
	size_t c;
	int r, i;

	memset(ret, 0, sizeof(*ret));
	for (r = 0; r < N; r++) {
		if ((q->residences >> r & 1) == 0)
			continue;
		for (c = 0; c < t->n_columns; c++) {
			cell[r][c] = any(rules, 0, q, table, r,
			    t->columns[c].category) && !any(rules, 1, q,
			    table, r, t->columns[c].category);
			if (cell[r][c])
				ret->residences |= 1u << r;
		}
	}
	for (c = 0; c < t->n_columns; c++) {
		ret->columns[c] = ret->residences != 0 ? TREAT_PLAIN :
		    TREAT_ABSENT;
		for (r = 0; r < N; r++) {
			if ((ret->residences >> r & 1) == 0)
				continue;
			if (!cell[r][c])
				ret->columns[c] = TREAT_ABSENT;
			for (i = 0; i < RULES; i++)
				if (rules[i].verb == 2 &&
				    (int)ret->columns[c] > rules[i].treat &&
				    applies(&rules[i], q, table, r,
				    t->columns[c].category))
					ret->columns[c] =
					    (enum treatment)rules[i].treat;
		}
		if (ret->columns[c] != TREAT_ABSENT)
			ret->readable = true;
	}
	if (!ret->readable)
		ret->residences = 0;
	for (r = 0; r < N; r++)
		ret->permitted[r] = (ret->residences >> r & 1) != 0;
}

/* --- the product's input --- */

static void
put_set(struct buf *out, const char *key, unsigned set,
    const char *const *names)
{
	int i;

	if (set == 0)
		return;
	if (roll(4) == 0 && (set & (set - 1)) == 0) {
		for (i = 0; (set >> i & 1) == 0; i++)
			continue;
		buf_fmt(out, "%s: %s, ", key, names[i]);
		return;
	}
	buf_fmt(out, "%s: [", key);
	for (i = 0; set >> i != 0; i++)
		if ((set >> i & 1) != 0)
			buf_fmt(out, "%s, ", names[i]);
	buf_str(out, "], ");
}

static void
put_labels(struct buf *out, const struct rule *r, const char *key,
    unsigned set, unsigned outside)
{
	if (set != 0 && (r->outside & outside) != 0) {
		buf_fmt(out, "%s: {", key);
		put_set(out, "outside", set, labels);
		buf_str(out, "}, ");
	} else {
		put_set(out, key, set, labels);
	}
}

static void
put_whose(struct buf *out, const struct rule *r)
{
	if (r->relation == 0) {
		put_set(out, "whose", r->whose, labels);
		return;
	}
	buf_fmt(out, "whose: {relation: %s, ", relations[r->relation]);
	put_set(out, "residences", r->whose, labels);
	put_set(out, "by", r->relation_by, kinds);
	buf_str(out, "}, ");
}

static void
put_rule(struct buf *out, const struct rule *r, int number)
{
	static const char *const verbs[] = {"permit: read", "forbid: read",
	    "treat: mask", "treat: absent"};

	buf_fmt(out, "  - {rule: n%d, %s, who: {", number, verbs[r->verb +
	    (r->verb == 2 && r->treat == TREAT_ABSENT)]);
	if (r->kind != 0)
		buf_fmt(out, "kind: %s, ", r->kind == 1 ? "person" :
		    "service");
	put_set(out, "principals", r->principals, people);
	put_set(out, "roles", r->roles, roles);
	put_set(out, "employed-by", r->employers, employers);
	if (r->employed_as != 0)
		put_set(out, "employed-as", r->employed_as, employments);
	put_labels(out, r, "nationality", r->nations, OUTSIDE_NATIONS);
	put_labels(out, r, "located-in", r->located, OUTSIDE_LOCATED);
	put_labels(out, r, "controlled-from", r->controlled,
	    OUTSIDE_CONTROLLED);
	put_labels(out, r, "based-in", r->based, OUTSIDE_BASED);
	put_set(out, "instructed-by", r->instructed, employers);
	if (r->controlled != 0)
		put_set(out, "by", r->by, kinds);
	buf_str(out, "}, what: {");
	put_set(out, "stores", r->stores, stores);
	put_set(out, "tables", r->tables, tables);
	put_set(out, "categories", r->categories, categories);
	buf_str(out, "}, why: {");
	put_set(out, "purposes", r->purposes, purposes);
	if (r->pattern >= 0)
		buf_fmt(out, "ticket: '%s'%s", patterns[r->pattern],
		    r->confirmed ? ", confirmed: true" : "");
	buf_str(out, "}, ");
	put_whose(out, r);
	if (r->when != 0)
		buf_fmt(out, "when: %s", whens[r->when]);
	buf_str(out, "}\n");
}

static struct policy *
load_rules(const struct rule *rules)
{
	int order[RULES], i, k, swap;
	struct policy *p = NULL;
	struct why w = {0};
	struct buf text;

	for (i = 0; i < RULES; i++)
		order[i] = i;
	for (i = RULES - 1; i > 0; i--) {
		k = (int)roll((unsigned)i + 1);
		swap = order[i];
		order[i] = order[k];
		order[k] = swap;
	}
	buf_init(&text, 0);
	buf_str(&text, "policy: p\nversion: 1\npurposes: [w0, w1, w2]\n"
	    "rules:\n");
	for (i = 0; i < RULES; i++)
		put_rule(&text, &rules[order[i]], order[i]);
	assert_non_null(buf_text(&text));
	if (policy_load(buf_text(&text), text.len, &p, &w) != 0)
		fail_msg("%u:%u: %s in\n%s", w.line, w.column, w.text,
		    buf_text(&text));
	buf_done(&text);
	return p;
}

/* What the request's bit sets stand for, in the product's own structs. */
struct input {
	struct principal who;
	struct control control;
	struct policy_request q;
	const char *roles[N], *employers[N], *nations[N], *residences[N + 1],
	    *based[N], *instructors[N];
	struct employment employments[N];
	struct policy_scope scope;
	const char *scope_tables[N], *scope_categories[N],
	    *scope_residences[N];
	struct control_member members[N + 1];
	struct control_path paths[N + 1][2];
};

static const struct control_step step = {CONTROL_LOCATION, "x", "by x"};

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
make_control(const struct request *q, struct input *in_)
{
	size_t n = 0, k;
	int i, j;

	for (i = 0; i <= N; i++) {
		for (j = 0, k = 0; j < 2; j++)
			if (q->paths[i][j] != 0)
				in_->paths[i][k++] = (struct control_path){
				    q->paths[i][j], &step, 1};
		if (k > 0)
			in_->members[n++] = (struct control_member){
			    labels[i], in_->paths[i], k};
	}
	in_->control.members = in_->members;
	in_->control.n = n;
}

static void
make_employments(const struct request *q, struct input *in_)
{
	struct employment *e = in_->employments;
	int i;

	in_->who.employments = e;
	for (i = 0; i < N; i++)
		if ((q->employers >> i & 1) != 0)
			e[in_->who.n_employments++] = (struct employment){
			    .employer = employers[i],
			    .stated = q->employed_as[i] != 0,
			    .contractor = q->employed_as[i] == 2 };
	if (q->employers == 0 && q->no_employer)
		in_->who.n_employments = 1;	/* of nobody */
}

static void
make_input(const struct request *q, struct input *in_)
{
	memset(in_, 0, sizeof(*in_));
	in_->who.id = in_->who.name = people[q->person];
	in_->who.kind = q->kind == 1 ? PRINCIPAL_PERSON : PRINCIPAL_SERVICE;
	in_->who.roles = in_->roles;
	in_->who.n_roles = pick(q->roles, roles, in_->roles);
	in_->who.employers = in_->employers;
	in_->who.n_employers = pick(q->employers, employers, in_->employers);
	in_->who.nationalities = in_->nations;
	in_->who.n_nationalities = pick(q->nations, labels, in_->nations);
	in_->who.based_in = in_->based;
	in_->who.n_based_in = pick(q->based, labels, in_->based);
	in_->who.instructors = in_->instructors;
	in_->who.n_instructors = pick(q->instructors, employers,
	    in_->instructors);
	in_->who.instructors_known = q->no_instructor;
	make_employments(q, in_);
	make_control(q, in_);
	in_->scope = (struct policy_scope){ .tables = in_->scope_tables,
	    .categories = in_->scope_categories,
	    .residences = in_->scope_residences };
	in_->scope.n_tables = pick(q->scope_tables, tables,
	    in_->scope_tables);
	in_->scope.n_categories = pick(q->scope_categories, categories,
	    in_->scope_categories);
	in_->scope.n_residences = pick(q->scope_residences, labels,
	    in_->scope_residences);
	in_->q.scope = q->scoped ? &in_->scope : NULL;
	in_->q.who = &in_->who;
	in_->q.control = &in_->control;
	in_->q.store = stores[q->store];
	in_->q.residences = in_->residences;
	in_->q.n_residences = pick(q->residences, labels, in_->residences);
	in_->q.catalog = &catalog;
	in_->q.purpose = q->purpose < 0 ? NULL : q->purpose < N ?
	    purposes[q->purpose] : "something else";
	in_->q.ticket = tickets[q->ticket].text;
	in_->q.at_ms = NOW;
}

/* --- comparing --- */

static void
check_reason(const struct rule *rules, const struct request *q, int table,
    const struct policy_reason *reason, const struct answer *want)
{
	const struct catalog_table *t = &guarded[table];
	int residence = reason->residence[0] - 'A', number;
	bool found = false;
	size_t c;

	if (strcmp(reason->residence, "unknown") == 0)
		residence = UNKNOWN;
	assert_int_equal(reason->permitted, want->permitted[residence]);
	assert_non_null(reason->because);
	assert_non_null(reason->hint);
	if (reason->rule == NULL) {
		assert_false(reason->permitted);
		assert_int_not_equal(reason->because[0], 0);
		return;
	}
	number = reason->rule[1] - '0';
	assert_int_equal(rules[number].verb, reason->permitted ? 0 : 1);
	for (c = 0; c < t->n_columns; c++)
		if (applies(&rules[number], q, table, residence,
		    t->columns[c].category))
			found = true;
	assert_true(found);
	if (!reason->permitted)
		assert_int_not_equal(reason->because[0], 0);
}

static void
check_table(const struct rule *rules, const struct request *q,
    const struct clearance *cl, int table, struct arena *a)
{
	struct policy_reason reason;
	const struct clearance_table *got = &cl->tables[table];
	struct answer want;
	size_t i, n = 0;
	int r;

	define(rules, q, table, &want);
	assert_int_equal(got->readable, want.readable);
	for (r = 0; r < N; r++)
		if ((want.residences >> r & 1) != 0) {
			assert_in_range(n, 0, got->n_residences - 1);
			assert_string_equal(got->residences[n++], labels[r]);
		}
	assert_int_equal(got->n_residences, n);
	for (i = 0; i < guarded[table].n_columns; i++)
		assert_int_equal(got->columns[i], want.columns[i]);
	for (i = 0; i < cl->n_residences; i++) {
		assert_int_equal(clearance_reason(cl, (size_t)table, i, a,
		    &reason), 0);
		check_reason(rules, q, table, &reason, &want);
	}
}

static void
same_answer(const struct clearance *a, const struct clearance *b,
    struct arena *arena)
{
	struct buf one, two;
	size_t i;

	buf_init(&one, 0);
	buf_init(&two, 0);
	clearance_text(&one, a);
	clearance_text(&two, b);
	assert_string_equal(buf_text(&one), buf_text(&two));
	for (i = 0; i < a->n_tables * a->n_residences; i++) {
		struct policy_reason x, y;

		assert_int_equal(clearance_reason(a, i / a->n_residences,
		    i % a->n_residences, arena, &x), 0);
		assert_int_equal(clearance_reason(b, i / a->n_residences,
		    i % a->n_residences, arena, &y), 0);
		assert_int_equal(x.permitted, y.permitted);
		assert_string_equal(x.because, y.because);
		assert_string_equal(x.hint, y.hint);
		assert_int_equal(x.rule == NULL, y.rule == NULL);
		if (x.rule != NULL)
			assert_string_equal(x.rule, y.rule);
	}
	buf_done(&one);
	buf_done(&two);
}

static unsigned readable, tried, decisions;

static void
check_request(const struct rule *rules, const struct policy *one,
    const struct policy *two)
{
	const struct clearance *a, *b;
	struct arena *arena = arena_new();
	struct request q;
	struct input in_;
	int t;

	make_request(&q);
	make_input(&q, &in_);
	assert_int_equal(policy_decide(one, &in_.q, arena, &a), 0);
	assert_int_equal(policy_decide(two, &in_.q, arena, &b), 0);
	assert_int_equal(a->n_tables, N + 1);
	for (t = 0; t < N; t++) {
		check_table(rules, &q, a, t, arena);
		readable += a->tables[t].readable;
		tried++;
		decisions += (unsigned)(a->n_residences *
		    guarded[t].n_columns);
	}
	assert_int_equal(a->empty, !a->tables[0].readable &&
	    !a->tables[1].readable && !a->tables[2].readable);
	assert_true(a->tables[N].readable);
	assert_null(a->tables[N].columns);
	assert_int_equal(a->tables[N].n_residences, 0);
	same_answer(a, b, arena);
	arena_free(arena);
}

static unsigned long
number(const char *variable, unsigned long otherwise)
{
	const char *text = getenv(variable);

	return text == NULL ? otherwise : strtoul(text, NULL, 10);
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
check_case(uint64_t number_)
{
	struct rule rules[RULES];
	struct policy *one, *two;
	int k;

	running = number_;
	/* Seeds that are neighbours are no neighbours in the sequence. */
	seed = number_ * UINT64_C(0x9e3779b97f4a7c15);
	for (k = 0; k < RULES; k++)
		make_rule(&rules[k]);
	one = load_rules(rules);
	two = load_rules(rules);
	for (k = 0; k < REQUESTS; k++)
		check_request(rules, one, two);
	policy_free(one);
	policy_free(two);
	running = 0;
}

static void
random_policies_decide_as_defined_in_any_order(void **state)
{
	uint64_t first = number("SWORN_POLICY_SEED", SEED);
	unsigned long cases = number("SWORN_POLICY_CASES", CASES), i;

	(void)state;
	print_message("# %lu policies from seed %" PRIu64 "\n", cases,
	    first);
	for (i = 0; i < cases; i++)
		check_case(first + i);
	print_message("# %u decisions of a column for a residence\n",
	    decisions);
	if (cases < CASES)
		return;
	/* Neither answer is so rare that it would hardly be tried. */
	assert_in_range(readable, tried / 20, tried / 20 * 19);
	assert_in_range(decisions, 1000000, UINT32_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    random_policies_decide_as_defined_in_any_order,
		    tell_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

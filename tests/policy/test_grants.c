/*
 * Approvals against an oracle that keeps nothing but the list of steps and
 * looks through all of it each time; who is named and who is apart from whom
 * it has from a table written by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "directory/directory.h"
#include "policy/grants.h"
#include "policy/grants_words.h"
#include "policy/policy.h"

#define SECOND 1000
#define LONGEST (10 * SECOND)
#define GLASS (5 * SECOND)
#define REVIEW (8 * SECOND)
#define STEPS 60
#define ROUNDS 10

static const char directory_text[] =
    "directory: 1\nissuer: test\n"
    "sites: {s: {country: US}, i: {country: IE}, d: {country: DE}}\n"
    "entities: {e: {name: E, country: US, owners: {}, rest: dispersed},\n"
    "  o: {name: O, country: IE, owners: {}, rest: dispersed}}\n"
    "people:\n"
    "  ceo: {name: C, employer: e, site: s, manager: none, roles: [director]}\n"
    "  mia: {name: M, employer: e, site: s, manager: ceo, roles: [director]}\n"
    "  ann: {name: A, employer: e, site: s, manager: mia, roles: [sre]}\n"
    "  ben: {name: B, employer: e, site: s, manager: ceo, roles: [sre]}\n"
    "  olga: {name: O, employer: o, site: i, manager: none,"
    " roles: [director]}\n"
    "  otto: {name: T, employer: o, site: i, manager: olga,"
    " roles: [director]}\n"
    "  kim: {name: K, employer: o, site: d, manager: none, roles: [clerk]}\n";
static const char policy_text[] =
    "policy: p\nversion: 1\npurposes: [x]\nrules:\n"
    "- {rule: one, permit: read, who: {roles: [sre]}, approval: {by: {roles: "
    "[director]}, apart: [formal], at-most: 10s, break-glass: {by: {roles: "
    "[sre]}, at-most: 5s, review-within: 8s}}}\n"
    "- {rule: two, permit: read, approval: {by: {roles: [director]}, count: "
    "2, apart: [formal], at-most: 10s}}\n"
    "- {rule: free, permit: read, who: {roles: [clerk]}}\n";

static const char *const people[] = {"ceo", "mia", "ann", "ben", "olga",
    "otto", "kim"};
#define PEOPLE 7
static const bool director[PEOPLE] = {1, 1, 0, 0, 1, 1, 0};
/* Nobody stands above both, and no country is that of managers of both. */
static const char *const apart[PEOPLE] = {
	/*	 cmaboTk */
	/* c */	"0000111",
	/* m */	"0000111",
	/* a */	"0000111",
	/* b */	"0000111",
	/* o */	"1111001",
	/* T */	"1111001",
	/* k */	"1111110",
};

struct world {
	struct directory *d;
	struct policy *p;
	struct grants_by by;
};

static void
world_init(struct world *w)
{
	struct why why = {0};

	if (directory_load(directory_text, strlen(directory_text), &w->d,
	    &why) != 0 || policy_load(policy_text, strlen(policy_text), &w->p,
	    &why) != 0)
		fail_msg("%u:%u: %s", why.line, why.column, why.text);
	w->by = (struct grants_by){w->p, w->d};
}

static void
world_done(struct world *w)
{
	policy_free(w->p);
	directory_free(w->d);
}

static uint64_t seed = 88172645463325252u;

static unsigned
roll(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % n;
}

/* ---- the oracle ---- */

struct event {
	struct grant_step s;
	char id[8];
	unsigned who;
};

struct story {
	struct event list[STEPS];
	size_t n;
	int64_t now;
};

static const struct event *
begin_of(const struct story *y, const char *id)
{
	size_t i;

	for (i = 0; i < y->n; i++)
		if (strcmp(y->list[i].id, id) == 0 &&
		    (y->list[i].s.kind == GRANT_REQUEST ||
		    y->list[i].s.kind == GRANT_GLASS))
			return &y->list[i];
	return NULL;
}

static bool
was(const struct story *y, const char *id, enum grant_kind k, int who)
{
	size_t i;

	for (i = 0; i < y->n; i++)
		if (strcmp(y->list[i].id, id) == 0 && y->list[i].s.kind == k &&
		    (who < 0 || y->list[i].who == (unsigned)who))
			return true;
	return false;
}

static bool
is_open(const struct story *y, const struct event *b)
{
	return !was(y, b->id, GRANT_DENY, -1) &&
	    !was(y, b->id, GRANT_REVOKE, -1) && b->s.until_ms > y->now;
}

static bool
may_begin(const struct story *y, const struct event *e)
{
	bool glass = e->s.kind == GRANT_GLASS, one;
	unsigned open = 0;
	size_t i;

	if (strcmp(e->s.rule, "one") != 0 && strcmp(e->s.rule, "two") != 0)
		return false;
	one = strcmp(e->s.rule, "one") == 0;
	if (one && e->who != 2 && e->who != 3)
		return false;		/* not about them */
	if (e->s.until_ms <= y->now || e->s.until_ms - y->now >
	    (glass ? GLASS : LONGEST))
		return false;
	for (i = 0; i < y->n; i++) {
		if (y->list[i].who != e->who || begin_of(y, y->list[i].id) !=
		    &y->list[i])
			continue;
		open += is_open(y, &y->list[i]);
		if (glass && y->list[i].s.kind == GRANT_GLASS &&
		    strcmp(y->list[i].s.store, e->s.store) == 0 &&
		    !was(y, y->list[i].id, GRANT_REVIEW, -1))
			return false;
	}
	if (open >= GRANTS_OPEN_MAX)
		return false;
	if (glass)
		return one;
	/* Two directors on the other side: each side has two. */
	return true;
}

static bool
may(const struct story *y, const struct event *e)
{
	const struct event *b;
	bool open, far;

	if (e->s.kind == GRANT_REQUEST || e->s.kind == GRANT_GLASS)
		return may_begin(y, e);
	if ((b = begin_of(y, e->id)) == NULL)
		return false;
	open = is_open(y, b);
	far = director[e->who] && apart[b->who][e->who] == '1';
	switch (e->s.kind) {
	case GRANT_APPROVE:
		return open && b->s.kind == GRANT_REQUEST && far &&
		    !was(y, e->id, GRANT_APPROVE, (int)e->who);
	case GRANT_DENY:
		return open && b->s.kind == GRANT_REQUEST &&
		    director[e->who] && e->who != b->who;
	case GRANT_REVOKE:
		return open && (director[e->who] || e->who == b->who);
	default:
		return b->s.kind == GRANT_GLASS && far &&
		    !was(y, e->id, GRANT_REVIEW, -1);
	}
}

static bool
counts(const struct story *y, const struct event *b, const char *ticket)
{
	unsigned n = 0, i;

	if (!is_open(y, b) || (b->s.ticket != NULL && (ticket == NULL ||
	    strcmp(ticket, b->s.ticket) != 0)))
		return false;
	for (i = 0; i < PEOPLE; i++)
		n += was(y, b->id, GRANT_APPROVE, (int)i);
	return b->s.kind == GRANT_GLASS ||
	    n >= (strcmp(b->s.rule, "two") == 0 ? 2u : 1u);
}

/* ---- both ---- */

static void
random_event(const struct story *y, struct event *e)
{
	static const enum grant_kind kinds[] = {GRANT_REQUEST, GRANT_REQUEST,
	    GRANT_APPROVE, GRANT_APPROVE, GRANT_APPROVE, GRANT_DENY,
	    GRANT_REVOKE, GRANT_GLASS, GRANT_REVIEW};
	static const char *const rules[] = {"one", "two", "two", "free",
	    "none"};

	memset(e, 0, sizeof(*e));
	e->s.kind = kinds[roll(9)];
	e->who = roll(PEOPLE);
	if (e->s.kind == GRANT_GLASS && roll(2) == 0)
		e->who = 2;
	e->s.by = people[e->who];
	e->s.at_ms = y->now;
	e->s.why = "because";
	if (e->s.kind == GRANT_REQUEST || e->s.kind == GRANT_GLASS) {
		(void)snprintf(e->id, sizeof(e->id), "%zu", y->n);
		e->s.store = roll(3) == 0 ? "b" : "a";
		e->s.rule = rules[roll(5)];
		e->s.ticket = roll(3) == 0 ? "T" : NULL;
		e->s.until_ms = y->now + (int64_t)roll(12000) - 500;
		e->s.review_ms = y->now + REVIEW;
	} else {
		(void)snprintf(e->id, sizeof(e->id), "%u", roll(STEPS / 3));
	}
}

static void
compare(const struct world *w, const struct story *y, const struct grants *g,
    struct arena *a)
{
	static const char *const stores[] = {"a", "b"};
	static const char *const tickets[] = {NULL, "T", "U"};
	const struct event *b;
	struct granted_list l;
	unsigned who, s, t;
	bool closed;
	size_t i, n;

	for (who = 0; who < PEOPLE; who++) {
		for (s = 0; s < 2; s++) {
			closed = false;
			for (i = 0; i < y->n; i++) {
				b = &y->list[i];
				closed |= b->who == who &&
				    b->s.kind == GRANT_GLASS &&
				    strcmp(b->s.store, stores[s]) == 0 &&
				    b->s.review_ms <= y->now &&
				    !was(y, b->id, GRANT_REVIEW, -1);
			}
			assert_int_equal(closed, grants_closed(g, people[who],
			    stores[s], y->now) != NULL);
			for (t = 0; t < 3; t++) {
				assert_int_equal(grants_in_force(g, &w->by,
				    people[who], stores[s], tickets[t],
				    y->now, a, &l), 0);
				for (i = 0, n = 0; i < y->n; i++) {
					b = &y->list[i];
					if (begin_of(y, b->id) != b ||
					    b->who != who || strcmp(
					    b->s.store, stores[s]) != 0 ||
					    !counts(y, b, tickets[t]))
						continue;
					assert_true(n < l.n);
					assert_string_equal(
					    l.items[n++].grant->id, b->id);
				}
				assert_int_equal(n, l.n);
			}
		}
	}
}

static void
one_story(const struct world *w, unsigned *taken, unsigned *refused)
{
	struct grants *g = grants_new(), *copy;
	struct arena *a = arena_new();
	struct story *y = calloc(1, sizeof(*y));
	struct event *e;
	struct why why;
	int r;

	assert_non_null(g);
	assert_non_null(a);
	assert_non_null(y);
	y->now = INT64_C(1790812800000);
	while (y->n < STEPS) {
		e = &y->list[y->n];
		y->now += roll(4) == 0 ? roll(3000) : roll(50);
		random_event(y, e);
		e->s.id = e->id;
		r = grants_check(g, &w->by, &e->s, a, &why);
		if (r != (may(y, e) ? 0 : ERR_DENIED))
			fail_msg("step %zu: %s of %s by %s: %d %s", y->n,
			    grant_kind_text(e->s.kind), e->id, e->s.by, r,
			    r != 0 ? why.text : "");
		if (r == 0) {
			assert_int_equal(grants_take(g, &e->s), 0);
			y->n++;
			(*taken)++;
		} else {
			(*refused)++;
		}
		compare(w, y, g, a);
		assert_non_null(copy = grants_copy(g, y->now));
		grants_free(g);
		g = copy;
		arena_reset(a);
	}
	free(y);
	arena_free(a);
	grants_free(g);
}

static void
steps_and_what_counts_are_as_the_list_of_them_says(void **state)
{
	unsigned taken = 0, refused = 0, i;
	struct world w;

	(void)state;
	world_init(&w);
	for (i = 0; i < ROUNDS; i++)
		one_story(&w, &taken, &refused);
	assert_true(taken > 500 && refused > 500);
	world_done(&w);
}

static struct grant_step
step(enum grant_kind k, const char *by, int64_t at_ms)
{
	return (struct grant_step){.kind = k, .id = "x", .by = by,
	    .at_ms = at_ms, .why = "why", .store = "a", .rule = "one",
	    .until_ms = at_ms + LONGEST, .review_ms = at_ms + REVIEW};
}

static void
nothing_changes_between_what_it_says_are_changes(void **state)
{
	struct grants *g = grants_new();
	struct grant_step s = step(GRANT_REQUEST, "ann", 1000);

	(void)state;
	assert_int_equal(grants_change_at(g, 0), INT64_MAX);
	assert_int_equal(grants_change_at(NULL, 0), INT64_MAX);
	assert_int_equal(grants_take(g, &s), 0);
	s = step(GRANT_GLASS, "ben", 2000);
	s.id = "y";
	s.until_ms = 3000;
	assert_int_equal(grants_take(g, &s), 0);
	assert_int_equal(grants_change_at(g, 0), 3000);
	assert_int_equal(grants_change_at(g, 3000), 2000 + REVIEW);
	assert_int_equal(grants_change_at(g, 2000 + REVIEW), 1000 + LONGEST);
	assert_int_equal(grants_change_at(g, 1000 + LONGEST), INT64_MAX);
	assert_null(grants_closed(g, "ben", "a", 2000 + REVIEW - 1));
	assert_non_null(grants_closed(g, "ben", "a", 2000 + REVIEW));
	grants_free(g);
}

static void
what_is_over_is_forgotten_but_never_glass_that_nobody_reviewed(void **state)
{
	struct grants *g = grants_new(), *later;
	struct grant_step s = step(GRANT_REQUEST, "ann", 1000);
	int64_t end = 1000 + LONGEST + GRANTS_KEPT_MS;

	(void)state;
	assert_int_equal(grants_take(g, &s), 0);
	s = step(GRANT_GLASS, "ben", 1000);
	s.id = "y";
	assert_int_equal(grants_take(g, &s), 0);
	later = grants_copy(g, end - 1);
	assert_int_equal(grants_count(later), 2);
	grants_free(later);
	later = grants_copy(g, end);
	assert_int_equal(grants_count(later), 1);
	assert_string_equal(grants_at(later, 0)->id, "y");
	grants_free(later);
	s = step(GRANT_REVIEW, "olga", end);
	s.id = "y";
	assert_int_equal(grants_take(g, &s), 0);
	later = grants_copy(g, end + GRANTS_KEPT_MS);
	assert_int_equal(grants_count(later), 0);
	grants_free(later);
	grants_free(g);
}

static void
an_approver_who_left_or_came_under_the_same_manager_counts_no_more(
    void **state)
{
	static const char olga[] = "olga: {name: O, employer: o, site: i, "
	    "manager: none,";
	static const char moved[] = "olga: {name: O, employer: o, site: i, "
	    "manager: ceo, ";
	char *text = strdup(directory_text), *at;
	struct grants *g = grants_new();
	struct grant_step s = step(GRANT_REQUEST, "ann", 1000);
	struct directory *later = NULL;
	struct arena *a = arena_new();
	struct granted_list l;
	struct grants_by by;
	struct world w;
	struct why why;

	(void)state;
	world_init(&w);
	assert_int_equal(grants_take(g, &s), 0);
	s = step(GRANT_APPROVE, "olga", 1500);
	assert_int_equal(grants_check(g, &w.by, &s, a, &why), 0);
	assert_int_equal(grants_take(g, &s), 0);
	assert_int_equal(grants_in_force(g, &w.by, "ann", "a", NULL, 2000, a,
	    &l), 0);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.items[0].by[0], "olga");
	assert_non_null(at = strstr(text, olga));
	memcpy(at, moved, sizeof(moved) - 1);
	assert_int_equal(directory_load(text, strlen(text), &later, &why), 0);
	by = (struct grants_by){w.p, later};
	assert_int_equal(grants_in_force(g, &by, "ann", "a", NULL, 2000, a,
	    &l), 0);
	assert_int_equal(l.n, 0);
	directory_free(later);
	/* And one who is not there at all. */
	memcpy(at, "olgb", 4);
	for (at = text; (at = strstr(at, "manager: olga")) != NULL; at++)
		memcpy(at, "manager: olgb", 13);
	assert_int_equal(directory_load(text, strlen(text), &later, &why), 0);
	by.directory = later;
	assert_int_equal(grants_in_force(g, &by, "ann", "a", NULL, 2000, a,
	    &l), 0);
	assert_int_equal(l.n, 0);
	directory_free(later);
	free(text);
	arena_free(a);
	grants_free(g);
	world_done(&w);
}

static void
steps_that_cannot_follow_are_not_taken(void **state)
{
	struct grants *g = grants_new();
	struct grant_step s = step(GRANT_APPROVE, "olga", 1);
	size_t i;
	char id[16];

	(void)state;
	assert_int_equal(grants_take(g, &s), ERR_MISSING);
	s = step(GRANT_REQUEST, "ann", 1);
	assert_int_equal(grants_take(g, &s), 0);
	assert_int_equal(grants_take(g, &s), ERR_CONFLICT);
	s = step(GRANT_REVOKE, "ann", 2);
	assert_int_equal(grants_take(g, &s), 0);
	assert_int_equal(grants_take(g, &s), ERR_CONFLICT);
	s = step(GRANT_REQUEST, "ann", 3);
	s.id = id;
	for (i = 1; i < GRANTS_MAX; i++) {
		(void)snprintf(id, sizeof(id), "r%zu", i);
		assert_int_equal(grants_take(g, &s), 0);
	}
	(void)snprintf(id, sizeof(id), "last");
	assert_int_equal(grants_take(g, &s), ERR_LIMIT);
	grants_free(g);
}

/* Every set up to four rules; of five, none, each, each two and all. */
static void
logins_are_made_for_all_that_can_be_approved(void **state)
{
	static const char *const more[] = {"", "- {rule: w, permit: read, "
	    "approval: {by: {roles: [z]}, apart: [formal]}}\n", "- {rule: v, "
	    "permit: read, approval: {by: {roles: [z]}, apart: [formal]}}\n"
	    "- {rule: t, permit: read, approval: {by: {roles: [z]}, apart: "
	    "[formal]}}\n- {rule: u, permit: read, approval: {by: {roles: "
	    "[z]}, apart: [formal]}}\n"};
	static const size_t sre[] = {4, 8, 1 + 5 + 10 + 1};
	static const size_t clerk[] = {2, 4, 16};
	const struct policy_approvals *sets;
	struct policy_request ann = {.store = "a"}, kim = {.store = "a"};
	struct arena *a = arena_new();
	struct policy *p = NULL;
	struct world w;
	struct why why;
	char text[4096];
	size_t n, i;

	(void)state;
	world_init(&w);
	assert_int_equal(directory_principal(w.d, "ann", 1, a, &ann.who), 0);
	assert_int_equal(directory_principal(w.d, "kim", 1, a, &kim.who), 0);
	for (i = 0; i < 3; i++) {
		(void)snprintf(text, sizeof(text), "%s%s", policy_text,
		    more[i]);
		assert_int_equal(policy_load(text, strlen(text), &p, &why),
		    0);
		assert_int_equal(grant_sets(p, &ann, a, &sets, &n), 0);
		assert_int_equal(n, sre[i]);
		assert_int_equal(sets[0].n, 0);
		assert_int_equal(sets[n - 1].n, i + 2 + (i == 2));
		assert_int_equal(grant_sets(p, &kim, a, &sets, &n), 0);
		assert_int_equal(n, clerk[i]);
		policy_free(p);
	}
	arena_free(a);
	world_done(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    steps_and_what_counts_are_as_the_list_of_them_says),
		cmocka_unit_test(
		    nothing_changes_between_what_it_says_are_changes),
		cmocka_unit_test(
	    what_is_over_is_forgotten_but_never_glass_that_nobody_reviewed),
		cmocka_unit_test(
	    an_approver_who_left_or_came_under_the_same_manager_counts_no_more),
		cmocka_unit_test(steps_that_cannot_follow_are_not_taken),
		cmocka_unit_test(logins_are_made_for_all_that_can_be_approved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Who can reach what, against trying everything by hand: the demo's people,
 * each purpose, tickets and places written out here, each decided by itself.
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
#include "catalog/catalog.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "directory/places.h"
#include "policy/alike.h"
#include "policy/memo.h"
#include "policy/policy.h"
#include "policy/reach.h"
#include "policy/scopes.h"
#include "policy/sessions.h"
#include "policy/ways.h"
#include "story.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define CELLS_MAX 1000

static const char *const us[] = {"US"};
static const char *const eu[] = {"IE", "DE", "FR", "ES"};
static const char *const cn[] = {"CN"};
static const char *const feed[] = {"feed-international"};
static const char *const feed_cn[] = {"feed-domestic"};

struct demo {
	struct story abroad, home;	/* the catalogs; one policy */
	struct reach_store stores[3];
	struct reach_space space;
	struct sessions sessions;
	struct arena *a;
};

static void
demo_init(struct demo *d, const char *policy)
{
	char *directory = story_read(DEMO_DIR "/conf/directory.yaml");
	char *abroad = story_read(DEMO_DIR
	    "/conf/catalog-international.yaml");
	char *home = story_read(DEMO_DIR "/conf/catalog-domestic.yaml");
	char *text = policy == NULL ?
	    story_read(DEMO_DIR "/conf/policy.yaml") : strdup(policy);
	const struct policy *list[1];
	struct why w = {0};

	assert_non_null(text);
	story_init(&d->abroad, directory, abroad, text);
	story_init(&d->home, directory, home, text);
	free(directory);
	free(abroad);
	free(home);
	free(text);
	d->stores[0] = (struct reach_store){"us", d->abroad.catalog, us,
	    LENGTH(us), feed, 1, NULL};
	d->stores[1] = (struct reach_store){"eu", d->abroad.catalog, eu,
	    LENGTH(eu), feed, 1, NULL};
	d->stores[2] = (struct reach_store){"domestic", d->home.catalog, cn,
	    LENGTH(cn), feed_cn, 1, NULL};
	assert_non_null(d->a = arena_new());
	assert_int_equal(reach_space_make(d->stores, 3, d->a, &d->space), 0);
	assert_in_range(d->space.n_cells, 1, CELLS_MAX);
	list[0] = d->abroad.policy;
	if (sessions_list(d->abroad.directory, NULL, list, 1, STORY_NOVEMBER, d->a,
	    &d->sessions, &w) != 0)
		fail_msg("%s", w.text);
}

static void
demo_done(struct demo *d)
{
	arena_free(d->a);
	story_done(&d->abroad);
	story_done(&d->home);
}

struct most {
	const struct demo *d;
	struct arena *scratch;
	uint8_t levels[CELLS_MAX];
	unsigned places;		/* set of indices */
};

static int
take_most(void *arg, const struct reach_session *q)
{
	struct most *m = arg;
	uint8_t levels[CELLS_MAX];
	size_t i;
	int r;

	r = reach_levels(&m->d->space, m->d->abroad.policy, q, m->scratch,
	    levels);
	for (i = 0; i < m->d->space.n_cells; i++)
		if (levels[i] > m->levels[i])
			m->levels[i] = levels[i];
	m->places |= 1u << q->place;
	return r;
}

static void
reach_most(const struct demo *d, const char *who, int64_t at_ms,
    struct most *m)
{
	memset(m, 0, sizeof(*m));
	m->d = d;
	assert_non_null(m->scratch = arena_new());
	assert_int_equal(reach_each(d->abroad.directory, &d->sessions, who,
	    at_ms, take_most, m), 0);
	arena_free(m->scratch);
}

/* All that one clearance shows, cell by cell, into the most. */
static void
add_shown(const struct demo *d, size_t store, const struct clearance *c,
    bool service, uint8_t *most)
{
	bool all = true;
	size_t i, k;

	for (i = 0; i < d->space.n_cells; i++) {
		const struct reach_cell *cell = &d->space.cells[i];
		const struct clearance_table *t = &c->tables[cell->table];
		enum treatment shown = TREAT_ABSENT;

		if (cell->store != store)
			continue;
		for (k = 0; k < t->n_residences; k++)
			if (strcmp(t->residences[k], d->stores[store].
			    residences[cell->residence]) == 0)
				shown = t->columns[cell->column];
		if (shown != TREAT_PLAIN)
			all = false;
		if (!service && shown > most[i])
			most[i] = (uint8_t)shown;
	}
	for (i = 0; service && all && i < d->space.n_cells; i++)
		if (d->space.cells[i].store == store)
			most[i] = TREAT_PLAIN;
}

static void
try_one(const struct demo *d, size_t store, struct policy_request *q,
    const char *who, const char *place, struct arena *a, uint8_t *most)
{
	const struct reach_store *s = &d->stores[store];
	const struct clearance *c;

	q->store = s->name;
	q->residences = s->residences;
	q->n_residences = s->n_residences;
	q->catalog = s->catalog;
	assert_int_equal(directory_principal(d->abroad.directory, who,
	    q->at_ms, a, &q->who), 0);
	assert_int_equal(control_of(d->abroad.directory, who, q->at_ms,
	    &place, 1, a, &q->control), 0);
	assert_int_equal(policy_decide(d->abroad.policy, q, a, &c), 0);
	add_shown(d, store, c, q->who->kind == PRINCIPAL_SERVICE, most);
}

/* Where each may come from, and which service has a role where, by hand. */
static bool
can_be(const char *who, size_t store, const char *place)
{
	if (strcmp(who, "feed-domestic") == 0)
		return store == 2 && strcmp(place, "CN") == 0;
	if (strcmp(who, "feed-international") == 0)
		return store < 2 && strcmp(place, "US") == 0;
	return true;
}

static void
try_everything(const struct demo *d, const char *who, int64_t at_ms,
    uint8_t *most)
{
	static const char *const purposes[] = {NULL, "moderation",
	    "analytics", "operations"};
	static const char *const tickets[] = {NULL, "TS-1042", "TS-", "x"};
	static const char *const places[] = {"unknown", "CN", "IE", "US"};
	struct policy_request q = {.at_ms = at_ms};
	struct arena *a = arena_new();
	size_t i, k, s;

	assert_non_null(a);
	for (i = 0; i < LENGTH(purposes) * LENGTH(tickets); i++)
		for (k = 0; k < LENGTH(places); k++)
			for (s = 0; s < 3; s++) {
				if (!can_be(who, s, places[k]))
					continue;
				q.purpose = purposes[i % LENGTH(purposes)];
				q.ticket = tickets[i / LENGTH(purposes)];
				try_one(d, s, &q, who, places[k], a, most);
			}
	arena_free(a);
}

static const char *const everybody[] = {"zhang", "liu", "wei", "lina",
    "dana", "niamh", "aoife", "ethan", "priya", "olga", "sam",
    "feed-domestic", "feed-international"};

static void
reach_is_what_trying_everything_finds(void **state)
{
	const int64_t times[] = {STORY_OCTOBER, STORY_NOVEMBER};
	uint8_t want[CELLS_MAX];
	struct most got;
	struct demo d;
	size_t i, k, plain = 0;

	(void)state;
	demo_init(&d, NULL);
	for (i = 0; i < LENGTH(everybody); i++)
		for (k = 0; k < LENGTH(times); k++) {
			memset(want, 0, sizeof(want));
			try_everything(&d, everybody[i], times[k], want);
			reach_most(&d, everybody[i], times[k], &got);
			assert_memory_equal(got.levels, want,
			    d.space.n_cells);
			plain += memchr(want, TREAT_PLAIN,
			    d.space.n_cells) != NULL;
		}
	/* lina, wei at home, aoife, sam, and the feeds: one since November */
	assert_int_equal(plain, 4 * 2 + 2 + 1);
	demo_done(&d);
}

struct twice {
	const struct demo *d;
	struct arena *scratch;
	struct memo *memo;
	unsigned sessions, shown;
};

static int
compare_levels(void *arg, const struct reach_session *q)
{
	struct twice *t = arg;
	uint8_t kept[CELLS_MAX], decided[CELLS_MAX];
	size_t i;

	assert_int_equal(memo_levels(t->memo, q, kept), 0);
	assert_int_equal(reach_levels(&t->d->space, t->d->abroad.policy, q,
	    t->scratch, decided), 0);
	assert_memory_equal(kept, decided, t->d->space.n_cells);
	for (i = 0; i < t->d->space.n_cells; i++)
		t->shown += decided[i] != TREAT_ABSENT;
	t->sessions++;
	return 0;
}

/* Hours, relations and purposes beside the demo's rules. */
static const char varied[] = "policy: p\nversion: 1\n"
    "purposes: [moderation, analytics]\nrules:\n"
    "- {rule: a, permit: read, who: {roles: [analyst, moderator]},"
    " whose: {relation: behind, by: [location]}}\n"
    "- {rule: b, permit: read, who: {kind: service}}\n"
    "- {rule: c, treat: mask, what: {categories: [contact]}, when:"
    " {hours: \"08:00-18:00\", utc-offset: \"+01:00\"}}\n"
    "- {rule: d, permit: read, why: {purposes: [analytics], ticket:"
    " \"A-[0-9]+\"}, who: {located-in: [IE, US]}}\n"
    "- {rule: e, forbid: read, whose: {relation: others-behind,"
    " by: [actual, location]}, what: {categories: [messages]}}\n"
    "- {rule: f, permit: read, why: {ticket: \"B-[0-9]+\","
    " confirmed: true}, what: {tables: [public.comments,"
    " public.profiles]}}\n"
    "- {rule: g, permit: read, who: {connecting-from: [US]},"
    " what: {tables: [public.likes]}}\n";

static void
what_is_kept_is_what_would_be_decided(void **state)
{
	const char *const policies[] = {NULL, varied};
	const struct policy *list[1];
	struct why w = {0};
	struct twice t;
	struct demo d;
	size_t i, k, round;

	(void)state;
	for (i = 0; i < LENGTH(policies); i++) {
		demo_init(&d, policies[i]);
		list[0] = d.abroad.policy;
		assert_int_equal(reach_scopes_make(d.stores, LENGTH(d.stores),
		    list, 1, &d.sessions, d.a, &w), 0);
		memset(&t, 0, sizeof(t));
		t.d = &d;
		assert_non_null(t.scratch = arena_new());
		assert_int_equal(memo_new(&d.space, d.abroad.policy,
		    &t.memo), 0);
		for (round = 0; round < 2; round++)
			for (k = 0; k < LENGTH(everybody); k++)
				assert_int_equal(reach_each(
				    d.abroad.directory, &d.sessions,
				    everybody[k], STORY_NOVEMBER,
				    compare_levels, &t), 0);
		assert_in_range(t.sessions, 100, 1000000);
		assert_in_range(t.shown, 100, 100000000);
		memo_free(t.memo);
		arena_free(t.scratch);
		demo_done(&d);
	}
}

/* What a reader is given by all that sessions can state, as one text. */
static char *
all_given(const struct demo *d, struct policy_request q, size_t store,
    struct arena *scratch)
{
	const struct sessions *s = &d->sessions;
	const struct clearance *c;
	struct buf text;
	char *ret;
	size_t i, k, o, t;

	buf_init(&text, 0);
	for (i = 0; i < s->n_purposes; i++)
		for (k = 0; k < s->n_tickets; k++)
			for (o = 0; o < d->stores[store].scopes[k].n; o++)
				for (t = 0; t < s->times.n; t++) {
					q.purpose = s->purposes[i];
					q.ticket = s->tickets[k];
					q.scope =
					    d->stores[store].scopes[k].items[o];
					q.at_ms = s->times.items[t];
					arena_reset(scratch);
					assert_int_equal(policy_decide(
					    d->abroad.policy, &q, scratch,
					    &c), 0);
					clearance_text(&text, c);
				}
	assert_non_null(ret = strdup(buf_text(&text)));
	buf_done(&text);
	return ret;
}

struct alikes {
	const struct demo *d;
	struct alike *alike;
	struct arena *scratch;
	unsigned asked, shared;
};

/* From one place, at one store. */
static void
compare_alike(struct alikes *t, const struct principal *who,
    const struct control *control, size_t store)
{
	const struct reach_store *s = &t->d->stores[store];
	const struct policy_request q = { .who = who, .control = control,
	    .store = s->name, .residences = s->residences,
	    .n_residences = s->n_residences, .catalog = s->catalog };
	const void **place;
	char *text;

	assert_int_equal(alike_reader(t->alike, &q, store, &place), 0);
	assert_non_null(place);
	text = all_given(t->d, q, store, t->scratch);
	t->asked++;
	if (*place == NULL) {
		assert_non_null(*place = arena_str(t->d->a, text));
	} else {
		assert_string_equal(text, *place);
		t->shared++;
	}
	free(text);
}

static void
whoever_is_alike_is_given_the_same_whatever_they_state(void **state)
{
	const char *const policies[] = {NULL, varied};
	const struct policy *list[1];
	const struct principal *who;
	const struct control *control;
	struct alikes t;
	struct arena *a;
	struct why w = {0};
	struct demo d;
	size_t i, k, p, store;

	(void)state;
	for (i = 0; i < LENGTH(policies); i++) {
		demo_init(&d, policies[i]);
		list[0] = d.abroad.policy;
		assert_int_equal(reach_scopes_make(d.stores, LENGTH(d.stores),
		    list, 1, &d.sessions, d.a, &w), 0);
		t = (struct alikes){ .d = &d, .scratch = arena_new() };
		assert_int_equal(alike_new(d.abroad.policy, LENGTH(eu),
		    &t.alike), 0);
		for (k = 0; k < LENGTH(everybody); k++)
			for (p = 0; p < d.sessions.n_places; p++) {
				assert_non_null(a = arena_new());
				assert_int_equal(directory_principal(
				    d.abroad.directory, everybody[k],
				    STORY_NOVEMBER, a, &who), 0);
				assert_int_equal(control_of(
				    d.abroad.directory, everybody[k],
				    STORY_NOVEMBER, &d.sessions.places[p],
				    d.sessions.places[p] != NULL, a,
				    &control), 0);
				for (store = 0; store < 3; store++)
					compare_alike(&t, who, control,
					    store);
				arena_free(a);
			}
		/* Both happen: they are alike, and they are not. */
		assert_in_range(t.shared, t.asked / 4, t.asked - 10);
		alike_free(t.alike);
		arena_free(t.scratch);
		demo_done(&d);
	}
}

static void
a_service_comes_from_its_networks_only(void **state)
{
	struct most m;
	struct demo d;
	size_t i;

	(void)state;
	demo_init(&d, NULL);
	reach_most(&d, "feed-international", STORY_NOVEMBER, &m);
	for (i = 0; i < d.sessions.n_places; i++)
		assert_int_equal(m.places >> i & 1, i > 0 &&
		    strcmp(d.sessions.places[i], "US") == 0);
	demo_done(&d);
}

/* Sites inside, around and beside what somebody is expected from, and the
 * labels that some address of it has. */
static const struct {
	const char *what, *networks, *possible;
} networks[] = {
	{"around", "10.1.2.0/24", "AA"},
	{"all of a site, and what is around it", "10.1.0.0/16", "AA BB"},
	{"beyond all sites", "192.0.2.0/24", "unknown"},
	{"sites and between them", "10.0.0.0/8", "AA BB unknown"},
	{"a site to its end", "10.1.128.0/17", "BB"},
	{"exactly two halves", "10.2.0.0/16", "AA BB"},
	{"sites and what follows them", "10.2.0.0/15", "AA BB unknown"},
	{"the last addresses there are", "255.255.255.0/24", "BB unknown"},
	{"any", NULL, "AA BB CC unknown"},
	{"IPv6", "2001:db8::/32", "CC unknown"},
};

static void
places_are_found_wherever_networks_begin_and_end(void **state)
{
	static const char text[] = "directory: 1\nissuer: hr\nsites:\n"
	    "  a: {country: AA, networks: [10.1.0.0/16, 10.2.0.0/17]}\n"
	    "  b: {country: BB, networks: [10.1.128.0/17, 10.2.128.0/17, "
	    "255.255.255.128/25]}\n"
	    "  c: {country: CC, networks: [\"2001:db8:1::/48\"]}\n"
	    "people: {}\n";
	static const char *const labels[] = {"AA", "BB", "CC", "unknown"};
	struct directory *d = NULL;
	struct why w = {0};
	size_t i, k;

	(void)state;
	if (directory_load(text, strlen(text), &d, &w) != 0)
		fail_msg("%u: %s", w.line, w.text);
	for (i = 0; i < LENGTH(networks); i++) {
		const struct principal p = {.networks =
		    &networks[i].networks,
		    .n_networks = networks[i].networks != NULL};

		for (k = 0; k < LENGTH(labels); k++)
			if (place_possible(d, &p, labels[k]) !=
			    (strstr(networks[i].possible, labels[k]) != NULL))
				fail_msg("%s: %s", networks[i].what,
				    labels[k]);
	}
	directory_free(d);
}

#define RULE "  - rule: "
#define HEAD "policy: p\nversion: 1\npurposes: [a, b]\nrules:\n"

struct gather {
	const struct demo *d;
	struct ways ways;
	struct arena *scratch;
};

static int
gather(void *arg, const struct reach_session *q)
{
	struct gather *g = arg;
	uint8_t levels[CELLS_MAX];
	int r;

	r = reach_levels(&g->d->space, g->d->abroad.policy, q, g->scratch,
	    levels);
	return r != 0 ? r : ways_add(&g->ways, q, levels);
}

/* Each way of aoife at the store us, "purpose/ticket/places/rules;". */
static void
expect_ways(const char *policy, const char *want)
{
	bool asked[CELLS_MAX];
	char got[1000] = "";
	struct gather g;
	struct demo d;
	size_t i, k;

	memset(asked, 1, sizeof(asked));
	demo_init(&d, policy);
	g = (struct gather){.d = &d, .scratch = arena_new(), .ways = {
	    .a = d.a, .policy = d.abroad.policy, .space = &d.space,
	    .sessions = &d.sessions, .asked = asked}};
	assert_non_null(g.scratch);
	assert_int_equal(reach_each(d.abroad.directory, &d.sessions, "aoife",
	    STORY_NOVEMBER, gather, &g), 0);
	ways_reduce(&g.ways);
	for (i = 0; i < g.ways.n; i++) {
		const struct way *w = &g.ways.items[i];
		size_t places = 0, at = strlen(got);

		if (w->store != 0)
			continue;
		for (k = 0; k < d.sessions.n_places; k++)
			places += w->places[k];
		(void)snprintf(got + at, sizeof(got) - at, "%s/%s/%zu/%s%s;",
		    w->purpose != NULL ? w->purpose : "",
		    w->ticket != NULL ? "ticket" : "", places,
		    w->n_rules > 0 ? w->rules[0] : "",
		    w->n_rules > 1 ? "+" : "");
	}
	assert_string_equal(got, want);
	arena_free(g.scratch);
	demo_done(&d);
}

static void
only_the_ways_that_add_something_are_kept(void **state)
{
	(void)state;
	expect_ways(HEAD RULE "all\n    permit: read\n", "//4/all;");
	expect_ways(HEAD RULE "for a\n    permit: read\n"
	    "    why: {purposes: [a]}\n", "a//4/for a;");
	/* The same again with a purpose, but by a rule of its own. */
	expect_ways(HEAD RULE "all\n    permit: read\n"
	    RULE "for a\n    permit: read\n    why: {purposes: [a]}\n",
	    "//4/all;a//4/all+;");
	/* A ticket makes it less: it is not a way of its own. */
	expect_ways(HEAD RULE "all\n    permit: read\n"
	    RULE "masked\n    treat: mask\n    why: {ticket: T}\n",
	    "//4/all;");
	expect_ways(HEAD RULE "all\n    permit: read\n"
	    RULE "not from there\n    forbid: read\n"
	    "    who: {located-in: [CN]}\n", "//2/all;");
	expect_ways(HEAD RULE "none\n    permit: read\n"
	    "    who: {roles: [nobody-has-it]}\n", "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reach_is_what_trying_everything_finds),
		cmocka_unit_test(what_is_kept_is_what_would_be_decided),
		cmocka_unit_test(
		    whoever_is_alike_is_given_the_same_whatever_they_state),
		cmocka_unit_test(a_service_comes_from_its_networks_only),
		cmocka_unit_test(
		    places_are_found_wherever_networks_begin_and_end),
		cmocka_unit_test(only_the_ways_that_add_something_are_kept),
	};

	return cmocka_run_group_tests_name("reach", tests, NULL, NULL);
}

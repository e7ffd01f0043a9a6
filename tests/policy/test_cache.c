/*
 * What is kept is what would be decided now: random versions of directory
 * and policy, random readers, places, purposes, tickets and answers about
 * them, while time passes, and is put back now and then. The oracle decides
 * each time anew.
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
#include "base/err.h"
#include "catalog/catalog.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "directory/turns.h"
#include "policy/cache.h"
#include "policy/policy.h"

#define N 3
#define VERSIONS 60
#define STEPS 400			/* under each */
#define HOUR_MS INT64_C(3600000)
#define START_MS INT64_C(1767225600000)	/* 2026-01-01T00:00:00Z */

static const char *const categories[] = {"c0", "c1"};
static struct catalog_column columns[] = {
	{.name = "a", .category = "c0"}, {.name = "b", .category = "c1"},
};
static const struct catalog_subject self;
static const struct catalog_table tables[] = {
	{"p", "t0", "p.t0", false, columns, 2, &self, 1},
};
static const struct catalog catalog = {
	.name = "c", .categories = categories, .n_categories = 2,
	.tables = tables, .n_tables = 1, .residence_store = true,
	.subject_schema = "p", .subject_table = "t0", .subject_key = "a",
};
static const char *const residences[] = {"AA", "BB"};
static const char *const people[] = {"p0", "p1", "p2"};
static const char *const places[] = {"AA", "BB", "unknown"};
static const char *const stores[] = {"s0", "s1"};
static const char *const purposes[] = {NULL, "w0", "w1"};
static const char *const tickets[] = {NULL, "T-1", "T-2", "X"};
static const char *const all_tables[] = {"p.t0"};

/* About a ticket: what it covers, and until when that may be used. */
struct answer {
	struct policy_scope scope;
	int64_t until_ms;
};

static uint64_t seed = 7;

static unsigned
roll(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

/* --- versions --- */

static void
put_fact(struct buf *out, const char *key, const char *a, const char *b)
{
	unsigned month = 1 + roll(4);

	buf_fmt(out, "    %s: [{%s, to: 2026-0%u-01}, {%s, from: "
	    "2026-0%u-01}]\n", key, a, month, b, month + roll(2));
}

static struct directory *
make_directory(void)
{
	static const char *const sites[] = {"id: aa", "id: bb"};
	static const char *const bosses[] = {"id: p0", "id: p1", "id: p2"};
	struct directory *d = NULL;
	struct why w = {0};
	struct buf text;
	const char *site;
	unsigned i;

	buf_init(&text, 0);
	buf_str(&text, "directory: 1\nissuer: hr.example\nsites:\n"
	    "  aa: {country: AA}\n  bb: {country: BB}\nentities:\n"
	    "  e0: {country: AA, owners: {}, rest: dispersed}\npeople:\n");
	for (i = 0; i < N; i++) {
		buf_fmt(&text, "  p%u:\n    employer: e0\n", i);
		site = sites[roll(2)];	/* in an order that is ours */
		put_fact(&text, "site", sites[roll(2)], site);
		put_fact(&text, "roles", roll(2) == 0 ? "value: r0" :
		    "value: r1", "value: r0");
		if (roll(2) == 0)
			buf_str(&text, "    manager: none\n");
		else
			put_fact(&text, "manager", bosses[(i + 1) % N],
			    bosses[(i + 2) % N]);
	}
	if (directory_load(buf_text(&text), text.len, &d, &w) != 0)
		fail_msg("%u:%u: %s in\n%s", w.line, w.column, w.text,
		    buf_text(&text));
	buf_done(&text);
	return d;
}

static struct policy *
make_policy(void)
{
	static const char *const who[] = {"", "who: {roles: r0}, ",
	    "who: {controlled-from: AA}, ", "who: {located-in: BB}, ",
	    "who: {connecting-from: AA}, ", "who: {principals: [p0, p2]}, "};
	static const char *const why[] = {"", "why: {purposes: w0}, ",
	    "why: {ticket: 'T-[0-9]'}, ", "why: {purposes: [w0, w1]}, "};
	static const char *const when[] = {"", "",
	    "when: {hours: \"08:00-18:00\", utc-offset: \"+00:00\"}, ",
	    "when: {from: 2026-02-01, to: 2026-03-10}, "};
	static const char *const what[] = {"", "what: {categories: c0}, ",
	    "what: {stores: s1}, ", "whose: AA, "};
	static const char *const verbs[] = {"permit", "permit", "permit",
	    "forbid"};
	struct policy *p = NULL;
	const char *parts[4];
	struct why w = {0};
	struct buf text;
	unsigned i;

	buf_init(&text, 0);
	buf_str(&text, "policy: p\nversion: 1\npurposes: [w0, w1]\nrules:\n"
	    "- {rule: confirmed, permit: read, who: {roles: r1}, "
	    "why: {ticket: 'T-[0-9]', confirmed: true}}\n");
	for (i = 0; i < 6; i++) {
		parts[0] = who[roll(6)];
		parts[1] = why[roll(4)];
		parts[2] = when[roll(4)];
		parts[3] = what[roll(4)];
		buf_fmt(&text, "- {rule: n%u, %s: read, %s%s%s%s}\n", i,
		    verbs[roll(4)], parts[0], parts[1], parts[2], parts[3]);
	}
	if (policy_load(buf_text(&text), text.len, &p, &w) != 0)
		fail_msg("%u:%u: %s in\n%s", w.line, w.column, w.text,
		    buf_text(&text));
	buf_done(&text);
	return p;
}

/* --- deciding --- */

struct asked {
	const struct directory *d;
	const struct policy *p;
	struct cache_key k;
};

/* All that follows from a key, as a text on the heap. */
static char *
decide(const struct asked *q)
{
	const struct answer *answer = q->k.answer;
	const struct clearance *c = NULL;
	struct policy_request r = {
		.store = q->k.store, .residences = residences,
		.n_residences = 2, .catalog = &catalog,
		.purpose = q->k.purpose, .ticket = q->k.ticket,
		.scope = answer != NULL ? &answer->scope : NULL,
		.at_ms = q->k.at_ms,
	};
	struct arena *a = arena_new();
	struct buf text;
	char *ret;
	size_t i;

	assert_int_equal(directory_principal(q->d, q->k.principal,
	    q->k.at_ms, a, &r.who), 0);
	assert_int_equal(control_of(q->d, q->k.principal, q->k.at_ms,
	    q->k.seen_at, q->k.n_seen_at, a, &r.control), 0);
	assert_int_equal(policy_decide(q->p, &r, a, &c), 0);
	buf_init(&text, 0);
	clearance_text(&text, c);
	for (i = 0; i < r.who->n_roles; i++)
		buf_fmt(&text, "role %s\n", r.who->roles[i]);
	for (i = 0; i < r.control->n; i++)
		buf_fmt(&text, "%s\n", r.control->members[i].label);
	assert_non_null(buf_text(&text));
	ret = buf_steal(&text);
	buf_done(&text);
	arena_free(a);
	return ret;
}

static size_t dropped;

static void
drop(void *value)
{
	dropped++;
	free(value);
}

static int64_t
turn_after(const struct asked *q, int64_t at_ms)
{
	int64_t fact = directory_changes_at(q->d, at_ms);
	int64_t rule = policy_changes_at(q->p, at_ms);

	return fact < rule ? fact : rule;
}

static void
ask_anything(struct asked *q, int64_t at_ms, const struct answer *answers)
{
	static const char *const seen[][2] = {{"AA", "BB"}, {"BB", "AA"},
	    {"unknown", "AA"}};
	const struct answer *a = &answers[roll(N)];

	q->k.principal = people[roll(N)];
	q->k.seen_at = seen[roll(3)];
	q->k.n_seen_at = 1 + (roll(4) == 0);
	q->k.store = stores[roll(2)];
	q->k.purpose = purposes[roll(3)];
	q->k.ticket = tickets[roll(4)];
	q->k.answer = q->k.ticket != NULL && at_ms < a->until_ms &&
	    roll(2) == 0 ? a : NULL;
}

/* Mostly what was asked lately, and that now. */
static void
ask(struct asked *q, int64_t at_ms, const struct answer *answers)
{
	static struct cache_key lately[8];
	struct cache_key *k = &lately[roll(8)];
	const struct answer *answer = k->answer;

	if (k->principal != NULL && roll(4) != 0) {
		k->version = q->k.version;
		q->k = *k;
		if (answer != NULL && at_ms >= answer->until_ms)
			q->k.answer = NULL;
	} else {
		ask_anything(q, at_ms, answers);
		*k = q->k;
	}
	q->k.at_ms = at_ms;
	q->k.turns_ms = turn_after(q, at_ms);
}

/* Returns whether it was found. */
static bool
check_one(struct cache *c, const struct asked *q)
{
	const struct answer *answer = q->k.answer;
	int64_t until_ms = answer != NULL && answer->until_ms <
	    q->k.turns_ms ? answer->until_ms : q->k.turns_ms;
	char *want = decide(q), *kept = cache_find(c, &q->k);

	if (kept != NULL) {
		assert_string_equal(kept, want);
		free(want);
		return true;
	}
	assert_int_equal(cache_put(c, &q->k, until_ms, want, strlen(want)),
	    0);
	return false;
}

static void
what_is_kept_is_what_would_be_decided_now(void **state)
{
	struct cache *c = cache_new((size_t)1 << 20, drop);
	struct answer answers[N];
	struct asked q;
	int64_t at_ms = START_MS;
	size_t found = 0, put, i, k;

	(void)state;
	dropped = 0;
	memset(&q, 0, sizeof(q));
	for (i = 0; i < VERSIONS; i++) {
		struct directory *d = make_directory();
		struct policy *p = make_policy();

		q.d = d;
		q.p = p;
		q.k.version = i + 1;
		for (k = 0; k < STEPS; k++) {
			if (k % 50 == 0) {
				memset(answers, 0, sizeof(answers));
				answers[1].scope = (struct policy_scope){
				    all_tables, 1, categories, 2, residences,
				    2};
				answers[2].scope = (struct policy_scope){
				    all_tables, 1, categories, 2, residences,
				    1};
			}
			if (roll(25) == 0)
				at_ms += roll(40) * HOUR_MS;
			if (roll(60) == 0)
				at_ms -= roll(20) * HOUR_MS;
			at_ms += roll(1000);
			if (k % 50 == 0) {
				answers[0].until_ms = at_ms + 5 * HOUR_MS;
				answers[1].until_ms = at_ms + 9 * HOUR_MS;
				answers[2].until_ms = at_ms + roll(5000);
				/* They say something else at one address. */
				q.k.version += VERSIONS;
			}
			ask(&q, at_ms, answers);
			found += check_one(c, &q);
		}
		policy_free(p);
		directory_free(d);
		if (i % 8 == 7)
			at_ms = START_MS;
	}
	put = VERSIONS * STEPS - found;
	assert_int_equal(dropped + cache_values(c), put);
	cache_free(c);
	assert_int_equal(dropped, put);
	/* Neither is so rare that it would hardly be tried. */
	assert_in_range(found, VERSIONS * STEPS / 20,
	    VERSIONS * STEPS / 20 * 19);
}

/* --- keys and bounds --- */

static const struct cache_key plain = { .version = 1, .at_ms = 10,
    .turns_ms = 100, .principal = "ann", .seen_at = places, .n_seen_at = 1,
    .store = "s0" };

static void
keep(struct cache *c, const struct cache_key *k, const char *text)
{
	char *value = strdup(text);

	assert_non_null(value);
	assert_int_equal(cache_put(c, k, INT64_MAX, value, strlen(value)), 0);
}

static void
each_part_of_the_key_tells_apart(void **state)
{
	static const char *const other[] = {"BB"}, *const split[] = {"A", "A"};
	struct cache_key keys[16];
	struct cache *c = cache_new(65536, drop);
	char text[2] = "a";
	size_t n = 0, i;

	(void)state;
	for (i = 0; i < 16; i++)
		keys[i] = plain;
	n++;
	keys[n++].principal = "anns";
	keys[n++].store = "s1";
	keys[n].principal = "anns0";
	keys[n++].store = "";
	keys[n++].seen_at = other;
	keys[n].seen_at = split;
	keys[n++].n_seen_at = 2;
	keys[n++].n_seen_at = 0;
	keys[n++].n_seen_at = 2;
	keys[n++].purpose = "";
	keys[n++].purpose = "w";
	keys[n++].ticket = "";
	keys[n++].ticket = "w";
	keys[n++].answer = text;
	for (i = 0; i < n; i++) {
		assert_null(cache_find(c, &keys[i]));
		text[0] = (char)('a' + i);
		keep(c, &keys[i], text);
	}
	for (i = 0; i < n; i++) {
		text[0] = (char)('a' + i);
		assert_string_equal(cache_find(c, &keys[i]), text);
	}
	cache_free(c);
}

static void
another_version_or_turn_finds_nothing_ever_again(void **state)
{
	struct cache *c = cache_new(65536, drop);
	struct cache_key k = plain;

	(void)state;
	keep(c, &plain, "x");
	k.version = 2;
	assert_null(cache_find(c, &k));
	assert_int_equal(cache_values(c), 0);
	assert_null(cache_find(c, &plain));
	keep(c, &plain, "x");
	k = plain;
	k.turns_ms = 101;
	assert_null(cache_find(c, &k));
	assert_null(cache_find(c, &plain));
	cache_free(c);
}

static void
nothing_is_found_before_it_was_decided_or_when_it_holds_no_more(void **state)
{
	struct cache *c = cache_new(65536, drop);
	struct cache_key k = plain;
	char *value = strdup("x");

	(void)state;
	assert_non_null(value);
	assert_int_equal(cache_put(c, &k, 10, value, 1), ERR_LIMIT);
	assert_int_equal(cache_put(c, &k, 20, value, 1), 0);
	assert_ptr_equal(cache_find(c, &k), value);
	k.at_ms = 19;
	assert_ptr_equal(cache_find(c, &k), value);
	k.at_ms = 20;
	assert_null(cache_find(c, &k));
	k.at_ms = 9;
	assert_null(cache_find(c, &k));
	cache_free(c);
}

static void
it_never_holds_more_than_it_may(void **state)
{
	const size_t len_max = 20000;
	struct cache *c = cache_new(len_max, drop);
	struct cache_key k = plain;
	char name[16], *value;
	size_t i, put = 0, most = 0;

	(void)state;
	dropped = 0;
	for (i = 0; i < 5000; i++) {
		(void)snprintf(name, sizeof(name), "p%zu", i);
		k.principal = name;
		value = strdup(name);
		assert_non_null(value);
		/* Some large, some small; then small ones only. */
		put++;
		assert_int_equal(cache_put(c, &k, 50, value, i < 2000 ?
		    roll(5000) : 1), 0);
		assert_string_equal(cache_find(c, &k), name);
		assert_in_range(cache_len(c), 1, len_max);
		assert_in_range(cache_values(c), 1, CACHE_VALUES_MAX);
		assert_int_equal(dropped + cache_values(c), put);
		if (cache_values(c) > most)
			most = cache_values(c);
	}
	assert_in_range(most, 100, CACHE_VALUES_MAX);
	value = name;
	assert_int_equal(cache_put(c, &k, 50, value, len_max), ERR_LIMIT);
	assert_string_equal(cache_find(c, &k), name);
	cache_free(c);
	assert_int_equal(dropped, put);
	cache_free(NULL);
}

static void
what_has_too_long_a_key_is_not_kept(void **state)
{
	char name[CACHE_KEY_MAX + 1], value[] = "x";
	struct cache *c = cache_new(65536, drop);
	struct cache_key k = plain;

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	k.ticket = name;
	assert_int_equal(cache_put(c, &k, 50, value, 1), ERR_LIMIT);
	assert_null(cache_find(c, &k));
	cache_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_kept_is_what_would_be_decided_now),
		cmocka_unit_test(each_part_of_the_key_tells_apart),
		cmocka_unit_test(
		    another_version_or_turn_finds_nothing_ever_again),
		cmocka_unit_test(
	    nothing_is_found_before_it_was_decided_or_when_it_holds_no_more),
		cmocka_unit_test(it_never_holds_more_than_it_may),
		cmocka_unit_test(what_has_too_long_a_key_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

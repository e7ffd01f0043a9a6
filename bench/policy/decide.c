/*
 * bench_policy [-r RULES] [-q REQUESTS] [-n ROUNDS] [-s SEED] [-o FILE]
 *
 * How long one decision takes: facts, store, purpose and ticket known, the
 * policy loaded; decided is whether a column of a table may be shown for a
 * residence, and how, with the rule that permits it. Included is all that
 * policy_decide does, its memory too; not included are finding the facts and
 * the words of a refusal, which are made when somebody asks.
 *
 * Then what it costs if it was decided before under the same version: kept in
 * a table of all sessions, as the gateway does, and in a memo of each session.
 *
 * With -o the policy, the requests and the answers are written as JSON, for
 * others to decide the same (compare.mjs).
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "catalog/catalog.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "cached.h"
#include "policy/policy.h"

#define READERS 250		/* whose sessions are decided again and again */
#define LABELS 12
#define ROLES 40
#define EMPLOYERS 30
#define STORES 8
#define TABLES 10
#define CATEGORIES 8
#define PURPOSES 20
#define PATTERNS 5
#define LINES (CONTROL_FORMAL | CONTROL_ACTUAL)
#define MANY 40

enum list {
	L_ROLES, L_EMPLOYERS, L_NATIONS, L_LOCATED, L_CONTROLLED, L_DIRECTED,
	L_STORES, L_TABLES, L_CATEGORIES, L_RESIDENCES, L_PURPOSES, L_COUNT,
};

static const struct {
	const char *name;
	unsigned n;
	unsigned per_cent;	/* of rules that write it */
} lists[L_COUNT] = {
	{"roles", ROLES, 95}, {"employers", EMPLOYERS, 15},
	{"nationalities", LABELS, 5}, {"located", LABELS, 20},
	{"controlled", LABELS, 0}, {"directed", LABELS, 0},
	{"store", STORES, 15}, {"table", TABLES, 20},
	{"category", CATEGORIES, 70}, {"residence", LABELS, 70},
	{"purpose", PURPOSES, 70},
};

struct rule {
	bool forbid;
	uint64_t lists[L_COUNT];	/* sets; 0: not written */
	int ticket;			/* index of a pattern, or -1 */
};

struct request {
	uint64_t lists[L_COUNT];
	unsigned unknown;		/* kinds that lead to what is not known */
	int ticket;
	bool answer;
	struct principal who;
	struct control control;
	struct control_member members[LABELS + 1];
	struct control_path paths[LABELS + 1][2];
	const char *roles[4], *employers[1], *nations[1], *residences[1];
	char id[16], ticket_text[16];
	struct policy_request q;
};

static char names[L_COUNT][MANY][16];
static uint64_t seed;

static unsigned
roll(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

static uint64_t
roll_set(enum list l, unsigned most)
{
	uint64_t set = 0;
	unsigned i, n = 1 + roll(most);

	for (i = 0; i < n; i++)
		set |= (uint64_t)1 << roll(lists[l].n);
	return set;
}

static void
make_names(void)
{
	static const char *const words[L_COUNT] = {"role", "firm", "L", "L",
	    "L", "L", "store", "p.table", "category", "L", "purpose"};
	unsigned i, k;

	for (i = 0; i < L_COUNT; i++)
		for (k = 0; k < lists[i].n; k++)
			(void)snprintf(names[i][k], sizeof(names[i][k]),
			    "%s%u", words[i], k);
}

static void
make_rule(struct rule *r)
{
	unsigned i;

	memset(r, 0, sizeof(*r));
	r->forbid = roll(10) < 3;
	for (i = 0; i < L_COUNT; i++)
		if (roll(100) < lists[i].per_cent)
			r->lists[i] = roll_set((enum list)i, 3);
	/* Forbids are about few data and who directs the reader. */
	if (r->forbid) {
		r->lists[L_RESIDENCES] = roll_set(L_RESIDENCES, 2);
		r->lists[L_CATEGORIES] = roll_set(L_CATEGORIES, 2);
		r->lists[L_TABLES] = roll_set(L_TABLES, 2);
	}
	if (r->forbid || roll(5) == 0)
		r->lists[roll(2) == 0 ? L_CONTROLLED : L_DIRECTED] =
		    roll_set(L_CONTROLLED, 2);
	r->ticket = roll(10) == 0 ? (int)roll(PATTERNS) : -1;
}

static void
put_list(struct buf *out, const char *key, enum list l, uint64_t set)
{
	const char *comma = "";
	unsigned i;

	if (set == 0)
		return;
	buf_fmt(out, "%s: [", key);
	for (i = 0; i < lists[l].n; i++)
		if ((set >> i & 1) != 0) {
			buf_fmt(out, "%s%s", comma, names[l][i]);
			comma = ", ";
		}
	buf_str(out, "], ");
}

static void
put_rule(struct buf *out, const struct rule *r, unsigned number)
{
	buf_fmt(out, "- {rule: rule%u, %s: read, who: {", number,
	    r->forbid ? "forbid" : "permit");
	put_list(out, "roles", L_ROLES, r->lists[L_ROLES]);
	put_list(out, "employed-by", L_EMPLOYERS, r->lists[L_EMPLOYERS]);
	put_list(out, "nationality", L_NATIONS, r->lists[L_NATIONS]);
	put_list(out, "located-in", L_LOCATED, r->lists[L_LOCATED]);
	put_list(out, "controlled-from", L_CONTROLLED,
	    r->lists[L_CONTROLLED]);
	put_list(out, "controlled-from", L_DIRECTED, r->lists[L_DIRECTED]);
	if (r->lists[L_DIRECTED] != 0)
		buf_str(out, "by: [formal, actual]");
	buf_str(out, "}, what: {");
	put_list(out, "stores", L_STORES, r->lists[L_STORES]);
	put_list(out, "tables", L_TABLES, r->lists[L_TABLES]);
	put_list(out, "categories", L_CATEGORIES, r->lists[L_CATEGORIES]);
	buf_str(out, "}, ");
	put_list(out, "whose", L_RESIDENCES, r->lists[L_RESIDENCES]);
	buf_str(out, "why: {");
	put_list(out, "purposes", L_PURPOSES, r->lists[L_PURPOSES]);
	if (r->ticket >= 0)
		buf_fmt(out, "ticket: '%c-[0-9]+'", 'A' + r->ticket);
	buf_str(out, "}}\n");
}

static struct policy *
load_rules(const struct rule *rules, unsigned n)
{
	struct policy *p = NULL;
	struct buf text;
	struct why w;
	unsigned i;

	buf_init(&text, 0);
	buf_str(&text, "policy: bench\nversion: 1\n");
	put_list(&text, "purposes", L_PURPOSES,
	    ((uint64_t)1 << PURPOSES) - 1);
	text.len -= 2;			/* the comma behind */
	buf_str(&text, "\nrules:\n");
	for (i = 0; i < n; i++)
		put_rule(&text, &rules[i], i);
	if (buf_text(&text) == NULL ||
	    policy_load(buf_text(&text), text.len, &p, &w) != 0) {
		(void)fprintf(stderr, "bench_policy: %u:%u: %s\n", w.line,
		    w.column, w.text);
		exit(1);
	}
	buf_done(&text);
	return p;
}

/* --- requests --- */

/* One table of one column for each table and category. */
static struct catalog catalogs[TABLES][CATEGORIES];
static struct catalog_table tables[TABLES][CATEGORIES];
static struct catalog_column columns[CATEGORIES];
static const char *categories[CATEGORIES];

static void
make_catalogs(void)
{
	static const struct catalog_subject self;
	unsigned t, c;

	for (c = 0; c < CATEGORIES; c++) {
		categories[c] = names[L_CATEGORIES][c];
		columns[c] = (struct catalog_column){ .name = "x",
		    .category = categories[c] };
	}
	for (t = 0; t < TABLES; t++)
		for (c = 0; c < CATEGORIES; c++) {
			tables[t][c] = (struct catalog_table){
			    .schema = "p", .name = names[L_TABLES][t] + 2,
			    .full = names[L_TABLES][t],
			    .columns = &columns[c], .n_columns = 1,
			    .subjects = &self, .n_subjects = 1 };
			catalogs[t][c] = (struct catalog){ .name = "c",
			    .categories = &categories[c], .n_categories = 1,
			    .tables = &tables[t][c], .n_tables = 1,
			    .subject_schema = "p", .subject_table = "t",
			    .subject_key = "k", .residence_store = true };
		}
}

static size_t
pick(enum list l, uint64_t set, const char **ret)
{
	size_t n = 0;
	unsigned i;

	for (i = 0; i < lists[l].n; i++)
		if ((set >> i & 1) != 0)
			ret[n++] = names[l][i];
	return n;
}

static int
compare_members(const void *a, const void *b)
{
	return strcmp(((const struct control_member *)a)->label,
	    ((const struct control_member *)b)->label);
}

static void
add_path(struct request *q, unsigned label, unsigned kinds)
{
	static const struct control_step step = {CONTROL_LOCATION, "x", "x"};
	const char *name = label == LABELS ? CONTROL_UNKNOWN :
	    names[L_CONTROLLED][label];
	struct control_member *m;
	size_t i;

	for (i = 0; i < q->control.n; i++)
		if (q->members[i].label == name)
			return;
	m = &q->members[q->control.n++];
	q->paths[label][0] = (struct control_path){kinds, &step, 1};
	*m = (struct control_member){name, q->paths[label], 1};
	if (label == LABELS) {
		q->unknown = kinds;
		return;
	}
	q->lists[L_CONTROLLED] |= (uint64_t)1 << label;
	if ((kinds & ~LINES) == 0)
		q->lists[L_DIRECTED] |= (uint64_t)1 << label;
	if ((kinds & ~(unsigned)CONTROL_LOCATION) == 0)
		q->lists[L_LOCATED] |= (uint64_t)1 << label;
}

/* Where they are, for whom they work, and who is above them. */
static void
make_control(struct request *q)
{
	unsigned i, n = roll(4);

	add_path(q, roll(LABELS), CONTROL_LOCATION);
	add_path(q, roll(LABELS), CONTROL_EMPLOYMENT);
	for (i = 0; i < n; i++)
		add_path(q, roll(LABELS), roll(2) == 0 ? LINES :
		    CONTROL_FORMAL | CONTROL_OWNERSHIP);
	if (roll(10) == 0)
		add_path(q, LABELS, roll(2) == 0 ? CONTROL_LOCATION :
		    CONTROL_ACTUAL);
	q->control.members = q->members;
	qsort(q->members, q->control.n, sizeof(*q->members),
	    compare_members);
}

static void
make_request(struct request *q, unsigned number)
{
	unsigned table = roll(TABLES), category = roll(CATEGORIES);
	unsigned i;

	memset(q, 0, sizeof(*q));
	make_control(q);
	(void)snprintf(q->id, sizeof(q->id), "user%u", number);
	q->lists[L_ROLES] = roll_set(L_ROLES, 4);
	q->lists[L_TABLES] = (uint64_t)1 << table;
	q->lists[L_CATEGORIES] = (uint64_t)1 << category;
	for (i = 0; i < L_COUNT; i++)
		if (i == L_EMPLOYERS || i == L_NATIONS || i == L_STORES ||
		    i == L_RESIDENCES || i == L_PURPOSES)
			q->lists[i] = roll_set((enum list)i, 1);
	q->ticket = roll(2) == 0 ? (int)roll(PATTERNS) : -1;
	(void)snprintf(q->ticket_text, sizeof(q->ticket_text), "%c-%u",
	    'A' + q->ticket, number);
	q->who = (struct principal){ .id = q->id, .name = q->id,
	    .kind = PRINCIPAL_PERSON, .roles = q->roles,
	    .employers = q->employers, .nationalities = q->nations };
	q->who.n_roles = pick(L_ROLES, q->lists[L_ROLES], q->roles);
	q->who.n_employers = pick(L_EMPLOYERS, q->lists[L_EMPLOYERS],
	    q->employers);
	q->who.n_nationalities = pick(L_NATIONS, q->lists[L_NATIONS],
	    q->nations);
	q->q = (struct policy_request){ .who = &q->who,
	    .control = &q->control, .residences = q->residences,
	    .n_residences = 1, .catalog = &catalogs[table][category],
	    .ticket = q->ticket >= 0 ? q->ticket_text : NULL };
	(void)pick(L_STORES, q->lists[L_STORES], &q->q.store);
	(void)pick(L_PURPOSES, q->lists[L_PURPOSES], &q->q.purpose);
	(void)pick(L_RESIDENCES, q->lists[L_RESIDENCES], q->residences);
}

/* --- the answer, literally --- */

static bool
meets(const struct rule *r, const struct request *q)
{
	bool unknown;
	unsigned i;

	for (i = 0; i < L_COUNT; i++) {
		if (r->lists[i] == 0 || (r->lists[i] & q->lists[i]) != 0)
			continue;
		unknown = (i == L_LOCATED && q->unknown ==
		    CONTROL_LOCATION) || (i == L_CONTROLLED &&
		    q->unknown != 0) || (i == L_DIRECTED &&
		    q->unknown == CONTROL_ACTUAL);
		if (!r->forbid || !unknown)
			return false;
	}
	return r->ticket < 0 || r->ticket == q->ticket;
}

static bool
define(const struct rule *rules, unsigned n, const struct request *q)
{
	bool permitted = false;
	unsigned i;

	for (i = 0; i < n; i++)
		if (meets(&rules[i], q)) {
			if (rules[i].forbid)
				return false;
			permitted = true;
		}
	return permitted;
}

/* --- measuring --- */

/* Of this thread's own time, since the machine may have other work. */
static double
now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* cannot fail */
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static bool
decide(const struct policy *p, const struct request *q, struct arena *a)
{
	const struct clearance *c = NULL;

	arena_reset(a);
	if (policy_decide(p, &q->q, a, &c) != 0) {
		(void)fprintf(stderr, "bench_policy: out of memory\n");
		exit(1);
	}
	return c->outcomes[0].permitted;
}

/* Microseconds for one decision: the median of the rounds. */
static double
measure(const struct policy *p, const struct request *q, unsigned n,
    unsigned rounds)
{
	double *took = calloc(rounds, sizeof(*took)), start, median;
	struct arena *a = arena_new();
	unsigned i, k, permitted = 0;

	if (took == NULL || a == NULL)
		exit(1);
	for (i = 0; i < rounds; i++) {
		start = now_us();
		for (k = 0; k < n; k++)
			permitted += decide(p, &q[k], a);
		took[i] = (now_us() - start) / n;
	}
	qsort(took, rounds, sizeof(*took), compare_doubles);
	median = took[rounds / 2];
	(void)printf("%u of %u permitted\n", permitted / rounds, n);
	arena_free(a);
	free(took);
	return median;
}

/* --- the same for others --- */

static json_t *
json_lists(const uint64_t *sets)
{
	json_t *all = json_object(), *list;
	unsigned i, k;

	for (i = 0; i < L_COUNT; i++) {
		if (sets[i] == 0)
			continue;
		list = json_array();
		for (k = 0; k < lists[i].n; k++)
			if ((sets[i] >> k & 1) != 0)
				(void)json_array_append_new(list,
				    json_string(names[i][k]));
		(void)json_object_set_new(all, lists[i].name, list);
	}
	return all;
}

static json_t *
json_request(const struct request *q)
{
	json_t *j = json_lists(q->lists);

	(void)json_object_set_new(j, "unknown", json_pack("{s:b, s:b, s:b}",
	    "located", q->unknown == CONTROL_LOCATION, "controlled",
	    q->unknown != 0, "directed", q->unknown == CONTROL_ACTUAL));
	return json_pack("{s:s, s:o, s:s, s:b}", "id", q->id, "facts", j,
	    "ticket", q->ticket >= 0 ? q->ticket_text : "", "answer",
	    (int)q->answer);
}

static int
write_json(const char *path, const struct rule *rules, unsigned n_rules,
    const struct request *q, unsigned n, double us)
{
	json_t *all_rules = json_array(), *all = json_array(), *j;
	char prefix[3] = "A-";
	unsigned i;
	int r;

	for (i = 0; i < n_rules; i++) {
		prefix[0] = (char)('A' + rules[i].ticket);
		(void)json_array_append_new(all_rules, json_pack(
		    "{s:b, s:o, s:s}", "forbid", (int)rules[i].forbid,
		    "lists", json_lists(rules[i].lists), "ticket",
		    rules[i].ticket >= 0 ? prefix : ""));
	}
	for (i = 0; i < n; i++)
		(void)json_array_append_new(all, json_request(&q[i]));
	j = json_pack("{s:o, s:o, s:f}", "rules", all_rules, "requests", all,
	    "us", us);
	r = j == NULL ? -1 : json_dump_file(j, path, JSON_COMPACT);
	json_decref(j);
	if (r != 0)
		(void)fprintf(stderr, "%s: cannot be written\n", path);
	return r == 0 ? 0 : 1;
}

/* The same readers' sessions, with what was decided kept. */
static int
measure_cached(const struct policy *p, const struct request *q, unsigned n,
    unsigned rounds)
{
	const char *const purposes[] = {names[L_PURPOSES][0],
	    names[L_PURPOSES][1]};
	struct policy_request readers[READERS];
	double us[3];
	unsigned i;

	for (i = 0; i < READERS; i++)
		readers[i] = q[i % n].q;
	if (cached_measure(p, readers, n < READERS ? n : READERS, purposes,
	    rounds, us) != 0) {
		(void)fprintf(stderr, "bench_policy: what is kept is not what "
		    "is decided\n");
		return 1;
	}
	(void)printf("%.3f us for a decision that a table has\n"
	    "sessions of %u readers, each with two purposes by turns: %.3f us "
	    "a decision with a table for all, %.3f us with a memo for each\n",
	    us[0], n < READERS ? n : READERS, us[1], us[2]);
	return 0;
}

static unsigned
number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end != 0 || n == 0 || n > 10000000) {
		(void)fprintf(stderr, "bench_policy: %s is no number from 1 "
		    "to 10000000\n", text);
		exit(2);
	}
	return (unsigned)n;
}

int
main(int argc, char **argv)
{
	unsigned n_rules = 1000, n = 10000, rounds = 9, i, wrong = 0;
	const char *out = NULL;
	struct request *requests;
	struct policy *p;
	struct arena *a;
	struct rule *rules;
	double us;
	int c;

	seed = 20261123;
	while ((c = getopt(argc, argv, "r:q:n:s:o:")) != -1)
		if (c == 'r')
			n_rules = number(optarg);
		else if (c == 'q')
			n = number(optarg);
		else if (c == 'n')
			rounds = number(optarg);
		else if (c == 's')
			seed = number(optarg);
		else if (c == 'o')
			out = optarg;
		else
			return 2;
	(void)printf("%u rules, %u requests, %u rounds, seed %" PRIu64 "\n",
	    n_rules, n, rounds, seed);
	rules = calloc(n_rules, sizeof(*rules));
	requests = calloc(n, sizeof(*requests));
	if (rules == NULL || requests == NULL || (a = arena_new()) == NULL)
		return 1;
	make_names();
	make_catalogs();
	for (i = 0; i < n_rules; i++)
		make_rule(&rules[i]);
	p = load_rules(rules, n_rules);
	for (i = 0; i < n; i++) {
		make_request(&requests[i], i);
		requests[i].answer = define(rules, n_rules, &requests[i]);
		wrong += decide(p, &requests[i], a) != requests[i].answer;
	}
	if (wrong > 0) {
		(void)fprintf(stderr, "bench_policy: %u answers differ from "
		    "the definition\n", wrong);
		return 1;
	}
	us = measure(p, requests, n, rounds);
	(void)printf("%.3f us for a decision, nothing cached\n", us);
	if (measure_cached(p, requests, n, rounds) != 0)
		return 1;
	c = out == NULL ? 0 : write_json(out, rules, n_rules, requests, n, us);
	policy_free(p);
	arena_free(a);
	free(rules);
	free(requests);
	return c;
}

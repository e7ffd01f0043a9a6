/*
 * The index against plain lists: sessions, statements and boots at random
 * times over some months; every question is answered again by looking at all
 * of them, one by one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "record/record.h"
#include "seen/ask.h"
#include "seen/state.h"

#define EVENTS 400
#define OPEN_MAX_ 6
#define TAGS 5

/* Something that happened, as the test remembers it. */
struct happened {
	enum { VISIT, WIDE, EXACT } what;
	int64_t begin, end;		/* end of a visit; -1: open */
	bool at_home[2];		/* whose is within: DE, FR */
	unsigned tags;			/* of an exact one, a bit each */
	bool spoiled;			/* became bounded later */
	bool cut;			/* no result ended it */
};

struct life {
	struct seen_index *x;
	struct why why;
	char dir[64];
	struct happened h[EVENTS + 1];
	size_t n;
	int64_t now, seq;
	/* Sessions that are open: of a service, or the one of a person. */
	size_t visit[OPEN_MAX_];	/* into h, + 1; 0: none */
	bool person;
	uint64_t statements;
};

static const char *const labels[] = {"DE", "FR"};
static const char *const tags[TAGS] = {"aaaaaaaaaaaaaaaa",
    "bbbbbbbbbbbbbbbb", "cccccccccccccccc", "dddddddddddddddd",
    "eeeeeeeeeeeeeeee"};
static uint64_t seed;

static unsigned
rnd(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static void
fill(struct life *l, struct record *r)
{
	arena_reset(l->x->scratch);
	r->gateway = "gw";
	r->seq = (uint64_t)l->seq++;
	r->time_ms = l->now;
	if (l->x->state.first_ms == 0)
		l->x->state.first_ms = l->now;
	l->x->state.last_ms = l->now;
	assert_int_equal(seen_fill(l->x, r), 0);
}

/* A bound of one table, with the residences that are set. */
static struct record_bound
bound_of(const bool at_home[2], struct record_table *t, const char **list)
{
	static const char *const names[] = {"content"};
	size_t n = 0, i;

	for (i = 0; i < 2; i++)
		if (at_home[i])
			list[n++] = labels[i];
	*t = (struct record_table){.table = "public.videos",
	    .residences = {list, n}, .categories = {names, 1}};
	return (struct record_bound){t, 1};
}

static void
open_session(struct life *l, size_t i, const char *kind,
    const bool at_home[2])
{
	struct record r = {.type = RECORD_SESSION};
	struct record_table t;
	const char *list[2];
	char id[17];

	(void)snprintf(id, sizeof(id), "%016zx", i);
	r.u.session.session = id;
	r.u.session.store = "us";
	r.u.session.mode = "enforce";
	r.u.session.kind = kind;
	r.u.session.principal = kind;
	r.u.session.bound = bound_of(at_home, &t, list);
	fill(l, &r);
}

static void
end_session(struct life *l, size_t i)
{
	struct record r = {.type = RECORD_CLOSE};
	char id[17];

	(void)snprintf(id, sizeof(id), "%016zx", i);
	r.u.close.session = id;
	fill(l, &r);
}

static void
visit(struct life *l)
{
	size_t i = rnd(OPEN_MAX_);
	struct happened *h = &l->h[l->n];

	if (l->visit[i] != 0) {
		l->h[l->visit[i] - 1].end = l->now;
		l->visit[i] = 0;
		end_session(l, i);
		return;
	}
	*h = (struct happened){.what = VISIT, .begin = l->now, .end = -1};
	h->at_home[rnd(2)] = true;
	h->at_home[rnd(2)] = true;
	open_session(l, i, "service", h->at_home);
	l->visit[i] = ++l->n;
}

/* The gateway begins anew: nothing is open any more. */
static void
boot(struct life *l)
{
	struct record r = {.type = RECORD_BOOT};
	size_t i;

	for (i = 0; i < OPEN_MAX_; i++) {
		if (l->visit[i] != 0)
			l->h[l->visit[i] - 1].end = l->now;
		l->visit[i] = 0;
	}
	l->person = false;
	fill(l, &r);
}

/* More of an exact statement: one more tag, or bounded from here on. */
static void
goes_on(struct life *l, struct happened *h, const char *id, uint64_t of)
{
	struct record r = {.type = RECORD_SUBJECTS};
	unsigned tag = rnd(TAGS);
	struct record_subjects s = {"DE", {&tags[tag], 1}};

	r.u.more.session = id;
	r.u.more.of = of;
	r.u.more.basis = "exact";
	if (rnd(2) == 0) {
		r.u.more.basis = "bounded";
		h->spoiled = true;
	} else {
		r.u.more.subjects = &s;
		r.u.more.n_subjects = 1;
		h->tags |= 1u << tag;
	}
	fill(l, &r);
}

static void
result(struct life *l, const char *id, uint64_t of)
{
	struct record r = {.type = RECORD_RESULT};

	r.u.result.session = id;
	r.u.result.of = of;
	fill(l, &r);
}

static void
statement(struct life *l)
{
	static const bool all[] = {true, true};
	struct record r = {.type = RECORD_STATEMENT};
	struct record_statement *s = &r.u.statement;
	struct record_subjects subjects = {"DE", {NULL, 0}};
	struct happened *h = &l->h[l->n++];
	const char *list[2], *listed[TAGS], id[] = "00000000000000ff";
	struct record_table t;
	size_t i;

	if (!l->person)
		open_session(l, 0xff, "person", all);
	l->person = true;
	*h = (struct happened){.what = rnd(2) ? WIDE : EXACT,
	    .begin = l->now};
	h->at_home[rnd(2)] = true;
	s->session = id;
	s->n = ++l->statements;
	s->basis = h->what == WIDE ? "bounded" : "exact";
	s->bound = bound_of(h->at_home, &t, list);
	if (h->what == EXACT)
		h->tags = rnd(1u << TAGS);
	for (i = 0; i < TAGS; i++)
		if (h->tags & (1u << i))
			listed[subjects.tags.n++] = tags[i];
	subjects.tags.s = listed;
	s->subjects = &subjects;
	s->n_subjects = subjects.tags.n > 0;
	fill(l, &r);
	if (h->what == EXACT && rnd(3) == 0)
		goes_on(l, h, id, s->n);
	h->cut = h->what == EXACT && rnd(4) == 0;
	if (!h->cut)
		result(l, id, s->n);
}

/* The person's session ends. */
static void
leave(struct life *l)
{
	l->person = false;
	end_session(l, 0xff);
}

static void
live(struct life *l)
{
	size_t step;

	memset(l, 0, sizeof(*l));
	(void)snprintf(l->dir, sizeof(l->dir), "/tmp/seen-XXXXXX");
	assert_non_null(mkdtemp(l->dir));
	assert_int_equal(seen_open(l->dir, false, &l->x, &l->why), 0);
	l->x->why = &l->why;
	assert_int_equal(seen_run(l->x, seen_bind(l->x, SQL_BEGIN, "")), 0);
	l->now = INT64_C(1700000000000) + rnd(86400000);
	for (step = 0; step < EVENTS; step++) {
		l->now += rnd(3) == 0 ? rnd(86400000 * 2) : rnd(9000000);
		if (rnd(40) == 0)
			boot(l);
		else if (l->person && rnd(20) == 0)
			leave(l);
		else if (rnd(2) == 0)
			visit(l);
		else
			statement(l);
	}
	assert_int_equal(seen_run(l->x, seen_bind(l->x, SQL_COMMIT, "")), 0);
	assert_int_equal(l->x->state.strange, 0);
}

static void
end(struct life *l)
{
	static const char *const files[] = {"index.sqlite", "index.sqlite-wal",
	    "index.sqlite-shm", "lock"};
	char path[128];
	size_t i;

	seen_close(l->x);
	for (i = 0; i < 4; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", l->dir, files[i]);
		(void)unlink(path);	/* not all are there */
	}
	assert_int_equal(rmdir(l->dir), 0);
}

/* How many there were, by looking at each. */
static uint64_t
count(const struct life *l, const struct seen_question *q, unsigned tag,
    size_t home, bool exact)
{
	int64_t until = q->to_ms == 0 ? INT64_MAX : q->to_ms;
	int64_t first = seen_day(q->from_ms), last = seen_day(until - 1);
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < l->n; i++) {
		const struct happened *h = &l->h[i];

		if (exact)
			n += h->what == EXACT && (h->tags & (1u << tag)) != 0 &&
			    h->begin >= q->from_ms && h->begin < until;
		else if (h->what == VISIT)
			n += h->at_home[home] && seen_day(h->begin) <= last &&
			    (h->end < 0 || seen_day(h->end) >= first);
		else
			n += (h->what == WIDE || h->spoiled || h->cut) &&
			    h->at_home[home] && seen_day(h->begin) >= first &&
			    seen_day(h->begin) <= last;
	}
	return n;
}

static uint64_t
sum(const struct seen_group *g, size_t n, const char *residence)
{
	uint64_t all = 0;

	for (; n-- > 0; g++)
		if (residence == NULL || strcmp(g->residence, residence) == 0)
			all += g->n;
	return all;
}

static void
compare(struct life *l)
{
	struct seen_question q = {.store = "us", .residences = {labels, 2}};
	struct seen_answer answer;
	struct arena *a = arena_new();
	unsigned tag = rnd(TAGS);
	int64_t begin = l->h[0].begin, span = l->now - begin;
	size_t i;

	q.tag = tags[tag];
	q.full = rnd(2) == 0;
	if (rnd(4) != 0)
		q.from_ms = begin - 86400000 + rnd(1000) * (span / 900);
	if (rnd(4) != 0)
		q.to_ms = begin - 86400000 + rnd(1000) * (span / 900);
	if (q.to_ms != 0 && q.to_ms <= q.from_ms)
		q.to_ms = q.from_ms + 1 + rnd(86400000);
	assert_non_null(a);
	assert_int_equal(seen_ask(l->x, &q, a, &answer, &l->why), 0);
	assert_int_equal(sum(answer.exact, answer.n_exact, NULL),
	    count(l, &q, tag, 0, true));
	for (i = 0; i < 2; i++)
		assert_int_equal(sum(answer.within, answer.n_within,
		    labels[i]), count(l, &q, tag, i, false));
	arena_free(a);
}

static void
answers_are_what_looking_at_every_event_gives(void **state)
{
	struct life l;
	uint64_t round;
	int i;

	(void)state;
	for (round = 1; round <= 4; round++) {
		seed = round;
		live(&l);
		for (i = 0; i < 150; i++)
			compare(&l);
		end(&l);
	}
}

static void
a_question_of_a_tag_of_another_store_finds_nothing(void **state)
{
	struct seen_question q = {.store = "eu", .tag = tags[0],
	    .residences = {labels, 2}};
	struct seen_answer answer;
	struct arena *a = arena_new();
	struct life l;

	(void)state;
	seed = 5;
	live(&l);
	assert_non_null(a);
	assert_int_equal(seen_ask(l.x, &q, a, &answer, &l.why), 0);
	assert_int_equal(answer.n_exact + answer.n_within, 0);
	arena_free(a);
	end(&l);
}

/* Against the C library's calendar. */
static void
months_begin_when_the_calendar_says(void **state)
{
	int64_t day;

	(void)state;
	for (day = 0; day < 366 * 250; day++) {
		time_t t = (time_t)(day * 86400);
		struct tm tm;

		assert_non_null(gmtime_r(&t, &tm));
		assert_int_equal(seen_month(day) - SEEN_SPAN_MONTH,
		    (tm.tm_year - 70) * 12 + tm.tm_mon);
		if (tm.tm_mday == 1)
			assert_int_equal(seen_month_begin(seen_month(day)),
			    day);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_what_looking_at_every_event_gives),
		cmocka_unit_test(
		    a_question_of_a_tag_of_another_store_finds_nothing),
		cmocka_unit_test(months_begin_when_the_calendar_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Hours of a week, against the C library's own calendar; when they turn,
 * against looking at every minute; and the instants that stand for all,
 * against all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/time.h"
#include "policy/policy.h"
#include "policy/rule.h"
#include "policy/times.h"

#define MINUTE INT64_C(60000)
#define WEEK_MIN (7 * 1440)
#define OCTOBER INT64_C(1790812800000)	/* 2026-10-01, a Thursday */

static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat",
    "sun"};
static uint64_t seed = 7;

static int
roll(int n)
{
	seed = seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (int)((seed >> 33) % (uint64_t)n);
}

static struct policy *
load(const char *text)
{
	struct policy *p = NULL;
	struct why w = {0};

	if (policy_load(text, strlen(text), &p, &w) != 0)
		fail_msg("%u:%u: %s in\n%s", w.line, w.column, w.text, text);
	return p;
}

/* A rule's hours as they are written, in the words of a clock. */
struct hours {
	int from[2], to[2];		/* minutes of the day, as written */
	int n;
	unsigned days;			/* bit 0: Monday; 0: not written */
	int offset;
};

static void
make_hours(struct hours *h)
{
	int i;

	h->n = roll(5) == 0 ? 0 : 1 + roll(2);
	for (i = 0; i < h->n; i++) {
		h->from[i] = roll(24) * 60 + (roll(3) == 0 ? roll(60) : 0);
		h->to[i] = 1 + roll(1440);
		if (h->to[i] == h->from[i])
			h->to[i] = h->from[i] + 1;
	}
	h->days = roll(3) == 0 && h->n > 0 ? 0 :
	    1 + (unsigned)roll((1 << 7) - 1);
	h->offset = (roll(2) == 0 ? 1 : -1) * (roll(14) * 60 +
	    (roll(4) == 0 ? 30 : 0));
}

static void
put_hours(struct buf *out, const struct hours *h)
{
	int i, off = abs(h->offset);

	buf_fmt(out, "utc-offset: '%c%02d:%02d', ", h->offset < 0 ? '-' : '+',
	    off / 60, off % 60);
	if (h->n > 0)
		buf_str(out, "hours: [");
	for (i = 0; i < h->n; i++)
		buf_fmt(out, "'%02d:%02d-%02d:%02d', ", h->from[i] / 60,
		    h->from[i] % 60, h->to[i] / 60, h->to[i] % 60);
	if (h->n > 0)
		buf_str(out, "], ");
	if (h->days == 0)
		return;
	buf_str(out, "days: [");
	for (i = 0; i < 7; i++)
		if ((h->days >> i & 1) != 0)
			buf_fmt(out, "%s, ", days[i]);
	buf_str(out, "]");
}

/* Whether a span that begins on the day of *tm holds at its minute, or did
 * begin the day before (back). */
static bool
span_holds(const struct hours *h, int i, const struct tm *tm, bool back)
{
	int from = h->n == 0 ? 0 : h->from[i], to = h->n == 0 ? 1440 : h->to[i];
	int minute = tm->tm_hour * 60 + tm->tm_min;
	int day = (tm->tm_wday + (back ? 5 : 6)) % 7;	/* 0: Monday */

	if (h->days != 0 && (h->days >> day & 1) == 0)
		return false;
	if (back)
		return to < from && minute < to;
	return to < from ? minute >= from : from <= minute && minute < to;
}

static bool
hold_by_calendar(const struct hours *h, int64_t at_ms)
{
	time_t local = (time_t)(at_ms / 1000) + h->offset * 60;
	struct tm tm;
	int i;

	assert_non_null(gmtime_r(&local, &tm));
	for (i = 0; i < (h->n == 0 ? 1 : h->n); i++)
		if (span_holds(h, i, &tm, false) ||
		    span_holds(h, i, &tm, true))
			return true;
	return false;
}

static void
hours_hold_as_the_calendar_says(void **state)
{
	const struct weekly *w;
	struct policy *p;
	struct hours h;
	struct buf text;
	int64_t at;
	int i, k, held = 0;

	(void)state;
	for (i = 0; i < 400; i++) {
		make_hours(&h);
		buf_init(&text, 0);
		buf_str(&text, "policy: p\nversion: 1\nrules:\n"
		    "- {rule: r, permit: read, when: {");
		put_hours(&text, &h);
		buf_str(&text, "}}\n");
		p = load(buf_text(&text));
		w = &p->rules[0].weekly;
		for (k = 0; k < 500; k++) {
			at = roll(2000000000) * INT64_C(2000) + roll(60000);
			held += weekly_holds(w, at);
			if (weekly_holds(w, at) != hold_by_calendar(&h, at))
				fail_msg("%s at %lld", buf_text(&text),
				    (long long)at);
		}
		policy_free(p);
		buf_done(&text);
	}
	assert_in_range(held, 400 * 500 / 5, 400 * 500 / 5 * 4);
}

static bool
in_force(const struct rule *r, int64_t at)
{
	return r->from <= at && at < r->to && weekly_holds(&r->weekly, at);
}

static void
nothing_turns_before_it_is_said_to(void **state)
{
	struct policy *p;
	struct hours h;
	struct buf text;
	int64_t at, next, t;
	int i, k;

	(void)state;
	for (i = 0; i < 60; i++) {
		buf_init(&text, 0);
		buf_str(&text, "policy: p\nversion: 1\nrules:\n");
		for (k = 0; k < 3; k++) {
			make_hours(&h);
			buf_fmt(&text, "- {rule: r%d, forbid: read, when: {%s",
			    k, k == 1 ? "from: 2026-10-03T05:07:00Z, " :
			    k == 2 ? "to: 2026-10-09, " : "");
			put_hours(&text, &h);
			buf_str(&text, "}}\n");
		}
		p = load(buf_text(&text));
		for (at = OCTOBER + roll(60000); at < OCTOBER + WEEK_MIN *
		    MINUTE; at = next) {
			next = policy_changes_at(p, at);
			assert_true(next > at);
			for (t = at; t < next; t += MINUTE)
				for (k = 0; k < 3; k++)
					assert_int_equal(in_force(&p->rules[k],
					    t), in_force(&p->rules[k], at));
		}
		policy_free(p);
		buf_done(&text);
	}
}

static void
without_times_nothing_ever_turns(void **state)
{
	struct policy *p = load("policy: p\nversion: 1\nrules:\n"
	    "- {rule: a, permit: read}\n"
	    "- {rule: b, permit: read, when: {to: 2026-10-01}}\n");

	(void)state;
	assert_int_equal(policy_changes_at(p, OCTOBER - 1), OCTOBER);
	assert_int_equal(policy_changes_at(p, OCTOBER), INT64_MAX);
	assert_int_equal(policy_changes_at(p, INT64_MAX), INT64_MAX);
	policy_free(p);
	p = load("policy: p\nversion: 1\nrules:\n- {rule: a, permit: read,"
	    " when: {days: mon, utc-offset: '+00:00'}}\n");
	assert_int_equal(policy_changes_at(p, INT64_MAX), INT64_MAX);
	assert_true(policy_changes_at(p, INT64_MIN) > INT64_MIN);
	policy_free(p);
}

/* A set of rules in force, as bits. */
static unsigned
force(const struct policy *p, int64_t at)
{
	unsigned set = 0;
	size_t i;

	for (i = 0; i < p->n_rules; i++)
		set |= (unsigned)in_force(&p->rules[i], at) << i;
	return set;
}

static void
times_stand_for_every_set_of_rules_in_force(void **state)
{
	bool want[16], want_now[16], got[16];
	const struct policy *list[1];
	struct arena *a = arena_new();
	struct times times;
	struct policy *p;
	struct hours h;
	struct buf text;
	struct why w;
	int64_t t;
	size_t i;
	int k, round;

	(void)state;
	for (round = 0; round < 25; round++) {
		buf_init(&text, 0);
		buf_str(&text, "policy: p\nversion: 1\nrules:\n");
		for (k = 0; k < 4; k++) {
			make_hours(&h);
			buf_fmt(&text, "- {rule: r%d, permit: read, when: {%s",
			    k, k == 1 ? "from: 2026-10-13T05:07:00Z, " :
			    k == 2 ? "to: 2026-10-04T11:01:00Z, " : "");
			put_hours(&text, &h);
			buf_str(&text, "}}\n");
		}
		list[0] = p = load(buf_text(&text));
		memset(want, 0, sizeof(want));
		memset(want_now, 0, sizeof(want_now));
		memset(got, 0, sizeof(got));
		for (t = OCTOBER; t < OCTOBER + 4 * WEEK_MIN * MINUTE;
		    t += MINUTE)
			want[force(p, t)] = true;
		for (t = OCTOBER; t < OCTOBER + 3 * 1440 * MINUTE +
		    661 * MINUTE; t += MINUTE)
			want_now[force(p, t)] = true;
		assert_int_equal(times_list(list, 1, OCTOBER, a, &times, &w),
		    0);
		assert_int_equal(times.items[0], OCTOBER);
		for (i = 0; i < times.n; i++) {
			assert_false(got[force(p, times.items[i])]);
			got[force(p, times.items[i])] = true;
			if (i + 1 == times.n_now)
				assert_memory_equal(got, want_now,
				    sizeof(got));
		}
		assert_memory_equal(got, want, sizeof(got));
		policy_free(p);
		buf_done(&text);
	}
	arena_free(a);
}

static void
hours_are_told_as_they_were_written(void **state)
{
	static const struct {
		const char *when, *text;
	} cases[] = {
		{"hours: '08:00-18:00', utc-offset: '+01:00'",
		    "08:00-18:00 (+01:00)"},
		{"hours: 22:00-06:30, days: [fri, sat], utc-offset: -08:30",
		    "22:00-06:30 (-08:30) on fri, sat"},
		{"hours: [06:00-00:00, 00:00-01:00], utc-offset: '+00:00'",
		    "06:00-24:00, 00:00-01:00 (+00:00)"},
		{"days: mon, utc-offset: '+14:00'",
		    "00:00-24:00 (+14:00) on mon"},
	};
	struct policy *p;
	struct buf text;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_init(&text, 0);
		buf_fmt(&text, "policy: p\nversion: 1\nrules:\n"
		    "- {rule: r, permit: read, when: {%s}}\n",
		    cases[i].when);
		p = load(buf_text(&text));
		buf_reset(&text);
		weekly_text(&text, &p->rules[0].weekly);
		assert_string_equal(buf_text(&text), cases[i].text);
		policy_free(p);
		buf_done(&text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hours_hold_as_the_calendar_says),
		cmocka_unit_test(nothing_turns_before_it_is_said_to),
		cmocka_unit_test(without_times_nothing_ever_turns),
		cmocka_unit_test(times_stand_for_every_set_of_rules_in_force),
		cmocka_unit_test(hours_are_told_as_they_were_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

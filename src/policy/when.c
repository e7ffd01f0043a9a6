/*
 * Hours are minutes of a day at a fixed offset from UTC, so whoever decides
 * again years later needs no database of time zones. A span that passes
 * midnight belongs to the day on which it begins.
 */
#include "base/buf.h"
#include "policy/rule.h"

#define MINUTE_MS 60000
#define DAY_MIN 1440
#define WEEK_DAYS 7

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b != 0 && a < 0);
}

static bool
on_day(const struct weekly *w, int64_t day)
{
	/* The first day of 1970 was a Thursday. */
	int64_t weekday = day + 3 - floor_div(day + 3, WEEK_DAYS) * WEEK_DAYS;

	return (w->days >> weekday & 1) != 0;
}

bool
weekly_holds(const struct weekly *w, int64_t at_ms)
{
	int64_t minute, day;
	size_t i;

	if (!w->set)
		return true;
	minute = floor_div(at_ms, MINUTE_MS) + w->offset_min;
	day = floor_div(minute, DAY_MIN);
	minute -= day * DAY_MIN;
	for (i = 0; i < w->n; i++) {
		const struct span *s = &w->spans[i];

		if (on_day(w, day) && s->from <= minute && minute < s->to)
			return true;
		if (on_day(w, day - 1) && minute + DAY_MIN < s->to)
			return true;
	}
	return false;
}

int64_t
weekly_changes_at(const struct weekly *w, int64_t at_ms)
{
	int64_t next = INT64_MAX, first, day, minute;
	size_t i, k;

	if (!w->set)
		return next;
	first = floor_div(floor_div(at_ms, MINUTE_MS) + w->offset_min,
	    DAY_MIN) - 1;
	/* A day before, for what passes midnight, and all of a week. */
	for (day = first; day <= first + WEEK_DAYS + 1; day++) {
		if (!on_day(w, day))
			continue;
		for (i = 0; i < 2 * w->n; i++) {
			k = i / 2;
			minute = day * DAY_MIN - w->offset_min +
			    (i % 2 == 0 ? w->spans[k].from : w->spans[k].to);
			if (minute > INT64_MAX / MINUTE_MS ||
			    minute < INT64_MIN / MINUTE_MS)
				continue;	/* past all instants */
			if (minute * MINUTE_MS > at_ms &&
			    minute * MINUTE_MS < next)
				next = minute * MINUTE_MS;
		}
	}
	return next;
}

int64_t
policy_changes_at(const struct policy *p, int64_t at_ms)
{
	int64_t next = INT64_MAX, turn;
	size_t i;

	for (i = 0; i < p->n_all; i++) {
		const struct rule *r = &p->all[i];

		if (!r->has_when)
			continue;
		if (r->from > at_ms && r->from < next)
			next = r->from;
		if (r->to > at_ms && r->to < next)
			next = r->to;
		if ((turn = weekly_changes_at(&r->weekly, at_ms)) < next)
			next = turn;
	}
	return next;
}

static void
put_minute(struct buf *out, unsigned minute)
{
	/* 24:00 ends a day; what is past it is an hour of the next. */
	if (minute > DAY_MIN)
		minute -= DAY_MIN;
	buf_fmt(out, "%02u:%02u", minute / 60, minute % 60);
}

void
weekly_text(struct buf *out, const struct weekly *w)
{
	static const char *const names[] = {"mon", "tue", "wed", "thu",
	    "fri", "sat", "sun"};
	unsigned off = (unsigned)(w->offset_min < 0 ? -w->offset_min :
	    w->offset_min);
	const char *comma = " on ";
	unsigned i;
	size_t k;

	for (k = 0; k < w->n; k++) {
		buf_str(out, k > 0 ? ", " : "");
		put_minute(out, w->spans[k].from);
		buf_str(out, "-");
		put_minute(out, w->spans[k].to);
	}
	buf_fmt(out, " (%c%02u:%02u)", w->offset_min < 0 ? '-' : '+',
	    off / 60, off % 60);
	if (w->days == DAYS_ALL)
		return;
	for (i = 0; i < WEEK_DAYS; i++)
		if ((w->days >> i & 1) != 0) {
			buf_fmt(out, "%s%s", comma, names[i]);
			comma = ", ";
		}
}

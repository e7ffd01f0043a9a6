/*
 * Days since 1970, and months as spans behind all days. The calendar is the
 * Gregorian one; its months by the reckoning that begins years in March.
 */
#include "seen/state.h"

int64_t
seen_day(int64_t ms)
{
	return ms >= 0 ? ms / SEEN_DAY_MS : (ms + 1) / SEEN_DAY_MS - 1;
}

/* Months since 1970-01 of a day that is not before 1970. */
static int64_t
month_of(int64_t day)
{
	int64_t z = day + 719468, era = z / 146097;
	int64_t doe = z % 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;	/* 0: March */
	int64_t month = mp < 10 ? mp + 2 : mp - 10;	/* 0: January */

	return (yoe + era * 400 + (month < 2) - 1970) * 12 + month;
}

int64_t
seen_month(int64_t day)
{
	return SEEN_SPAN_MONTH + (day < 0 ? 0 : month_of(day));
}

int64_t
seen_month_begin(int64_t month)
{
	int64_t n = month - SEEN_SPAN_MONTH, day = n * 30;

	/* A month is 30 days at least, and 30.5 on average. */
	day += n * 43 / 100;
	while (day > 0 && month_of(day - 1) >= n)
		day--;
	while (month_of(day) < n)
		day++;
	return day;
}

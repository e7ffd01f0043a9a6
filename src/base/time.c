#include "base/time.h"

#include <stdio.h>
#include <time.h>

#include "base/err.h"

/* Days since the epoch of a proleptic Gregorian date. */
static int64_t
days_of(int64_t y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

void
time_text(int64_t ms, char ret[static TIME_TEXT_MAX])
{
	time_t secs = (time_t)(ms / 1000);
	int frac = (int)(ms % 1000);
	struct tm tm;

	if (frac < 0) {
		frac += 1000;
		secs--;
	}
	if (gmtime_r(&secs, &tm) == NULL || tm.tm_year > 8099) {
		(void)snprintf(ret, TIME_TEXT_MAX, "(out of range)");
		return;
	}
	(void)snprintf(ret, TIME_TEXT_MAX,
	    "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (tm.tm_year + 1900) % 10000,
	    tm.tm_mon % 12 + 1, tm.tm_mday % 32, tm.tm_hour % 24,
	    tm.tm_min % 60, tm.tm_sec % 61, frac);
}

/* Exactly n digits at s[*pos]. */
static int
digits(const char *s, size_t len, size_t *pos, int n, int *ret)
{
	int v = 0, i;

	if (len - *pos < (size_t)n)
		return ERR_FORMAT;
	for (i = 0; i < n; i++) {
		char c = s[*pos + (size_t)i];

		if (c < '0' || c > '9')
			return ERR_FORMAT;
		v = v * 10 + (c - '0');
	}
	*pos += (size_t)n;
	*ret = v;
	return 0;
}

static int
literal(const char *s, size_t len, size_t *pos, char c)
{
	if (*pos >= len || s[*pos] != c)
		return ERR_FORMAT;
	(*pos)++;
	return 0;
}

static int
days_in_month(int y, int m)
{
	static const int n[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (m == 2 && ((y % 4 == 0 && y % 100 != 0) || y % 400 == 0))
		return 29;
	return n[m - 1];
}

static int
parse_date(const char *s, size_t len, size_t *pos, int64_t *days)
{
	int y, m, d;

	if (digits(s, len, pos, 4, &y) != 0 || literal(s, len, pos, '-') != 0 ||
	    digits(s, len, pos, 2, &m) != 0 || literal(s, len, pos, '-') != 0 ||
	    digits(s, len, pos, 2, &d) != 0)
		return ERR_FORMAT;
	if (m < 1 || m > 12 || d < 1 || d > days_in_month(y, m))
		return ERR_FORMAT;
	*days = days_of(y, m, d);
	return 0;
}

/* The fraction's milliseconds; at most nine digits, the rest is dropped. */
static int
parse_fraction(const char *s, size_t len, size_t *pos, int *ms)
{
	int scale = 100, n = 0;

	*ms = 0;
	if (*pos >= len || s[*pos] != '.')
		return 0;
	for ((*pos)++; *pos < len && s[*pos] >= '0' && s[*pos] <= '9';
	    (*pos)++, n++) {
		*ms += (s[*pos] - '0') * scale;
		scale /= 10;
	}
	return n >= 1 && n <= 9 ? 0 : ERR_FORMAT;
}

static int
parse_offset(const char *s, size_t len, size_t *pos, int *minutes)
{
	int sign, h, m;

	*minutes = 0;
	if (*pos >= len)
		return ERR_FORMAT;
	if (s[*pos] == 'Z') {
		(*pos)++;
		return 0;
	}
	sign = s[*pos] == '+' ? 1 : s[*pos] == '-' ? -1 : 0;
	if (sign == 0)
		return ERR_FORMAT;
	(*pos)++;
	if (digits(s, len, pos, 2, &h) != 0 || literal(s, len, pos, ':') != 0 ||
	    digits(s, len, pos, 2, &m) != 0 || h > 23 || m > 59)
		return ERR_FORMAT;
	*minutes = sign * (h * 60 + m);
	return 0;
}

int
time_parse(const char *s, size_t len, int64_t *ret)
{
	int h = 0, mi = 0, sec = 0, ms = 0, off = 0;
	int64_t days;
	size_t pos = 0;

	if (parse_date(s, len, &pos, &days) != 0)
		return ERR_FORMAT;
	if (pos < len) {
		if (s[pos] != 'T' && s[pos] != 't' && s[pos] != ' ')
			return ERR_FORMAT;
		pos++;
		if (digits(s, len, &pos, 2, &h) != 0 ||
		    literal(s, len, &pos, ':') != 0 ||
		    digits(s, len, &pos, 2, &mi) != 0 ||
		    literal(s, len, &pos, ':') != 0 ||
		    digits(s, len, &pos, 2, &sec) != 0 || h > 23 || mi > 59 ||
		    sec > 59 || parse_fraction(s, len, &pos, &ms) != 0 ||
		    parse_offset(s, len, &pos, &off) != 0)
			return ERR_FORMAT;
	}
	if (pos != len)
		return ERR_FORMAT;
	*ret = (((days * 24 + h) * 60 + mi - off) * 60 + sec) * 1000 + ms;
	return 0;
}

static int64_t
clock_ms(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts); /* cannot fail for these clocks */
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_now_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

int64_t
clock_mono_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

/*
 * when: {from: TIME, to: TIME, days: [mon, ...], hours: "08:00-18:00",
 *     utc-offset: "+01:00"}
 *
 * A span whose end is not after its start passes midnight. Which hour it is
 * depends on the offset, so that is never guessed.
 */
#include <string.h>

#include "base/arena.h"
#include "policy/load.h"

#define DAY_MIN 1440u
#define OFFSET_MAX (14 * 60)
#define SPANS_MAX 16

static const char *const day_names[] = {"mon", "tue", "wed", "thu", "fri",
    "sat", "sun", NULL};

/* "08:30" as minutes; -1 if it is not that. */
static int
read_clock(const char *s)
{
	int h, m;

	if (strspn(s, "0123456789") != 2 || s[2] != ':' ||
	    strspn(s + 3, "0123456789") != 2)
		return -1;
	h = (s[0] - '0') * 10 + s[1] - '0';
	m = (s[3] - '0') * 10 + s[4] - '0';
	return m > 59 || h > 24 || (h == 24 && m > 0) ? -1 : h * 60 + m;
}

static void
read_span(struct load *l, const struct yaml_node *n, struct span *ret)
{
	const char *s = yaml_str(&l->in, n);
	int from, to;

	if (s == NULL)
		return;
	from = strlen(s) == 11 && s[5] == '-' ? read_clock(s) : -1;
	to = from < 0 ? -1 : read_clock(s + 6);
	if (to < 0 || from == (int)DAY_MIN)
		(void)yaml_fail(&l->in, n, "\"%.40s\" are no hours; write "
		    "them as 08:00-18:00, from 00:00 up to 24:00", s);
	else if (from == to)
		(void)yaml_fail(&l->in, n, "\"%s\" is empty; leave it out, "
		    "or write 00:00-24:00 for whole days", s);
	*ret = (struct span){(unsigned)from, to > from ? (unsigned)to :
	    (unsigned)to + DAY_MIN};
}

static void
read_hours(struct load *l, struct weekly *w, const struct yaml_node *n)
{
	struct span *spans;
	size_t i, count;

	count = n == NULL || n->kind != YAML_LIST ? 1 : n->n;
	if (count == 0 || count > SPANS_MAX)
		(void)yaml_fail(&l->in, n, "1 to %d spans of hours are wanted",
		    SPANS_MAX);
	spans = rules_take(l, arena_array(l->in.arena, count, sizeof(*spans)));
	if (l->in.result != 0)
		return;
	if (n == NULL)
		spans[0] = (struct span){0, DAY_MIN};
	else if (n->kind != YAML_LIST)
		read_span(l, n, &spans[0]);
	else
		for (i = 0; i < count; i++)
			read_span(l, n->items[i], &spans[i]);
	w->spans = spans;
	w->n = count;
}

static void
check_day(struct load *l, const struct yaml_node *n)
{
	(void)yaml_enum(&l->in, n, day_names);
}

static void
read_days(struct load *l, struct weekly *w, const struct yaml_node *n)
{
	struct names days = rules_names(l, n, check_day);
	size_t i, k;

	w->days = n == NULL ? DAYS_ALL : 0;
	for (i = 0; l->in.result == 0 && i < days.n; i++)
		for (k = 0; day_names[k] != NULL; k++)
			if (strcmp(day_names[k], days.items[i]) == 0)
				w->days |= 1u << k;
}

static void
read_offset(struct load *l, struct weekly *w, const struct yaml_node *n)
{
	const char *s = yaml_str(&l->in, n);
	int minutes;

	if (s == NULL)
		return;
	minutes = strlen(s) == 6 && (s[0] == '+' || s[0] == '-') ?
	    read_clock(s + 1) : -1;
	if (minutes < 0 || minutes > OFFSET_MAX) {
		(void)yaml_fail(&l->in, n, "\"%.40s\" is no offset from UTC; "
		    "write it as +01:00 or -08:00, 14 hours at most", s);
		return;
	}
	w->offset_min = s[0] == '-' ? -minutes : minutes;
}

static void
read_weekly(struct load *l, struct weekly *w, const struct yaml_node *n)
{
	const struct yaml_node *hours = yaml_get(n, "hours");
	const struct yaml_node *days = yaml_get(n, "days");
	const struct yaml_node *offset = yaml_get(n, "utc-offset");

	if (hours == NULL && days == NULL) {
		if (offset != NULL)
			(void)yaml_fail(&l->in, offset, "\"utc-offset\" is "
			    "for \"hours\" and \"days\", which are not here");
		return;
	}
	if (offset == NULL) {
		(void)yaml_fail(&l->in, n, "hours and days need a "
		    "\"utc-offset\": +00:00 for UTC, +01:00, -08:00 ...");
		return;
	}
	w->set = true;
	read_hours(l, w, hours);
	read_days(l, w, days);
	read_offset(l, w, offset);
}

void
rules_when(struct load *l, struct rule *r, const struct yaml_node *n)
{
	static const char *const allowed[] = {"from", "to", "hours", "days",
	    "utc-offset", NULL};
	const struct yaml_node *from, *to;

	r->from = INT64_MIN;
	r->to = INT64_MAX;
	if (n == NULL)
		return;
	yaml_map(&l->in, n, allowed);
	r->has_when = true;
	if ((from = yaml_get(n, "from")) != NULL)
		r->from = yaml_time_ms(&l->in, from);
	if ((to = yaml_get(n, "to")) != NULL)
		r->to = yaml_time_ms(&l->in, to);
	if (l->in.result == 0 && r->to <= r->from)
		(void)yaml_fail(&l->in, n, "\"to\" is not after \"from\"");
	if (l->in.result == 0)
		read_weekly(l, &r->weekly, n);
}

/*
 * Of each session the numbers that were seen, as spans in rising order;
 * nearly all have one. A session is known by when it began and its process.
 */
#include "claim/lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "claim/pglog.h"

struct span {
	uint64_t from, to;		/* both included */
};

struct session {
	struct session *next;		/* in its bucket */
	uint64_t id;
	int64_t first_ms, last_ms;	/* of its lines */
	size_t n, cap;
	struct span *spans;		/* NULL: `one` */
	struct span one;
};

struct lines {
	struct session **buckets;
	size_t n_buckets, n;
	int64_t first_ms;		/* of all lines */
};

struct lines *
lines_new(void)
{
	struct lines *l = calloc(1, sizeof(*l));

	if (l != NULL)
		l->first_ms = INT64_MAX;
	return l;
}

void
lines_free(struct lines *l)
{
	struct session *s;
	size_t i;

	if (l == NULL)
		return;
	for (i = 0; i < l->n_buckets; i++) {
		while ((s = l->buckets[i]) != NULL) {
			l->buckets[i] = s->next;
			free(s->spans);
			free(s);
		}
	}
	free(l->buckets);
	free(l);
}

static size_t
place(uint64_t id, size_t n_buckets)
{
	return (size_t)((id * 0x9e3779b97f4a7c15u) >> 32) & (n_buckets - 1);
}

static int
grow(struct lines *l)
{
	size_t n = l->n_buckets == 0 ? 1024 : l->n_buckets * 2, i, at;
	struct session **b = calloc(n, sizeof(struct session *)), *s;

	if (b == NULL)
		return ERR_MEMORY;
	for (i = 0; i < l->n_buckets; i++) {
		while ((s = l->buckets[i]) != NULL) {
			l->buckets[i] = s->next;
			at = place(s->id, n);
			s->next = b[at];
			b[at] = s;
		}
	}
	free(l->buckets);
	l->buckets = b;
	l->n_buckets = n;
	return 0;
}

static int
find(struct lines *l, uint64_t id, struct session **ret)
{
	struct session *s;
	size_t at;
	int r;

	if (l->n >= l->n_buckets && (r = grow(l)) != 0)
		return r;
	at = place(id, l->n_buckets);
	for (s = l->buckets[at]; s != NULL; s = s->next)
		if (s->id == id)
			break;
	if (s == NULL) {
		if (l->n == LINES_SESSIONS_MAX)
			return ERR_LIMIT;
		if ((s = calloc(1, sizeof(*s))) == NULL)
			return ERR_MEMORY;
		s->id = id;
		s->first_ms = INT64_MAX;
		s->last_ms = INT64_MIN;
		s->next = l->buckets[at];
		l->buckets[at] = s;
		l->n++;
	}
	*ret = s;
	return 0;
}

static struct span *
spans_of(struct session *s)
{
	return s->spans != NULL ? s->spans : &s->one;
}

/* Room for one more, which is moved in at `at`. */
static int
insert(struct session *s, size_t at, uint64_t number)
{
	struct span *p;
	size_t cap;

	if (s->n == LINES_SPANS_MAX)
		return ERR_LIMIT;
	if (s->n > 0 && s->n >= s->cap) {
		cap = s->cap == 0 ? 4 : s->cap * 2;
		if ((p = realloc(s->spans, cap * sizeof(*p))) == NULL)
			return ERR_MEMORY;
		if (s->spans == NULL)
			p[0] = s->one;
		s->spans = p;
		s->cap = cap;
	}
	p = spans_of(s);
	memmove(p + at + 1, p + at, (s->n - at) * sizeof(*p));
	p[at] = (struct span){number, number};
	s->n++;
	return 0;
}

static int
add_number(struct session *s, uint64_t number)
{
	struct span *p = spans_of(s);
	size_t i = s->n;

	/* Most lines come in their order: look from behind. */
	while (i > 0 && p[i - 1].from > number)
		i--;
	if (i > 0 && number <= p[i - 1].to)
		return 0;		/* a file that was given twice */
	if (i > 0 && number == p[i - 1].to + 1) {
		p[i - 1].to = number;
		if (i < s->n && p[i].from == number + 1) {
			p[i - 1].to = p[i].to;
			memmove(p + i, p + i + 1, (s->n - i - 1) * sizeof(*p));
			s->n--;
		}
		return 0;
	}
	if (i < s->n && number + 1 == p[i].from) {
		p[i].from = number;
		return 0;
	}
	return insert(s, i, number);
}

int
lines_add(struct lines *l, const struct pglog_line *line)
{
	struct session *s;
	int r;

	if (line->time_ms < l->first_ms)
		l->first_ms = line->time_ms;
	if (line->session == 0 || line->number == 0)
		return 0;
	if ((r = find(l, line->session, &s)) != 0)
		return r;
	if (line->time_ms < s->first_ms)
		s->first_ms = line->time_ms;
	if (line->time_ms > s->last_ms)
		s->last_ms = line->time_ms;
	return add_number(s, line->number);
}

static int
gaps_of(const struct lines *l, struct session *s,
    int (*gap)(void *arg, const struct lines_gap *g), void *arg)
{
	struct lines_gap g = {.pid = (uint32_t)s->id,
	    .began_ms = (int64_t)(s->id >> 32) * 1000};
	const struct span *p = spans_of(s);
	size_t i;
	int r;

	/* What it wrote before the log begins is not there; it may have begun
	 * in the same second. */
	if (p[0].from > 1 && g.began_ms > l->first_ms) {
		g.from = 1;
		g.to = p[0].from - 1;
		if ((r = gap(arg, &g)) != 0)
			return r;
	}
	for (i = 1; i < s->n; i++) {
		g.from = p[i - 1].to + 1;
		g.to = p[i].from - 1;
		if ((r = gap(arg, &g)) != 0)
			return r;
	}
	return 0;
}

int
lines_gaps(struct lines *l, int64_t from_ms, int64_t to_ms,
    int (*gap)(void *arg, const struct lines_gap *g), void *arg)
{
	struct session *s;
	size_t i;
	int r;

	for (i = 0; i < l->n_buckets; i++)
		for (s = l->buckets[i]; s != NULL; s = s->next)
			if (s->first_ms <= to_ms && s->last_ms >= from_ms &&
			    (r = gaps_of(l, s, gap, arg)) != 0)
				return r;
	return 0;
}

#include "cached.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "policy/cache.h"
#include "policy/policy.h"

#define SESSIONS 2000
#define STEPS 8			/* of each session */
#define TABLE_LEN ((size_t)32 << 20)

struct decision {
	struct arena *a;
	const struct clearance *c;
};

/* Of one session: what it stated last, and before. */
struct memo {
	const char *purpose[2];
	const char *ticket[2];
	struct decision *decided[2];
};

static const char *const elsewhere[] = {"unknown"};

static double
now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* cannot fail */
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void
drop(void *value)
{
	struct decision *d = value;

	if (d == NULL)
		return;
	arena_free(d->a);
	free(d);
}

static struct decision *
decide(const struct policy *p, const struct policy_request *q)
{
	struct decision *d = calloc(1, sizeof(*d));

	if (d == NULL || (d->a = arena_new()) == NULL ||
	    policy_decide(p, q, d->a, &d->c) != 0)
		abort();
	return d;
}

/* *ret_mine: the caller has to drop it. */
static const struct decision *
by_table(struct cache *t, const struct policy *p,
    const struct policy_request *q, struct decision **ret_mine)
{
	const struct cache_key k = { .version = 1, .at_ms = q->at_ms,
	    .turns_ms = INT64_MAX, .principal = q->who->id,
	    .seen_at = elsewhere, .n_seen_at = 1, .store = q->store,
	    .purpose = q->purpose, .ticket = q->ticket };
	struct decision *d = cache_find(t, &k);

	*ret_mine = NULL;
	if (d != NULL)
		return d;
	d = decide(p, q);
	if (cache_put(t, &k, INT64_MAX, d, sizeof(*d) +
	    arena_len(d->a)) != 0)
		*ret_mine = d;
	return d;
}

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static const struct decision *
by_memo(struct memo *m, const struct policy *p,
    const struct policy_request *q)
{
	unsigned i;

	for (i = 0; i < 2; i++)
		if (m->decided[i] != NULL && same(m->purpose[i],
		    q->purpose) && same(m->ticket[i], q->ticket))
			return m->decided[i];
	drop(m->decided[1]);
	m->decided[1] = m->decided[0];
	m->purpose[1] = m->purpose[0];
	m->ticket[1] = m->ticket[0];
	m->decided[0] = decide(p, q);
	m->purpose[0] = q->purpose;
	m->ticket[0] = q->ticket;
	return m->decided[0];
}

/* All sessions, one after the other; how many were let read. */
static unsigned
run(struct cache *t, const struct policy *p,
    const struct policy_request *requests, size_t n,
    const char *const purposes[2])
{
	struct policy_request q;
	struct decision *mine;
	struct memo m;
	unsigned i, k, permitted = 0;

	for (i = 0; i < SESSIONS; i++) {
		q = requests[(size_t)i * 7919 % n];
		memset(&m, 0, sizeof(m));
		for (k = 0; k < STEPS; k++) {
			q.purpose = purposes[k % 2];
			permitted += t == NULL ?
			    by_memo(&m, p, &q)->c->outcomes[0].permitted :
			    by_table(t, p, &q, &mine)->c->
			    outcomes[0].permitted;
			if (t != NULL)
				drop(mine);
		}
		drop(m.decided[0]);
		drop(m.decided[1]);
	}
	return permitted;
}

static unsigned
count(const struct policy *p, const struct policy_request *requests,
    size_t n, const char *const purposes[2])
{
	struct policy_request q;
	struct decision *d;
	unsigned i, k, permitted = 0;

	for (i = 0; i < SESSIONS; i++)
		for (k = 0; k < STEPS; k++) {
			q = requests[(size_t)i * 7919 % n];
			q.purpose = purposes[k % 2];
			d = decide(p, &q);
			permitted += d->c->outcomes[0].permitted;
			drop(d);
		}
	return permitted;
}

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int
cached_measure(const struct policy *p, const struct policy_request *requests,
    size_t n, const char *const purposes[2], unsigned rounds, double ret[3])
{
	unsigned want = count(p, requests, n, purposes), i, k;
	double *took[3], start;
	struct cache *t;
	int r = 0;

	for (k = 0; k < 3; k++)
		if ((took[k] = calloc(rounds, sizeof(double))) == NULL)
			abort();
	for (i = 0; i < rounds; i++) {
		if ((t = cache_new(TABLE_LEN, drop)) == NULL)
			abort();
		/* The table is empty; then it has all of it; then the memo. */
		for (k = 0; k < 3; k++) {
			start = now_us();
			if (run(k < 2 ? t : NULL, p, requests, n,
			    purposes) != want)
				r = -1;
			took[k == 0 ? 1 : k == 1 ? 0 : 2][i] =
			    (now_us() - start) / (SESSIONS * STEPS);
		}
		cache_free(t);
	}
	for (k = 0; k < 3; k++) {
		qsort(took[k], rounds, sizeof(double), compare_doubles);
		ret[k] = took[k][rounds / 2];
		free(took[k]);
	}
	return r;
}

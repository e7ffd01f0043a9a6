/*
 * looks:   applied   drifted   drifted   applied
 * in doubt:  [---------------------------]
 *
 * Without a look before, in doubt from the log's first record on; without one
 * after, to its end.
 */
#include "claim/drifted.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "claim/state.h"

struct drifted {
	struct drifted *next;
	const struct state_log *log;
	const char *store;		/* the verdict's */
	int64_t from_ms;		/* in doubt since; or seen last */
	bool now;			/* in doubt */
	uint64_t seq;			/* of the record that found it */
	uint64_t found;
	const char *what;		/* the first; the verdict's */
	uint64_t looks;			/* in the period, that found nothing */
};

static bool
is_of_claim(const struct verdict *v, const char *store)
{
	size_t i;

	for (i = 0; i < v->claim->stores.n; i++)
		if (strcmp(v->claim->stores.s[i], store) == 0)
			return true;
	return false;
}

static struct drifted *
find(struct verdict *v, const char *store)
{
	struct drifted *d;

	for (d = v->drifted; d != NULL; d = d->next)
		if (d->log == v->log && strcmp(d->store, store) == 0)
			return d;
	if ((d = calloc(1, sizeof(*d))) == NULL)
		return NULL;
	if ((d->store = arena_str(v->arena, store)) == NULL) {
		free(d);
		return NULL;
	}
	d->log = v->log;
	d->from_ms = v->log->first_ms;
	d->next = v->drifted;
	v->drifted = d;
	return d;
}

/* It was as it was made again at until_ms. */
static int
doubt(struct verdict *v, struct drifted *d, int64_t until_ms)
{
	char from[TIME_TEXT_MAX], until[TIME_TEXT_MAX];

	if (!d->now)
		return 0;
	d->now = false;
	if (d->from_ms > v->claim->to_ms || until_ms < v->claim->from_ms)
		return 0;
	time_text(d->from_ms, from);
	time_text(until_ms, until);
	return state_doubt(v, "drift", d->log->gateway, &d->seq, "store %s was "
	    "not as it had been applied: entry %" PRIu64 " of %s found %"
	    PRIu64 " differences (%s); what the store enforced from %s to %s "
	    "is not shown", d->store, d->seq, d->log->gateway, d->found,
	    d->what, from, until);
}

int
drifted_take(struct verdict *v, const struct record *r)
{
	const struct record_drift *in = &r->u.drift;
	struct drifted *d;
	int e;

	if (!is_of_claim(v, in->store))
		return 0;
	if ((d = find(v, in->store)) == NULL)
		return ERR_MEMORY;
	if (strcmp(in->state, "applied") == 0) {
		if ((e = doubt(v, d, r->time_ms)) != 0)
			return e;
		d->from_ms = r->time_ms;
		d->looks += r->time_ms >= v->claim->from_ms &&
		    r->time_ms <= v->claim->to_ms;
	} else if (strcmp(in->state, "drifted") == 0 && !d->now) {
		d->now = true;
		d->seq = r->seq;
		d->found = in->found;
		d->what = arena_str(v->arena, in->what.n > 0 ?
		    in->what.s[0] : "not named");
		if (d->what == NULL)
			return ERR_MEMORY;
	}
	return 0;
}

int
drifted_end(struct verdict *v)
{
	struct drifted *d;
	int e;

	for (d = v->drifted; d != NULL; d = d->next)
		if (d->log == v->log && (e = doubt(v, d,
		    v->log->last_ms > v->claim->to_ms ? v->claim->to_ms :
		    v->log->last_ms)) != 0)
			return e;
	return 0;
}

int
drifted_say(struct verdict *v)
{
	const struct drifted *d;
	int e;

	for (d = v->drifted; d != NULL; d = d->next)
		if (d->looks > 0 && (e = state_rest(v, "drift", "that store "
		    "%s was as it had been applied between the looks of %s "
		    "for drift: %" PRIu64 " in the period found it so, by "
		    "what a login without rights can see there", d->store,
		    d->log->gateway, d->looks)) != 0)
			return e;
	return 0;
}

void
drifted_free(struct verdict *v)
{
	struct drifted *d, *next;

	for (d = v->drifted; d != NULL; d = next) {
		next = d->next;
		free(d);
	}
	v->drifted = NULL;
}

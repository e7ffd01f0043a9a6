/*
 * A store's own log is not given, but the operator held it to the gateways'
 * and recorded the outcome. That is their word, and the verdict says so; it
 * must cover the period without a gap, every gateway of the store, and say
 * that everything fits.
 *
 * Whoever looks again with more (another gateway's log, a file that had been
 * forgotten) may find that it fits after all: a record counts no more once a
 * later one covers its period and its gateways, and saw no fewer logins.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "claim/state.h"

int
held_note(struct verdict *v, const struct record *r, struct bytes entry)
{
	struct state_reconciled *h, **at = &v->reconciled;
	struct record copy;
	int e = ERR_MEMORY;

	if (v->partial || !strs_have(&v->claim->stores,
	    r->u.reconciled.store) ||
	    r->u.reconciled.to_ms < v->claim->from_ms ||
	    r->u.reconciled.from_ms > v->claim->to_ms)
		return 0;
	if ((h = calloc(1, sizeof(*h))) == NULL)
		return ERR_MEMORY;
	if ((h->arena = arena_new()) == NULL ||
	    (e = record_decode(entry, h->arena, &copy, NULL)) != 0) {
		arena_free(h->arena);
		free(h);
		return e;
	}
	h->gateway = copy.gateway;
	h->seq = copy.seq;
	h->time_ms = copy.time_ms;
	h->rec = copy.u.reconciled;
	while (*at != NULL)
		at = &(*at)->next;
	*at = h;
	return 0;
}

void
held_free(struct verdict *v)
{
	struct state_reconciled *h;

	while ((h = v->reconciled) != NULL) {
		v->reconciled = h->next;
		arena_free(h->arena);
		free(h);
	}
}

static bool
is_of(const struct state_reconciled *h, const char *store)
{
	return strcmp(h->rec.store, store) == 0;
}

static bool
has_gateway(const struct record_reconciled *r, const char *gateway)
{
	size_t i;

	for (i = 0; i < r->n_gateways; i++)
		if (strcmp(r->gateways[i].gateway, gateway) == 0)
			return true;
	return false;
}

static bool
sees_more(const struct state_reconciled *b, const struct state_reconciled *a)
{
	size_t i;

	if (b == a || !is_of(b, a->rec.store) || b->time_ms <= a->time_ms ||
	    b->rec.from_ms > a->rec.from_ms || b->rec.to_ms < a->rec.to_ms ||
	    b->rec.logins < a->rec.logins)
		return false;
	/* Counting statements finds more than not counting them. */
	if (a->rec.differ > 0 && !b->rec.compared)
		return false;
	for (i = 0; i < a->rec.n_gateways; i++)
		if (!has_gateway(&b->rec, a->rec.gateways[i].gateway))
			return false;
	return true;
}

static bool
is_replaced(const struct verdict *v, const struct state_reconciled *a)
{
	const struct state_reconciled *b;

	for (b = v->reconciled; b != NULL; b = b->next)
		if (sees_more(b, a))
			return true;
	return false;
}

/* A gateway of the claim that stands before the store and was left out. */
static const char *
left_out(const struct verdict *v, const struct record_reconciled *r)
{
	const struct state_log *l;

	for (l = v->logs; l != NULL; l = l->next)
		if (state_store_find(l, r->store) != NULL &&
		    !has_gateway(r, l->gateway))
			return l->gateway;
	return NULL;
}

static uint64_t
count(const struct record_reconciled *r)
{
	return r->around + r->unrecorded + r->absent + r->gaps + r->differ;
}

static int
doubt_found(struct verdict *v, const struct state_reconciled *h)
{
	const struct record_reconciled *r = &h->rec;
	size_t i;
	int e;

	if ((e = state_doubt(v, "reconciliation", h->gateway, &h->seq,
	    "entry %" PRIu64 " of %s holds the log of store %s to the record, "
	    "and %" PRIu64 " %s not fit: %" PRIu64 " logins around the "
	    "gateway, %" PRIu64 " not recorded, %" PRIu64 " recorded that the "
	    "store's log lacks, %" PRIu64 " gaps of that log, %" PRIu64
	    " sessions with other counts of statements", h->seq, h->gateway,
	    r->store, count(r), count(r) == 1 ? "thing does" : "things do",
	    r->around, r->unrecorded, r->absent, r->gaps, r->differ)) != 0)
		return e;
	for (i = 0; i < r->n_findings; i++)
		if ((e = state_doubt(v, "reconciliation", h->gateway, &h->seq,
		    "store %s, entry %" PRIu64 " of %s: %s", r->store, h->seq,
		    h->gateway, r->findings[i].text)) != 0)
			return e;
	return 0;
}

static int
say_clean(struct verdict *v, const struct state_reconciled *h)
{
	const struct record_reconciled *r = &h->rec;
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX], last[TIME_TEXT_MAX];

	time_text(r->from_ms, from);
	time_text(r->to_ms, to);
	time_text(r->last_ms, last);
	return state_rest(v, "logins", "the word of whoever runs the gateway "
	    "(%s, entry %" PRIu64 " of %s) that from %s to %s the %" PRIu64
	    " logins in store %s's own log, whose last line is of %s, are "
	    "those that were recorded%s; to check that yourself, give that "
	    "log with --store-log %s=FILE", r->by, h->seq, h->gateway, from,
	    to, r->logins, r->store, last, r->compared ? ", and that no more "
	    "was run than is recorded (pgaudit)" : "", r->store);
}

/*
 * Judges one record. *until: up to where the period is covered without a gap;
 * records come by their beginnings.
 */
static int
judge_one(struct verdict *v, const struct state_reconciled *h,
    int64_t *until_ms)
{
	const char *gateway = left_out(v, &h->rec);

	if (gateway != NULL)
		return state_doubt(v, "reconciliation", h->gateway, &h->seq,
		    "entry %" PRIu64 " of %s holds the log of store %s to "
		    "records, and not to those of gateway %s", h->seq,
		    h->gateway, h->rec.store, gateway);
	if (h->rec.from_ms <= *until_ms && h->rec.to_ms > *until_ms)
		*until_ms = h->rec.to_ms;
	if (count(&h->rec) > 0)
		return doubt_found(v, h);
	return say_clean(v, h);
}

static int
compare(const void *x, const void *y)
{
	const struct state_reconciled *const *a = x, *const *b = y;

	return ((*a)->rec.from_ms > (*b)->rec.from_ms) -
	    ((*a)->rec.from_ms < (*b)->rec.from_ms);
}

/* Those of the store that count, by their beginnings. */
static int
choose(struct verdict *v, const char *store,
    const struct state_reconciled ***ret, size_t *ret_n)
{
	const struct state_reconciled *h, **list;
	size_t n = 0;

	for (h = v->reconciled; h != NULL; h = h->next)
		n++;
	if ((list = arena_array(v->arena, n, sizeof(*list))) == NULL)
		return ERR_MEMORY;
	n = 0;
	for (h = v->reconciled; h != NULL; h = h->next)
		if (is_of(h, store) && !is_replaced(v, h))
			list[n++] = h;
	if (n > 0)
		qsort(list, n, sizeof(*list), compare);
	*ret = list;
	*ret_n = n;
	return 0;
}

int
held_judge(struct verdict *v, const char *store)
{
	const struct state_reconciled **list;
	int64_t until_ms = v->claim->from_ms;
	char at[TIME_TEXT_MAX];
	size_t i, n;
	int e;

	if ((e = choose(v, store, &list, &n)) != 0)
		return e;
	for (i = 0; i < n; i++)
		if ((e = judge_one(v, list[i], &until_ms)) != 0)
			return e;
	if (n > 0 && until_ms >= v->claim->to_ms)
		return 0;
	time_text(until_ms, at);
	return state_doubt(v, "reconciliation", NULL, NULL, "nobody compared "
	    "store %s's own log with the record %s%s: whether somebody logged "
	    "in around the gateway is not known. Have PostgreSQL write "
	    "log_destination = csvlog with log_connections = on and "
	    "log_timezone = UTC, and give that log with --store-log %s=FILE; "
	    "or the operator's sworn reconcile puts its outcome on record",
	    store, n > 0 ? "from there on: " : "in the period", n > 0 ? at :
	    "", store);
}

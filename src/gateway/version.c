#include "gateway/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/report.h"
#include "base/time.h"
#include "gateway/parcel.h"
#include "gateway/config.h"
#include "gateway/turns.h"
#include "policy/grants.h"
#include "tls/context.h"

#define ITEM_MAX 512

/* No path: those begin with a slash. */
static int
item_name(const struct config_store *s, char ret[static ITEM_MAX])
{
	int n = snprintf(ret, ITEM_MAX, "address of %s port %u", s->host,
	    s->port);

	return n > 0 && n < ITEM_MAX ? 0 : ERR_LIMIT;
}

int
version_note_addresses(const struct config *c, struct parcel *b)
{
	char name[ITEM_MAX];
	struct link_address a;
	size_t i;
	int r = 0;

	for (i = 0; i < c->n_stores && r == 0; i++) {
		memset(&a, 0, sizeof(a));
		if (item_name(&c->stores[i], name) != 0 ||
		    link_address_find(c->stores[i].host, c->stores[i].port,
		    &a) != 0)
			continue;	/* whoever takes it says so */
		r = parcel_add(b, name, &a, sizeof(a));
	}
	return r;
}

static int
find_address(const struct config_store *s, const struct parcel *b,
    struct link_address *ret)
{
	char name[ITEM_MAX];
	struct bytes got;

	if (b == NULL)
		return link_address_find(s->host, s->port, ret);
	if (item_name(s, name) != 0 || parcel_find(b, name, &got) != 0 ||
	    got.len != sizeof(*ret))
		return ERR_MISSING;
	memcpy(ret, got.data, sizeof(*ret));
	return 0;
}

static void
find_way(const struct config_store *s, const struct parcel *b,
    struct link_way *ret)
{
	ret->tls = s->tls.mode;
	ret->binding = s->tls.binding;
	ret->context = s->tls.context;
	if (find_address(s, b, &ret->address) != 0)
		report(REPORT_WARNING, "store=%s its host is not known; "
		    "sessions of it will be refused", s->name);
	(void)snprintf(ret->host, sizeof(ret->host), "%s", s->host); /* fits */
}

/* Those who connect would be told so; better that it is known before. */
static void
look_at_certificate(const struct config *c)
{
	int64_t until;

	if (c->tls.context == NULL)
		return;
	until = tls_context_until_ms(c->tls.context);
	if (until <= clock_now_ms())
		report(REPORT_WARNING, "the certificate of the gateway has "
		    "expired: %s", c->tls.certificate);
}

int
version_new(const struct config *c, struct config *owned,
    const struct parcel *b, unsigned workers, struct version **ret)
{
	struct version *v;
	size_t i;

	if ((v = calloc(1, sizeof(*v))) == NULL)
		return ERR_MEMORY;
	v->refs = 1;
	v->config = c;
	v->n_kept = workers;
	v->ways = calloc(c->n_stores + 1, sizeof(*v->ways));
	v->kept = calloc(workers + 1, sizeof(struct kept_password *));
	if (v->ways == NULL || v->kept == NULL) {
		version_free(v);
		return ERR_MEMORY;
	}
	for (i = 0; i < c->n_stores; i++)
		find_way(&c->stores[i], b, &v->ways[i]);
	look_at_certificate(c);
	version_turn(v, clock_now_ms());
	v->owned = owned;
	*ret = v;
	return 0;
}

int
version_with(struct versions *vs, struct version *of, struct grants *g,
    struct version **ret)
{
	struct version *base = of->base != NULL ? of->base : of, *v;

	if ((v = calloc(1, sizeof(*v))) == NULL)
		return ERR_MEMORY;
	v->refs = 1;
	v->base = version_ref(vs, base);
	v->config = base->config;
	v->ways = base->ways;
	v->kept = base->kept;
	v->n_kept = base->n_kept;
	v->grants = g;
	version_turn(v, clock_now_ms());
	*ret = v;
	return 0;
}

void
version_turn(struct version *v, int64_t now_ms)
{
	int64_t text = turns_after(v->config, now_ms);
	int64_t grant = grants_change_at(v->grants, now_ms);

	atomic_store(&v->turns_ms, text < grant ? text : grant);
}

/* A base that it has is the caller's to let go. */
void
version_free(struct version *v)
{
	struct kept_password *k;
	unsigned i;

	if (v == NULL)
		return;
	grants_free(v->grants);
	if (v->base != NULL) {
		free(v);
		return;
	}
	for (i = 0; v->kept != NULL && i < v->n_kept; i++) {
		while ((k = v->kept[i]) != NULL) {
			v->kept[i] = k->next;
			wipe(k, sizeof(*k));
			free(k);
		}
	}
	free(v->kept);
	free(v->ways);
	config_free(v->owned);
	free(v);
}

const struct link_way *
version_way(const struct version *v, const struct config_store *s)
{
	return &v->ways[s - v->config->stores];
}

/*
 * While the instant lies behind and was not moved on yet, it is not known
 * what comes next: then a decision holds for no time at all.
 */
int64_t
version_turns_after(const struct version *v, int64_t at_ms)
{
	int64_t turns = atomic_load(&v->turns_ms);

	return turns > at_ms ? turns : at_ms;
}

int
versions_init(struct versions *vs)
{
	pthread_rwlockattr_t attr;

	memset(vs, 0, sizeof(*vs));
	/* A version that comes must not wait for ever behind statements. */
	if (pthread_mutex_init(&vs->lock, NULL) != 0 ||
	    pthread_rwlockattr_init(&attr) != 0 ||
	    pthread_rwlockattr_setkind_np(&attr,
	    PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) != 0 ||
	    pthread_rwlock_init(&vs->order, &attr) != 0)
		return ERR_MEMORY;
	return 0;
}

struct version *
version_ref(struct versions *vs, struct version *v)
{
	if (v == NULL)
		return NULL;
	(void)pthread_mutex_lock(&vs->lock);
	v->refs++;
	(void)pthread_mutex_unlock(&vs->lock);
	return v;
}

struct version *
versions_get(struct versions *vs)
{
	struct version *v;

	(void)pthread_mutex_lock(&vs->lock);
	if ((v = vs->current) != NULL)
		v->refs++;
	(void)pthread_mutex_unlock(&vs->lock);
	return v;
}

void
version_unref(struct versions *vs, struct version *v)
{
	if (v == NULL)
		return;
	(void)pthread_mutex_lock(&vs->lock);
	if (--v->refs == 0) {
		v->next = vs->dead;
		vs->dead = v;
	}
	(void)pthread_mutex_unlock(&vs->lock);
}

unsigned
versions_sweep(struct versions *vs)
{
	struct version *v, *next;
	unsigned n = 0;

	(void)pthread_mutex_lock(&vs->lock);
	v = vs->dead;
	vs->dead = NULL;
	(void)pthread_mutex_unlock(&vs->lock);
	for (; v != NULL; v = next, n++) {
		next = v->next;
		version_unref(vs, v->base);
		version_free(v);
	}
	return n;
}

bool
versions_enter(struct versions *vs, uint64_t number)
{
	(void)pthread_rwlock_rdlock(&vs->order);
	return number == 0 || atomic_load(&vs->number) == number;
}

void
versions_leave(struct versions *vs)
{
	(void)pthread_rwlock_unlock(&vs->order);
}

void
versions_lock(struct versions *vs)
{
	(void)pthread_rwlock_wrlock(&vs->order);
}

void
versions_unlock(struct versions *vs)
{
	(void)pthread_rwlock_unlock(&vs->order);
}

struct version *
versions_set(struct versions *vs, struct version *v)
{
	struct version *before;

	(void)pthread_mutex_lock(&vs->lock);
	before = vs->current;
	vs->current = v;
	if (v != NULL)
		v->number = ++vs->latest;
	atomic_store(&vs->number, v != NULL ? v->number : 0);
	(void)pthread_mutex_unlock(&vs->lock);
	return before;
}

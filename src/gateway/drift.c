/*
 *   looked at: as applied    -> record "applied", open
 *              differences   -> record "drifted", closed
 *              not looked at -> record "unseen"; closed if for too long
 *
 * Every look is recorded, since its login is one in the store's own log, and
 * since it is what a verdict can rest on. Each has a thread of its own, so
 * that a store that does not answer holds up no other.
 *
 * Stores are entries of a list that only grows, so workers read it without a
 * lock.
 */
#include "gateway/drift.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/report.h"
#include "base/time.h"
#include "gateway/config.h"
#include "gateway/drift_state.h"
#include "gateway/version.h"
#include "gateway/worker.h"
#include "wire/backend.h"

#define TICK_MS 250

/* ---- what workers ask ---- */

static struct watched *
find(struct drift *d, const struct config_store *s)
{
	struct watched *w;

	for (w = atomic_load(&d->stores); w != NULL; w = w->next)
		if (w->port == s->port && strcmp(w->store, s->name) == 0 &&
		    strcmp(w->host, s->host) == 0 &&
		    strcmp(w->database, s->database) == 0)
			break;
	return w;
}

static const struct backend_error refusals[] = {
	[WATCHED_NEW] = {.sqlstate = "57P03",
		.message = "the store is closed: it was not looked at yet",
		.detail = "whether it is as sworn apply left it is not known",
		.hint = "try again in a moment"},
	[WATCHED_DRIFTED] = {.sqlstate = "57P03",
		.message = "the store is closed: it is not as sworn apply "
		    "left it",
		.detail = "what changed in it could show more than may be "
		    "seen",
		.hint = "whoever runs the gateway finds what it is with sworn "
		    "drift, and mends it, or has sworn apply mend it"},
	[WATCHED_UNSEEN] = {.sqlstate = "57P03",
		.message = "the store is closed: it could not be looked at "
		    "for drift",
		.detail = "whether it is still as sworn apply left it is not "
		    "known",
		.hint = "the gateway's report says why; it tries again by "
		    "itself"},
	[WATCHED_OLD] = {.sqlstate = "57P03",
		.message = "the store is closed: an older sworn applied it",
		.detail = "it kept nothing to compare the store with",
		.hint = "whoever runs the gateway runs sworn apply for it, "
		    "then sworn reload"},
};

/* Nobody has a login there yet: what refuses them says so. */
static bool
is_bare(const struct config_store *s)
{
	size_t i;

	for (i = 0; !s->applied && i < s->n_logins; i++)
		if (strncmp(s->logins[i].role, "sworn_", 6) == 0)
			return false;
	return !s->applied;
}

static bool
is_watched(const struct config *c, const struct config_store *s)
{
	return s->mode == STORE_ENFORCE && c->drift_ms != 0 && !is_bare(s);
}

bool
drift_closed(struct drift *d, const struct config *c,
    const struct config_store *s, struct backend_error *e)
{
	struct watched *w;
	int state;

	if (d == NULL || !is_watched(c, s))
		return false;
	w = find(d, s);
	state = w == NULL ? WATCHED_NEW : atomic_load(&w->state);
	if (state != WATCHED_OPEN)
		*e = refusals[state];
	return state != WATCHED_OPEN;
}

/* ---- all of them ---- */

static void
free_watched(struct watched *w)
{
	if (w == NULL)
		return;
	free(w->store);
	free(w->host);
	free(w->database);
	free(w);
}

static struct watched *
watched_of(struct drift *d, const struct config_store *s)
{
	struct watched *w;

	if ((w = find(d, s)) != NULL)
		return w;
	if ((w = calloc(1, sizeof(*w))) == NULL)
		return NULL;
	w->port = s->port;
	if ((w->store = strdup(s->name)) == NULL ||
	    (w->host = strdup(s->host)) == NULL ||
	    (w->database = strdup(s->database)) == NULL) {
		free_watched(w);
		return NULL;
	}
	atomic_init(&w->state, WATCHED_NEW);
	w->next = atomic_load(&d->stores);
	atomic_store(&d->stores, w);
	return w;
}

struct looker {
	struct drift *d;
	struct version *v;
	const struct config_store *s;
	struct watched *w;
};

static void *
look_main(void *arg)
{
	struct looker k = *(struct looker *)arg;

	free(arg);
	drift_look(k.d, k.v, k.s, k.w);
	version_unref(&k.d->shared->versions, k.v);
	atomic_store(&k.w->busy, false);
	(void)pthread_mutex_lock(&k.d->lock);
	k.d->busy--;
	(void)pthread_cond_broadcast(&k.d->less);
	(void)pthread_mutex_unlock(&k.d->lock);
	return NULL;
}

/* In a thread of its own; where there is none to be had, here. */
static void
begin_look(struct drift *d, struct version *v, const struct config_store *s,
    struct watched *w)
{
	struct looker *k = malloc(sizeof(*k));
	pthread_t thread;

	atomic_store(&w->busy, true);
	(void)pthread_mutex_lock(&d->lock);
	d->busy++;
	(void)pthread_mutex_unlock(&d->lock);
	if (k != NULL) {
		*k = (struct looker){d, version_ref(&d->shared->versions, v),
		    s, w};
		if (pthread_create(&thread, NULL, look_main, k) == 0) {
			(void)pthread_detach(thread);	/* busy counts it */
			return;
		}
		version_unref(&d->shared->versions, v);
		free(k);
	}
	drift_look(d, v, s, w);
	atomic_store(&w->busy, false);
	(void)pthread_mutex_lock(&d->lock);
	d->busy--;
	(void)pthread_mutex_unlock(&d->lock);
}

static void
look_if_due(struct drift *d, struct version *v, const struct config_store *s)
{
	struct watched *w;

	if (!is_watched(v->config, s) || (w = watched_of(d, s)) == NULL ||
	    atomic_load(&w->busy))
		return;			/* or again in a moment */
	if (s->watch.n == 0)
		drift_old(d, v, s, w);
	else if (w->version != v->number || clock_mono_ms() >= w->next_ms)
		begin_look(d, v, s, w);
}

/* What is no longer watched has to be looked at before it is open again. */
static void
let_go(struct drift *d, const struct version *v)
{
	struct watched *w;
	size_t i;

	for (w = atomic_load(&d->stores); w != NULL; w = w->next) {
		for (i = 0; i < v->config->n_stores; i++)
			if (is_watched(v->config, &v->config->stores[i]) &&
			    find(d, &v->config->stores[i]) == w)
				break;
		if (i == v->config->n_stores && !atomic_load(&w->busy)) {
			atomic_store(&w->state, WATCHED_NEW);
			w->version = 0;
		}
	}
}

static void
show(struct drift *d)
{
	uint64_t drifted = 0, unseen = 0;
	struct watched *w;
	int state;

	if (d->shared->metrics == NULL)
		return;
	for (w = atomic_load(&d->stores); w != NULL; w = w->next) {
		state = atomic_load(&w->state);
		drifted += state == WATCHED_DRIFTED;
		unseen += state == WATCHED_UNSEEN || state == WATCHED_OLD;
	}
	atomic_store(&d->shared->metrics->stores_drifted, drifted);
	atomic_store(&d->shared->metrics->stores_unseen, unseen);
}

static void
look_round(struct drift *d)
{
	struct version *v = versions_get(&d->shared->versions);
	size_t i;

	if (v == NULL)
		return;			/* nothing is in force */
	if (v->config->drift_ms == 0 && d->off_version != v->number) {
		report(REPORT_WARNING, "drift: off: nobody looks whether the "
		    "stores are still as sworn apply left them");
		d->off_version = v->number;
	}
	let_go(d, v);
	for (i = 0; i < v->config->n_stores; i++)
		if (!atomic_load(&d->stopping))
			look_if_due(d, v, &v->config->stores[i]);
	show(d);
	version_unref(&d->shared->versions, v);
}

static void *
drift_main(void *arg)
{
	struct drift *d = arg;
	struct pollfd p = {d->wake_fd, POLLIN, 0};
	uint64_t n;

	while (!atomic_load(&d->stopping)) {
		(void)poll(&p, 1, TICK_MS);	/* looked at anyway */
		if (read(d->wake_fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
			report(REPORT_WARNING, "eventfd errno=%d", errno);
		look_round(d);
	}
	return NULL;
}

/* Until no look is under way; or so long, if that is not 0. */
static void
wait_idle(struct drift *d, int64_t most_ms)
{
	struct timespec until;
	int64_t at_ms = clock_now_ms() + most_ms;
	int r = 0;

	until.tv_sec = (time_t)(at_ms / 1000);
	until.tv_nsec = (long)(at_ms % 1000) * 1000000;
	(void)pthread_mutex_lock(&d->lock);
	while (d->busy > 0 && r == 0)
		r = most_ms > 0 ? pthread_cond_timedwait(&d->less, &d->lock,
		    &until) : pthread_cond_wait(&d->less, &d->lock);
	(void)pthread_mutex_unlock(&d->lock);
}

int
drift_new(struct shared *s, struct drift **ret)
{
	struct drift *d;

	if ((d = calloc(1, sizeof(*d))) == NULL)
		return ERR_MEMORY;
	d->shared = s;
	atomic_init(&d->stores, NULL);
	(void)pthread_mutex_init(&d->lock, NULL);	/* cannot fail here */
	(void)pthread_cond_init(&d->less, NULL);
	if ((d->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0) {
		free(d);
		return ERR_IO;
	}
	look_round(d);
	wait_idle(d, DRIFT_START_MS);
	if (pthread_create(&d->thread, NULL, drift_main, d) != 0) {
		atomic_store(&d->stopping, true);
		wait_idle(d, 0);
		(void)close(d->wake_fd);
		free(d);
		return ERR_IO;
	}
	*ret = d;
	return 0;
}

void
drift_wake(struct drift *d)
{
	uint64_t one = 1;

	if (d != NULL && write(d->wake_fd, &one, sizeof(one)) < 0)
		report(REPORT_WARNING, "eventfd errno=%d", errno);
}

void
drift_stop(struct drift *d)
{
	if (d == NULL)
		return;
	atomic_store(&d->stopping, true);
	drift_wake(d);
	(void)pthread_join(d->thread, NULL);	/* started, not detached */
	wait_idle(d, 0);
	(void)close(d->wake_fd);
}

/*
 *   looked at: same          -> record "applied", open
 *              differences   -> record "drifted", closed
 *              not looked at -> record "unseen"; closed if for too long
 *
 * Every look is recorded, since its login is one in the store's own log, and
 * since it is what a verdict can rest on. A look that another version came
 * into force meanwhile says nothing: it is taken again.
 *
 * Stores are entries of a list that only grows, so workers read it without a
 * lock; only this thread writes.
 */
#include "gateway/drift.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/report.h"
#include "base/text.h"
#include "base/time.h"
#include "gateway/config.h"
#include "gateway/log_client.h"
#include "gateway/look.h"
#include "gateway/version.h"
#include "gateway/worker.h"
#include "record/record.h"
#include "wire/backend.h"

#define TICK_MS 250		/* for another version */
#define AGAIN_MS 5000		/* at most, after a look that failed */
#define TAKES_MS 30000		/* a look, at most */

enum watched_state {
	WATCHED_OPEN,
	WATCHED_DRIFTED,
	WATCHED_UNSEEN,
};

struct watched {
	struct watched *next;
	char *store;
	atomic_int state;
	uint64_t version;	/* that it was last looked at by */
	int64_t next_ms;	/* as clock_mono_ms */
	int64_t seen_ms;
	bool seen;
	unsigned tries;		/* without success: another login each */
};

struct drift {
	struct shared *shared;
	_Atomic(struct watched *) stores;
	int wake_fd;
	pthread_t thread;
	atomic_bool stopping;
	uint64_t off_version;	/* that has it off, said once */
};

/* ---- what workers ask ---- */

bool
drift_closed(struct drift *d, const struct config_store *s,
    struct backend_error *e)
{
	struct watched *w;
	int state = WATCHED_OPEN;

	if (d == NULL || s->mode != STORE_ENFORCE)
		return false;
	for (w = atomic_load(&d->stores); w != NULL; w = w->next)
		if (strcmp(w->store, s->name) == 0)
			state = atomic_load(&w->state);
	if (state == WATCHED_OPEN)
		return false;
	*e = (struct backend_error){
		.sqlstate = "57P03",
		.message = state == WATCHED_DRIFTED ? "the store is closed: "
		    "it is not as sworn apply left it" : "the store is "
		    "closed: it could not be looked at for drift",
		.detail = state == WATCHED_DRIFTED ? "what changed in it "
		    "could show more than may be seen" : "whether it is still "
		    "as sworn apply left it is not known",
		.hint = state == WATCHED_DRIFTED ? "whoever runs the gateway "
		    "finds what it is with sworn drift, and mends it with "
		    "sworn apply and sworn reload" : "the gateway's report "
		    "says why; it tries again by itself",
	};
	return true;
}

/* ---- one look ---- */

struct findings {
	struct arena *a;
	const char *what[DRIFT_WHAT_MAX];
	size_t n;
	bool failed;
};

static void
on_found(void *arg, const char *name, const char *why)
{
	struct findings *f = arg;

	if (f->n == DRIFT_WHAT_MAX || f->failed)
		return;
	f->what[f->n] = arena_fmt(f->a, "%s: %s", name, why);
	f->failed = f->what[f->n] == NULL;
	f->n += !f->failed;
}

static int
write_record(struct drift *d, const struct watched *w, const char *state,
    const struct config_login *login, const struct look *l, uint64_t found,
    const struct findings *f)
{
	struct record r = {.type = RECORD_DRIFT};
	int e;

	r.gateway = d->shared->boot->gateway;
	r.u.drift.store = w->store;
	r.u.drift.state = state;
	r.u.drift.role = l->pid != 0 ? login->role : "";
	r.u.drift.pid = l->pid;
	r.u.drift.found = found;
	r.u.drift.what.s = f->what;
	r.u.drift.what.n = f->n;
	if ((e = log_client_submit_wait(d->shared->log, &r)) != 0)
		report(REPORT_ERROR, "the log did not take the record of a "
		    "look at store %s: %s", w->store, err_text(e));
	return e;
}

/* The next of the logins that apply made; NULL: there is none. */
static const struct config_login *
choose_login(const struct config_store *s, unsigned tries)
{
	size_t i, n = 0;

	for (i = 0; i < s->n_logins; i++)
		n += text_starts(s->logins[i].role, "sworn_");
	if (n == 0)
		return NULL;
	n = tries % n;
	for (i = 0; i < s->n_logins; i++)
		if (text_starts(s->logins[i].role, "sworn_") && n-- == 0)
			return &s->logins[i];
	return NULL;
}

static void
not_seen(struct drift *d, struct watched *w, uint64_t every_ms,
    const struct config_login *login, const struct look *l)
{
	static const struct findings none = {.n = 0};
	int64_t now = clock_mono_ms();

	w->tries++;
	w->next_ms = now + (every_ms < AGAIN_MS ? (int64_t)every_ms :
	    AGAIN_MS);
	COUNT(d->shared, drift_failures, 1);
	report(REPORT_WARNING, "store %s cannot be looked at for drift: %s",
	    w->store, l->why);
	/* What is not known later was not durable either: close anyway. */
	(void)write_record(d, w, "unseen", login, l, 0, &none);
	if (atomic_load(&w->state) == WATCHED_OPEN && (!w->seen ||
	    now - w->seen_ms > (int64_t)every_ms * DRIFT_BLIND)) {
		report(REPORT_ERROR, "store %s is closed to persons: it was "
		    "not looked at for too long", w->store);
		atomic_store(&w->state, WATCHED_UNSEEN);
	}
}

static void
say(const struct watched *w, uint64_t found, const struct findings *f)
{
	size_t i;

	if (found == 0) {
		report(REPORT_INFO, "store %s is as sworn apply left it, and "
		    "open to persons", w->store);
		return;
	}
	report(REPORT_ERROR, "store %s has drifted, and is closed to persons: "
	    "%llu differences; see sworn drift", w->store,
	    (unsigned long long)found);
	for (i = 0; i < f->n; i++)
		report(REPORT_ERROR, "store %s: %s", w->store, f->what[i]);
}

static void
seen(struct drift *d, struct watched *w, const struct config_store *s,
    uint64_t every_ms, const struct config_login *login,
    const struct look *l, struct arena *a)
{
	struct findings f = {.a = a};
	int before = atomic_load(&w->state), e;
	uint64_t found = watch_compare(s->watch, s->n_watch, l->lines, l->n,
	    on_found, &f);
	bool first = !w->seen;

	e = write_record(d, w, found > 0 ? "drifted" : "applied", login, l,
	    found, &f);
	w->next_ms = clock_mono_ms() + (int64_t)every_ms;
	if (found > 0) {
		atomic_store(&w->state, WATCHED_DRIFTED);
	} else if (e == 0) {
		atomic_store(&w->state, WATCHED_OPEN);
	} else {
		return;			/* stays as it is */
	}
	w->seen = true;
	w->seen_ms = clock_mono_ms();
	w->tries = 0;
	if (first || before != atomic_load(&w->state))
		say(w, found, &f);
}

static void
look_at(struct drift *d, struct version *v, const struct config_store *s,
    struct watched *w)
{
	const struct config_login *login = choose_login(s, w->tries);
	uint64_t every_ms = v->config->drift_ms;
	struct arena *a = arena_new();
	struct look l = {.why = "out of memory"};
	int e = ERR_MEMORY;

	if (login == NULL || a == NULL) {
		(void)snprintf(l.why, sizeof(l.why), "%s", a == NULL ?
		    "out of memory" : "no login of a clearance is known");
		login = login != NULL ? login : s->logins;
	} else {
		e = look_take(v, s, login, clock_mono_ms() + (w->seen ?
		    TAKES_MS : (int64_t)d->shared->boot->connect_timeout_ms),
		    &d->stopping, a, &l);
	}
	if (e == 0 && atomic_load(&d->shared->versions.number) != v->number) {
		e = ERR_CONFLICT;
		(void)snprintf(l.why, sizeof(l.why), "another configuration "
		    "came into force meanwhile");
	}
	w->version = v->number;
	if (e == 0)
		seen(d, w, s, every_ms, login, &l, a);
	else if (!atomic_load(&d->stopping))
		not_seen(d, w, every_ms, login, &l);
	arena_free(a);
}

/* ---- all of them ---- */

static struct watched *
watched_of(struct drift *d, const char *store)
{
	struct watched *w;

	for (w = atomic_load(&d->stores); w != NULL; w = w->next)
		if (strcmp(w->store, store) == 0)
			return w;
	if ((w = calloc(1, sizeof(*w))) == NULL)
		return NULL;
	if ((w->store = strdup(store)) == NULL) {
		free(w);
		return NULL;
	}
	atomic_init(&w->state, WATCHED_OPEN);
	w->next = atomic_load(&d->stores);
	atomic_store(&d->stores, w);
	return w;
}

/* What is not watched is not closed either. */
static void
let_go(struct watched *w)
{
	w->seen = false;
	w->next_ms = 0;
	atomic_store(&w->state, WATCHED_OPEN);
}

static void
look_if_due(struct drift *d, struct version *v, const struct config_store *s)
{
	struct watched *w = watched_of(d, s->name);

	if (w == NULL)
		return;			/* again in a moment */
	if (s->mode != STORE_ENFORCE || v->config->drift_ms == 0) {
		let_go(w);
		return;
	}
	if (s->n_watch == 0) {
		let_go(w);
		if (s->applied && w->version != v->number)
			report(REPORT_WARNING, "store %s is not looked at for "
			    "drift: it was applied by an older sworn; run "
			    "sworn apply for it again", s->name);
		w->version = v->number;
		return;
	}
	if (w->version != v->number || clock_mono_ms() >= w->next_ms)
		look_at(d, v, s, w);
}

static void
show(struct drift *d)
{
	uint64_t drifted = 0, unseen = 0;
	struct watched *w;

	if (d->shared->metrics == NULL)
		return;
	for (w = atomic_load(&d->stores); w != NULL; w = w->next) {
		drifted += atomic_load(&w->state) == WATCHED_DRIFTED;
		unseen += atomic_load(&w->state) == WATCHED_UNSEEN;
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
	for (i = 0; i < v->config->n_stores; i++)
		if (!atomic_load(&d->stopping)) {
			look_if_due(d, v, &v->config->stores[i]);
			show(d);
		}
	version_unref(&d->shared->versions, v);
}

static void *
drift_main(void *arg)
{
	struct drift *d = arg;
	struct pollfd p = {d->wake_fd, POLLIN, 0};

	while (!atomic_load(&d->stopping)) {
		(void)poll(&p, 1, TICK_MS);	/* looked at anyway */
		look_round(d);
	}
	return NULL;
}

int
drift_new(struct shared *s, struct drift **ret)
{
	struct drift *d;

	if ((d = calloc(1, sizeof(*d))) == NULL)
		return ERR_MEMORY;
	d->shared = s;
	atomic_init(&d->stores, NULL);
	if ((d->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0) {
		free(d);
		return ERR_IO;
	}
	look_round(d);
	if (pthread_create(&d->thread, NULL, drift_main, d) != 0) {
		(void)close(d->wake_fd);
		free(d);
		return ERR_IO;
	}
	*ret = d;
	return 0;
}

void
drift_stop(struct drift *d)
{
	uint64_t one = 1;

	if (d == NULL)
		return;
	atomic_store(&d->stopping, true);
	if (write(d->wake_fd, &one, sizeof(one)) < 0)
		report(REPORT_WARNING, "eventfd errno=%d", errno);
	(void)pthread_join(d->thread, NULL);	/* started, not detached */
	(void)close(d->wake_fd);
}

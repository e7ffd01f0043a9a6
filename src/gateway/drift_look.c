/*
 * What a look finds is as it was applied if it is sealed by the key that this
 * gateway knows, with no earlier number than the last one; or if it differs in
 * nothing from what this gateway was given, and that is no earlier either.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/report.h"
#include "base/text.h"
#include "base/time.h"
#include "gateway/config.h"
#include "gateway/drift.h"
#include "gateway/drift_state.h"
#include "gateway/log_client.h"
#include "gateway/look.h"
#include "gateway/seal.h"
#include "gateway/version.h"
#include "gateway/worker.h"
#include "record/record.h"

#define AGAIN_MS 5000		/* at most, after a look that failed */
#define TAKES_MS 30000		/* a look, at most */

struct findings {
	struct arena *a;
	const char *what[DRIFT_WHAT_MAX];
	size_t n;
	bool failed;
};

/* One look, and what it is judged by. */
struct taken {
	struct drift *d;
	struct version *v;
	const struct config_store *s;
	struct watched *w;
	const struct config_login *login;
	struct arena *a;
	struct look look;
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
write_record(struct taken *t, const char *state, uint64_t found,
    const struct findings *f)
{
	struct record r = {.type = RECORD_DRIFT};
	struct shared *s = t->d->shared;
	int e;

	r.gateway = s->boot->gateway;
	r.u.drift.store = t->w->store;
	r.u.drift.state = state;
	r.u.drift.role = t->look.pid != 0 ? t->login->role : "";
	r.u.drift.pid = t->look.pid;
	r.u.drift.found = found;
	r.u.drift.what.s = f->what;
	r.u.drift.what.n = f->n;
	if ((e = log_client_submit_wait(s->log, &r)) != 0)
		report(REPORT_ERROR, "the log did not take the record of a "
		    "look at store %s: %s", t->w->store, err_text(e));
	return e;
}

/* The next of the logins that apply made; NULL: there is none. */
static const struct config_login *
choose_login(const struct config_store *s, unsigned at)
{
	size_t i, n = 0;

	for (i = 0; i < s->n_logins; i++)
		n += text_starts(s->logins[i].role, "sworn_");
	if (n == 0)
		return NULL;
	n = at % n;
	for (i = 0; i < s->n_logins; i++)
		if (text_starts(s->logins[i].role, "sworn_") && n-- == 0)
			return &s->logins[i];
	return NULL;
}

static const struct findings nothing = {.n = 0};

static void
not_seen(struct taken *t)
{
	struct watched *w = t->w;
	int64_t now = clock_mono_ms(), every_ms =
	    (int64_t)t->v->config->drift_ms;
	int state = atomic_load(&w->state);

	w->login++;
	w->next_ms = now + (every_ms < AGAIN_MS ? every_ms : AGAIN_MS);
	COUNT(t->d->shared, drift_failures, 1);
	report(REPORT_WARNING, "store %s cannot be looked at for drift: %s",
	    w->store, t->look.why);
	/* What is not known later was not durable either: close anyway. */
	(void)write_record(t, "unseen", 0, &nothing);
	if (state == WATCHED_NEW || state == WATCHED_OLD || (state ==
	    WATCHED_OPEN && now - w->seen_ms > every_ms * DRIFT_BLIND)) {
		report(REPORT_ERROR, "store %s is closed to persons: it %s",
		    w->store, state == WATCHED_OPEN ? "was not looked at for "
		    "too long" : "could not be looked at yet");
		atomic_store(&w->state, WATCHED_UNSEEN);
	}
}

static int
hash_lines(const struct watch_list *l, uint8_t ret[static HASH_LEN])
{
	struct hash *h = hash_new();
	size_t i;
	int r = h == NULL ? ERR_MEMORY : 0;

	for (i = 0; r == 0 && i < l->n; i++)
		if ((r = hash_add(h, l->lines[i].name,
		    strlen(l->lines[i].name) + 1)) == 0)
			r = hash_add(h, l->lines[i].hash,
			    strlen(l->lines[i].hash) + 1);
	if (r == 0)
		r = hash_end(h, ret);
	hash_free(h);
	return r;
}

/* Whether a seal says that apply left it so; notes it then. */
static bool
is_sealed(struct taken *t)
{
	const struct seal *s = &t->s->seal;
	struct watched *w = t->w;
	uint8_t lines[HASH_LEN];
	uint64_t number;

	if (!s->set || hash_lines(&t->look.list, lines) != 0)
		return false;
	if (w->number != 0 && !equal_secret(w->key, s->key, sizeof(s->key)))
		w->number = 0;
	if (seal_check(s->key, w->store, &t->look.list, t->look.seal,
	    &number) && number >= w->number && number >= s->number) {
		memcpy(w->key, s->key, sizeof(w->key));
		memcpy(w->lines, lines, sizeof(w->lines));
		w->number = number;
		return true;
	}
	/* The comment is gone, and nothing else is other than it was. */
	return w->number != 0 && w->number >= s->number &&
	    memcmp(w->lines, lines, sizeof(lines)) == 0;
}

/* How many differences there are from what the gateway was given. */
static int
compare(struct taken *t, struct findings *f, uint64_t *ret)
{
	const struct config_store *s = t->s;
	const char **roles = arena_array(t->a, s->n_services + 2,
	    sizeof(*roles));
	size_t i, n = 0;

	if (roles == NULL)
		return ERR_MEMORY;
	for (i = 0; i < s->n_services; i++)
		roles[n++] = s->service_roles[i];
	if (s->observe_role != NULL)
		roles[n++] = s->observe_role;
	*ret = watch_compare(&s->watch, &t->look.list, roles, n, on_found, f);
	/* An earlier apply's state is not what the last one left. */
	if (*ret == 0 && s->seal.set && t->w->number > s->seal.number) {
		on_found(f, "all of it", "it is as an earlier sworn apply "
		    "left it");
		*ret = 1;
	}
	return 0;
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
seen(struct taken *t, uint64_t found, const struct findings *f)
{
	struct watched *w = t->w;
	int before = atomic_load(&w->state), e;

	w->next_ms = clock_mono_ms() + (int64_t)t->v->config->drift_ms;
	e = write_record(t, found > 0 ? "drifted" : "applied", found, f);
	if (found > 0) {
		atomic_store(&w->state, WATCHED_DRIFTED);
	} else if (e == 0) {
		atomic_store(&w->state, WATCHED_OPEN);
	} else {
		return;			/* stays as it is */
	}
	w->seen_ms = clock_mono_ms();
	if (before != atomic_load(&w->state))
		say(w, found, f);
}

/* Differences from what another version was given say nothing. */
static void
judge(struct taken *t)
{
	struct findings f = {.a = t->a};
	uint64_t found = 0;

	if (!is_sealed(t) && compare(t, &f, &found) != 0) {
		(void)snprintf(t->look.why, sizeof(t->look.why),
		    "out of memory");
		not_seen(t);
	} else if (found > 0 && atomic_load(
	    &t->d->shared->versions.number) != t->v->number) {
		(void)write_record(t, "unseen", 0, &nothing);
		t->w->next_ms = 0;
	} else {
		seen(t, found, &f);
	}
}

void
drift_look(struct drift *d, struct version *v, const struct config_store *s,
    struct watched *w)
{
	struct taken t = {.d = d, .v = v, .s = s, .w = w,
	    .login = choose_login(s, w->login), .a = arena_new()};
	int64_t takes_ms = atomic_load(&w->state) == WATCHED_OPEN ? TAKES_MS :
	    (int64_t)d->shared->boot->connect_timeout_ms;
	int e = ERR_MEMORY;

	w->version = v->number;
	if (t.login == NULL || t.a == NULL)
		(void)snprintf(t.look.why, sizeof(t.look.why), "%s",
		    t.a == NULL ? "out of memory" :
		    "no login of a clearance is known");
	else
		e = look_take(v, s, t.login, clock_mono_ms() + takes_ms,
		    &d->stopping, t.a, &t.look);
	if (e == 0)
		judge(&t);
	else if (!atomic_load(&d->stopping))
		not_seen(&t);
	arena_free(t.a);
}

void
drift_old(struct drift *d, const struct version *v,
    const struct config_store *s, struct watched *w)
{
	struct taken t = {.d = d, .s = s, .w = w};

	if (w->version == v->number && atomic_load(&w->state) == WATCHED_OLD)
		return;
	w->version = v->number;
	report(REPORT_ERROR, "store %s is closed to persons: it was applied "
	    "by an older sworn, which kept nothing to compare it with; run "
	    "sworn apply for it, then sworn reload", s->name);
	(void)write_record(&t, "unseen", 0, &nothing);
	atomic_store(&w->state, WATCHED_OLD);
}

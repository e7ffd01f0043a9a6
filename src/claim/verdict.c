/*
 * The order of things: each record first passes track.c, which knows whether
 * anything is missing and which sessions are open; then disclose.c, which
 * knows what it means for the claim. Gaps outside the period do not matter.
 */
#include "claim/verdict.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "claim/drifted.h"
#include "claim/approvals.h"
#include "claim/state.h"
#include "policy/grants.h"

const char *
verdict_value_text(enum verdict_value v)
{
	switch (v) {
	case VERDICT_NOT_SHOWN:
		return "not shown";
	case VERDICT_REFUTED:
		return "refuted";
	case VERDICT_HOLDS:
		return "holds";
	}
	return "not shown";
}

struct verdict *
verdict_new(const struct claim *c, objects_read_fn *read, void *arg)
{
	struct verdict *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return NULL;
	v->claim = c;
	v->arena = arena_new();
	v->scratch = arena_new();
	v->objects = objects_new(read, arg);
	v->logins = calloc(c->stores.n, sizeof(*v->logins));
	if (v->arena == NULL || v->scratch == NULL || v->objects == NULL ||
	    v->logins == NULL) {
		verdict_free(v);
		return NULL;
	}
	return v;
}

void
verdict_partial(struct verdict *v)
{
	v->partial = true;
}

static void
texts_free(struct state_texts *t)
{
	free(t->s);
}

static void
stores_free(struct verdict *v)
{
	struct state_store *s;
	struct state_log *l;

	for (l = v->logs; l != NULL; l = l->next) {
		while ((s = l->stores) != NULL) {
			l->stores = s->next;
			state_store_unref(s);
		}
		grants_free(l->grants);
	}
}

static int
drop_session(void *arg, struct track_session *s, enum track_end how,
    const struct record *r)
{
	(void)arg;
	(void)how;
	(void)r;
	disclose_free(s->data);
	s->data = NULL;
	return 0;
}

void
verdict_free(struct verdict *v)
{
	size_t i;

	if (v == NULL)
		return;
	track_each(v->track, drop_session, v);
	track_free(v->track);
	stores_free(v);
	drifted_free(v);
	held_free(v);
	could_free(v);
	free(v->abilities);
	free(v->met);
	if (v->logins != NULL)
		for (i = 0; i < v->claim->stores.n; i++)
			logins_free(v->logins[i]);
	free(v->logins);
	objects_free(v->objects);
	free(v->evidence);
	free(v->doubts);
	free(v->rests);
	texts_free(&v->issuers);
	texts_free(&v->programs);
	texts_free(&v->policies);
	texts_free(&v->directories);
	texts_free(&v->addresses);
	texts_free(&v->catalogs);
	texts_free(&v->objects_named);
	texts_free(&v->objects_doubted);
	texts_free(&v->definitions);
	texts_free(&v->downtimes);
	arena_free(v->scratch);
	arena_free(v->arena);
	free(v);
}

static int
keep_doubt(struct verdict *v, const char *what, const char *gateway,
    const uint64_t *seq, const char *text)
{
	struct verdict_doubt *d;
	size_t cap;

	if (v->result.n_doubts == VERDICT_ITEMS_MAX) {
		v->result.more_doubts++;
		return 0;
	}
	if (v->result.n_doubts == v->cap_doubts) {
		cap = v->cap_doubts == 0 ? 64 : v->cap_doubts * 2;
		if ((d = realloc(v->doubts, cap * sizeof(*d))) == NULL)
			return ERR_MEMORY;
		v->doubts = d;
		v->cap_doubts = cap;
	}
	d = &v->doubts[v->result.n_doubts++];
	memset(d, 0, sizeof(*d));
	d->what = arena_str(v->arena, what);
	d->text = arena_str(v->arena, text);
	if (gateway != NULL)
		d->gateway = arena_str(v->arena, gateway);
	if (seq != NULL) {
		d->has_seq = true;
		d->seq = *seq;
	}
	return d->what == NULL || d->text == NULL ||
	    (gateway != NULL && d->gateway == NULL) ? ERR_MEMORY : 0;
}

int
state_doubt(struct verdict *v, const char *what, const char *gateway,
    const uint64_t *seq, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int r;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* cut is fine */
	va_end(ap);
	/* An object that is missing is one doubt, however many need it. */
	if (strcmp(what, "object") == 0) {
		if (state_texts_have(&v->objects_doubted, text))
			return 0;
		if ((r = state_text_add(v, &v->objects_doubted, text)) != 0)
			return r;
	}
	return keep_doubt(v, what, gateway, seq, text);
}

int
verdict_add_doubt(struct verdict *v, const char *what, const char *text)
{
	return keep_doubt(v, what, NULL, NULL, text);
}

int
verdict_add_witness(struct verdict *v, const char *text)
{
	v->witnessed = v->witnessed == NULL ? arena_str(v->arena, text) :
	    arena_fmt(v->arena, "%s; %s", v->witnessed, text);
	return v->witnessed == NULL ? ERR_MEMORY : 0;
}

int
state_rest(struct verdict *v, const char *what, const char *fmt, ...)
{
	struct verdict_rest *p;
	char *text;
	va_list ap;
	size_t cap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0 || (text = arena_alloc(v->arena, (size_t)len + 1)) == NULL)
		return ERR_MEMORY;
	va_start(ap, fmt);
	(void)vsnprintf(text, (size_t)len + 1, fmt, ap); /* measured */
	va_end(ap);
	if (v->result.n_rests == v->cap_rests) {
		cap = v->cap_rests == 0 ? 32 : v->cap_rests * 2;
		if ((p = realloc(v->rests, cap * sizeof(*p))) == NULL)
			return ERR_MEMORY;
		v->rests = p;
		v->cap_rests = cap;
	}
	p = &v->rests[v->result.n_rests++];
	p->what = what;
	p->text = text;
	return 0;
}

bool
state_texts_have(const struct state_texts *t, const char *s)
{
	struct record_strs l = {t->s, t->n};

	return strs_have(&l, s);
}

int
state_text_add(struct verdict *v, struct state_texts *t, const char *s)
{
	const char **p;
	size_t cap;

	if (s == NULL)
		return ERR_MEMORY;
	if (state_texts_have(t, s) || t->n == OBJECTS_MAX)
		return 0;
	if (t->n == t->cap) {
		cap = t->cap == 0 ? 16 : t->cap * 2;
		if ((p = realloc(t->s, cap * sizeof(*p))) == NULL)
			return ERR_MEMORY;
		t->s = p;
		t->cap = cap;
	}
	if ((t->s[t->n] = arena_str(v->arena, s)) == NULL)
		return ERR_MEMORY;
	t->n++;
	return 0;
}

/* A time without records has one at either end: those are not in it. */
static bool
concerns(const struct claim *c, const struct track_gap *g)
{
	switch (g->kind) {
	case TRACK_DOWN:
	case TRACK_CRASH:
	case TRACK_SILENCE:
		return g->to_ms > c->from_ms && g->from_ms < c->to_ms;
	case TRACK_LAST:
		return false;		/* what is missing then is a doubt */
	case TRACK_START:
	case TRACK_BOOT:
	case TRACK_SESSION:
	case TRACK_COUNTER:
		break;
	}
	return g->to_ms >= c->from_ms && g->from_ms <= c->to_ms;
}

/* For drawing; the words are elsewhere, so that some may be left out. */
static int
keep_gap(struct verdict *v, const struct track_gap *g)
{
	struct verdict_gap *to;

	if (v->result.n_gaps == VERDICT_GAPS_MAX)
		return 0;
	if (v->gaps == NULL && (v->gaps = arena_array(v->arena,
	    VERDICT_GAPS_MAX, sizeof(*v->gaps))) == NULL)
		return ERR_MEMORY;
	to = &v->gaps[v->result.n_gaps++];
	to->what = track_kind_text(g->kind);
	to->gateway = v->log->gateway;
	to->from_ms = g->from_ms;
	to->to_ms = g->to_ms;
	return 0;
}

static int
on_gap(void *arg, const struct track_gap *g)
{
	struct verdict *v = arg;
	const struct claim *c = v->claim;
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
	int r = 0;

	if (v->partial || !concerns(c, g))
		return 0;
	switch (g->kind) {
	case TRACK_DOWN:
	case TRACK_CRASH:
		if ((r = keep_gap(v, g)) != 0)
			return r;
		time_text(g->from_ms, from);
		time_text(g->to_ms, to);
		if (v->downtimes.n < 100)
			r = state_text_add(v, &v->downtimes, arena_fmt(
			    v->scratch, "%s: %s (from %s to %s)",
			    v->log->gateway, g->text, from, to));
		return r;
	case TRACK_SILENCE:
		if ((r = keep_gap(v, g)) != 0)
			return r;
		break;
	case TRACK_LAST:
	case TRACK_START:
	case TRACK_BOOT:
	case TRACK_SESSION:
	case TRACK_COUNTER:
		break;
	}
	return state_doubt(v, track_kind_text(g->kind), v->log->gateway,
	    &g->seq, "%s: %s", v->log->gateway, g->text);
}

static int
on_ended(void *arg, struct track_session *s, enum track_end how,
    const struct record *r)
{
	struct verdict *v = arg;
	int e = disclose_end(v, s, how, r);

	disclose_free(s->data);
	s->data = NULL;
	return e;
}

static int
log_begin(struct verdict *v, const struct record *r)
{
	struct track_hooks hooks = {v, on_gap, on_ended};
	struct state_log *l, **at;

	if ((l = arena_alloc(v->arena, sizeof(*l))) == NULL ||
	    (l->gateway = arena_str(v->arena, r->gateway)) == NULL ||
	    (v->track = track_new(&hooks)) == NULL)
		return ERR_MEMORY;
	l->first_ms = r->time_ms;
	for (at = &v->logs; *at != NULL; at = &(*at)->next)
		;
	*at = v->log = l;
	return 0;
}

struct state_store *
state_store_find(const struct state_log *log, const char *store)
{
	struct state_store *s;

	for (s = log->stores; s != NULL; s = s->next)
		if (strcmp(s->rec.store, store) == 0)
			return s;
	return NULL;
}

struct state_store *
state_store_ref(struct state_store *s)
{
	if (s != NULL)
		s->refs++;
	return s;
}

void
state_store_unref(struct state_store *s)
{
	if (s == NULL || --s->refs > 0)
		return;
	arena_free(s->arena);
	free(s);
}

/* Takes the place of the store's record from before. */
static void
replace_store(struct state_log *log, struct state_store *s)
{
	struct state_store **at = &log->stores, *old;

	while ((old = *at) != NULL && strcmp(old->rec.store, s->rec.store) != 0)
		at = &old->next;
	if (old != NULL) {
		s->before |= old->before;
		s->next = old->next;
	}
	*at = s;
	state_store_unref(old);
}

/* Keeps the latest record of each store of the claim. */
static int
note_store(struct verdict *v, const struct record *r, struct bytes entry)
{
	struct state_store *s;
	struct record copy;
	int e = ERR_MEMORY;

	if (!strs_have(&v->claim->stores, r->u.store.store))
		return 0;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return ERR_MEMORY;
	s->refs = 1;
	if ((s->arena = arena_new()) == NULL ||
	    (e = record_decode(entry, s->arena, &copy, NULL)) != 0)
		goto out;
	s->rec = copy.u.store;
	s->seq = r->seq;
	s->before = r->time_ms <= v->claim->from_ms;
	replace_store(v->log, s);
	s = NULL;		/* now the log's */
out:
	state_store_unref(s);
	return e;
}

static int
note_object(struct verdict *v, const struct record_object *o)
{
	return state_text_add(v, &v->objects_named, arena_fmt(v->scratch,
	    "%s %s %s", v->log->gateway, o->kind, o->sha256));
}

static int
note_backend(struct verdict *v, const struct record *r)
{
	const struct record_backend *b = &r->u.backend;
	struct track_session *t = track_find(v->track, b->session);
	struct state_session *s;
	size_t i;

	if (t == NULL || (s = t->data) == NULL)
		return 0;
	for (i = 0; i < v->claim->stores.n; i++)
		if (v->logins[i] != NULL && strcmp(v->claim->stores.s[i],
		    s->rec.u.session.store) == 0)
			return logins_backend(v->logins[i], r->gateway,
			    r->seq, r->time_ms, b->role, b->pid, NULL);
	return 0;
}

/* Its login is one in the store's log, too. */
static int
note_drift(struct verdict *v, const struct record *r)
{
	const struct record_drift *d = &r->u.drift;
	size_t i;
	int e;

	for (i = 0; d->pid != 0 && i < v->claim->stores.n; i++)
		if (v->logins[i] != NULL && strcmp(v->claim->stores.s[i],
		    d->store) == 0 && (e = logins_backend(v->logins[i],
		    r->gateway, r->seq, r->time_ms, d->role,
		    (uint32_t)d->pid, NULL)) != 0)
			return e;
	return drifted_take(v, r);
}

static int
note_boot(struct verdict *v, const struct record_boot *b)
{
	v->log->heartbeat_ms = b->heartbeat_ms;
	return state_text_add(v, &v->programs, arena_fmt(v->scratch,
	    "%s: %s, configuration %s", v->log->gateway, b->program,
	    b->config));
}

/* The session's id in a record; NULL: it is of none. */
static const char *
session_of(const struct record *r)
{
	switch (r->type) {
	case RECORD_BACKEND:
		return r->u.backend.session;
	case RECORD_CLEARANCE:
		return r->u.session.session;
	case RECORD_STATEMENT:
		return r->u.statement.session;
	case RECORD_RESULT:
		return r->u.result.session;
	case RECORD_DENIAL:
		return r->u.denial.session;
	case RECORD_SUBJECTS:
		return r->u.more.session;
	case RECORD_NONE:
	case RECORD_GENESIS:
	case RECORD_BOOT:
	case RECORD_STOP:
	case RECORD_OBJECT:
	case RECORD_STORE:
	case RECORD_SESSION:
	case RECORD_LOGIN_FAILURE:
	case RECORD_HEARTBEAT:
	case RECORD_IN_FORCE:
	case RECORD_ASKED:
	case RECORD_ROTATION:
	case RECORD_DRIFT:
	case RECORD_RECONCILED:
	case RECORD_APPROVAL:
	case RECORD_CLOSE:
		break;
	}
	return NULL;
}

static int
take(struct verdict *v, const struct record *r, struct bytes entry)
{
	struct track_session *t;
	const char *id;
	int e;

	if (r->type == RECORD_BOOT)
		return note_boot(v, &r->u.boot);
	if (r->type == RECORD_STORE)
		return note_store(v, r, entry);
	if (r->type == RECORD_OBJECT)
		return note_object(v, &r->u.object);
	if (r->type == RECORD_RECONCILED)
		return held_note(v, r, entry);
	if (r->type == RECORD_IN_FORCE) {
		v->log->has_in_force = true;
		v->log->in_force_seq = r->seq;
		v->log->in_force_ms = r->time_ms;
		e = approvals_in_force(v, r);
		return e != 0 ? e : could_in_force(v, r);
	}
	if (r->type == RECORD_APPROVAL)
		return approvals_step(v, r);
	if (r->type == RECORD_SESSION) {
		t = track_find(v->track, r->u.session.session);
		return t != NULL && t->data == NULL && t->seq == r->seq ?
		    disclose_session(v, t, entry) : 0;
	}
	if (r->type == RECORD_DRIFT)
		return note_drift(v, r);
	if (r->type == RECORD_BACKEND && (e = note_backend(v, r)) != 0)
		return e;
	if ((id = session_of(r)) == NULL ||
	    (t = track_find(v->track, id)) == NULL || t->data == NULL)
		return 0;
	return disclose_record(v, t, entry);
}

int
verdict_record(struct verdict *v, const struct record *r, struct bytes entry)
{
	const struct claim *c = v->claim;
	int e;

	if (v->log == NULL && (e = log_begin(v, r)) != 0)
		return e;
	arena_reset(v->scratch);
	v->now = r;
	v->log->entries++;
	v->log->last_ms = r->time_ms;
	v->log->has_after |= r->time_ms > c->to_ms;
	if (r->time_ms >= c->from_ms && r->time_ms <= c->to_ms) {
		v->log->in_period++;
		v->result.records++;
	}
	if ((e = track_record(v->track, r)) != 0)
		return e;
	return take(v, r, entry);
}

int
verdict_log_end(struct verdict *v)
{
	int e;

	v->now = NULL;
	if (v->log == NULL)
		return 0;
	arena_reset(v->scratch);
	e = track_end(v->track);
	if (e != 0 || (e = drifted_end(v)) != 0 ||
	    (e = could_log_end(v)) != 0)
		return e;
	track_free(v->track);
	v->track = NULL;
	v->log = NULL;
	return 0;
}

int
verdict_store_log(struct verdict *v, const char *store, struct logins **ret)
{
	const struct claim *c = v->claim;
	size_t i;

	for (i = 0; i < c->stores.n; i++)
		if (strcmp(c->stores.s[i], store) == 0)
			break;
	if (i == c->stores.n)
		return ERR_MISSING;
	if (v->logins[i] == NULL)
		v->logins[i] = logins_new(store, c->from_ms, c->to_ms);
	*ret = v->logins[i];
	return *ret == NULL ? ERR_MEMORY : 0;
}

int
verdict_end(struct verdict *v, const struct verdict_result **ret)
{
	struct verdict_result *r = &v->result;
	int e;

	if (v->log != NULL && (e = verdict_log_end(v)) != 0)
		return e;
	if (!v->partial &&
	    ((e = rests_missing(v)) != 0 || (e = rests_say(v)) != 0 ||
	    (e = drifted_say(v)) != 0))
		return e;
	r->gaps = v->gaps;
	r->evidence = v->evidence;
	r->doubts = v->doubts;
	r->abilities = v->abilities;
	r->rests = v->rests;
	r->value = VERDICT_HOLDS;
	if (r->n_doubts > 0 || v->partial)
		r->value = VERDICT_NOT_SHOWN;
	if (r->n_evidence > 0 || r->n_abilities > 0)
		r->value = VERDICT_REFUTED;
	*ret = r;
	return 0;
}

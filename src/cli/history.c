/*
 * A log tells what is in force piece by piece: texts and stores as they
 * change, then in_force, which makes one version of all that was told. A
 * boot begins anew. Logs from before there was in_force are read by what
 * they meant: a version is what was told when something else came.
 */
#include "cli/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/time.h"
#include "logdir/logread.h"
#include "record/record.h"

#define READS_MAX 3		/* of a log that grows meanwhile */

/* The struct is what callers see of this. */
struct whole {
	struct history h;
	struct arena *a;
	struct history_version *versions;
	size_t cap;
	/* As told so far since the boot. */
	struct history_store *stores;
	size_t n_stores, cap_stores;
	const char *config, *policy, *directory;
	bool told;			/* something, behind the last version */
	int64_t told_ms;
	uint64_t told_seq;
	bool has_in_force;		/* the log has such records */
	bool open;			/* the last version is in force */
	int64_t last_ms;		/* of the record before */
	struct why *w;
};

/* -- copies ----------------------------------------------------------------- */

static int
copy_strs(struct arena *a, const struct record_strs *from,
    const char *const **ret, size_t *ret_n)
{
	const char **to = arena_array(a, from->n + 1, sizeof(*to));
	size_t i;

	if (to == NULL)
		return ERR_MEMORY;
	for (i = 0; i < from->n; i++)
		if ((to[i] = arena_str(a, from->s[i])) == NULL)
			return ERR_MEMORY;
	*ret = to;
	*ret_n = from->n;
	return 0;
}

static int
copy_services(struct arena *a, const struct record_store *from,
    struct history_store *to)
{
	struct history_service *s;
	size_t i;

	s = arena_array(a, from->n_services + 1, sizeof(*s));
	if (s == NULL)
		return ERR_MEMORY;
	for (i = 0; i < from->n_services; i++) {
		s[i].principal = arena_str(a, from->services[i].principal);
		s[i].role = arena_str(a, from->services[i].role);
		if (s[i].principal == NULL || s[i].role == NULL)
			return ERR_MEMORY;
	}
	to->has_services = from->has_services;
	to->services = s;
	to->n_services = from->n_services;
	return 0;
}

/* -- what is told -------------------------------------------------------------- */

static struct history_store *
store_named(struct whole *x, const char *name)
{
	struct history_store *p;
	size_t i, cap;

	for (i = 0; i < x->n_stores; i++)
		if (strcmp(x->stores[i].name, name) == 0)
			return &x->stores[i];
	if (x->n_stores == x->cap_stores) {
		cap = x->cap_stores * 2 + 16;
		if ((p = reallocarray(x->stores, cap, sizeof(*p))) == NULL)
			return NULL;
		x->stores = p;
		x->cap_stores = cap;
	}
	p = &x->stores[x->n_stores++];
	memset(p, 0, sizeof(*p));
	return p;
}

static int
take_store(struct whole *x, const struct record_store *r)
{
	struct history_store *s = store_named(x, r->store);

	if (s == NULL || (s->name = arena_str(x->a, r->store)) == NULL ||
	    (s->mode = arena_str(x->a, r->mode)) == NULL ||
	    (s->catalog = arena_str(x->a, r->catalog)) == NULL ||
	    copy_strs(x->a, &r->residences, &s->residences,
	    &s->n_residences) != 0)
		return ERR_MEMORY;
	return copy_services(x->a, r, s);
}

static int
take_object(struct whole *x, const struct record_object *r)
{
	const char **to = strcmp(r->kind, "policy") == 0 ? &x->policy :
	    strcmp(r->kind, "directory") == 0 ? &x->directory : NULL;

	if (to == NULL)
		return 0;		/* its store names a catalog */
	return (*to = arena_str(x->a, r->sha256)) == NULL ? ERR_MEMORY : 0;
}

/* -- versions ------------------------------------------------------------------- */

static void
end_version(struct whole *x, enum history_end how, int64_t at_ms)
{
	struct history_version *v;

	if (!x->open)
		return;
	v = &x->versions[x->h.n - 1];
	v->end = how;
	v->until_ms = at_ms;
	x->open = false;
}

/* Only the stores that the version names are in force. */
static void
drop_stores(struct whole *x, const struct record_in_force *f)
{
	size_t i, k, n = 0;

	for (i = 0; i < x->n_stores; i++) {
		for (k = 0; k < f->n_stores; k++)
			if (strcmp(f->stores[k].store,
			    x->stores[i].name) == 0)
				break;
		if (k < f->n_stores)
			x->stores[n++] = x->stores[i];
	}
	x->n_stores = n;
}

static struct history_version *
add_version(struct whole *x, int64_t at_ms, uint64_t seq)
{
	struct history_version *v;
	struct history_store *s;
	size_t cap;

	end_version(x, HISTORY_REPLACED, at_ms);
	if (x->h.n == x->cap) {
		cap = x->cap * 2 + 16;
		if ((v = reallocarray(x->versions, cap, sizeof(*v))) == NULL)
			return NULL;
		x->versions = v;
		x->cap = cap;
	}
	s = arena_array(x->a, x->n_stores + 1, sizeof(*s));
	if (s == NULL)
		return NULL;
	if (x->n_stores > 0)
		memcpy(s, x->stores, x->n_stores * sizeof(*s));
	v = &x->versions[x->h.n];
	*v = (struct history_version){
		.number = (unsigned)x->h.n + 1, .seq = seq,
		.from_ms = at_ms, .until_ms = at_ms, .cause = "",
		.config = x->config != NULL ? x->config : "",
		.policy = x->policy, .directory = x->directory,
		.stores = s, .n_stores = x->n_stores,
	};
	x->h.n++;
	x->open = true;
	x->told = false;
	return v;
}

static int
take_in_force(struct whole *x, const struct record *r)
{
	const struct record_in_force *f = &r->u.in_force;
	struct history_version *v;

	x->has_in_force = true;
	if (f->n_stores > 0)
		drop_stores(x, f);
	if ((v = add_version(x, r->time_ms, r->seq)) == NULL)
		return ERR_MEMORY;
	v->stores_said = f->n_stores > 0;
	v->cause = arena_str(x->a, f->cause);
	v->by = f->by != NULL ? arena_str(x->a, f->by) : NULL;
	v->config = arena_str(x->a, f->config);
	v->policy = arena_str(x->a, f->policy);
	v->directory = arena_str(x->a, f->directory);
	v->addresses = f->addresses != NULL ?
	    arena_str(x->a, f->addresses) : NULL;
	if (v->cause == NULL || v->config == NULL || v->policy == NULL ||
	    v->directory == NULL || (f->by != NULL && v->by == NULL) ||
	    (f->addresses != NULL && v->addresses == NULL))
		return ERR_MEMORY;
	return 0;
}

static int
take_boot(struct whole *x, const struct record_boot *b)
{
	end_version(x, b->clean ? HISTORY_STOPPED : HISTORY_BROKEN,
	    x->last_ms);
	x->n_stores = 0;
	x->policy = x->directory = NULL;
	x->told = false;
	x->config = arena_str(x->a, b->config);
	return x->config == NULL ? ERR_MEMORY : 0;
}

/* Of an older log: what was told so far decides what comes now. */
static int
settle(struct whole *x)
{
	if (x->has_in_force || !x->told || x->policy == NULL ||
	    x->directory == NULL)
		return 0;
	return add_version(x, x->told_ms, x->told_seq) == NULL ?
	    ERR_MEMORY : 0;
}

static int
take(struct whole *x, const struct record *r)
{
	switch (r->type) {
	case RECORD_BOOT:
		return take_boot(x, &r->u.boot);
	case RECORD_STOP:
		end_version(x, HISTORY_STOPPED, r->time_ms);
		return 0;
	case RECORD_IN_FORCE:
		return take_in_force(x, r);
	case RECORD_OBJECT:
	case RECORD_STORE:
		x->told = true;
		x->told_ms = r->time_ms;
		x->told_seq = r->seq;
		return r->type == RECORD_STORE ?
		    take_store(x, &r->u.store) :
		    take_object(x, &r->u.object);
	case RECORD_NONE:
	case RECORD_GENESIS:
	case RECORD_ROTATION:
		return 0;
	case RECORD_SESSION:
	case RECORD_BACKEND:
	case RECORD_CLEARANCE:
	case RECORD_STATEMENT:
	case RECORD_RESULT:
	case RECORD_DENIAL:
	case RECORD_LOGIN_FAILURE:
	case RECORD_HEARTBEAT:
	case RECORD_ASKED:
	case RECORD_RECONCILED:
	case RECORD_APPROVAL:
	case RECORD_CLOSE:
	case RECORD_SUBJECTS:
	case RECORD_DRIFT:
		break;
	}
	return settle(x);
}

/* -- reading ----------------------------------------------------------------------- */

static int
on_record(void *arg, const struct record *r, struct bytes entry)
{
	struct whole *x = arg;
	int e = take(x, r);

	(void)entry;
	x->last_ms = r->time_ms;
	return e == 0 ? 0 : why_set(x->w, e, 0, 0, "%s", err_text(e));
}

static int
on_damage(void *arg, const char *what, const char *text)
{
	struct whole *x = arg;

	(void)what;
	return why_set(x->w, ERR_CRYPTO, 0, 0, "%.200s: %s; nothing in it "
	    "is relied on, sworn-verify log tells all that is wrong",
	    x->h.dir, text);
}

static void
forget(struct whole *x)
{
	arena_reset(x->a);
	x->h.n = x->n_stores = 0;
	x->config = x->policy = x->directory = NULL;
	x->told = x->has_in_force = x->open = false;
}

static int
read_once(struct whole *x, struct buf *note)
{
	struct logread l = {
		.dir = x->h.dir, .keys = &x->h.key, .n_keys = 1, .arg = x,
		.damage = on_damage, .record = on_record, .note = note,
	};
	int r;

	forget(x);
	x->w->text[0] = 0;
	if ((r = logread(&l)) != 0) {
		if (x->w->text[0] == 0)
			(void)why_set(x->w, r, 0, 0, "%s: %s", x->h.dir,
			    err_text(r));
		return r;
	}
	memcpy(x->h.gateway, l.gateway, sizeof(x->h.gateway));
	x->h.first_ms = l.first_ms;
	x->h.last_ms = l.last_ms;
	return 0;
}

/* A log may grow while it is read, and then its last files are other ones;
 * what does not grow is damaged. */
static int
read_whole(struct whole *x)
{
	struct buf now, before;
	int i, r = 0;

	buf_init(&now, 0);
	buf_init(&before, 0);
	for (i = 0; i < READS_MAX; i++) {
		buf_reset(&now);
		if ((r = read_once(x, &now)) == 0 || (i > 0 &&
		    bytes_equal(bytes_of(now.data, now.len),
		    bytes_of(before.data, before.len))))
			break;
		buf_reset(&before);
		buf_bytes(&before, now.data, now.len);
	}
	buf_done(&now);
	buf_done(&before);
	return r;
}

int
history_read(const char *dir, const struct note_key *key,
    struct history **ret, struct why *w)
{
	struct whole *x = calloc(1, sizeof(*x));
	int r = ERR_MEMORY;

	memset(w, 0, sizeof(*w));
	if (x == NULL || (x->a = arena_new()) == NULL) {
		(void)why_set(w, r, 0, 0, "%s", err_text(r));
		goto out;
	}
	x->w = w;
	x->h.dir = dir;
	if (key != NULL)
		x->h.key = *key;
	else if ((r = logread_own_key(dir, &x->h.key, w)) != 0)
		goto out;
	if ((r = read_whole(x)) != 0)
		goto out;
	if (x->open)
		x->versions[x->h.n - 1].until_ms = x->h.last_ms;
	x->h.versions = x->versions;
	*ret = &x->h;
	x = NULL;		/* now the caller's */
out:
	if (x != NULL)
		history_free(&x->h);
	return r;
}

void
history_free(struct history *h)
{
	struct whole *x = (struct whole *)h;

	if (x == NULL)
		return;
	arena_free(x->a);
	free(x->versions);
	free(x->stores);
	free(x);
}

/* -- questions ------------------------------------------------------------------------ */

static int
none_yet(const struct history *h, struct why *w)
{
	return why_set(w, ERR_MISSING, 0, 0, "%s: the log has no version: its "
	    "gateway has decided nothing yet", h->dir);
}

int
history_at(const struct history *h, int64_t at_ms,
    const struct history_version **ret, struct why *w)
{
	const struct history_version *v = NULL;
	char when[TIME_TEXT_MAX], next[TIME_TEXT_MAX];
	size_t i;

	if (h->n == 0)
		return none_yet(h, w);
	time_text(h->last_ms, when);
	if (at_ms > h->last_ms)
		return why_set(w, ERR_MISSING, 0, 0, "%s: the log ends at %s, "
		    "so it does not tell what was in force later; get a newer "
		    "copy, or leave out --at for the log's end", h->dir,
		    when);
	for (i = 0; i < h->n && h->versions[i].from_ms <= at_ms; i++)
		v = &h->versions[i];
	time_text(h->versions[0].from_ms, when);
	if (v == NULL)
		return why_set(w, ERR_MISSING, 0, 0, "%s: nothing was in "
		    "force yet: the first version came into force at %s",
		    h->dir, when);
	if (v->end == HISTORY_STOPPED && at_ms > v->until_ms) {
		time_text(v->until_ms, when);
		if (i < h->n)
			time_text(h->versions[i].from_ms, next);
		return why_set(w, ERR_MISSING, 0, 0, "%s: nothing was in "
		    "force then: the gateway stopped at %s%s%s", h->dir,
		    when, i < h->n ? ", and the next version came into force "
		    "at " : "", i < h->n ? next : "");
	}
	*ret = v;
	return 0;
}

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static bool
is_same(const struct history_version *a, const struct history_version *b)
{
	return strcmp(a->config, b->config) == 0 &&
	    strcmp(a->policy, b->policy) == 0 &&
	    strcmp(a->directory, b->directory) == 0;
}

int
history_find(const struct history *h, const char *name,
    const struct history_version **ret, struct why *w)
{
	const struct history_version *v, *found = NULL;
	size_t i, len = strlen(name);
	bool hash = len >= 8 && len <= 64 &&
	    strspn(name, "0123456789abcdef") == len;
	char number[16];

	if (h->n == 0)
		return none_yet(h, w);
	for (i = 0; i < h->n; i++) {
		v = &h->versions[i];
		(void)snprintf(number, sizeof(number), "%u", v->number);
		if (strcmp(number, name) != 0 && (!hash ||
		    (!begins(v->config, name) && !begins(v->policy, name) &&
		    !begins(v->directory, name))))
			continue;
		if (found != NULL && !is_same(found, v))
			return why_set(w, ERR_CONFLICT, 0, 0, "%s names "
			    "version %u and version %u, which are not the "
			    "same; give the number that sworn policy history "
			    "prints", name, found->number, v->number);
		found = v;
	}
	if (found == NULL)
		return why_set(w, ERR_MISSING, 0, 0, "%s: the log has no "
		    "version \"%.80s\"; name one of the %zu by its number or "
		    "by the first 8 digits or more of one of its hashes, as "
		    "sworn policy history prints them", h->dir, name, h->n);
	*ret = found;
	return 0;
}

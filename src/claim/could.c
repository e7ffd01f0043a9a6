/*
 * A claim that nobody could. What was in force at each gateway, from one
 * in_force record to the next, is decided again for everybody
 * (claim/ability.h), as often as a fact or a rule turns within.
 *
 * What was done could be done, so that all that would refute or leave open
 * "nobody did" does so here, too.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "claim/ability.h"
#include "claim/state.h"
#include "directory/directory.h"

#define MET_BUCKETS 65536
#define STRETCHES_MAX 10000	/* of one version in one store */

/* What is being decided. */
struct deciding {
	struct verdict *v;
	const struct state_version *version;
	const struct record_store *store;
	int64_t from_ms, to_ms;
};

static void
version_free(struct state_version *x)
{
	size_t i;

	if (x == NULL)
		return;
	for (i = 0; i < x->n_stores; i++)
		state_store_unref(x->stores[i]);
	free(x->stores);
	free(x->policy);
	free(x->directory);
	free(x);
}

void
could_free(struct verdict *v)
{
	version_free(v->version);
	v->version = NULL;
}

/* ---- what is found ---- */

static struct record_strs
copy_strs(struct verdict *v, const struct record_strs *l, bool *failed)
{
	struct record_strs to = {NULL, 0};
	const char **s = arena_array(v->arena, l->n, sizeof(*s));
	size_t i;

	for (i = 0; s != NULL && i < l->n; i++)
		*failed |= (s[i] = arena_str(v->arena, l->s[i])) == NULL;
	*failed |= s == NULL;
	if (s != NULL)
		to = (struct record_strs){s, l->n};
	return to;
}

static const char *
copy_str(struct verdict *v, const char *s, bool *failed)
{
	const char *to;

	if (s == NULL)
		return NULL;
	to = arena_str(v->arena, s);
	*failed |= to == NULL;
	return to;
}

/* Somebody of whom something was found at a store, in whichever version. */
struct could_met {
	struct could_met *next;
	const char *principal, *store;
	size_t ability;			/* its place, and 1; 0: none */
	bool doubted;
};

static struct could_met *
meet(struct verdict *v, const char *principal, const char *store)
{
	uint32_t h = 2166136261u;	/* FNV-1a */
	struct could_met *m;
	bool failed = false;
	const char *p;

	if (v->met == NULL &&
	    (v->met = calloc(MET_BUCKETS, sizeof(struct could_met *))) == NULL)
		return NULL;
	for (p = principal; *p != 0; p++)
		h = (h ^ (uint8_t)*p) * 16777619u;
	for (m = v->met[h % MET_BUCKETS]; m != NULL; m = m->next)
		if (strcmp(m->principal, principal) == 0 &&
		    strcmp(m->store, store) == 0)
			return m;
	if ((m = arena_alloc(v->arena, sizeof(*m))) == NULL)
		return NULL;
	m->principal = copy_str(v, principal, &failed);
	m->store = copy_str(v, store, &failed);
	m->next = v->met[h % MET_BUCKETS];
	if (failed)
		return NULL;
	return v->met[h % MET_BUCKETS] = m;
}

static struct verdict_ability *
append(struct verdict *v, bool *failed)
{
	struct verdict_ability *p;
	size_t cap;

	if (v->result.n_abilities == VERDICT_ITEMS_MAX) {
		v->result.more_abilities++;
		return NULL;
	}
	if (v->result.n_abilities == v->cap_abilities) {
		cap = v->cap_abilities == 0 ? 64 : v->cap_abilities * 2;
		if ((p = realloc(v->abilities, cap * sizeof(*p))) == NULL) {
			*failed = true;
			return NULL;
		}
		v->abilities = p;
		v->cap_abilities = cap;
	}
	p = &v->abilities[v->result.n_abilities++];
	memset(p, 0, sizeof(*p));
	return p;
}

static void
describe(const struct deciding *x, const struct ability_found *f,
    struct verdict_ability *to, bool *failed)
{
	struct verdict *v = x->v;

	to->gateway = v->log->gateway;
	to->seq = x->version->seq;
	to->at_ms = x->from_ms;
	to->versions = 1;
	to->principal = copy_str(v, f->who->id, failed);
	to->name = copy_str(v, f->who->name, failed);
	to->kind = f->who->kind == PRINCIPAL_PERSON ? "person" : "service";
	to->store = copy_str(v, x->store->store, failed);
	to->residences = copy_strs(v, &f->residences, failed);
	to->tables = copy_strs(v, &f->tables, failed);
	to->categories = copy_strs(v, &f->categories, failed);
	to->masked = copy_strs(v, &f->masked, failed);
	to->rules = copy_strs(v, &f->rules, failed);
	to->place = copy_str(v, f->place, failed);
	to->purpose = copy_str(v, f->purpose, failed);
	to->ticket = copy_str(v, f->ticket, failed);
	to->is = copy_str(v, f->is, failed);
	to->is_because = copy_str(v, f->because, failed);
	to->policy = copy_str(v, x->version->policy, failed);
	to->directory = copy_str(v, x->version->directory, failed);
	to->catalog = copy_str(v, x->store->catalog, failed);
	if (f->path == NULL)
		return;
	to->label = copy_str(v, f->path->label, failed);
	to->kinds = copy_strs(v, &f->path->kinds, failed);
	to->steps = copy_strs(v, &f->path->steps, failed);
}

static int
on_found(void *arg, const struct ability_found *f)
{
	const struct deciding *x = arg;
	struct verdict *v = x->v;
	struct could_met *m = meet(v, f->who->id, x->store->store);
	struct verdict_ability *to;
	bool failed = false;

	if (m == NULL)
		return ERR_MEMORY;
	if (f->truth == TRUTH_TRUE) {
		if (m->ability > 0) {
			v->abilities[m->ability - 1].versions++;
		} else if ((to = append(v, &failed)) != NULL) {
			describe(x, f, to, &failed);
			m->ability = v->result.n_abilities;
		}
		return failed ? ERR_MEMORY : 0;
	}
	/* One doubt for each, whatever the version. */
	if (m->doubted)
		return 0;
	m->doubted = true;
	return state_doubt(v, "ability", v->log->gateway, &x->version->seq,
	    "%s (%s) may have been able to read at store %s what the claim is "
	    "about, by rule \"%s\", from %s: %s", f->who->name, f->who->id,
	    x->store->store, f->rules.n > 0 ? f->rules.s[0] : "", f->place,
	    f->unclear);
}

static int
on_doubt(void *arg, const char *text)
{
	const struct deciding *x = arg;

	return state_doubt(x->v, "ability", x->v->log->gateway,
	    &x->version->seq, "what was in force at entry %" PRIu64 " of %s "
	    "cannot be decided for everybody at store %s: %s",
	    x->version->seq, x->v->log->gateway, x->store->store, text);
}

/* ---- a version ---- */

static int
missing(struct deciding *x, int r, const char *why)
{
	if (r == ERR_MEMORY)
		return r;
	return state_doubt(x->v, "object", x->v->log->gateway,
	    &x->version->seq, "%s", why);
}

static int
decide_store(struct deciding *x)
{
	struct verdict *v = x->v;
	struct ability a = { .claim = v->claim, .store = x->store,
	    .by_address = x->version->by_address, .to_ms = x->to_ms,
	    .found = on_found, .doubt = on_doubt, .arg = x };
	const int64_t begin_ms = x->from_ms;
	int64_t next_ms = x->from_ms;
	const char *why;
	unsigned n = 0;
	int r;

	if ((r = objects_policy(v->objects, x->version->policy, &a.policy,
	    &why)) != 0 || (r = objects_directory(v->objects,
	    x->version->directory, &a.directory, &why)) != 0 ||
	    (r = objects_catalog(v->objects, x->store->catalog, &a.catalog,
	    &why)) != 0)
		return missing(x, r, why);
	if (state_text_add(v, &v->policies, x->version->policy) != 0 ||
	    state_text_add(v, &v->directories, x->version->directory) != 0 ||
	    state_text_add(v, &v->catalogs, x->store->catalog) != 0)
		return ERR_MEMORY;
	while (next_ms <= x->to_ms) {
		if (n++ == STRETCHES_MAX)
			return on_doubt(x, "facts and rules turn too often");
		x->from_ms = a.from_ms = next_ms;
		v->result.versions++;
		if ((r = ability_decide(&a, &next_ms)) != 0)
			return r;
	}
	x->from_ms = begin_ms;
	return 0;
}

static int
one_store(struct deciding *x)
{
	struct verdict *v = x->v;
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];

	if (strcmp(x->store->mode, "enforce") != 0) {
		time_text(x->from_ms, from);
		time_text(x->to_ms, to);
		return state_doubt(v, "ability", v->log->gateway,
		    &x->version->seq, "store %s was in mode %s from %s to %s: "
		    "whoever had a login there reached all that it gave them, "
		    "whatever the policy says", x->store->store,
		    x->store->mode, from, to);
	}
	if (!x->store->has_services)
		return on_doubt(x, "the store's record does not say which "
		    "services work there");
	return decide_store(x);
}

/* Up to an instant, excluded; INT64_MAX: to the end of the period. */
static int
end_version(struct verdict *v, int64_t until_ms)
{
	struct state_version *x = v->version;
	struct deciding d = {.v = v, .version = x};
	const struct claim *c = v->claim;
	size_t i;
	int r = 0;

	if (x == NULL)
		return 0;
	for (i = 0; i < x->n_stores && r == 0; i++) {
		d.store = &x->stores[i]->rec;
		d.from_ms = x->from_ms > c->from_ms ? x->from_ms : c->from_ms;
		d.to_ms = until_ms <= c->to_ms ? until_ms - 1 : c->to_ms;
		if (d.from_ms <= d.to_ms)
			r = one_store(&d);
	}
	could_free(v);
	return r;
}

static bool
is_named(const struct record_in_force *f, const char *store)
{
	size_t i;

	for (i = 0; i < f->n_stores; i++)
		if (strcmp(f->stores[i].store, store) == 0)
			return true;
	return f->n_stores == 0;
}

static int
begin_version(struct verdict *v, const struct record *r)
{
	const struct record_in_force *f = &r->u.in_force;
	struct state_version *x = calloc(1, sizeof(*x));
	struct state_store *s;
	size_t n = 0;

	if ((v->version = x) == NULL)
		return ERR_MEMORY;
	for (s = v->log->stores; s != NULL; s = s->next)
		n++;
	x->stores = calloc(n + 1, sizeof(struct state_store *));
	x->policy = strdup(f->policy);
	x->directory = strdup(f->directory);
	if (x->stores == NULL || x->policy == NULL || x->directory == NULL)
		return ERR_MEMORY;
	x->seq = r->seq;
	x->from_ms = r->time_ms;
	x->by_address = f->addresses != NULL;
	for (s = v->log->stores; s != NULL; s = s->next)
		if (is_named(f, s->rec.store))
			x->stores[x->n_stores++] = state_store_ref(s);
	return 0;
}

int
could_in_force(struct verdict *v, const struct record *r)
{
	const struct claim *c = v->claim;
	char at[TIME_TEXT_MAX];
	int e;

	if (!c->could || v->partial)
		return 0;
	if (v->version == NULL && r->time_ms > c->from_ms) {
		time_text(r->time_ms, at);
		if ((e = state_doubt(v, "ability", v->log->gateway, &r->seq,
		    "the log of %s does not say what was in force in the "
		    "period before %s", v->log->gateway, at)) != 0)
			return e;
	}
	if ((e = end_version(v, r->time_ms)) != 0)
		return e;
	return begin_version(v, r);
}

int
could_log_end(struct verdict *v)
{
	if (!v->claim->could || v->partial)
		return 0;
	if (v->version == NULL)
		return state_doubt(v, "ability", v->log->gateway, NULL, "the "
		    "log of %s does not say what was in force",
		    v->log->gateway);
	return end_version(v, INT64_MAX);
}

int
could_say(struct verdict *v)
{
	if (!v->claim->could)
		return 0;
	return state_rest(v, "ability", "that a reader can do at the stores "
	    "what policy and clearance let them: everybody in the directory "
	    "was decided again, from each place, with each purpose and "
	    "ticket, at %" PRIu64 " times at which something had turned; "
	    "whoever has a login of the database's own is not among them",
	    v->result.versions);
}

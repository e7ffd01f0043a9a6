#include "gateway/standing.h"

#include "gateway/twins.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "crypto/hash.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "gateway/addresses.h"
#include "gateway/config.h"
#include "gateway/ticket_answer.h"
#include "policy/cache.h"
#include "policy/grants.h"
#include "policy/policy.h"

/* A list of distinct strings that grows in an arena. */
struct list {
	const char **s;
	size_t n;
};

static int
list_init(struct list *l, struct arena *a, size_t max)
{
	l->n = 0;
	l->s = arena_array(a, max > 0 ? max : 1, sizeof(*l->s));
	return l->s == NULL ? ERR_MEMORY : 0;
}

/* The caller has sized it for every possible value. */
static void
list_add(struct list *l, const char *s)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (strcmp(l->s[i], s) == 0)
			return;
	l->s[l->n++] = s;
}

static struct record_strs
list_strs(const struct list *l)
{
	struct record_strs r = {l->s, l->n};

	return r;
}

/*
 * Everything there is of a guarded table: all its categories, and every
 * residence of the store, also those that do not belong in it if subjects
 * of theirs were counted there.
 */
static int
reach_all(const struct standing *s, const struct catalog_table *t,
    struct record_table *ret)
{
	const struct config_store *st = s->store;
	struct list homes, categories;
	size_t i;

	if (list_init(&homes, s->a, st->n_residences + st->n_counts) != 0 ||
	    list_init(&categories, s->a, t->n_columns) != 0)
		return ERR_MEMORY;
	for (i = 0; i < st->n_residences; i++)
		list_add(&homes, st->residences[i]);
	for (i = 0; i < st->n_counts; i++)
		if (st->counts[i] > 0)
			list_add(&homes, st->count_labels[i]);
	for (i = 0; i < t->n_columns; i++)
		list_add(&categories, t->columns[i].category);
	memset(ret, 0, sizeof(*ret));
	ret->table = t->full;
	ret->residences = list_strs(&homes);
	ret->categories = list_strs(&categories);
	return 0;
}

static int
reach_cleared(const struct standing *s, const struct clearance_table *c,
    struct record_table *ret)
{
	const struct catalog_table *t = c->table;
	struct list plain, masked;
	size_t i;

	if (list_init(&plain, s->a, t->n_columns) != 0 ||
	    list_init(&masked, s->a, t->n_columns) != 0)
		return ERR_MEMORY;
	for (i = 0; i < t->n_columns; i++) {
		if (c->columns[i] == TREAT_PLAIN)
			list_add(&plain, t->columns[i].category);
		else if (c->columns[i] == TREAT_MASK)
			list_add(&masked, t->columns[i].category);
	}
	memset(ret, 0, sizeof(*ret));
	ret->table = t->full;
	ret->residences.s = c->residences;
	ret->residences.n = c->n_residences;
	ret->categories = list_strs(&plain);
	ret->masked = list_strs(&masked);
	return 0;
}

/*
 * The guarded tables within reach, by catalog table and as a bound. `all`:
 * the role at the store is not held by the clearance.
 */
static int
reach_make(const struct standing *s, bool all,
    const struct record_table ***ret_reach, struct record_bound *ret)
{
	const struct catalog *c = s->store->catalog;
	const struct record_table **reach;
	const struct clearance_table *ct;
	struct record_table *tables;
	size_t i, n = 0;
	int r;

	reach = arena_array(s->a, c->n_tables + 1, sizeof(*reach));
	tables = arena_array(s->a, c->n_tables + 1, sizeof(*tables));
	if (reach == NULL || tables == NULL)
		return ERR_MEMORY;
	for (i = 0; i < c->n_tables; i++) {
		if (c->tables[i].is_public)
			continue;
		ct = &s->clearance->tables[i];
		if (!all && !ct->readable)
			continue;
		r = all ? reach_all(s, &c->tables[i], &tables[n]) :
		    reach_cleared(s, ct, &tables[n]);
		if (r != 0)
			return r;
		reach[i] = &tables[n++];
	}
	ret->tables = tables;
	ret->n = n;
	if (ret_reach != NULL)
		*ret_reach = reach;
	return 0;
}

static int
clearance_name(struct standing *s, char role[static ENFORCE_NAME_MAX])
{
	uint8_t hash[HASH_LEN];
	struct buf text, hex;
	int r = ERR_MEMORY;

	buf_init(&text, 0);
	buf_init(&hex, 0);
	clearance_text(&text, s->clearance);
	if (text.failed || (r = hash_sha256(text.data, text.len, hash)) != 0)
		goto out;
	text_hex(&hex, hash, sizeof(hash));
	if (buf_text(&hex) == NULL) {
		r = ERR_MEMORY;
		goto out;
	}
	memcpy(s->hash, hex.data, sizeof(s->hash));
	enforce_role_name(hash, role);
	r = 0;
out:
	buf_done(&text);
	buf_done(&hex);
	return r;
}

/* Which login at the store: the clearance's only where it is enforced. */
static int
choose_role(struct standing *s)
{
	char cleared[ENFORCE_NAME_MAX];
	const char *role;
	int r;

	if ((r = clearance_name(s, cleared)) != 0)
		return r;
	if (s->who->kind == PRINCIPAL_SERVICE)
		role = config_service_role(s->store, s->who->id);
	else if (s->store->mode == STORE_OBSERVE)
		role = s->store->observe_role;
	else
		role = cleared;
	if (role == NULL)
		return 0;
	if ((s->role = arena_str(s->a, role)) == NULL)
		return ERR_MEMORY;
	s->login = config_login_find(s->store, role);
	if (s->who->kind == PRINCIPAL_SERVICE || s->login == NULL ||
	    s->store->mode != STORE_ENFORCE || !twins_has(s->login))
		return 0;
	s->has_twins = true;
	return twins_schema(s->clearance, s->login, s->a, &s->twins);
}

static bool
expected_from(const struct principal *p, const char *address)
{
	size_t i;

	for (i = 0; i < p->n_networks; i++)
		if (network_contains(p->networks[i], address))
			return true;
	return p->n_networks == 0;
}

int
standing_seen(const struct config *c, const char *address, struct arena *a,
    const char *ret[static 2], size_t *ret_n)
{
	const struct directory_site *site;
	char label[ADDRESSES_LABEL_MAX];
	int r = ERR_MISSING;

	*ret_n = 0;
	site = directory_site_of_address(c->directory, address);
	if (site != NULL)
		ret[(*ret_n)++] = site->country;
	if (c->addresses != NULL)
		r = addresses_country(c->addresses, address, label);
	if ((r == ERR_MISSING && site == NULL) ||
	    (r != ERR_MISSING && r != 0))
		ret[(*ret_n)++] = CONTROL_UNKNOWN;
	if (r != 0 || (site != NULL && strcmp(site->country, label) == 0))
		return 0;
	ret[*ret_n] = arena_str(a, label);
	return ret[(*ret_n)++] == NULL ? ERR_MEMORY : 0;
}

static int
find_facts(struct standing *s, const struct standing_request *q)
{
	const struct config *c = q->config;
	int r;

	if ((r = directory_principal(c->directory, q->principal, q->at_ms,
	    s->a, &s->who)) != 0)
		return r;
	return control_of(c->directory, q->principal, q->at_ms, s->seen_at,
	    s->n_seen_at, s->a, &s->control);
}

/* Which tables a rule lets be read only under exact records. */
static int
find_exact_only(struct standing *s, const struct policy_request *q)
{
	const struct clearance *plain;
	bool *only;
	size_t i;
	int r;

	if ((only = arena_array(s->a, s->clearance->n_tables + 1,
	    sizeof(*only))) == NULL)
		return ERR_MEMORY;
	if ((r = policy_decide(policy_plain(s->clearance->policy), q, s->a,
	    &plain)) != 0)
		return r;
	for (i = 0; i < s->clearance->n_tables; i++)
		if (clearance_needs_exact(s->clearance, plain, i)) {
			only[i] = true;
			s->exact_only = only;
		}
	return 0;
}

static int
decide(struct standing *s, const struct standing_request *q)
{
	const struct config *c = q->config;
	const struct grants_by by = {c->policy, c->directory};
	const struct approved_for who = {q->principal, q->store->name,
	    s->ticket, q->at_ms};
	struct policy_request pq;
	int r;

	if ((r = find_facts(s, q)) != 0 || (r = approved_find(q->grants, &by,
	    &who, s->a, &s->approved)) != 0)
		return r;
	memset(&pq, 0, sizeof(pq));
	pq.who = s->who;
	pq.control = s->control;
	pq.store = q->store->name;
	pq.residences = q->store->residences;
	pq.n_residences = q->store->n_residences;
	pq.catalog = q->store->catalog;
	pq.purpose = s->purpose;
	pq.ticket = s->ticket;
	pq.at_ms = q->at_ms;
	pq.approved = &s->approved.policy;
	if (q->answer != NULL) {
		s->answer = ticket_answer_ref(q->answer);
		if (s->answer->confirmed)
			pq.scope = &s->answer->scope;
		pq.unconfirmed = s->answer->why;
		if (s->answer->until_ms < s->until_ms)
			s->until_ms = s->answer->until_ms;
	} else {
		pq.unconfirmed = c->tickets.set ? "nobody was asked" :
		    "the gateway has nobody to ask about tickets";
	}
	if ((r = policy_decide(c->policy, &pq, s->a, &s->clearance)) != 0 ||
	    (r = approved_tables(&s->approved, c->policy, &pq, s->clearance,
	    s->a)) != 0 || policy_plain(c->policy) == NULL)
		return r;
	return find_exact_only(s, &pq);
}

/*
 * What sessions share is a standing as well, with the arena that it lives in.
 * All references are of one worker's thread.
 */
struct standing_shared {
	struct standing decided;
	unsigned refs;
};

static void
shared_unref(void *arg)
{
	struct standing_shared *h = arg;

	if (h == NULL || --h->refs > 0)
		return;
	ticket_answer_unref(h->decided.answer);
	arena_free(h->decided.a);
	free(h);
}

struct cache *
standing_cache_new(void)
{
	return cache_new(STANDING_CACHE_LEN, shared_unref);
}

static struct cache_key
cache_key_of(const struct standing *s, const struct standing_request *q)
{
	return (struct cache_key){
		.version = q->version, .at_ms = q->at_ms,
		.turns_ms = q->until_ms, .principal = q->principal,
		.seen_at = s->seen_at, .n_seen_at = s->n_seen_at,
		.store = q->store->name, .purpose = q->purpose,
		.ticket = q->ticket, .answer = q->answer,
	};
}

/* All that follows from a request and not from its address or instant. */
static int
fill(struct standing *s, const struct standing_request *q)
{
	bool all;
	int r;

	s->store = q->store;
	s->n_reach = q->store->catalog->n_tables;
	if (q->purpose != NULL &&
	    (s->purpose = arena_str(s->a, q->purpose)) == NULL)
		return ERR_MEMORY;
	if (q->ticket != NULL &&
	    (s->ticket = arena_str(s->a, q->ticket)) == NULL)
		return ERR_MEMORY;
	if ((r = decide(s, q)) != 0 || (r = choose_role(s)) != 0)
		return r;
	all = s->who->kind == PRINCIPAL_SERVICE ||
	    q->store->mode == STORE_OBSERVE;
	if ((r = reach_make(s, all, &s->reach, &s->bound)) != 0)
		return r;
	s->has_would = q->store->mode == STORE_OBSERVE;
	return s->has_would ? reach_make(s, false, NULL, &s->would) : 0;
}

/* Decided before, or now. Takes *h over, and returns what is to be used. */
static int
find_or_fill(struct standing_shared **h, const struct standing_request *q)
{
	struct standing *s = &(*h)->decided;
	struct standing_shared *kept = NULL;
	struct cache_key k;
	int r;

	s->until_ms = q->until_ms;
	if ((r = standing_seen(q->config, q->address, s->a, s->seen_at,
	    &s->n_seen_at)) != 0)
		return r;
	k = cache_key_of(s, q);
	if (q->cache != NULL && (kept = cache_find(q->cache, &k)) != NULL) {
		kept->refs++;
		shared_unref(*h);
		*h = kept;
		return 0;
	}
	if ((r = fill(s, q)) != 0)
		return r;
	/* What is not kept is decided again, and that is all. */
	if (q->cache != NULL && cache_put(q->cache, &k, s->until_ms, *h,
	    sizeof(**h) + arena_len(s->a)) == 0)
		(*h)->refs++;
	return 0;
}

int
standing_make(const struct standing_request *q, struct standing **ret)
{
	struct standing_shared *h;
	struct standing *s = NULL;
	int r = ERR_MEMORY;

	if ((h = calloc(1, sizeof(*h))) == NULL)
		return ERR_MEMORY;
	h->refs = 1;
	if ((h->decided.a = arena_new()) == NULL ||
	    (s = calloc(1, sizeof(*s))) == NULL ||
	    (r = find_or_fill(&h, q)) != 0)
		goto out;
	*s = h->decided;
	s->shared = h;
	h = NULL;		/* now the standing's */
	s->at_ms = q->at_ms;
	s->from_elsewhere = s->who->kind == PRINCIPAL_SERVICE &&
	    !expected_from(s->who, q->address);
	*ret = s;
	s = NULL;
out:
	shared_unref(h);
	free(s);
	return r;
}

void
standing_free(struct standing *s)
{
	if (s == NULL)
		return;
	shared_unref(s->shared);
	free(s);
}

/* What came back about the ticket. */
static int
ticket_record(const struct standing *s, struct arena *a,
    struct record_session *ret)
{
	const struct ticket_answer *t = s->answer;
	struct record_ticket *r;

	if (t == NULL)
		return 0;
	if ((r = arena_alloc(a, sizeof(*r))) == NULL)
		return ERR_MEMORY;
	*r = (struct record_ticket){
		.ticket = s->ticket, .confirmed = t->confirmed,
		.why = t->why, .asked_ms = t->asked_ms,
		.tables = {t->scope.tables, t->scope.n_tables},
		.categories = {t->scope.categories, t->scope.n_categories},
		.residences = {t->scope.residences, t->scope.n_residences},
		.subjects = t->subjects, .subjects_hmac = t->subjects_hmac,
	};
	ret->tickets = r;
	ret->n_tickets = 1;
	return 0;
}

static int
path_record(const struct control_member *m, const struct control_path *p,
    struct arena *a, struct record_path *ret)
{
	const char **kinds, **steps;
	unsigned bit;
	size_t i, n = 0;

	kinds = arena_array(a, 8, sizeof(*kinds));
	steps = arena_array(a, p->n + 1, sizeof(*steps));
	if (kinds == NULL || steps == NULL)
		return ERR_MEMORY;
	for (bit = CONTROL_LOCATION; bit <= CONTROL_KEEPING; bit <<= 1)
		if ((p->kinds & bit) != 0)
			kinds[n++] = control_kind_text(
			    (enum control_kind)bit);
	for (i = 0; i < p->n; i++)
		steps[i] = p->steps[i].text;
	ret->label = m->label;
	ret->kinds.s = kinds;
	ret->kinds.n = n;
	ret->steps.s = steps;
	ret->steps.n = p->n;
	return 0;
}

static int
control_record(const struct control *c, struct arena *a,
    struct record_session *ret)
{
	struct record_path *paths;
	size_t i, j, n = 0;
	int r;

	for (i = 0; i < c->n; i++)
		n += c->members[i].n_paths;
	if ((paths = arena_array(a, n + 1, sizeof(*paths))) == NULL)
		return ERR_MEMORY;
	ret->control = paths;
	ret->n_control = n;
	for (i = 0; i < c->n; i++)
		for (j = 0; j < c->members[i].n_paths; j++)
			if ((r = path_record(&c->members[i],
			    &c->members[i].paths[j], a, paths++)) != 0)
				return r;
	return 0;
}

/* Who issued the reader's own facts, and those that lead from them upward.
 * Both lists are sorted. */
static int
issuers_record(const struct standing *s, struct arena *a,
    struct record_session *ret)
{
	const struct principal *p = s->who;
	const struct control *c = s->control;
	size_t i = 0, k = 0, n = 0;
	const char **both;
	int cmp;

	if ((both = arena_array(a, p->n_issuers + c->n_issuers + 1,
	    sizeof(*both))) == NULL)
		return ERR_MEMORY;
	while (i < p->n_issuers || k < c->n_issuers) {
		cmp = i == p->n_issuers ? 1 : k == c->n_issuers ? -1 :
		    strcmp(p->issuers[i], c->issuers[k]);
		both[n++] = cmp <= 0 ? p->issuers[i] : c->issuers[k];
		i += cmp <= 0;
		k += cmp >= 0;
	}
	ret->issuers.s = both;
	ret->issuers.n = n;
	return 0;
}

int
standing_record(const struct standing *s, const struct config *c,
    const char *source, struct arena *a, struct record_session *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->decided_ms = s->at_ms;
	ret->has_facts = true;
	ret->store = s->store->name;
	ret->mode = store_mode_text(s->store->mode);
	ret->principal = s->who->id;
	ret->kind = s->who->kind == PRINCIPAL_PERSON ? "person" : "service";
	ret->source = source;
	ret->seen_at.s = s->seen_at;
	ret->seen_at.n = s->n_seen_at;
	ret->roles.s = s->who->roles;
	ret->roles.n = s->who->n_roles;
	ret->employers.s = s->who->employers;
	ret->employers.n = s->who->n_employers;
	ret->purpose = s->purpose;
	ret->ticket = s->ticket;
	ret->policy = c->policy_text.sha256;
	ret->directory = c->directory_text.sha256;
	if (c->addresses != NULL) {
		ret->addresses = c->addresses_text.sha256;
		ret->addresses_built_ms = addresses_built_ms(c->addresses);
	}
	ret->clearance = s->hash;
	ret->role = s->role != NULL ? s->role : "";
	ret->bound = s->bound;
	ret->has_would = s->has_would;
	ret->would = s->would;
	ret->approvals = s->approved.items;
	ret->n_approvals = s->approved.n;
	if (ticket_record(s, a, ret) != 0 || issuers_record(s, a, ret) != 0)
		return ERR_MEMORY;
	return control_record(s->control, a, ret);
}

/*
 * Tickets: what matters is which patterns a ticket matches, and one is tried
 * for each set of them that policy/sessions.h lists. A session that comes
 * with another one finds no login and is refused, so a miss denies.
 *
 * Logins are also made for what rules permit at other hours, and once their
 * intervals begin or end; the facts are those of now.
 *
 * Most readers are met by the same rules as another one was, and so are most
 * sessions of those who are not: both are passed over (policy/alike.h). What
 * is left is decided in a scratch arena, and if the clearance is new, again
 * in the arena that is kept.
 */
#include "cli/clearances.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "cli/places.h"
#include "crypto/hash.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "gateway/config.h"
#include "policy/alike.h"
#include "policy/grants_words.h"
#include "policy/policy.h"
#include "policy/scopes.h"
#include "policy/sessions.h"

struct work {
	const struct config *config;
	const struct config_store *store;
	int64_t at_ms;
	struct arena *kept;	/* lives as long as the result */
	struct arena *person;	/* principal and control of one person */
	struct arena *scratch;
	struct sessions sessions;
	struct control_batch *batch;
	struct alike *alike;	/* anything: it was decided */
	struct scopes *scopes;	/* of each of its tickets */
	const struct policy_approvals *approved;	/* of one reader */
	size_t n_approved;
	struct clearances *ret;
	size_t cap;
	struct why *why;
};

static int
memory(struct work *w)
{
	return why_set(w->why, ERR_MEMORY, 0, 0, "out of memory");
}

static int
wanted_compare(const void *a, const void *b)
{
	return strcmp(((const struct wanted *)a)->role,
	    ((const struct wanted *)b)->role);
}

const struct wanted *
clearances_find(const struct clearances *c, const char *role)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (strcmp(c->items[i].role, role) == 0)
			return &c->items[i];
	return NULL;
}

void
clearances_done(struct clearances *c)
{
	free(c->items);
	arena_free(c->memory);
	memset(c, 0, sizeof(*c));
}

/* The name and hash of a clearance. */
static int
name_clearance(struct work *w, const struct clearance *c,
    struct wanted *ret)
{
	uint8_t hash[HASH_LEN];
	struct buf text, hex;
	int r = ERR_MEMORY;

	buf_init(&text, 0);
	buf_init(&hex, 0);
	clearance_text(&text, c);
	if (text.failed) {
		r = memory(w);
		goto out;
	}
	if ((r = hash_sha256(text.data, text.len, hash)) != 0) {
		(void)why_set(w->why, r, 0, 0, "cannot hash a clearance");
		goto out;
	}
	text_hex(&hex, hash, sizeof(hash));
	if (buf_text(&hex) == NULL) {
		r = memory(w);
		goto out;
	}
	enforce_role_name(hash, ret->role);
	memcpy(ret->hash, buf_text(&hex), sizeof(ret->hash));
out:
	buf_done(&text);
	buf_done(&hex);
	return r;
}

static int
keep(struct work *w, const struct policy_request *q, struct wanted *item)
{
	struct wanted *p;
	int r;

	r = policy_decide(w->config->policy, q, w->kept, &item->clearance);
	if (r != 0)
		return why_set(w->why, r, 0, 0, "%s", err_text(r));
	if (w->ret->n == w->cap) {
		w->cap = w->cap == 0 ? 16 : 2 * w->cap;
		p = reallocarray(w->ret->items, w->cap, sizeof(*p));
		if (p == NULL)
			return memory(w);
		w->ret->items = p;
	}
	w->ret->items[w->ret->n++] = *item;
	return 0;
}

static struct policy_request
request(const struct work *w, const struct principal *who,
    const struct control *control)
{
	return (struct policy_request){
		.who = who, .control = control, .store = w->store->name,
		.residences = w->store->residences,
		.n_residences = w->store->n_residences,
		.catalog = w->store->catalog, .at_ms = w->at_ms,
	};
}

static int
decide(struct work *w, const struct policy_request *q)
{
	const struct clearance *c;
	const struct wanted *known;
	const void **before;
	struct wanted item;
	int r;

	w->ret->decisions++;
	if ((r = alike_find(w->alike, q, 0, &before)) != 0)
		return why_set(w->why, r, 0, 0, "%s", err_text(r));
	if (before != NULL && *before != NULL)
		return 0;
	arena_reset(w->scratch);
	if ((r = policy_decide(w->config->policy, q, w->scratch, &c)) != 0)
		return why_set(w->why, r, 0, 0, "%s", err_text(r));
	memset(&item, 0, sizeof(item));
	if ((r = name_clearance(w, c, &item)) != 0)
		return r;
	if (before != NULL)
		*before = w;
	known = clearances_find(w->ret, item.role);
	if (known == NULL)
		return keep(w, q, &item);
	if (strcmp(known->hash, item.hash) != 0)
		return why_set(w->why, ERR_CONFLICT, 0, 0, "two clearances "
		    "have the same short name %s", item.role);
	return 0;
}

/* With one purpose, ticket and scope of it, and whatever was approved. */
static int
decide_approved(struct work *w, struct policy_request *q)
{
	const struct sessions *s = &w->sessions;
	size_t i, t;
	int r;

	for (i = 0; i < w->n_approved; i++)
		for (t = 0; t < s->times.n; t++) {
			q->approved = &w->approved[i];
			q->at_ms = s->times.items[t];
			if ((r = decide(w, q)) != 0)
				return r;
		}
	return 0;
}

/* With one purpose and ticket, confirmed for all it can be. */
static int
decide_scopes(struct work *w, struct policy_request *q, size_t ticket)
{
	size_t i;
	int r;

	q->ticket = w->sessions.tickets[ticket];
	for (i = 0; i < w->scopes[ticket].n; i++) {
		q->scope = w->scopes[ticket].items[i];
		if ((r = decide_approved(w, q)) != 0)
			return r;
	}
	return 0;
}

/* Unless all was decided for somebody who is alike. */
static int
decide_all(struct work *w, const struct principal *who,
    const struct control *control)
{
	struct policy_request q = request(w, who, control);
	const struct sessions *s = &w->sessions;
	const void **before;
	size_t i, k;
	int r;

	if ((r = alike_reader(w->alike, &q, 0, &before)) != 0)
		return why_set(w->why, r, 0, 0, "%s", err_text(r));
	if (before != NULL && *before != NULL)
		return 0;
	if ((r = grant_sets(w->config->policy, &q, w->person, &w->approved,
	    &w->n_approved)) != 0)
		return why_set(w->why, r, 0, 0, "%s", err_text(r));
	for (i = 0; i < s->n_purposes; i++) {
		q.purpose = s->purposes[i];
		for (k = 0; k < s->n_tickets; k++)
			if ((r = decide_scopes(w, &q, k)) != 0)
				return r;
	}
	if (before != NULL)
		*before = w;
	return 0;
}

static int
person(struct work *w, const char *id)
{
	const struct sessions *s = &w->sessions;
	const struct principal *who;
	const struct control *control;
	size_t i;
	int r;

	arena_reset(w->person);
	r = directory_principal(w->config->directory, id, w->at_ms,
	    w->person, &who);
	if (r == 0 && who->kind != PRINCIPAL_PERSON)
		return 0;
	for (i = 0; r == 0 && i < s->n_places; i++) {
		r = control_batch_of(w->batch, id, &s->places[i],
		    s->places[i] != NULL, w->person, &control);
		if (r != 0)
			break;
		if ((r = decide_all(w, who, control)) != 0)
			return r;
	}
	if (r != 0)
		return why_set(w->why, r, 0, 0, "%s: %s", id, err_text(r));
	return 0;
}

/* Somebody of whom nothing is known: usually the empty clearance. */
static int
nobody(struct work *w)
{
	const struct principal who = { .id = "", .name = "",
	    .kind = PRINCIPAL_PERSON };
	const struct control control = { .members = NULL };
	struct policy_request q = request(w, &who, &control);

	return decide(w, &q);
}

/* What each ticket can be confirmed for. */
static int
list_scopes(struct work *w)
{
	const struct scopes_store s = { .name = w->store->name,
	    .catalog = w->store->catalog, .residences = w->store->residences,
	    .n_residences = w->store->n_residences };
	size_t i;
	int r;

	w->scopes = arena_array(w->kept, w->sessions.n_tickets,
	    sizeof(*w->scopes));
	if (w->scopes == NULL)
		return memory(w);
	for (i = 0; i < w->sessions.n_tickets; i++)
		if ((r = scopes_list((const struct policy *const[]){
		    w->config->policy}, 1, &s, w->sessions.tickets[i],
		    w->kept, &w->scopes[i], w->why)) != 0)
			return r;
	return 0;
}

static int
everybody(struct work *w)
{
	struct sessions_more more;
	const char *const *ids;
	size_t n, i;
	int r;

	if (places_more(w->config, w->kept, &more) != 0 ||
	    control_batch_new(w->config->directory, w->at_ms,
	    &w->batch) != 0 ||
	    alike_new(w->config->policy, w->store->n_residences,
	    &w->alike) != 0)
		return why_set(w->why, ERR_MEMORY, 0, 0, "out of memory");
	r = sessions_list(w->config->directory, &more,
	    (const struct policy *const[]){w->config->policy}, 1, w->at_ms,
	    w->kept, &w->sessions, w->why);
	if (r != 0 || (r = list_scopes(w)) != 0)
		return r;
	r = directory_list(w->config->directory, w->at_ms, w->kept, &ids, &n);
	if (r != 0)
		return why_set(w->why, r, 0, 0, "%s", err_text(r));
	for (i = 0; i < n; i++)
		if ((r = person(w, ids[i])) != 0)
			return r;
	return nobody(w);
}

int
clearances_make(const struct config *c, const struct config_store *s,
    int64_t at_ms, struct clearances *ret, struct why *w)
{
	struct work work = { .config = c, .store = s, .at_ms = at_ms,
	    .ret = ret, .why = w };
	int r;

	memset(ret, 0, sizeof(*ret));
	work.kept = arena_new();
	work.person = arena_new();
	work.scratch = arena_new();
	ret->memory = work.kept;
	if (work.kept == NULL || work.person == NULL || work.scratch == NULL)
		r = memory(&work);
	else
		r = everybody(&work);
	control_batch_free(work.batch);
	alike_free(work.alike);
	arena_free(work.person);
	arena_free(work.scratch);
	if (r != 0)
		clearances_done(ret);
	else if (ret->n > 0)
		qsort(ret->items, ret->n, sizeof(*ret->items),
		    wanted_compare);
	return r;
}

/*
 * A breadth-first walk over pairs of a node and the set of kinds that led
 * there. Where a node was reached before with fewer kinds, nothing better
 * can follow, so the pair is dropped: at most 64 pairs a node, far fewer in
 * practice. Each pair that stays offers the labels of its node; of all
 * offers for a label those with minimal kinds remain, each the shortest.
 *
 * Edges are taken in the order of their kind and target, so equal facts
 * give equal paths however the file was written.
 */
#include "directory/control.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "directory/directory.h"
#include "directory/facts.h"
#include "directory/ownership.h"
#include "directory/seen.h"

static const struct {
	enum control_kind kind;
	const char *text;
} kind_names[] = {
	{CONTROL_LOCATION, "location"},
	{CONTROL_EMPLOYMENT, "employment"},
	{CONTROL_OWNERSHIP, "ownership"},
	{CONTROL_FORMAL, "formal"},
	{CONTROL_ACTUAL, "actual"},
	{CONTROL_KEEPING, "keeping"},
};
#define N_KINDS (sizeof(kind_names) / sizeof(kind_names[0]))

/* A node, and by which kinds it was reached. */
struct state {
	const struct node *node;
	const struct fact *fact;	/* the last edge; NULL at the start */
	enum control_kind via;
	unsigned kinds;
	uint32_t before;		/* the state that it was reached from */
	uint32_t same;			/* another state of this node */
	uint32_t depth;
};

/* A way to a label: a state, and the steps from there. */
struct offer {
	const char *label;
	unsigned kinds;
	uint32_t state;
	size_t len;			/* steps in all */
	const struct control_step *tail;
	size_t n_tail;
};

struct walk {
	const struct directory *d;
	int64_t at_ms;
	struct arena *arena;
	struct seen seen;		/* node -> its newest state */
	struct state *states;
	size_t n, cap;
	const struct node **entities;	/* reached, each once */
	struct owned_list *owned;	/* of each entity */
	size_t n_entities;
	struct seen entity_numbers;
	struct offer *offers;
	size_t n_offers, cap_offers;
	struct issuers issuers;
};

const char *
control_kind_text(enum control_kind k)
{
	size_t i;

	for (i = 0; i < N_KINDS; i++)
		if (kind_names[i].kind == k)
			return kind_names[i].text;
	return "";
}

unsigned
control_kind_of(const char *text)
{
	size_t i;

	for (i = 0; i < N_KINDS; i++)
		if (strcmp(kind_names[i].text, text) == 0)
			return kind_names[i].kind;
	return 0;
}

static bool
within(unsigned kinds, unsigned allowed)
{
	return (kinds & ~allowed) == 0;
}

/* Adds a state unless the node was reached with no more kinds before. */
static int
reach(struct walk *w, const struct node *node, unsigned kinds,
    enum control_kind via, const struct fact *fact, uint32_t before)
{
	uint32_t first = seen_find(&w->seen, node), i;
	struct state *states;

	for (i = first; i != SEEN_NONE; i = w->states[i].same)
		if (within(w->states[i].kinds, kinds))
			return 0;
	states = seen_grow(w->arena, w->states, w->n, &w->cap,
	    sizeof(*states));
	if (states == NULL)
		return ERR_MEMORY;
	w->states = states;
	w->states[w->n] = (struct state){
		.node = node, .fact = fact, .via = via, .kinds = kinds,
		.before = before, .same = first,
		.depth = fact == NULL ? 0 : w->states[before].depth + 1,
	};
	return seen_put(&w->seen, node, (uint32_t)w->n++);
}

/* The kind of an edge to a node; 0 if the fact is no such edge. */
static unsigned
edge_kind(enum fact_kind kind)
{
	switch (kind) {
	case FACT_EMPLOYER:
		return CONTROL_EMPLOYMENT;
	case FACT_MANAGER:
		return CONTROL_FORMAL;
	case FACT_INSTRUCTOR:
		return CONTROL_ACTUAL;
	case FACT_OPERATOR:
	case FACT_KEEPER:
		return CONTROL_KEEPING;
	case FACT_SITE:
	case FACT_NATIONALITY:
	case FACT_RESIDENCE:
	case FACT_OFFICE:
	case FACT_ROLE:
	case FACT_COUNTRY:
	case FACT_PLACE:
	case FACT_OWNER:
		return 0;
	}
	return 0;
}

static int
expand(struct walk *w, uint32_t i)
{
	const struct node *node = w->states[i].node;
	unsigned kinds = w->states[i].kinds, kind;
	size_t k;
	int r;

	for (k = 0; k < node->n_facts; k++) {
		const struct fact *f = &node->facts[k];

		kind = edge_kind(f->kind);
		if (kind == 0 || f->node == NULL || !fact_valid(f, w->at_ms))
			continue;
		if ((r = reach(w, f->node, kinds | kind,
		    (enum control_kind)kind, f, i)) != 0)
			return r;
	}
	return 0;
}

/* Every entity that was reached, once, and whoever owns it. */
static int
find_owners(struct walk *w)
{
	size_t i;
	int r;

	w->entities = arena_array(w->arena, w->n, sizeof(*w->entities));
	w->owned = arena_array(w->arena, w->n, sizeof(*w->owned));
	if (w->entities == NULL || w->owned == NULL)
		return ERR_MEMORY;
	for (i = 0; i < w->n; i++) {
		const struct node *n = w->states[i].node;

		if (n->kind != NODE_ENTITY ||
		    seen_find(&w->entity_numbers, n) != SEEN_NONE)
			continue;
		if ((r = seen_put(&w->entity_numbers, n,
		    (uint32_t)w->n_entities)) != 0)
			return r;
		w->entities[w->n_entities++] = n;
	}
	return ownership_of(w->d, w->at_ms, w->entities, w->n_entities,
	    w->arena, &w->issuers, w->owned);
}

/* An offer that no other makes superfluous, or NULL with *r = 0. */
static struct offer *
offer_add(struct walk *w, uint32_t state, const char *label, unsigned kinds,
    size_t n_tail, int *r)
{
	size_t len = w->states[state].depth + n_tail, i;
	struct offer *offers, *o = NULL;

	*r = 0;
	kinds |= w->states[state].kinds;
	for (i = 0; i < w->n_offers; i++) {
		if (strcmp(w->offers[i].label, label) != 0)
			continue;
		if (within(w->offers[i].kinds, kinds) &&
		    w->offers[i].len <= len)
			return NULL;
		if (w->offers[i].kinds == kinds)
			o = &w->offers[i];
	}
	if (o == NULL) {
		offers = seen_grow(w->arena, w->offers, w->n_offers,
		    &w->cap_offers, sizeof(*offers));
		if (offers == NULL) {
			*r = ERR_MEMORY;
			return NULL;
		}
		w->offers = offers;
		o = &w->offers[w->n_offers++];
	}
	*o = (struct offer){.label = label, .kinds = kinds, .state = state,
	    .len = len, .n_tail = n_tail};
	return o;
}

/* One step from a state to a label, in words. */
static int
offer_step(struct walk *w, uint32_t state, enum control_kind kind,
    const char *label, const char *words)
{
	struct control_step *step;
	struct offer *o;
	int r;

	if ((o = offer_add(w, state, label, kind, 1, &r)) == NULL)
		return r;
	if ((step = arena_alloc(w->arena, sizeof(*step))) == NULL)
		return ERR_MEMORY;
	step->kind = kind;
	step->to = label;
	step->text = strcmp(label, CONTROL_UNKNOWN) == 0 ? words :
	    arena_fmt(w->arena, "%s %s", words, label);
	o->tail = step;
	return step->text == NULL ? ERR_MEMORY : 0;
}

static int
offer_entity(struct walk *w, uint32_t i)
{
	const struct node *node = w->states[i].node;
	enum control_kind via = w->states[i].via;
	const struct owned_list *owned;
	bool known = false;
	struct offer *o;
	size_t k;
	int r;

	for (k = 0; k < node->n_facts; k++) {
		const struct fact *f = &node->facts[k];

		if (!fact_valid(f, w->at_ms) ||
		    (f->kind != FACT_COUNTRY && f->kind != FACT_PLACE))
			continue;
		known |= f->kind == FACT_COUNTRY;
		if ((r = offer_step(w, i, via, f->text,
		    f->kind == FACT_COUNTRY ? "which is in" :
		    "which does its business in")) != 0)
			return r;
	}
	if (!known && (r = offer_step(w, i, via, CONTROL_UNKNOWN,
	    "whose country is not known")) != 0)
		return r;
	owned = &w->owned[seen_find(&w->entity_numbers, node)];
	for (k = 0; k < owned->n; k++) {
		o = offer_add(w, i, owned->items[k].label, CONTROL_OWNERSHIP,
		    owned->items[k].n, &r);
		if (r != 0)
			return r;
		if (o != NULL)
			o->tail = owned->items[k].steps;
	}
	return 0;
}

/* What a principal should have, and what it means if nothing is known. */
static const struct missing {
	enum fact_kind fact;
	unsigned nodes;
	enum control_kind kind;
	const char *words;
} missing[] = {
	{FACT_SITE, NODE_PERSON | NODE_SERVICE, CONTROL_LOCATION,
	    "location not known"},
	{FACT_EMPLOYER, NODE_PERSON, CONTROL_EMPLOYMENT,
	    "employer not known"},
	{FACT_MANAGER, NODE_PERSON, CONTROL_FORMAL,
	    "manager not known"},
	{FACT_OPERATOR, NODE_SERVICE, CONTROL_KEEPING,
	    "operator not known"},
	{FACT_KEEPER, NODE_SERVICE, CONTROL_KEEPING,
	    "keepers of its credentials not known"},
};

static int
offer_principal(struct walk *w, uint32_t i)
{
	const struct node *node = w->states[i].node;
	unsigned known = 0;		/* set of 1 << enum fact_kind */
	size_t k;
	int r;

	for (k = 0; k < node->n_facts; k++) {
		const struct fact *f = &node->facts[k];

		if (!fact_valid(f, w->at_ms))
			continue;
		known |= 1u << f->kind;
		if (f->kind == FACT_SITE && (r = offer_step(w, i,
		    CONTROL_LOCATION, f->site->country, "located in")) != 0)
			return r;
		if ((f->kind == FACT_SITE || edge_kind(f->kind) != 0) &&
		    (r = issuers_add(w->arena, &w->issuers, f->issuer)) != 0)
			return r;
	}
	for (k = 0; k < sizeof(missing) / sizeof(missing[0]); k++)
		if ((missing[k].nodes & node->kind) != 0 &&
		    (known & 1u << missing[k].fact) == 0 &&
		    (r = offer_step(w, i, missing[k].kind, CONTROL_UNKNOWN,
		    missing[k].words)) != 0)
			return r;
	return 0;
}

/* The words of the edge that reached a state. */
static const char *
edge_text(struct walk *w, const struct state *s)
{
	const char *words;

	if (s->fact->kind == FACT_EMPLOYER)
		words = s->fact->contractor ? "contracted by" : "employed by";
	else if (s->fact->kind == FACT_MANAGER)
		words = "reports to";
	else if (s->fact->kind == FACT_INSTRUCTOR)
		words = "instructed by";
	else if (s->fact->kind == FACT_OPERATOR)
		words = "operated by";
	else
		words = "credentials kept by";
	return arena_fmt(w->arena, "%s %s", words, s->node->name);
}

static int
make_path(struct walk *w, const struct offer *o, struct control_path *ret)
{
	struct control_step *steps;
	const struct state *s;
	size_t k;

	steps = arena_array(w->arena, o->len, sizeof(*steps));
	if (steps == NULL)
		return ERR_MEMORY;
	k = o->len - o->n_tail;
	memcpy(steps + k, o->tail, o->n_tail * sizeof(*steps));
	for (s = &w->states[o->state]; k-- > 0; s = &w->states[s->before]) {
		steps[k].kind = s->via;
		steps[k].to = s->node->id;
		if ((steps[k].text = edge_text(w, s)) == NULL)
			return ERR_MEMORY;
	}
	ret->kinds = o->kinds;
	ret->steps = steps;
	ret->n = o->len;
	return 0;
}

/* By label, then from the shortest, then by kinds. */
static int
compare_offers(const void *a, const void *b)
{
	const struct offer *x = a, *y = b;
	int c = strcmp(x->label, y->label);

	if (c != 0)
		return c;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return (x->kinds > y->kinds) - (x->kinds < y->kinds);
}

/* No other offer for the label has fewer kinds. */
static bool
is_minimal(const struct offer *offers, size_t n, size_t i)
{
	size_t k;

	for (k = 0; k < n; k++)
		if (k != i && within(offers[k].kinds, offers[i].kinds))
			return false;
	return true;
}

static int
make_member(struct walk *w, const struct offer *offers, size_t n,
    struct control_member *ret)
{
	struct control_path *paths;
	size_t i, k = 0;
	int r;

	if ((paths = arena_array(w->arena, n, sizeof(*paths))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < n; i++)
		if (is_minimal(offers, n, i) &&
		    (r = make_path(w, &offers[i], &paths[k++])) != 0)
			return r;
	ret->label = offers[0].label;
	ret->paths = paths;
	ret->n_paths = k;
	return 0;
}

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
make_control(struct walk *w, const char *const *seen_at, size_t n_seen_at,
    const struct control **ret)
{
	const char **seen;
	struct control_member *members;
	struct control *c;
	size_t i, n, kept = 0;
	int r;

	c = arena_alloc(w->arena, sizeof(*c));
	members = arena_array(w->arena, w->n_offers, sizeof(*members));
	seen = arena_array(w->arena, n_seen_at, sizeof(*seen));
	if (c == NULL || members == NULL || seen == NULL)
		return ERR_MEMORY;
	for (i = 0; i < n_seen_at; i++)
		seen[i] = seen_at[i];
	c->seen_at = seen;
	c->n_seen_at = n_seen_at;
	qsort(w->offers, w->n_offers, sizeof(*w->offers), compare_offers);
	for (i = 0; i < w->n_offers; i += n) {
		for (n = 1; i + n < w->n_offers && strcmp(w->offers[i].label,
		    w->offers[i + n].label) == 0; n++)
			continue;
		if ((r = make_member(w, &w->offers[i], n,
		    &members[c->n++])) != 0)
			return r;
	}
	c->members = members;
	if (w->issuers.n > 0)
		qsort(w->issuers.items, w->issuers.n,
		    sizeof(*w->issuers.items), compare_texts);
	for (i = 0; i < w->issuers.n; i++)
		if (kept == 0 || strcmp(w->issuers.items[kept - 1],
		    w->issuers.items[i]) != 0)
			w->issuers.items[kept++] = w->issuers.items[i];
	c->issuers = w->issuers.items;
	c->n_issuers = kept;
	*ret = c;
	return 0;
}

static int
offer_all(struct walk *w, const char *const *seen_at, size_t n_seen_at)
{
	size_t i;
	int r;

	for (i = 0; i < n_seen_at; i++)
		if ((r = offer_step(w, 0, CONTROL_LOCATION, seen_at[i],
		    strcmp(seen_at[i], CONTROL_UNKNOWN) == 0 ?
		    "connected from a network that belongs to no site" :
		    "connected from")) != 0)
			return r;
	for (i = 0; i < w->n; i++) {
		if (w->states[i].node->kind == NODE_ENTITY)
			r = offer_entity(w, (uint32_t)i);
		else
			r = offer_principal(w, (uint32_t)i);
		if (r != 0)
			return r;
	}
	return 0;
}

int
control_of(const struct directory *d, const char *principal, int64_t at_ms,
    const char *const *seen_at, size_t n_seen_at, struct arena *a,
    const struct control **ret)
{
	struct walk w = {.d = d, .at_ms = at_ms, .arena = a,
	    .seen = {.arena = a}, .entity_numbers = {.arena = a}};
	const struct node *start = node_find(d, principal);
	size_t i;
	int r;

	if (start == NULL || start->kind == NODE_ENTITY ||
	    !node_valid(start, at_ms))
		return ERR_MISSING;
	if ((r = reach(&w, start, 0, CONTROL_LOCATION, NULL, 0)) != 0)
		return r;
	for (i = 0; i < w.n; i++)	/* w.n grows on the way */
		if ((r = expand(&w, (uint32_t)i)) != 0)
			return r;
	if ((r = find_owners(&w)) != 0 ||
	    (r = offer_all(&w, seen_at, n_seen_at)) != 0)
		return r;
	return make_control(&w, seen_at, n_seen_at, ret);
}

const struct control_path *
control_find(const struct control *c, const char *label, unsigned allowed)
{
	size_t low = 0, high = c->n, mid = 0, i;
	int cmp = 1;

	while (low < high && cmp != 0) {
		mid = low + (high - low) / 2;
		cmp = strcmp(label, c->members[mid].label);
		if (cmp < 0)
			high = mid;
		else if (cmp > 0)
			low = mid + 1;
	}
	if (cmp != 0)
		return NULL;
	/* They stand from the shortest on. */
	for (i = 0; i < c->members[mid].n_paths; i++)
		if (within(c->members[mid].paths[i].kinds, allowed))
			return &c->members[mid].paths[i];
	return NULL;
}

void
control_path_text(struct buf *out, const struct control_path *p)
{
	size_t i;

	buf_str(out, "you");
	for (i = 0; i < p->n; i++) {
		buf_str(out, " \xe2\x86\x92 ");
		buf_str(out, p->steps[i].text);
	}
}

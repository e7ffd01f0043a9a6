/*
 * First the holders above the entities asked for are numbered, and the edges
 * between them gathered. Then, for one label after the other, whoever is of
 * the label enters a queue, hands its shares down, and so lets in whoever
 * crosses the threshold: every edge is looked at once a label. The same is
 * done with all doubtful shares added, for the label and for a fresh one
 * that nobody in the directory has; the difference is what is not known.
 */
#include "directory/ownership.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "directory/control.h"
#include "directory/facts.h"
#include "directory/seen.h"

#define NOBODY UINT32_MAX

struct holder {
	const struct node *node;
	const char **labels;	/* where it is, by itself */
	size_t n_labels;
	bool vague;		/* where it is, is not known */
	uint64_t rest;		/* entity: the share nobody is known to hold */
	uint32_t first, n;	/* its edges, as owner */
};

struct edge {
	uint32_t owner, owned;
	uint32_t share;
};

struct walk {
	const struct directory *d;
	int64_t at_ms;
	struct arena *arena;		/* for the way */
	struct arena *kept;		/* for the steps of answers */
	struct issuers *issuers;
	struct seen seen;
	struct holder *holders;
	size_t n, cap;
	struct edge *edges;
	size_t n_edges, cap_edges;
	const char **labels;	/* of all holders, sorted, distinct */
	size_t n_labels;
	/* Of the label looked at: */
	uint64_t *sum;
	bool *in, *may;		/* owned or of the label; or possibly so */
	uint32_t *queue;
	uint32_t *next;		/* the owner on a shortest chain */
};

int
issuers_add(struct arena *a, struct issuers *s, const char *issuer)
{
	const char **items;

	/* Most facts have the file's issuer: do not repeat the last one. */
	if (s->n > 0 && s->items[s->n - 1] == issuer)
		return 0;
	if ((items = seen_grow(a, s->items, s->n, &s->cap,
	    sizeof(*items))) == NULL)
		return ERR_MEMORY;
	s->items = items;
	s->items[s->n++] = issuer;
	return 0;
}

static int
holder_add(struct walk *w, const struct node *node, uint32_t *ret)
{
	struct holder *holders;
	int r;

	if ((*ret = seen_find(&w->seen, node)) != SEEN_NONE)
		return 0;
	holders = seen_grow(w->arena, w->holders, w->n, &w->cap,
	    sizeof(*holders));
	if (holders == NULL)
		return ERR_MEMORY;
	w->holders = holders;
	*ret = (uint32_t)w->n;
	if ((r = seen_put(&w->seen, node, *ret)) != 0)
		return r;
	memset(&w->holders[w->n], 0, sizeof(*w->holders));
	w->holders[w->n++].node = node;
	return 0;
}

static int
edge_add(struct walk *w, uint32_t owner, uint32_t owned, uint32_t share)
{
	struct edge *edges = seen_grow(w->arena, w->edges, w->n_edges,
	    &w->cap_edges, sizeof(*edges));

	if (edges == NULL)
		return ERR_MEMORY;
	w->edges = edges;
	w->edges[w->n_edges++] = (struct edge){owner, owned, share};
	return 0;
}

/* Where a holder is by itself: its labels, and whether they are all. */
static int
place_holder(struct walk *w, uint32_t i)
{
	const struct node *node = w->holders[i].node;
	const char **labels, *label;
	bool known = false, placed = false;
	size_t k, n = 0;

	labels = arena_array(w->arena, node->n_facts, sizeof(*labels));
	if (labels == NULL)
		return ERR_MEMORY;
	for (k = 0; k < node->n_facts; k++) {
		const struct fact *f = &node->facts[k];

		if (!fact_valid(f, w->at_ms))
			continue;
		if (f->kind == FACT_SITE)
			label = f->site->country;
		else if (f->kind == FACT_COUNTRY || f->kind == FACT_PLACE ||
		    f->kind == FACT_NATIONALITY)
			label = f->text;
		else
			continue;
		if (f->kind == FACT_SITE || f->kind == FACT_COUNTRY)
			known = true;
		placed |= f->kind == FACT_PLACE;
		if (issuers_add(w->arena, w->issuers, f->warrant->issuer) != 0)
			return ERR_MEMORY;
		labels[n++] = label;
	}
	w->holders[i].labels = labels;
	w->holders[i].n_labels = n;
	w->holders[i].vague = !known || (w->d->doubts_places && !placed &&
	    node->kind == NODE_ENTITY);
	return 0;
}

static int
add_owners(struct walk *w, uint32_t i)
{
	const struct node *node = w->holders[i].node;
	uint64_t known = 0;
	uint32_t owner;
	size_t k;
	int r;

	for (k = 0; k < node->n_facts; k++) {
		const struct fact *f = &node->facts[k];

		if (f->kind != FACT_OWNER || !fact_valid(f, w->at_ms))
			continue;
		known += f->share;
		if (f->share == 0)
			continue;
		if ((r = issuers_add(w->arena, w->issuers, f->warrant->issuer)) != 0 ||
		    (r = holder_add(w, f->node, &owner)) != 0 ||
		    (r = edge_add(w, owner, i, f->share)) != 0)
			return r;
	}
	if (known < SHARE_WHOLE &&
	    !(node->dispersed && node_valid(node, w->at_ms)))
		w->holders[i].rest = SHARE_WHOLE - known;
	return 0;
}

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
gather_labels(struct walk *w)
{
	size_t i, j, n = 0, kept = 0;

	for (i = 0; i < w->n; i++)
		n += w->holders[i].n_labels;
	w->labels = arena_array(w->arena, n, sizeof(*w->labels));
	if (w->labels == NULL)
		return ERR_MEMORY;
	for (i = n = 0; i < w->n; i++)
		for (j = 0; j < w->holders[i].n_labels; j++)
			w->labels[n++] = w->holders[i].labels[j];
	qsort(w->labels, n, sizeof(*w->labels), compare_texts);
	for (i = 0; i < n; i++)
		if (kept == 0 ||
		    strcmp(w->labels[kept - 1], w->labels[i]) != 0)
			w->labels[kept++] = w->labels[i];
	w->n_labels = kept;
	return 0;
}

/* Puts the edges of one owner together, in the order they were found. */
static int
group_edges(struct walk *w)
{
	struct edge *edges;
	uint32_t at = 0;
	size_t i;

	edges = arena_array(w->arena, w->n_edges, sizeof(*edges));
	if (edges == NULL)
		return ERR_MEMORY;
	for (i = 0; i < w->n_edges; i++)
		w->holders[w->edges[i].owner].n++;
	for (i = 0; i < w->n; i++) {
		w->holders[i].first = at;
		at += w->holders[i].n;
		w->holders[i].n = 0;
	}
	for (i = 0; i < w->n_edges; i++) {
		struct holder *h = &w->holders[w->edges[i].owner];

		edges[h->first + h->n++] = w->edges[i];
	}
	w->edges = edges;
	return 0;
}

static int
gather(struct walk *w, const struct node *const *entities, size_t n)
{
	uint32_t number;
	size_t i;
	int r;

	for (i = 0; i < n; i++)
		if ((r = holder_add(w, entities[i], &number)) != 0)
			return r;
	for (i = 0; i < w->n; i++) {	/* w->n grows on the way */
		if ((r = place_holder(w, (uint32_t)i)) != 0)
			return r;
		if (w->holders[i].node->kind == NODE_ENTITY &&
		    (r = add_owners(w, (uint32_t)i)) != 0)
			return r;
	}
	if ((r = gather_labels(w)) != 0 || (r = group_edges(w)) != 0)
		return r;
	w->sum = arena_array(w->arena, w->n, sizeof(*w->sum));
	w->in = arena_array(w->arena, w->n, sizeof(*w->in));
	w->may = arena_array(w->arena, w->n, sizeof(*w->may));
	w->queue = arena_array(w->arena, w->n, sizeof(*w->queue));
	w->next = arena_array(w->arena, w->n, sizeof(*w->next));
	if (w->sum == NULL || w->in == NULL || w->may == NULL ||
	    w->queue == NULL || w->next == NULL)
		return ERR_MEMORY;
	return 0;
}

/* By itself; label NULL is the fresh one. */
static bool
is_in(const struct holder *h, const char *label)
{
	size_t i;

	for (i = 0; label != NULL && i < h->n_labels; i++)
		if (strcmp(h->labels[i], label) == 0)
			return true;
	return false;
}

/* The least fixed point; with `doubt` all that is not known counts. */
static void
spread(struct walk *w, const char *label, bool doubt, bool *in)
{
	size_t i, head, tail = 0;

	for (i = 0; i < w->n; i++) {
		const struct holder *h = &w->holders[i];

		w->sum[i] = doubt ? h->rest : 0;
		in[i] = is_in(h, label) || (doubt && h->vague) ||
		    w->sum[i] >= w->d->threshold;
		if (in[i])
			w->queue[tail++] = (uint32_t)i;
	}
	for (head = 0; head < tail; head++) {
		const struct holder *h = &w->holders[w->queue[head]];

		for (i = h->first; i < (size_t)h->first + h->n; i++) {
			const struct edge *e = &w->edges[i];

			w->sum[e->owned] += e->share;
			if (in[e->owned] ||
			    w->sum[e->owned] < w->d->threshold)
				continue;
			in[e->owned] = true;
			w->queue[tail++] = e->owned;
		}
	}
}

/* For everybody that is of the label, the next owner on a shortest chain. */
static void
find_chains(struct walk *w, const char *label)
{
	size_t i, head, tail = 0;

	for (i = 0; i < w->n; i++) {
		w->next[i] = NOBODY;
		if (is_in(&w->holders[i], label)) {
			w->next[i] = (uint32_t)i;	/* its end */
			w->queue[tail++] = (uint32_t)i;
		}
	}
	for (head = 0; head < tail; head++) {
		const struct holder *h = &w->holders[w->queue[head]];

		for (i = h->first; i < (size_t)h->first + h->n; i++) {
			uint32_t owned = w->edges[i].owned;

			if (!w->in[owned] || w->next[owned] != NOBODY)
				continue;
			w->next[owned] = w->queue[head];
			w->queue[tail++] = owned;
		}
	}
}

static bool
is_located(const struct walk *w, const struct node *n, const char *label)
{
	size_t i;

	for (i = 0; i < n->n_facts; i++)
		if (n->facts[i].kind == FACT_SITE &&
		    fact_valid(&n->facts[i], w->at_ms) &&
		    strcmp(n->facts[i].site->country, label) == 0)
			return true;
	return false;
}

static int
owned_add(struct walk *w, struct owned_list *list, const char *label,
    struct control_step *steps, size_t n)
{
	struct owned *items = seen_grow(w->arena, list->items, list->n,
	    &list->cap, sizeof(*items));

	if (items == NULL)
		return ERR_MEMORY;
	list->items = items;
	list->items[list->n++] = (struct owned){label, steps, n};
	return 0;
}

static int
add_chain(struct walk *w, uint32_t i, const char *label,
    struct owned_list *list)
{
	struct control_step *steps;
	const struct node *node;
	size_t n = 1, k = 0;
	uint32_t at;

	for (at = i; w->next[at] != at; at = w->next[at])
		n++;
	if ((steps = arena_array(w->kept, n, sizeof(*steps))) == NULL)
		return ERR_MEMORY;
	for (at = i; w->next[at] != at; k++) {
		at = w->next[at];
		node = w->holders[at].node;
		steps[k].kind = CONTROL_OWNERSHIP;
		steps[k].to = node->id;
		steps[k].text = arena_fmt(w->kept, "owned by %s", node->name);
		if (steps[k].text == NULL)
			return ERR_MEMORY;
	}
	node = w->holders[at].node;
	steps[k].kind = CONTROL_OWNERSHIP;
	steps[k].to = label;
	steps[k].text = arena_fmt(w->kept, "%s %s",
	    node->kind == NODE_ENTITY ? "which is in" :
	    is_located(w, node, label) ? "located in" : "a national of",
	    label);
	if (steps[k].text == NULL)
		return ERR_MEMORY;
	return owned_add(w, list, label, steps, n);
}

static int
add_unknown(struct walk *w, struct owned_list *list)
{
	struct control_step *step = arena_alloc(w->kept, sizeof(*step));

	if (step == NULL)
		return ERR_MEMORY;
	step->kind = CONTROL_OWNERSHIP;
	step->to = CONTROL_UNKNOWN;
	step->text = "whose owners are not all known";
	return owned_add(w, list, CONTROL_UNKNOWN, step, 1);
}

int
ownership_of(const struct directory *d, int64_t at_ms,
    const struct node *const *entities, size_t n, struct arena *kept,
    struct arena *a, struct issuers *issuers, struct owned_list *ret)
{
	struct walk w = {.d = d, .at_ms = at_ms, .arena = a, .kept = kept,
	    .issuers = issuers, .seen = {.arena = a}};
	bool *doubtful;
	size_t i, l;
	int r;

	if ((r = gather(&w, entities, n)) != 0)
		return r;
	if ((doubtful = arena_array(a, n, sizeof(*doubtful))) == NULL)
		return ERR_MEMORY;
	for (l = 0; l <= w.n_labels; l++) {
		const char *label = l < w.n_labels ? w.labels[l] : NULL;

		spread(&w, label, false, w.in);
		spread(&w, label, true, w.may);
		if (label != NULL)
			find_chains(&w, label);
		/* The entities asked for have the first n numbers. */
		for (i = 0; i < n; i++) {
			if (is_in(&w.holders[i], label))
				continue;
			if (w.in[i] && (r = add_chain(&w, (uint32_t)i, label,
			    &ret[i])) != 0)
				return r;
			doubtful[i] |= w.may[i] && !w.in[i];
		}
	}
	for (i = 0; i < n; i++)
		if (doubtful[i] && (r = add_unknown(&w, &ret[i])) != 0)
			return r;
	return 0;
}

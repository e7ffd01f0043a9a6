/*
 * Nodes above the one asked about are walked depth first, with a stack of
 * our own since a reporting line may be long. A node is combined from its
 * targets when the walk leaves it. Nodes that reach each other in a circle
 * are found as Tarjan does, and combined again and again until nothing
 * changes: ends only get better, so that stops. Its last round finds all
 * ends in their final places, so `at` is right in circles, too.
 */
#include "directory/closure.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "directory/ownership.h"

/* A node on the walk, and which of its facts is looked at next. */
struct frame {
	uint32_t entry;
	uint32_t fact;
};

enum word {
	WORD_LOCATED,
	WORD_COUNTRY,
	WORD_PLACE,
};

/* What a node should have, and what it means if nothing is known. */
static const struct missing {
	enum fact_kind fact;
	unsigned nodes;
	enum control_kind kind;	/* 0: of the edge that reached it */
	struct control_step step;
} missing[] = {
	{FACT_SITE, NODE_PERSON | NODE_SERVICE, CONTROL_LOCATION,
	    {CONTROL_LOCATION, CONTROL_UNKNOWN, "location not known"}},
	{FACT_EMPLOYER, NODE_PERSON, CONTROL_EMPLOYMENT,
	    {CONTROL_EMPLOYMENT, CONTROL_UNKNOWN, "employer not known"}},
	{FACT_MANAGER, NODE_PERSON, CONTROL_FORMAL,
	    {CONTROL_FORMAL, CONTROL_UNKNOWN, "manager not known"}},
	{FACT_OPERATOR, NODE_SERVICE, CONTROL_KEEPING,
	    {CONTROL_KEEPING, CONTROL_UNKNOWN, "operator not known"}},
	{FACT_KEEPER, NODE_SERVICE, CONTROL_KEEPING,
	    {CONTROL_KEEPING, CONTROL_UNKNOWN,
	    "keepers of its credentials not known"}},
	{FACT_COUNTRY, NODE_ENTITY, 0,
	    {CONTROL_EMPLOYMENT, CONTROL_UNKNOWN,
	    "whose country is not known"}},
	{FACT_PLACE, NODE_ENTITY, 0,
	    {CONTROL_EMPLOYMENT, CONTROL_UNKNOWN,
	    "whose principal place of business is not known"}},
};

unsigned
edge_kind(unsigned fact_kind)
{
	switch ((enum fact_kind)fact_kind) {
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

/* --- ends --- */

void
ends_begin(struct closure *c)
{
	size_t i;

	for (i = 0; i < c->made.n; i++)
		c->heads[c->made.items[i].label] = 0;
	c->made.n = 0;
}

static int
ends_grow(struct closure *c)
{
	struct end *items;
	uint32_t *next;

	items = seen_grow(c->kept, c->made.items, c->made.n, &c->made.cap,
	    sizeof(*items));
	next = seen_grow(c->kept, c->next, c->made.n, &c->cap_next,
	    sizeof(*next));
	if (items == NULL || next == NULL)
		return ERR_MEMORY;
	c->made.items = items;
	c->next = next;
	return 0;
}

/* One that is superfluous now gives its place to the new one. */
int
ends_add(struct closure *c, const struct end *e)
{
	uint32_t i, place = 0;
	int r;

	for (i = c->heads[e->label]; i != 0; i = c->next[i - 1]) {
		const struct end *o = &c->made.items[i - 1];

		if ((o->kinds & ~e->kinds) == 0 && o->len <= e->len)
			return 0;
		if ((e->kinds & ~o->kinds) == 0 && e->len <= o->len) {
			if (place == 0)
				place = i;
			else	/* never chosen, and no end of a path */
				c->made.items[i - 1].len = UINT32_MAX;
		}
	}
	if (place != 0) {
		c->made.items[place - 1] = *e;
		return 0;
	}
	if ((r = ends_grow(c)) != 0)
		return r;
	c->made.items[c->made.n] = *e;
	c->next[c->made.n] = c->heads[e->label];
	c->heads[e->label] = (uint32_t)++c->made.n;
	return 0;
}

/* Takes out what became superfluous. */
static void
ends_close(struct closure *c)
{
	struct end *items = c->made.items;
	size_t i, n = 0;

	for (i = 0; i < c->made.n; i++)
		c->heads[items[i].label] = 0;
	for (i = 0; i < c->made.n; i++)
		if (items[i].len != UINT32_MAX)
			items[n++] = items[i];
	c->made.n = n;
}

/* "located in CN": one step, made once for each label. */
static const struct control_step *
word_step(struct closure *c, enum word word, uint32_t label)
{
	static const struct {
		enum control_kind kind;
		const char *text;
	} of[] = {
		[WORD_LOCATED] = {CONTROL_LOCATION, "located in"},
		[WORD_COUNTRY] = {CONTROL_EMPLOYMENT, "which is in"},
		[WORD_PLACE] = {CONTROL_EMPLOYMENT,
		    "which does its business in"},
	};
	struct control_step *s;

	if (c->words[word] == NULL && (c->words[word] = arena_array(c->kept,
	    c->d->n_labels, sizeof(*s))) == NULL)
		return NULL;
	s = &c->words[word][label];
	if (s->text != NULL)
		return s;
	s->kind = of[word].kind;
	s->to = c->d->labels[label];
	s->text = arena_fmt(c->kept, "%s %s", of[word].text, s->to);
	return s->text != NULL ? s : NULL;
}

static int
add_word(struct closure *c, enum word word, uint32_t label, unsigned kinds)
{
	struct end e = { .label = label, .len = 1, .kinds = (uint8_t)kinds,
	    .own = true, .tail = word_step(c, word, label) };

	return e.tail != NULL ? ends_add(c, &e) : ERR_MEMORY;
}

static int
add_missing(struct closure *c, const struct node *node, unsigned known)
{
	struct end e = { .label = (uint32_t)c->d->n_labels, .len = 1,
	    .own = true };
	size_t i;
	int r;

	for (i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
		if ((missing[i].nodes & node->kind) == 0 ||
		    (known & 1u << missing[i].fact) != 0 ||
		    (missing[i].fact == FACT_PLACE && !c->d->doubts_places))
			continue;
		e.kinds = (uint8_t)missing[i].kind;
		e.tail = &missing[i].step;
		if ((r = ends_add(c, &e)) != 0)
			return r;
	}
	return 0;
}

/* A node's own facts, and what it should have. */
static int
add_own(struct closure *c, const struct node *node)
{
	unsigned known = 0;	/* set of 1 << enum fact_kind */
	size_t i;
	int r = 0;

	for (i = 0; i < node->n_facts && r == 0; i++) {
		const struct fact *f = &node->facts[i];

		if (!fact_valid(f, c->at_ms))
			continue;
		known |= 1u << f->kind;
		if (f->kind == FACT_SITE)
			r = add_word(c, WORD_LOCATED, f->label,
			    CONTROL_LOCATION);
		else if (f->kind == FACT_COUNTRY)
			r = add_word(c, WORD_COUNTRY, f->label, 0);
		else if (f->kind == FACT_PLACE)
			r = add_word(c, WORD_PLACE, f->label, 0);
	}
	return r != 0 ? r : add_missing(c, node, known);
}

static int
add_above(struct closure *c)
{
	struct end e = { .own = false };
	unsigned kind;
	size_t i, k;
	int r;

	for (i = 0; i < c->n_above; i++) {
		const struct ends *ends = &c->entries[c->above[i].entry].ends;

		e.edge = c->above[i].edge;
		e.entry = c->above[i].entry;
		kind = edge_kind(e.edge->kind);
		for (k = 0; k < ends->n; k++) {
			e.label = ends->items[k].label;
			e.len = ends->items[k].len + 1;
			e.kinds = ends->items[k].kinds | (uint8_t)kind;
			e.at = (uint32_t)k;
			if ((r = ends_add(c, &e)) != 0)
				return r;
		}
	}
	return 0;
}

/* --- issuers --- */

static int
compare_issuers(const char *a, const char *b)
{
	return a == b ? 0 : strcmp(a, b);
}

static bool
has_all(const struct issuer_set *s, const struct issuer_set *of)
{
	size_t i, k = 0;

	for (i = 0; i < of->n; i++, k++) {
		while (k < s->n && compare_issuers(s->items[k],
		    of->items[i]) < 0)
			k++;
		if (k == s->n || compare_issuers(s->items[k],
		    of->items[i]) != 0)
			return false;
	}
	return true;
}

/* *s and `more`, in *s; shared if one has the other. */
static int
join(struct closure *c, struct issuer_set *s, const struct issuer_set *more)
{
	size_t i = 0, k = 0, n = 0;
	const char **items;
	int cmp;

	if (s->items == more->items || has_all(s, more))
		return 0;
	if (has_all(more, s)) {
		*s = *more;
		return 0;
	}
	if ((items = arena_array(c->kept, s->n + more->n,
	    sizeof(*items))) == NULL)
		return ERR_MEMORY;
	while (i < s->n || k < more->n) {
		cmp = i == s->n ? 1 : k == more->n ? -1 :
		    compare_issuers(s->items[i], more->items[k]);
		items[n++] = cmp <= 0 ? s->items[i] : more->items[k];
		i += cmp <= 0;
		k += cmp >= 0;
	}
	*s = (struct issuer_set){items, n};
	return 0;
}

static int
join_one(struct closure *c, struct issuer_set *s, const char *issuer)
{
	struct issuer_set one = {&issuer, 1};
	const char **items;

	if (has_all(s, &one))
		return 0;
	if (s->n > 0)
		return join(c, s, &one);
	if ((items = arena_alloc(c->kept, sizeof(*items))) == NULL)
		return ERR_MEMORY;
	*items = issuer;
	*s = (struct issuer_set){items, 1};
	return 0;
}

/* Of the facts that were looked at, of the node and above. */
static int
join_all(struct closure *c, const struct node *node, struct issuer_set *s)
{
	size_t i;
	int r;

	for (i = 0; i < c->n_above; i++)
		if ((r = join(c, s,
		    &c->entries[c->above[i].entry].issuers)) != 0)
			return r;
	for (i = 0; i < node->n_facts; i++) {
		const struct fact *f = &node->facts[i];

		if (fact_valid(f, c->at_ms) && (f->kind == FACT_SITE ||
		    edge_kind(f->kind) != 0) &&
		    (r = join_one(c, s, f->warrant->issuer)) != 0)
			return r;
	}
	return 0;
}

/* --- nodes --- */

/* Whether a fact leads to somebody now. */
static bool
is_edge(const struct closure *c, const struct fact *f)
{
	return edge_kind(f->kind) != 0 && f->node != NULL &&
	    fact_valid(f, c->at_ms);
}

/* All of them have entries. */
static int
list_above(struct closure *c, const struct node *node)
{
	struct above *above;
	size_t i;

	c->n_above = 0;
	for (i = 0; i < node->n_facts; i++) {
		if (!is_edge(c, &node->facts[i]))
			continue;
		above = seen_grow(c->kept, c->above, c->n_above,
		    &c->cap_above, sizeof(*above));
		if (above == NULL)
			return ERR_MEMORY;
		c->above = above;
		above[c->n_above++] = (struct above){&node->facts[i],
		    seen_find(&c->seen, node->facts[i].node)};
	}
	return 0;
}

int
closure_ends(struct closure *c, const struct node *node,
    struct issuer_set *issuers)
{
	int r;

	if ((r = add_own(c, node)) != 0 || (r = add_above(c)) != 0 ||
	    (r = join_all(c, node, issuers)) != 0)
		return r;
	ends_close(c);
	return 0;
}

/* Who owns an entity. */
static int
add_owners(struct closure *c, const struct node *node, struct issuer_set *s)
{
	struct issuers issuers = { .items = NULL };
	struct owned_list owned = { .items = NULL };
	struct end e = { .kinds = CONTROL_OWNERSHIP, .own = true };
	size_t i;
	int r;

	if (c->scratch != c->kept)
		arena_reset(c->scratch);
	if ((r = ownership_of(c->d, c->at_ms, &node, 1, c->kept, c->scratch,
	    &issuers, &owned)) != 0)
		return r;
	for (i = 0; i < issuers.n; i++)
		if ((r = join_one(c, s, issuers.items[i])) != 0)
			return r;
	for (i = 0; i < owned.n; i++) {
		e.label = label_find(c->d, owned.items[i].label);
		if (e.label == LABEL_NONE)
			e.label = (uint32_t)c->d->n_labels;
		e.len = (uint32_t)owned.items[i].n;
		e.tail = owned.items[i].steps;
		if ((r = ends_add(c, &e)) != 0)
			return r;
	}
	return 0;
}

/* Whether what was made is what the entry has, but for the edges taken. */
static bool
is_same(const struct ends *a, const struct ends *b)
{
	size_t i;

	for (i = 0; i < a->n && a->n == b->n; i++)
		if (a->items[i].label != b->items[i].label ||
		    a->items[i].len != b->items[i].len ||
		    a->items[i].kinds != b->items[i].kinds)
			return false;
	return a->n == b->n;
}

static int
compare_ends(const void *a, const void *b)
{
	const struct end *x = a, *y = b;

	if (x->label != y->label)
		return x->label < y->label ? -1 : 1;
	if (x->kinds != y->kinds)
		return x->kinds < y->kinds ? -1 : 1;
	return (x->len > y->len) - (x->len < y->len);
}

static int
keep(struct closure *c, struct ends *to)
{
	if (c->made.n > to->cap) {
		to->cap = c->made.n;
		if ((to->items = arena_array(c->kept, to->cap,
		    sizeof(*to->items))) == NULL)
			return ERR_MEMORY;
	}
	to->n = c->made.n;
	if (to->n > 0)
		memcpy(to->items, c->made.items, to->n * sizeof(*to->items));
	c->made.n = 0;
	return 0;
}

/* Combines an entry from its targets; `circle`: in a comparable order. */
static int
combine(struct closure *c, uint32_t i, bool circle, bool *changed)
{
	const struct node *node = c->entries[i].node;
	struct issuer_set issuers = c->entries[i].issuers;
	int r;

	ends_begin(c);
	if (node->kind == NODE_ENTITY && ((r = add_own(c, node)) != 0 ||
	    (r = add_owners(c, node, &issuers)) != 0))
		return r;
	if (node->kind == NODE_ENTITY)
		ends_close(c);
	else if ((r = list_above(c, node)) != 0 ||
	    (r = closure_ends(c, node, &issuers)) != 0)
		return r;
	if (circle)
		qsort(c->made.items, c->made.n, sizeof(*c->made.items),
		    compare_ends);
	*changed |= issuers.n != c->entries[i].issuers.n ||
	    !is_same(&c->made, &c->entries[i].ends);
	c->entries[i].issuers = issuers;
	return keep(c, &c->entries[i].ends);
}

/* --- the walk --- */

static int
enter(struct closure *c, const struct node *node)
{
	struct entry *entries = seen_grow(c->kept, c->entries, c->n, &c->cap,
	    sizeof(*entries));
	struct frame *frames = seen_grow(c->kept, c->frames, c->n_frames,
	    &c->cap_frames, sizeof(*frames));
	uint32_t *stack = seen_grow(c->kept, c->stack, c->n_stack,
	    &c->cap_stack, sizeof(*stack));

	if (entries == NULL || frames == NULL || stack == NULL)
		return ERR_MEMORY;
	c->entries = entries;
	c->frames = frames;
	c->stack = stack;
	memset(&entries[c->n], 0, sizeof(*entries));
	entries[c->n].node = node;
	entries[c->n].order = entries[c->n].low = ++c->order;
	entries[c->n].on_stack = true;
	frames[c->n_frames++] = (struct frame){(uint32_t)c->n, 0};
	stack[c->n_stack++] = (uint32_t)c->n;
	return seen_put(&c->seen, node, (uint32_t)c->n++);
}

/* Whether one that reaches no other reaches itself. */
static bool
has_loop(const struct node *node)
{
	size_t i;

	for (i = 0; i < node->n_facts; i++)
		if (edge_kind(node->facts[i].kind) != 0 &&
		    node->facts[i].node == node)
			return true;
	return false;
}

/* All that stands on the stack from here on reaches each other. */
static int
finish(struct closure *c, uint32_t first)
{
	size_t from = c->n_stack, i;
	bool circle, changed = true;
	int r;

	do
		from--;
	while (c->stack[from] != first);
	circle = c->n_stack - from > 1 || has_loop(c->entries[first].node);
	while (changed) {
		changed = false;
		for (i = c->n_stack; i-- > from; )
			if ((r = combine(c, c->stack[i], circle,
			    &changed)) != 0)
				return r;
		changed &= circle;
	}
	for (i = from; i < c->n_stack; i++) {
		c->entries[c->stack[i]].on_stack = false;
		c->entries[c->stack[i]].done = true;
	}
	c->n_stack = from;
	return 0;
}

/* The next target of a node that the walk has not left; NULL: none is. */
static const struct node *
next_target(struct closure *c, struct frame *frame)
{
	const struct entry *e = &c->entries[frame->entry];

	while (frame->fact < e->node->n_facts) {
		const struct fact *f = &e->node->facts[frame->fact++];

		if (is_edge(c, f))
			return f->node;
	}
	return NULL;
}

static void
lower(struct closure *c, uint32_t i, uint32_t low)
{
	if (low < c->entries[i].low)
		c->entries[i].low = low;
}

static int
walk(struct closure *c, const struct node *start)
{
	const struct node *target;
	uint32_t i, seen;
	int r;

	if ((r = enter(c, start)) != 0)
		return r;
	while (c->n_frames > 0) {
		i = c->frames[c->n_frames - 1].entry;
		target = next_target(c, &c->frames[c->n_frames - 1]);
		if (target != NULL) {
			seen = seen_find(&c->seen, target);
			if (seen == SEEN_NONE && (r = enter(c, target)) != 0)
				return r;
			if (seen != SEEN_NONE && c->entries[seen].on_stack)
				lower(c, i, c->entries[seen].order);
			continue;
		}
		c->n_frames--;
		if (c->entries[i].low == c->entries[i].order &&
		    (r = finish(c, i)) != 0)
			return r;
		if (c->n_frames > 0)
			lower(c, c->frames[c->n_frames - 1].entry,
			    c->entries[i].low);
	}
	return 0;
}

int
closure_above(struct closure *c, const struct node *node)
{
	size_t i;
	int r;

	for (i = 0; i < node->n_facts; i++)
		if (is_edge(c, &node->facts[i]) &&
		    seen_find(&c->seen, node->facts[i].node) == SEEN_NONE &&
		    (r = walk(c, node->facts[i].node)) != 0)
			return r;
	return list_above(c, node);
}

const char *
closure_text(struct closure *c, const struct end *end)
{
	static const char *const words[CLOSURE_WORDS] = {"employed by",
	    "contracted by", "reports to", "instructed by", "operated by",
	    "credentials kept by"};
	struct entry *e = &c->entries[end->entry];
	const struct fact *edge = end->edge;
	unsigned i = edge->kind == FACT_EMPLOYER ? edge->contractor :
	    edge->kind == FACT_MANAGER ? 2 :
	    edge->kind == FACT_INSTRUCTOR ? 3 :
	    edge->kind == FACT_OPERATOR ? 4 : 5;

	if (e->texts[i] == NULL)
		e->texts[i] = arena_fmt(c->kept, "%s %s", words[i],
		    edge->node->name);
	return e->texts[i];
}

int
closure_room(struct closure *c, size_t more)
{
	uint32_t *heads;
	size_t n = c->d->n_labels + 1 + more;

	if (n <= c->n_heads)
		return 0;
	if ((heads = arena_array(c->kept, n + 8, sizeof(*heads))) == NULL)
		return ERR_MEMORY;
	c->made.n = 0;
	c->heads = heads;
	c->n_heads = n + 8;
	return 0;
}

int
closure_init(struct closure *c, const struct directory *d, int64_t at_ms,
    struct arena *kept, struct arena *scratch)
{
	*c = (struct closure){ .d = d, .at_ms = at_ms, .kept = kept,
	    .scratch = scratch, .seen = { .arena = kept } };
	return closure_room(c, 0);
}

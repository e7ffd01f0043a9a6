/*
 * A control set is what directory/closure.h finds for the principal, written
 * out: of all ends of a label those with minimal kinds remain, each with the
 * path that its edges make.
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
#include "directory/closure.h"
#include "directory/directory.h"
#include "directory/facts.h"
#include "directory/ownership.h"

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

struct control_batch {
	struct closure closure;
	struct arena *kept, *scratch;
};

/* One control set in the making. */
struct making {
	struct closure *c;
	struct arena *arena;
	const struct node *who;
	const char *const *seen_at;
	size_t n_seen_at;
	struct issuer_set issuers;
	struct end *ends;
	size_t n;
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

static const char *
label_text(const struct making *m, uint32_t label)
{
	size_t n = m->c->d->n_labels;

	return label < n ? m->c->d->labels[label] :
	    label == n ? CONTROL_UNKNOWN : m->seen_at[label - n - 1];
}

/* A place may be a country that no fact names; it then gets a number here. */
static uint32_t
label_number(const struct making *m, size_t i)
{
	size_t n = m->c->d->n_labels, k;
	uint32_t label;

	if (strcmp(m->seen_at[i], CONTROL_UNKNOWN) == 0)
		return (uint32_t)n;
	if ((label = label_find(m->c->d, m->seen_at[i])) != LABEL_NONE)
		return label;
	for (k = 0; strcmp(m->seen_at[k], m->seen_at[i]) != 0; k++)
		continue;
	return (uint32_t)(n + 1 + k);
}

/* Where the session comes from: the first ends of all. */
static int
add_seen(struct making *m)
{
	struct end e = { .len = 1, .kinds = CONTROL_LOCATION, .own = true };
	struct control_step *step;
	size_t i;
	int r;

	for (i = 0; i < m->n_seen_at; i++) {
		e.label = label_number(m, i);
		if ((step = arena_alloc(m->arena, sizeof(*step))) == NULL)
			return ERR_MEMORY;
		step->kind = CONTROL_LOCATION;
		step->to = m->seen_at[i];
		step->text = e.label == m->c->d->n_labels ?
		    "connected from a network that belongs to no site" :
		    arena_fmt(m->arena, "connected from %s", m->seen_at[i]);
		if (step->text == NULL)
			return ERR_MEMORY;
		e.tail = step;
		if ((r = ends_add(m->c, &e)) != 0)
			return r;
	}
	return 0;
}

/* By label, then from the shortest, then by kinds. */
static bool
is_before(const struct making *m, const struct end *x, const struct end *y)
{
	size_t n = m->c->d->n_labels;

	if (x->label != y->label)
		return x->label < n && y->label < n ? x->label < y->label :
		    strcmp(label_text(m, x->label),
		    label_text(m, y->label)) < 0;
	if (x->len != y->len)
		return x->len < y->len;
	return x->kinds < y->kinds;
}

/* No other end of the label has fewer kinds. */
static bool
is_minimal(const struct end *ends, size_t n, size_t i)
{
	size_t k;

	for (k = 0; k < n; k++)
		if (k != i && ends[k].label == ends[i].label &&
		    within(ends[k].kinds, ends[i].kinds) &&
		    (ends[k].kinds != ends[i].kinds || k < i))
			return false;
	return true;
}

/* Those that stay, sorted; they are few. */
static int
choose(struct making *m)
{
	const struct ends *all = &m->c->made;
	struct end *ends;
	size_t i, k, first, n = 0;

	if ((ends = arena_array(m->arena, all->n, sizeof(*ends))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < all->n; i++) {
		for (k = i; k > 0 && is_before(m, &all->items[i],
		    &ends[k - 1]); k--)
			ends[k] = ends[k - 1];
		ends[k] = all->items[i];
	}
	for (i = first = 0; i < all->n; i++) {
		if (ends[i].label != ends[first].label)
			first = i;
		/* Those with fewer kinds may be longer: stand further on. */
		for (k = i; k < all->n && ends[k].label == ends[i].label; k++)
			continue;
		if (is_minimal(&ends[first], k - first, i - first))
			m->c->made.items[n++] = ends[i];
	}
	memcpy(ends, m->c->made.items, n * sizeof(*ends));
	m->ends = ends;
	m->n = n;
	return 0;
}

static int
make_path(struct making *m, const struct end *end, struct control_path *ret)
{
	const struct end *e = end;
	struct control_step *steps;
	enum control_kind via = CONTROL_LOCATION;
	size_t i;

	steps = arena_array(m->arena, end->len, sizeof(*steps));
	if (steps == NULL)
		return ERR_MEMORY;
	for (i = 0; !e->own; i++) {
		via = (enum control_kind)edge_kind(e->edge->kind);
		steps[i].kind = via;
		steps[i].to = e->edge->node->id;
		steps[i].text = closure_text(m->c, e);
		if (steps[i].text == NULL)
			return ERR_MEMORY;
		e = &m->c->entries[e->entry].ends.items[e->at];
	}
	memcpy(&steps[i], e->tail, e->len * sizeof(*steps));
	if (e->kinds == 0)	/* where an entity is, counts as its edge */
		steps[i].kind = via;
	*ret = (struct control_path){end->kinds, steps, end->len};
	return 0;
}

static int
make_members(struct making *m, struct control *c)
{
	struct control_member *members;
	struct control_path *paths;
	size_t i;
	int r;

	members = arena_array(m->arena, m->n, sizeof(*members));
	paths = arena_array(m->arena, m->n, sizeof(*paths));
	if (members == NULL || paths == NULL)
		return ERR_MEMORY;
	for (i = 0; i < m->n; i++) {
		if ((r = make_path(m, &m->ends[i], &paths[i])) != 0)
			return r;
		if (i == 0 || m->ends[i].label != m->ends[i - 1].label)
			members[c->n++] = (struct control_member){
			    .label = label_text(m, m->ends[i].label),
			    .paths = &paths[i] };
		members[c->n - 1].n_paths++;
	}
	c->members = members;
	c->issuers = m->issuers.items;
	c->n_issuers = m->issuers.n;
	return 0;
}

static int
make(struct making *m, const struct control **ret)
{
	struct control *c;
	const char **seen;
	int r;

	c = arena_alloc(m->arena, sizeof(*c));
	seen = arena_array(m->arena, m->n_seen_at, sizeof(*seen));
	if (c == NULL || seen == NULL || closure_room(m->c, m->n_seen_at) != 0)
		return ERR_MEMORY;
	if (m->n_seen_at > 0)
		memcpy(seen, m->seen_at, m->n_seen_at * sizeof(*seen));
	c->seen_at = seen;
	c->n_seen_at = m->n_seen_at;
	if ((r = closure_above(m->c, m->who)) != 0)
		return r;
	ends_begin(m->c);
	if ((r = add_seen(m)) != 0 ||
	    (r = closure_ends(m->c, m->who, &m->issuers)) != 0 ||
	    (r = choose(m)) != 0 || (r = make_members(m, c)) != 0)
		return r;
	*ret = c;
	return 0;
}

static const struct node *
find_principal(const struct directory *d, const char *id, int64_t at_ms)
{
	const struct node *n = node_find(d, id);

	return n == NULL || n->kind == NODE_ENTITY ||
	    !node_valid(n, at_ms) ? NULL : n;
}

int
control_of(const struct directory *d, const char *principal, int64_t at_ms,
    const char *const *seen_at, size_t n_seen_at, struct arena *a,
    const struct control **ret)
{
	struct closure c;
	struct making m = { .c = &c, .arena = a, .seen_at = seen_at,
	    .n_seen_at = n_seen_at };
	int r;

	if ((m.who = find_principal(d, principal, at_ms)) == NULL)
		return ERR_MISSING;
	if ((r = closure_init(&c, d, at_ms, a, a)) != 0)
		return r;
	return make(&m, ret);
}

int
control_batch_new(const struct directory *d, int64_t at_ms,
    struct control_batch **ret)
{
	struct control_batch *b = calloc(1, sizeof(*b));

	if (b == NULL || (b->kept = arena_new()) == NULL ||
	    (b->scratch = arena_new()) == NULL ||
	    closure_init(&b->closure, d, at_ms, b->kept, b->scratch) != 0) {
		control_batch_free(b);
		return ERR_MEMORY;
	}
	*ret = b;
	return 0;
}

void
control_batch_free(struct control_batch *b)
{
	if (b == NULL)
		return;
	arena_free(b->kept);
	arena_free(b->scratch);
	free(b);
}

int
control_batch_of(struct control_batch *b, const char *principal,
    const char *const *seen_at, size_t n_seen_at, struct arena *a,
    const struct control **ret)
{
	struct making m = { .c = &b->closure, .arena = a, .seen_at = seen_at,
	    .n_seen_at = n_seen_at };

	m.who = find_principal(b->closure.d, principal, b->closure.at_ms);
	return m.who == NULL ? ERR_MISSING : make(&m, ret);
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

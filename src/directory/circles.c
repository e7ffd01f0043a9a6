/*
 * Sets of nodes that reach each other are found as Tarjan does, with a stack
 * of our own, since a line may be as long as the directory. Within a set the
 * first by id of those not reported before is the start of a search for the
 * way back to itself, breadth first.
 */
#include "directory/circles.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "directory/facts.h"

#define NOBODY UINT32_MAX

struct search {
	const struct directory *d;
	int64_t at_ms;
	struct arena *arena;
	unsigned edges;		/* set of 1 << enum fact_kind */
	const char *what;
	circle_fn *fn;
	void *arg;
	uint32_t *order, *low;	/* by node; order 0: not met */
	uint32_t *set;		/* by node: its finished set, from 1 on */
	uint32_t *fact;		/* by node: where the walk goes on */
	uint32_t *from;		/* by node: whence it came, or NOBODY */
	uint32_t *stack, *queue;
	size_t n_stack;
	uint32_t met, sets;
	bool *told;		/* in a circle of the search before */
};

static uint32_t
number_of(const struct search *s, const struct node *n)
{
	return (uint32_t)(n - s->d->nodes);
}

/* The target of a node's edge number i; NOBODY if that is none. */
static uint32_t
target(const struct search *s, uint32_t node, uint32_t i)
{
	const struct fact *f = &s->d->nodes[node].facts[i];

	if ((s->edges & 1u << f->kind) == 0 || f->node == NULL ||
	    !fact_valid(f, s->at_ms) ||
	    (f->kind == FACT_OWNER && f->share == 0))
		return NOBODY;
	return number_of(s, f->node);
}

/* Back to `start` within its set; 0 if there is no way back. */
static size_t
way_back(struct search *s, uint32_t start, const char **ids)
{
	size_t head = 0, tail = 0, n = 0, k;
	uint32_t at = start, to, i;

	s->queue[tail++] = start;
	for (; head < tail; head++) {
		at = s->queue[head];
		for (i = 0; i < s->d->nodes[at].n_facts; i++) {
			to = target(s, at, i);
			if (to == start)
				goto found;
			if (to == NOBODY || s->set[to] != s->set[start] ||
			    s->from[to] != NOBODY)
				continue;
			s->from[to] = at;
			s->queue[tail++] = to;
		}
	}
	return 0;
found:
	for (; at != start; at = s->from[at])
		ids[n++] = s->d->nodes[at].id;
	ids[n++] = s->d->nodes[start].id;
	for (k = 0; k < n / 2; k++) {
		const char *id = ids[k];

		ids[k] = ids[n - 1 - k];
		ids[n - 1 - k] = id;
	}
	return n;
}

/* A set is finished: it stands on the stack from `first` on. */
static void
finish(struct search *s, uint32_t first)
{
	uint32_t i;

	s->sets++;
	do {
		i = s->stack[--s->n_stack];
		s->set[i] = s->sets;
	} while (i != first);
}

static void
enter(struct search *s, uint32_t i, uint32_t from)
{
	s->order[i] = s->low[i] = ++s->met;
	s->from[i] = from;
	s->stack[s->n_stack++] = i;
}

/* Where from[] leads back to the start of the walk. */
static void
walk(struct search *s, uint32_t at)
{
	uint32_t to, up;

	enter(s, at, NOBODY);
	while (at != NOBODY) {
		if (s->fact[at] < s->d->nodes[at].n_facts) {
			to = target(s, at, s->fact[at]++);
			if (to != NOBODY && s->order[to] == 0) {
				enter(s, to, at);
				at = to;
			} else if (to != NOBODY && s->set[to] == 0 &&
			    s->order[to] < s->low[at])
				s->low[at] = s->order[to];
			continue;
		}
		up = s->from[at];
		if (s->low[at] == s->order[at])
			finish(s, at);
		else if (s->low[at] < s->low[up])
			s->low[up] = s->low[at];
		at = up;
	}
}

/* Sets whose members are not all told already, each once. */
static int
tell(struct search *s)
{
	bool *done = arena_array(s->arena, (size_t)s->sets + 1, sizeof(*done));
	const char **ids = arena_array(s->arena, s->d->n_nodes + 1,
	    sizeof(*ids));
	size_t n;
	uint32_t i;
	int r;

	if (done == NULL || ids == NULL)
		return ERR_MEMORY;
	memset(s->from, 0xff, s->d->n_nodes * sizeof(*s->from));
	for (i = 0; i < s->d->n_nodes; i++) {
		if (done[s->set[i]] || s->told[i])
			continue;
		if ((n = way_back(s, i, ids)) == 0)
			continue;
		done[s->set[i]] = true;
		if ((r = s->fn(s->arg, s->what, ids, n)) != 0)
			return r;
	}
	for (i = 0; i < s->d->n_nodes; i++)
		s->told[i] = done[s->set[i]];
	return 0;
}

static int
search(struct search *s, const char *what, unsigned edges)
{
	size_t n = s->d->n_nodes * sizeof(uint32_t);
	uint32_t i;

	s->what = what;
	s->edges = edges;
	s->met = s->sets = 0;
	s->n_stack = 0;
	memset(s->order, 0, n);
	memset(s->set, 0, n);
	memset(s->fact, 0, n);
	for (i = 0; i < s->d->n_nodes; i++)
		if (s->order[i] == 0)
			walk(s, i);
	return tell(s);
}

static int
make_room(struct search *s)
{
	uint32_t **of[] = {&s->order, &s->low, &s->set, &s->fact, &s->from,
	    &s->stack, &s->queue};
	size_t i;

	for (i = 0; i < sizeof(of) / sizeof(of[0]); i++)
		if ((*of[i] = arena_array(s->arena, s->d->n_nodes + 1,
		    sizeof(uint32_t))) == NULL)
			return ERR_MEMORY;
	s->told = arena_array(s->arena, s->d->n_nodes + 1, sizeof(*s->told));
	return s->told == NULL ? ERR_MEMORY : 0;
}

int
circles_each(const struct directory *d, int64_t at_ms, struct arena *a,
    circle_fn *fn, void *arg)
{
	static const struct {
		const char *what;
		unsigned edges;
		bool after;	/* what was told just before is not told again */
	} of[] = {
		{"manager circle", 1u << FACT_MANAGER, false},
		{"circle of instruction", 1u << FACT_MANAGER |
		    1u << FACT_INSTRUCTOR, true},
		{"ownership circle", 1u << FACT_OWNER, false},
		{"keeping circle", 1u << FACT_KEEPER, false},
	};
	struct search s = { .d = d, .at_ms = at_ms, .arena = a, .fn = fn,
	    .arg = arg };
	size_t i;
	int r;

	if ((r = make_room(&s)) != 0)
		return r;
	for (i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		if (!of[i].after)
			memset(s.told, 0, d->n_nodes);
		if ((r = search(&s, of[i].what, of[i].edges)) != 0)
			return r;
	}
	return 0;
}

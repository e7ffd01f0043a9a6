#include "policy/ways.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "catalog/catalog.h"
#include "policy/rule.h"
#include "policy/sessions.h"

static bool
same_text(const char *x, const char *y)
{
	return x == y || (x != NULL && y != NULL && strcmp(x, y) == 0);
}

static bool
has_rule(const struct way *w, const char *rule)
{
	size_t i;

	for (i = 0; i < w->n_rules; i++)
		if (strcmp(w->rules[i], rule) == 0)
			return true;
	return false;
}

static bool
has_rules_of(const struct way *w, const struct way *other)
{
	size_t i;

	for (i = 0; i < other->n_rules; i++)
		if (!has_rule(w, other->rules[i]))
			return false;
	return true;
}

/* Whether a rule permits something of what a way reaches. */
static bool
permits(const struct ways *w, const struct way *way, const struct rule *r,
    const struct reach_session *q)
{
	const struct reach_space *s = w->space;
	const struct policy_request request =
	    reach_request(&s->stores[way->store], q);
	size_t i;

	if (r->verb != VERB_PERMIT || !rule_applies(r, rule_session(r,
	    &request)))
		return false;
	for (i = 0; i < s->n_cells; i++)
		if (way->levels[i] != TREAT_ABSENT &&
		    names_match(&r->tables, reach_table(s,
		    &s->cells[i])->full) &&
		    names_match(&r->categories, reach_column(s,
		    &s->cells[i])->category) &&
		    rule_applies_to(r, reach_residence(s, &s->cells[i]),
		    &request))
			return true;
	return false;
}

static int
make_way(struct ways *w, const struct reach_session *q, size_t store,
    const uint8_t *levels, struct way *ret)
{
	const struct reach_space *s = w->space;
	size_t i;

	*ret = (struct way){ .store = store, .purpose = q->purpose,
	    .ticket = q->ticket };
	ret->places = arena_array(w->a, w->sessions->n_places,
	    sizeof(*ret->places));
	ret->levels = arena_alloc(w->a, s->n_cells);
	ret->rules = arena_array(w->a, w->policy->n_rules,
	    sizeof(*ret->rules));
	if (ret->places == NULL || ret->levels == NULL || ret->rules == NULL)
		return ERR_MEMORY;
	ret->places[q->place] = true;
	ret->scope = reach_request(&s->stores[store], q).scope;
	ret->seen = 1;
	for (i = 0; i < s->n_cells; i++)
		if (s->cells[i].store == store && w->asked[i])
			ret->levels[i] = levels[i];
	for (i = 0; i < w->policy->n_rules; i++)
		if (permits(w, ret, &w->policy->rules[i], q))
			ret->rules[ret->n_rules++] = w->policy->rules[i].name;
	return 0;
}

/* The same but for the place and the time? */
static bool
is_same(const struct ways *w, const struct way *x, const struct way *y)
{
	return x->store == y->store && same_text(x->purpose, y->purpose) &&
	    same_text(x->ticket, y->ticket) && x->scope == y->scope &&
	    memcmp(x->levels, y->levels, w->space->n_cells) == 0 &&
	    has_rules_of(x, y) && has_rules_of(y, x);
}

static int
push(struct ways *w, const struct way *way, size_t place)
{
	struct way *items;
	size_t i;

	for (i = 0; i < w->n; i++)
		if (is_same(w, &w->items[i], way)) {
			w->items[i].places[place] = true;
			w->items[i].seen++;
			return 0;
		}
	if (w->n == w->cap) {
		w->cap = w->cap == 0 ? 16 : 2 * w->cap;
		items = arena_array(w->a, w->cap, sizeof(*items));
		if (items == NULL)
			return ERR_MEMORY;
		if (w->n > 0)
			memcpy(items, w->items, w->n * sizeof(*items));
		w->items = items;
	}
	w->items[w->n++] = *way;
	return 0;
}

int
ways_add(struct ways *w, const struct reach_session *q,
    const uint8_t *levels)
{
	const struct reach_space *s = w->space;
	size_t i, last = SIZE_MAX;
	struct way way;
	int r;

	for (i = 0; i < s->n_cells; i++) {
		if (levels[i] == TREAT_ABSENT || !w->asked[i] ||
		    s->cells[i].store == last)
			continue;
		last = s->cells[i].store;
		if ((r = make_way(w, q, last, levels, &way)) != 0 ||
		    (r = push(w, &way, q->place)) != 0)
			return r;
	}
	return 0;
}

static bool
states_no_more(const struct way *x, const struct way *y)
{
	return (x->purpose == NULL || same_text(x->purpose, y->purpose)) &&
	    (x->ticket == NULL || same_text(x->ticket, y->ticket)) &&
	    (x->scope == NULL || (y->scope != NULL &&
	    x->scope->n_residences <= y->scope->n_residences));
}

/* Whether y adds nothing to x. */
static bool
includes(const struct ways *w, const struct way *x, const struct way *y)
{
	size_t i;

	if (x->store != y->store || !states_no_more(x, y) ||
	    !has_rules_of(x, y) || !x->always)
		return false;
	for (i = 0; i < w->sessions->n_places; i++)
		if (y->places[i] && !x->places[i])
			return false;
	for (i = 0; i < w->space->n_cells; i++)
		if (y->levels[i] > x->levels[i])
			return false;
	return true;
}

static int
compare_ways(const void *a, const void *b)
{
	const struct way *x = a, *y = b;
	int c;

	if (x->store != y->store)
		return x->store < y->store ? -1 : 1;
	c = strcmp(x->purpose != NULL ? x->purpose : "",
	    y->purpose != NULL ? y->purpose : "");
	if (c == 0)
		c = strcmp(x->ticket != NULL ? x->ticket : "",
		    y->ticket != NULL ? y->ticket : "");
	return c;
}

/* Each place and time is one session. */
static void
find_always(const struct ways *w, struct way *way)
{
	size_t i, places = 0;

	for (i = 0; i < w->sessions->n_places; i++)
		places += way->places[i];
	way->always = way->seen == places * w->sessions->times.n_now;
}

/* Whether x, for fewer residences of a ticket, reaches a cell as y does. */
static bool
is_part(const struct ways *w, const struct way *x, const struct way *y,
    size_t cell)
{
	size_t i;

	if (x->store != y->store || !same_text(x->purpose, y->purpose) ||
	    !same_text(x->ticket, y->ticket) || x->scope == NULL ||
	    x->scope->n_residences >= y->scope->n_residences ||
	    x->levels[cell] < y->levels[cell] || !x->always)
		return false;
	for (i = 0; i < w->sessions->n_places; i++)
		if (y->places[i] && !x->places[i])
			return false;
	return true;
}

/* A ticket about several residences that gives what tickets about fewer of
 * them give together. */
static bool
is_sum(const struct ways *w, const struct way *y)
{
	size_t i, k;

	if (y->scope == NULL || y->scope->n_residences < 2)
		return false;
	for (i = 0; i < w->space->n_cells; i++) {
		if (y->levels[i] == TREAT_ABSENT)
			continue;
		for (k = 0; k < w->n; k++)
			if (is_part(w, &w->items[k], y, i))
				break;
		if (k == w->n)
			return false;
	}
	return true;
}

void
ways_reduce(struct ways *w)
{
	size_t i, k, kept = 0;

	for (i = 0; i < w->n; i++)
		find_always(w, &w->items[i]);
	/* Those that state less stand first, and of two that include one
	 * another the first is kept. */
	if (w->n > 0)
		qsort(w->items, w->n, sizeof(*w->items), compare_ways);
	for (i = 0; i < w->n; i++) {
		for (k = 0; k < w->n; k++)
			if (k != i && includes(w, &w->items[k],
			    &w->items[i]) && (k < i ||
			    !includes(w, &w->items[i], &w->items[k])))
				break;
		w->items[i].superfluous = k < w->n ||
		    is_sum(w, &w->items[i]);
	}
	for (i = 0; i < w->n; i++)
		if (!w->items[i].superfluous)
			w->items[kept++] = w->items[i];
	w->n = kept;
}

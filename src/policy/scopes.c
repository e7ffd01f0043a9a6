#include "policy/scopes.h"

#include <regex.h>
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "catalog/catalog.h"
#include "policy/policy.h"
#include "policy/rule.h"

#define GROUPS_MAX 256		/* sets of rules that a ticket covers */

/* What some of the rules permit, all together. */
struct group {
	bool *tables;		/* as catalog->tables */
	bool *categories;	/* as catalog->categories */
	bool *covered;		/* as work->rules */
};

struct work {
	const struct scopes_store *s;
	struct arena *a;
	const struct rule **rules;	/* that want this ticket confirmed */
	size_t n_rules;
	struct group *needs;		/* of each of them */
	struct group groups[GROUPS_MAX];
	size_t n_groups;
	struct policy_scope **items;
	size_t n;
};

static bool
wants(const struct rule *r, const struct scopes_store *s, const char *ticket)
{
	return r->confirmed && names_match(&r->stores, s->name) &&
	    strlen(ticket) <= TICKET_MAX &&
	    regexec(r->regex, ticket, 0, NULL, 0) == 0;
}

static int
gather_rules(struct work *w, const struct policy *const *policies, size_t n,
    const char *ticket)
{
	size_t i, k, max = 0;

	for (i = 0; i < n; i++)
		max += policies[i]->n_all;
	if ((w->rules = arena_array(w->a, max, sizeof(*w->rules))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < n && ticket != NULL; i++)
		for (k = 0; k < policies[i]->n_all; k++)
			if (wants(&policies[i]->all[k], w->s, ticket))
				w->rules[w->n_rules++] =
				    &policies[i]->all[k];
	return 0;
}

static int
group_init(struct work *w, struct group *g)
{
	const struct catalog *c = w->s->catalog;

	g->tables = arena_array(w->a, c->n_tables, sizeof(bool));
	g->categories = arena_array(w->a, c->n_categories, sizeof(bool));
	g->covered = arena_array(w->a, w->n_rules, sizeof(bool));
	return g->tables == NULL || g->categories == NULL ||
	    g->covered == NULL ? ERR_MEMORY : 0;
}

static void
need_table(const struct catalog *c, const struct rule *r, size_t table,
    struct group *g)
{
	const struct catalog_table *t = &c->tables[table];
	size_t i, k;

	if (t->is_public || !names_match(&r->tables, t->full))
		return;
	for (i = 0; i < t->n_columns; i++) {
		if (!names_match(&r->categories, t->columns[i].category))
			continue;
		g->tables[table] = true;
		for (k = 0; k < c->n_categories; k++)
			if (strcmp(c->categories[k],
			    t->columns[i].category) == 0)
				g->categories[k] = true;
	}
}

static int
find_needs(struct work *w)
{
	const struct catalog *c = w->s->catalog;
	size_t i, k;

	w->needs = arena_array(w->a, w->n_rules, sizeof(*w->needs));
	if (w->needs == NULL)
		return ERR_MEMORY;
	for (i = 0; i < w->n_rules; i++) {
		if (group_init(w, &w->needs[i]) != 0)
			return ERR_MEMORY;
		for (k = 0; k < c->n_tables; k++)
			need_table(c, w->rules[i], k, &w->needs[i]);
	}
	return 0;
}

/* Whether all of need is in g. */
static bool
has_all(const struct catalog *c, const struct group *g,
    const struct group *need)
{
	size_t i;

	for (i = 0; i < c->n_tables; i++)
		if (need->tables[i] && !g->tables[i])
			return false;
	for (i = 0; i < c->n_categories; i++)
		if (need->categories[i] && !g->categories[i])
			return false;
	return true;
}

/* Adds what base and one rule's need are together, if it is new. */
static int
add_group(struct work *w, const struct group *base, const struct group *need)
{
	const struct catalog *c = w->s->catalog;
	struct group g;
	size_t i;

	if (group_init(w, &g) != 0)
		return ERR_MEMORY;
	for (i = 0; i < c->n_tables; i++)
		g.tables[i] = need->tables[i] ||
		    (base != NULL && base->tables[i]);
	for (i = 0; i < c->n_categories; i++)
		g.categories[i] = need->categories[i] ||
		    (base != NULL && base->categories[i]);
	for (i = 0; i < w->n_rules; i++)
		g.covered[i] = has_all(c, &g, &w->needs[i]);
	for (i = 0; i < w->n_groups; i++)
		if (memcmp(w->groups[i].covered, g.covered,
		    w->n_rules * sizeof(bool)) == 0)
			return 0;
	if (w->n_groups == GROUPS_MAX)
		return ERR_LIMIT;
	w->groups[w->n_groups++] = g;
	return 0;
}

static int
find_groups(struct work *w)
{
	size_t i, k, n;
	int r;

	for (i = 0; i < w->n_rules; i++) {
		n = w->n_groups;
		if ((r = add_group(w, NULL, &w->needs[i])) != 0)
			return r;
		for (k = 0; k < n; k++)
			if ((r = add_group(w, &w->groups[k],
			    &w->needs[i])) != 0)
				return r;
	}
	return 0;
}

static int
add_scope(struct work *w, const struct group *g, const char *const *residences,
    size_t n_residences)
{
	const struct catalog *c = w->s->catalog;
	struct policy_scope *s = arena_alloc(w->a, sizeof(*s));
	const char **tables, **categories;
	size_t i;

	if (w->n == SCOPES_MAX)
		return ERR_LIMIT;
	tables = arena_array(w->a, c->n_tables, sizeof(*tables));
	categories = arena_array(w->a, c->n_categories, sizeof(*categories));
	if (s == NULL || tables == NULL || categories == NULL)
		return ERR_MEMORY;
	for (i = 0; i < c->n_tables; i++)
		if (g->tables[i])
			tables[s->n_tables++] = c->tables[i].full;
	for (i = 0; i < c->n_categories; i++)
		if (g->categories[i])
			categories[s->n_categories++] = c->categories[i];
	s->tables = tables;
	s->categories = categories;
	s->residences = residences;
	s->n_residences = n_residences;
	w->items[w->n++] = s;
	return 0;
}

/* With one residence, or two. */
static int
add_set(struct work *w, const struct group *g, size_t one, size_t two)
{
	const char **list = arena_array(w->a, 2, sizeof(*list));

	if (list == NULL)
		return ERR_MEMORY;
	list[0] = w->s->residences[one];
	list[1] = w->s->residences[two];
	return add_scope(w, g, list, one == two ? 1 : 2);
}

static int
add_every_set(struct work *w, const struct group *g)
{
	size_t i, n = w->s->n_residences, count;
	const char **list;
	unsigned set;
	int r;

	for (set = 1; set < 1u << n; set++) {
		if ((list = arena_array(w->a, n, sizeof(*list))) == NULL)
			return ERR_MEMORY;
		for (i = count = 0; i < n; i++)
			if ((set >> i & 1) != 0)
				list[count++] = w->s->residences[i];
		if ((r = add_scope(w, g, list, count)) != 0)
			return r;
	}
	return 0;
}

static int
add_few_sets(struct work *w, const struct group *g)
{
	size_t i, k, n = w->s->n_residences;
	int r;

	for (i = 0; i < n; i++)
		for (k = i; k < n; k++)
			if ((r = add_set(w, g, i, k)) != 0)
				return r;
	return add_scope(w, g, w->s->residences, n);
}

static int
list_all(struct work *w, const struct policy *const *policies, size_t n,
    const char *ticket)
{
	size_t i;
	int r;

	if ((r = gather_rules(w, policies, n, ticket)) != 0)
		return r;
	w->n = 1;			/* NULL: not confirmed */
	w->items = arena_array(w->a, w->n_rules == 0 ? 1 : SCOPES_MAX,
	    sizeof(*w->items));
	if (w->items == NULL)
		return ERR_MEMORY;
	if ((r = find_needs(w)) != 0 || (r = find_groups(w)) != 0)
		return r;
	for (i = 0; i < w->n_groups && r == 0; i++)
		r = w->s->n_residences <= SCOPES_ALL_SETS ?
		    add_every_set(w, &w->groups[i]) :
		    add_few_sets(w, &w->groups[i]);
	return r;
}

int
scopes_list(const struct policy *const *policies, size_t n,
    const struct scopes_store *s, const char *ticket, struct arena *a,
    struct scopes *ret, struct why *why)
{
	struct work *w = arena_alloc(a, sizeof(*w));
	int r = ERR_MEMORY;

	if (w != NULL) {
		w->s = s;
		w->a = a;
		r = list_all(w, policies, n, ticket);
	}
	if (r == ERR_MEMORY)
		return why_set(why, r, 0, 0, "out of memory");
	if (r != 0)
		return why_set(why, r, 0, 0, "tickets that are confirmed can "
		    "cover too many combinations in store %s; let fewer rules "
		    "ask for them", s->name);
	ret->items = (const struct policy_scope *const *)w->items;
	ret->n = w->n;
	return 0;
}

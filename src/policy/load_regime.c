/*
 * What a regime is and from which numbers on it speaks of bulk.
 */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "policy/bulk.h"
#include "policy/load.h"

#define MONTHS_MAX 1200
#define PEOPLE_MAX UINT64_C(1000000000000)

static void
read_threshold(struct load *l, struct bulk_threshold *t,
    const struct yaml_node *n)
{
	static const char *const allowed[] = {"categories", "more-than", NULL};

	yaml_map(&l->in, n, allowed);
	t->categories = rules_names(l, yaml_need(&l->in, n, "categories"),
	    rules_check_text);
	t->more_than = yaml_u64(&l->in, yaml_need(&l->in, n, "more-than"), 0,
	    PEOPLE_MAX);
}

/* A category has one number, or it could not be told which counts. */
static void
check_categories(struct load *l, const struct bulk *b,
    const struct yaml_node *n)
{
	const struct names *last = &b->thresholds[b->n - 1].categories;
	size_t i, k;

	for (i = 0; i + 1 < b->n && l->in.result == 0; i++)
		for (k = 0; k < last->n; k++)
			if (names_match(&b->thresholds[i].categories,
			    last->items[k]))
				(void)yaml_fail(&l->in, n, "the category "
				    "\"%.80s\" has a number already",
				    last->items[k]);
}

static void
read_one(struct load *l, struct bulk *b, const struct yaml_node *n)
{
	static const char *const allowed[] = {"months", "thresholds", NULL};
	const struct yaml_node *list;
	struct bulk_threshold *items;

	yaml_map(&l->in, n, allowed);
	b->months = (unsigned)yaml_u64(&l->in, yaml_need(&l->in, n, "months"),
	    1, MONTHS_MAX);
	list = yaml_need(&l->in, n, "thresholds");
	yaml_list(&l->in, list);
	if (l->in.result != 0)
		return;
	if (list->n == 0)
		(void)yaml_fail(&l->in, list, "without a threshold nothing "
		    "would ever be bulk");
	items = rules_take(l, arena_array(l->in.arena, list->n,
	    sizeof(*items)));
	b->thresholds = items;
	while (b->n < list->n && l->in.result == 0) {
		read_threshold(l, &items[b->n], list->items[b->n]);
		b->n++;
		check_categories(l, b, list->items[b->n - 1]);
	}
}

const struct bulk *
rules_bulk_find(const struct policy *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->n_bulks; i++)
		if (strcmp(p->bulks[i].name, name) == 0)
			return &p->bulks[i];
	return NULL;
}

static void
read_bulks(struct load *l, const struct yaml_node *n)
{
	struct policy *p = l->p;
	struct bulk *b;
	size_t i;

	for (i = 0; n != NULL && i < n->n && l->in.result == 0; i++) {
		b = &p->bulks[p->n_bulks];
		b->name = rules_text(l, n->keys[i]);
		if (b->name != NULL && rules_bulk_find(p, b->name) != NULL)
			(void)yaml_fail(&l->in, n->keys[i], "\"%.80s\" is "
			    "under \"bulk\" already; each stands once",
			    b->name);
		read_one(l, b, n->items[i]);
		p->n_bulks++;
	}
}

/* For people; nothing is decided by it. */
static void
read_regime(struct load *l, const struct yaml_node *n)
{
	static const char *const allowed[] = {"title", "as-of", "source",
	    "leaves-out", NULL};
	const struct yaml_node *as_of = yaml_get(n, "as-of");
	struct policy_regime *r;
	struct names source, left;

	if (n == NULL)
		return;
	r = &l->p->regimes[l->p->n_regimes++];
	yaml_map(&l->in, n, allowed);
	r->title = rules_text(l, yaml_need(&l->in, n, "title"));
	(void)yaml_time_ms(&l->in, yaml_need(&l->in, n, "as-of"));
	r->as_of = yaml_str(&l->in, as_of);
	source = rules_names(l, yaml_need(&l->in, n, "source"),
	    rules_check_text);
	left = rules_names(l, yaml_need(&l->in, n, "leaves-out"),
	    rules_check_text);
	r->source = source.items;
	r->n_source = source.n;
	r->leaves_out = left.items;
	r->n_leaves_out = left.n;
}

void
rules_regime(struct load *l)
{
	const struct yaml_node *n;
	size_t total = 0;

	l->p->regimes = rules_take(l, arena_array(l->in.arena, l->n_files,
	    sizeof(*l->p->regimes)));
	for (l->file = 0; l->file < l->n_files; l->file++) {
		if (l->in.result != 0)
			return;
		read_regime(l, yaml_get(l->files[l->file].root, "regime"));
		n = yaml_get(l->files[l->file].root, "bulk");
		yaml_any_map(&l->in, n);
		if (l->in.result != 0)
			return;
		total += n != NULL ? n->n : 0;
	}
	l->p->bulks = rules_take(l, arena_array(l->in.arena, total,
	    sizeof(*l->p->bulks)));
	for (l->file = 0; l->file < l->n_files; l->file++) {
		read_bulks(l, yaml_get(l->files[l->file].root, "bulk"));
		if (l->in.result != 0)
			return;
	}
}

void
rules_bulk(struct load *l, struct rule *r, const struct yaml_node *n)
{
	const char *name = rules_text(l, n);

	if (name != NULL && (r->bulk = rules_bulk_find(l->p, name)) == NULL)
		(void)yaml_fail(&l->in, n, "there is no \"%.80s\" under "
		    "\"bulk\"; add it or correct the name", name);
}

const struct policy_regime *
policy_regimes(const struct policy *p, size_t *ret_n)
{
	*ret_n = p->n_regimes;
	return p->regimes;
}

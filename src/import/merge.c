#include "import/merge.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "import/draft.h"
#include "import/mapping.h"

struct merging {
	struct draft *known;
	const struct draft *fresh;
	const struct merge *m;
	struct findings *f;
};

static unsigned
section_of(enum node_kind kind)
{
	return 1u << (kind == NODE_PERSON ? SECTION_PEOPLE :
	    kind == NODE_SERVICE ? SECTION_SERVICES : SECTION_ENTITIES);
}

/* Whether an import of these sections speaks for a kind of fact. */
static bool
is_covered(const struct merge *m, enum node_kind kind, enum fact_kind fact)
{
	if (fact == FACT_OWNER)
		return (m->covers >> SECTION_OWNERS & 1) != 0;
	if (fact == FACT_INSTRUCTOR)
		return m->instructors;
	return (m->covers & section_of(kind)) != 0;
}

bool
merge_stays(const struct draft_item *it, const char *issuer, unsigned covers)
{
	size_t i, ours = 0;

	if ((covers & section_of(it->kind)) == 0)
		return true;
	for (i = 0; i < it->n; i++) {
		if (strcmp(it->facts[i].issuer, issuer) != 0)
			return true;
		ours++;
	}
	return ours == 0;	/* nobody's, so not ours to take away */
}

static const struct draft_fact *
find_same(const struct draft_item *it, const struct draft_fact *f)
{
	size_t i;

	for (i = 0; it != NULL && i < it->n; i++)
		if (draft_fact_same(&it->facts[i], f))
			return &it->facts[i];
	return NULL;
}

/* A fact is over with its item. */
static int64_t
end_of(const struct draft_item *it, const struct draft_fact *f)
{
	return f->to < it->to ? f->to : it->to;
}

/* What was said and is said no more: kept until now, or gone (false). */
static bool
end_fact(const struct merging *g, struct draft_fact *f)
{
	int64_t at = g->m->at_ms;

	if (!g->m->keep_history || f->from >= at)
		return false;
	if (f->to > at)
		f->to = at;
	return true;
}

/* Takes away what the import replaces. What it says again is kept with the
 * time since when it holds, which only history needs. */
static void
strip(struct merging *g, struct draft_item *it, const struct draft_item *now)
{
	const char *issuer = g->fresh->issuer;
	struct draft_fact *f;
	size_t i, k = 0;
	bool keep;

	for (i = 0; i < it->n; i++) {
		f = &it->facts[i];
		if (strcmp(f->issuer, issuer) != 0 ||
		    !is_covered(g->m, it->kind, f->kind))
			keep = true;
		else if (end_of(it, f) <= g->m->at_ms) {
			f->to = end_of(it, f);	/* over already, and stays so */
			keep = g->m->keep_history;
		}
		else if (find_same(now, f) != NULL)
			keep = false;
		else
			keep = end_fact(g, f);
		if (keep)
			it->facts[k++] = *f;
	}
	it->n = k;
}

/* Since when a fact holds that is said (again). */
static int64_t
begins(const struct merging *g, const struct draft_item *before,
    const struct draft_fact *f)
{
	const struct draft_fact *old;
	size_t i;

	if (f->from != INT64_MIN || !g->m->keep_history)
		return f->from;
	for (i = 0; before != NULL && i < before->n; i++) {
		old = &before->facts[i];
		if (strcmp(old->issuer, g->fresh->issuer) == 0 &&
		    draft_fact_same(old, f) &&
		    end_of(before, old) > g->m->at_ms)
			return old->from;
	}
	return g->m->at_ms;
}

static int
add_facts(struct merging *g, struct draft_item *it,
    const struct draft_item *before, const struct draft_item *now)
{
	struct draft_fact *f;
	size_t i;

	for (i = 0; i < now->n; i++) {
		if ((f = draft_fact_add(g->known, it, now->facts[i].kind)) ==
		    NULL)
			return ERR_MEMORY;
		*f = now->facts[i];
		f->from = begins(g, before, f);
	}
	return 0;
}

/* The item's own time is the import's to say if the source has it; an item
 * that ended and is back is open again. */
static void
set_interval(const struct merging *g, struct draft_item *it,
    const struct draft_item *now)
{
	bool silent = now->from == INT64_MIN && now->to == INT64_MAX;

	if (silent && it->to > g->m->at_ms)
		return;
	it->from = silent ? it->from : now->from;
	it->to = now->to;
}

static int
merge_item(struct merging *g, const struct draft_item *now)
{
	struct draft_item *it, *exists, before;

	it = draft_item_add(g->known, now->id, &exists);
	if (it == NULL && exists == NULL)
		return ERR_MEMORY;
	if (it != NULL) {
		it->kind = now->kind;
		it->from = now->from;
		it->to = now->to;
		memset(&before, 0, sizeof(before));
	} else {
		it = exists;
		if (it->kind != now->kind) {
			findings_add(g->f, FINDING_ERROR, &now->at, "id: "
			    "\"%.80s\" is of another kind in the directory; "
			    "one of them needs another id", now->id);
			return 0;
		}
		before = *it;
		before.facts = arena_array(g->known->arena, it->n,
		    sizeof(*it->facts));
		if (before.facts == NULL)
			return ERR_MEMORY;
		if (it->n > 0)
			memcpy(before.facts, it->facts,
			    it->n * sizeof(*it->facts));
		strip(g, it, now);
		if (is_covered(g->m, it->kind, FACT_SITE))
			set_interval(g, it, now);
	}
	if (now->name != NULL)
		it->name = now->name;
	if (now->rest_given)
		it->dispersed = now->dispersed;
	if (now->n_networks > 0) {
		it->networks = now->networks;
		it->n_networks = now->n_networks;
	}
	return add_facts(g, it, &before, now);
}

static int
merge_site(struct merging *g, const struct draft_site *now)
{
	struct draft_site *s, *exists;

	s = draft_site_add(g->known, now->id, &exists);
	if (s == NULL)
		s = exists;
	if (s == NULL)
		return ERR_MEMORY;
	s->country = now->country;
	if (now->n_networks > 0) {
		s->networks = now->networks;
		s->n_networks = now->n_networks;
	}
	return 0;
}

/* Marks whom the facts of those who stay lead to. */
static void
mark_named(const struct draft *d)
{
	const struct draft_item *it;
	struct draft_item *to;
	size_t i, k;

	for (i = 0; i < d->n_items; i++) {
		it = d->items[i];
		for (k = 0; k < it->n; k++)
			if (it->facts[k].value != NULL && (to =
			    draft_item_find(d, it->facts[k].value)) != NULL)
				to->named = true;
	}
}

/* Of whom nothing is left: gone if nobody names them, else over. */
static bool
is_gone(void *arg, const struct draft_item *it)
{
	(void)arg;
	return it->leaves && !it->named && it->n == 0;
}

/* One whom the import does not have, and may speak for. */
static void
leave(struct merging *g, struct draft_item *it)
{
	bool stays = merge_stays(it, g->fresh->issuer, g->m->covers);

	strip(g, it, NULL);
	if (stays)
		return;
	it->leaves = true;
	if (it->to > g->m->at_ms && it->from < g->m->at_ms)
		it->to = g->m->at_ms;
}

int
merge_drafts(struct draft *known, const struct draft *fresh,
    const struct merge *m, struct findings *f)
{
	struct merging g = {known, fresh, m, f};
	size_t i, n = known->n_items;
	int r = 0;

	for (i = 0; i < n; i++) {
		known->items[i]->leaves = known->items[i]->named = false;
		if (draft_item_find(fresh, known->items[i]->id) == NULL)
			leave(&g, known->items[i]);
	}
	for (i = 0; i < fresh->n_sites && r == 0; i++)
		r = merge_site(&g, fresh->sites[i]);
	for (i = 0; i < fresh->n_items && r == 0; i++)
		r = merge_item(&g, fresh->items[i]);
	if (r == 0) {
		mark_named(known);
		draft_drop(known, is_gone, NULL);
		draft_sort(known);
	}
	return r;
}

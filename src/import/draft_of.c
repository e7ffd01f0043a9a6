/*
 * A loaded directory as a draft. Loading cuts a fact's interval to its
 * item's; an end that is the item's own is given back to the item, so that
 * the fact goes with it when the item's interval changes.
 */
#include <string.h>

#include "base/arena.h"
#include "import/draft.h"

static bool
take_fact(struct draft *d, struct draft_item *it, const struct fact *f)
{
	struct draft_fact *to = draft_fact_add(d, it, f->kind);
	const struct warrant *w = f->warrant;

	if (to == NULL)
		return false;
	to->stated = f->stated;
	to->contractor = f->contractor;
	if (f->kind == FACT_OWNER)
		to->share = f->share;
	if (f->kind == FACT_SITE)
		to->value = f->site->id;
	else if (fact_is_to_node(f))
		to->value = f->node != NULL ? f->node->id : NULL;
	else
		to->value = f->text;
	to->issuer = w->issuer;
	to->evidence = w->evidence;
	if (w->from != it->from)
		to->from = w->from;
	if (w->to != it->to)
		to->to = w->to;
	return true;
}

static bool
take_node(struct draft *d, const struct node *n)
{
	struct draft_item *it, *exists;
	size_t i;

	if ((it = draft_item_add(d, n->id, &exists)) == NULL)
		return false;
	it->name = strcmp(n->name, n->id) != 0 ? n->name : NULL;
	it->kind = n->kind;
	it->dispersed = n->dispersed;
	it->from = n->from;
	it->to = n->to;
	it->networks = n->networks;
	it->n_networks = n->n_networks;
	if (n->n_facts > 0) {
		it->facts = arena_array(d->arena, n->n_facts,
		    sizeof(*it->facts));
		if (it->facts == NULL)
			return false;
		it->cap = n->n_facts;
	}
	for (i = 0; i < n->n_facts; i++)
		if (!take_fact(d, it, &n->facts[i]))
			return false;
	return true;
}

static bool
take_site(struct draft *d, const struct directory_site *from)
{
	struct draft_site *s, *exists;

	if ((s = draft_site_add(d, from->id, &exists)) == NULL)
		return false;
	s->country = from->country;
	s->networks = from->networks;
	s->n_networks = from->n_networks;
	return true;
}

struct draft *
draft_of(const struct directory *loaded)
{
	struct draft *d = draft_new(loaded->issuer);
	size_t i;

	if (d == NULL)
		return NULL;
	d->threshold = loaded->threshold;
	for (i = 0; i < loaded->n_sites; i++)
		if (!take_site(d, &loaded->sites[i]))
			goto fail;
	for (i = 0; i < loaded->n_nodes; i++)
		if (!take_node(d, &loaded->nodes[i]))
			goto fail;
	return d;
fail:
	draft_free(d);
	return NULL;
}

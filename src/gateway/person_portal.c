/*
 * What a portal may stand for, and what its execution changes in a session.
 */
#include "gateway/person.h"

#include "gateway/config.h"
#include "gateway/judge.h"

/* The change of purpose or ticket that a portal may stand for. */
const struct judgement *
portal_switch(const struct session *s, const struct named *x)
{
	size_t i;

	for (i = 0; x != NULL && i < x->n; i++)
		if (switch_wanted(s, x->slots[i].meaning->judgement))
			return x->slots[i].meaning->judgement;
	return NULL;
}

void
portal_reading(struct session *s, const struct named *x)
{
	size_t i;

	if (s->store->mode != STORE_OBSERVE)
		return;
	for (i = 0; x != NULL && i < x->n; i++)
		if (x->slots[i].meaning->judgement->changes_reading)
			s->person->reads_otherwise = true;
}

void
portal_leaves(struct session *s, const struct named *x)
{
	size_t i;

	for (i = 0; x != NULL && i < x->n; i++)
		if (x->slots[i].meaning->judgement->leaves)
			s->person->leaves = true;
}

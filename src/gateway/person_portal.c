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

static bool
any(const struct named *x, bool (*is)(const struct judgement *))
{
	size_t i;

	for (i = 0; x != NULL && i < x->n; i++)
		if (is(x->slots[i].meaning->judgement))
			return true;
	return false;
}

static bool
has_naming(const struct judgement *j)
{
	return j->naming != NULL;
}

static bool
is_whole(const struct judgement *j)
{
	return j->whole;
}

bool
portal_waits(struct session *s, const struct named *x)
{
	if (s->person->requests.n == 0 || !any(x, has_naming))
		return false;
	person_ask_flush(s);
	return true;
}

bool
portal_room(struct session *s, const struct named *x)
{
	const struct meaning *m = named_sure(x);

	return m == NULL || names_room(s, m->judgement);
}

void
portal_names(struct session *s, struct request *q, const struct named *x)
{
	struct meaning *m = named_sure(x);

	if (x != NULL && x->by != NULL && !x->by->judgement->whole)
		return;
	if (x == NULL || x->n == 0 || x->anything || any(x, is_whole)) {
		names_doubted(s, x);
	} else if (m != NULL && names_changes(m->judgement)) {
		q->text = meaning_ref(m);
		s->person->renaming = true;
	}
}

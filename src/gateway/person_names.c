/*
 * What names of cursors and prepared statements stand for, whether SQL gave
 * them or the protocol did: the store has one space of each.
 *
 *	DECLARE c ... ended well  ->  c stands for its query, until it is gone
 *	FETCH c                   ->  is that query, some rows of it
 *
 * A name that was made and whose making succeeded is that or is not there at
 * all, since nothing takes its place while it is. What makes or forgets names
 * is waited for before anything else is said by a name. Where something ran
 * that may have done it unseen (a function that is not known), no name is sure
 * any more.
 */
#include "gateway/person.h"

#include <string.h>

#include "base/err.h"
#include "gateway/judge.h"
#include "gateway/run.h"
#include "gateway/script.h"
#include "gateway/standing.h"
#include "lineage/naming.h"

static bool
is_cursor(const struct naming *n)
{
	return n->kind == NAMING_FETCH || n->kind == NAMING_DECLARE ||
	    n->kind == NAMING_CLOSE;
}

static struct names *
space(struct session *s, const struct naming *n)
{
	return is_cursor(n) ? &s->person->portals : &s->person->statements;
}

bool
names_changes(const struct judgement *j)
{
	return j->naming != NULL && j->naming->kind != NAMING_FETCH &&
	    j->naming->kind != NAMING_EXECUTE;
}

/* Whether a statement may change what a name of `of` stands for. */
static bool
touches(const struct judgement *j, const struct naming *of)
{
	const struct naming *n = j->naming;

	if (j->whole)
		return true;
	if (!names_changes(j))
		return false;
	if (n->kind != NAMING_DISCARD && is_cursor(n) != is_cursor(of))
		return false;
	return n->name == NULL || strcmp(n->name, of->name) == 0;
}

/* What the store has under the name; a reference, or NULL: not known. */
static struct meaning *
stands(struct session *s, const struct naming *of, const struct script *sc,
    size_t at)
{
	const struct named *x;
	const struct judgement *j;
	struct meaning *m;

	while (sc != NULL && at-- > 0) {
		j = sc->parts[at].meaning->judgement;
		if (!touches(j, of))
			continue;
		if (j->whole || (j->naming->kind != NAMING_DECLARE &&
		    j->naming->kind != NAMING_PREPARE))
			return NULL;
		return meaning_inner(sc->parts[at].meaning);
	}
	x = names_find(space(s, of), of->name);
	m = named_sure(x);
	if (m == NULL || x->epoch != s->person->epoch || x->lost ||
	    m->judgement->naming != NULL || m->judgement->runs_named)
		return NULL;
	return meaning_ref(m);
}

int
names_resolve(struct session *s, struct meaning *m, const struct script *sc,
    size_t at, struct meaning **ret)
{
	struct meaning *what;

	if (!m->judgement->by_name ||
	    (what = stands(s, m->judgement->naming, sc, at)) == NULL) {
		*ret = meaning_ref(m);
		return 0;
	}
	*ret = meaning_run(m, what);
	meaning_unref(what);
	return *ret == NULL ? ERR_MEMORY : 0;
}

bool
names_room(struct session *s, const struct judgement *j)
{
	return j->naming == NULL || j->exact == NULL || !j->exact->names ||
	    names_get(space(s, j->naming), j->naming->name) != NULL;
}

/* The name stands for what m made of it. */
static void
made(struct session *s, struct meaning *m)
{
	const struct naming *n = m->judgement->naming;
	struct meaning *in;
	struct named *x;

	if (n->name == NULL || (x = names_get(space(s, n), n->name)) == NULL)
		return;		/* it may stand for anything */
	in = meaning_inner(m);
	(void)named_begin(x);
	named_become(x, in);
	if (in == NULL)
		x->rewritten = m->judgement->exact != NULL;
	meaning_unref(in);
	named_forget_run(x);
	x->epoch = s->person->epoch;
	x->stretch = 0;
	x->lost = false;
	x->doubted = false;
	x->sql = n->kind == NAMING_DECLARE;
	x->held = n->hold;
	x->held_new = n->hold && m->judgement->exact != NULL;
	s->person->named_exact |= m->judgement->exact != NULL;
}

void
names_effect(struct session *s, struct meaning *m)
{
	const struct naming *n = m != NULL ? m->judgement->naming : NULL;
	struct person *p = s->person;
	struct named *x;

	if (n == NULL || !names_changes(m->judgement))
		return;
	if (n->kind == NAMING_DECLARE || n->kind == NAMING_PREPARE) {
		made(s, m);
	} else if (n->name != NULL) {
		if ((x = names_find(space(s, n), n->name)) != NULL)
			names_remove(space(s, n), x);
	} else {
		if (n->kind != NAMING_DEALLOCATE)
			names_drop(&p->portals);
		if (n->kind != NAMING_CLOSE)
			names_drop(&p->statements);
	}
}

void
names_doubted(struct session *s, const struct named *but)
{
	if (!s->standing->has_twins)
		return;
	names_doubt(&s->person->statements, NULL, false);
	names_doubt(&s->person->portals, but, true);
}

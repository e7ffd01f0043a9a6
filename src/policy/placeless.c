/*
 * Each session is decided twice: as it is, and with every place of business
 * that nobody wrote not known. Where it is then shown less, those rules are
 * named that turn with the doubt on what is lost. The doubt stands only while
 * a reader is looked up, so that all else sees the directory as it is.
 */
#include "policy/placeless.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "catalog/catalog.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "policy/rule.h"

struct placeless {
	const struct reach_space *space;
	const struct policy *policy;
	struct directory *directory;
	struct arena *kept, *facts, *scratch;
	uint8_t *levels;
	bool *seen;			/* of each rule: for this principal */
	size_t *principals;
	bool asks;			/* a rule can rest on it at all */
	const struct control *of;	/* what was doubted last; or NULL */
	const struct principal *who;	/* and what comes of it */
	const struct control *control;
	bool differs;
};

static bool
can_rest(const struct rule *r)
{
	return r->controlled_from.set || r->relation != RELATION_NONE ||
	    r->n_is > 0;
}

int
placeless_new(const struct reach_space *s, const struct policy *policy,
    struct directory *d, struct placeless **ret)
{
	struct placeless *p;
	size_t i;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return ERR_MEMORY;
	p->space = s;
	p->policy = policy;
	p->directory = d;
	if ((p->kept = arena_new()) == NULL ||
	    (p->facts = arena_new()) == NULL ||
	    (p->scratch = arena_new()) == NULL ||
	    (p->levels = arena_alloc(p->kept, s->n_cells + 1)) == NULL ||
	    (p->seen = arena_array(p->kept, policy->n_rules,
	    sizeof(*p->seen))) == NULL ||
	    (p->principals = arena_array(p->kept, policy->n_rules,
	    sizeof(*p->principals))) == NULL) {
		placeless_free(p);
		return ERR_MEMORY;
	}
	for (i = 0; i < policy->n_rules; i++)
		p->asks |= can_rest(&policy->rules[i]);
	*ret = p;
	return 0;
}

void
placeless_free(struct placeless *p)
{
	if (p == NULL)
		return;
	arena_free(p->kept);
	arena_free(p->facts);
	arena_free(p->scratch);
	free(p);
}

void
placeless_next(struct placeless *p)
{
	p->of = NULL;
	if (p->policy->n_rules > 0)
		memset(p->seen, 0, p->policy->n_rules * sizeof(*p->seen));
}

static bool
same_control(const struct control *a, const struct control *b)
{
	size_t i, k;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++) {
		const struct control_member *x = &a->members[i];
		const struct control_member *y = &b->members[i];

		if (strcmp(x->label, y->label) != 0 ||
		    x->n_paths != y->n_paths)
			return false;
		for (k = 0; k < x->n_paths; k++)
			if (x->paths[k].kinds != y->paths[k].kinds)
				return false;
	}
	return true;
}

/* The same reader at the same place, with places doubted. */
static int
doubt(struct placeless *p, const struct reach_session *q, const char *place)
{
	const struct principal *is = q->who;
	int r;

	if (p->of == q->control)
		return 0;
	arena_reset(p->facts);
	p->of = NULL;
	directory_doubt_places(p->directory, true);
	if ((r = directory_principal(p->directory, is->id, is->at_ms,
	    p->facts, &p->who)) == 0)
		r = control_of(p->directory, is->id, is->at_ms, &place, 1,
		    p->facts, &p->control);
	directory_doubt_places(p->directory, false);
	if (r != 0)
		return r;
	p->of = q->control;
	p->differs = p->policy->n_definitions > 0 ||
	    !same_control(q->control, p->control);
	return 0;
}

/* Whether the doubt makes a rule apply that takes, or a permit not. */
static bool
turns(const struct placeless *p, const struct rule *r,
    const struct reach_session *q, const struct reach_session *doubted,
    const struct reach_cell *c)
{
	const struct reach_store *s = &p->space->stores[c->store];
	const char *residence = reach_residence(p->space, c);
	struct policy_request is = reach_request(s, q);
	struct policy_request may = reach_request(s, doubted);

	is.purpose = may.purpose = request_purpose(p->policy, &is);
	return names_match(&r->tables, reach_table(p->space, c)->full) &&
	    names_match(&r->categories, reach_column(p->space, c)->category) &&
	    rule_applies_to(r, residence, &is) == (r->verb == VERB_PERMIT) &&
	    rule_applies_to(r, residence, &may) == (r->verb != VERB_PERMIT);
}

/* What one residence of a table loses may be by another's rule: columns are
 * shown for all of them or for none. */
static bool
turns_near(const struct placeless *p, const struct rule *r,
    const struct reach_session *q, const struct reach_session *doubted,
    const struct reach_cell *lost)
{
	const struct reach_cell *c = p->space->cells;
	size_t i;

	for (i = 0; i < p->space->n_cells; i++)
		if (c[i].store == lost->store && c[i].table == lost->table &&
		    turns(p, r, q, doubted, &c[i]))
			return true;
	return false;
}

static void
find_rules(struct placeless *p, const struct reach_session *q,
    const struct reach_session *doubted, const struct reach_cell *lost)
{
	size_t i;

	for (i = 0; i < p->policy->n_rules; i++) {
		const struct rule *r = &p->policy->rules[i];

		if (p->seen[i] || !can_rest(r) ||
		    !turns_near(p, r, q, doubted, lost))
			continue;
		p->seen[i] = true;
		p->principals[i]++;
	}
}

int
placeless_add(struct placeless *p, const struct reach_session *q,
    const char *place, const uint8_t *levels)
{
	struct reach_session doubted = *q;
	size_t i;
	int r;

	if (!p->asks)
		return 0;
	if ((r = doubt(p, q, place)) != 0 || !p->differs)
		return r;
	doubted.who = p->who;
	doubted.control = p->control;
	if ((r = reach_levels(p->space, p->policy, &doubted, p->scratch,
	    p->levels)) != 0)
		return r;
	for (i = 0; i < p->space->n_cells; i++)
		if (p->levels[i] < levels[i])
			find_rules(p, q, &doubted, &p->space->cells[i]);
	return 0;
}

size_t
placeless_rests(const struct placeless *p, size_t i)
{
	return p->principals[i];
}

/*
 * Three values throughout: what is not known is never taken for false.
 */
#include "policy/who.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "directory/control.h"
#include "directory/directory.h"

static bool
any_match(const struct names *n, const char *const *list, size_t n_list)
{
	size_t i;

	for (i = 0; i < n_list; i++)
		if (names_match(n, list[i]))
			return true;
	return false;
}

static enum truth
truth_of(bool b)
{
	return b ? TRUTH_TRUE : TRUTH_FALSE;
}

/* Whether one of the labels stands behind the reader by such kinds. */
static enum truth
reached(const struct control *c, const struct names *labels, unsigned kinds)
{
	const char *label;
	size_t i;

	for (i = 0; !labels->outside && i < labels->n; i++)
		if (control_find(c, labels->items[i], kinds) != NULL)
			return TRUTH_TRUE;
	for (i = 0; labels->outside && i < c->n; i++) {
		label = c->members[i].label;
		if (strcmp(label, CONTROL_UNKNOWN) != 0 &&
		    names_match(labels, label) &&
		    control_find(c, label, kinds) != NULL)
			return TRUTH_TRUE;
	}
	return control_find(c, CONTROL_UNKNOWN, kinds) != NULL ?
	    TRUTH_UNKNOWN : TRUTH_FALSE;
}

/* The control set tells which. */
bool
employer_unknown(const struct policy_request *q)
{
	return q->who->n_employers == 0 && control_find(q->control,
	    CONTROL_UNKNOWN, q->who->kind == PRINCIPAL_SERVICE ?
	    CONTROL_KEEPING : CONTROL_EMPLOYMENT) != NULL;
}

static enum truth
employed(const struct names *by, const struct policy_request *q)
{
	if (any_match(by, q->who->employers, q->who->n_employers))
		return TRUTH_TRUE;
	return employer_unknown(q) ? TRUTH_UNKNOWN : TRUTH_FALSE;
}

/* One employment; if the rule names employers, by one of them. */
static enum truth
employment_is(const struct rule *r, const struct employment *e)
{
	unsigned both = EMPLOYED_EMPLOYEE | EMPLOYED_CONTRACTOR;

	if (e->employer == NULL)
		return truth_of((r->employed_as & EMPLOYED_NOBODY) != 0);
	if (r->employed_by.set && !names_match(&r->employed_by, e->employer))
		return TRUTH_FALSE;
	if (!e->stated)
		return (r->employed_as & both) == both ? TRUTH_TRUE :
		    (r->employed_as & both) == 0 ? TRUTH_FALSE :
		    TRUTH_UNKNOWN;
	return truth_of((r->employed_as & (e->contractor ?
	    EMPLOYED_CONTRACTOR : EMPLOYED_EMPLOYEE)) != 0);
}

static enum truth
employed_as(const struct rule *r, const struct principal *p)
{
	enum truth best = TRUTH_FALSE, t;
	size_t i;

	if (p->kind == PRINCIPAL_SERVICE)
		return TRUTH_FALSE;	/* it is operated */
	if (p->n_employments == 0)
		return TRUTH_UNKNOWN;
	for (i = 0; i < p->n_employments; i++)
		if ((t = employment_is(r, &p->employments[i])) > best)
			best = t;
	return best;
}

static enum truth
national(const struct names *of, const struct principal *p)
{
	if (any_match(of, p->nationalities, p->n_nationalities))
		return TRUTH_TRUE;
	return p->n_nationalities == 0 ? TRUTH_UNKNOWN : TRUTH_FALSE;
}

/* Services hold no offices and are instructed by nobody. */
static enum truth
in_office(const struct names *offices, const struct principal *p)
{
	size_t i, k;

	for (i = 0; i < p->n_offices; i++)
		for (k = 0; k < offices->n; k++)
			if (office_is(p->offices[i], offices->items[k]))
				return TRUTH_TRUE;
	return p->offices_known || p->kind == PRINCIPAL_SERVICE ?
	    TRUTH_FALSE : TRUTH_UNKNOWN;
}

static enum truth
instructed(const struct names *by, const struct principal *p)
{
	if (any_match(by, p->instructors, p->n_instructors))
		return TRUTH_TRUE;
	return p->instructors_known || p->kind == PRINCIPAL_SERVICE ?
	    TRUTH_FALSE : TRUTH_UNKNOWN;
}

static enum truth
based(const struct names *in, const struct principal *p)
{
	if (any_match(in, p->based_in, p->n_based_in))
		return TRUTH_TRUE;
	return p->n_based_in == 0 ? TRUTH_UNKNOWN : TRUTH_FALSE;
}

/* A session of which nothing is known comes from the reader's own site. */
static enum truth
connecting(const struct names *from, const struct policy_request *q)
{
	const struct control *c = q->control;
	bool unknown = false;
	size_t i;

	if (c->n_seen_at == 0)
		return based(from, q->who);
	for (i = 0; i < c->n_seen_at; i++) {
		if (strcmp(c->seen_at[i], CONTROL_UNKNOWN) == 0)
			unknown = true;
		else if (names_match(from, c->seen_at[i]))
			return TRUTH_TRUE;
	}
	return unknown ? TRUTH_UNKNOWN : TRUTH_FALSE;
}

const struct definition *
policy_definition(const struct policy *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->n_definitions; i++)
		if (strcmp(p->definitions[i].name, name) == 0)
			return &p->definitions[i];
	return NULL;
}

int
who_defined(const struct definition *def, const struct policy_request *q,
    struct arena *a, struct defined *ret)
{
	const struct decided *d = q->decided;
	size_t i;

	for (i = 0; d != NULL && i < d->n; i++)
		if (&d->definitions[i] == def) {
			*ret = d->items[i];
			return 0;
		}
	return definition_decide(def, q->who, q->control->seen_at,
	    q->control->n_seen_at, a, ret);
}

int
who_decide(const struct policy *p, struct policy_request *q, struct arena *a)
{
	struct defined *items;
	struct decided *d;
	size_t i;
	int r;

	if (p->n_definitions == 0)
		return 0;
	d = arena_alloc(a, sizeof(*d));
	items = arena_array(a, p->n_definitions, sizeof(*items));
	if (d == NULL || items == NULL)
		return ERR_MEMORY;
	for (i = 0; i < p->n_definitions; i++)
		if ((r = definition_decide(&p->definitions[i], q->who,
		    q->control->seen_at, q->control->n_seen_at, a,
		    &items[i])) != 0)
			return r;
	*d = (struct decided){p->definitions, items, p->n_definitions};
	q->decided = d;
	return 0;
}

/* Out of memory nothing is known. */
static enum truth
defined_as(const struct rule *r, const struct policy_request *q)
{
	enum truth best = TRUTH_FALSE;
	struct arena *a = NULL;
	struct defined d;
	size_t i;

	if (q->decided == NULL && (a = arena_new()) == NULL)
		return TRUTH_UNKNOWN;
	for (i = 0; i < r->n_is && best != TRUTH_TRUE; i++) {
		if (who_defined(r->is[i], q, a, &d) != 0)
			best = TRUTH_UNKNOWN;
		else if (d.certain)
			best = TRUTH_TRUE;
		else if (d.possible)
			best = TRUTH_UNKNOWN;
	}
	arena_free(a);
	return best;
}

bool
who_has(const struct rule *r, enum condition c)
{
	switch (c) {
	case CONDITION_KIND:
		return r->has_kind;
	case CONDITION_PRINCIPALS:
		return r->principals.set;
	case CONDITION_ROLES:
		return r->roles.set;
	case CONDITION_EMPLOYED_BY:
		return r->employed_by.set;
	case CONDITION_EMPLOYED_AS:
		return r->employed_as != 0;
	case CONDITION_INSTRUCTED_BY:
		return r->instructed_by.set;
	case CONDITION_NATIONALITY:
		return r->nationality.set;
	case CONDITION_OFFICES:
		return r->offices.set;
	case CONDITION_LOCATED_IN:
		return r->located_in.set;
	case CONDITION_BASED_IN:
		return r->based_in.set;
	case CONDITION_CONNECTING_FROM:
		return r->connecting_from.set;
	case CONDITION_CONTROLLED_FROM:
		return r->controlled_from.set;
	case CONDITION_IS:
		return r->n_is > 0;
	default:		/* about data and reasons: rule.c */
		return false;
	}
}

enum truth
who_condition(const struct rule *r, enum condition c,
    const struct policy_request *q)
{
	const struct principal *p = q->who;

	switch (c) {
	case CONDITION_KIND:
		return truth_of(r->service == (p->kind == PRINCIPAL_SERVICE));
	case CONDITION_PRINCIPALS:
		return truth_of(names_match(&r->principals, p->id));
	case CONDITION_ROLES:
		return truth_of(any_match(&r->roles, p->roles, p->n_roles));
	case CONDITION_EMPLOYED_BY:
		return employed(&r->employed_by, q);
	case CONDITION_EMPLOYED_AS:
		return employed_as(r, p);
	case CONDITION_INSTRUCTED_BY:
		return instructed(&r->instructed_by, p);
	case CONDITION_NATIONALITY:
		return national(&r->nationality, p);
	case CONDITION_OFFICES:
		return in_office(&r->offices, p);
	case CONDITION_LOCATED_IN:
		return reached(q->control, &r->located_in, CONTROL_LOCATION);
	case CONDITION_BASED_IN:
		return based(&r->based_in, p);
	case CONDITION_CONNECTING_FROM:
		return connecting(&r->connecting_from, q);
	case CONDITION_CONTROLLED_FROM:
		return reached(q->control, &r->controlled_from, r->by);
	case CONDITION_IS:
		return defined_as(r, q);
	default:
		return TRUTH_FALSE;
	}
}

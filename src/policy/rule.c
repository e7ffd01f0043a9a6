/*
 * Three values throughout: what is not known is never taken for false.
 */
#include "policy/rule.h"

#include <string.h>

#include "directory/control.h"
#include "directory/directory.h"

bool
names_match(const struct names *n, const char *s)
{
	size_t i;

	if (!n->set)
		return true;
	if (s == NULL)
		return false;
	for (i = 0; i < n->n; i++)
		if (strcmp(n->items[i], s) == 0)
			return true;
	return false;
}

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
	size_t i;

	for (i = 0; i < labels->n; i++)
		if (control_find(c, labels->items[i], kinds) != NULL)
			return TRUTH_TRUE;
	return control_find(c, CONTROL_UNKNOWN, kinds) != NULL ?
	    TRUTH_UNKNOWN : TRUTH_FALSE;
}

/*
 * No employer is listed both where there is none and where none is known;
 * the control set tells which.
 */
static enum truth
employed(const struct names *by, const struct policy_request *q)
{
	const struct principal *p = q->who;

	if (any_match(by, p->employers, p->n_employers))
		return TRUTH_TRUE;
	if (p->n_employers > 0)
		return TRUTH_FALSE;
	return control_find(q->control, CONTROL_UNKNOWN,
	    p->kind == PRINCIPAL_SERVICE ? CONTROL_KEEPING :
	    CONTROL_EMPLOYMENT) != NULL ? TRUTH_UNKNOWN : TRUTH_FALSE;
}

static enum truth
national(const struct names *of, const struct principal *p)
{
	if (any_match(of, p->nationalities, p->n_nationalities))
		return TRUTH_TRUE;
	return p->n_nationalities == 0 ? TRUTH_UNKNOWN : TRUTH_FALSE;
}

static bool
ticket_matches(const struct rule *r, const char *ticket)
{
	if (ticket == NULL || strlen(ticket) > TICKET_MAX)
		return false;
	return regexec(r->regex, ticket, 0, NULL, 0) == 0;
}

bool
rule_has(const struct rule *r, enum condition c)
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
	case CONDITION_NATIONALITY:
		return r->nationality.set;
	case CONDITION_LOCATED_IN:
		return r->located_in.set;
	case CONDITION_CONTROLLED_FROM:
		return r->controlled_from.set;
	case CONDITION_STORES:
		return r->stores.set;
	case CONDITION_WHEN:
		return r->has_when;
	case CONDITION_PURPOSES:
		return r->purposes.set;
	case CONDITION_TICKET:
		return r->ticket != NULL;
	case CONDITION_COUNT:
		return false;
	}
	return false;
}

enum truth
rule_condition(const struct rule *r, enum condition c,
    const struct policy_request *q)
{
	if (!rule_has(r, c))
		return TRUTH_TRUE;
	switch (c) {
	case CONDITION_KIND:
		return truth_of(r->service ==
		    (q->who->kind == PRINCIPAL_SERVICE));
	case CONDITION_PRINCIPALS:
		return truth_of(names_match(&r->principals, q->who->id));
	case CONDITION_ROLES:
		return truth_of(any_match(&r->roles, q->who->roles,
		    q->who->n_roles));
	case CONDITION_EMPLOYED_BY:
		return employed(&r->employed_by, q);
	case CONDITION_NATIONALITY:
		return national(&r->nationality, q->who);
	case CONDITION_LOCATED_IN:
		return reached(q->control, &r->located_in, CONTROL_LOCATION);
	case CONDITION_CONTROLLED_FROM:
		return reached(q->control, &r->controlled_from, r->by);
	case CONDITION_STORES:
		return truth_of(names_match(&r->stores, q->store));
	case CONDITION_WHEN:
		return truth_of(r->from <= q->at_ms && q->at_ms < r->to);
	case CONDITION_PURPOSES:
		return truth_of(names_match(&r->purposes, q->purpose));
	case CONDITION_TICKET:
		return truth_of(ticket_matches(r, q->ticket));
	case CONDITION_COUNT:
		break;
	}
	return TRUTH_FALSE;
}

enum truth
rule_session(const struct rule *r, const struct policy_request *q)
{
	enum truth least = TRUTH_TRUE, t;
	int c;

	for (c = 0; c < CONDITION_COUNT && least != TRUTH_FALSE; c++)
		if ((t = rule_condition(r, (enum condition)c, q)) < least)
			least = t;
	return least;
}

bool
rule_applies(const struct rule *r, enum truth t)
{
	return t == TRUTH_TRUE || (t == TRUTH_UNKNOWN &&
	    r->verb != VERB_PERMIT);
}

const char *
request_purpose(const struct policy *p, const struct policy_request *q)
{
	size_t i;

	for (i = 0; q->purpose != NULL && i < p->purposes.n; i++)
		if (strcmp(p->purposes.items[i], q->purpose) == 0)
			return q->purpose;
	return NULL;
}

/*
 * Three values throughout: what is not known is never taken for false.
 */
#include "policy/rule.h"

#include <string.h>

#include "catalog/catalog.h"
#include "directory/control.h"
#include "policy/bulk.h"
#include "policy/who.h"

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
			return !n->outside;
	return n->outside;
}

static enum truth
truth_of(bool b)
{
	return b ? TRUTH_TRUE : TRUTH_FALSE;
}

static bool
ticket_matches(const struct rule *r, const char *ticket)
{
	if (ticket == NULL || strlen(ticket) > TICKET_MAX)
		return false;
	return regexec(r->regex, ticket, 0, NULL, 0) == 0;
}

static bool
in_list(const char *const *list, size_t n, const char *s)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(list[i], s) == 0)
			return true;
	return false;
}

/* The first category that the rule covers in a table and the ticket does
 * not; *ret_any: it covers one at all. */
static const char *
category_gap(const struct rule *r, const struct catalog_table *t,
    const struct policy_scope *s, bool *ret_any)
{
	const char *category, *gap = NULL;
	size_t i;

	for (i = 0; i < t->n_columns; i++) {
		category = t->columns[i].category;
		if (!names_match(&r->categories, category))
			continue;
		*ret_any = true;
		if (gap == NULL && !in_list(s->categories, s->n_categories,
		    category))
			gap = category;
	}
	return gap;
}

struct scope_gap
rule_scope_gap(const struct rule *r, const struct policy_request *q)
{
	struct scope_gap gap = {NULL, NULL};
	const struct catalog_table *t;
	const char *category;
	size_t i;
	bool any;

	for (i = 0; i < q->catalog->n_tables; i++) {
		t = &q->catalog->tables[i];
		any = false;
		if (t->is_public || !names_match(&r->tables, t->full))
			continue;
		category = category_gap(r, t, q->scope, &any);
		if (!any)
			continue;
		if (!in_list(q->scope->tables, q->scope->n_tables, t->full))
			return (struct scope_gap){"table", t->full};
		if (category != NULL && gap.what == NULL)
			gap = (struct scope_gap){"category", category};
	}
	return gap;
}

/* Whether two labels count as one. */
static bool
alike(const struct rule *r, const char *a, const char *b)
{
	size_t i;

	for (i = 0; i < r->n_together; i++)
		if (names_match(&r->together[i], a) &&
		    names_match(&r->together[i], b))
			return true;
	return strcmp(a, b) == 0;
}

const char *
rule_label_behind(const struct rule *r, const char *residence,
    const struct policy_request *q, bool other)
{
	const struct control *c = q->control;
	const char *label;
	size_t i;

	for (i = 0; i < c->n; i++) {
		label = c->members[i].label;
		if (strcmp(label, CONTROL_UNKNOWN) != 0 &&
		    control_find(c, label, r->relation_by) != NULL &&
		    alike(r, label, residence) != other)
			return label;
	}
	return NULL;
}

static enum truth
opposite(enum truth t)
{
	return t == TRUTH_TRUE ? TRUTH_FALSE : t == TRUTH_FALSE ?
	    TRUTH_TRUE : TRUTH_UNKNOWN;
}

enum truth
rule_relation(const struct rule *r, const char *residence,
    const struct policy_request *q)
{
	bool other = r->relation == RELATION_OTHERS_BEHIND ||
	    r->relation == RELATION_NO_OTHER_BEHIND;
	enum truth t;

	if (r->relation == RELATION_NONE)
		return TRUTH_TRUE;
	if (strcmp(residence, CONTROL_UNKNOWN) == 0)
		return TRUTH_UNKNOWN;
	if (rule_label_behind(r, residence, q, other) != NULL)
		t = TRUTH_TRUE;
	else
		t = control_find(q->control, CONTROL_UNKNOWN,
		    r->relation_by) != NULL ? TRUTH_UNKNOWN : TRUTH_FALSE;
	return r->relation == RELATION_BEHIND ||
	    r->relation == RELATION_OTHERS_BEHIND ? t : opposite(t);
}

enum truth
rule_residence(const struct rule *r, const char *residence,
    const struct policy_request *q)
{
	if (!names_match(&r->whose, residence))
		return TRUTH_FALSE;
	if (r->confirmed && q->scope != NULL &&
	    !in_list(q->scope->residences, q->scope->n_residences, residence))
		return TRUTH_FALSE;
	return rule_relation(r, residence, q);
}

bool
policy_confirms(const struct policy *p, const char *store, const char *ticket)
{
	size_t i;

	for (i = 0; i < p->n_all; i++)
		if (p->all[i].confirmed &&
		    names_match(&p->all[i].stores, store) &&
		    ticket_matches(&p->all[i], ticket))
			return true;
	return false;
}

bool
rule_has(const struct rule *r, enum condition c)
{
	switch (c) {
	case CONDITION_KIND:
	case CONDITION_PRINCIPALS:
	case CONDITION_ROLES:
	case CONDITION_EMPLOYED_BY:
	case CONDITION_EMPLOYED_AS:
	case CONDITION_INSTRUCTED_BY:
	case CONDITION_NATIONALITY:
	case CONDITION_OFFICES:
	case CONDITION_LOCATED_IN:
	case CONDITION_BASED_IN:
	case CONDITION_CONNECTING_FROM:
	case CONDITION_CONTROLLED_FROM:
	case CONDITION_IS:
		return who_has(r, c);
	case CONDITION_STORES:
		return r->stores.set;
	case CONDITION_BULK:
		return r->bulk != NULL;
	case CONDITION_WHEN:
		return r->has_when;
	case CONDITION_PURPOSES:
		return r->purposes.set;
	case CONDITION_TICKET:
		return r->ticket != NULL;
	case CONDITION_CONFIRMED:
		return r->confirmed;
	case CONDITION_APPROVAL:
		return r->approval.set;
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
	case CONDITION_PRINCIPALS:
	case CONDITION_ROLES:
	case CONDITION_EMPLOYED_BY:
	case CONDITION_EMPLOYED_AS:
	case CONDITION_INSTRUCTED_BY:
	case CONDITION_NATIONALITY:
	case CONDITION_OFFICES:
	case CONDITION_LOCATED_IN:
	case CONDITION_BASED_IN:
	case CONDITION_CONNECTING_FROM:
	case CONDITION_CONTROLLED_FROM:
	case CONDITION_IS:
		return who_condition(r, c, q);
	case CONDITION_STORES:
		return truth_of(names_match(&r->stores, q->store));
	case CONDITION_BULK:
		return bulk_holds(r->bulk, q->catalog);
	case CONDITION_WHEN:
		return truth_of(r->from <= q->at_ms && q->at_ms < r->to &&
		    weekly_holds(&r->weekly, q->at_ms));
	case CONDITION_PURPOSES:
		return truth_of(names_match(&r->purposes, q->purpose));
	case CONDITION_TICKET:
		return truth_of(ticket_matches(r, q->ticket));
	case CONDITION_CONFIRMED:
		return truth_of(q->scope != NULL &&
		    rule_scope_gap(r, q).what == NULL);
	case CONDITION_APPROVAL:
		return truth_of(q->approved != NULL && (q->approved->all ||
		    in_list(q->approved->rules, q->approved->n, r->name)));
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

bool
rule_scope_lacks(const struct rule *r, const char *residence,
    const struct policy_request *q)
{
	return r->confirmed && q->scope != NULL &&
	    names_match(&r->whose, residence) &&
	    rule_relation(r, residence, q) == TRUTH_TRUE &&
	    !in_list(q->scope->residences, q->scope->n_residences, residence);
}

bool
rule_applies_to(const struct rule *r, const char *residence,
    const struct policy_request *q)
{
	enum truth t = rule_residence(r, residence, q), session;

	if (t == TRUTH_FALSE)
		return false;
	session = rule_session(r, q);
	return rule_applies(r, t < session ? t : session);
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

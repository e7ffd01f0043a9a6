/*
 * The rules are gone through once more for each cell, as slowly as they
 * read: this is for people who ask, not for sessions.
 */
#include "policy/effect.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "catalog/catalog.h"
#include "directory/control.h"
#include "policy/explain.h"
#include "policy/rule.h"
#include "policy/who.h"

struct cell {
	const struct catalog_table *table;
	const char *residence;
	const char *category;
};

static bool
meets(const struct rule *r, const struct policy_request *q,
    const struct cell *c)
{
	return names_match(&r->tables, c->table->full) &&
	    names_match(&r->categories, c->category) &&
	    rule_applies_to(r, c->residence, q);
}

/* What the rules about a cell give if it stands alone. */
static enum treatment
alone(const struct policy *p, const struct policy_request *q,
    const struct cell *c)
{
	enum treatment t = TREAT_PLAIN;
	bool permitted = false;
	size_t i;

	if (strcmp(c->residence, CONTROL_UNKNOWN) == 0)
		return TREAT_ABSENT;
	for (i = 0; i < p->n_rules; i++) {
		const struct rule *r = &p->rules[i];

		if (!meets(r, q, c))
			continue;
		switch (r->verb) {
		case VERB_PERMIT:
			permitted = true;
			break;
		case VERB_FORBID:
			return TREAT_ABSENT;
		case VERB_TREAT:
			if (r->treatment < t)
				t = r->treatment;
			break;
		}
	}
	return permitted ? t : TREAT_ABSENT;
}

static const char *
verb_text(const struct rule *r)
{
	switch (r->verb) {
	case VERB_PERMIT:
		return "permit";
	case VERB_FORBID:
		return "forbid";
	case VERB_TREAT:
		return treatment_text(r->treatment);
	}
	return "";
}

static int
list_rules(const struct policy *p, const struct policy_request *q,
    const struct cell *c, struct arena *a, struct effect *ret)
{
	struct effect_rule *rules, *e;
	size_t i;

	if ((rules = arena_array(a, p->n_rules, sizeof(*rules))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < p->n_rules; i++) {
		const struct rule *r = &p->rules[i];

		if (!meets(r, q, c))
			continue;
		e = &rules[ret->n++];
		e->name = r->name;
		e->verb = verb_text(r);
		if ((e->because = explain_forbid(r, c->residence, q,
		    a)) == NULL)
			return ERR_MEMORY;
	}
	ret->rules = rules;
	return 0;
}

int
policy_effect(const struct policy *p, const struct policy_request *q,
    const struct clearance *c, size_t table, size_t residence, size_t column,
    struct arena *a, struct effect *ret)
{
	const struct clearance_table *t = &c->tables[table];
	const struct policy_outcome *outcomes = c->outcomes +
	    table * c->n_residences;
	struct cell cell = { .table = t->table,
	    .residence = q->residences[residence],
	    .category = t->table->columns[column].category };
	struct policy_request known = *q;
	size_t i;
	int r;

	known.purpose = request_purpose(p, q);
	memset(ret, 0, sizeof(*ret));
	if (q->decided == NULL && (r = who_decide(p, &known, a)) != 0)
		return r;
	if (outcomes[residence].permitted)
		ret->outcome = t->columns[column];
	if ((r = list_rules(p, &known, &cell, a, ret)) != 0)
		return r;
	if (!outcomes[residence].permitted ||
	    alone(p, &known, &cell) == ret->outcome)
		return 0;
	for (i = 0; i < q->n_residences && ret->elsewhere == NULL; i++) {
		cell.residence = q->residences[i];
		if (outcomes[i].permitted &&
		    alone(p, &known, &cell) == ret->outcome)
			ret->elsewhere = q->residences[i];
	}
	return 0;
}

/*
 * The rules are gone through one by one: this is for who is refused and
 * asks why, not for deciding.
 */
#include "policy/refuse.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "catalog/catalog.h"
#include "directory/control.h"
#include "policy/explain.h"
#include "policy/rule.h"

/* What a rule says of the table and residence looked at. */
struct active {
	const struct rule *rule;
	bool table, residence;	/* it is about them */
	bool applies;		/* to the session, and to both */
};

struct refuse {
	const struct policy_request *q;
	struct arena *arena;
	const struct catalog_table *table;
	const char *residence;
	struct active *rules;
	size_t n_rules;
};

static int
prepare(struct refuse *d, const struct policy *p)
{
	size_t i;

	d->n_rules = p->n_rules;
	d->rules = arena_array(d->arena, d->n_rules, sizeof(*d->rules));
	if (d->rules == NULL)
		return ERR_MEMORY;
	for (i = 0; i < d->n_rules; i++) {
		struct active *a = &d->rules[i];

		a->rule = &p->rules[i];
		a->table = names_match(&a->rule->tables, d->table->full);
		a->residence = rule_residence(a->rule, d->residence, d->q) ==
		    TRUTH_TRUE;
		a->applies = a->table &&
		    rule_applies_to(a->rule, d->residence, d->q);
	}
	return 0;
}

static bool
covers(const struct refuse *d, const struct active *a, size_t column)
{
	return names_match(&a->rule->categories,
	    d->table->columns[column].category);
}

static bool
is_permitted(const struct refuse *d, size_t column)
{
	size_t i;

	for (i = 0; i < d->n_rules; i++)
		if (d->rules[i].applies &&
		    d->rules[i].rule->verb == VERB_PERMIT &&
		    covers(d, &d->rules[i], column))
			return true;
	return false;
}

/*
 * Whether a forbid is why nothing of a residence is shown: it takes away
 * something that is permitted otherwise, or it takes all.
 */
static bool
is_reason(const struct refuse *d, const struct active *a)
{
	bool all = true;
	size_t i;

	if (!a->applies || a->rule->verb != VERB_FORBID)
		return false;
	for (i = 0; i < d->table->n_columns; i++) {
		if (!covers(d, a, i))
			all = false;
		else if (is_permitted(d, i))
			return true;
	}
	return all;
}

static const struct active *
find_forbid(const struct refuse *d)
{
	enum explanation rank, best_rank = EXPLAIN_PATH;
	const struct active *best = NULL;
	size_t i;

	for (i = 0; i < d->n_rules; i++) {
		if (!is_reason(d, &d->rules[i]))
			continue;
		rank = explain_rank(d->rules[i].rule, d->residence, d->q);
		if (best != NULL && rank >= best_rank)
			continue;
		best = &d->rules[i];
		best_rank = rank;
	}
	return best;
}

/* The permit that lacks least; rule NULL if there is none at all. */
static struct unmet
find_nearest(const struct refuse *d)
{
	struct unmet best = {.rule = NULL}, u;
	size_t i, k;

	for (i = 0; i < d->n_rules; i++) {
		const struct active *a = &d->rules[i];

		if (a->rule->verb != VERB_PERMIT)
			continue;
		u = (struct unmet){.rule = a->rule, .table = !a->table,
		    .residence = !a->residence, .category = true};
		for (k = 0; k < d->table->n_columns; k++)
			if (covers(d, a, k))
				u.category = false;
		u.scope = u.residence && rule_scope_lacks(a->rule,
		    d->residence, d->q);
		explain_measure(&u, d->q);
		if (best.rule == NULL || u.distance < best.distance)
			best = u;
	}
	return best;
}

static int
refuse(const struct refuse *d, struct policy_reason *ret)
{
	const struct active *forbid;
	struct unmet u;

	if ((forbid = find_forbid(d)) != NULL) {
		ret->rule = forbid->rule->name;
		ret->because = explain_forbid(forbid->rule, d->residence,
		    d->q, d->arena);
		if (forbid->rule->hint != NULL)
			ret->hint = forbid->rule->hint;
		return ret->because == NULL ? ERR_MEMORY : 0;
	}
	u = find_nearest(d);
	if (u.rule == NULL) {
		ret->because = "no rule permits anything";
		return 0;
	}
	ret->because = explain_unmet(&u, d->q, d->table, d->residence,
	    d->arena);
	ret->hint = explain_hint(&u, d->q, d->arena);
	return ret->because == NULL || ret->hint == NULL ? ERR_MEMORY : 0;
}

int
refuse_reason(const struct policy *p, const struct policy_request *q,
    size_t table, size_t residence, struct arena *a,
    struct policy_reason *ret)
{
	struct refuse d = {.q = q, .arena = a,
	    .table = &q->catalog->tables[table],
	    .residence = q->residences[residence]};
	int r;

	ret->permitted = false;
	ret->rule = NULL;
	ret->because = ret->hint = "";
	if (strcmp(d.residence, CONTROL_UNKNOWN) == 0) {
		ret->because = "where these people are at home is not known";
		return 0;
	}
	if ((r = prepare(&d, p)) != 0)
		return r;
	return refuse(&d, ret);
}

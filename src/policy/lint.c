#include "policy/lint.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "catalog/catalog.h"
#include "policy/rule.h"

int
lint_init(struct lint *l, const struct policy *p, const struct reach_space *s,
    struct arena *a)
{
	l->policy = p;
	l->space = s;
	l->applies = arena_array(a, p->n_rules, sizeof(*l->applies));
	l->permits = arena_array(a, p->n_rules, sizeof(*l->permits));
	return l->applies == NULL || l->permits == NULL ? ERR_MEMORY : 0;
}

/* Whether a rule that may apply to the session does so to a cell. */
static bool
applies(const struct rule *r, const struct reach_space *s,
    const struct policy_request *q, const struct reach_cell *c)
{
	return names_match(&r->tables, reach_table(s, c)->full) &&
	    names_match(&r->categories, reach_column(s, c)->category) &&
	    rule_applies_to(r, reach_residence(s, c), q);
}

static bool
forbidden(const struct lint *l, const struct policy_request *q,
    const struct reach_cell *c)
{
	const struct policy *p = l->policy;
	size_t i;

	for (i = 0; i < p->n_rules; i++)
		if (p->rules[i].verb == VERB_FORBID &&
		    applies(&p->rules[i], l->space, q, c))
			return true;
	return false;
}

/* What is known of a rule already is not looked for again. */
static bool
is_done(const struct lint *l, size_t rule)
{
	return l->applies[rule] && (l->permits[rule] ||
	    l->policy->rules[rule].verb != VERB_PERMIT);
}

static void
look_at(struct lint *l, size_t rule, size_t store,
    const struct policy_request *q)
{
	const struct rule *r = &l->policy->rules[rule];
	const struct reach_space *s = l->space;
	size_t i;

	if (!rule_applies(r, rule_session(r, q)))
		return;
	for (i = 0; i < s->n_cells && !is_done(l, rule); i++) {
		if (s->cells[i].store != store ||
		    !applies(r, s, q, &s->cells[i]))
			continue;
		l->applies[rule] = true;
		if (r->verb == VERB_PERMIT && !forbidden(l, q, &s->cells[i]))
			l->permits[rule] = true;
	}
}

void
lint_add(struct lint *l, const struct reach_session *q)
{
	static const struct policy_approvals all = { .all = true };
	struct policy_request request;
	size_t i, k;

	/* What an approval would open is not dead for the want of one. */
	for (i = 0; i < l->space->n_stores; i++) {
		if (!reach_possible(&l->space->stores[i], q))
			continue;
		request = reach_request(&l->space->stores[i], q);
		request.approved = &all;
		for (k = 0; k < l->policy->n_rules; k++)
			if (!is_done(l, k))
				look_at(l, k, i, &request);
	}
}

void
lint_dead(const struct lint *l, lint_fn *fn, void *arg)
{
	const struct rule *r = l->policy->rules;
	size_t i;

	for (i = 0; i < l->policy->n_rules; i++)
		if (!l->applies[i])
			fn(arg, r[i].line, r[i].column, r[i].name);
}

void
lint_shadowed(const struct lint *l, lint_fn *fn, void *arg)
{
	const struct rule *r = l->policy->rules;
	size_t i;

	for (i = 0; i < l->policy->n_rules; i++)
		if (r[i].verb == VERB_PERMIT && l->applies[i] &&
		    !l->permits[i])
			fn(arg, r[i].line, r[i].column, r[i].name);
}

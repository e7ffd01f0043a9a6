/*
 * The value that a fact could have is chosen against the rule: an instructor
 * from the country that it names, a role of its list. All else about the
 * session stays as it is.
 */
#include "policy/missing.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "catalog/catalog.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "policy/rule.h"

int
missing_init(struct missing *m, const struct policy *p,
    const struct reach_space *s, struct arena *a)
{
	m->policy = p;
	m->space = s;
	m->seen = arena_array(a, p->n_rules, sizeof(*m->seen));
	m->principals = arena_array(a, p->n_rules, sizeof(*m->principals));
	return m->seen == NULL || m->principals == NULL ? ERR_MEMORY : 0;
}

void
missing_next(struct missing *m)
{
	if (m->policy->n_rules > 0)
		memset(m->seen, 0, m->policy->n_rules * sizeof(*m->seen));
}

/* Whether nothing is written, and none is what that counts as. */
static bool
lacks(const struct principal *p, enum missing_fact fact)
{
	switch (fact) {
	case MISSING_INSTRUCTOR:
		return p->kind == PRINCIPAL_PERSON &&
		    p->n_instructors == 0 && !p->instructors_known;
	case MISSING_ROLES:
		return p->n_roles == 0;
	case MISSING_COUNT:
		break;
	}
	return false;
}

static bool
is_by_actual(unsigned kinds)
{
	return (kinds & CONTROL_ACTUAL) != 0;
}

/* Whether all conditions about the session let the rule but one, which does
 * not; CONDITION_COUNT: whether all do. */
static bool
lacks_only(const struct rule *r, enum condition one,
    const struct policy_request *q)
{
	int c;

	for (c = 0; c < CONDITION_COUNT; c++)
		if (rule_applies(r, rule_condition(r, (enum condition)c,
		    q)) == (c == (int)one))
			return false;
	return true;
}

/* Whether the rule lists a cell, however its people stand to the reader. */
static bool
lists(const struct rule *r, const struct reach_space *s,
    const struct reach_cell *c)
{
	return names_match(&r->tables, reach_table(s, c)->full) &&
	    names_match(&r->categories, reach_column(s, c)->category) &&
	    names_match(&r->whose, reach_residence(s, c));
}

/* Whether a forbid or a treatment would come to apply to a cell. */
static bool
would_take(const struct rule *r, enum missing_fact fact,
    const struct policy_request *q, const char *residence)
{
	enum truth related = rule_relation(r, residence, q);

	if (fact == MISSING_ROLES)
		return related != TRUTH_FALSE &&
		    lacks_only(r, CONDITION_ROLES, q);
	if (is_by_actual(r->by) && related != TRUTH_FALSE &&
	    lacks_only(r, CONDITION_CONTROLLED_FROM, q))
		return true;
	return (r->relation == RELATION_BEHIND ||
	    r->relation == RELATION_OTHERS_BEHIND) &&
	    is_by_actual(r->relation_by) && related == TRUTH_FALSE &&
	    lacks_only(r, CONDITION_COUNT, q);
}

static bool
has_other_permit(const struct missing *m, const struct rule *r,
    const struct policy_request *q, const struct reach_cell *c)
{
	const struct policy *p = m->policy;
	size_t i;

	for (i = 0; i < p->n_rules; i++)
		if (&p->rules[i] != r && p->rules[i].verb == VERB_PERMIT &&
		    lists(&p->rules[i], m->space, c) &&
		    rule_applies_to(&p->rules[i], reach_residence(m->space,
		    c), q))
			return true;
	return false;
}

/* Whether the only permit of a cell would no longer apply. */
static bool
would_go(const struct missing *m, const struct rule *r,
    enum missing_fact fact, const struct policy_request *q,
    const struct reach_cell *c)
{
	return fact == MISSING_INSTRUCTOR &&
	    (r->relation == RELATION_NOT_BEHIND ||
	    r->relation == RELATION_NO_OTHER_BEHIND) &&
	    is_by_actual(r->relation_by) &&
	    rule_applies_to(r, reach_residence(m->space, c), q) &&
	    !has_other_permit(m, r, q, c);
}

static bool
rests(const struct missing *m, const struct rule *r, enum missing_fact fact,
    const struct policy_request *q, const struct reach_cell *c,
    enum treatment shown)
{
	if (!lists(r, m->space, c))
		return false;
	if (r->verb == VERB_PERMIT)
		return would_go(m, r, fact, q, c);
	return (r->verb == VERB_FORBID || r->treatment < shown) &&
	    would_take(r, fact, q, reach_residence(m->space, c));
}

/* Whether the rule can depend on the fact at all. */
static bool
can_rest(const struct rule *r, enum missing_fact fact)
{
	if (fact == MISSING_ROLES)
		return r->verb != VERB_PERMIT && r->roles.set;
	return (r->relation != RELATION_NONE &&
	    is_by_actual(r->relation_by)) || (r->verb != VERB_PERMIT &&
	    r->controlled_from.set && is_by_actual(r->by));
}

static bool
rests_anywhere(const struct missing *m, const struct rule *r,
    enum missing_fact fact, const struct reach_session *q,
    const uint8_t *levels)
{
	const struct reach_space *s = m->space;
	struct policy_request request;
	size_t i;

	for (i = 0; i < s->n_cells; i++) {
		const struct reach_cell *c = &s->cells[i];

		if (i == 0 || c->store != s->cells[i - 1].store) {
			request = reach_request(&s->stores[c->store], q);
			request.purpose = request_purpose(m->policy,
			    &request);
		}
		if (levels[i] != TREAT_ABSENT && rests(m, r, fact, &request,
		    c, (enum treatment)levels[i]))
			return true;
	}
	return false;
}

void
missing_add(struct missing *m, const struct reach_session *q,
    const uint8_t *levels)
{
	size_t i;
	int f;

	for (f = 0; f < MISSING_COUNT; f++) {
		if (!lacks(q->who, (enum missing_fact)f))
			continue;
		for (i = 0; i < m->policy->n_rules; i++) {
			const struct rule *r = &m->policy->rules[i];

			if (m->seen[i][f] ||
			    !can_rest(r, (enum missing_fact)f) ||
			    !rests_anywhere(m, r, (enum missing_fact)f, q,
			    levels))
				continue;
			m->seen[i][f] = true;
			m->principals[i][f]++;
		}
	}
}

void
missing_tell(const struct missing *m, missing_fn *fn, void *arg)
{
	const struct rule *r = m->policy->rules;
	size_t i;
	int f;

	for (i = 0; i < m->policy->n_rules; i++)
		for (f = 0; f < MISSING_COUNT; f++)
			if (m->principals[i][f] > 0)
				fn(arg, r[i].line, r[i].column, r[i].name,
				    (enum missing_fact)f,
				    m->principals[i][f]);
}

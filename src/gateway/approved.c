#include "gateway/approved.h"

#include "base/arena.h"
#include "base/err.h"
#include "policy/grants.h"

/* Of its own: what it is copied from goes with a version. */
static int
copy(const struct granted *g, struct arena *a, struct record_approved *ret)
{
	const char **by;
	size_t i;

	ret->until_ms = g->grant->until_ms;
	ret->id = arena_str(a, g->grant->id);
	ret->rule = arena_str(a, g->grant->rule);
	by = arena_array(a, g->n_by, sizeof(*by));
	if (ret->id == NULL || ret->rule == NULL || by == NULL)
		return ERR_MEMORY;
	for (i = 0; i < g->n_by; i++)
		if ((by[i] = arena_str(a, g->by[i])) == NULL)
			return ERR_MEMORY;
	ret->by = (struct record_strs){by, g->n_by};
	return 0;
}

int
approved_find(const struct grants *g, const struct grants_by *by,
    const struct approved_for *who, struct arena *a, struct approved *ret)
{
	struct record_approved *items;
	struct granted_list l;
	const char **rules;
	size_t i;
	int r;

	*ret = (struct approved){.n = 0};
	if ((r = grants_in_force(g, by, who->principal, who->store,
	    who->ticket, who->at_ms, a, &l)) != 0 || l.n == 0)
		return r;
	items = arena_array(a, l.n, sizeof(*items));
	rules = arena_array(a, l.n, sizeof(*rules));
	if (items == NULL || rules == NULL)
		return ERR_MEMORY;
	for (i = 0; i < l.n; i++) {
		if ((r = copy(&l.items[i], a, &items[i])) != 0)
			return r;
		rules[i] = items[i].rule;
	}
	ret->items = items;
	ret->n = l.n;
	ret->policy = (struct policy_approvals){.rules = rules, .n = l.n};
	return 0;
}

/* What is decided with some of them only. */
static int
decide_with(const struct policy *p, const struct policy_request *q,
    const char *const *rules, size_t n, struct arena *a,
    const struct clearance **ret)
{
	const struct policy_approvals some = {.rules = rules, .n = n};
	struct policy_request with = *q;

	with.approved = &some;
	return policy_decide(p, &with, a, ret);
}

/*
 * One matters for a table if it shows more by it alone, or less without it:
 * of two that open the same neither is left out.
 */
static int
one_tables(const struct approved *x, size_t k, const struct policy *p,
    const struct policy_request *q, const struct clearance *all,
    const struct clearance *none, struct arena *a, const bool **ret)
{
	const struct clearance *alone, *without;
	const char **others;
	size_t i, n = 0;
	bool *tables;
	int r;

	tables = arena_array(a, all->n_tables + 1, sizeof(*tables));
	others = arena_array(a, x->n, sizeof(*others));
	if (tables == NULL || others == NULL)
		return ERR_MEMORY;
	for (i = 0; i < x->n; i++)
		if (i != k)
			others[n++] = x->items[i].rule;
	if ((r = decide_with(p, q, &x->policy.rules[k], 1, a,
	    &alone)) != 0 ||
	    (r = decide_with(p, q, others, n, a, &without)) != 0)
		return r;
	for (i = 0; i < all->n_tables; i++)
		tables[i] = clearance_needs_exact(alone, none, i) ||
		    clearance_needs_exact(all, without, i);
	*ret = tables;
	return 0;
}

int
approved_tables(struct approved *x, const struct policy *p,
    const struct policy_request *q, const struct clearance *all,
    struct arena *a)
{
	const struct clearance *none;
	const bool **tables;
	size_t i;
	int r;

	if (x->n == 0)
		return 0;
	if ((tables = arena_array(a, x->n, sizeof(*tables))) == NULL)
		return ERR_MEMORY;
	if ((r = decide_with(p, q, NULL, 0, a, &none)) != 0)
		return r;
	for (i = 0; i < x->n; i++)
		if ((r = one_tables(x, i, p, q, all, none, a,
		    &tables[i])) != 0)
			return r;
	x->tables = tables;
	return 0;
}

int
approved_cite(const struct approved *x, const bool *tables, size_t n_tables,
    struct arena *a, struct record_statement *ret)
{
	struct record_approval_id *ids;
	size_t i, k;

	if (x->n == 0)
		return 0;
	if ((ids = arena_array(a, x->n, sizeof(*ids))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < x->n; i++) {
		for (k = 0; k < n_tables; k++)
			if (x->tables[i][k] && (tables == NULL || tables[k]))
				break;
		if (k == n_tables)
			continue;
		if ((ids[ret->n_approvals].id = arena_str(a,
		    x->items[i].id)) == NULL)
			return ERR_MEMORY;
		ret->n_approvals++;
	}
	ret->approvals = ids;
	return 0;
}

#include "policy/grants_words.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "policy/rule.h"

static const char *
keep(struct buf *b, struct arena *a)
{
	const char *s = buf_text(b) == NULL ? NULL :
	    arena_strn(a, (const char *)b->data, b->len);

	buf_done(b);
	return s;
}

static void
put_list(struct buf *out, const struct names *n)
{
	size_t i;

	if (n->set && n->outside)
		buf_str(out, "outside ");
	for (i = 0; n->set && i < n->n; i++)
		buf_fmt(out, "%s%s", i > 0 ? ", " : "", n->items[i]);
}

static const char *
list(const struct names *n, struct arena *a)
{
	struct buf b;

	buf_init(&b, 0);
	put_list(&b, n);
	return keep(&b, a);
}

static const char *
people(const struct names *roles, const struct names *principals,
    struct arena *a)
{
	struct buf b;

	buf_init(&b, 0);
	if (roles->set)
		buf_str(&b, "role ");
	put_list(&b, roles);
	if (roles->set && principals->set)
		buf_str(&b, "; ");
	put_list(&b, principals);
	return keep(&b, a);
}

/* Whose rows: how they stand to the reader is in the rule's own words. */
static const char *
whose(const struct rule *r, struct arena *a)
{
	static const char *const relations[] = {
		[RELATION_NONE] = "",
		[RELATION_BEHIND] = "those behind the reader",
		[RELATION_NOT_BEHIND] = "those not behind the reader",
		[RELATION_OTHERS_BEHIND] = "if another is behind the reader",
		[RELATION_NO_OTHER_BEHIND] =
		    "if no other is behind the reader",
	};
	struct buf b;

	buf_init(&b, 0);
	put_list(&b, &r->whose);
	if (r->whose.set && r->relation != RELATION_NONE)
		buf_str(&b, "; ");
	buf_str(&b, relations[r->relation]);
	return keep(&b, a);
}

int
grant_words(const struct policy *p, const char *rule, struct arena *a,
    struct grant_words *ret)
{
	const struct rule *r = NULL;
	size_t i;

	for (i = 0; i < p->n_rules && r == NULL; i++)
		if (p->rules[i].approval.set &&
		    strcmp(p->rules[i].name, rule) == 0)
			r = &p->rules[i];
	if (r == NULL)
		return ERR_MISSING;
	*ret = (struct grant_words){
		.rule = r->name, .stores = list(&r->stores, a),
		.tables = list(&r->tables, a),
		.categories = list(&r->categories, a),
		.residences = whose(r, a), .purposes = list(&r->purposes, a),
		.ticket = r->ticket != NULL ? r->ticket : "",
		.by = people(&r->approval.roles, &r->approval.principals, a),
		.count = r->approval.count,
		.longest_ms = r->approval.longest_ms,
		.glass_by = people(&r->approval.glass_roles,
		    &r->approval.glass_principals, a),
		.glass_ms = r->approval.glass_ms,
		.review_ms = r->approval.review_ms,
	};
	return ret->stores == NULL || ret->tables == NULL ||
	    ret->categories == NULL || ret->residences == NULL ||
	    ret->purposes == NULL || ret->by == NULL ||
	    ret->glass_by == NULL ? ERR_MEMORY : 0;
}

/* Whether nothing about the reader keeps the rule from applying. */
static bool
is_about(const struct rule *r, const struct policy_request *q)
{
	int c;

	for (c = 0; r->approval.set && c < CONDITION_STATED; c++)
		if (rule_has(r, (enum condition)c) && rule_condition(r,
		    (enum condition)c, q) != TRUTH_TRUE)
			return false;
	return r->approval.set;
}

/* The members of a set, by its bits. */
static int
add_set(struct policy_approvals *ret, const char *const *rules, size_t n,
    uint64_t bits, struct arena *a)
{
	const char **list = arena_array(a, n, sizeof(*list));
	size_t i;

	if (list == NULL)
		return ERR_MEMORY;
	for (i = 0; i < n; i++)
		if (bits == UINT64_MAX || (i < 64 && (bits >> i & 1) != 0))
			list[ret->n++] = rules[i];
	ret->rules = list;
	return 0;
}

static int
add_pair(struct policy_approvals *ret, const char *one, const char *two,
    struct arena *a)
{
	const char **list = arena_array(a, 2, sizeof(*list));

	if (list == NULL)
		return ERR_MEMORY;
	list[ret->n++] = one;
	if (two != NULL)
		list[ret->n++] = two;
	ret->rules = list;
	return 0;
}

/* None, each one, each two, all. */
static int
few_sets(struct policy_approvals *sets, const char *const *rules, size_t n,
    struct arena *a, size_t *ret_n)
{
	size_t i, k, at = 1;
	int r = 0;

	for (i = 0; i < n && r == 0; i++) {
		r = add_pair(&sets[at++], rules[i], NULL, a);
		for (k = i + 1; k < n && r == 0; k++)
			r = add_pair(&sets[at++], rules[i], rules[k], a);
	}
	if (r == 0)
		r = add_set(&sets[at++], rules, n, UINT64_MAX, a);
	*ret_n = at;
	return r;
}

int
grant_sets(const struct policy *p, const struct policy_request *q,
    struct arena *a, const struct policy_approvals **ret, size_t *ret_n)
{
	const char **rules = arena_array(a, p->n_rules, sizeof(*rules));
	struct policy_approvals *sets;
	size_t i, n = 0;
	int r = 0;

	if (rules == NULL)
		return ERR_MEMORY;
	for (i = 0; i < p->n_rules; i++)
		if (is_about(&p->rules[i], q))
			rules[n++] = p->rules[i].name;
	*ret_n = n <= GRANT_SETS_ALL ? (size_t)1 << n :
	    2 + n + n * (n - 1) / 2;
	if ((sets = arena_array(a, *ret_n, sizeof(*sets))) == NULL)
		return ERR_MEMORY;
	*ret = sets;
	if (n > GRANT_SETS_ALL)
		return few_sets(sets, rules, n, a, ret_n);
	for (i = 1; i < *ret_n && r == 0; i++)
		r = add_set(&sets[i], rules, n, i, a);
	return r;
}

int
grant_rules(const struct policy *p, struct arena *a,
    const char *const **ret, size_t *ret_n)
{
	const char **names = arena_array(a, p->n_rules, sizeof(*names));
	size_t i, n = 0;

	if (names == NULL)
		return ERR_MEMORY;
	for (i = 0; i < p->n_rules; i++)
		if (p->rules[i].approval.set)
			names[n++] = p->rules[i].name;
	*ret = names;
	*ret_n = n;
	return 0;
}

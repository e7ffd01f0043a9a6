#include "policy/approvers.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "directory/above.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "policy/rule.h"

bool
approval_names(const struct rule *r, const struct principal *p)
{
	const struct approval *a = &r->approval;
	size_t i;

	if (a->principals.set && names_match(&a->principals, p->id))
		return true;
	for (i = 0; a->roles.set && i < p->n_roles; i++)
		if (names_match(&a->roles, p->roles[i]))
			return true;
	return false;
}

/* What stands above and behind somebody, as far as the rule looks. */
static int
look(const struct directory *d, const struct approval *rule, const char *id,
    int64_t at_ms, struct arena *a, struct approver *ret)
{
	const struct control *c;
	const char **labels;
	size_t i;
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->id = id;
	if ((r = directory_above(d, id, at_ms, rule->apart,
	    rule->meet_at.items, rule->meet_at.n, a, &ret->above,
	    &ret->n_above)) != 0 ||
	    (r = control_of(d, id, at_ms, NULL, 0, a, &c)) != 0)
		return r;
	ret->known = control_find(c, CONTROL_UNKNOWN, rule->apart) == NULL;
	if ((labels = arena_array(a, c->n, sizeof(*labels))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < c->n; i++)
		if (control_find(c, c->members[i].label, rule->apart) != NULL)
			labels[ret->n_labels++] = c->members[i].label;
	ret->labels = labels;
	return 0;
}

int
approvers_list(const struct directory *d, const struct rule *r,
    const char *const *ids, size_t n, int64_t at_ms, struct arena *a,
    struct approvers *ret)
{
	const struct principal *p;
	struct approver *items;
	size_t i;
	int e;

	if ((items = arena_array(a, n, sizeof(*items))) == NULL)
		return ERR_MEMORY;
	*ret = (struct approvers){ .rule = r, .items = items };
	for (i = 0; i < n; i++) {
		if ((e = directory_principal(d, ids[i], at_ms, a, &p)) != 0)
			return e;
		if (p->kind != PRINCIPAL_PERSON || !approval_names(r, p))
			continue;
		if ((e = look(d, &r->approval, ids[i], at_ms, a,
		    &items[ret->n])) != 0)
			return e;
		ret->n++;
	}
	return 0;
}

static bool
has(const char *const *list, size_t n, const char *s)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(list[i], s) == 0)
			return true;
	return false;
}

/* What two have in common that the rule does not let them. */
struct common {
	const char *who;		/* above both */
	const char *label;		/* behind both */
	const char *unknown;		/* it is not known of this one */
	bool same;
};

static bool
find_common(const struct approval *rule, const struct approver *x,
    const struct approver *y, struct common *ret)
{
	size_t i;

	*ret = (struct common){ .same = strcmp(x->id, y->id) == 0,
	    .unknown = !x->known ? x->id : !y->known ? y->id : NULL };
	if (ret->same)
		return true;
	for (i = 0; i < x->n_above && ret->who == NULL; i++)
		if (has(y->above, y->n_above, x->above[i]) &&
		    !(rule->meet_at.set &&
		    names_match(&rule->meet_at, x->above[i])))
			ret->who = x->above[i];
	for (i = 0; i < x->n_labels && ret->label == NULL; i++)
		if (has(y->labels, y->n_labels, x->labels[i]))
			ret->label = x->labels[i];
	return ret->who != NULL || ret->label != NULL || ret->unknown != NULL;
}

static bool
is_apart(const struct approval *rule, const struct approver *x,
    const struct approver *y)
{
	struct common c;

	return !find_common(rule, x, y, &c);
}

int
approvers_together(const struct directory *d, const struct rule *rule,
    const char *requester, const char *approver, int64_t at_ms,
    struct arena *a, const char **ret)
{
	struct approver x, y;
	struct common c;
	int r;

	*ret = NULL;
	if ((r = look(d, &rule->approval, requester, at_ms, a, &x)) != 0 ||
	    (r = look(d, &rule->approval, approver, at_ms, a, &y)) != 0 ||
	    !find_common(&rule->approval, &x, &y, &c))
		return r;
	if (c.same)
		*ret = "nobody approves for themselves";
	else if (c.who != NULL)
		*ret = strcmp(c.who, requester) == 0 ? arena_fmt(a,
		    "%s answers to %s", approver, requester) :
		    strcmp(c.who, approver) == 0 ? arena_fmt(a,
		    "%s answers to %s", requester, approver) :
		    arena_fmt(a, "both answer to %s", c.who);
	else if (c.label != NULL)
		*ret = arena_fmt(a, "%s stands behind both", c.label);
	else
		*ret = arena_fmt(a, "who stands behind %s is not known",
		    c.unknown);
	return *ret == NULL ? ERR_MEMORY : 0;
}

int
approvers_for(const struct approvers *l, const struct directory *d,
    const char *requester, int64_t at_ms, struct arena *a,
    const char *const **ret, size_t *ret_n)
{
	const struct approval *rule = &l->rule->approval;
	struct approver asks;
	const char **ids;
	size_t i, n = 0;
	int r;

	if ((ids = arena_array(a, l->n, sizeof(*ids))) == NULL)
		return ERR_MEMORY;
	if ((r = look(d, rule, requester, at_ms, a, &asks)) != 0)
		return r;
	for (i = 0; i < l->n; i++)
		if (is_apart(rule, &asks, &l->items[i]))
			ids[n++] = l->items[i].id;
	*ret = ids;
	*ret_n = n;
	return 0;
}

int
approval_survey_make(const struct directory *d, const struct policy *p,
    const char *const *ids, size_t n, int64_t at_ms, struct arena *a,
    struct approval_survey *ret)
{
	size_t i;
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->rules = arena_array(a, p->n_all, sizeof(*ret->rules));
	if (ret->rules == NULL)
		return ERR_MEMORY;
	for (i = 0; i < p->n_all; i++) {
		if (!p->all[i].approval.set)
			continue;
		if ((r = approvers_list(d, &p->all[i], ids, n, at_ms, a,
		    &ret->rules[ret->n])) != 0)
			return r;
		ret->n++;
	}
	return 0;
}

int
approvable_list(const struct approval_survey *s, const struct directory *d,
    const char *requester, int64_t at_ms, struct arena *a,
    const struct approvable **ret, size_t *ret_n)
{
	struct approvable *list, *one;
	size_t i, n = 0;
	int r;

	if ((list = arena_array(a, s->n, sizeof(*list))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < s->n; i++) {
		one = &list[n];
		one->rule = s->rules[i].rule->name;
		one->count = s->rules[i].rule->approval.count;
		if ((r = approvers_for(&s->rules[i], d, requester, at_ms, a,
		    &one->by, &one->n)) != 0)
			return r;
		if (one->n >= one->count)
			n++;
	}
	*ret = list;
	*ret_n = n;
	return 0;
}

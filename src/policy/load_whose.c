/*
 * whose: [LABEL, ...], or whose: {residences: [...], relation: RELATION,
 *     by: [KIND, ...], together: [LABEL, ...] or [[LABEL, ...], ...]}
 */
#include <string.h>

#include "base/arena.h"
#include "directory/control.h"
#include "policy/load.h"

#define GROUPS_MAX 64

static const char *const relations[] = {"behind", "not-behind",
    "others-behind", "no-other-behind", NULL};

static bool
in_earlier(const struct names *groups, size_t n, const char *label)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (names_match(&groups[i], label))
			return true;
	return false;
}

/* Labels that count as one; none may be in two groups. */
static void
read_together(struct load *l, struct rule *r, const struct yaml_node *n)
{
	bool many = n->kind == YAML_LIST && n->n > 0 &&
	    n->items[0]->kind == YAML_LIST;
	size_t i, k, count = many ? n->n : 1;
	struct names *groups;

	if (count > GROUPS_MAX)
		(void)yaml_fail(&l->in, n, "at most %d groups are wanted",
		    GROUPS_MAX);
	groups = rules_take(l, arena_array(l->in.arena, count,
	    sizeof(*groups)));
	for (i = 0; i < count && l->in.result == 0; i++) {
		const struct yaml_node *at = many ? n->items[i] : n;

		groups[i] = rules_names(l, at, rules_check_label);
		for (k = 0; k < groups[i].n && l->in.result == 0; k++)
			if (in_earlier(groups, i, groups[i].items[k]))
				(void)yaml_fail(&l->in, at, "\"%s\" is in two "
				    "groups, so those would be one",
				    groups[i].items[k]);
	}
	r->together = groups;
	r->n_together = count;
}

static void
read_relation(struct load *l, struct rule *r, const struct yaml_node *n)
{
	const struct yaml_node *relation = yaml_get(n, "relation");
	const struct yaml_node *by = yaml_get(n, "by");
	const struct yaml_node *together = yaml_get(n, "together");

	if (relation == NULL) {
		if (by != NULL || together != NULL)
			(void)yaml_fail(&l->in, by != NULL ? by : together,
			    "\"by\" and \"together\" belong to a "
			    "\"relation\", which is not here");
		return;
	}
	r->relation = (enum relation)(yaml_enum(&l->in, relation,
	    relations) + RELATION_BEHIND);
	r->relation_by = by == NULL ? CONTROL_ALL : rules_kinds(l, by);
	if (together != NULL && l->in.result == 0)
		read_together(l, r, together);
}

void
rules_whose(struct load *l, struct rule *r, const struct yaml_node *n)
{
	static const char *const allowed[] = {"residence", "residences",
	    "relation", "by", "together", NULL};
	const struct yaml_node *one, *list;

	if (n == NULL || n->kind != YAML_MAP) {
		r->whose = rules_names(l, n, rules_check_label);
		return;
	}
	yaml_map(&l->in, n, allowed);
	one = yaml_get(n, "residence");
	list = yaml_get(n, "residences");
	if (one != NULL && list != NULL)
		(void)yaml_fail(&l->in, one, "\"residence\" and "
		    "\"residences\" are the same; write one of them");
	if (one == NULL && list == NULL && yaml_get(n, "relation") == NULL)
		(void)yaml_fail(&l->in, n, "\"residences\" or \"relation\" "
		    "is wanted here");
	r->whose = rules_names(l, one != NULL ? one : list, rules_check_label);
	read_relation(l, r, n);
}

/*
 * Groups of one subject's rows each:
 *
 *	SELECT u.handle, sum(w.seconds) AS s FROM users u
 *	  JOIN watch_events w ON w.user_id = u.id
 *	 GROUP BY u.id, u.handle HAVING avg(w.seconds) > 30 ORDER BY s LIMIT 10
 *
 * Somebody's group goes with them, and nobody else's changes. So of what
 * aggregates make there, no value changes of a row that stays.
 *
 * It is so where all that has tags are tables of one subject for each row,
 * that subject's column of each is made equal to the others by conditions that
 * are ANDed, and one of these columns is a key of GROUP BY. Not with outer
 * joins, which have rows without that column, nor where subqueries in
 * conditions add others' tags to a row.
 */
#include <string.h>

#include "lineage/level.h"

#define ITEMS_MAX 64

struct same {
	struct level *lv;
	size_t of[ITEMS_MAX];	/* the first item that one is equal to */
};

/* The item whose subject a reference is; lv->n: it is none's for sure. */
static size_t
subject_of(const struct level *lv, const PgQuery__Node *n)
{
	const PgQuery__ColumnRef *r;
	const char *name, *alias = NULL;
	size_t i, k, found = lv->n;

	if (n == NULL || n->node_case != PG_QUERY__NODE__NODE_COLUMN_REF)
		return lv->n;
	r = n->column_ref;
	if ((name = level_string(r->fields, r->n_fields)) == NULL ||
	    r->n_fields > 2 || (r->n_fields == 2 &&
	    (alias = level_string(r->fields, 1)) == NULL))
		return lv->n;
	for (i = 0; i < lv->n; i++) {
		const struct item *it = &lv->items[i];

		if (alias != NULL) {
			if (strcmp(it->alias, alias) != 0)
				continue;
		} else if (!it->columns.known) {
			return lv->n;	/* it may have one of that name */
		}
		for (k = 0; k < it->columns.n; k++)
			if (it->columns.list[k].name == NULL ||
			    strcmp(it->columns.list[k].name, name) == 0)
				break;
		if (k == it->columns.n)
			continue;
		if (found != lv->n || it->subject == NULL ||
		    strcmp(it->subject, name) != 0)
			return lv->n;
		found = i;
	}
	return found;
}

static void
join(struct same *q, size_t a, size_t b)
{
	size_t from = q->of[a], to = q->of[b], i;

	for (i = 0; i < q->lv->n; i++)
		if (q->of[i] == from)
			q->of[i] = to;
}

static void
conditions(struct same *q, const PgQuery__Node *n)
{
	const PgQuery__AExpr *e;
	const char *name;
	size_t i, a, b;

	if (n == NULL)
		return;
	if (n->node_case == PG_QUERY__NODE__NODE_BOOL_EXPR &&
	    n->bool_expr->boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR)
		for (i = 0; i < n->bool_expr->n_args; i++)
			conditions(q, n->bool_expr->args[i]);
	if (n->node_case != PG_QUERY__NODE__NODE_A_EXPR)
		return;
	e = n->a_expr;
	if (e->kind != PG_QUERY__A__EXPR__KIND__AEXPR_OP || e->n_name != 1 ||
	    (name = level_string(e->name, 1)) == NULL ||
	    strcmp(name, "=") != 0)
		return;
	a = subject_of(q->lv, e->lexpr);
	b = subject_of(q->lv, e->rexpr);
	if (a < q->lv->n && b < q->lv->n)
		join(q, a, b);
}

static void
joins(struct same *q, const PgQuery__Node *n)
{
	if (n->node_case != PG_QUERY__NODE__NODE_JOIN_EXPR)
		return;
	joins(q, n->join_expr->larg);
	joins(q, n->join_expr->rarg);
	conditions(q, n->join_expr->quals);
}

/* Whose column a key of GROUP BY is. */
static size_t
key_of(const struct level *lv, const PgQuery__SelectStmt *s,
    const PgQuery__Node *key)
{
	const PgQuery__Node *target;
	int at;
	size_t i;

	if (key->node_case != PG_QUERY__NODE__NODE_A_CONST)
		return subject_of(lv, key);
	if (key->a_const->val_case != PG_QUERY__A__CONST__VAL_IVAL)
		return lv->n;
	at = key->a_const->ival->ival;
	/* A star before it would move what the number means. */
	for (i = 0; at >= 1 && i < (size_t)at && i < s->n_target_list; i++) {
		target = s->target_list[i]->node_case ==
		    PG_QUERY__NODE__NODE_RES_TARGET ?
		    s->target_list[i]->res_target->val : NULL;
		if (target == NULL || (target->node_case ==
		    PG_QUERY__NODE__NODE_COLUMN_REF && level_string(
		    target->column_ref->fields,
		    target->column_ref->n_fields) == NULL))
			return lv->n;
		if (i + 1 == (size_t)at)
			return subject_of(lv, target);
	}
	return lv->n;
}

bool
single_groups(struct level *lv, const PgQuery__SelectStmt *s)
{
	struct same q = { .lv = lv };
	const struct part *p;
	size_t i, k, key;

	if (lv->joins > 0 || lv->merged || lv->moves || lv->all ||
	    lv->n > ITEMS_MAX)
		return false;
	for (p = lv->rows; p != NULL; p = p->next)
		if (!p->own)
			return false;
	for (i = 0; i < lv->n; i++) {
		if (lv->items[i].hidden != NULL &&
		    lv->items[i].subject == NULL)
			return false;
		q.of[i] = i;
	}
	for (i = 0; i < s->n_from_clause; i++)
		joins(&q, s->from_clause[i]);
	conditions(&q, s->where_clause);
	for (i = 0; i < s->n_group_clause; i++) {
		if ((key = key_of(lv, s, s->group_clause[i])) == lv->n)
			continue;
		for (k = 0; k < lv->n; k++)
			if (lv->items[k].hidden != NULL &&
			    q.of[k] != q.of[key])
				break;
		if (k == lv->n)
			return true;
	}
	return false;
}

/*
 * Window functions: a row's value depends on other rows, which have tags of
 * their own. Where all rows come to be shown, all of them are listed, whatever
 * the function is. Where some are left out, one of them could be what a
 * shown value depends on; so that is for counting numbers only.
 *
 *	SELECT * FROM (SELECT v.*, row_number() OVER (PARTITION BY owner_id
 *	    ORDER BY created DESC) AS n FROM videos v) x WHERE n <= 3
 *
 * row_number, rank and dense_rank depend on rows before the row, and those
 * are shown with it: as with LIMIT, who is not among the first changes
 * nothing by going. It must be the only condition, or one of the first could
 * be left out by another. `n = 2` depends on the first, which is not shown.
 */
#include <string.h>

#include "lineage/level.h"

static bool
is_rank(const PgQuery__FuncCall *f)
{
	const char *name = level_string(f->funcname, f->n_funcname);

	return name != NULL && f->n_args == 0 && !f->agg_star &&
	    f->agg_filter == NULL && (strcmp(name, "row_number") == 0 ||
	    strcmp(name, "rank") == 0 || strcmp(name, "dense_rank") == 0);
}

/* Its rows stay in their part, and come no further forward. */
static bool
keeps_order(struct level *lv, const PgQuery__WindowDef *w)
{
	const PgQuery__SortBy *by;
	size_t i;

	for (i = 0; i < w->n_partition_clause; i++) {
		struct seen s = {0};

		if (!change_node(lv, w->partition_clause[i], &s) ||
		    s.change != CHANGE_NONE)
			return false;
	}
	for (i = 0; i < w->n_order_clause; i++) {
		struct seen s = {0};

		if (w->order_clause[i]->node_case !=
		    PG_QUERY__NODE__NODE_SORT_BY)
			return false;
		by = w->order_clause[i]->sort_by;
		if (!change_node(lv, by->node, &s) ||
		    !select_stays_behind(by, s.change))
			return false;
	}
	return w->n_order_clause > 0;
}

enum rank
window_rank(struct level *lv, const PgQuery__Node *n)
{
	const PgQuery__WindowDef *w;

	if (n->node_case != PG_QUERY__NODE__NODE_FUNC_CALL ||
	    (w = n->func_call->over) == NULL || !is_rank(n->func_call) ||
	    w->name[0] != 0 || w->refname[0] != 0 || lv->windows != 1 ||
	    lv->all || lv->moves || rw_touches(lv, &w->base) ||
	    !keeps_order(lv, w))
		return RANK_NONE;
	return w->n_partition_clause > 0 ? RANK_PART : RANK_WHOLE;
}

bool
window_clause(struct level *lv, const PgQuery__SelectStmt *s)
{
	size_t i;

	for (i = 0; i < s->n_window_clause; i++) {
		struct seen seen = {0};

		if (!change_node(lv, s->window_clause[i], &seen))
			return false;
	}
	return true;
}

/* ---- rows that are left out ---- */

/* The column of this item that a name means; NULL: not surely one. */
static const struct column *
column_of(const struct item *it, const PgQuery__Node *n)
{
	const PgQuery__ColumnRef *r;
	const char *name, *alias;
	size_t i;

	if (n == NULL || n->node_case != PG_QUERY__NODE__NODE_COLUMN_REF)
		return NULL;
	r = n->column_ref;
	name = level_string(r->fields, r->n_fields);
	alias = r->n_fields == 2 ? level_string(r->fields, 1) : it->alias;
	if (r->n_fields > 2 || name == NULL || alias == NULL ||
	    strcmp(alias, it->alias) != 0)
		return NULL;
	for (i = 0; i < it->columns.n; i++)
		if (it->columns.list[i].name != NULL &&
		    strcmp(it->columns.list[i].name, name) == 0)
			return &it->columns.list[i];
	return NULL;
}

static bool
is_one(const PgQuery__Node *n)
{
	return n->node_case == PG_QUERY__NODE__NODE_A_CONST &&
	    n->a_const->val_case == PG_QUERY__A__CONST__VAL_IVAL &&
	    n->a_const->ival->ival == 1;
}

/* n <= 3, n < 3, n = 1. */
static bool
takes_first(const struct item *it, const PgQuery__Node *where)
{
	const PgQuery__AExpr *e;
	const struct column *c;
	const char *name;

	if (where == NULL || where->node_case != PG_QUERY__NODE__NODE_A_EXPR)
		return false;
	e = where->a_expr;
	if (e->kind != PG_QUERY__A__EXPR__KIND__AEXPR_OP || e->n_name != 1 ||
	    (name = level_string(e->name, 1)) == NULL ||
	    (c = column_of(it, e->lexpr)) == NULL || c->rank == RANK_NONE)
		return false;
	if (strcmp(name, "=") == 0)
		return is_one(e->rexpr);
	return (strcmp(name, "<=") == 0 || strcmp(name, "<") == 0) &&
	    select_constant(e->rexpr);
}

bool
window_shown(struct level *lv, const PgQuery__SelectStmt *s, bool *first)
{
	size_t i;

	for (i = 0; i < lv->n; i++) {
		lv->all = lv->all || lv->items[i].all;
		lv->moves = lv->moves || lv->items[i].moves;
	}
	if (!lv->all)
		return true;
	if (lv->n == 1 && takes_first(&lv->items[0], s->where_clause)) {
		*first = true;
		/* Who comes when one of them goes, and with what. */
		select_all_change(&lv->items[0].columns);
		lv->all = false;
		lv->moves = true;
		return true;
	}
	if (lv->n > 1 || s->where_clause != NULL || s->having_clause != NULL ||
	    (s->n_distinct_clause > 0 &&
	    s->distinct_clause[0]->node_case != PG_QUERY__NODE__NODE__NOT_SET))
		return rw_not(lv->rw, "leaves out rows that a window function "
		    "is over");
	return true;
}

bool
window_limit(const struct level *lv, const PgQuery__SelectStmt *s,
    const struct columns *out)
{
	const PgQuery__SortBy *by = s->n_sort_clause == 0 ? NULL :
	    s->sort_clause[0]->sort_by;
	const struct column *c;

	if (by == NULL || lv->windows != 1 || by->sortby_dir ==
	    PG_QUERY__SORT_BY_DIR__SORTBY_DESC || by->sortby_dir ==
	    PG_QUERY__SORT_BY_DIR__SORTBY_USING)
		return false;
	c = select_named(by->node, out);
	return c != NULL && c->rank == RANK_WHOLE;
}

bool
window_cut(struct level *lv, const PgQuery__SelectStmt *s,
    const struct columns *out, bool distinct_on)
{
	size_t i;

	for (i = 0; lv->windows > 1 && i < out->n; i++)
		out->list[i].rank = RANK_NONE;
	if (lv->grouped && s->n_group_clause == 0 && s->n_distinct_clause == 0)
		lv->all = false;	/* one row of all is always shown */
	if ((lv->windows == 0 && !lv->all) ||
	    (s->limit_count == NULL && !distinct_on))
		return true;
	if (distinct_on || lv->all || !window_limit(lv, s, out))
		return rw_not(lv->rw, "leaves out rows that a window function "
		    "is over");
	lv->windows = 0;	/* what it is over is shown */
	return true;
}

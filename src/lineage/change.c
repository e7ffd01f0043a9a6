/*
 * What an expression, and a condition, can come to once one subject's rows
 * are taken away.
 *
 * A row that a condition leaves out is in no answer, so its subjects are not
 * listed. That is sound only if the row would be left out still when a
 * subject's rows are gone: if all that the condition looks at stays as it is,
 * or can only move away from what would let it pass (count(*) > 10).
 *
 * An outer join's NULL row is the one that comes when others go. So a
 * condition above the join may look at its columns only if the NULL row can
 * never pass: if one of the ANDed comparisons, each of which is not true for
 * NULL, is with a column of it.
 */
#include <string.h>

#include "lineage/level.h"

/* Those of pg_catalog that lineage/names.h knows as harmless. */
static const char *const aggregates[] = {
	"any_value", "array_agg", "avg", "bit_and", "bit_or", "bit_xor",
	"bool_and", "bool_or", "corr", "count", "covar_pop", "covar_samp",
	"every", "json_agg", "json_object_agg", "jsonb_agg",
	"jsonb_object_agg", "max", "min", "mode", "percentile_cont",
	"percentile_disc", "range_agg", "range_intersect_agg", "regr_avgx",
	"regr_avgy", "regr_count", "regr_intercept", "regr_r2", "regr_slope",
	"regr_sxx", "regr_sxy", "regr_syy", "stddev", "stddev_pop",
	"stddev_samp", "string_agg", "sum", "var_pop", "var_samp", "variance",
	"xmlagg",
};

static const char *
last_name(PgQuery__Node *const *list, size_t n)
{
	if (n == 0 || list[n - 1]->node_case != PG_QUERY__NODE__NODE_STRING)
		return "";
	return list[n - 1]->string->sval;
}

bool
change_is_aggregate(const PgQuery__FuncCall *f)
{
	const char *name = last_name(f->funcname, f->n_funcname);
	size_t i;

	if (f->over != NULL)
		return false;
	if (f->agg_star || f->agg_distinct || f->agg_within_group ||
	    f->n_agg_order > 0 || f->agg_filter != NULL)
		return true;
	for (i = 0; i < sizeof(aggregates) / sizeof(*aggregates); i++)
		if (strcmp(aggregates[i], name) == 0)
			return true;
	return false;
}

static bool
no_aggregate(void *arg, const ProtobufCMessage *m)
{
	if (m->descriptor == &pg_query__sub_link__descriptor)
		return true;
	if (m->descriptor == &pg_query__func_call__descriptor &&
	    change_is_aggregate((const PgQuery__FuncCall *)m))
		return false;
	return visit(m, no_aggregate, arg);
}

bool
change_has_aggregate(const ProtobufCMessage *m)
{
	return !no_aggregate(NULL, m);
}

static void
worse(struct seen *s, enum change c)
{
	if (c == CHANGE_NONE || c == s->change)
		return;
	s->change = s->change == CHANGE_NONE ? c : CHANGE_ANY;
}

static const struct column *
column_find(const struct item *i, const char *name)
{
	size_t k;

	for (k = 0; k < i->columns.n; k++)
		if (i->columns.list[k].name != NULL &&
		    strcmp(i->columns.list[k].name, name) == 0)
			return &i->columns.list[k];
	return NULL;
}

/* Behind an outer join the whole row may go, and NULL come. */
static enum change
column_change(const struct level *lv, const struct item *i, enum change c)
{
	if ((i->joins & lv->open) == 0)
		return c;
	switch (c) {
	case CHANGE_NONE:
	case CHANGE_NULLS:
		return CHANGE_NULLS;
	case CHANGE_COUNTS_DOWN:
	case CHANGE_FALLS:
		return CHANGE_FALLS;
	case CHANGE_RISES:
		return CHANGE_RISES;
	case CHANGE_ANY:
		break;
	}
	return CHANGE_ANY;
}

/* What a column may be that is in no list, or has no name there. */
static void
unlisted(const struct level *lv, const struct item *i, struct seen *s)
{
	size_t k;

	s->joins |= i->joins;
	if (!i->columns.known)
		worse(s, column_change(lv, i, i->columns.rest));
	for (k = 0; k < i->columns.n; k++)
		if (i->columns.list[k].name == NULL)
			worse(s, column_change(lv, i,
			    i->columns.list[k].change));
}

static bool
has_unlisted(const struct item *i)
{
	size_t k;

	for (k = 0; k < i->columns.n; k++)
		if (i->columns.list[k].name == NULL)
			return true;
	return !i->columns.known;
}

/* A name alone: a column of something in FROM, here or further out. */
static bool
resolve_one(struct level *lv, const char *name, struct seen *s)
{
	const struct column *c;
	bool found = false;
	size_t i;

	if (strncmp(name, REWRITE_MARK, strlen(REWRITE_MARK)) == 0)
		return rw_not(lv->rw, "has a name that cannot be told");
	for (i = 0; i < lv->n; i++) {
		if ((c = column_find(&lv->items[i], name)) != NULL) {
			found = true;
			worse(s, column_change(lv, &lv->items[i], c->change));
			s->joins |= lv->items[i].joins;
		}
	}
	if (found)
		return true;
	for (i = 0; i < lv->n; i++) {
		if (lv->items[i].hidden != NULL &&
		    strcmp(lv->items[i].alias, name) == 0)
			return rw_not(lv->rw, "takes a row as a whole");
		if (has_unlisted(&lv->items[i]))
			unlisted(lv, &lv->items[i], s);
	}
	return lv->up == NULL || resolve_one(lv->up, name, s);
}

static bool
resolve_two(struct level *lv, const char *alias, const char *name,
    struct seen *s)
{
	const struct item *i = from_item(lv, alias);
	const struct column *c;

	if (i == NULL) {
		if (lv->up != NULL)
			return resolve_two(lv->up, alias, name, s);
		return s->inner > 0 || rw_not(lv->rw, "has a name that cannot "
		    "be told");
	}
	s->joins |= i->joins;
	if ((c = column_find(i, name)) != NULL) {
		worse(s, column_change(lv, i, c->change));
		return true;
	}
	if (has_unlisted(i) && strncmp(name, REWRITE_MARK,
	    strlen(REWRITE_MARK)) != 0) {
		unlisted(lv, i, s);
		return i->hidden == NULL || i->columns.known ||
		    rw_not(lv->rw, "has a name that cannot be told");
	}
	/* x.f is f(x.*), too. */
	return s->inner > 0 || rw_not(lv->rw, "has a name that cannot be told");
}

static bool
is_string(const PgQuery__Node *n)
{
	return n->node_case == PG_QUERY__NODE__NODE_STRING;
}

static bool
resolve(struct level *lv, const PgQuery__ColumnRef *r, struct seen *s)
{
	const struct item *i;

	if (r->n_fields == 1 && is_string(r->fields[0]))
		return resolve_one(lv, r->fields[0]->string->sval, s);
	if (r->n_fields == 2 && is_string(r->fields[0]) &&
	    is_string(r->fields[1]))
		return resolve_two(lv, r->fields[0]->string->sval,
		    r->fields[1]->string->sval, s);
	if (s->inner == 0)
		return rw_not(lv->rw, "takes a row as a whole");
	/* In a subquery of nobody's rows a star is its own, or a row's here. */
	for (; r->n_fields > 1 && lv != NULL; lv = lv->up)
		if (!is_string(r->fields[0]) ||
		    ((i = from_item(lv, r->fields[0]->string->sval)) != NULL &&
		    i->hidden != NULL))
			return rw_not(lv->rw, "takes a row as a whole");
	return true;
}

struct below {
	struct level *lv;
	struct seen *s;
};

static bool
walk_below(void *arg, const ProtobufCMessage *m)
{
	const struct below *b = arg;

	return change_walk(b->lv, m, b->s);
}

static bool
members(struct level *lv, const ProtobufCMessage *m, struct seen *s)
{
	struct below b = {lv, s};

	return visit(m, walk_below, &b);
}

/* Of a row that stays: the group has fewer rows, or the same. */
static enum change
aggregate_change(const PgQuery__FuncCall *f, enum change of)
{
	const char *name = last_name(f->funcname, f->n_funcname);

	if (strcmp(name, "count") == 0 && (of == CHANGE_NONE ||
	    (of == CHANGE_NULLS && f->agg_filter == NULL && f->n_args == 1)))
		return CHANGE_COUNTS_DOWN;
	if (strcmp(name, "max") == 0 && f->agg_filter == NULL &&
	    (of == CHANGE_NONE || of == CHANGE_NULLS ||
	    of == CHANGE_COUNTS_DOWN || of == CHANGE_FALLS))
		return CHANGE_FALLS;
	if (strcmp(name, "min") == 0 && f->agg_filter == NULL &&
	    (of == CHANGE_NONE || of == CHANGE_NULLS ||
	    of == CHANGE_RISES))
		return CHANGE_RISES;
	return CHANGE_ANY;
}

static bool
function(struct level *lv, const PgQuery__FuncCall *f, struct seen *s)
{
	struct seen of = { .inner = s->inner, .take = s->take };

	if (f->over != NULL && !s->windows)
		return rw_not(lv->rw, "uses a window function");
	if (f->over == NULL && !change_is_aggregate(f))
		return members(lv, &f->base, s);
	if (!members(lv, &f->base, &of))
		return false;
	s->joins |= of.joins;
	lv->windows += f->over != NULL;
	if (lv->single && of.change == CHANGE_NONE && f->over == NULL)
		return true;
	worse(s, lv->keys_change || f->over != NULL ? CHANGE_ANY :
	    aggregate_change(f, of.change));
	return true;
}

/* Of a subquery: its value is no more than the tags that it adds. */
static bool
sublink(struct level *lv, const PgQuery__SubLink *l, struct seen *s)
{
	if (rw_touches(lv, &l->base)) {
		if (!s->take)
			return rw_not(lv->rw, "has a subquery in a condition");
		worse(s, CHANGE_ANY);
		if (l->testexpr != NULL && !change_node(lv, l->testexpr, s))
			return false;
		return select_sublink(lv, l, NULL, 0, lv->grouped ?
		    &lv->groups : &lv->rows);
	}
	s->inner++;
	if (!members(lv, &l->base, s))
		return false;
	s->inner--;
	return true;
}

/* What is made of several things changes as it likes if one of them does. */
static bool
compound(struct level *lv, const ProtobufCMessage *m, struct seen *s)
{
	struct seen of = { .inner = s->inner, .take = s->take,
	    .windows = s->windows };

	if (!members(lv, m, &of))
		return false;
	s->joins |= of.joins;
	worse(s, of.change == CHANGE_NONE ? CHANGE_NONE : CHANGE_ANY);
	return true;
}

bool
change_walk(struct level *lv, const ProtobufCMessage *m, struct seen *s)
{
	const ProtobufCMessageDescriptor *d = m->descriptor;

	if (d == &pg_query__node__descriptor ||
	    d == &pg_query__res_target__descriptor ||
	    d == &pg_query__sort_by__descriptor)
		return members(lv, m, s);
	if (d == &pg_query__column_ref__descriptor)
		return resolve(lv, (const PgQuery__ColumnRef *)m, s);
	if (d == &pg_query__sub_link__descriptor)
		return sublink(lv, (const PgQuery__SubLink *)m, s);
	if (d == &pg_query__func_call__descriptor && s->inner == 0)
		return function(lv, (const PgQuery__FuncCall *)m, s);
	if (d == &pg_query__grouping_set__descriptor ||
	    d == &pg_query__grouping_func__descriptor)
		return rw_not(lv->rw, "groups by several sets");
	return compound(lv, m, s);
}

bool
change_node(struct level *lv, const PgQuery__Node *n, struct seen *s)
{
	return n == NULL || change_walk(lv, &n->base, s);
}

static bool
is_operator(const PgQuery__AExpr *e, const char *a, const char *b)
{
	const char *name = last_name(e->name, e->n_name);

	return e->kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP &&
	    e->n_name == 1 && (strcmp(name, a) == 0 || strcmp(name, b) == 0);
}

static bool
falls(enum change c)
{
	return c == CHANGE_NONE || c == CHANGE_NULLS ||
	    c == CHANGE_COUNTS_DOWN || c == CHANGE_FALLS;
}

static bool
rises(enum change c)
{
	return c == CHANGE_NONE || c == CHANGE_NULLS || c == CHANGE_RISES;
}

static bool
stays_or_nulls(enum change c)
{
	return c == CHANGE_NONE || c == CHANGE_NULLS;
}

/* l > r with l falling and r rising, and the like. */
static bool
moves_away(const PgQuery__AExpr *e, enum change l, enum change r)
{
	if (is_operator(e, "=", "<>"))
		return stays_or_nulls(l) && stays_or_nulls(r);
	if (is_operator(e, ">", ">="))
		return falls(l) && rises(r);
	if (is_operator(e, "<", "<="))
		return rises(l) && falls(r);
	return false;
}

static bool condition(struct level *, const PgQuery__Node *, uint64_t *);

static bool
condition_any(struct level *lv, const PgQuery__Node *n, uint64_t *joins)
{
	const PgQuery__AExpr *e = n->node_case ==
	    PG_QUERY__NODE__NODE_A_EXPR ? n->a_expr : NULL;
	struct seen l = {0}, r = {0};
	bool fine;

	if (e != NULL && e->lexpr != NULL && e->rexpr != NULL) {
		if (!change_node(lv, e->lexpr, &l) ||
		    !change_node(lv, e->rexpr, &r))
			return false;
		fine = (l.change == CHANGE_NONE && r.change == CHANGE_NONE) ||
		    moves_away(e, l.change, r.change);
	} else {
		if (!change_node(lv, n, &l))
			return false;
		fine = l.change == CHANGE_NONE;
	}
	*joins |= l.joins | r.joins;
	return fine || rw_not(lv->rw, "has a condition on a value that "
	    "several rows make");
}

static bool
condition_all(struct level *lv, const PgQuery__BoolExpr *b, uint64_t *joins)
{
	size_t i;

	for (i = 0; i < b->n_args; i++)
		if (!condition(lv, b->args[i], joins))
			return false;
	return true;
}

static bool
is_in(const PgQuery__SubLink *l)
{
	return l->sub_link_type ==
	    PG_QUERY__SUB_LINK_TYPE__ANY_SUBLINK && l->testexpr != NULL &&
	    l->testexpr->node_case == PG_QUERY__NODE__NODE_COLUMN_REF &&
	    (l->n_oper_name == 0 || (l->n_oper_name == 1 &&
	    strcmp(last_name(l->oper_name, 1), "=") == 0));
}

/* A column equal to what a subquery has; its name ends before `end`. */
static bool
condition_equal(struct level *lv, const PgQuery__SubLink *l,
    const PgQuery__Node *column_ref, int32_t end, uint64_t *joins)
{
	struct seen of = {0};

	if (!change_node(lv, column_ref, &of))
		return false;
	*joins |= of.joins;
	if (of.change != CHANGE_NONE)
		return rw_not(lv->rw, "has a condition on a value that "
		    "several rows make");
	return select_sublink(lv, l, column_ref->column_ref, end, &lv->rows);
}

/*
 * EXISTS and IN, not under NOT: what is not there does not come to be there.
 * The rows that are, for a row of the answer, are its parts.
 */
static bool
condition_sublink(struct level *lv, const PgQuery__SubLink *l,
    uint64_t *joins)
{
	if (is_in(l))
		return condition_equal(lv, l, l->testexpr, l->location,
		    joins);
	if (l->sub_link_type != PG_QUERY__SUB_LINK_TYPE__EXISTS_SUBLINK)
		return rw_not(lv->rw, "has a subquery in a condition");
	return select_sublink(lv, l, NULL, 0, &lv->rows);
}

/* column = (SELECT ...): as IN, since of several rows it makes an error. */
static bool
is_scalar(struct level *lv, const PgQuery__Node *n)
{
	const PgQuery__AExpr *e = n->a_expr;

	return n->node_case == PG_QUERY__NODE__NODE_A_EXPR &&
	    is_operator(e, "=", "=") && e->lexpr != NULL &&
	    e->lexpr->node_case == PG_QUERY__NODE__NODE_COLUMN_REF &&
	    e->rexpr->node_case == PG_QUERY__NODE__NODE_SUB_LINK &&
	    e->rexpr->sub_link->sub_link_type ==
	    PG_QUERY__SUB_LINK_TYPE__EXPR_SUBLINK &&
	    rw_touches(lv, &e->rexpr->base);
}

static bool
condition(struct level *lv, const PgQuery__Node *n, uint64_t *joins)
{
	if (n->node_case == PG_QUERY__NODE__NODE_BOOL_EXPR &&
	    n->bool_expr->boolop != PG_QUERY__BOOL_EXPR_TYPE__NOT_EXPR)
		return condition_all(lv, n->bool_expr, joins);
	if (n->node_case == PG_QUERY__NODE__NODE_SUB_LINK &&
	    rw_touches(lv, &n->sub_link->base)) {
		/* Its own look at what an outer join may make NULL. */
		*joins |= lv->told;
		return condition_sublink(lv, n->sub_link, joins);
	}
	if (is_scalar(lv, n)) {
		*joins |= lv->told;
		return condition_equal(lv, n->a_expr->rexpr->sub_link,
		    n->a_expr->lexpr, n->a_expr->location, joins);
	}
	return condition_any(lv, n, joins);
}

/* The outer join whose NULL row a comparison with this column refuses. */
static uint64_t
refused_by(struct level *lv, const PgQuery__Node *n)
{
	const PgQuery__ColumnRef *r;
	const struct item *found = NULL;
	size_t i;

	if (n == NULL || n->node_case != PG_QUERY__NODE__NODE_COLUMN_REF)
		return 0;
	r = n->column_ref;
	if (r->n_fields == 2 && is_string(r->fields[0]))
		found = from_item(lv, r->fields[0]->string->sval);
	for (i = 0; r->n_fields == 1 && i < lv->n; i++) {
		if (!is_string(r->fields[0]) || column_find(&lv->items[i],
		    r->fields[0]->string->sval) == NULL)
			continue;
		if (found != NULL)
			return 0;
		found = &lv->items[i];
	}
	return found != NULL ? found->joins : 0;
}

uint64_t
change_refused(struct level *lv, const PgQuery__Node *n)
{
	const PgQuery__AExpr *e;
	uint64_t all = 0;
	size_t i;

	if (n == NULL)
		return 0;
	if (n->node_case == PG_QUERY__NODE__NODE_BOOL_EXPR &&
	    n->bool_expr->boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR) {
		for (i = 0; i < n->bool_expr->n_args; i++)
			all |= change_refused(lv, n->bool_expr->args[i]);
		return all;
	}
	if (n->node_case != PG_QUERY__NODE__NODE_A_EXPR)
		return 0;
	e = n->a_expr;
	switch (e->kind) {
	case PG_QUERY__A__EXPR__KIND__AEXPR_OP:
		if (is_operator(e, "=", "<>") || is_operator(e, "<", ">") ||
		    is_operator(e, "<=", ">="))
			return refused_by(lv, e->lexpr) |
			    refused_by(lv, e->rexpr);
		return 0;
	case PG_QUERY__A__EXPR__KIND__AEXPR_IN:
	case PG_QUERY__A__EXPR__KIND__AEXPR_LIKE:
	case PG_QUERY__A__EXPR__KIND__AEXPR_ILIKE:
	case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN:
		return refused_by(lv, e->lexpr);
	default:
		return 0;
	}
}

bool
change_condition(struct level *lv, const PgQuery__Node *n, uint64_t joins)
{
	uint64_t looks = 0;

	if (n == NULL)
		return true;
	if (!condition(lv, n, &looks))
		return false;
	looks &= joins & lv->told;
	return (looks & ~change_refused(lv, n)) == 0 || rw_not(lv->rw,
	    "has a condition on what an outer join adds");
}

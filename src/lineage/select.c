/*
 * One SELECT, rewritten where it stands.
 *
 *	SELECT u.name, count(*) FROM users u JOIN likes l ON l.user_id = u.id
 *	 GROUP BY 1
 *
 *	SELECT concat_ws(',', string_agg(DISTINCT u."sworn$", ','),
 *	    string_agg(DISTINCT l."sworn$", ',')) AS "sworn$1",
 *	    u.name, count(*) FROM t.users u JOIN t.likes l ON l.user_id = u.id
 *	 GROUP BY 2
 *
 * DISTINCT becomes GROUP BY of all columns. A LIMIT shows the first rows, and
 * a row that is not shown changes nothing when it goes; but what is first
 * changes when a shown one goes, so nothing may be asked of its columns
 * further out. The same holds for DISTINCT ON. What OFFSET skips is not shown
 * and does matter.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "lineage/level.h"

/* Where a target is one row for each of its values, DISTINCT is no GROUP BY. */
static const char *const sets[] = {
	"generate_series", "generate_subscripts", "json_array_elements",
	"json_array_elements_text", "json_each", "json_each_text",
	"json_object_keys", "json_populate_recordset", "json_to_recordset",
	"jsonb_array_elements", "jsonb_array_elements_text", "jsonb_each",
	"jsonb_each_text", "jsonb_object_keys", "jsonb_path_query",
	"jsonb_path_query_tz", "jsonb_populate_recordset",
	"jsonb_to_recordset", "regexp_matches", "regexp_split_to_table",
	"string_to_table", "unnest",
};

static bool
no_set(void *arg, const ProtobufCMessage *m)
{
	const PgQuery__FuncCall *f = (const PgQuery__FuncCall *)m;
	size_t i;

	if (m->descriptor == &pg_query__func_call__descriptor &&
	    f->n_funcname > 0 && f->funcname[f->n_funcname - 1]->node_case ==
	    PG_QUERY__NODE__NODE_STRING)
		for (i = 0; i < sizeof(sets) / sizeof(*sets); i++)
			if (strcmp(f->funcname[f->n_funcname - 1]->
			    string->sval, sets[i]) == 0)
				return false;
	return visit(m, no_set, arg);
}

/* ---- GROUP BY, ORDER BY, LIMIT ---- */

/* A number that means a column: it moves by one. NULL: it is none. */
static const PgQuery__AConst *
position(const PgQuery__Node *n)
{
	return n->node_case == PG_QUERY__NODE__NODE_A_CONST &&
	    n->a_const->val_case == PG_QUERY__A__CONST__VAL_IVAL ?
	    n->a_const : NULL;
}

/* What a column can come to of which nobody knows which it is. */
static enum change
worst(const struct columns *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (c->list[i].change != CHANGE_NONE)
			return CHANGE_ANY;
	return c->rest;
}

/* The column that a number means; false: none that is known. */
static bool
by_position(struct rw *rw, const PgQuery__AConst *c,
    const struct columns *out, enum change *ret)
{
	size_t token, at = (size_t)c->ival->ival;
	char *text;

	if (c->location < 0 || c->ival->ival < 1 ||
	    (token = rw_token(rw, (size_t)c->location)) >=
	    rw->tokens->n_tokens)
		return rw_not(rw, "has an unusual number for a column");
	text = arena_fmt(rw->a, "%zu", at + 1);
	if (text == NULL)
		return !(rw->failed = true);
	rw_edit(rw, (size_t)c->location, (size_t)
	    (rw->tokens->tokens[token]->end - c->location), 1, text);
	if (out->known)
		*ret = at <= out->n ? out->list[at - 1].change : CHANGE_ANY;
	else
		*ret = worst(out);
	return true;
}

/* A name alone that is a column's of the result. */
static const struct column *
by_name(const PgQuery__Node *n, const struct columns *out)
{
	const char *name;
	size_t i;

	if (n->node_case != PG_QUERY__NODE__NODE_COLUMN_REF ||
	    n->column_ref->n_fields != 1 ||
	    (name = level_string(n->column_ref->fields, 1)) == NULL)
		return NULL;
	for (i = 0; i < out->n; i++)
		if (out->list[i].name != NULL &&
		    strcmp(out->list[i].name, name) == 0)
			return &out->list[i];
	return NULL;
}

const struct column *
select_named(const PgQuery__Node *n, const struct columns *out)
{
	const PgQuery__AConst *number = position(n);

	if (number == NULL)
		return by_name(n, out);
	return number->ival->ival >= 1 && out->known &&
	    (size_t)number->ival->ival <= out->n ?
	    &out->list[number->ival->ival - 1] : NULL;
}

bool
select_key(struct level *lv, const PgQuery__Node *n,
    const struct columns *out, enum change *ret)
{
	const PgQuery__AConst *number = position(n);
	const struct column *c = by_name(n, out);
	struct seen s = { .windows = true };

	*ret = CHANGE_NONE;
	if (number != NULL)
		return by_position(lv->rw, number, out, ret);
	if (c != NULL) {
		*ret = c->change;
		/* It may be a column of a table, too. */
		if (lv->n == 0 || c->change != CHANGE_NONE)
			return true;
	}
	if (!change_node(lv, n, &s))
		return false;
	if (s.change != CHANGE_NONE)
		*ret = c == NULL ? s.change : CHANGE_ANY;
	return true;
}

static bool
group_clause(struct level *lv, const PgQuery__SelectStmt *s,
    const struct columns *out)
{
	enum change c;
	size_t i;

	for (i = 0; i < s->n_group_clause; i++) {
		if (s->group_clause[i]->node_case ==
		    PG_QUERY__NODE__NODE_GROUPING_SET)
			return rw_not(lv->rw, "groups by several sets");
		if (!select_key(lv, s->group_clause[i], out, &c))
			return false;
		if (c != CHANGE_NONE)
			lv->keys_change = true;
	}
	return true;
}

bool
select_stays_behind(const PgQuery__SortBy *s, enum change c)
{
	bool down = s->sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_DESC;
	bool first = s->sortby_nulls ==
	    PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST;
	bool last = s->sortby_nulls ==
	    PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_LAST;

	if (s->sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_USING)
		return c == CHANGE_NONE;
	switch (c) {
	case CHANGE_NONE:
		return true;
	case CHANGE_NULLS:
		return down ? last : !first;
	case CHANGE_COUNTS_DOWN:
		return down;
	case CHANGE_FALLS:
		return down && last;
	case CHANGE_RISES:
		return !down && !first;
	case CHANGE_ANY:
		break;
	}
	return false;
}

bool
select_sort(struct level *lv, const PgQuery__SelectStmt *s,
    const struct columns *out, bool cut)
{
	const PgQuery__SortBy *by;
	const struct column *named;
	bool moves = false;
	enum change c;
	size_t i;

	for (i = 0; i < s->n_sort_clause; i++) {
		if (s->sort_clause[i]->node_case !=
		    PG_QUERY__NODE__NODE_SORT_BY)
			return rw_not(lv->rw, "sorts in an unusual way");
		by = s->sort_clause[i]->sort_by;
		/* Here a column of the result goes before one of FROM. */
		if ((named = by_name(by->node, out)) != NULL)
			c = named->change;
		else if (!select_key(lv, by->node, out, &c))
			return false;
		if (select_stays_behind(by, c) || (i == 0 &&
		    window_limit(lv, s, out)))
			continue;
		if (cut)
			return rw_not(lv->rw, "takes the first rows by a "
			    "value that several rows make");
		moves = true;
	}
	lv->moves = lv->moves || moves;
	return true;
}

bool
select_constant(const PgQuery__Node *n)
{
	if (n->node_case == PG_QUERY__NODE__NODE_TYPE_CAST)
		return select_constant(n->type_cast->arg);
	return n->node_case == PG_QUERY__NODE__NODE_A_CONST ||
	    n->node_case == PG_QUERY__NODE__NODE_PARAM_REF;
}

static bool
is_zero(const PgQuery__Node *n)
{
	return n->node_case == PG_QUERY__NODE__NODE_A_CONST &&
	    n->a_const->val_case == PG_QUERY__A__CONST__VAL_IVAL &&
	    n->a_const->ival->ival == 0;
}

bool
select_limit(struct level *lv, const PgQuery__SelectStmt *s)
{
	if (s->limit_offset != NULL && !is_zero(s->limit_offset))
		return rw_not(lv->rw, "skips rows, which are not shown and "
		    "matter");
	if (s->limit_count != NULL && !select_constant(s->limit_count))
		return rw_not(lv->rw, "has a limit that is no constant");
	if (s->limit_count != NULL && lv->moves)
		return rw_not(lv->rw, "takes the first rows of groups that "
		    "change");
	return true;
}

void
select_all_change(struct columns *out)
{
	size_t i;

	out->rest = CHANGE_ANY;
	for (i = 0; i < out->n; i++) {
		out->list[i].change = CHANGE_ANY;
		out->list[i].rank = RANK_NONE;
	}
}

/* ---- the column of tags ---- */

static void
put_part(struct buf *text, const struct part *p, bool aggregate,
    const struct part *own)
{
	if (!aggregate)
		buf_str(text, p->text);
	else if (p->own)
		buf_fmt(text, "pg_catalog.string_agg(DISTINCT %s, ',')",
		    p->text);
	else
		buf_fmt(text, "pg_catalog.string_agg(DISTINCT "
		    "pg_catalog.concat_ws(',', %s, %s), ',')", own->text,
		    p->text);
}

/*
 * An aggregate belongs to the level of what its argument names. A subquery
 * may name nothing of this one, so a column of it is put beside.
 */
static bool
put_parts(struct level *lv, struct buf *text, const struct part *list,
    bool aggregate, bool *first)
{
	const struct part *p, *own = list;

	while (own != NULL && !own->own)
		own = own->next;
	for (p = list; p != NULL; p = p->next) {
		if (aggregate && own == NULL)
			return rw_not(lv->rw, "has a subquery beside groups "
			    "of nobody's rows");
		buf_str(text, *first ? "" : ", ");
		*first = false;
		put_part(text, p, aggregate, own);
	}
	return true;
}

static bool
put_hidden(struct level *lv, const PgQuery__SelectStmt *s,
    struct result *ret)
{
	struct rw *rw = lv->rw;
	struct buf text;
	bool first = true, fine;
	int32_t at;

	if (lv->rows == NULL && lv->groups == NULL)
		return true;
	at = s->n_target_list > 0 && s->target_list[0]->node_case ==
	    PG_QUERY__NODE__NODE_RES_TARGET ?
	    s->target_list[0]->res_target->location : -1;
	if (at < 0)
		return rw_not(rw, "has no list of columns");
	if ((ret->hidden = rw_name(rw)) == NULL)
		return false;
	buf_init(&text, 0);
	buf_str(&text, "pg_catalog.concat_ws(',', ");
	if (lv->mark != NULL)
		buf_fmt(&text, "'%s', ", lv->mark);
	fine = put_parts(lv, &text, lv->rows, lv->grouped, &first) &&
	    put_parts(lv, &text, lv->groups, false, &first);
	buf_fmt(&text, ") AS \"%s\", ", ret->hidden);
	rw_edit(rw, (size_t)at, 0, 0, buf_text(&text));
	buf_done(&text);
	return fine && !rw->failed;
}

/* Tags of what FROM has, as parts. */
static void
item_parts(struct level *lv)
{
	struct buf text;
	size_t i;

	buf_init(&text, 0);
	for (i = 0; i < lv->n; i++) {
		if (lv->items[i].hidden == NULL)
			continue;
		buf_reset(&text);
		text_sql_ident(&text, lv->items[i].alias);
		buf_fmt(&text, ".\"%s\"", lv->items[i].hidden);
		level_part(lv, &lv->rows, buf_text(&text), true);
	}
	buf_done(&text);
}

/* ---- DISTINCT ---- */

/* Whether what begins here ends a SELECT's GROUP BY at the latest. */
static bool
ends(PgQuery__Token t)
{
	switch (t) {
	case PG_QUERY__TOKEN__ORDER:
	case PG_QUERY__TOKEN__LIMIT:
	case PG_QUERY__TOKEN__OFFSET:
	case PG_QUERY__TOKEN__FETCH:
	case PG_QUERY__TOKEN__FOR:
	case PG_QUERY__TOKEN__UNION:
	case PG_QUERY__TOKEN__INTERSECT:
	case PG_QUERY__TOKEN__EXCEPT:
	case PG_QUERY__TOKEN__ASCII_41:
	case PG_QUERY__TOKEN__ASCII_59:
		return true;
	default:
		return false;
	}
}

bool
select_comment(PgQuery__Token t)
{
	return t == PG_QUERY__TOKEN__SQL_COMMENT ||
	    t == PG_QUERY__TOKEN__C_COMMENT;
}

/* Where GROUP BY goes: reserved words are names only behind AS and a dot. */
size_t
select_place(const struct rw *rw, size_t token)
{
	PgQuery__Token before = PG_QUERY__TOKEN__NUL;
	size_t n = rw->tokens->n_tokens;

	for (; token < n; token++) {
		if (rw_kind(rw, token) == PG_QUERY__TOKEN__ASCII_40) {
			token = rw_closing(rw, token);
			if (token >= n)
				break;
		} else if (ends(rw_kind(rw, token)) &&
		    before != PG_QUERY__TOKEN__AS &&
		    before != PG_QUERY__TOKEN__ASCII_46) {
			return (size_t)rw->tokens->tokens[token]->start;
		}
		before = rw_kind(rw, token);
	}
	/* Behind the last word, and not in a comment behind that. */
	for (token = n; token > 0 && select_comment(rw_kind(rw, token - 1));
	    token--)
		;
	return token == 0 ? rw->len :
	    (size_t)rw->tokens->tokens[token - 1]->end;
}

/* "DISTINCT" goes, and GROUP BY all columns comes. */
static bool
distinct(struct level *lv, const PgQuery__SelectStmt *s,
    const struct columns *out)
{
	struct rw *rw = lv->rw;
	struct buf text;
	size_t first, token, i;

	if (s->n_group_clause > 0 || s->having_clause != NULL ||
	    lv->grouped)
		return rw_not(rw, "has DISTINCT of groups");
	if (lv->windows > 0)
		return rw_not(rw, "has DISTINCT of window functions");
	for (i = 0; i < s->n_target_list; i++)
		if (!no_set(NULL, &s->target_list[i]->base))
			return rw_not(rw, "has DISTINCT of a set");
	first = token = rw_token(rw,
	    (size_t)s->target_list[0]->res_target->location);
	while (token > 0 && select_comment(rw_kind(rw, token - 1)))
		token--;
	if (!out->known || out->n == 0 || token == 0 ||
	    rw_kind(rw, token - 1) != PG_QUERY__TOKEN__DISTINCT)
		return rw_not(rw, "has an unusual DISTINCT");
	token--;
	rw_edit(rw, (size_t)rw->tokens->tokens[token]->start,
	    (size_t)(rw->tokens->tokens[token]->end -
	    rw->tokens->tokens[token]->start), 1, "");
	buf_init(&text, 0);
	buf_str(&text, " GROUP BY ");
	for (i = 0; i < out->n; i++) {
		if (out->list[i].change != CHANGE_NONE)
			lv->keys_change = true;
		buf_fmt(&text, i > 0 ? ", %zu" : "%zu", i + 2);
	}
	buf_str(&text, " ");
	rw_edit(rw, select_place(rw, first), 0, 0, buf_text(&text));
	buf_done(&text);
	return !rw->failed;
}

static bool
distinct_on(struct level *lv, const PgQuery__SelectStmt *s,
    const struct columns *out)
{
	enum change c;
	size_t i;

	for (i = 0; i < s->n_distinct_clause; i++) {
		if (!select_key(lv, s->distinct_clause[i], out, &c))
			return false;
		if (c != CHANGE_NONE)
			return rw_not(lv->rw, "has DISTINCT ON of a value "
			    "that several rows make");
	}
	return true;
}

/* ---- WITH ---- */

static struct cte *
cte_add(struct rw *rw, struct cte *up, const PgQuery__CommonTableExpr *e)
{
	struct cte *c;

	if ((c = arena_alloc(rw->a, sizeof(*c))) == NULL) {
		rw->failed = true;
		return NULL;
	}
	c->up = up;
	c->name = e->ctename;
	return c;
}

/* WITH x (a, b) AS: the tags' column has to have a name there, too. */
static bool
cte_names(struct rw *rw, const PgQuery__CommonTableExpr *e, struct cte *c)
{
	size_t token, i;
	char *text;

	if (e->n_aliascolnames == 0)
		return true;
	if (!c->columns.known || e->n_aliascolnames > c->columns.n ||
	    e->location < 0)
		return rw_not(rw, "gives a query's columns other names");
	token = rw_token(rw, (size_t)e->location) + 1;
	if (token >= rw->tokens->n_tokens ||
	    rw_kind(rw, token) != PG_QUERY__TOKEN__ASCII_40)
		return rw_not(rw, "gives a query's columns other names");
	if ((text = arena_fmt(rw->a, "\"%s\", ", c->hidden)) == NULL)
		return !(rw->failed = true);
	rw_edit(rw, (size_t)rw->tokens->tokens[token]->end, 0, 0, text);
	for (i = 0; i < e->n_aliascolnames; i++)
		c->columns.list[i].name = level_string(&e->aliascolnames[i], 1);
	return true;
}

static bool
with_clause(struct level *lv, const PgQuery__WithClause *w)
{
	const PgQuery__CommonTableExpr *e;
	struct result in;
	struct cte *c;
	struct level outer = *lv;
	size_t i;

	for (i = 0; i < w->n_ctes; i++) {
		if (w->ctes[i]->node_case !=
		    PG_QUERY__NODE__NODE_COMMON_TABLE_EXPR)
			return rw_not(lv->rw, "has an unusual WITH");
		e = w->ctes[i]->common_table_expr;
		if ((c = cte_add(lv->rw, lv->ctes, e)) == NULL)
			return false;
		if (rw_touches(lv, &e->ctequery->base)) {
			if (w->recursive || e->search_clause != NULL ||
			    e->cycle_clause != NULL ||
			    e->ctequery->node_case !=
			    PG_QUERY__NODE__NODE_SELECT_STMT)
				return rw_not(lv->rw, "has a recursive WITH");
			memset(&in, 0, sizeof(in));
			outer.n = 0;
			if (!select_rewrite(lv->rw, e->ctequery->select_stmt,
			    outer.up, lv->ctes, &in))
				return false;
			c->hidden = in.hidden;
			c->columns = in.columns;
			c->all = in.all;
			c->moves = in.moves;
			if (in.hidden != NULL && !cte_names(lv->rw, e, c))
				return false;
		}
		lv->ctes = c;
	}
	return true;
}

/* ---- all of it ---- */

static bool
has_aggregate(const PgQuery__SelectStmt *s)
{
	size_t i;

	for (i = 0; i < s->n_target_list; i++)
		if (change_has_aggregate(&s->target_list[i]->base))
			return true;
	for (i = 0; i < s->n_sort_clause; i++)
		if (change_has_aggregate(&s->sort_clause[i]->base))
			return true;
	return false;
}

static bool
plain(struct level *lv, const PgQuery__SelectStmt *s, struct result *ret)
{
	bool plain_distinct = s->n_distinct_clause == 1 &&
	    s->distinct_clause[0]->node_case == PG_QUERY__NODE__NODE__NOT_SET;
	bool on = s->n_distinct_clause > 0 && !plain_distinct;
	struct columns *out = &ret->columns;
	bool first = false;

	if (s->n_values_lists > 0 || s->n_locking_clause > 0 ||
	    s->into_clause != NULL || s->n_target_list == 0)
		return rw_not(lv->rw, "is an unusual query");
	if (!from_clause(lv, s) || !window_shown(lv, s, &first))
		return false;
	item_parts(lv);
	if (!first && !change_condition(lv, s->where_clause, UINT64_MAX))
		return false;
	lv->open = lv->told & ~change_refused(lv, s->where_clause);
	lv->grouped = s->n_group_clause > 0 || s->having_clause != NULL ||
	    has_aggregate(s);
	lv->single = single_groups(lv, s);
	if (!window_clause(lv, s) || !target_list(lv, s, out) ||
	    !group_clause(lv, s, out))
		return false;
	if (lv->keys_change)
		select_all_change(out);
	if (s->having_clause != NULL &&
	    (lv->keys_change ? !rw_not(lv->rw, "has a condition on groups "
	    "that change") : !change_condition(lv, s->having_clause, 0)))
		return false;
	if (plain_distinct && !distinct(lv, s, out))
		return false;
	if (on && !distinct_on(lv, s, out))
		return false;
	if (plain_distinct) {
		lv->grouped = true;
		if (lv->keys_change)
			select_all_change(out);
	}
	lv->moves = lv->moves || lv->keys_change;
	if (!select_sort(lv, s, out, s->limit_count != NULL || on) ||
	    !select_limit(lv, s) || !window_cut(lv, s, out, on) ||
	    !put_hidden(lv, s, ret))
		return false;
	lv->all = lv->all || lv->windows > 0;
	return true;
}

bool
select_rewrite(struct rw *rw, const PgQuery__SelectStmt *s,
    struct level *up, struct cte *ctes, struct result *ret)
{
	struct level lv = { .rw = rw, .up = up, .ctes = ctes,
	    .mark = rw->mark };
	bool set = s->op != PG_QUERY__SET_OPERATION__SETOP_NONE;

	rw->mark = NULL;
	if (s->with_clause != NULL && !with_clause(&lv, s->with_clause))
		return false;
	if (!(set ? setop_rewrite(&lv, s, ret) : plain(&lv, s, ret)))
		return false;
	if (s->limit_count != NULL || (s->n_distinct_clause > 0 &&
	    s->distinct_clause[0]->node_case !=
	    PG_QUERY__NODE__NODE__NOT_SET))
		select_all_change(&ret->columns);
	ret->all = lv.all;
	ret->moves = lv.moves;
	return !rw->failed;
}

/* The text between a subquery's parentheses, rewritten. */
static const char *
sub_text(struct rw *rw, struct edits *e, size_t opening)
{
	size_t closing = rw_closing(rw, opening);

	if (closing >= rw->tokens->n_tokens)
		return NULL;
	return rw_render(rw, e,
	    (size_t)rw->tokens->tokens[opening]->end,
	    (size_t)rw->tokens->tokens[closing]->start);
}

static const char *
text_between(struct rw *rw, int32_t from, int32_t to)
{
	return from < 0 || to <= from ? NULL : arena_strn(rw->a,
	    rw->sql + from, (size_t)(to - from));
}

bool
select_sublink(struct level *lv, const PgQuery__SubLink *l,
    const PgQuery__ColumnRef *equal, int32_t end, struct part **list)
{
	struct rw *rw = lv->rw;
	struct edits own = {0}, *outer = rw->edits;
	struct result in = {0};
	const char *text, *what = NULL;
	size_t opening;
	bool fine;

	if (l->location < 0 || l->subselect == NULL ||
	    l->subselect->node_case != PG_QUERY__NODE__NODE_SELECT_STMT)
		return rw_not(rw, "has an unusual subquery");
	for (opening = rw_token(rw, (size_t)l->location);
	    opening < rw->tokens->n_tokens && rw_kind(rw, opening) !=
	    PG_QUERY__TOKEN__ASCII_40; opening++)
		;
	if (rw_has_star(lv, &l->subselect->base))
		return rw_not(rw, "takes all columns of a WITH query");
	rw->edits = &own;
	fine = select_rewrite(rw, l->subselect->select_stmt, lv, lv->ctes,
	    &in);
	rw->edits = outer;
	if (!fine)
		return false;
	if (in.hidden == NULL)
		return true;
	if (in.all)
		return rw_not(rw, "uses a window function");
	if (equal != NULL && (in.columns.n != 1 ||
	    in.columns.list[0].change != CHANGE_NONE))
		return rw_not(rw, "has a condition on a value that several "
		    "rows make");
	if ((text = sub_text(rw, &own, opening)) == NULL)
		return rw_not(rw, "has an unusual subquery");
	if (equal == NULL) {
		level_part(lv, list, arena_fmt(rw->a, "(SELECT "
		    "pg_catalog.string_agg(\"sworn$i\".\"%s\", ',') FROM (%s) "
		    "\"sworn$i\")", in.hidden, text), false);
		return !rw->failed;
	}
	what = text_between(rw, equal->location, end);
	if (what == NULL || strchr(what, ')') != NULL ||
	    strchr(what, '-') != NULL)
		return rw_not(rw, "has an unusual subquery");
	level_part(lv, list, arena_fmt(rw->a, "(SELECT "
	    "pg_catalog.string_agg(\"sworn$i\".\"%s\", ',') FROM "
	    "(SELECT %s AS \"sworn$v\") \"sworn$o\" CROSS JOIN LATERAL (%s) "
	    "AS \"sworn$i\"(\"%s\", \"sworn$e\") WHERE "
	    "\"sworn$i\".\"sworn$e\" = \"sworn$o\".\"sworn$v\")", in.hidden,
	    what, text, in.hidden), false);
	return !rw->failed;
}

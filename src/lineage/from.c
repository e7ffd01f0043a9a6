/*
 * What a SELECT reads from. A guarded table becomes its twin under the same
 * name; a subquery is rewritten where it stands, and a WITH query where it
 * is defined.
 *
 * An outer join has a number. Things on the side that it may make NULL carry
 * it, and it counts (level->told) if any of them is somebody's: where others'
 * rows are absent, nothing comes or goes with a subject.
 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "lineage/level.h"

#define JOINS_MAX 64

const struct item *
from_item(const struct level *lv, const char *alias)
{
	size_t i;

	for (i = 0; i < lv->n; i++)
		if (strcmp(lv->items[i].alias, alias) == 0)
			return &lv->items[i];
	return NULL;
}

static struct item *
add(struct level *lv, const PgQuery__Alias *alias, const char *name)
{
	struct item *list, *i;
	size_t cap;

	if (lv->n == lv->cap) {
		cap = lv->cap == 0 ? 8 : lv->cap * 2;
		list = arena_array(lv->rw->a, cap, sizeof(*list));
		if (list == NULL) {
			lv->rw->failed = true;
			return NULL;
		}
		if (lv->n > 0)
			memcpy(list, lv->items, lv->n * sizeof(*list));
		lv->items = list;
		lv->cap = cap;
	}
	i = &lv->items[lv->n++];
	i->alias = alias != NULL ? alias->aliasname : name;
	return i;
}

static const struct rewrite_table *
table_find(const struct rw *rw, const char *name)
{
	size_t i;

	for (i = 0; i < rw->schema->n_tables; i++)
		if (strcmp(rw->schema->tables[i].name, name) == 0)
			return &rw->schema->tables[i];
	return NULL;
}

static const struct cte *
cte_find(const struct level *lv, const char *name)
{
	const struct cte *c;

	for (c = lv->ctes; c != NULL; c = c->up)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static bool
renamed(struct level *lv, const PgQuery__Alias *a)
{
	return a == NULL || a->n_colnames == 0 ||
	    rw_not(lv->rw, "gives a table's columns other names");
}

static bool
from_guarded(struct level *lv, const PgQuery__RangeVar *v,
    const struct rewrite_table *t)
{
	struct rw *rw = lv->rw;
	struct buf text;
	struct item *it;
	size_t i, token;

	if (v->schemaname[0] != 0 || v->catalogname[0] != 0 || !v->inh ||
	    v->location < 0)
		return rw_not(rw, "names a table in an unusual way");
	if (!renamed(lv, v->alias) ||
	    (it = add(lv, v->alias, v->relname)) == NULL)
		return false;
	it->hidden = REWRITE_MARK;
	it->subject = t->subject;
	it->columns.known = true;
	it->columns.n = t->n_columns;
	it->columns.list = arena_array(rw->a, t->n_columns + 1,
	    sizeof(*it->columns.list));
	if (it->columns.list == NULL)
		return !(rw->failed = true);
	for (i = 0; i < t->n_columns; i++)
		it->columns.list[i].name = t->columns[i];
	token = rw_token(rw, (size_t)v->location);
	if (token >= rw->tokens->n_tokens)
		return rw_not(rw, "names a table in an unusual way");
	buf_init(&text, 0);
	text_sql_ident(&text, t->twins != NULL ? t->twins :
	    rw->schema->twins);
	buf_str(&text, ".");
	text_sql_ident(&text, t->name);
	rw_edit(rw, (size_t)v->location,
	    (size_t)(rw->tokens->tokens[token]->end - v->location), 1,
	    buf_text(&text));
	buf_done(&text);
	return !rw->failed;
}

static bool
from_table(struct level *lv, const PgQuery__RangeVar *v)
{
	const struct rewrite_table *t;
	const struct cte *c = NULL;
	struct item *it;

	if (v->schemaname[0] == 0)
		c = cte_find(lv, v->relname);
	if (c == NULL && (t = table_find(lv->rw, v->relname)) != NULL)
		return from_guarded(lv, v, t);
	if (c != NULL && c->hidden != NULL && !renamed(lv, v->alias))
		return false;
	if ((it = add(lv, v->alias, v->relname)) == NULL)
		return false;
	if (c != NULL && (v->alias == NULL || v->alias->n_colnames == 0)) {
		it->hidden = c->hidden;
		it->columns = c->columns;
		it->all = c->all;
		it->moves = c->moves;
	}
	return true;
}

/* What looks at its neighbours must not look at what may be made NULL. */
static bool
lateral(struct level *lv, const struct seen *s)
{
	if (s->change != CHANGE_NONE)
		return rw_not(lv->rw, "reads from a value that several rows "
		    "make");
	return (s->joins & lv->told) == 0 || rw_not(lv->rw,
	    "has a condition on what an outer join adds");
}

static bool
from_subquery(struct level *lv, const PgQuery__RangeSubselect *r)
{
	struct rw *rw = lv->rw;
	struct seen s = { .inner = 1 };
	struct result in = {0};
	struct level here, *up;
	struct item *it;

	if (r->alias == NULL || r->subquery == NULL ||
	    r->subquery->node_case != PG_QUERY__NODE__NODE_SELECT_STMT)
		return rw_not(rw, "has a subquery without a name");
	/* Names in it are those of its neighbours only if it is LATERAL. */
	here = *lv;
	here.n = 0;
	up = r->lateral ? lv : &here;
	if (r->lateral && (!change_node(lv, r->subquery, &s) ||
	    !lateral(lv, &s)))
		return false;
	if (rw_touches(lv, &r->subquery->base)) {
		if (!renamed(lv, r->alias) || !select_rewrite(rw,
		    r->subquery->select_stmt, up, lv->ctes, &in))
			return false;
	}
	if ((it = add(lv, r->alias, "")) == NULL)
		return false;
	it->hidden = in.hidden;
	it->columns = in.columns;
	it->all = in.all;
	it->moves = in.moves;
	return true;
}

static bool
from_function(struct level *lv, const PgQuery__RangeFunction *r)
{
	struct seen s = {0};
	size_t i;

	for (i = 0; i < r->n_functions; i++)
		if (rw_touches(lv, &r->functions[i]->base))
			return rw_not(lv->rw, "reads from a function of a "
			    "subquery");
	for (i = 0; i < r->n_functions; i++)
		if (!change_node(lv, r->functions[i], &s))
			return false;
	if (!lateral(lv, &s))
		return false;
	return add(lv, r->alias, "") != NULL;
}

static bool from_node(struct level *, const PgQuery__Node *);

/* Items [from, to) may be made NULL by a join of its own. */
static bool
may_be_null(struct level *lv, size_t from, size_t to)
{
	uint64_t bit;
	size_t i;

	if (lv->joins == JOINS_MAX)
		return rw_not(lv->rw, "has too many joins");
	bit = (uint64_t)1 << lv->joins++;
	for (i = from; i < to; i++) {
		lv->items[i].joins |= bit;
		if (lv->items[i].hidden != NULL)
			lv->told |= bit;
	}
	return true;
}

static uint64_t
joins_of(const struct level *lv, size_t from, size_t to)
{
	uint64_t all = 0;
	size_t i;

	for (i = from; i < to; i++)
		all |= lv->items[i].joins;
	return all;
}

static bool
from_join(struct level *lv, const PgQuery__JoinExpr *j)
{
	bool left = j->jointype == PG_QUERY__JOIN_TYPE__JOIN_LEFT;
	bool right = j->jointype == PG_QUERY__JOIN_TYPE__JOIN_RIGHT;
	bool full = j->jointype == PG_QUERY__JOIN_TYPE__JOIN_FULL;
	size_t first = lv->n, middle, i;

	if (j->is_natural || j->alias != NULL || j->join_using_alias != NULL)
		return rw_not(lv->rw, "joins by what columns are called");
	if (!left && !right && !full &&
	    j->jointype != PG_QUERY__JOIN_TYPE__JOIN_INNER)
		return rw_not(lv->rw, "joins in an unusual way");
	if (!from_node(lv, j->larg))
		return false;
	middle = lv->n;
	if (!from_node(lv, j->rarg))
		return false;
	lv->merged = lv->merged || j->n_using_clause > 0;
	for (i = 0; i < j->n_using_clause; i++)
		if (j->using_clause[i]->node_case !=
		    PG_QUERY__NODE__NODE_STRING || rewrite_is_marked(
		    j->using_clause[i]->string->sval,
		    strlen(j->using_clause[i]->string->sval)))
			return rw_not(lv->rw, "joins in an unusual way");
	/* Also of a side that the join keeps whole: else a NULL row could be
	 * joined with more rows than the one that it comes for. */
	if (!change_condition(lv, j->quals, joins_of(lv, first, lv->n)))
		return false;
	if ((left || full) && !may_be_null(lv, middle, lv->n))
		return false;
	return (!right && !full) || may_be_null(lv, first, middle);
}

static bool
from_node(struct level *lv, const PgQuery__Node *n)
{
	switch (n->node_case) {
	case PG_QUERY__NODE__NODE_RANGE_VAR:
		return from_table(lv, n->range_var);
	case PG_QUERY__NODE__NODE_RANGE_SUBSELECT:
		return from_subquery(lv, n->range_subselect);
	case PG_QUERY__NODE__NODE_RANGE_FUNCTION:
		return from_function(lv, n->range_function);
	case PG_QUERY__NODE__NODE_JOIN_EXPR:
		return from_join(lv, n->join_expr);
	default:
		return rw_not(lv->rw, "reads from something unusual");
	}
}

bool
from_clause(struct level *lv, const PgQuery__SelectStmt *s)
{
	size_t i;

	for (i = 0; i < s->n_from_clause; i++)
		if (!from_node(lv, s->from_clause[i]))
			return false;
	return true;
}

/*
 * The list of targets: what each column is called, what it can come to, and
 * stars, which would take the columns of tags along.
 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "lineage/level.h"

const char *
level_string(PgQuery__Node *const *list, size_t n)
{
	if (n == 0 || list[n - 1]->node_case != PG_QUERY__NODE__NODE_STRING)
		return NULL;
	return list[n - 1]->string->sval;
}

const char *
target_figure(const PgQuery__Node *n)
{
	const char *name;

	switch (n->node_case) {
	case PG_QUERY__NODE__NODE_COLUMN_REF:
		return level_string(n->column_ref->fields,
		    n->column_ref->n_fields);
	case PG_QUERY__NODE__NODE_FUNC_CALL:
		return level_string(n->func_call->funcname,
		    n->func_call->n_funcname);
	case PG_QUERY__NODE__NODE_COALESCE_EXPR:
		return "coalesce";
	case PG_QUERY__NODE__NODE_TYPE_CAST:
		if (n->type_cast->arg->node_case ==
		    PG_QUERY__NODE__NODE_COLUMN_REF ||
		    n->type_cast->arg->node_case ==
		    PG_QUERY__NODE__NODE_FUNC_CALL)
			return target_figure(n->type_cast->arg);
		if (n->type_cast->arg->node_case ==
		    PG_QUERY__NODE__NODE_A_CONST ||
		    n->type_cast->arg->node_case ==
		    PG_QUERY__NODE__NODE_A_EXPR ||
		    n->type_cast->arg->node_case ==
		    PG_QUERY__NODE__NODE_PARAM_REF)
			return level_string(n->type_cast->type_name->names,
			    n->type_cast->type_name->n_names);
		return NULL;
	case PG_QUERY__NODE__NODE_CASE_EXPR:
		if (n->case_expr->defresult == NULL)
			return "case";
		name = target_figure(n->case_expr->defresult);
		return name == NULL || strcmp(name, "?column?") == 0 ?
		    "case" : name;
	case PG_QUERY__NODE__NODE_A_CONST:
	case PG_QUERY__NODE__NODE_BOOL_EXPR:
	case PG_QUERY__NODE__NODE_NULL_TEST:
		return "?column?";
	case PG_QUERY__NODE__NODE_A_EXPR:
		return n->a_expr->kind ==
		    PG_QUERY__A__EXPR__KIND__AEXPR_NULLIF ? "nullif" :
		    "?column?";
	default:
		return NULL;
	}
}

static struct column *
column_add(struct rw *rw, struct columns *c, const char *name,
    enum change change)
{
	struct column *list;

	/* One array for all: what a SELECT can have is bounded. */
	if (c->n % 16 == 0) {
		list = arena_array(rw->a, c->n + 16, sizeof(*list));
		if (list == NULL) {
			rw->failed = true;
			return NULL;
		}
		if (c->n > 0)
			memcpy(list, c->list, c->n * sizeof(*list));
		c->list = list;
	}
	c->list[c->n].name = name;
	c->list[c->n].change = change;
	c->list[c->n].rank = RANK_NONE;
	return &c->list[c->n++];
}

/* "a"."x", "a"."y" of an item, or "a".* where they are not known. */
static bool
star_item(struct rw *rw, const struct item *it, struct buf *text,
    struct columns *out)
{
	const struct column *c;
	size_t i;

	if (text->len > 0)
		buf_str(text, ", ");
	if (!it->columns.known) {
		if (it->hidden != NULL || it->alias[0] == 0)
			return rw_not(rw, "takes all columns of what has "
			    "none that are known");
		text_sql_ident(text, it->alias);
		buf_str(text, ".*");
		out->known = false;
		return true;
	}
	for (i = 0; i < it->columns.n; i++) {
		c = &it->columns.list[i];
		if (c->name == NULL)
			return rw_not(rw, "takes all columns of what has "
			    "none that are known");
		if (i > 0)
			buf_str(text, ", ");
		text_sql_ident(text, it->alias);
		buf_str(text, ".");
		text_sql_ident(text, c->name);
		if (column_add(rw, out, c->name, c->change) == NULL)
			return false;
	}
	return true;
}

/* Two columns of one name cannot be told apart by it. */
static bool
star_unique(struct rw *rw, const struct item *it)
{
	size_t i, k;

	for (i = 0; it->columns.known && i < it->columns.n; i++)
		for (k = 0; k < i; k++)
			if (it->columns.list[i].name != NULL &&
			    it->columns.list[k].name != NULL &&
			    strcmp(it->columns.list[i].name,
			    it->columns.list[k].name) == 0)
				return rw_not(rw, "takes all columns where "
				    "two have one name");
	return true;
}

static bool
star(struct level *lv, const PgQuery__ResTarget *t, struct columns *out)
{
	const PgQuery__ColumnRef *r = t->val->column_ref;
	struct rw *rw = lv->rw;
	const struct item *one = NULL;
	size_t i, first, last;
	struct buf text;
	bool fine = true;

	if (r->n_fields > 2 || t->location < 0)
		return rw_not(rw, "takes all columns in an unusual way");
	if (r->n_fields == 2) {
		if (r->fields[0]->node_case != PG_QUERY__NODE__NODE_STRING ||
		    (one = from_item(lv, r->fields[0]->string->sval)) == NULL)
			return rw_not(rw, "takes all columns in an unusual "
			    "way");
	} else if (lv->merged) {
		return rw_not(rw, "takes all columns of a join with USING");
	}
	first = rw_token(rw, (size_t)t->location);
	last = first + (one != NULL ? 2 : 0);
	if (last >= rw->tokens->n_tokens || rw_kind(rw, last) !=
	    PG_QUERY__TOKEN__ASCII_42)
		return rw_not(rw, "takes all columns in an unusual way");
	buf_init(&text, 0);
	for (i = 0; fine && i < lv->n; i++)
		if (one == NULL || one == &lv->items[i])
			fine = star_unique(rw, &lv->items[i]) &&
			    star_item(rw, &lv->items[i], &text, out);
	if (fine)
		rw_edit(rw, (size_t)t->location,
		    (size_t)(rw->tokens->tokens[last]->end - t->location), 1,
		    buf_text(&text));
	buf_done(&text);
	return fine && !rw->failed;
}

static bool
is_star(const PgQuery__Node *n)
{
	return n != NULL && n->node_case ==
	    PG_QUERY__NODE__NODE_COLUMN_REF && n->column_ref->n_fields > 0 &&
	    n->column_ref->fields[n->column_ref->n_fields - 1]->node_case ==
	    PG_QUERY__NODE__NODE_A_STAR;
}

static bool
target(struct level *lv, const PgQuery__Node *n, struct columns *out)
{
	struct seen s = { .take = true, .windows = true };
	const PgQuery__ResTarget *t;
	struct column *c;
	const char *name;

	if (n->node_case != PG_QUERY__NODE__NODE_RES_TARGET ||
	    n->res_target->val == NULL)
		return rw_not(lv->rw, "has an unusual target");
	t = n->res_target;
	if (is_star(t->val))
		return star(lv, t, out);
	if (!change_node(lv, t->val, &s))
		return false;
	name = t->name[0] != 0 ? t->name : target_figure(t->val);
	if ((c = column_add(lv->rw, out, name, s.change)) == NULL)
		return false;
	c->rank = window_rank(lv, t->val);
	return !lv->rw->failed && lv->rw->why == NULL;
}

bool
target_list(struct level *lv, const PgQuery__SelectStmt *s, struct columns *out)
{
	size_t i;

	out->known = true;
	for (i = 0; i < s->n_target_list; i++)
		if (!target(lv, s->target_list[i], out))
			return false;
	return true;
}

/*
 * UNION, INTERSECT and EXCEPT.
 *
 *	SELECT city FROM a UNION SELECT town FROM b ORDER BY 1
 *
 *	SELECT string_agg(DISTINCT "sworn$1", ',') AS "sworn$3",
 *	    "sworn$c1" AS "city" FROM (
 *	SELECT ... AS "sworn$1", city FROM t.a UNION ALL SELECT ..., town FROM t.b
 *	) "sworn$u" ("sworn$1", "sworn$c1") GROUP BY 2 ORDER BY 2
 *
 * A row of UNION is a group of equal rows, all of them listed. One of
 * INTERSECT is such a group with rows of both sides, one of EXCEPT with rows
 * of the left one only; their tags begin with the side's letter, so that
 * HAVING can tell. Rows that are not shown must not come to be: of what
 * INTERSECT compares no value may change, and what EXCEPT takes away must be
 * nobody's.
 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "lineage/level.h"

#define LEFT "L"
#define RIGHT "R"
#define BEFORE_ALL 0x40000000u	/* ranks of edits: the outermost first */

static void
both(struct columns *a, const struct columns *b)
{
	size_t i;

	a->known = a->known && b->known && a->n == b->n;
	if (!a->known || b->rest != CHANGE_NONE)
		a->rest = CHANGE_ANY;
	for (i = 0; i < a->n; i++) {
		a->list[i].rank = RANK_NONE;
		if (!a->known || i >= b->n ||
		    a->list[i].change != b->list[i].change)
			a->list[i].change = CHANGE_ANY;
	}
}

/* A column of tags for a side of nobody's rows. */
static bool
fill(struct rw *rw, const PgQuery__SelectStmt *s, const char *mark)
{
	const char *text;

	if (s->op != PG_QUERY__SET_OPERATION__SETOP_NONE ||
	    s->n_target_list == 0 || s->target_list[0]->node_case !=
	    PG_QUERY__NODE__NODE_RES_TARGET ||
	    s->target_list[0]->res_target->location < 0)
		return rw_not(rw, "has a UNION with what is unusual");
	text = arena_fmt(rw->a, "'%s'::text AS \"" REWRITE_MARK "0\", ",
	    mark == NULL ? "" : mark);
	rw_edit(rw, (size_t)s->target_list[0]->res_target->location, 0, 0,
	    text);
	return !rw->failed;
}

/* What is outside of it changes nothing in it. */
static bool
stands_alone(const struct level *lv)
{
	for (; lv != NULL; lv = lv->up)
		if (lv->n > 0)
			return false;
	return true;
}

/* The names of a side of nobody's rows, if it is no more than a list. */
static bool
names(struct level *lv, const PgQuery__SelectStmt *s, struct columns *out)
{
	struct column *list;
	const PgQuery__ResTarget *t;
	size_t i;

	if (s->op != PG_QUERY__SET_OPERATION__SETOP_NONE ||
	    !stands_alone(lv))
		return true;
	if ((list = arena_array(lv->rw->a, s->n_target_list + 1,
	    sizeof(*list))) == NULL)
		return !(lv->rw->failed = true);
	for (i = 0; i < s->n_target_list; i++) {
		t = s->target_list[i]->node_case ==
		    PG_QUERY__NODE__NODE_RES_TARGET ?
		    s->target_list[i]->res_target : NULL;
		if (t == NULL || t->val == NULL)
			return true;
		list[i].name = t->name[0] != 0 ? t->name :
		    target_figure(t->val);
		if (list[i].name == NULL)
			return true;	/* perhaps a star */
	}
	out->list = list;
	out->n = s->n_target_list;
	out->known = true;
	return true;
}

static bool
side(struct level *lv, const PgQuery__SelectStmt *s, const char *mark,
    struct result *ret)
{
	bool fine;

	if (rw_touches(lv, &s->base)) {
		lv->rw->mark = mark;
		fine = select_rewrite(lv->rw, s, lv->up, lv->ctes, ret);
		lv->rw->mark = NULL;
		if (!fine)
			return false;
		lv->all = lv->all || ret->all;
		lv->moves = lv->moves || ret->moves;
		return true;
	}
	/* Positions in it would have to move, too. */
	if (s->n_sort_clause > 0 || s->n_group_clause > 0 ||
	    s->n_distinct_clause > 0)
		return rw_not(lv->rw, "has a UNION with what is unusual");
	return names(lv, s, &ret->columns);
}

/* ---- places ---- */

static size_t
back(const struct rw *rw, size_t token)
{
	do
		token = token == 0 ? SIZE_MAX : token - 1;
	while (token != SIZE_MAX && select_comment(rw_kind(rw, token)));
	return token;
}

static size_t
next(const struct rw *rw, size_t token)
{
	do
		token++;
	while (token < rw->tokens->n_tokens &&
	    select_comment(rw_kind(rw, token)));
	return token;
}

/* Its first word, SELECT; SIZE_MAX: it is not of the usual form. */
static size_t
first_word(const struct rw *rw, const PgQuery__SelectStmt *s)
{
	size_t token, depth = 0;

	for (; s->op != PG_QUERY__SET_OPERATION__SETOP_NONE; s = s->larg)
		if (s->with_clause != NULL)
			return SIZE_MAX;
	if (s->with_clause != NULL || s->n_target_list == 0 ||
	    s->target_list[0]->node_case != PG_QUERY__NODE__NODE_RES_TARGET ||
	    s->target_list[0]->res_target->location < 0)
		return SIZE_MAX;
	token = rw_token(rw,
	    (size_t)s->target_list[0]->res_target->location);
	while ((token = back(rw, token)) != SIZE_MAX) {
		PgQuery__Token t = rw_kind(rw, token);

		if (t == PG_QUERY__TOKEN__ASCII_41)
			depth++;
		else if (t == PG_QUERY__TOKEN__ASCII_40 && depth-- == 0)
			return SIZE_MAX;
		else if (t == PG_QUERY__TOKEN__SELECT && depth == 0)
			return token;
	}
	return SIZE_MAX;
}

struct places {
	size_t start;		/* of its left side: a token */
	size_t word;		/* UNION, INTERSECT, EXCEPT */
	size_t all;		/* the word behind it; 0: none */
	size_t end;		/* behind its right side: of the text */
};

static bool
is_word(PgQuery__Token t)
{
	return t == PG_QUERY__TOKEN__UNION ||
	    t == PG_QUERY__TOKEN__INTERSECT || t == PG_QUERY__TOKEN__EXCEPT;
}

static bool places(const struct rw *, const PgQuery__SelectStmt *,
    struct places *);

/* Behind the right side, whose first token is given. INTERSECT binds more
 * than UNION, so what it joins may stand there without parentheses. */
static bool
ends_at(const struct rw *rw, const PgQuery__SelectStmt *s, size_t first,
    size_t *ret)
{
	struct places in = {0};
	size_t last;

	if (rw_kind(rw, first) != PG_QUERY__TOKEN__ASCII_40) {
		*ret = select_place(rw, next(rw, first));
		return s->op == PG_QUERY__SET_OPERATION__SETOP_NONE;
	}
	last = rw_closing(rw, first);
	if (last >= rw->tokens->n_tokens || (s->op !=
	    PG_QUERY__SET_OPERATION__SETOP_NONE &&
	    (!places(rw, s, &in) || in.word > last)))
		return false;
	*ret = (size_t)rw->tokens->tokens[last]->end;
	return true;
}

static bool
places(const struct rw *rw, const PgQuery__SelectStmt *s, struct places *p)
{
	size_t left = first_word(rw, s->larg);
	size_t right = first_word(rw, s->rarg), before;

	if (left == SIZE_MAX || right == SIZE_MAX)
		return false;
	while ((before = back(rw, right)) != SIZE_MAX && rw_kind(rw, before) ==
	    PG_QUERY__TOKEN__ASCII_40)
		right = before;
	if (before == SIZE_MAX)
		return false;
	if (!is_word(rw_kind(rw, before))) {
		if (rw_kind(rw, before) != PG_QUERY__TOKEN__DISTINCT)
			return false;
		p->all = before;
		before = back(rw, before);
	}
	if (before == SIZE_MAX || !is_word(rw_kind(rw, before)))
		return false;
	p->word = before;
	if (!ends_at(rw, s->rarg, right, &p->end))
		return false;
	/* Parentheses that end before the word are of the left side. */
	for (p->start = left; (left = back(rw, left)) != SIZE_MAX &&
	    rw_kind(rw, left) == PG_QUERY__TOKEN__ASCII_40 &&
	    rw_closing(rw, left) < p->word; p->start = left)
		;
	return true;
}

/* ---- one row for equal ones ---- */

static void
put_columns(struct buf *text, const struct columns *c, bool named)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		buf_fmt(text, ", \"" REWRITE_MARK "c%zu\"", i + 1);
		if (!named)
			continue;
		buf_str(text, " AS ");
		text_sql_ident(text, c->list[i].name);
	}
}

static void
put_start(struct rw *rw, const struct places *p, const struct columns *c,
    const char *hidden, bool marked)
{
	struct buf text;

	buf_init(&text, 0);
	buf_fmt(&text, "SELECT pg_catalog.string_agg(DISTINCT %s, ',') AS "
	    "\"%s\"", marked ? "pg_catalog.substr(\"" REWRITE_MARK "t\", 3)" :
	    "\"" REWRITE_MARK "t\"", hidden);
	put_columns(&text, c, true);
	buf_str(&text, " FROM (");
	rw_edit(rw, (size_t)rw->tokens->tokens[p->start]->start, 0,
	    BEFORE_ALL - rw->names, buf_text(&text));
	buf_done(&text);
}

static void
put_end(struct rw *rw, const struct places *p, const struct columns *c,
    const char *having)
{
	struct buf text;
	size_t i;

	buf_init(&text, 0);
	buf_str(&text, " ) \"" REWRITE_MARK "u\" (\"" REWRITE_MARK "t\"");
	put_columns(&text, c, false);
	buf_str(&text, ") GROUP BY ");
	for (i = 0; i < c->n; i++)
		buf_fmt(&text, i > 0 ? ", %zu" : "%zu", i + 2);
	buf_str(&text, having);
	buf_str(&text, " ");
	rw_edit(rw, p->end, 0, 2, buf_text(&text));
	buf_done(&text);
}

static void
put_word(struct rw *rw, const struct places *p)
{
	const PgQuery__ScanToken *t = rw->tokens->tokens[p->word];

	/* Behind what ends the left side at this place. */
	rw_edit(rw, (size_t)t->start, (size_t)(t->end - t->start), 3,
	    p->all == 0 ? "UNION ALL" : "UNION");
	if (p->all == 0)
		return;
	t = rw->tokens->tokens[p->all];
	rw_edit(rw, (size_t)t->start, (size_t)(t->end - t->start), 1, "ALL");
}

/* All columns have names, and ORDER BY has no more than these. */
static bool
is_usual(const PgQuery__SelectStmt *s, const struct columns *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (c->list[i].name == NULL)
			return false;
	for (i = 0; i < s->n_sort_clause; i++)
		if (s->sort_clause[i]->node_case !=
		    PG_QUERY__NODE__NODE_SORT_BY ||
		    select_named(s->sort_clause[i]->sort_by->node, c) == NULL)
			return false;
	return c->known && c->n > 0;
}

static bool
group(struct level *lv, const PgQuery__SelectStmt *s, struct result *ret,
    const char *having)
{
	struct rw *rw = lv->rw;
	struct places p = {0};
	size_t i;

	if (!is_usual(s, &ret->columns) || !places(rw, s, &p))
		return rw_not(rw, "has a UNION with what is unusual");
	if ((ret->hidden = rw_name(rw)) == NULL)
		return false;
	put_start(rw, &p, &ret->columns, ret->hidden, *having != 0);
	put_word(rw, &p);
	put_end(rw, &p, &ret->columns, having);
	for (i = 0; i < ret->columns.n; i++)
		if (ret->columns.list[i].change != CHANGE_NONE)
			lv->keys_change = true;
	if (lv->keys_change) {
		lv->moves = true;
		select_all_change(&ret->columns);
	}
	return !rw->failed;
}

/* ---- all of it ---- */

static bool
unchanging(const struct columns *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (c->list[i].change != CHANGE_NONE)
			return false;
	return c->known && c->rest == CHANGE_NONE;
}

static bool
is_leaf(const PgQuery__SelectStmt *s)
{
	return s->op == PG_QUERY__SET_OPERATION__SETOP_NONE &&
	    s->limit_count == NULL && s->limit_offset == NULL;
}

/* Whether what is not in the answer cannot come to be in it. */
static bool
stays_out(struct level *lv, const PgQuery__SelectStmt *s,
    const struct result *left, const struct result *right)
{
	return !lv->all && !lv->moves && !s->all && is_leaf(s->larg) &&
	    is_leaf(s->rarg) && unchanging(&left->columns) &&
	    (s->op == PG_QUERY__SET_OPERATION__SETOP_INTERSECT ?
	    unchanging(&right->columns) : right->hidden == NULL);
}

static bool
sides(struct level *lv, const PgQuery__SelectStmt *s, bool marked,
    struct result *left, struct result *right)
{
	const char *l = marked ? LEFT : NULL, *r = marked ? RIGHT : NULL;

	if (!side(lv, s->larg, l, left) || !side(lv, s->rarg, r, right))
		return false;
	if (left->hidden == NULL && right->hidden == NULL)
		return true;
	if (left->hidden == NULL && !fill(lv->rw, s->larg, l))
		return false;
	return right->hidden != NULL || fill(lv->rw, s->rarg, r);
}

bool
setop_rewrite(struct level *lv, const PgQuery__SelectStmt *s,
    struct result *ret)
{
	bool is_union = s->op == PG_QUERY__SET_OPERATION__SETOP_UNION;
	struct result left = {0}, right = {0};
	const char *having = "";

	if (lv->mark != NULL)
		return rw_not(lv->rw, "compares whole answers");
	if (!sides(lv, s, !is_union, &left, &right))
		return false;
	*ret = left;
	if (left.hidden == NULL && right.hidden == NULL)
		return true;
	if (!is_union) {
		if (!stays_out(lv, s, &left, &right))
			return rw_not(lv->rw, "compares whole answers");
		having = s->op == PG_QUERY__SET_OPERATION__SETOP_INTERSECT ?
		    " HAVING pg_catalog.bool_or(\"" REWRITE_MARK "t\" LIKE "
		    "'" LEFT "%') AND pg_catalog.bool_or(\"" REWRITE_MARK
		    "t\" LIKE '" RIGHT "%')" :
		    " HAVING pg_catalog.bool_and(\"" REWRITE_MARK "t\" LIKE "
		    "'" LEFT "%')";
	}
	if (left.hidden == NULL)
		ret->hidden = REWRITE_MARK "0";
	both(&ret->columns, &right.columns);
	if ((!is_union || !s->all) && !group(lv, s, ret, having))
		return false;
	if (lv->all && (s->limit_count != NULL || !is_union))
		return rw_not(lv->rw, "leaves out rows that a window function "
		    "is over");
	return select_sort(lv, s, &ret->columns, s->limit_count != NULL) &&
	    select_limit(lv, s);
}

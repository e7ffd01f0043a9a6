/*
 * A name in FROM is a table, unless a WITH clause around it defines it. What
 * a WITH clause defines is seen by what follows in the clause (with
 * RECURSIVE by all of it) and by the statement that the clause belongs to.
 * The target of INSERT, UPDATE, DELETE and MERGE is always a table.
 *
 * Where in doubt a name counts as a table: too many are sound.
 */
#include "lineage/walk.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <pg_query/pg_query.pb-c.h>

#include "lineage/names.h"

/* Beyond this many comparisons of names with WITH clauses, all are tables:
 * a text of many of both would take quadratic time. */
#define COMPARED_MAX ((size_t)10000000)

struct walk_scope {
	const PgQuery__WithClause *with;
	size_t visible;		/* the first ones of with->ctes */
	const struct walk_scope *up;
};

void
walk_init(struct walk *w)
{
	memset(w, 0, sizeof(*w));
}

void
walk_done(struct walk *w)
{
	free(w->tables);
	walk_init(w);
}

static bool
scope_has(struct walk *w, const char *name)
{
	const struct walk_scope *s;
	const PgQuery__Node *n;
	size_t i;

	for (s = w->scope; s != NULL; s = s->up) {
		for (i = 0; i < s->visible; i++) {
			if (++w->compared > COMPARED_MAX)
				return false;
			n = s->with->ctes[i];
			if (n->node_case ==
			    PG_QUERY__NODE__NODE_COMMON_TABLE_EXPR &&
			    strcmp(n->common_table_expr->ctename, name) == 0)
				return true;
		}
	}
	return false;
}

static void
add_table(struct walk *w, const PgQuery__RangeVar *v)
{
	struct walk_table *p;
	size_t cap;

	if (w->n_tables == w->cap) {
		cap = w->cap == 0 ? 16 : w->cap * 2;
		p = reallocarray(w->tables, cap, sizeof(*p));
		if (p == NULL) {
			w->failed = true;
			return;
		}
		w->tables = p;
		w->cap = cap;
	}
	w->tables[w->n_tables++] = (struct walk_table){
		.schema = v->schemaname, .name = v->relname };
}

static void
add_unknown(struct walk *w, const char *kind, const char *name)
{
	if (w->unknown != NULL)
		return;
	w->unknown_kind = kind;
	w->unknown = name;
}

/* The text of a list of String nodes' i-th, or "". */
static const char *
list_name(PgQuery__Node *const *list, size_t i)
{
	if (list[i]->node_case != PG_QUERY__NODE__NODE_STRING)
		return "";
	return list[i]->string->sval;
}

/*
 * Whether a possibly qualified name can only be the one in pg_catalog. An
 * unqualified one is: nobody has CREATE on the schemas of a reader's path,
 * and pg_catalog is searched first.
 */
static bool
is_builtin(PgQuery__Node *const *list, size_t n, bool (*known)(const char *))
{
	if (n == 0 || n > 2)
		return false;
	if (n == 2 && strcmp(list_name(list, 0), "pg_catalog") != 0)
		return false;
	return known(list_name(list, n - 1));
}

static void
check_function(struct walk *w, PgQuery__Node *const *list, size_t n)
{
	const char *name = n == 0 ? "" : list_name(list, n - 1);

	if (name_is_forbidden_function(name) && w->forbidden == NULL)
		w->forbidden = name;
	if (!is_builtin(list, n, name_is_harmless_function))
		add_unknown(w, "calls function", name);
}

static void
check_operator(struct walk *w, PgQuery__Node *const *list, size_t n)
{
	if (n > 0 && !is_builtin(list, n, name_is_operator))
		add_unknown(w, "uses operator", list_name(list, n - 1));
}

static void
check_type(struct walk *w, const PgQuery__TypeName *t)
{
	if (t->n_names == 0)
		return;
	if (t->pct_type || !is_builtin(t->names, t->n_names, name_is_type))
		add_unknown(w, "uses type",
		    list_name(t->names, t->n_names - 1));
}

static void
check_expr(struct walk *w, const PgQuery__AExpr *e)
{
	switch (e->kind) {
	case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN:
	case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN:
	case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN_SYM:
	case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM:
		return;		/* its name is the keyword */
	default:
		check_operator(w, e->name, e->n_name);
	}
}

static void
check_sample(struct walk *w, const PgQuery__RangeTableSample *s)
{
	const char *name = "";

	if (s->n_method == 1)
		name = list_name(s->method, 0);
	if (strcmp(name, "bernoulli") != 0 && strcmp(name, "system") != 0)
		add_unknown(w, "samples by", name);
}

/* A RangeVar that is a table unless a WITH clause has its name. */
static void
check_range(struct walk *w, const PgQuery__RangeVar *v)
{
	if (v->schemaname[0] != 0 || !scope_has(w, v->relname))
		add_table(w, v);
}

/* What the kinds of message mean that are more than their members. */
static void
check_message(struct walk *w, const ProtobufCMessage *m)
{
	const ProtobufCMessageDescriptor *d = m->descriptor;

	if (d == &pg_query__range_var__descriptor) {
		check_range(w, (const PgQuery__RangeVar *)m);
	} else if (d == &pg_query__func_call__descriptor) {
		const PgQuery__FuncCall *f = (const PgQuery__FuncCall *)m;

		check_function(w, f->funcname, f->n_funcname);
	} else if (d == &pg_query__a__expr__descriptor) {
		check_expr(w, (const PgQuery__AExpr *)m);
	} else if (d == &pg_query__sub_link__descriptor) {
		const PgQuery__SubLink *s = (const PgQuery__SubLink *)m;

		check_operator(w, s->oper_name, s->n_oper_name);
	} else if (d == &pg_query__sort_by__descriptor) {
		const PgQuery__SortBy *s = (const PgQuery__SortBy *)m;

		check_operator(w, s->use_op, s->n_use_op);
	} else if (d == &pg_query__type_name__descriptor) {
		check_type(w, (const PgQuery__TypeName *)m);
	} else if (d == &pg_query__range_table_sample__descriptor) {
		check_sample(w, (const PgQuery__RangeTableSample *)m);
	} else if (d == &pg_query__locking_clause__descriptor) {
		w->locks = true;
	} else if (d == &pg_query__into_clause__descriptor) {
		w->into = true;
	}
}

static void walk_members(struct walk *, const ProtobufCMessage *,
    const ProtobufCMessage *);

/* A statement with a WITH clause: first the clause, then the rest. */
static void
walk_with(struct walk *w, const ProtobufCMessage *m,
    const PgQuery__WithClause *with)
{
	struct walk_scope scope = { .with = with, .up = w->scope };
	size_t i;

	w->scope = &scope;
	if (with->recursive)
		scope.visible = with->n_ctes;
	for (i = 0; i < with->n_ctes; i++) {
		walk_message(w, &with->ctes[i]->base);
		if (!with->recursive)
			scope.visible = i + 1;
	}
	walk_members(w, m, &with->base);
	w->scope = scope.up;
}

/* Kinds of statement that can have a WITH clause or write to a table. */
static const struct {
	const ProtobufCMessageDescriptor *descriptor;
	size_t with;
	size_t target;		/* 0: it has none */
} with_kinds[] = {
	{ &pg_query__select_stmt__descriptor,
	    offsetof(PgQuery__SelectStmt, with_clause), 0 },
	{ &pg_query__insert_stmt__descriptor,
	    offsetof(PgQuery__InsertStmt, with_clause),
	    offsetof(PgQuery__InsertStmt, relation) },
	{ &pg_query__update_stmt__descriptor,
	    offsetof(PgQuery__UpdateStmt, with_clause),
	    offsetof(PgQuery__UpdateStmt, relation) },
	{ &pg_query__delete_stmt__descriptor,
	    offsetof(PgQuery__DeleteStmt, with_clause),
	    offsetof(PgQuery__DeleteStmt, relation) },
	{ &pg_query__merge_stmt__descriptor,
	    offsetof(PgQuery__MergeStmt, with_clause),
	    offsetof(PgQuery__MergeStmt, relation) },
};

/* A message member of m at an offset; NULL if it is not set. */
static const void *
member_at(const ProtobufCMessage *m, size_t offset)
{
	const void *p;

	memcpy(&p, (const char *)m + offset, sizeof(p));
	return p;
}

void
walk_message(struct walk *w, const ProtobufCMessage *m)
{
	const PgQuery__WithClause *with;
	const void *target;
	size_t i;

	check_message(w, m);
	for (i = 0; i < sizeof(with_kinds) / sizeof(with_kinds[0]); i++) {
		if (m->descriptor != with_kinds[i].descriptor)
			continue;
		if (with_kinds[i].target != 0) {
			w->writes++;
			target = member_at(m, with_kinds[i].target);
			if (target != NULL)
				add_table(w, target);
		}
		with = member_at(m, with_kinds[i].with);
		if (with != NULL) {
			walk_with(w, m, with);
			return;
		}
	}
	walk_members(w, m, NULL);
}

/* Every message that m holds, but `except`. */
static void
walk_members(struct walk *w, const ProtobufCMessage *m,
    const ProtobufCMessage *except)
{
	const ProtobufCFieldDescriptor *f;
	ProtobufCMessage *const *list;
	const ProtobufCMessage *one;
	const char *base = (const char *)m;
	size_t n, j;
	uint32_t chosen;
	unsigned i;

	for (i = 0; i < m->descriptor->n_fields; i++) {
		f = &m->descriptor->fields[i];
		if (f->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		if (f->label == PROTOBUF_C_LABEL_REPEATED) {
			memcpy(&n, base + f->quantifier_offset, sizeof(n));
			memcpy(&list, base + f->offset, sizeof(list));
			for (j = 0; j < n; j++)
				walk_message(w, list[j]);
			continue;
		}
		if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
			memcpy(&chosen, base + f->quantifier_offset,
			    sizeof(chosen));
			if (chosen != f->id)
				continue;
		}
		one = member_at(m, f->offset);
		if (one != NULL && one != except)
			walk_message(w, one);
	}
}

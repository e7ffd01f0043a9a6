/*
 * Ways to a column of pg_class AS c: its name, in c.reltuples, (c).reltuples,
 * reltuples(c), USING (reltuples) and, for NATURAL JOIN, AS reltuples or
 * v(reltuples); c.*, * and COPY c; c, which is the row; and c(a, b, ...),
 * which gives the columns new names. So every text of the tree is looked at, and every
 * name of a column is compared with every name of a table.
 */
#include "lineage/sizes.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <pg_query/pg_query.pb-c.h>

/* Past these a statement is too large to be told: it may. */
#define TABLES_MAX 64

/* Of pg_attribute the options have the position in the write-ahead log at
 * which the table was made. */
static const char *const tables[] = {
	"pg_attribute", "pg_class", "pg_database",
};
static const char *const columns[] = {
	"attoptions", "datfrozenxid", "datminmxid", "relallvisible",
	"relfrozenxid", "relminmxid", "relpages", "reltuples",
};

struct sizes {
	const char *tables[TABLES_MAX];	/* names and aliases */
	size_t n_tables;
	bool rows;		/* second visit: looks for whole rows */
	bool may;
};

static bool
listed(const char *const *list, size_t n, const char *s)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(list[i], s) == 0)
			return true;
	return false;
}

static bool
is_size(const char *s)
{
	return listed(columns, sizeof(columns) / sizeof(*columns), s);
}

bool
sizes_are_in(const char *table)
{
	return listed(tables, sizeof(tables) / sizeof(*tables), table);
}

static void
add_table(struct sizes *z, const char *name)
{
	if (z->n_tables == TABLES_MAX)
		z->may = true;
	else
		z->tables[z->n_tables++] = name;
}

/* The last name of a column reference; a row if a table has that name. */
static void
check_column(struct sizes *z, const PgQuery__ColumnRef *c)
{
	const PgQuery__Node *last;
	size_t i;

	if (c->n_fields == 0)
		return;
	last = c->fields[c->n_fields - 1];
	if (last->node_case != PG_QUERY__NODE__NODE_STRING)
		return;
	for (i = 0; i < z->n_tables; i++)
		if (strcmp(z->tables[i], last->string->sval) == 0)
			z->may = true;
}

static void
check_message(struct sizes *z, const ProtobufCMessage *m)
{
	const ProtobufCMessageDescriptor *d = m->descriptor;

	if (d == &pg_query__a__star__descriptor) {
		z->may = true;
	} else if (d == &pg_query__column_ref__descriptor && z->rows) {
		check_column(z, (const PgQuery__ColumnRef *)m);
	} else if (d == &pg_query__range_var__descriptor && !z->rows) {
		const PgQuery__RangeVar *v = (const PgQuery__RangeVar *)m;

		add_table(z, v->relname);
		if (v->alias != NULL && v->alias->n_colnames > 0)
			z->may = true;
	} else if (d == &pg_query__alias__descriptor && !z->rows) {
		add_table(z, ((const PgQuery__Alias *)m)->aliasname);
	} else if (d == &pg_query__copy_stmt__descriptor) {
		const PgQuery__CopyStmt *c = (const PgQuery__CopyStmt *)m;

		if (c->relation != NULL && c->n_attlist == 0)
			z->may = true;
	} else if (d == &pg_query__join_expr__descriptor) {
		const PgQuery__JoinExpr *j = (const PgQuery__JoinExpr *)m;

		if (j->alias != NULL && j->alias->n_colnames > 0)
			z->may = true;
	}
}

static void visit(struct sizes *, const ProtobufCMessage *);

/* One member of a message, at p; of a list, each. */
static void
visit_member(struct sizes *z, const ProtobufCFieldDescriptor *f,
    const char *p)
{
	const char *text;
	const ProtobufCMessage *one;

	if (f->type == PROTOBUF_C_TYPE_STRING) {
		memcpy(&text, p, sizeof(text));
		if (text != NULL && is_size(text))
			z->may = true;
	} else if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
		memcpy(&one, p, sizeof(one));
		if (one != NULL)
			visit(z, one);
	}
}

static void
visit(struct sizes *z, const ProtobufCMessage *m)
{
	const ProtobufCFieldDescriptor *f;
	const char *base = (const char *)m, *list;
	uint32_t chosen;
	size_t n, j;
	unsigned i;

	check_message(z, m);
	for (i = 0; i < m->descriptor->n_fields && !z->may; i++) {
		f = &m->descriptor->fields[i];
		if (f->type != PROTOBUF_C_TYPE_STRING &&
		    f->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		if (f->label == PROTOBUF_C_LABEL_REPEATED) {
			/* Texts and messages are both kept as pointers. */
			memcpy(&n, base + f->quantifier_offset, sizeof(n));
			memcpy(&list, base + f->offset, sizeof(list));
			for (j = 0; j < n; j++)
				visit_member(z, f, list + j * sizeof(void *));
			continue;
		}
		if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
			memcpy(&chosen, base + f->quantifier_offset,
			    sizeof(chosen));
			if (chosen != f->id)
				continue;
		}
		visit_member(z, f, base + f->offset);
	}
}

bool
sizes_may_show(const ProtobufCMessage *m)
{
	struct sizes z = { .n_tables = 0 };

	visit(&z, m);		/* collects the tables' names */
	z.rows = true;
	if (!z.may)
		visit(&z, m);
	return z.may;
}

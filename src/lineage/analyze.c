/*
 * The text is checked, parsed once, and each of its statements walked whole.
 * The class comes from the kind of the statement and from what the walk met
 * anywhere in it: a SELECT with FOR UPDATE, INTO or a WITH that writes is a
 * WRITE. `whole` is set wherever a name is not known to be harmless, and for
 * every statement that may run code which is not in the text.
 *
 * libpg_query keeps its state per thread and frees it when the thread ends.
 */
#include "lineage/analyze.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

#include "base/arena.h"
#include "base/text.h"
#include "lineage/depth.h"
#include "lineage/sizes.h"
#include "lineage/walk.h"

const char *
statement_class_text(enum statement_class c)
{
	switch (c) {
	case STATEMENT_UNKNOWN:
		return "unknown";
	case STATEMENT_EMPTY:
		return "empty";
	case STATEMENT_READ:
		return "read";
	case STATEMENT_EXPLAIN:
		return "explain";
	case STATEMENT_COPY_OUT:
		return "copy-out";
	case STATEMENT_CURSOR:
		return "cursor";
	case STATEMENT_PREPARED:
		return "prepared";
	case STATEMENT_TRANSACTION:
		return "transaction";
	case STATEMENT_SET:
		return "set";
	case STATEMENT_SHOW:
		return "show";
	case STATEMENT_DISCARD:
		return "discard";
	case STATEMENT_WRITE:
		return "write";
	case STATEMENT_OTHER:
		return "other";
	}
	return "unknown";
}

/* Statements whose name is not their kind's, written apart in capitals. */
static const struct {
	PgQuery__Node__NodeCase node;
	const char *what;
} whats[] = {
	{ PG_QUERY__NODE__NODE_CREATE_STMT, "CREATE TABLE" },
	{ PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT, "CREATE TABLE AS" },
	{ PG_QUERY__NODE__NODE_VIEW_STMT, "CREATE VIEW" },
	{ PG_QUERY__NODE__NODE_INDEX_STMT, "CREATE INDEX" },
	{ PG_QUERY__NODE__NODE_CREATE_SEQ_STMT, "CREATE SEQUENCE" },
	{ PG_QUERY__NODE__NODE_ALTER_SEQ_STMT, "ALTER SEQUENCE" },
	{ PG_QUERY__NODE__NODE_CREATE_TRIG_STMT, "CREATE TRIGGER" },
	{ PG_QUERY__NODE__NODE_CREATE_PLANG_STMT, "CREATE LANGUAGE" },
	{ PG_QUERY__NODE__NODE_RULE_STMT, "CREATE RULE" },
	{ PG_QUERY__NODE__NODE_DEFINE_STMT, "CREATE" },
	{ PG_QUERY__NODE__NODE_COMPOSITE_TYPE_STMT, "CREATE TYPE" },
	{ PG_QUERY__NODE__NODE_CREATE_ENUM_STMT, "CREATE TYPE" },
	{ PG_QUERY__NODE__NODE_CREATE_RANGE_STMT, "CREATE TYPE" },
	{ PG_QUERY__NODE__NODE_CREATEDB_STMT, "CREATE DATABASE" },
	{ PG_QUERY__NODE__NODE_DROPDB_STMT, "DROP DATABASE" },
	{ PG_QUERY__NODE__NODE_RENAME_STMT, "ALTER" },
	{ PG_QUERY__NODE__NODE_CHECK_POINT_STMT, "CHECKPOINT" },
	{ PG_QUERY__NODE__NODE_CONSTRAINTS_SET_STMT, "SET CONSTRAINTS" },
	{ PG_QUERY__NODE__NODE_GRANT_ROLE_STMT, "GRANT" },
	{ PG_QUERY__NODE__NODE_REFRESH_MAT_VIEW_STMT,
	    "REFRESH MATERIALIZED VIEW" },
	{ PG_QUERY__NODE__NODE_SEC_LABEL_STMT, "SECURITY LABEL" },
	{ PG_QUERY__NODE__NODE_CLOSE_PORTAL_STMT, "CLOSE" },
	{ PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT, "SHOW" },
	{ PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT, "DECLARE" },
};

/* The message that a Node holds; NULL if it holds none. */
static const ProtobufCMessage *
node_message(const PgQuery__Node *n)
{
	if (n == NULL || n->node_case == PG_QUERY__NODE__NODE__NOT_SET)
		return NULL;
	/* All members of the union are pointers to messages. */
	return (const ProtobufCMessage *)n->select_stmt;
}

/* "AlterTableStmt" -> "ALTER TABLE". */
static const char *
kind_words(struct arena *a, const char *kind)
{
	size_t i, n = 0, len = strlen(kind);
	char *s;

	if (len > 4 && strcmp(kind + len - 4, "Stmt") == 0)
		len -= 4;
	if ((s = arena_alloc(a, 2 * len + 1)) == NULL)
		return NULL;
	for (i = 0; i < len; i++) {
		if (i > 0 && isupper((unsigned char)kind[i]))
			s[n++] = ' ';
		s[n++] = (char)toupper((unsigned char)kind[i]);
	}
	return s;
}

static const char *
transaction_what(const PgQuery__TransactionStmt *t)
{
	switch (t->kind) {
	case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN:
		return "BEGIN";
	case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_START:
		return "START TRANSACTION";
	case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT:
		return "COMMIT";
	case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK:
		return "ROLLBACK";
	case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_SAVEPOINT:
		return "SAVEPOINT";
	case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_RELEASE:
		return "RELEASE";
	case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_TO:
		return "ROLLBACK TO SAVEPOINT";
	case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_PREPARE:
		return "PREPARE TRANSACTION";
	case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT_PREPARED:
		return "COMMIT PREPARED";
	case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_PREPARED:
		return "ROLLBACK PREPARED";
	default:
		return "TRANSACTION";
	}
}

static const char *
node_what(struct arena *a, const PgQuery__Node *n)
{
	size_t i;

	for (i = 0; i < sizeof(whats) / sizeof(whats[0]); i++)
		if (whats[i].node == n->node_case)
			return whats[i].what;
	switch (n->node_case) {
	case PG_QUERY__NODE__NODE_TRANSACTION_STMT:
		return transaction_what(n->transaction_stmt);
	case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT:
		if (n->variable_set_stmt->kind ==
		    PG_QUERY__VARIABLE_SET_KIND__VAR_RESET ||
		    n->variable_set_stmt->kind ==
		    PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL)
			return "RESET";
		return "SET";
	case PG_QUERY__NODE__NODE_FETCH_STMT:
		return n->fetch_stmt->ismove ? "MOVE" : "FETCH";
	case PG_QUERY__NODE__NODE_GRANT_STMT:
		return n->grant_stmt->is_grant ? "GRANT" : "REVOKE";
	case PG_QUERY__NODE__NODE_VACUUM_STMT:
		return n->vacuum_stmt->is_vacuumcmd ? "VACUUM" : "ANALYZE";
	default:
		return kind_words(a,
		    node_message(n)->descriptor->short_name);
	}
}

/* A query that only reads, given what the walk of all of it met. */
static bool
reads_only(const PgQuery__Node *n, const struct walk *w)
{
	return n != NULL && n->node_case == PG_QUERY__NODE__NODE_SELECT_STMT &&
	    !w->writes && !w->locks && !w->into;
}

static enum statement_class
class_of_copy(const PgQuery__CopyStmt *c, const struct walk *w)
{
	if (c->is_program || c->filename[0] != 0)
		return STATEMENT_OTHER;	/* the server's own files */
	if (c->is_from || (c->query != NULL && !reads_only(c->query, w)))
		return STATEMENT_WRITE;
	return STATEMENT_COPY_OUT;
}

static enum statement_class
class_of_transaction(const PgQuery__TransactionStmt *t)
{
	switch (t->kind) {
	case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_PREPARE:
	case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT_PREPARED:
	case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_PREPARED:
		return STATEMENT_OTHER;	/* reach beyond the session */
	default:
		return STATEMENT_TRANSACTION;
	}
}

static enum statement_class
class_of_set(const PgQuery__VariableSetStmt *v)
{
	if (v->kind != PG_QUERY__VARIABLE_SET_KIND__VAR_SET_MULTI)
		return STATEMENT_SET;
	if (strcmp(v->name, "TRANSACTION") == 0)
		return STATEMENT_TRANSACTION;
	if (strcmp(v->name, "SESSION CHARACTERISTICS") == 0)
		return STATEMENT_SET;
	return STATEMENT_OTHER;		/* SET TRANSACTION SNAPSHOT */
}

static enum statement_class
class_of(const PgQuery__Node *n, const struct walk *w)
{
	switch (n->node_case) {
	case PG_QUERY__NODE__NODE_SELECT_STMT:
		return reads_only(n, w) ? STATEMENT_READ : STATEMENT_WRITE;
	case PG_QUERY__NODE__NODE_INSERT_STMT:
	case PG_QUERY__NODE__NODE_UPDATE_STMT:
	case PG_QUERY__NODE__NODE_DELETE_STMT:
	case PG_QUERY__NODE__NODE_MERGE_STMT:
		return STATEMENT_WRITE;
	case PG_QUERY__NODE__NODE_EXPLAIN_STMT:
		return reads_only(n->explain_stmt->query, w) ?
		    STATEMENT_EXPLAIN : STATEMENT_OTHER;
	case PG_QUERY__NODE__NODE_COPY_STMT:
		return class_of_copy(n->copy_stmt, w);
	case PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT:
		return reads_only(n->declare_cursor_stmt->query, w) ?
		    STATEMENT_CURSOR : STATEMENT_WRITE;
	case PG_QUERY__NODE__NODE_FETCH_STMT:
	case PG_QUERY__NODE__NODE_CLOSE_PORTAL_STMT:
		return STATEMENT_CURSOR;
	case PG_QUERY__NODE__NODE_PREPARE_STMT:
		return reads_only(n->prepare_stmt->query, w) ?
		    STATEMENT_PREPARED : STATEMENT_WRITE;
	case PG_QUERY__NODE__NODE_EXECUTE_STMT:
	case PG_QUERY__NODE__NODE_DEALLOCATE_STMT:
		return STATEMENT_PREPARED;
	case PG_QUERY__NODE__NODE_TRANSACTION_STMT:
		return class_of_transaction(n->transaction_stmt);
	case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT:
		return class_of_set(n->variable_set_stmt);
	case PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT:
		return STATEMENT_SHOW;
	case PG_QUERY__NODE__NODE_DISCARD_STMT:
		return STATEMENT_DISCARD;
	default:
		return STATEMENT_OTHER;
	}
}

/* Sets whole and why; NULL from the arena is caught by the caller. */
static int
set_whole(struct statement *s, struct arena *a, const PgQuery__Node *n,
    const struct walk *w)
{
	if (w->unknown != NULL)
		s->whole_why = arena_fmt(a, "%s %s", w->unknown_kind,
		    w->unknown);
	else if (n->node_case == PG_QUERY__NODE__NODE_EXECUTE_STMT)
		s->whole_why = "executes a prepared statement";
	else if (n->node_case == PG_QUERY__NODE__NODE_FETCH_STMT)
		s->whole_why = "fetches from a cursor";
	else if (w->writes || (s->class == STATEMENT_WRITE &&
	    n->node_case == PG_QUERY__NODE__NODE_COPY_STMT))
		s->whole_why = "writes, which may run triggers";
	else if (s->class == STATEMENT_OTHER)
		s->whole_why = "is not a query";
	else
		return 0;
	s->by_name = w->unknown == NULL && (s->naming.kind ==
	    NAMING_EXECUTE || s->naming.kind == NAMING_FETCH);
	s->whole = true;
	return s->whole_why == NULL ? ERR_MEMORY : 0;
}

static int
set_naming(struct statement *s, struct arena *a, const PgQuery__Node *n)
{
	naming_read(n, &s->naming);
	return s->naming.name != NULL && (s->naming.name =
	    arena_str(a, s->naming.name)) == NULL ? ERR_MEMORY : 0;
}

static char *
lower(struct arena *a, const char *s)
{
	char *p, *copy = arena_str(a, s);

	if (copy != NULL)
		for (p = copy; *p != 0; p++)
			if (*p >= 'A' && *p <= 'Z')
				*p = (char)(*p - 'A' + 'a');
	return copy;
}

/* The one constant that a parameter is set to; NULL if it is not one. */
static int
set_value(struct statement *s, struct arena *a,
    const PgQuery__VariableSetStmt *v)
{
	const PgQuery__AConst *c;

	if (v->kind != PG_QUERY__VARIABLE_SET_KIND__VAR_SET_VALUE ||
	    v->n_args != 1 ||
	    v->args[0]->node_case != PG_QUERY__NODE__NODE_A_CONST)
		return 0;
	c = v->args[0]->a_const;
	switch (c->val_case) {
	case PG_QUERY__A__CONST__VAL_IVAL:
		s->set_value = arena_fmt(a, "%d", (int)c->ival->ival);
		break;
	case PG_QUERY__A__CONST__VAL_FVAL:
		s->set_value = arena_str(a, c->fval->fval);
		break;
	case PG_QUERY__A__CONST__VAL_SVAL:
		s->set_value = arena_str(a, c->sval->sval);
		break;
	default:
		return 0;
	}
	return s->set_value == NULL ? ERR_MEMORY : 0;
}

static int
set_parameter(struct statement *s, struct arena *a, const PgQuery__Node *n)
{
	const char *name = NULL;

	if (n->node_case == PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT) {
		name = n->variable_show_stmt->name;
		if (strcmp(name, "all") == 0)
			return 0;
	} else if (n->node_case == PG_QUERY__NODE__NODE_VARIABLE_SET_STMT) {
		s->set_local = n->variable_set_stmt->is_local;
		if (n->variable_set_stmt->kind ==
		    PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL)
			return 0;
		name = n->variable_set_stmt->name;
	} else {
		return 0;
	}
	if ((s->set_name = lower(a, name)) == NULL)
		return ERR_MEMORY;
	if (n->node_case != PG_QUERY__NODE__NODE_VARIABLE_SET_STMT)
		return 0;
	return set_value(s, a, n->variable_set_stmt);
}

static int
table_compare(const void *x, const void *y)
{
	const struct walk_table *a = x, *b = y;
	int r = strcmp(a->schema, b->schema);

	return r != 0 ? r : strcmp(a->name, b->name);
}

/* The walk's tables, sorted, each once, in the arena. */
static int
set_tables(struct statement *s, struct arena *a, struct walk *w)
{
	struct statement_table *t;
	size_t i;

	if (w->n_tables == 0)
		return 0;
	qsort(w->tables, w->n_tables, sizeof(*w->tables), table_compare);
	t = arena_array(a, w->n_tables, sizeof(*t));
	if (t == NULL)
		return ERR_MEMORY;
	for (i = 0; i < w->n_tables; i++) {
		if (i > 0 && table_compare(&w->tables[i],
		    &w->tables[i - 1]) == 0)
			continue;
		t[s->n_tables].name = arena_str(a, w->tables[i].name);
		if (t[s->n_tables].name == NULL)
			return ERR_MEMORY;
		if (w->tables[i].schema[0] != 0) {
			t[s->n_tables].schema =
			    arena_str(a, w->tables[i].schema);
			if (t[s->n_tables].schema == NULL)
				return ERR_MEMORY;
		}
		s->n_tables++;
	}
	s->tables = t;
	return 0;
}

static int
set_target(struct statement *s, struct arena *a, const PgQuery__Node *n,
    const struct walk *w)
{
	const PgQuery__RangeVar *v = NULL;
	struct statement_table *t;

	if (n->node_case == PG_QUERY__NODE__NODE_INSERT_STMT)
		v = n->insert_stmt->relation;
	else if (n->node_case == PG_QUERY__NODE__NODE_UPDATE_STMT)
		v = n->update_stmt->relation;
	else if (n->node_case == PG_QUERY__NODE__NODE_DELETE_STMT)
		v = n->delete_stmt->relation;
	if (v == NULL || w->writes != 1 || w->into)
		return 0;
	if ((t = arena_alloc(a, sizeof(*t))) == NULL ||
	    (t->name = arena_str(a, v->relname)) == NULL)
		return ERR_MEMORY;
	if (v->schemaname[0] != 0 &&
	    (t->schema = arena_str(a, v->schemaname)) == NULL)
		return ERR_MEMORY;
	s->target = t;
	return 0;
}

static bool
names_sizes(const struct statement *s)
{
	size_t i;

	for (i = 0; i < s->n_tables; i++)
		if (sizes_are_in(s->tables[i].name))
			return true;
	return false;
}

static int
analyze_statement(const PgQuery__Node *n, struct arena *a,
    struct statement *s)
{
	struct walk w;
	int r = ERR_MEMORY;

	walk_init(&w);
	walk_message(&w, node_message(n));
	if (w.failed)
		goto out;
	s->class = class_of(n, &w);
	if ((s->what = node_what(a, n)) == NULL)
		goto out;
	if (w.forbidden != NULL && (s->forbidden_function =
	    arena_str(a, w.forbidden)) == NULL)
		goto out;
	if ((r = set_naming(s, a, n)) != 0 ||
	    (r = set_whole(s, a, n, &w)) != 0 ||
	    (r = set_parameter(s, a, n)) != 0 ||
	    (r = set_target(s, a, n, &w)) != 0)
		goto out;
	if ((r = set_tables(s, a, &w)) == 0)
		s->may_show_sizes = names_sizes(s) &&
		    sizes_may_show(node_message(n));
out:
	walk_done(&w);
	return r;
}

/* The range of a statement in the text; libpg_query's length 0 is "to the
 * end". */
static int
set_range(struct statement *s, const PgQuery__RawStmt *raw, size_t len)
{
	if (raw->stmt_location < 0 || raw->stmt_len < 0 ||
	    (size_t)raw->stmt_location > len)
		return ERR_FORMAT;
	s->start = (size_t)raw->stmt_location;
	s->len = (size_t)raw->stmt_len;
	if (s->len == 0)
		s->len = len - s->start;
	return s->len > len - s->start ? ERR_FORMAT : 0;
}

static int
analyze_tree(const PgQuery__ParseResult *tree, size_t len, struct arena *a,
    struct analysis *ret)
{
	size_t i, n = tree->n_stmts > 0 ? tree->n_stmts : 1;
	struct statement *s;
	int r;

	if ((s = arena_array(a, n, sizeof(*s))) == NULL)
		return ERR_MEMORY;
	if (tree->n_stmts == 0) {
		s[0].class = STATEMENT_EMPTY;
		s[0].what = "";
		s[0].len = len;
	}
	for (i = 0; i < tree->n_stmts; i++) {
		if (node_message(tree->stmts[i]->stmt) == NULL)
			return ERR_FORMAT;
		if ((r = set_range(&s[i], tree->stmts[i], len)) != 0)
			return r;
		r = analyze_statement(tree->stmts[i]->stmt, a, &s[i]);
		if (r != 0)
			return r;
	}
	ret->statements = s;
	ret->n = n;
	return 0;
}

/* The parser's own message, and the line and column it points at. */
static int
parse_error(struct why *w, const char *sql, const PgQueryError *e)
{
	unsigned line = 0, column = 0;
	int left = e->cursorpos;	/* in characters, from 1 */

	if (left > 0) {
		line = column = 1;
		for (; *sql != 0; sql++) {
			if (((unsigned char)*sql & 0xc0) == 0x80)
				continue;
			if (--left == 0)
				break;
			column++;
			if (*sql == '\n') {
				line++;
				column = 1;
			}
		}
	}
	return why_set(w, ERR_FORMAT, line, column, "%s", e->message);
}

static int
analyze_text(const char *sql, size_t len, struct arena *a,
    struct analysis *ret, struct why *w)
{
	PgQueryProtobufParseResult parsed;
	PgQuery__ParseResult *tree = NULL;
	int r;

	if ((r = depth_check(sql, len, w)) != 0)
		return r;
	parsed = pg_query_parse_protobuf(sql);
	if (parsed.error != NULL) {
		r = parse_error(w, sql, parsed.error);
		goto out;
	}
	tree = pg_query__parse_result__unpack(NULL, parsed.parse_tree.len,
	    (const uint8_t *)parsed.parse_tree.data);
	if (tree == NULL) {
		r = why_set(w, ERR_MEMORY, 0, 0, "out of memory");
		goto out;
	}
	if ((r = analyze_tree(tree, len, a, ret)) != 0)
		(void)why_set(w, r, 0, 0, "%s", err_text(r));
out:
	if (tree != NULL)
		pg_query__parse_result__free_unpacked(tree, NULL);
	pg_query_free_protobuf_parse_result(parsed);
	return r;
}

int
analyze(const char *sql, size_t len, struct arena *a,
    const struct analysis **ret, struct why *w)
{
	struct analysis *result;
	char *copy;
	int r;

	if (len > ANALYZE_MAX)
		return why_set(w, ERR_LIMIT, 0, 0,
		    "statement is longer than %zu bytes", ANALYZE_MAX);
	if (memchr(sql, 0, len) != NULL)
		return why_set(w, ERR_FORMAT, 0, 0,
		    "statement contains a NUL byte");
	if (!text_is_utf8(sql, len))
		return why_set(w, ERR_FORMAT, 0, 0, "statement is not UTF-8");
	if ((copy = strndup(sql, len)) == NULL)
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	result = arena_alloc(a, sizeof(*result));
	if (result == NULL)
		r = why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	else if ((r = analyze_text(copy, len, a, result, w)) == 0)
		*ret = result;
	free(copy);
	return r;
}

/*
 * lineage/level.h - among the files of rewriting: one SELECT, the things in
 * its FROM, and what taking rows away does to its columns.
 */
#ifndef LINEAGE_LEVEL_H
#define LINEAGE_LEVEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pg_query/pg_query.pb-c.h>

#include "lineage/rewrite.h"

struct arena;

/*
 * What becomes of a value of a row that stays, once one subject's rows are
 * taken away. A row that is not tagged with the subject never changes.
 */
enum change {
	CHANGE_NONE = 0,
	CHANGE_NULLS,		/* becomes NULL */
	CHANGE_COUNTS_DOWN,	/* falls, and is never NULL */
	CHANGE_FALLS,		/* or becomes NULL */
	CHANGE_RISES,		/* or becomes NULL */
	CHANGE_ANY,
};

/* A number by which rows are counted (lineage/window.c). */
enum rank {
	RANK_NONE = 0,
	RANK_PART,		/* within a part of the rows */
	RANK_WHOLE,		/* among all of them */
};

struct column {
	const char *name;	/* NULL: not known */
	enum change change;
	enum rank rank;		/* if it is one */
};

/* Columns of a table, query or function; not known: it may have any. */
struct columns {
	struct column *list;
	size_t n;
	bool known;
	enum change rest;	/* of those that are not in the list */
};

struct item {			/* of FROM */
	const char *alias;
	const char *hidden;	/* its column of tags; NULL: nobody's rows */
	const char *subject;	/* the column of whose its rows are, or NULL */
	struct columns columns;
	uint64_t joins;		/* outer joins that can make it NULL */
	bool all;		/* what is asked must show all of its rows */
	bool moves;		/* which rows it has, and in which order */
};

struct cte {
	struct cte *up;
	const char *name;
	const char *hidden;
	struct columns columns;
	bool all, moves;
};

struct edit {
	size_t at, cut;
	unsigned rank;		/* of two at one place */
	const char *text;
};

struct edits {
	struct edit *list;
	size_t n, cap;
};

struct part {			/* an expression of tags */
	struct part *next;
	const char *text;
	bool own;		/* a column of this level */
};

struct rw {
	const char *sql;
	size_t len;
	const struct rewrite_schema *schema;
	struct arena *a;
	PgQuery__ScanResult *tokens;
	struct edits *edits;
	unsigned names;		/* given so far */
	const char *mark;	/* in front of the next SELECT's tags, or NULL */
	const char *why;	/* the first reason not to */
	bool failed;		/* out of memory */
};

struct level {
	struct rw *rw;
	struct level *up;
	struct cte *ctes;
	struct item *items;
	size_t n, cap;
	unsigned joins;		/* outer ones so far */
	uint64_t told;		/* of them, those that make tagged rows NULL */
	uint64_t open;		/* of those, what WHERE has not refused */
	bool merged;		/* columns by USING */
	bool grouped;
	bool keys_change;	/* a row may come to another group */
	bool single;		/* each group is of one subject's rows */
	unsigned windows;	/* window functions so far */
	bool all;		/* as of an item */
	bool moves;
	const char *mark;
	struct part *rows;	/* tags of each row of FROM */
	struct part *groups;	/* of each row of the result */
};

/* What an expression refers to. */
struct seen {
	enum change change;
	uint64_t joins;
	unsigned inner;		/* depth of subqueries of nobody's rows */
	bool take;		/* subqueries' tags become parts of groups */
	bool windows;		/* window functions may be there */
};

/* rewrite.c: each false once there is a reason not to. */
bool rw_not(struct rw *rw, const char *why);
void rw_edit(struct rw *rw, size_t at, size_t cut, unsigned rank,
    const char *text);
const char *rw_name(struct rw *rw);
/* The text from one place to another with its edits; NULL if it has none. */
const char *rw_render(struct rw *rw, struct edits *e, size_t from, size_t to);
/* The token that begins at or behind a place; the number of tokens: none. */
size_t rw_token(const struct rw *rw, size_t at);
PgQuery__Token rw_kind(const struct rw *rw, size_t token);
size_t rw_closing(const struct rw *rw, size_t opening);
/* Whether what is below reads somebody's rows. */
bool rw_touches(struct level *lv, const ProtobufCMessage *m);
/* Whether it reads all columns, and from a WITH query that has tags. */
bool rw_has_star(struct level *lv, const ProtobufCMessage *m);
void level_part(struct level *lv, struct part **list, const char *text,
    bool own);

/* select.c */
struct result {
	const char *hidden;	/* name of its first column; NULL: nobody's */
	struct columns columns;
	/*
	 * Sound only where all of its rows come to be shown: a value may
	 * depend on rows whose tags are elsewhere.
	 */
	bool all;
	bool moves;		/* rows may come, or come further forward */
};
bool select_rewrite(struct rw *rw, const PgQuery__SelectStmt *s,
    struct level *up, struct cte *ctes, struct result *ret);
/* The tags of a subquery in an expression, as a part. For IN and =: only of
 * those rows that equal a column, whose name ends before `end` in the text. */
bool select_sublink(struct level *lv, const PgQuery__SubLink *s,
    const PgQuery__ColumnRef *equal, int32_t end, struct part **list);

/* What may come first after somebody's rows are gone: for LIMIT if `cut`. */
bool select_sort(struct level *lv, const PgQuery__SelectStmt *s,
    const struct columns *out, bool cut);
bool select_limit(struct level *lv, const PgQuery__SelectStmt *s);
/* What a key of GROUP BY, ORDER BY or DISTINCT ON can come to. */
bool select_key(struct level *lv, const PgQuery__Node *n,
    const struct columns *out, enum change *ret);
/* Whether a row that is not shown comes no earlier in this order. */
bool select_stays_behind(const PgQuery__SortBy *s, enum change c);
/* The number or the name of a column of the result; NULL: neither. */
const struct column *select_named(const PgQuery__Node *n,
    const struct columns *out);
/* Where the SELECT whose list begins at a token ends, or its ORDER BY is. */
size_t select_place(const struct rw *rw, size_t token);
void select_all_change(struct columns *out);
bool select_constant(const PgQuery__Node *n);
bool select_comment(PgQuery__Token t);

/* single.c: whether each group is of one subject's rows. */
bool single_groups(struct level *lv, const PgQuery__SelectStmt *s);

/* setop.c */
bool setop_rewrite(struct level *lv, const PgQuery__SelectStmt *s,
    struct result *ret);

/* window.c */
enum rank window_rank(struct level *lv, const PgQuery__Node *n);
/* What WINDOW defines names nothing that it must not. */
bool window_clause(struct level *lv, const PgQuery__SelectStmt *s);
/* Whether rows of a window function may be left out, and then which. */
bool window_shown(struct level *lv, const PgQuery__SelectStmt *s, bool *first);
/* Whether what is sorted by first is such a number of all rows. */
bool window_limit(const struct level *lv, const PgQuery__SelectStmt *s,
    const struct columns *out);
/* Whether rows of window functions may be cut off, if they are. */
bool window_cut(struct level *lv, const PgQuery__SelectStmt *s,
    const struct columns *out, bool distinct_on);

/* target.c */
/* As the parser calls an expression; NULL: not known here. */
const char *target_figure(const PgQuery__Node *n);
bool target_list(struct level *lv, const PgQuery__SelectStmt *s,
    struct columns *out);
/* The last of a list of names; NULL: it is none. */
const char *level_string(PgQuery__Node *const *list, size_t n);

/* change.c */
bool change_walk(struct level *lv, const ProtobufCMessage *m, struct seen *s);
bool change_node(struct level *lv, const PgQuery__Node *n, struct seen *s);
/* A condition that, once not true for a row, never becomes true. */
bool change_condition(struct level *lv, const PgQuery__Node *n,
    uint64_t joins);
/* The outer joins whose NULL rows a condition never lets pass. */
uint64_t change_refused(struct level *lv, const PgQuery__Node *n);
bool change_is_aggregate(const PgQuery__FuncCall *f);
/* Whether one is below, of this level. */
bool change_has_aggregate(const ProtobufCMessage *m);

/* from.c */
bool from_clause(struct level *lv, const PgQuery__SelectStmt *s);
const struct item *from_item(const struct level *lv, const char *alias);

/* visit.c: calls f for each message that m holds directly. */
typedef bool visit_fn(void *arg, const ProtobufCMessage *m);
bool visit(const ProtobufCMessage *m, visit_fn *f, void *arg);

#endif

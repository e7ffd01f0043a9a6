/*
 * lineage/rewrite.h - a SELECT that also says whose rows its answer is from.
 *
 * Tables are pointed at their twins (enforce/twin.h), and each SELECT gets
 * one more column in front, the tags of the subjects that its row comes
 * from. The first column of the new text's result is that of the whole; the
 * others are those of the old text, with the same names, types and order.
 *
 * Sound: where a subject's rows can be taken away and the answer changes, it
 * is among the tags of some row of the answer. A text for which that cannot
 * be shown is not rewritten; `why` says so. docs/lineage.md has the argument.
 * Pure. Memory: the caller's arena. Assumes what lineage/analyze.h has
 * accepted as one harmless query.
 */
#ifndef LINEAGE_REWRITE_H
#define LINEAGE_REWRITE_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

#define REWRITE_MARK "sworn$"	/* all names that rewriting makes begin so */

struct rewrite_table {
	const char *name;
	const char *const *columns;	/* of the view, in order */
	size_t n_columns;
	const char *twins;		/* the schema of its twin; NULL: that
					 * of all */
	/* The column that holds the key of its rows' one subject, as it is;
	 * NULL: they have several, or it is elsewhere. */
	const char *subject;
};

struct rewrite_schema {
	const char *twins;		/* the schema of the twins */
	const struct rewrite_table *tables;	/* guarded */
	size_t n_tables;
};

/* A stretch of the old text that the new one has, too. */
struct rewrite_piece {
	size_t from, to, len;
};

/* COPY (SELECT ...) TO STDOUT: the tags are each line's first field, which is
 * never NULL. */
enum rewrite_copy {
	REWRITE_ROWS = 0,
	REWRITE_TEXT,			/* ended by a tab */
	REWRITE_CSV,			/* ended by a comma; may be quoted */
};

struct rewrite {
	const char *sql;		/* NULL: not rewritten */
	const char *why;		/* not; in words */
	enum rewrite_copy copy;		/* its rows come as lines */
	/* DECLARE and PREPARE give no rows: what they name does. */
	bool names;
	bool prefix;			/* sound also of its first rows alone */
	const struct rewrite_piece *pieces;
	size_t n_pieces;
};

/* 0 or ERR_MEMORY. */
int rewrite(const char *sql, size_t len, const struct rewrite_schema *s,
    struct arena *a, const struct rewrite **ret);

/* How a text might be written that is rewritten; never NULL. */
const char *rewrite_advice(const char *why);

/* From a place in the new text to that in the old one, both in characters
 * from 1; 0: it has none. */
unsigned rewrite_place(const struct rewrite *r, const char *old, unsigned at);

/* Whether a text names what only rewriting may name. */
bool rewrite_is_marked(const char *sql, size_t len);

#endif

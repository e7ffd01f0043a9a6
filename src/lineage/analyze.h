/*
 * lineage/analyze.h - what an SQL text would read and do, by PostgreSQL's
 * own parser (libpg_query).
 *
 * Sound, not exact: every guarded table that a statement names is listed,
 * perhaps more. What cannot be told from the text sets `whole`: the bound
 * is then everything that the session can reach.
 * Assumes UTF-8 and standard_conforming_strings = on; rejects NUL.
 * Pure, thread-safe. Memory: results in the caller's arena.
 * Limits: ANALYZE_MAX bytes of text.
 */
#ifndef LINEAGE_ANALYZE_H
#define LINEAGE_ANALYZE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "lineage/naming.h"

#define ANALYZE_MAX ((size_t)1 << 20)

struct arena;

enum statement_class {
	STATEMENT_UNKNOWN = 0,	/* doubt denies */
	STATEMENT_EMPTY,
	STATEMENT_READ,		/* SELECT, VALUES, TABLE without FOR UPDATE, INTO */
	STATEMENT_EXPLAIN,	/* of a READ */
	STATEMENT_COPY_OUT,	/* COPY ... TO STDOUT of a table or READ */
	STATEMENT_CURSOR,	/* DECLARE, FETCH, MOVE, CLOSE */
	STATEMENT_PREPARED,	/* PREPARE of a READ, EXECUTE, DEALLOCATE */
	STATEMENT_TRANSACTION,	/* BEGIN, COMMIT, SAVEPOINT, ... */
	STATEMENT_SET,		/* SET, RESET of a parameter */
	STATEMENT_SHOW,
	STATEMENT_DISCARD,
	STATEMENT_WRITE,	/* INSERT, UPDATE, DELETE, MERGE, COPY FROM */
	STATEMENT_OTHER,	/* DDL, DO, CALL, GRANT, LISTEN, LOCK, ... */
};

const char *statement_class_text(enum statement_class c);

struct statement_table {
	const char *schema;	/* NULL if unqualified */
	const char *name;
};

struct statement {
	enum statement_class class;
	const char *what;	/* "SELECT", "CREATE TABLE", ... for errors */
	bool whole;		/* may read more than `tables` says */
	const char *whole_why;	/* "calls function f", "executes a prepared
				   statement", ...; NULL unless whole */
	bool by_name;		/* only since it runs what has a name */
	struct naming naming;
	const struct statement_table *tables;	/* distinct; CTE names only
						   if they could be tables */
	size_t n_tables;
	const char *set_name;	/* SET, RESET, SHOW: lower case; NULL: all */
	const char *set_value;	/* SET of one constant: its text; else NULL */
	bool set_local;
	/* A function that a reader must not call (set_config, dblink, lo_*,
	 * pg_read_file, query_to_xml, ...), or NULL. */
	const char *forbidden_function;
	/* Of one INSERT, UPDATE or DELETE that is all that the statement writes:
	 * its table. NULL: of none, or of several. */
	const struct statement_table *target;
	bool may_show_sizes;	/* see lineage/sizes.h */
	size_t start;		/* byte range within the text */
	size_t len;
};

struct analysis {
	const struct statement *statements;
	size_t n;
};

/* 0; ERR_FORMAT: not SQL that PostgreSQL's parser accepts (*w has its
 * message); ERR_LIMIT; ERR_MEMORY. */
int analyze(const char *sql, size_t len, struct arena *a,
    const struct analysis **ret, struct why *w);

#endif

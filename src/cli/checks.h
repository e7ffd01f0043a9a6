/*
 * cli/checks.h - whether a store can hold a clearance at all.
 *
 * A login is a member of nothing, but like every role it has what PUBLIC
 * has. So the store is refused while PUBLIC reaches what a clearance would
 * not show, and each refusal comes with the command that ends it.
 */
#ifndef CLI_CHECKS_H
#define CLI_CHECKS_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct catalog;

/*
 * A query for rows (what it is, the command that ends it), over
 *	listed(s, t, guarded, rows)	the catalog's tables: schema, name,
 *					guarded or public, whether by rows
 *	columns(s, t, c)		what the catalog names of them
 */
struct check {
	const char *what;	/* why these are in the way, in words */
	const char *sql;
};

/* Prints what one check found and adds its number to *ret_n. */
int check_run(PGconn *c, const struct catalog *catalog,
    const struct check *check, FILE *out, size_t *ret_n);

/*
 * Looks at everything and prints what is in the way; adds their number to
 * *ret_n. temp_too: also PUBLIC's right to temporary tables.
 */
int checks_run(PGconn *c, const struct catalog *catalog, bool temp_too,
    FILE *out, size_t *ret_n);

/* What is in the way of residence columns; as check_run. */
int checks_far_columns(PGconn *c, const struct catalog *catalog, FILE *out,
    size_t *ret_n);

/* Says which other roles lose COPY FROM by row security; no refusal. */
int checks_warn_copy(PGconn *c, const struct catalog *catalog);

#endif

/*
 * cli/db.h - a store's administrator connection, for `sworn apply`.
 *
 * Every call says what it is for; a failure is printed on standard error
 * with that and the server's own words.
 */
#ifndef CLI_DB_H
#define CLI_DB_H

#include <libpq-fe.h>
#include <stddef.h>

struct buf;

/* Connects, as a superuser of PostgreSQL 15 or later. 0 or ERR_IO, ERR_DENIED
 * (said on standard error). */
int db_open(const char *dsn, PGconn **ret);

/* One or more statements without a result that is wanted. 0 or ERR_IO. */
int db_run(PGconn *c, const char *what, const char *sql);
/* The same with SQL in a buffer, whose failed flag is ERR_MEMORY. */
int db_run_buf(PGconn *c, const char *what, struct buf *sql);

/* One statement with rows. The caller clears the result. */
int db_rows(PGconn *c, const char *what, const char *sql, PGresult **ret);
int db_rows_buf(PGconn *c, const char *what, struct buf *sql, PGresult **ret);

/* The same with text parameters. */
int db_rows_with(PGconn *c, const char *what, const char *sql, int n,
    const char *const *params, PGresult **ret);

#endif

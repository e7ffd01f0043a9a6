/*
 * cli/columns.h - residences kept beside the keys of a store: made, filled,
 * compared (enforce/keep.h has the SQL).
 *
 * All of it outside of a transaction of the caller's. 0 or an error, said on
 * standard error.
 */
#ifndef CLI_COLUMNS_H
#define CLI_COLUMNS_H

#include <libpq-fe.h>
#include <stdbool.h>

struct catalog;

/* Whether an apply before has made them. */
int columns_are_there(PGconn *c, bool *ret);

/* Makes what is missing or not as it was made, then fills columns that are
 * new, a batch of pages a transaction, while others write. part is called in
 * the transaction that makes them, before and after. */
int columns_make(PGconn *c, const struct catalog *catalog,
    int (*part)(void *arg, bool after), void *arg);

/* Whether triggers, functions and columns are as they were made. */
int columns_same(PGconn *c, bool *ret);

#endif

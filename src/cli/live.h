/*
 * cli/live.h - what a store's own catalogs say of its tables.
 *
 * Read by a superuser; results live in the arena. 0 or an error, said on
 * standard error.
 */
#ifndef CLI_LIVE_H
#define CLI_LIVE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

struct arena;
struct enforce_table_state;
struct enforce_type;

/* Columns of all tables and views; of a domain what is below it, since its
 * checks could refuse a mask. */
int live_types(PGconn *c, struct arena *a, struct enforce_type **ret,
    size_t *ret_n);

/* Row security that is not of Sworn's making. applied: whether there is an
 * earlier apply's schema. */
int live_states(PGconn *c, struct arena *a, bool applied,
    struct enforce_table_state **ret, size_t *ret_n);

#endif

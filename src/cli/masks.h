/*
 * cli/masks.h - whether a catalog's masks fit a store's columns.
 */
#ifndef CLI_MASKS_H
#define CLI_MASKS_H

#include <libpq-fe.h>
#include <stddef.h>

struct catalog;
struct clearances;
struct enforce_type;

/* Looks before anything is made. 0 or an error, said on standard error with
 * the column, its type and what the mask fits. */
int masks_check(PGconn *c, const struct catalog *catalog,
    const struct clearances *wanted, const struct enforce_type *types,
    size_t n_types);

#endif

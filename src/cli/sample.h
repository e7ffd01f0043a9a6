/*
 * cli/sample.h - the shapes of some values of a table's columns.
 *
 * Values stay in the server: only numbers come back.
 */
#ifndef CLI_SAMPLE_H
#define CLI_SAMPLE_H

#include <libpq-fe.h>
#include <stddef.h>

struct guess_shapes;

#define SAMPLE_ROWS 500
#define SAMPLE_COLUMNS 300	/* of wider tables nothing is looked at */

/* ret[i] is of columns[i]. 0, ERR_IO (said) or ERR_MEMORY. */
int sample_shapes(PGconn *c, const char *schema, const char *table,
    const char *const *columns, size_t n, struct guess_shapes *ret);

#endif

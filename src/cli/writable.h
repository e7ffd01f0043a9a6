/*
 * cli/writable.h - what of a store stands in the way of writing by persons.
 *
 * Row security guards the rows that are written, and no others: what a
 * foreign key changes along with them, or what lies on another server, it
 * does not see.
 */
#ifndef CLI_WRITABLE_H
#define CLI_WRITABLE_H

#include <libpq-fe.h>

struct clearances;

/* Names what is in the way, on standard error. 0, ERR_DENIED: something is;
 * or an error. */
int writable_check(PGconn *c, const struct clearances *all);

#endif

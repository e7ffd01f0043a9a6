/*
 * import/table.h - a table with a row of headers, as entries.
 *
 * Format: base/csv.h. The first row names the columns; each row has as many
 * fields. A byte order mark in front is not part of the first name.
 */
#ifndef IMPORT_TABLE_H
#define IMPORT_TABLE_H

#include <stddef.h>

#include "base/err.h"
#include "import/entry.h"

struct table;

/* `file` names the table in messages. NULL: out of memory. */
struct table *table_new(const char *file, entry_fn *fn, void *arg);
void table_free(struct table *t);
/* 0, or an error with *w filled (where the function was not its origin). */
int table_feed(struct table *t, const void *data, size_t len, struct why *w);
int table_end(struct table *t, struct why *w);

#endif

/*
 * enforce/keep.h - residences kept beside the keys, as SQL.
 *
 * A row filter over foreign keys costs a lookup for each row. With kept
 * residences a table has, for each way to a subject that leads over others,
 * a column sworn$r_... with the residence as it is stored at the way's end,
 * and the filter reads that. NULL, as on the way itself, shows the row to
 * nobody. Triggers keep it:
 *
 *	the row's own	before each insert, and each update of where the way
 *			begins or of the column: it is looked up, whatever
 *			the writer put there
 *	those of each table on the way	when a row's key or the next column
 *			of the way changes: rows that lead there are looked
 *			up again
 *
 * Everything but the columns is in schema sworn_keep; the functions belong to
 * role sworn_keep and run as it.
 * Pure. Format: docs/enforcement.md.
 */
#ifndef ENFORCE_KEEP_H
#define ENFORCE_KEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct buf;
struct catalog;
struct catalog_subject;
struct catalog_table;

#define KEEP_NAME_MAX 32

/* Whether a way has a column of its own, and its name. False: the residence
 * is in the row already. */
bool keep_column(const struct catalog *c, const struct catalog_table *t,
    const struct catalog_subject *s, char ret[static KEEP_NAME_MAX]);

/* SELECT of (column, text): ways' keys that nothing keeps unique. */
int keep_unique_sql(const struct catalog *c, struct buf *out);
/* Columns that are missing, functions, triggers; all that is not a column is
 * made again. What writers write from then on is kept. */
int keep_make_sql(const struct catalog *c, struct buf *out);
/* Columns of ways that the catalog no longer has. */
int keep_drop_unused_sql(const struct catalog *c, struct buf *out);
int keep_remove_sql(struct buf *out);
/* SELECT of one text, as enforce_print_sql. */
int keep_print_sql(struct buf *out);
/* SELECT of (table, column, rows that are not as their way says). */
int keep_check_sql(const struct catalog *c, struct buf *out);

#endif

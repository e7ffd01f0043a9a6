/*
 * base/csv.h - rows of comma-separated values.
 *
 * Bytes in, in pieces of any size; rows out through a function.
 * Format: RFC 4180; a line feed alone ends a line, too. Refused: NUL bytes,
 * a quote within a bare field, anything but a delimiter behind a closing one.
 * Limits: CSV_ROW_MAX bytes a row, CSV_FIELDS_MAX fields.
 */
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include <stddef.h>

#define CSV_ROW_MAX ((size_t)16 << 20)
#define CSV_FIELDS_MAX 512

/* Fields are NUL-terminated and live for the call. Not 0 stops. */
typedef int csv_row_fn(void *arg, const char *const *fields, size_t n);

struct csv;

struct csv *csv_new(csv_row_fn *row, void *arg);
void csv_free(struct csv *c);
/* 0, ERR_FORMAT, ERR_LIMIT, ERR_MEMORY, or what the function returned. */
int csv_feed(struct csv *c, const void *data, size_t len);
/* ERR_SHORT if the last line has no end: it may have been cut. */
int csv_end(struct csv *c);
/* The same where a last line without its end is a row, as RFC 4180 has it;
 * a quote that is still open is ERR_SHORT. */
int csv_end_open(struct csv *c);
unsigned long csv_line(const struct csv *c);		/* from 1 */
unsigned long csv_row_line(const struct csv *c);	/* where a row began */

#endif

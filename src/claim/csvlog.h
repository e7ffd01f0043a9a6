/*
 * claim/csvlog.h - PostgreSQL's own log in CSV (log_destination csvlog).
 *
 * Bytes in, in pieces of any size; rows out through a function.
 * Format: PostgreSQL 15 manual, 20.8.4; quoting as RFC 4180.
 * Limits: CSVLOG_ROW_MAX bytes a row, CSVLOG_FIELDS_MAX fields.
 */
#ifndef CLAIM_CSVLOG_H
#define CLAIM_CSVLOG_H

#include <stddef.h>
#include <stdint.h>

#define CSVLOG_ROW_MAX ((size_t)16 << 20)
#define CSVLOG_FIELDS_MAX 64

enum csvlog_field {
	CSVLOG_TIME = 0,
	CSVLOG_USER = 1,
	CSVLOG_DATABASE = 2,
	CSVLOG_PROCESS = 3,
	CSVLOG_FROM = 4,
	CSVLOG_SEVERITY = 11,
	CSVLOG_MESSAGE = 13,
	CSVLOG_FIELDS_MIN = 14,
};

/* Fields are NUL-terminated and live for the call. Not 0 stops. */
typedef int csvlog_row_fn(void *arg, const char *const *fields, size_t n);

struct csvlog;

struct csvlog *csvlog_new(csvlog_row_fn *row, void *arg);
void csvlog_free(struct csvlog *c);
/* 0, ERR_FORMAT, ERR_LIMIT, ERR_MEMORY, or what the function returned. */
int csvlog_feed(struct csvlog *c, const void *data, size_t len);
int csvlog_end(struct csvlog *c);
unsigned long csvlog_line(const struct csvlog *c);	/* from 1 */

/* "2026-11-23 17:40:00.123 UTC": UTC or GMT, since other names of zones are
 * ambiguous. 0 or ERR_FORMAT. */
int csvlog_time(const char *text, int64_t *ret);

#endif

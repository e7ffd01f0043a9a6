/*
 * claim/csvlog.h - PostgreSQL's own log in CSV (log_destination csvlog):
 * which field is what. base/csv.h reads the rows.
 *
 * Format: PostgreSQL 15 manual, 20.8.4.
 */
#ifndef CLAIM_CSVLOG_H
#define CLAIM_CSVLOG_H

#include <stdint.h>

enum csvlog_field {
	CSVLOG_TIME = 0,
	CSVLOG_USER = 1,
	CSVLOG_DATABASE = 2,
	CSVLOG_PROCESS = 3,
	CSVLOG_FROM = 4,
	CSVLOG_SESSION = 5,
	CSVLOG_LINE = 6,
	CSVLOG_SEVERITY = 11,
	CSVLOG_MESSAGE = 13,
	CSVLOG_FIELDS_MIN = 14,
};

/* "2026-11-23 17:40:00.123 UTC": UTC or GMT, since other names of zones are
 * ambiguous. 0 or ERR_FORMAT. */
int csvlog_time(const char *text, int64_t *ret);

#endif

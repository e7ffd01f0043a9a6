/*
 * claim/pglog.h - lines of PostgreSQL's own log, csvlog or jsonlog.
 *
 * Bytes in, in pieces of any size; lines out through a function. Which of
 * the two a file is, its first byte tells. Pure.
 * Format: PostgreSQL 15 manual, 20.8.4 and 20.8.5; log_timezone UTC or GMT,
 * since other names of zones are ambiguous.
 * Limits: CSV_ROW_MAX bytes a line.
 */
#ifndef CLAIM_PGLOG_H
#define CLAIM_PGLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Texts live for the call; "" where the log says nothing. */
struct pglog_line {
	int64_t time_ms;
	const char *user, *database;
	const char *from;	/* host:port, or [local] */
	uint32_t pid;
	/* The server process's own name for the session: when it began, and
	 * its pid; 0: the line is of no process. */
	uint64_t session;
	int64_t began_ms;	/* whole seconds */
	uint64_t number;	/* of the line in the session, from 1 */
	const char *message;
};

/* Not 0 stops. */
typedef int pglog_line_fn(void *arg, const struct pglog_line *l);

struct pglog;

struct pglog *pglog_new(pglog_line_fn *line, void *arg);
void pglog_free(struct pglog *p);
/* 0, ERR_FORMAT, ERR_LIMIT, ERR_MEMORY, or what the function returned. */
int pglog_feed(struct pglog *p, const void *data, size_t len);
/* The end of a file; another may follow. ERR_SHORT if its last line has no
 * end: it may have been cut. */
int pglog_end(struct pglog *p);
unsigned long pglog_line_number(const struct pglog *p);	/* in the file */

/* "connection authorized: user=..." and "replication connection authorized:
 * ..." alike. */
bool pglog_is_login(const struct pglog_line *l);

#endif

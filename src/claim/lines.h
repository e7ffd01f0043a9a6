/*
 * claim/lines.h - is a store's own log whole, as far as it can tell?
 *
 * Every process of the server counts the lines that it writes to a log. Where
 * a number is missing, a line is: files may be given in any order. What no
 * number tells is a session that is left out with all its lines. Pure.
 * Limits: LINES_SESSIONS_MAX sessions, LINES_SPANS_MAX spans of one.
 */
#ifndef CLAIM_LINES_H
#define CLAIM_LINES_H

#include <stddef.h>
#include <stdint.h>

#define LINES_SESSIONS_MAX ((size_t)1 << 23)
#define LINES_SPANS_MAX 256

struct lines;
struct pglog_line;

struct lines *lines_new(void);
void lines_free(struct lines *l);

/* 0, ERR_MEMORY or ERR_LIMIT. */
int lines_add(struct lines *l, const struct pglog_line *line);

struct lines_gap {
	uint32_t pid;
	int64_t began_ms;		/* the session */
	uint64_t from, to;		/* the lines that are missing */
};

/*
 * Calls gap for each in a session that wrote a line in the period or on both
 * sides of it. Not 0 stops.
 */
int lines_gaps(struct lines *l, int64_t from_ms, int64_t to_ms,
    int (*gap)(void *arg, const struct lines_gap *g), void *arg);

#endif

/*
 * claim/logins.h - does a store's own connection log agree with ours?
 *
 * Every login that the store wrote down must be one that the gateway
 * recorded, and the other way round. Matched are server process, user, and
 * time within LOGINS_SLACK_MS. And is that log whole? Pure: bytes and records
 * in.
 */
#ifndef CLAIM_LOGINS_H
#define CLAIM_LOGINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOGINS_SLACK_MS 10000
#define LOGINS_MAX ((size_t)1 << 22)

struct lines_gap;
struct logins;
struct pglog_line;

/* Of one store, for a period. The name is copied. */
struct logins *logins_new(const char *store, int64_t from_ms, int64_t to_ms);
void logins_free(struct logins *l);
const char *logins_store(const struct logins *l);

/* Gets each line of the store's log as well. Not 0 stops. */
void logins_also(struct logins *l,
    int (*line)(void *arg, const struct pglog_line *line), void *arg);

/* The store's log, csvlog or jsonlog (claim/pglog.h), in pieces; the end of a
 * file. Errors as pglog_feed. */
int logins_feed(struct logins *l, const void *data, size_t len);
int logins_feed_end(struct logins *l);
unsigned long logins_line(const struct logins *l);
/* Whether it has a line yet, and the times of its first and last. */
bool logins_times(const struct logins *l, int64_t *first_ms,
    int64_t *last_ms);
/* Another period, inside the one that it was made for, before it is matched. */
void logins_period(struct logins *l, int64_t from_ms, int64_t to_ms);

/* A login that a gateway recorded. whose: to be found again in a pair. */
int logins_backend(struct logins *l, const char *gateway, uint64_t seq,
    int64_t time_ms, const char *role, uint32_t pid, void *whose);

struct logins_doubt {
	bool around;		/* the store's, not ours; else ours only */
	const char *gateway;	/* unless around */
	uint64_t seq;
	int64_t time_ms;
	const char *user;
	const char *from;	/* host:port as the store says; "" if ours */
	const char *database;	/* "" if ours */
	uint32_t pid;
};

/* A login that both have, within the period or near it. */
struct logins_pair {
	void *whose;
	uint64_t session;	/* the store's name for it; 0: unknown */
	const char *user;
	const char *from;
};

struct logins_summary {
	size_t matched, theirs, ours;	/* within the period */
	bool any;		/* the store's log has a line */
	int64_t first_ms, last_ms;	/* of its lines */
};

/* Before logins_match: calls pair for each. Not 0 stops. */
int logins_pairs(struct logins *l,
    int (*pair)(void *arg, const struct logins_pair *p), void *arg);

/* Calls doubt for each that has no match. Not 0 stops. */
int logins_match(struct logins *l,
    int (*doubt)(void *arg, const struct logins_doubt *d), void *arg,
    struct logins_summary *ret);

/* Lines that the store's log lacks (claim/lines.h). */
int logins_gaps(struct logins *l,
    int (*gap)(void *arg, const struct lines_gap *g), void *arg);

#endif

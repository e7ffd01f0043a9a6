/*
 * claim/logins.h - does a store's own connection log agree with ours?
 *
 * Every login that the store wrote down must be one that the gateway
 * recorded, and the other way round. Matched are server process, user, and
 * time within LOGINS_SLACK_MS. Pure: bytes and records in.
 */
#ifndef CLAIM_LOGINS_H
#define CLAIM_LOGINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOGINS_SLACK_MS 10000
#define LOGINS_MAX ((size_t)1 << 22)

struct logins;

/* Of one store, for a period. The name is copied. */
struct logins *logins_new(const char *store, int64_t from_ms, int64_t to_ms);
void logins_free(struct logins *l);
const char *logins_store(const struct logins *l);

/* The store's log, in pieces; the end. Errors as csv_feed. */
int logins_feed(struct logins *l, const void *data, size_t len);
int logins_feed_end(struct logins *l);
unsigned long logins_line(const struct logins *l);

/* A login that a gateway recorded. */
int logins_backend(struct logins *l, const char *gateway, uint64_t seq,
    int64_t time_ms, const char *role, uint32_t pid);

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

struct logins_summary {
	size_t matched;
	bool any;		/* the store's log has a line */
	int64_t first_ms, last_ms;	/* of its lines */
};

/* Calls doubt for each that has no match. Not 0 stops. */
int logins_match(struct logins *l,
    int (*doubt)(void *arg, const struct logins_doubt *d), void *arg,
    struct logins_summary *ret);

#endif

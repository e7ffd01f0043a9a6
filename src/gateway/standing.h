/*
 * gateway/standing.h - where a session stands: facts, control set,
 * clearance, the login at the store, and the bound for the record.
 *
 * Decided when a session opens, and again when its purpose or ticket
 * changes. Reads no clock and does no I/O.
 * Memory: sessions of one worker that stand alike share what was decided,
 * which also its cache keeps (policy/cache.h); it borrows from config.
 */
#ifndef GATEWAY_STANDING_H
#define GATEWAY_STANDING_H

#include <stdbool.h>
#include <stdint.h>

#include "enforce/enforce.h"
#include "gateway/approved.h"
#include "lineage/rewrite.h"
#include "record/record.h"

struct arena;
struct cache;
struct clearance;
struct config;
struct config_login;
struct config_store;
struct control;
struct grants;
struct principal;
struct ticket_answer;

struct standing_request {
	const struct config *config;
	const struct config_store *store;
	const char *principal;
	const char *address;		/* of the source, without port */
	const char *purpose;		/* NULL: none */
	const char *ticket;
	int64_t at_ms;
	int64_t until_ms;		/* nothing turns before */
	struct ticket_answer *answer;	/* about the ticket; or NULL */
	struct cache *cache;		/* the worker's; NULL: none */
	uint64_t version;		/* the number of config's */
	const struct grants *grants;	/* of that version; NULL: none */
};

struct standing_shared;

struct standing {
	struct standing_shared *shared;	/* owns what follows */
	struct arena *a;
	const struct config_store *store;
	const struct principal *who;
	const struct control *control;
	const struct clearance *clearance;
	/* Where the source is: by a site's network, by the addresses' file;
	 * "unknown" if neither says. */
	const char *seen_at[2];
	size_t n_seen_at;
	const char *purpose;
	const char *ticket;
	char hash[65];			/* of the clearance's text, hex */
	int64_t at_ms;			/* decided as of then */
	int64_t until_ms;		/* and the same until just before */
	struct ticket_answer *answer;	/* that it rests on; or NULL */
	struct approved approved;	/* that it rests on */
	bool from_elsewhere;	/* a service, outside its networks; its own */
	const char *role;		/* at the store; NULL: none is set up */
	const struct config_login *login; /* NULL: no such role is known */
	bool has_twins;		/* exact records can be had */
	const bool *exact_only;	/* by catalog table; NULL: none */
	struct rewrite_schema twins;
	/* By catalog table: what the session can reach of it, or NULL. */
	const struct record_table **reach;
	size_t n_reach;
	struct record_bound bound;
	bool has_would;
	struct record_bound would;
};

/*
 * Where an address is: all that is said of it counts, so there are one or
 * two labels. "unknown" if nothing is said, or if the file is broken there:
 * it might have said anything. 0 or ERR_MEMORY.
 */
int standing_seen(const struct config *c, const char *address,
    struct arena *a, const char *ret[static 2], size_t *ret_n);

/* 0, ERR_MISSING (no such principal now), ERR_MEMORY, ... */
int standing_make(const struct standing_request *q, struct standing **ret);
/* What a worker's cache of it may take. NULL: out of memory. */
#define STANDING_CACHE_LEN ((size_t)32 << 20)
struct cache *standing_cache_new(void);
void standing_free(struct standing *s);

/* The session's part of its record; n and session are the caller's. Has all
 * that a clearance record can have, too. */
int standing_record(const struct standing *s, const struct config *c,
    const char *source, struct arena *a, struct record_session *ret);

#endif

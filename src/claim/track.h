/*
 * claim/track.h - is the sequence of records complete?
 *
 * Follows one gateway's records in order: starts and stops, sessions with
 * their counters, the counters of heartbeats, silence. What does not add up
 * is a gap. Pure: gaps are handed to the caller's function.
 * Memory: what it knows of sessions that are open, until they end.
 */
#ifndef CLAIM_TRACK_H
#define CLAIM_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/record.h"

/* A heartbeat promised more rarely than this promises nothing. */
#define TRACK_HEARTBEAT_MAX_MS ((uint64_t)3600 * 1000)
#define TRACK_SLACK_MS 2000

/* The longest that a gateway with this heartbeat may be silent. */
static inline uint64_t
track_silence_ms(uint64_t heartbeat_ms)
{
	if (heartbeat_ms > TRACK_HEARTBEAT_MAX_MS)
		heartbeat_ms = TRACK_HEARTBEAT_MAX_MS;
	return heartbeat_ms * 2 + TRACK_SLACK_MS;
}

enum track_kind {
	/* Informs: nothing is missing. */
	TRACK_DOWN,		/* between a stop and the next start */
	TRACK_CRASH,		/* a start without a stop before it */
	TRACK_LAST,		/* how the log ends: by a stop, or in the midst */
	/* Something is missing. */
	TRACK_SILENCE,		/* longer than the heartbeat allows */
	TRACK_START,		/* the log does not begin as logs do */
	TRACK_BOOT,		/* a start that contradicts what is before it */
	TRACK_SESSION,		/* a session's records are not all there */
	TRACK_COUNTER,		/* sessions that were counted are not there */
};

const char *track_kind_text(enum track_kind k);

struct track_gap {
	enum track_kind kind;
	uint64_t seq;			/* where it was noticed */
	int64_t from_ms, to_ms;		/* when what is missing happened */
	const char *text;		/* one sentence, without full stop */
};

struct track_session {
	struct track_session *next;	/* in its bucket */
	char *id;
	uint64_t n;			/* of its latest record */
	uint64_t seq;			/* of its session record */
	int64_t opened_ms;
	int64_t latest_ms;
	void *data;			/* the caller's */
};

enum track_end {
	TRACK_CLOSED,			/* by a close record */
	TRACK_CRASHED,			/* by a start without it */
	TRACK_OPEN,			/* still open when the log ends */
};

struct track_hooks {
	void *arg;
	int (*gap)(void *arg, const struct track_gap *g);
	/* r: the record that ended it; NULL for TRACK_OPEN. May be NULL. */
	int (*ended)(void *arg, struct track_session *s, enum track_end how,
	    const struct record *r);
};

struct track;

struct track *track_new(const struct track_hooks *hooks);
void track_free(struct track *t);
/* 0 or an error of memory or of a hook. Records come in order. */
int track_record(struct track *t, const struct record *r);
/* The log ends here. */
int track_end(struct track *t);
/* Calls fn for each open session, ignoring what it returns; t may be NULL. */
void track_each(struct track *t, int (*fn)(void *arg,
    struct track_session *s, enum track_end how, const struct record *r),
    void *arg);
/* NULL if no such session is open. */
struct track_session *track_find(struct track *t, const char *id);

#endif

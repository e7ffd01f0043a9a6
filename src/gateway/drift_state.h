/*
 * gateway/drift_state.h - what drift.c (which stores, when, what workers are
 * told) and drift_look.c (one look and what follows from it) share.
 */
#ifndef GATEWAY_DRIFT_STATE_H
#define GATEWAY_DRIFT_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "crypto/hash.h"

struct config_store;
struct shared;
struct version;

enum watched_state {
	WATCHED_NEW,		/* not looked at yet */
	WATCHED_OPEN,
	WATCHED_DRIFTED,
	WATCHED_UNSEEN,		/* not looked at for too long */
	WATCHED_OLD,		/* an apply kept nothing to compare with */
};

/*
 * One database under one name: a store that moves elsewhere is another one.
 * While it is busy only its look's thread touches what is not atomic, else
 * only the thread of drift.c.
 */
struct watched {
	struct watched *next;
	char *store, *host, *database;
	uint16_t port;
	atomic_int state;
	atomic_bool busy;
	uint64_t version;	/* that it was last looked at by */
	int64_t next_ms;	/* as clock_mono_ms */
	int64_t seen_ms;	/* of the last look that succeeded */
	unsigned login;		/* the next to try */
	/* By what the last seal was made, and its number: no earlier one counts
	 * from then on. number 0: none was seen. */
	uint8_t key[HASH_LEN];
	uint64_t number;
	uint8_t lines[HASH_LEN];	/* that it was about */
};

struct drift {
	struct shared *shared;
	_Atomic(struct watched *) stores;
	int wake_fd;
	pthread_t thread;
	atomic_bool stopping;
	uint64_t off_version;	/* that has it off, said once */
	pthread_mutex_t lock;
	pthread_cond_t less;
	unsigned busy;		/* looks under way, under lock */
};

/* A look at s, and its record; sets the state and when to look again. */
void drift_look(struct drift *d, struct version *v,
    const struct config_store *s, struct watched *w);
/* Nothing could be compared: the record of it, once a version. */
void drift_old(struct drift *d, const struct version *v,
    const struct config_store *s, struct watched *w);

#endif

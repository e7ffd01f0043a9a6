/*
 * gateway/log_client_state.h - what log_client.c and log_submit.c share;
 * private to them.
 */
#ifndef GATEWAY_LOG_CLIENT_STATE_H
#define GATEWAY_LOG_CLIENT_STATE_H

#include <sys/un.h>

#include <pthread.h>
#include <stdbool.h>

#include "gateway/log_wire.h"

struct pending {
	struct pending *next;
	uint64_t id;
	uint64_t seq;
	int64_t since_ms;
	log_done_fn *done;
	void *arg;
	struct bytes entry;		/* within frame */
	struct buf frame;
};

struct object_wait {
	uint64_t id;
	int64_t since_ms;
	struct bytes content;
	uint8_t hash[HASH_LEN];
	size_t at;			/* sent up to here */
	bool sent;			/* all of it, on this connection */
	bool over;
	struct log_stored stored;
};

struct log_client {
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char *gateway;
	unsigned unreachable_ms;
	int wake_fd;
	pthread_t thread;
	/* The thread's. */
	int fd;				/* -1: not connected */
	int64_t connect_ms;		/* not before */
	struct buf in, out;
	struct merkle_hash acked_leaf;	/* of the last acknowledged record */
	bool has_acked_leaf;
	/* Under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct log_hello hello;
	struct pending *head, *unsent, **tail;
	size_t pending_bytes;
	struct object_wait *object;
	uint64_t next_id;
	uint64_t acked;			/* all below are durable */
	uint64_t next_seq;
	int64_t last_time_ms;
	bool attached;			/* HELLO was received */
	bool ever_attached;
	bool seq_known;
	bool refused;			/* and nothing was durable since */
	bool broken;
	bool stop;
	pthread_mutex_t object_lock;	/* one object at a time */
};

static inline void
lock(struct log_client *c)
{
	(void)pthread_mutex_lock(&c->lock);	/* cannot fail: ours */
}

static inline void
unlock(struct log_client *c)
{
	(void)pthread_mutex_unlock(&c->lock);
}

/* Makes the thread look for something new. */
void log_client_wake(struct log_client *c);
void log_pending_free(struct pending *p);

#endif

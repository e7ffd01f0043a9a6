/*
 * gateway/worker.h - one thread, one event loop, and its sessions.
 *
 * A session belongs to one worker for life and is touched by its thread
 * alone. The log client's thread hands finished jobs back through a queue.
 */
#ifndef GATEWAY_WORKER_H
#define GATEWAY_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "crypto/hash.h"
#include "gateway/metrics.h"
#include "gateway/version.h"

struct cache;
struct cancel_table;
struct config;
struct config_login;
struct config_store;
struct drift;
struct job;
struct log_client;
struct lookup;
struct session;
struct steps;

#define COUNT(shared, member, n) do {					\
	if ((shared)->metrics != NULL)					\
		atomic_fetch_add(&(shared)->metrics->member, (n));	\
} while (0)

/* What all workers share; all but the atomics and the versions is immutable
 * while they run. */
struct shared {
	const struct config *boot;	/* as started: the log, the limits */
	struct versions versions;
	struct log_client *log;
	struct metrics *metrics;
	struct cancel_table *cancels;
	struct lookup *lookup;			/* of tickets; NULL: none */
	struct drift *drift;			/* of stores */
	struct steps *steps;			/* of approvals */
	uint8_t text_key[HASH_LEN];		/* for hashes of SQL */
	uint8_t mock_key[HASH_LEN];		/* for users that are not there */
	uint8_t ticket_key[HASH_LEN];		/* for references in tickets */
	const int *listen_fds;
	size_t n_listen_fds;
	atomic_uint sessions;
	atomic_uint_fast64_t opened;
	atomic_uint_fast64_t closed;
	atomic_bool stopping;
};

enum source_kind {
	SOURCE_WAKE,
	SOURCE_LISTENER,
	SOURCE_CLIENT,
	SOURCE_STORE,
};

/* What an epoll event points to. */
struct source {
	enum source_kind kind;
	struct session *session;	/* of SOURCE_CLIENT and SOURCE_STORE */
	int fd;
	uint32_t wants;			/* as told to epoll */
	bool added;
};

struct worker {
	struct shared *shared;
	unsigned index;
	uint64_t seen;		/* the version that its sessions know of */
	struct cache *cache;		/* of gateway/standing.h */
	pthread_t thread;
	int epoll_fd;
	int wake_fd;
	struct source wake;
	struct source *listeners;
	bool listening;
	pthread_mutex_t lock;		/* of done_* */
	struct job *done_first;
	struct job *done_last;
	struct session *sessions;
};

int worker_start(struct shared *s, struct worker *w, unsigned index);
/* Tells the worker to look at its queue, at the version in force, or at
 * shared->stopping. */
void worker_wake(struct worker *w);
void worker_join(struct worker *w);

/* From any thread: the job is finished, its result is set. */
void worker_job_done(struct worker *w, struct job *j);
/* Watches src for events; 0 stops watching. */
void worker_watch(struct worker *w, struct source *src, uint32_t wants);
/* The salted password of a version's login, kept for the next connection. */
struct scram_salted *worker_salted(struct worker *w, struct version *v,
    const struct config_login *login);

#endif

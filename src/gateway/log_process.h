/*
 * gateway/log_process.h - the process that owns journal, tiles and key.
 *
 * It alone reads the signing key. It accepts gateways on a listening UNIX
 * socket, appends their records, and answers when they are durable.
 */
#ifndef GATEWAY_LOG_PROCESS_H
#define GATEWAY_LOG_PROCESS_H

#include <stdint.h>

struct metrics;

struct log_process {
	const char *dir;	/* of the log: checkpoint, tile/, objects/ */
	const char *state_dir;	/* journal and lock, outside the served dir */
	const char *key_file;
	const char *key_secret;	/* key/secret.h; NULL: it needs none */
	int listen_fd;
	uint64_t publish_ms;	/* tiles and checkpoint at most this late */
	struct metrics *metrics; /* shared; may be NULL */
};

/* Runs until SIGTERM; returns the process's exit status. */
int log_process_run(const struct log_process *p);

#endif

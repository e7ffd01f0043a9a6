/*
 * gateway/gateway.h - the gateway process: sessions of clients, each with
 * its own connection to a store.
 *
 * It sees peers' bytes and never the log's key. Runs until SIGTERM.
 */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include <stddef.h>

struct config;
struct metrics;

struct gateway {
	const struct config *config;	/* decides from the start */
	const struct config *boot;	/* what only a restart changes */
	const int *listen_fds;		/* bound and listening */
	size_t n_listen_fds;
	const char *log_path;		/* the log process's UNIX socket */
	struct metrics *metrics;	/* shared; may be NULL */
	int renew_fd;			/* to the supervisor (renew.h), or -1 */
};

/* Returns the process's exit status. */
int gateway_run(const struct gateway *g);

#endif

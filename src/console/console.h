/*
 * console/console.h - the console process: HTTP, reads only.
 *
 *   GET /healthz   200 "ok" while data can be released, 503 otherwise
 *   GET /metrics   Prometheus text format
 *
 * What it shows it asks of its caller, so it needs nothing of the gateway.
 */
#ifndef CONSOLE_CONSOLE_H
#define CONSOLE_CONSOLE_H

#include <stdbool.h>

struct buf;

struct console {
	int listen_fd;		/* bound and listening; owned by the caller */
	bool (*healthy)(const void *arg);
	void (*metrics)(const void *arg, struct buf *out);
	const void *arg;
};

/* Runs until SIGTERM; returns the process's exit status. */
int console_run(const struct console *c);

#endif

/*
 * gateway/log_client.h - the gateway's way to the log process.
 *
 * One connection, one thread. Any thread may submit; seq and time are given
 * under the lock, so the order of seq is the order of submission. When the
 * log process dies, what is not acknowledged is submitted again in order to
 * its successor, without loss and without doubles (the log tells the last
 * seq that is durable).
 */
#ifndef GATEWAY_LOG_CLIENT_H
#define GATEWAY_LOG_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log_client;
struct record;

/*
 * Called on the log client's thread, once for each submitted record:
 * result 0: durable, with its seq. ERR_IO: refused by the log, certainly not
 * written (disk full and the like). ERR_STATE: the log has been unreachable
 * for longer than the timeout; the record may or may not become durable, and
 * the caller must not release anything under it, then or later.
 * Must not block; typically it queues and writes to an eventfd.
 */
typedef void log_done_fn(void *arg, int result, uint64_t seq);

struct log_hello {
	char origin[256];
	char key[512];		/* the log's verifier key */
	uint64_t next;		/* seq of the next record; 0: empty log */
	int64_t last_time_ms;	/* of the last record; 0 if none */
	bool clean;		/* the last record is a stop */
};

/*
 * Connects to the log process's UNIX socket, waiting up to timeout_ms.
 * `gateway` is the name written into each record. unreachable_ms: how long
 * unacknowledged records wait for a log that is gone.
 */
int log_client_new(const char *path, const char *gateway,
    unsigned timeout_ms, unsigned unreachable_ms, struct log_hello *hello,
    struct log_client **ret);
/* Waits up to timeout_ms for what is unacknowledged, then closes. */
void log_client_free(struct log_client *c, unsigned timeout_ms);

/* Encodes and queues; 0 or an error (then done is not called). */
int log_client_submit(struct log_client *c, const struct record *r,
    log_done_fn *done, void *arg);
/* Submits and waits. For start and stop, never on a worker. */
int log_client_submit_wait(struct log_client *c, const struct record *r);
/* The same, and which number it got. */
int log_client_submit_seq(struct log_client *c, const struct record *r,
    uint64_t *ret);
/* Stores content beside the log (objects/<sha256>), durable on return. */
int log_client_object_wait(struct log_client *c, const void *data, size_t len,
    char ret_hex[static 65]);
/* True while the log accepts records: for /healthz. */
bool log_client_healthy(struct log_client *c);

#endif

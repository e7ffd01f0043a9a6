/*
 * gateway/log_publisher.h - the log process's second thread.
 *
 * Publishing takes many fsyncs; appending must not wait for them. The
 * publisher owns the tiles once it is started; what is durable is handed to
 * it and published at most publish_ms later.
 */
#ifndef GATEWAY_LOG_PUBLISHER_H
#define GATEWAY_LOG_PUBLISHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal_entry;
struct metrics;
struct publisher;
struct tiles;

/* Takes t over on success. metrics may be NULL. */
int publisher_new(struct tiles *t, uint64_t publish_ms,
    struct metrics *metrics, struct publisher **ret);
/* Hands over n entries, copied. ERR_MEMORY: it lacks them, so the process
 * must end. */
int publisher_push(struct publisher *p, const struct journal_entry *e,
    size_t n);

uint64_t publisher_published(const struct publisher *p);
/* Bytes of entries that wait in memory to be published. */
size_t publisher_waiting(const struct publisher *p);
/* Readable when publishing failed for good: the process must end. */
int publisher_fd(const struct publisher *p);

/*
 * Ends the thread; if `finish`, after one more try to publish everything.
 * Returns 0 if everything is. p is freed, and its tiles.
 */
int publisher_stop(struct publisher *p, bool finish);

#endif

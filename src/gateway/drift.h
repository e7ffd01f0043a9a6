/*
 * gateway/drift.h - are the stores as `sworn apply` left them? Looked at by a
 * thread of its own, recorded, and closed to persons while they are not.
 *
 * Closed are a store that has drifted, one that was never looked at, and one
 * whose last look lies DRIFT_BLIND looks back. Its record is durable before
 * it is closed (if the log takes any, without which nothing is released), and
 * before it is open again.
 */
#ifndef GATEWAY_DRIFT_H
#define GATEWAY_DRIFT_H

#include <stdbool.h>
#include <stdint.h>

#define DRIFT_EVERY_MS 60000
#define DRIFT_BLIND 5
#define DRIFT_WHAT_MAX 20		/* differences named in a record */

struct backend_error;
struct config_store;
struct drift;
struct shared;

/* Looks at all once, then starts the thread. */
int drift_new(struct shared *s, struct drift **ret);
/* Ends the thread; what is known stays, since sessions that did not end in
 * time may still ask. */
void drift_stop(struct drift *d);

/* Whether persons are kept out of an enforced store; then e says so (but for
 * its severity) in static storage. From any thread; d may be NULL. */
bool drift_closed(struct drift *d, const struct config_store *s,
    struct backend_error *e);

#endif

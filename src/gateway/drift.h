/*
 * gateway/drift.h - are the stores as `sworn apply` left them? Looked at by
 * threads of its own, recorded, and closed to persons while they are not.
 *
 * Closed are a store that has drifted, one that was not looked at yet, one
 * whose last look lies DRIFT_BLIND looks back, and one about which apply kept
 * nothing to compare with. Its record is durable before it is closed (if the
 * log takes any, without which nothing is released), and before it is open
 * again.
 */
#ifndef GATEWAY_DRIFT_H
#define GATEWAY_DRIFT_H

#include <stdbool.h>
#include <stdint.h>

#define DRIFT_EVERY_MS 60000
#define DRIFT_BLIND 5
#define DRIFT_WHAT_MAX 20		/* differences named in a record */
#define DRIFT_START_MS 2000		/* the start waits so long for looks */

struct backend_error;
struct config;
struct config_store;
struct drift;
struct shared;

/* Begins to look at all stores, side by side; waits until that is done, or
 * DRIFT_START_MS. */
int drift_new(struct shared *s, struct drift **ret);
/* Another version is in force: looks now. d may be NULL. */
void drift_wake(struct drift *d);
/* Ends the threads; what is known stays, since sessions that did not end in
 * time may still ask. */
void drift_stop(struct drift *d);

/* Whether persons are kept out of a store of c; then e says so (but for its
 * severity) in static storage. From any thread; d may be NULL. */
bool drift_closed(struct drift *d, const struct config *c,
    const struct config_store *s, struct backend_error *e);

#endif

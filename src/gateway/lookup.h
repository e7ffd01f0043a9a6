/*
 * gateway/lookup.h - look-ups of tickets, and what was found for a while.
 *
 * A worker never waits: it asks, and is told from another thread. What is
 * asked twice at a time is asked once. Whatever goes wrong is an answer that
 * confirms nothing and says why.
 */
#ifndef GATEWAY_LOOKUP_H
#define GATEWAY_LOOKUP_H

#include <stdint.h>

#include "gateway/ticket_answer.h"

struct config_tickets;
struct metrics;
struct lookup;

/* Starts the process that asks: before there are threads. secret: 32 bytes,
 * for references to subjects. metrics may be NULL. */
int lookup_new(const struct config_tickets *c, const uint8_t *secret,
    struct metrics *metrics, struct lookup **ret);
/* Starts the thread that hears of answers. */
int lookup_run(struct lookup *t);
/* Ends both. Who still waits is not told. */
void lookup_free(struct lookup *t);

/* What is known and still holds at a time (wall clock), with a reference;
 * NULL: ask. */
struct ticket_answer *lookup_find(struct lookup *t,
    const struct ticket_key *k, int64_t at_ms);

/* Called once, with a reference for the callee; NULL: out of memory. Perhaps
 * before lookup_ask returns. */
typedef void lookup_fn(void *arg, struct ticket_answer *a);
void lookup_ask(struct lookup *t, const struct ticket_key *k,
    lookup_fn *fn, void *arg);

#endif

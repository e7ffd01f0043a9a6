/*
 * gateway/ticket.h - look-ups of tickets, and what was found for a while.
 *
 * A worker never waits: it asks, and is told from another thread. What is
 * asked twice at a time is asked once. Whatever goes wrong is an answer that
 * confirms nothing and says why.
 */
#ifndef GATEWAY_TICKET_H
#define GATEWAY_TICKET_H

#include <stdint.h>

#include "gateway/ticket_answer.h"

struct config_tickets;
struct metrics;
struct tickets;

/* Starts the process that asks: before there are threads. secret: 32 bytes,
 * for references to subjects. metrics may be NULL. */
int tickets_new(const struct config_tickets *c, const uint8_t *secret,
    struct metrics *metrics, struct tickets **ret);
/* Starts the thread that hears of answers. */
int tickets_run(struct tickets *t);
/* Ends both. Who still waits is not told. */
void tickets_free(struct tickets *t);

/* What is known and still holds at a time (wall clock), with a reference;
 * NULL: ask. */
struct ticket_answer *tickets_find(struct tickets *t,
    const struct ticket_key *k, int64_t at_ms);

/* Called once, with a reference for the callee; NULL: out of memory. Perhaps
 * before tickets_ask returns. */
typedef void tickets_fn(void *arg, struct ticket_answer *a);
void tickets_ask(struct tickets *t, const struct ticket_key *k,
    tickets_fn *fn, void *arg);

#endif

/*
 * gateway/ticket_http.h - one HTTP request about a ticket.
 *
 * In a process of its own, which has nothing else to do and ends.
 */
#ifndef GATEWAY_TICKET_HTTP_H
#define GATEWAY_TICKET_HTTP_H

struct buf;
struct config_tickets;

/* POSTs the question. 0: out holds the answer; else out holds the reason. */
int ticket_http(const struct config_tickets *c, const char *question,
    struct buf *out);

#endif

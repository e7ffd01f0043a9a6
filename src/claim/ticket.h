/*
 * claim/ticket.h - what a record says of a session's ticket, for deciding
 * again.
 */
#ifndef CLAIM_TICKET_H
#define CLAIM_TICKET_H

struct policy_request;
struct policy_scope;
struct record_session;

/* Fills what q says of its ticket; *scope is the caller's room for it. */
void ticket_of_record(const struct record_session *c,
    struct policy_scope *scope, struct policy_request *q);

#endif

/*
 * gateway/confirm.h - a session's ticket, as it is known when the session is
 * decided.
 *
 * Whoever decides asks here first. What is not known yet is looked up in the
 * background; the message that needs it stays where it is, and is looked at
 * again once the answer is there.
 */
#ifndef GATEWAY_CONFIRM_H
#define GATEWAY_CONFIRM_H

#include "gateway/ticket_answer.h"

struct config;
struct job;
struct session;

/*
 * 0: *ret is the answer, with a reference, or NULL where no rule asks for
 * one. ERR_SHORT: not yet; the session goes on when confirm_done is called.
 */
int confirm_ticket(struct session *s, const struct config *c,
    const char *purpose, const char *ticket, struct ticket_answer **ret);
/* What may be used once more without asking, since it was just now. */
void confirm_keep(struct session *s, struct ticket_answer *a,
    const char *purpose, const char *ticket);
/* An answer came: takes the job over. */
void confirm_done(struct session *s, struct job *j);
void confirm_free(struct session *s);

#endif

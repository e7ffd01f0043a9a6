/*
 * gateway/ticket_hook.h - the process that asks about tickets.
 *
 * It is forked before the gateway has threads and gives up its paths, since
 * it starts programs and looks up names. Each question is one child of it,
 * with its own process group, that runs the command or one HTTP request; a
 * child that is slow, or writes too much, is killed with its group.
 *
 * Messages over the socket (SOCK_SEQPACKET), both ways: 8 bytes of a number,
 * the same in question and answer; then the question's line, or one byte
 * (enum ticket_outcome) and the answer or a reason.
 */
#ifndef GATEWAY_TICKET_HOOK_H
#define GATEWAY_TICKET_HOOK_H

#include "gateway/ticket_answer.h"

struct config_tickets;

enum ticket_outcome {
	TICKET_ANSWERED,
	TICKET_FAILED,
};

#define TICKET_QUESTION_MAX 4096
#define TICKET_MESSAGE_MAX (TICKET_ANSWER_MAX + 16)

/* Starts it; *ret_fd is the gateway's end of the socket. 0 or ERR_IO. */
int ticket_hook_start(const struct config_tickets *c, int *ret_fd);

#endif

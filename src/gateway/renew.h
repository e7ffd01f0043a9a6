/*
 * gateway/renew.h - what decides comes into force: recorded, then used.
 *
 * At the start once; later by a thread of its own, to which the supervisor
 * hands the bytes of a configuration that it has read and checked. Whatever
 * goes wrong leaves the version in force as it is.
 */
#ifndef GATEWAY_RENEW_H
#define GATEWAY_RENEW_H

#include <stdbool.h>
#include <stddef.h>

#define RENEW_TEXT_MAX 2048	/* of an answer */
#define RENEW_BY_MAX 200

struct renew;
struct shared;
struct version;
struct worker;

/* The first version: records it whole and puts it in force. 0 or an error,
 * reported. */
int renew_start(struct shared *s, struct version *v);

/* Starts the thread. fd: where requests come from, or -1. */
int renew_new(struct shared *s, struct worker *workers, unsigned n, int fd,
    struct renew **ret);
void renew_free(struct renew *r);	/* ends it; NULL is fine */

/* The supervisor's side. Each 0 or ERR_IO. The second is for a record: what
 * gateway/asked.h writes; the answer's text is its number. */
int renew_ask(int fd, int parcel_fd, const char *by);
int renew_ask_record(int fd, const void *asked, size_t len);
/* Blocks unless fd says otherwise; ERR_SHORT: nothing there yet. */
int renew_answer(int fd, bool *taken, char text[static RENEW_TEXT_MAX]);

#endif

/*
 * gateway/cancel.h - which key cancels which backend.
 *
 * A client gets a key of the gateway's making; a CancelRequest with it is
 * passed on as a cancel of that session's backend and of no other. One
 * backend serves one session only, so a late cancel meets nobody else.
 * Thread-safe.
 */
#ifndef GATEWAY_CANCEL_H
#define GATEWAY_CANCEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "gateway/link.h"

#define CANCEL_SECRET_LEN 4	/* what protocol 3.0 has room for */
#define CANCEL_BACKEND_MAX 256

struct cancel_table;

struct cancel_target {
	struct link_way way;
	uint32_t pid;
	uint8_t secret[CANCEL_BACKEND_MAX];
	size_t secret_len;
};

struct cancel_entry;

struct cancel_table *cancel_new(void);
void cancel_free(struct cancel_table *t);
/* NULL: out of memory, or no randomness. */
struct cancel_entry *cancel_add(struct cancel_table *t, uint32_t pid,
    uint8_t ret_secret[static CANCEL_SECRET_LEN]);
/* What a cancel reaches from now on, copied; NULL: nothing. */
void cancel_aim(struct cancel_table *t, struct cancel_entry *e,
    const struct cancel_target *target);
void cancel_remove(struct cancel_table *t, struct cancel_entry *e);
/* 0 and a copy of the target, for cancel_target_done; or ERR_MISSING. */
int cancel_find(struct cancel_table *t, uint32_t pid, struct bytes secret,
    struct cancel_target *ret);
void cancel_target_done(struct cancel_target *t);

#endif

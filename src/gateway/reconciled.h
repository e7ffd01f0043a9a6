/*
 * gateway/reconciled.h - the operator held a store's own log to ours.
 *
 *	sworn reconcile ── the record ──> supervisor ── who it is ──> gateway
 *	                <── its number, or why not ──┘   (record, durable)
 *
 * Format of a request: RECONCILED_FIRST, which no other request begins with;
 * who it is, ended by a NUL; the record as the log has it, whose number, time
 * and `by` are made anew.
 * Limits: RECONCILED_MAX bytes.
 */
#ifndef GATEWAY_RECONCILED_H
#define GATEWAY_RECONCILED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define RECONCILED_FIRST 1
#define RECONCILED_MAX 16384
#define RECONCILED_TEXT_MAX 512		/* of an answer */

struct config;
struct log_client;

struct reconciled {
	const char *by;			/* by the kernel, in words */
	struct bytes record;
};

/* Failure shows in out->failed. */
void reconciled_write(struct buf *out, const struct reconciled *r);
bool reconciled_is(struct bytes in);
/* 0 or ERR_FORMAT; results point into the bytes. */
int reconciled_read(struct bytes in, struct reconciled *ret);

/* 0: durable, with its number; or an error with a sentence. */
int reconciled_record(const struct reconciled *r, const char *gateway,
    const struct config *c, struct log_client *log, uint64_t *ret_seq,
    char text[static RECONCILED_TEXT_MAX]);

#endif

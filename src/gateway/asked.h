/*
 * gateway/asked.h - somebody asks who saw a subject's data.
 *
 *	sworn seen ── request ──> supervisor ── who it is ──> gateway
 *	           <── the record's number, or why not ──┘   (record, durable)
 *
 * Format of a request: strings, each ended by a NUL, in the order of the
 * struct; times are decimal milliseconds, flags "1" or "0".
 * Limits: ASKED_MAX bytes.
 */
#ifndef GATEWAY_ASKED_H
#define GATEWAY_ASKED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define ASKED_MAX 4096
#define ASKED_TEXT_MAX 512	/* of an answer */

struct config;
struct log_client;

struct asked {
	const char *user;	/* by the kernel; "" from whom it is not known */
	const char *by;		/* the same in words */
	const char *store;
	const char *tag;	/* "": the subject has none */
	const char *residences;	/* joined by newlines */
	int64_t from_ms, to_ms;	/* 0: open */
	bool full;
};

/* Failure shows in out->failed. */
void asked_write(struct buf *out, const struct asked *a);
/* 0 or ERR_FORMAT; results point into the bytes. */
int asked_read(struct bytes in, struct asked *ret);

/*
 * Records it, if it may be asked. 0: durable, with its number; or an error
 * with a sentence.
 */
int asked_record(const struct asked *a, const char *gateway,
    const struct config *c, struct log_client *log, uint64_t *ret_seq,
    char text[static ASKED_TEXT_MAX]);

#endif

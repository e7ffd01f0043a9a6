/*
 * gateway/log_wire.h - messages between a gateway and the log process.
 *
 * Private to log_client.c and log_process.c. Over a UNIX stream socket.
 * Format: type:u8 len:u32 and len bytes; integers are big-endian. The
 * gateway's first message is ASK, answered by HELLO or BUSY; only then may
 * it send the others.
 * Limits: LOG_WIRE_PART_MAX bytes of an object at once, OBJECT_MAX in all;
 * RECORD_MAX of a record.
 */
#ifndef GATEWAY_LOG_WIRE_H
#define GATEWAY_LOG_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "gateway/log_client.h"
#include "log/merkle.h"

#define LOG_WIRE_VERSION 2
#define LOG_WIRE_HEAD_LEN 5
#define LOG_WIRE_PART_MAX ((size_t)256 << 10)
#define LOG_WIRE_BODY_MAX (LOG_WIRE_PART_MAX + 64)

enum log_wire {
	/* from the gateway */
	LOG_WIRE_ASK = 1,	/* version */
	LOG_WIRE_APPEND,	/* id, seq, entry */
	LOG_WIRE_OBJECT,	/* id, length, hash, a part of the content */
	/* from the log */
	LOG_WIRE_HELLO,		/* where the log stands */
	LOG_WIRE_BUSY,		/* another gateway is connected */
	LOG_WIRE_DURABLE,	/* next: all before it are durable */
	LOG_WIRE_REFUSED,	/* id, next: not written, nor what is behind */
	LOG_WIRE_STORED,	/* id, result, hex: an object, or no more of it */
};

/*
 * An id is never used twice on a client, unlike a seq, which is used again
 * after a refusal; so a late answer cannot be taken for one to another.
 */
struct log_append {
	uint64_t id;
	uint64_t seq;
	struct bytes entry;
};

/* Its parts come in order, with the same id, length and hash. */
struct log_object {
	uint64_t id;
	uint64_t len;		/* of the whole */
	uint8_t hash[HASH_LEN];
	struct bytes part;
};

struct log_refused {
	uint64_t id;
	uint64_t next;
};

struct log_stored {
	uint64_t id;
	int result;		/* 0, ERR_IO, ERR_LIMIT or ERR_CRYPTO */
	char hex[65];
};

struct log_where {
	struct log_hello hello;
	struct merkle_hash last;	/* leaf hash of the last entry */
};

/*
 * The next message; *body reads its bytes. 0, ERR_SHORT (r unmoved), or
 * ERR_LIMIT: longer than LOG_WIRE_BODY_MAX.
 */
int log_wire_next(struct reader *r, uint8_t *type, struct reader *body);

/* Readers: 0 or ERR_FORMAT; results point into the body. */
int log_wire_ask_read(struct reader *body);
int log_wire_append_read(struct reader *body, struct log_append *ret);
int log_wire_object_read(struct reader *body, struct log_object *ret);
int log_wire_hello_read(struct reader *body, struct log_where *ret);
int log_wire_durable_read(struct reader *body, uint64_t *next);
int log_wire_refused_read(struct reader *body, struct log_refused *ret);
int log_wire_stored_read(struct reader *body, struct log_stored *ret);

/* Writers: failure shows in out->failed. */
void log_wire_ask_write(struct buf *out);
void log_wire_append_write(struct buf *out, const struct log_append *a);
void log_wire_object_write(struct buf *out, const struct log_object *o);
void log_wire_hello_write(struct buf *out, const struct log_where *w);
void log_wire_busy_write(struct buf *out);
void log_wire_durable_write(struct buf *out, uint64_t next);
void log_wire_refused_write(struct buf *out, const struct log_refused *f);
void log_wire_stored_write(struct buf *out, const struct log_stored *s);

#endif

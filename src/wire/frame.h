/*
 * wire/frame.h - where one message of protocol 3 ends and the next begins.
 *
 * Format: one byte of type, a big-endian u32 length that counts itself but
 * not the type, the body. Pure; works for both directions.
 */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include <stdint.h>

#include "base/buf.h"

#define FRAME_HEAD 5

struct frame {
	uint8_t type;
	struct bytes body;	/* points into the input */
};

/*
 * Looks at the header at the front of data: 0 with *type and *body_len,
 * ERR_SHORT, or ERR_FORMAT for a length that cannot be (below 4, or beyond
 * 2^31 - 1, which PostgreSQL takes for negative).
 */
int frame_head(const void *data, size_t len, uint8_t *type,
    uint32_t *body_len);
/*
 * Reads one whole message. ERR_SHORT leaves r unmoved; ERR_LIMIT as soon as
 * the header promises a body longer than max.
 */
int frame_read(struct reader *r, size_t max, struct frame *ret);

/* Writing: the position to hand to frame_end once the body is appended. */
size_t frame_begin(struct buf *out, uint8_t type);
void frame_end(struct buf *out, size_t at);

/*
 * Follows a stream of messages of any length without keeping them: for
 * relaying. Counts rows (DataRow, CopyData) and their bytes.
 */
struct stream {
	uint8_t head[FRAME_HEAD];
	unsigned n_head;	/* bytes of a header seen so far */
	uint8_t type;
	uint32_t left;		/* of the body */
	uint8_t status;		/* of the last ReadyForQuery; 0: none yet */
	uint64_t rows;
	uint64_t bytes;
};

void stream_init(struct stream *s);
/* 0, or ERR_FORMAT: the stream is lost and must be closed. */
int stream_feed(struct stream *s, const void *data, size_t len);
/* True between two messages. */
bool stream_between(const struct stream *s);

#endif

/*
 * gateway/flow.h - bytes on their way between two sockets, either of which may
 * be encrypted.
 *
 * A queue that forgets from the front without moving what is left at each
 * step, and gives its memory back when it runs empty: an idle session holds
 * no buffer.
 */
#ifndef GATEWAY_FLOW_H
#define GATEWAY_FLOW_H

#include "base/buf.h"

struct tls;

#define FLOW_STOP ((size_t)256 * 1024)	/* the other side is not read above */
#define FLOW_READ ((size_t)64 * 1024)	/* at most, per wake-up */

struct flow {
	struct buf buf;
	size_t off;		/* of the first byte that is not gone yet */
};

void flow_init(struct flow *f);
void flow_done(struct flow *f);
size_t flow_len(const struct flow *f);
const uint8_t *flow_data(const struct flow *f);
void flow_drop(struct flow *f, size_t n);
/* Where writers may append. */
struct buf *flow_buf(struct flow *f);
void flow_add(struct flow *f, const void *data, size_t len);

/*
 * Reads what there is, at most FLOW_READ: the number of bytes; 0: the peer
 * has closed; ERR_SHORT: nothing there now; ERR_IO; ERR_MEMORY. t: NULL, or
 * what encrypts the socket, after its handshake; then an end that the peer
 * has not announced is ERR_IO.
 */
int flow_read(struct flow *f, int fd, struct tls *t);
/* Writes as much as goes: 0, or ERR_IO. */
int flow_write(struct flow *f, int fd, struct tls *t);

#endif

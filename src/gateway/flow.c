#include "gateway/flow.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"

void
flow_init(struct flow *f)
{
	buf_init(&f->buf, 0);
	f->off = 0;
}

void
flow_done(struct flow *f)
{
	buf_wipe_done(&f->buf);
	f->off = 0;
}

size_t
flow_len(const struct flow *f)
{
	return f->buf.len - f->off;
}

const uint8_t *
flow_data(const struct flow *f)
{
	return f->buf.data + f->off;
}

void
flow_drop(struct flow *f, size_t n)
{
	f->off += n;
	if (f->off >= f->buf.len) {
		buf_done(&f->buf);
		f->off = 0;
	} else if (f->off > f->buf.len / 2) {
		buf_consume(&f->buf, f->off);
		f->off = 0;
	}
}

struct buf *
flow_buf(struct flow *f)
{
	return &f->buf;
}

void
flow_add(struct flow *f, const void *data, size_t len)
{
	buf_bytes(&f->buf, data, len);
}

int
flow_read(struct flow *f, int fd)
{
	uint8_t chunk[FLOW_READ];
	ssize_t n;

	do
		n = recv(fd, chunk, sizeof(chunk), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? ERR_SHORT :
		    ERR_IO;
	flow_add(f, chunk, (size_t)n);
	return f->buf.failed ? ERR_MEMORY : (int)n;
}

int
flow_write(struct flow *f, int fd)
{
	ssize_t n;

	while (flow_len(f) > 0) {
		n = send(fd, flow_data(f), flow_len(f), MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK ? 0 :
			    ERR_IO;
		flow_drop(f, (size_t)n);
	}
	return f->buf.failed ? ERR_MEMORY : 0;
}

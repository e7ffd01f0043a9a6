#include "gateway/flow.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "tls/tls.h"

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

static int
read_plain(int fd, uint8_t *ret, size_t len)
{
	ssize_t n;

	do
		n = recv(fd, ret, len, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? ERR_SHORT :
		    ERR_IO;
	return (int)n;
}

int
flow_read(struct flow *f, int fd, struct tls *t)
{
	uint8_t chunk[FLOW_READ];
	int n;

	n = t != NULL ? tls_read(t, chunk, sizeof(chunk)) :
	    read_plain(fd, chunk, sizeof(chunk));
	if (n <= 0)
		return n;
	flow_add(f, chunk, (size_t)n);
	return f->buf.failed ? ERR_MEMORY : n;
}

static int
write_plain(int fd, const uint8_t *data, size_t len)
{
	ssize_t n;

	do
		n = send(fd, data, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? ERR_SHORT :
		    ERR_IO;
	return (int)n;
}

int
flow_write(struct flow *f, int fd, struct tls *t)
{
	size_t len;
	int n;

	while ((len = flow_len(f)) > 0) {
		if (len > INT_MAX)
			len = INT_MAX;
		n = t != NULL ? tls_write(t, flow_data(f), len) :
		    write_plain(fd, flow_data(f), len);
		if (n == ERR_SHORT)
			return 0;
		if (n < 0)
			return n;
		flow_drop(f, (size_t)n);
	}
	return f->buf.failed ? ERR_MEMORY : 0;
}

#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct bytes
bytes_of(const void *data, size_t len)
{
	struct bytes b = {data, len};

	return b;
}

struct bytes
bytes_str(const char *s)
{
	return bytes_of(s, strlen(s));
}

bool
bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len &&
	    (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

void
reader_init(struct reader *r, const void *data, size_t len)
{
	r->data = data;
	r->len = len;
	r->pos = 0;
}

size_t
reader_left(const struct reader *r)
{
	return r->len - r->pos;
}

/* Reads an n-byte big-endian integer, n <= 8. */
static int
read_int(struct reader *r, size_t n, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i;

	if (reader_left(r) < n)
		return ERR_SHORT;
	for (i = 0; i < n; i++)
		v = v << 8 | r->data[r->pos + i];
	r->pos += n;
	*ret = v;
	return 0;
}

int
reader_u8(struct reader *r, uint8_t *ret)
{
	uint64_t v;
	int e;

	if ((e = read_int(r, 1, &v)) == 0)
		*ret = (uint8_t)v;
	return e;
}

int
reader_u16(struct reader *r, uint16_t *ret)
{
	uint64_t v;
	int e;

	if ((e = read_int(r, 2, &v)) == 0)
		*ret = (uint16_t)v;
	return e;
}

int
reader_u32(struct reader *r, uint32_t *ret)
{
	uint64_t v;
	int e;

	if ((e = read_int(r, 4, &v)) == 0)
		*ret = (uint32_t)v;
	return e;
}

int
reader_u64(struct reader *r, uint64_t *ret)
{
	return read_int(r, 8, ret);
}

int
reader_bytes(struct reader *r, size_t len, struct bytes *ret)
{
	if (reader_left(r) < len)
		return ERR_SHORT;
	*ret = bytes_of(r->data + r->pos, len);
	r->pos += len;
	return 0;
}

int
reader_cstr(struct reader *r, const char **ret)
{
	const uint8_t *start = r->data + r->pos;
	const uint8_t *end;

	if (reader_left(r) == 0 ||
	    (end = memchr(start, 0, reader_left(r))) == NULL)
		return ERR_SHORT;
	*ret = (const char *)start;
	r->pos += (size_t)(end - start) + 1;
	return 0;
}

void
buf_init(struct buf *b, size_t max)
{
	memset(b, 0, sizeof(*b));
	b->max = max;
}

void
buf_done(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

void
buf_wipe_done(struct buf *b)
{
	if (b->data != NULL)
		wipe(b->data, b->cap);
	buf_done(b);
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

uint8_t *
buf_reserve(struct buf *b, size_t n)
{
	size_t max = b->max != 0 ? b->max : BUF_MAX_DEFAULT;
	size_t want, cap;
	uint8_t *p;

	if (b->failed)
		return NULL;
	if (n > max || b->len > max - n) {
		b->failed = true;
		return NULL;
	}
	want = b->len + n;
	if (want <= b->cap)
		return b->data + b->len;
	cap = b->cap != 0 ? b->cap : 64;
	while (cap < want)
		cap *= 2;
	if ((p = realloc(b->data, cap)) == NULL) {
		b->failed = true;
		return NULL;
	}
	b->data = p;
	b->cap = cap;
	return b->data + b->len;
}

void
buf_consume(struct buf *b, size_t n)
{
	if (n >= b->len) {
		b->len = 0;
		return;
	}
	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
}

static void
write_int(struct buf *b, uint64_t v, size_t n)
{
	uint8_t *p = buf_reserve(b, n);
	size_t i;

	if (p == NULL)
		return;
	for (i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
	b->len += n;
}

void
buf_u8(struct buf *b, uint8_t v)
{
	write_int(b, v, 1);
}

void
buf_u16(struct buf *b, uint16_t v)
{
	write_int(b, v, 2);
}

void
buf_u32(struct buf *b, uint32_t v)
{
	write_int(b, v, 4);
}

void
buf_u64(struct buf *b, uint64_t v)
{
	write_int(b, v, 8);
}

void
buf_bytes(struct buf *b, const void *data, size_t len)
{
	uint8_t *p = buf_reserve(b, len);

	if (p == NULL || len == 0)
		return;
	memcpy(p, data, len);
	b->len += len;
}

void
buf_str(struct buf *b, const char *s)
{
	buf_bytes(b, s, strlen(s));
}

void
buf_cstr(struct buf *b, const char *s)
{
	buf_bytes(b, s, strlen(s) + 1);
}

void
buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	uint8_t *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || (p = buf_reserve(b, (size_t)n + 1)) == NULL) {
		b->failed = true;
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf((char *)p, (size_t)n + 1, fmt, ap); /* measured */
	va_end(ap);
	b->len += (size_t)n;
}

void
buf_put_u32(struct buf *b, size_t pos, uint32_t v)
{
	size_t i;

	if (b->failed || b->len < 4 || pos > b->len - 4) {
		b->failed = true;
		return;
	}
	for (i = 0; i < 4; i++)
		b->data[pos + i] = (uint8_t)(v >> (8 * (3 - i)));
}

const char *
buf_text(struct buf *b)
{
	uint8_t *p = buf_reserve(b, 1);

	if (p == NULL)
		return NULL;
	*p = 0;
	return (const char *)b->data;
}

char *
buf_steal(struct buf *b)
{
	char *s;

	if (buf_text(b) == NULL)
		return NULL;
	s = (char *)b->data;
	buf_init(b, b->max);
	return s;
}

void
wipe(void *p, size_t len)
{
	explicit_bzero(p, len);
}

bool
equal_secret(const void *a, const void *b, size_t len)
{
	const uint8_t *x = a, *y = b;
	uint8_t diff = 0;
	size_t i;

	for (i = 0; i < len; i++)
		diff |= x[i] ^ y[i];
	return diff == 0;
}

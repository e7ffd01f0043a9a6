#include "wire/frame.h"

#include <string.h>

#include "base/err.h"

#define LENGTH_MAX 0x7fffffffu

int
frame_head(const void *data, size_t len, uint8_t *type, uint32_t *body_len)
{
	struct reader r;
	uint32_t n;
	uint8_t t;

	reader_init(&r, data, len);
	if (reader_u8(&r, &t) != 0 || reader_u32(&r, &n) != 0)
		return ERR_SHORT;
	if (n < 4 || n > LENGTH_MAX)
		return ERR_FORMAT;
	*type = t;
	*body_len = n - 4;
	return 0;
}

int
frame_read(struct reader *r, size_t max, struct frame *ret)
{
	struct frame f;
	uint32_t n;
	int e;

	if ((e = frame_head(r->data + r->pos, reader_left(r), &f.type,
	    &n)) != 0)
		return e;
	if (n > max)
		return ERR_LIMIT;
	if (reader_left(r) - FRAME_HEAD < n)
		return ERR_SHORT;
	r->pos += FRAME_HEAD;
	if ((e = reader_bytes(r, n, &f.body)) != 0)
		return e;
	*ret = f;
	return 0;
}

size_t
frame_begin(struct buf *out, uint8_t type)
{
	buf_u8(out, type);
	buf_u32(out, 0);
	return out->len - 4;
}

void
frame_end(struct buf *out, size_t at)
{
	if (!out->failed)
		buf_put_u32(out, at, (uint32_t)(out->len - at));
}

void
stream_init(struct stream *s)
{
	memset(s, 0, sizeof(*s));
}

bool
stream_between(const struct stream *s)
{
	return s->n_head == 0 && s->left == 0;
}

static int
stream_head(struct stream *s)
{
	int r;

	if ((r = frame_head(s->head, FRAME_HEAD, &s->type, &s->left)) != 0)
		return r;
	s->n_head = 0;
	if (s->type == 'D' || s->type == 'd')
		s->rows++;
	return 0;
}

static void
stream_body(struct stream *s, const uint8_t *p, size_t n)
{
	if (s->type == 'D' || s->type == 'd')
		s->bytes += n;
	else if (s->type == 'Z')
		s->status = p[0];
	s->left -= (uint32_t)n;
}

int
stream_feed(struct stream *s, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t n;

	while (len > 0) {
		if (s->left > 0) {
			n = len < s->left ? len : s->left;
			stream_body(s, p, n);
		} else {
			n = FRAME_HEAD - s->n_head;
			n = len < n ? len : n;
			memcpy(s->head + s->n_head, p, n);
			s->n_head += (unsigned)n;
			if (s->n_head == FRAME_HEAD && stream_head(s) != 0)
				return ERR_FORMAT;
		}
		p += n;
		len -= n;
	}
	return 0;
}

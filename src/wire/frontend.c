#include "wire/frontend.h"

#include <string.h>

#include "base/err.h"
#include "wire/frame.h"

#define NULL_LENGTH 0xffffffffu	/* of a parameter or response: absent */

static int
at_end(const struct reader *r)
{
	return reader_left(r) == 0 ? 0 : ERR_FORMAT;
}

int
frontend_query_read(struct bytes body, struct frontend_query *ret)
{
	struct frontend_query q;
	struct reader r;

	reader_init(&r, body.data, body.len);
	if (reader_cstr(&r, &q.sql) != 0 || at_end(&r) != 0)
		return ERR_FORMAT;
	q.len = body.len - 1;
	*ret = q;
	return 0;
}

int
frontend_parse_read(struct bytes body, struct frontend_parse *ret)
{
	struct frontend_parse p;
	struct bytes types;
	struct reader r;
	uint16_t n;

	reader_init(&r, body.data, body.len);
	if (reader_cstr(&r, &p.name) != 0 || reader_cstr(&r, &p.sql) != 0)
		return ERR_FORMAT;
	p.len = strlen(p.sql);
	if (reader_u16(&r, &n) != 0 ||
	    reader_bytes(&r, (size_t)n * 4, &types) != 0 || at_end(&r) != 0)
		return ERR_FORMAT;
	*ret = p;
	return 0;
}

/* One parameter's value: its length, or -1 for NULL, and the bytes. */
static int
skip_value(struct reader *r)
{
	struct bytes b;
	uint32_t len;

	if (reader_u32(r, &len) != 0)
		return ERR_FORMAT;
	if (len == NULL_LENGTH)
		return 0;
	return reader_bytes(r, len, &b) == 0 ? 0 : ERR_FORMAT;
}

int
frontend_bind_read(struct bytes body, struct frontend_bind *ret)
{
	struct frontend_bind b;
	struct bytes formats;
	struct reader r;
	uint16_t n;

	reader_init(&r, body.data, body.len);
	if (reader_cstr(&r, &b.portal) != 0 ||
	    reader_cstr(&r, &b.statement) != 0 ||
	    reader_u16(&r, &n) != 0 ||
	    reader_bytes(&r, (size_t)n * 2, &formats) != 0 ||
	    reader_u16(&r, &n) != 0)
		return ERR_FORMAT;
	while (n-- > 0)
		if (skip_value(&r) != 0)
			return ERR_FORMAT;
	if (reader_u16(&r, &n) != 0 ||
	    reader_bytes(&r, (size_t)n * 2, &formats) != 0 || at_end(&r) != 0)
		return ERR_FORMAT;
	*ret = b;
	return 0;
}

int
frontend_target_read(struct bytes body, struct frontend_target *ret)
{
	struct frontend_target t;
	struct reader r;
	uint8_t kind;

	reader_init(&r, body.data, body.len);
	if (reader_u8(&r, &kind) != 0 || reader_cstr(&r, &t.name) != 0 ||
	    at_end(&r) != 0 || (kind != 'S' && kind != 'P'))
		return ERR_FORMAT;
	t.kind = (char)kind;
	*ret = t;
	return 0;
}

int
frontend_execute_read(struct bytes body, struct frontend_execute *ret)
{
	struct frontend_execute e;
	struct reader r;

	reader_init(&r, body.data, body.len);
	if (reader_cstr(&r, &e.portal) != 0 ||
	    reader_u32(&r, &e.max_rows) != 0 || at_end(&r) != 0)
		return ERR_FORMAT;
	*ret = e;
	return 0;
}

int
frontend_sasl_read(struct bytes body, struct frontend_sasl *ret)
{
	struct frontend_sasl s;
	struct reader r;
	uint32_t len;

	reader_init(&r, body.data, body.len);
	if (reader_cstr(&r, &s.mechanism) != 0 || reader_u32(&r, &len) != 0)
		return ERR_FORMAT;
	s.data = bytes_of(NULL, 0);
	if (len != NULL_LENGTH && reader_bytes(&r, len, &s.data) != 0)
		return ERR_FORMAT;
	if (at_end(&r) != 0)
		return ERR_FORMAT;
	*ret = s;
	return 0;
}

void
frontend_empty_write(struct buf *out, uint8_t type)
{
	frame_end(out, frame_begin(out, type));
}

void
frontend_query_write(struct buf *out, const char *sql)
{
	size_t at = frame_begin(out, 'Q');

	buf_cstr(out, sql);
	frame_end(out, at);
}

void
frontend_parse_write(struct buf *out, const char *name, const char *sql)
{
	size_t at = frame_begin(out, 'P');

	buf_cstr(out, name);
	buf_cstr(out, sql);
	buf_u16(out, 0);
	frame_end(out, at);
}

void
frontend_close_write(struct buf *out, char kind, const char *name)
{
	size_t at = frame_begin(out, 'C');

	buf_u8(out, (uint8_t)kind);
	buf_cstr(out, name);
	frame_end(out, at);
}

void
frontend_sasl_write(struct buf *out, const char *mechanism, struct bytes data)
{
	size_t at = frame_begin(out, 'p');

	buf_cstr(out, mechanism);
	buf_u32(out, (uint32_t)data.len);
	buf_bytes(out, data.data, data.len);
	frame_end(out, at);
}

void
frontend_sasl_next_write(struct buf *out, struct bytes data)
{
	size_t at = frame_begin(out, 'p');

	buf_bytes(out, data.data, data.len);
	frame_end(out, at);
}

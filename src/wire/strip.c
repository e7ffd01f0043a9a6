#include "wire/strip.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "wire/frame.h"

#define FIELD_TAIL 18		/* of a column in a RowDescription */

bool
strip_has_mark(struct bytes body, const char *mark)
{
	struct reader r;
	const char *name;
	uint16_t n;

	reader_init(&r, body.data, body.len);
	return reader_u16(&r, &n) == 0 && n > 0 &&
	    reader_cstr(&r, &name) == 0 &&
	    strncmp(name, mark, strlen(mark)) == 0;
}

static int
column(struct reader *r, strip_table_fn *table, void *arg, struct buf *out)
{
	struct bytes tail;
	const char *name;
	uint32_t oid;

	if (reader_cstr(r, &name) != 0 || reader_u32(r, &oid) != 0 ||
	    reader_bytes(r, FIELD_TAIL - 4, &tail) != 0)
		return ERR_FORMAT;
	if (out == NULL)
		return 0;
	buf_cstr(out, name);
	buf_u32(out, table(arg, oid));
	buf_bytes(out, tail.data, tail.len);
	return 0;
}

int
strip_description(struct bytes body, strip_table_fn *table, void *arg,
    struct buf *out)
{
	size_t start = out->len, at;
	struct reader r;
	uint16_t n, i;

	reader_init(&r, body.data, body.len);
	if (reader_u16(&r, &n) != 0 || n == 0 ||
	    column(&r, table, arg, NULL) != 0)
		return ERR_FORMAT;
	at = frame_begin(out, 'T');
	buf_u16(out, (uint16_t)(n - 1));
	for (i = 1; i < n; i++)
		if (column(&r, table, arg, out) != 0)
			break;
	frame_end(out, at);
	if (i == n && reader_left(&r) == 0)
		return 0;
	out->len = start;
	return ERR_FORMAT;
}

int
strip_copy(struct bytes body, uint16_t *others, struct buf *out)
{
	struct bytes formats;
	struct reader r;
	uint8_t format;
	uint16_t n;
	size_t at;

	reader_init(&r, body.data, body.len);
	if (reader_u8(&r, &format) != 0 || reader_u16(&r, &n) != 0 || n == 0 ||
	    reader_bytes(&r, (size_t)n * 2, &formats) != 0 ||
	    reader_left(&r) != 0)
		return ERR_FORMAT;
	at = frame_begin(out, 'H');
	buf_u8(out, format);
	*others = (uint16_t)(n - 1);
	buf_u16(out, *others);
	buf_bytes(out, formats.data + 2, formats.len - 2);
	frame_end(out, at);
	return 0;
}

int
strip_row_head(const uint8_t head[static STRIP_ROW_HEAD], uint32_t body_len,
    uint32_t *first_len, uint16_t *others)
{
	struct reader r;
	uint32_t len;
	uint16_t n;

	reader_init(&r, head, STRIP_ROW_HEAD);
	if (reader_u16(&r, &n) != 0 || reader_u32(&r, &len) != 0 || n == 0)
		return ERR_FORMAT;
	if (len == UINT32_MAX)		/* NULL */
		len = 0;
	if (body_len < STRIP_ROW_HEAD || len > body_len - STRIP_ROW_HEAD)
		return ERR_FORMAT;
	*first_len = len;
	*others = (uint16_t)(n - 1);
	return 0;
}

/* Past a count and as many numbers of 16 bits. */
static int
skip_formats(struct reader *r, uint16_t *n)
{
	struct bytes skipped;

	return reader_u16(r, n) != 0 ? ERR_FORMAT :
	    reader_bytes(r, (size_t)*n * 2, &skipped);
}

static int
skip_values(struct reader *r)
{
	struct bytes skipped;
	uint32_t len;
	uint16_t n;

	if (reader_u16(r, &n) != 0)
		return ERR_FORMAT;
	for (; n > 0; n--)
		if (reader_u32(r, &len) != 0 || (len != UINT32_MAX &&
		    reader_bytes(r, len, &skipped) != 0))
			return ERR_FORMAT;
	return 0;
}

int
strip_bind(struct bytes body, struct buf *out)
{
	const char *portal, *statement;
	struct reader r;
	size_t at, where;
	uint16_t n;

	reader_init(&r, body.data, body.len);
	if (reader_cstr(&r, &portal) != 0 ||
	    reader_cstr(&r, &statement) != 0 || skip_formats(&r, &n) != 0 ||
	    skip_values(&r) != 0)
		return ERR_FORMAT;
	where = r.pos;
	if (skip_formats(&r, &n) != 0 || reader_left(&r) != 0)
		return ERR_FORMAT;
	at = frame_begin(out, 'B');
	buf_bytes(out, body.data, where);
	if (n < 2) {
		buf_bytes(out, body.data + where, body.len - where);
	} else {
		buf_u16(out, (uint16_t)(n + 1));
		buf_u16(out, 0);
		buf_bytes(out, body.data + where + 2, body.len - where - 2);
	}
	frame_end(out, at);
	return 0;
}

int
strip_parse(struct bytes body, const char *sql, struct buf *out)
{
	const char *name, *old;
	struct reader r;
	size_t at;

	reader_init(&r, body.data, body.len);
	if (reader_cstr(&r, &name) != 0 || reader_cstr(&r, &old) != 0)
		return ERR_FORMAT;
	at = frame_begin(out, 'P');
	buf_cstr(out, name);
	buf_cstr(out, sql);
	buf_bytes(out, body.data + r.pos, body.len - r.pos);
	frame_end(out, at);
	return 0;
}

static void
error_field(struct buf *out, uint8_t type, const char *value,
    const char *mark, strip_place_fn *place, void *arg)
{
	uint32_t at;

	if (type == 'P') {
		at = place(arg, (uint32_t)strtoul(value, NULL, 10));
		if (at == 0)
			return;
		buf_u8(out, type);
		buf_fmt(out, "%u", (unsigned)at);
		buf_u8(out, 0);
		return;
	}
	if (type != 'M' && strstr(value, mark) != NULL)
		return;
	buf_u8(out, type);
	buf_cstr(out, value);
}

int
strip_error(struct bytes body, const char *mark, strip_place_fn *place,
    void *arg, struct buf *out)
{
	size_t start = out->len, at = frame_begin(out, 'E');
	const char *value;
	struct reader r;
	uint8_t type;

	reader_init(&r, body.data, body.len);
	while (reader_u8(&r, &type) == 0) {
		if (type == 0 && reader_left(&r) == 0) {
			buf_u8(out, 0);
			frame_end(out, at);
			return 0;
		}
		if (type == 0 || reader_cstr(&r, &value) != 0)
			break;
		error_field(out, type, value, mark, place, arg);
	}
	out->len = start;
	return ERR_FORMAT;
}

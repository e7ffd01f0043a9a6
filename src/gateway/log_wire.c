/*
 * Every reader takes a whole body: bytes left over are an error.
 */
#include "gateway/log_wire.h"

#include <string.h>

#include "base/err.h"

int
log_wire_next(struct reader *r, uint8_t *type, struct reader *body)
{
	struct reader at = *r;
	struct bytes bytes;
	uint32_t len;
	uint8_t t;

	if (reader_u8(&at, &t) != 0 || reader_u32(&at, &len) != 0)
		return ERR_SHORT;
	if (len > LOG_WIRE_BODY_MAX)
		return ERR_LIMIT;
	if (reader_bytes(&at, len, &bytes) != 0)
		return ERR_SHORT;
	*type = t;
	reader_init(body, bytes.data, bytes.len);
	*r = at;
	return 0;
}

static int
end(const struct reader *body)
{
	return reader_left(body) == 0 ? 0 : ERR_FORMAT;
}

/* All that is left. */
static struct bytes
rest(struct reader *body)
{
	struct bytes b = {NULL, 0};

	(void)reader_bytes(body, reader_left(body), &b); /* it is there */
	return b;
}

/* A string that fits into cap with its NUL. */
static int
text(struct reader *body, char *ret, size_t cap)
{
	const char *s;

	if (reader_cstr(body, &s) != 0 || strlen(s) >= cap)
		return ERR_FORMAT;
	memcpy(ret, s, strlen(s) + 1);
	return 0;
}

int
log_wire_ask_read(struct reader *body)
{
	uint32_t version;

	if (reader_u32(body, &version) != 0 || version != LOG_WIRE_VERSION)
		return ERR_FORMAT;
	return end(body);
}

int
log_wire_append_read(struct reader *body, struct log_append *ret)
{
	if (reader_u64(body, &ret->id) != 0 ||
	    reader_u64(body, &ret->seq) != 0)
		return ERR_FORMAT;
	ret->entry = rest(body);
	return 0;
}

int
log_wire_object_read(struct reader *body, struct log_object *ret)
{
	struct bytes hash;

	if (reader_u64(body, &ret->id) != 0 ||
	    reader_u64(body, &ret->len) != 0 ||
	    reader_bytes(body, HASH_LEN, &hash) != 0)
		return ERR_FORMAT;
	memcpy(ret->hash, hash.data, HASH_LEN);
	ret->part = rest(body);
	return 0;
}

int
log_wire_hello_read(struct reader *body, struct log_where *ret)
{
	struct log_hello *h = &ret->hello;
	uint64_t time_ms;
	struct bytes last;
	uint8_t clean;

	memset(ret, 0, sizeof(*ret));
	if (text(body, h->origin, sizeof(h->origin)) != 0 ||
	    text(body, h->key, sizeof(h->key)) != 0 ||
	    reader_u64(body, &h->next) != 0 ||
	    reader_u64(body, &time_ms) != 0 || reader_u8(body, &clean) != 0 ||
	    reader_bytes(body, HASH_LEN, &last) != 0)
		return ERR_FORMAT;
	h->last_time_ms = (int64_t)time_ms;
	h->clean = clean != 0;
	memcpy(ret->last.h, last.data, HASH_LEN);
	return end(body);
}

int
log_wire_durable_read(struct reader *body, uint64_t *next)
{
	return reader_u64(body, next) != 0 ? ERR_FORMAT : end(body);
}

int
log_wire_refused_read(struct reader *body, struct log_refused *ret)
{
	if (reader_u64(body, &ret->id) != 0 ||
	    reader_u64(body, &ret->next) != 0)
		return ERR_FORMAT;
	return end(body);
}

int
log_wire_stored_read(struct reader *body, struct log_stored *ret)
{
	uint8_t result;

	memset(ret, 0, sizeof(*ret));
	if (reader_u64(body, &ret->id) != 0 || reader_u8(body, &result) != 0 ||
	    text(body, ret->hex, sizeof(ret->hex)) != 0)
		return ERR_FORMAT;
	ret->result = -(int)result;
	return end(body);
}

/* Opens a message; close() fills in its length. */
static size_t
open_message(struct buf *out, enum log_wire type)
{
	buf_u8(out, (uint8_t)type);
	buf_u32(out, 0);
	return out->len;
}

static void
close_message(struct buf *out, size_t start)
{
	if (!out->failed)
		buf_put_u32(out, start - 4, (uint32_t)(out->len - start));
}

void
log_wire_ask_write(struct buf *out)
{
	size_t start = open_message(out, LOG_WIRE_ASK);

	buf_u32(out, LOG_WIRE_VERSION);
	close_message(out, start);
}

void
log_wire_append_write(struct buf *out, const struct log_append *a)
{
	size_t start = open_message(out, LOG_WIRE_APPEND);

	buf_u64(out, a->id);
	buf_u64(out, a->seq);
	buf_bytes(out, a->entry.data, a->entry.len);
	close_message(out, start);
}

void
log_wire_object_write(struct buf *out, const struct log_object *o)
{
	size_t start = open_message(out, LOG_WIRE_OBJECT);

	buf_u64(out, o->id);
	buf_u64(out, o->len);
	buf_bytes(out, o->hash, HASH_LEN);
	buf_bytes(out, o->part.data, o->part.len);
	close_message(out, start);
}

void
log_wire_hello_write(struct buf *out, const struct log_where *w)
{
	size_t start = open_message(out, LOG_WIRE_HELLO);

	buf_cstr(out, w->hello.origin);
	buf_cstr(out, w->hello.key);
	buf_u64(out, w->hello.next);
	buf_u64(out, (uint64_t)w->hello.last_time_ms);
	buf_u8(out, w->hello.clean);
	buf_bytes(out, w->last.h, HASH_LEN);
	close_message(out, start);
}

void
log_wire_busy_write(struct buf *out)
{
	close_message(out, open_message(out, LOG_WIRE_BUSY));
}

void
log_wire_durable_write(struct buf *out, uint64_t next)
{
	size_t start = open_message(out, LOG_WIRE_DURABLE);

	buf_u64(out, next);
	close_message(out, start);
}

void
log_wire_refused_write(struct buf *out, const struct log_refused *f)
{
	size_t start = open_message(out, LOG_WIRE_REFUSED);

	buf_u64(out, f->id);
	buf_u64(out, f->next);
	close_message(out, start);
}

void
log_wire_stored_write(struct buf *out, const struct log_stored *s)
{
	size_t start = open_message(out, LOG_WIRE_STORED);

	buf_u64(out, s->id);
	buf_u8(out, (uint8_t)-s->result);
	buf_cstr(out, s->hex);
	close_message(out, start);
}

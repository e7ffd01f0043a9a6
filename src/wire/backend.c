#include "wire/backend.h"

#include <string.h>

#include "base/err.h"
#include "wire/frame.h"

#define SCRAM "SCRAM-SHA-256"
#define TYPE_TEXT 25		/* pg_type.oid of text */
#define SCRAM_PLUS "SCRAM-SHA-256-PLUS"

static void
field(struct buf *out, uint8_t code, const char *value)
{
	if (value == NULL || *value == 0)
		return;
	buf_u8(out, code);
	buf_cstr(out, value);
}

static void
fields_write(struct buf *out, uint8_t type, const struct backend_error *e)
{
	size_t at = frame_begin(out, type);

	field(out, 'S', e->severity);
	field(out, 'V', e->severity);
	field(out, 'C', e->sqlstate);
	field(out, 'M', e->message);
	field(out, 'D', e->detail);
	field(out, 'H', e->hint);
	buf_u8(out, 0);
	frame_end(out, at);
}

void
backend_error_write(struct buf *out, const struct backend_error *e)
{
	fields_write(out, 'E', e);
}

void
backend_notice_write(struct buf *out, const struct backend_error *e)
{
	fields_write(out, 'N', e);
}

int
backend_error_read(struct bytes body, struct backend_error *ret)
{
	struct backend_error e = {"", "", "", NULL, NULL};
	struct reader r;
	const char *value;
	uint8_t code;

	reader_init(&r, body.data, body.len);
	for (;;) {
		if (reader_u8(&r, &code) != 0)
			return ERR_FORMAT;
		if (code == 0)
			break;
		if (reader_cstr(&r, &value) != 0)
			return ERR_FORMAT;
		if (code == 'V' || (code == 'S' && *e.severity == 0))
			e.severity = value;
		else if (code == 'C')
			e.sqlstate = value;
		else if (code == 'M')
			e.message = value;
		else if (code == 'D')
			e.detail = value;
		else if (code == 'H')
			e.hint = value;
	}
	if (reader_left(&r) != 0 ||
	    strlen(e.sqlstate) != BACKEND_SQLSTATE_LEN)
		return ERR_FORMAT;
	*ret = e;
	return 0;
}

void
backend_auth_write(struct buf *out, enum backend_auth code, struct bytes data)
{
	size_t at = frame_begin(out, 'R');

	buf_u32(out, (uint32_t)code);
	buf_bytes(out, data.data, data.len);
	frame_end(out, at);
}

void
backend_sasl_write(struct buf *out, bool plus)
{
	static const char both[] = SCRAM_PLUS "\0" SCRAM "\0";
	static const char one[] = SCRAM "\0";

	backend_auth_write(out, BACKEND_AUTH_SASL, plus ?
	    bytes_of(both, sizeof(both)) : bytes_of(one, sizeof(one)));
}

int
backend_auth_read(struct bytes body, uint32_t *code, struct bytes *data)
{
	struct reader r;

	reader_init(&r, body.data, body.len);
	if (reader_u32(&r, code) != 0)
		return ERR_FORMAT;
	*data = bytes_of(body.data + r.pos, reader_left(&r));
	return 0;
}

int
backend_sasl_offers(struct bytes list, const char *mechanism)
{
	struct reader r;
	const char *m;

	reader_init(&r, list.data, list.len);
	while (reader_cstr(&r, &m) == 0 && *m != 0)
		if (strcmp(m, mechanism) == 0)
			return 1;
	return 0;
}

void
backend_parameter_write(struct buf *out, const char *name, const char *value)
{
	size_t at = frame_begin(out, 'S');

	buf_cstr(out, name);
	buf_cstr(out, value);
	frame_end(out, at);
}

void
backend_key_write(struct buf *out, uint32_t pid, struct bytes secret)
{
	size_t at = frame_begin(out, 'K');

	buf_u32(out, pid);
	buf_bytes(out, secret.data, secret.len);
	frame_end(out, at);
}

int
backend_key_read(struct bytes body, uint32_t *pid, struct bytes *secret)
{
	struct reader r;

	reader_init(&r, body.data, body.len);
	if (reader_u32(&r, pid) != 0 || reader_left(&r) < 4 ||
	    reader_left(&r) > 256)
		return ERR_FORMAT;
	return reader_bytes(&r, reader_left(&r), secret);
}

void
backend_ready_write(struct buf *out, char status)
{
	size_t at = frame_begin(out, 'Z');

	buf_u8(out, (uint8_t)status);
	frame_end(out, at);
}

int
backend_ready_read(struct bytes body, char *status)
{
	if (body.len != 1 || (body.data[0] != 'I' && body.data[0] != 'T' &&
	    body.data[0] != 'E'))
		return ERR_FORMAT;
	*status = (char)body.data[0];
	return 0;
}

void
backend_complete_write(struct buf *out, const char *tag)
{
	size_t at = frame_begin(out, 'C');

	buf_cstr(out, tag);
	frame_end(out, at);
}

void
backend_empty_write(struct buf *out)
{
	frame_end(out, frame_begin(out, 'I'));
}

void
backend_columns_write(struct buf *out, const char *const *names, size_t n)
{
	size_t at = frame_begin(out, 'T'), i;

	buf_u16(out, (uint16_t)n);
	for (i = 0; i < n; i++) {
		buf_cstr(out, names[i]);
		buf_u32(out, 0);		/* of no table */
		buf_u16(out, 0);
		buf_u32(out, TYPE_TEXT);
		buf_u16(out, UINT16_MAX);	/* of variable length */
		buf_u32(out, UINT32_MAX);	/* no modifier */
		buf_u16(out, 0);		/* as text */
	}
	frame_end(out, at);
}

void
backend_row_write(struct buf *out, const char *const *values, size_t n)
{
	size_t at = frame_begin(out, 'D'), i, len;

	buf_u16(out, (uint16_t)n);
	for (i = 0; i < n; i++) {
		if (values[i] == NULL) {
			buf_u32(out, UINT32_MAX);
			continue;
		}
		len = strlen(values[i]);
		buf_u32(out, (uint32_t)len);
		buf_bytes(out, values[i], len);
	}
	frame_end(out, at);
}

void
backend_negotiate_write(struct buf *out, const char *const *unknown, size_t n)
{
	size_t at = frame_begin(out, 'v'), i;

	buf_u32(out, 0);	/* the newest minor version that we speak */
	buf_u32(out, (uint32_t)n);
	for (i = 0; i < n; i++)
		buf_cstr(out, unknown[i]);
	frame_end(out, at);
}

#include "wire/startup.h"

#include <string.h>

#include "base/err.h"

#define MAJOR_CODE 1234		/* of requests that are not a version */
#define MINOR_CANCEL 5678
#define MINOR_SSL 5679
#define MINOR_GSSENC 5680
#define VERSION_3_0 0x00030000u

/* Pairs of strings, ended by an empty name that is the packet's last byte. */
static int
read_params(struct reader *r, struct startup *s)
{
	struct startup_param *p;
	const char *name;

	for (;;) {
		if (reader_cstr(r, &name) != 0)
			return ERR_FORMAT;
		if (*name == 0)
			return reader_left(r) == 0 ? 0 : ERR_FORMAT;
		if (s->n_params == STARTUP_PARAMS_MAX)
			return ERR_LIMIT;
		p = &s->params[s->n_params++];
		p->name = name;
		if (reader_cstr(r, &p->value) != 0)
			return ERR_FORMAT;
	}
}

static int
read_cancel(struct reader *r, struct startup *s)
{
	size_t n;

	if (reader_u32(r, &s->cancel_pid) != 0)
		return ERR_FORMAT;
	n = reader_left(r);
	if (n < 4 || n > STARTUP_SECRET_MAX)
		return ERR_FORMAT;
	return reader_bytes(r, n, &s->cancel_secret);
}

static int
read_body(struct reader *r, struct startup *s)
{
	if (reader_u16(r, &s->major) != 0 || reader_u16(r, &s->minor) != 0)
		return ERR_FORMAT;
	if (s->major == 3) {
		s->kind = STARTUP_SESSION;
		return read_params(r, s);
	}
	if (s->major != MAJOR_CODE)
		return 0;
	if (s->minor == MINOR_CANCEL) {
		s->kind = STARTUP_CANCEL;
		return read_cancel(r, s);
	}
	if (reader_left(r) != 0)
		return ERR_FORMAT;
	if (s->minor == MINOR_SSL)
		s->kind = STARTUP_SSL;
	else if (s->minor == MINOR_GSSENC)
		s->kind = STARTUP_GSSENC;
	return 0;
}

int
startup_read(struct reader *r, struct startup *ret)
{
	struct reader all = *r, body;
	struct startup s;
	struct bytes b;
	uint32_t len;
	int e;

	memset(&s, 0, sizeof(s));
	if (reader_u32(&all, &len) != 0)
		return ERR_SHORT;
	/* The length is judged before anything waits for its bytes. */
	if (len < 8 || len - 4 > STARTUP_MAX)
		return ERR_FORMAT;
	if (reader_bytes(&all, len - 4, &b) != 0)
		return ERR_SHORT;
	reader_init(&body, b.data, b.len);
	if ((e = read_body(&body, &s)) != 0)
		return e;
	*r = all;
	*ret = s;
	return 0;
}

const char *
startup_param(const struct startup *s, const char *name)
{
	size_t i = s->n_params;

	while (i-- > 0)
		if (strcmp(s->params[i].name, name) == 0)
			return s->params[i].value;
	return NULL;
}

void
startup_write(struct buf *out, const struct startup_param *params, size_t n)
{
	size_t at = out->len, i;

	buf_u32(out, 0);
	buf_u32(out, VERSION_3_0);
	for (i = 0; i < n; i++) {
		buf_cstr(out, params[i].name);
		buf_cstr(out, params[i].value);
	}
	buf_u8(out, 0);
	buf_put_u32(out, at, (uint32_t)(out->len - at));
}

void
startup_ssl_write(struct buf *out)
{
	buf_u32(out, 8);
	buf_u16(out, MAJOR_CODE);
	buf_u16(out, MINOR_SSL);
}

void
startup_cancel_write(struct buf *out, uint32_t pid, struct bytes secret)
{
	buf_u32(out, (uint32_t)(12 + secret.len));
	buf_u16(out, MAJOR_CODE);
	buf_u16(out, MINOR_CANCEL);
	buf_u32(out, pid);
	buf_bytes(out, secret.data, secret.len);
}

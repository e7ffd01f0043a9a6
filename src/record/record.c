/*
 * A record is one compact JSON object: the envelope (v, gateway, seq, time),
 * then type, then the members of record/shape.c in their order. Statements
 * and results are written on the query path, so the encoder writes text at
 * once and builds no tree.
 *
 * Strings must be UTF-8 and numbers fit 63 bits, or encoding fails: a log
 * that cannot be read back is no log.
 */
#include "record/record.h"

#include <string.h>

#include "base/text.h"
#include "base/time.h"
#include "record/shape.h"

static const char *const type_names[] = {
	[RECORD_NONE] = "none",
	[RECORD_GENESIS] = "genesis",
	[RECORD_BOOT] = "boot",
	[RECORD_STOP] = "stop",
	[RECORD_OBJECT] = "object",
	[RECORD_STORE] = "store",
	[RECORD_SESSION] = "session",
	[RECORD_BACKEND] = "backend",
	[RECORD_CLEARANCE] = "clearance",
	[RECORD_STATEMENT] = "statement",
	[RECORD_RESULT] = "result",
	[RECORD_DENIAL] = "denial",
	[RECORD_LOGIN_FAILURE] = "login_failure",
	[RECORD_HEARTBEAT] = "heartbeat",
	[RECORD_CLOSE] = "close",
	[RECORD_SUBJECTS] = "subjects",
	[RECORD_IN_FORCE] = "in_force",
	[RECORD_ASKED] = "asked",
	[RECORD_ROTATION] = "rotation",
	[RECORD_DRIFT] = "drift",
	[RECORD_RECONCILED] = "reconciled",
	[RECORD_APPROVAL] = "approval",
};

const char *
record_type_text(enum record_type t)
{
	if (shape_of(t) == NULL)
		return type_names[RECORD_NONE];
	return type_names[t];
}

static void
write_u64(struct buf *out, uint64_t v)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	buf_bytes(out, digits + i, sizeof(digits) - i);
}

static void
write_escaped(struct buf *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	if (c == '"' || c == '\\') {
		buf_u8(out, '\\');
		buf_u8(out, c);
		return;
	}
	buf_bytes(out, "\\u00", 4);
	buf_u8(out, (uint8_t)hex[c >> 4]);
	buf_u8(out, (uint8_t)hex[c & 15]);
}

static int
write_str(struct buf *out, const char *s)
{
	const char *run;

	if (s == NULL || !text_is_utf8(s, strlen(s)))
		return ERR_FORMAT;
	buf_u8(out, '"');
	for (run = s; *s != 0; s++) {
		if ((unsigned char)*s >= 0x20 && *s != '"' && *s != '\\' &&
		    *s != 0x7f)
			continue;
		buf_bytes(out, run, (size_t)(s - run));
		write_escaped(out, (unsigned char)*s);
		run = s + 1;
	}
	buf_bytes(out, run, (size_t)(s - run));
	buf_u8(out, '"');
	return 0;
}

static int
write_number(struct buf *out, uint64_t v)
{
	if (v > INT64_MAX)
		return ERR_LIMIT;
	write_u64(out, v);
	return 0;
}

static int
write_strs(struct buf *out, const struct record_strs *l)
{
	size_t i;
	int r;

	buf_u8(out, '[');
	for (i = 0; i < l->n; i++) {
		if (i > 0)
			buf_u8(out, ',');
		if ((r = write_str(out, l->s[i])) != 0)
			return r;
	}
	buf_u8(out, ']');
	return 0;
}

/* Years 0000 to 9999 have a text that can be read back. */
static int
write_time(struct buf *out, int64_t ms)
{
	char text[TIME_TEXT_MAX];
	int64_t back;

	time_text(ms, text);
	if (time_parse(text, strlen(text), &back) != 0 || back != ms)
		return ERR_LIMIT;
	buf_u8(out, '"');
	buf_str(out, text);
	buf_u8(out, '"');
	return 0;
}

static int write_members(struct buf *, const struct shape *, const char *,
    bool);

static int
write_list(struct buf *out, const struct shape_field *f, const char *base)
{
	const char *items = *(const char *const *)(const void *)(base + f->off);
	size_t n = *(const size_t *)(const void *)(base + f->off_n);
	size_t i;
	int r;

	buf_u8(out, '[');
	for (i = 0; i < n; i++) {
		buf_bytes(out, i > 0 ? ",{" : "{", i > 0 ? 2 : 1);
		if ((r = write_members(out, f->of, items + i * f->of->size,
		    true)) != 0)
			return r;
		buf_u8(out, '}');
	}
	buf_u8(out, ']');
	return 0;
}

static bool
is_absent(const struct shape_field *f, const char *base)
{
	switch (f->kind) {
	case SHAPE_OPT:
		return *(const char *const *)(const void *)(base + f->off) ==
		    NULL;
	case SHAPE_TIME:
		return *(const int64_t *)(const void *)(base + f->off) == 0;
	case SHAPE_OPT_U64:
		return *(const uint64_t *)(const void *)(base + f->off) == 0;
	case SHAPE_OPT_LIST:
		return *(const size_t *)(const void *)(base + f->off_n) == 0;
	case SHAPE_FLAG_LIST:
	case SHAPE_FLAG_OBJECT:
		return !*(const bool *)(base + f->off_flag);
	case SHAPE_STR:
	case SHAPE_NAME:
	case SHAPE_HASH:
	case SHAPE_ENUM:
	case SHAPE_U64:
	case SHAPE_U32:
	case SHAPE_BOOL:
	case SHAPE_STRS:
	case SHAPE_LIST:
	case SHAPE_OBJECT:
		break;
	}
	return false;
}

static int
write_value(struct buf *out, const struct shape_field *f, const char *base)
{
	const void *p = base + f->off;
	const char *s;
	int r;

	switch (f->kind) {
	case SHAPE_STR:
	case SHAPE_NAME:
	case SHAPE_OPT:
	case SHAPE_HASH:
	case SHAPE_ENUM:
		s = *(const char *const *)p;
		if (s == NULL || !shape_str_fits(f, s))
			return ERR_FORMAT;
		return write_str(out, s);
	case SHAPE_U64:
	case SHAPE_OPT_U64:
		return write_number(out, *(const uint64_t *)p);
	case SHAPE_U32:
		return write_number(out, *(const uint32_t *)p);
	case SHAPE_BOOL:
		buf_str(out, *(const bool *)p ? "true" : "false");
		return 0;
	case SHAPE_TIME:
		return write_time(out, *(const int64_t *)p);
	case SHAPE_STRS:
		return write_strs(out, p);
	case SHAPE_LIST:
	case SHAPE_OPT_LIST:
	case SHAPE_FLAG_LIST:
		return write_list(out, f, base);
	case SHAPE_OBJECT:
	case SHAPE_FLAG_OBJECT:
		buf_u8(out, '{');
		r = write_members(out, f->of, p, true);
		buf_u8(out, '}');
		return r;
	}
	return ERR_FORMAT;
}

static int
write_members(struct buf *out, const struct shape *shape, const char *base,
    bool first)
{
	const struct shape_field *f;
	size_t i;
	int r;

	for (i = 0; i < shape->n; i++) {
		f = &shape->fields[i];
		if (is_absent(f, base))
			continue;
		if (!first)
			buf_u8(out, ',');
		first = false;
		buf_u8(out, '"');
		buf_str(out, f->name);
		buf_bytes(out, "\":", 2);
		if ((r = write_value(out, f, base)) != 0)
			return r;
	}
	return 0;
}

int
record_encode_body(const struct record *rec, struct buf *out)
{
	const struct shape *shape = shape_of(rec->type);
	size_t start = out->len;
	int r;

	if (shape == NULL)
		return ERR_FORMAT;
	buf_str(out, "\"type\":\"");
	buf_str(out, type_names[rec->type]);
	buf_u8(out, '"');
	if ((r = write_members(out, shape, (const char *)&rec->u, false)) != 0)
		goto out;
	buf_u8(out, '}');
	if (out->failed)
		return ERR_MEMORY;
	if (out->len - start > RECORD_MAX - RECORD_ENVELOPE_MAX)
		r = ERR_LIMIT;
out:
	if (r != 0 && !out->failed)
		out->len = start;
	return r;
}

int
record_encode_envelope(const char *gateway, uint64_t seq, int64_t time_ms,
    struct buf *out)
{
	size_t start = out->len;
	int r;

	buf_str(out, "{\"v\":1,\"gateway\":");
	if ((r = write_str(out, gateway)) != 0)
		goto out;
	buf_str(out, ",\"seq\":");
	if ((r = write_number(out, seq)) != 0)
		goto out;
	buf_str(out, ",\"time\":");
	if ((r = write_time(out, time_ms)) != 0)
		goto out;
	buf_u8(out, ',');
	if (out->failed)
		return ERR_MEMORY;
	if (out->len - start > RECORD_ENVELOPE_MAX)
		r = ERR_LIMIT;
out:
	if (r != 0 && !out->failed)
		out->len = start;
	return r;
}

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

int
text_u64(const char *s, size_t len, uint64_t *ret)
{
	uint64_t v = 0, d;
	size_t i;

	if (len == 0 || (len > 1 && s[0] == '0'))
		return ERR_FORMAT;
	for (i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return ERR_FORMAT;
		d = (uint64_t)(s[i] - '0');
		if (v > (UINT64_MAX - d) / 10)
			return ERR_FORMAT;
		v = v * 10 + d;
	}
	*ret = v;
	return 0;
}

void
text_hex(struct buf *out, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = data;
	size_t i;

	for (i = 0; i < len; i++) {
		buf_u8(out, (uint8_t)digits[p[i] >> 4]);
		buf_u8(out, (uint8_t)digits[p[i] & 15]);
	}
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
text_unhex(const char *s, size_t len, struct buf *out)
{
	size_t i;
	int a, b;

	if (len % 2 != 0)
		return ERR_FORMAT;
	for (i = 0; i < len; i += 2) {
		if ((a = hex_digit(s[i])) < 0 || (b = hex_digit(s[i + 1])) < 0)
			return ERR_FORMAT;
		buf_u8(out, (uint8_t)(a << 4 | b));
	}
	return out->failed ? ERR_MEMORY : 0;
}

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
text_base64(struct buf *out, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t v;
	size_t i, n;

	for (i = 0; i < len; i += 3) {
		n = len - i < 3 ? len - i : 3;
		v = (uint32_t)p[i] << 16;
		if (n > 1)
			v |= (uint32_t)p[i + 1] << 8;
		if (n > 2)
			v |= p[i + 2];
		buf_u8(out, (uint8_t)alphabet[v >> 18]);
		buf_u8(out, (uint8_t)alphabet[v >> 12 & 63]);
		buf_u8(out, n > 1 ? (uint8_t)alphabet[v >> 6 & 63] : '=');
		buf_u8(out, n > 2 ? (uint8_t)alphabet[v & 63] : '=');
	}
}

static int
base64_digit(char c)
{
	const char *p;

	if (c == 0 || (p = strchr(alphabet, c)) == NULL)
		return -1;
	return (int)(p - alphabet);
}

int
text_unbase64(const char *s, size_t len, struct buf *out)
{
	size_t i, k, pad;
	uint32_t v;
	int d;

	if (len % 4 != 0)
		return ERR_FORMAT;
	for (i = 0; i < len; i += 4) {
		pad = 0;
		if (i + 4 == len && s[i + 3] == '=')
			pad = s[i + 2] == '=' ? 2 : 1;
		v = 0;
		for (k = 0; k < 4; k++) {
			d = 0;
			if (k < 4 - pad && (d = base64_digit(s[i + k])) < 0)
				return ERR_FORMAT;
			v = v << 6 | (uint32_t)d;
		}
		if ((pad == 1 && (v & 0xff) != 0) ||
		    (pad == 2 && (v & 0xffff) != 0))
			return ERR_FORMAT;
		buf_u8(out, (uint8_t)(v >> 16));
		if (pad < 2)
			buf_u8(out, (uint8_t)(v >> 8));
		if (pad < 1)
			buf_u8(out, (uint8_t)v);
	}
	return out->failed ? ERR_MEMORY : 0;
}

bool
text_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Unicode 15, table 3-7: no overlong forms, no surrogates. */
bool
text_is_utf8(const char *s, size_t len)
{
	const uint8_t *p = (const uint8_t *)s;
	size_t i = 0, k, n;
	uint8_t lo, hi;

	while (i < len) {
		lo = 0x80;
		hi = 0xbf;
		if (p[i] < 0x80) {
			i++;
			continue;
		} else if (p[i] >= 0xc2 && p[i] <= 0xdf) {
			n = 1;
		} else if (p[i] >= 0xe0 && p[i] <= 0xef) {
			n = 2;
			lo = p[i] == 0xe0 ? 0xa0 : 0x80;
			hi = p[i] == 0xed ? 0x9f : 0xbf;
		} else if (p[i] >= 0xf0 && p[i] <= 0xf4) {
			n = 3;
			lo = p[i] == 0xf0 ? 0x90 : 0x80;
			hi = p[i] == 0xf4 ? 0x8f : 0xbf;
		} else {
			return false;
		}
		if (len - i <= n || p[i + 1] < lo || p[i + 1] > hi)
			return false;
		for (k = 2; k <= n; k++)
			if (p[i + k] < 0x80 || p[i + k] > 0xbf)
				return false;
		i += n + 1;
	}
	return true;
}

static void
sql_quote(struct buf *out, const char *s, char quote)
{
	buf_u8(out, (uint8_t)quote);
	for (; *s != 0; s++) {
		if (*s == quote)
			buf_u8(out, (uint8_t)quote);
		buf_u8(out, (uint8_t)*s);
	}
	buf_u8(out, (uint8_t)quote);
}

void
text_sql_ident(struct buf *out, const char *name)
{
	sql_quote(out, name, '"');
}

void
text_sql_literal(struct buf *out, const char *value)
{
	sql_quote(out, value, '\'');
}

#include "verify/say.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/time.h"
#include "record/record.h"

#define COLUMNS 78

/* The code point at s, and its length in bytes; valid UTF-8 only. */
static uint32_t
code_at(const unsigned char *s, size_t *len)
{
	uint32_t c = s[0];
	size_t i, n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	if (n > 1)
		c &= 0xffu >> (n + 1);
	for (i = 1; i < n; i++)
		c = c << 6 | (s[i] & 0x3f);
	*len = n;
	return c;
}

static bool
is_harmful(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c ||
	    c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static void
say_bytes(struct buf *out, const char *s)
{
	for (; *s != 0; s++)
		buf_fmt(out, (unsigned char)*s < 0x20 ||
		    (unsigned char)*s >= 0x7f ? "\\x%02x" : "%c",
		    (unsigned char)*s);
}

void
say_str(struct buf *out, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t len;
	uint32_t c;

	if (!text_is_utf8(s, strlen(s))) {
		say_bytes(out, s);
		return;
	}
	for (; *p != 0; p += len) {
		c = code_at(p, &len);
		if (is_harmful(c))
			buf_fmt(out, "\\u{%x}", c);
		else
			buf_bytes(out, p, len);
	}
}

static size_t
width_of(const char *s, size_t len)
{
	size_t n = 0, i;

	for (i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

void
say_wrap(struct buf *out, const char *first, unsigned indent, const char *s)
{
	size_t column = width_of(first, strlen(first)), len, width;
	struct buf safe;
	const char *p;
	bool begin = true;

	buf_init(&safe, 0);
	say_str(&safe, s);
	buf_str(out, first);
	for (p = buf_text(&safe); p != NULL && *p != 0; p += len) {
		while (*p == ' ')
			p++;
		len = strcspn(p, " ");
		width = width_of(p, len);
		if (!begin && column + 1 + width > COLUMNS) {
			buf_fmt(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (!begin) {
			buf_u8(out, ' ');
			column++;
		}
		buf_bytes(out, p, len);
		column += width;
		begin = false;
	}
	buf_u8(out, '\n');
	out->failed |= safe.failed;
	buf_done(&safe);
}

void
say_list(struct buf *out, const struct record_strs *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (i > 0)
			buf_str(out, ", ");
		say_str(out, l->s[i]);
	}
}

void
say_number(struct buf *out, uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu",
	    (unsigned long long)n), i;

	for (i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			buf_u8(out, ',');
		buf_u8(out, (uint8_t)digits[i]);
	}
}

void
say_count(struct buf *out, uint64_t n, const char *one, const char *many)
{
	say_number(out, n);
	buf_u8(out, ' ');
	buf_str(out, n == 1 ? one : many);
}

void
say_time(struct buf *out, int64_t ms)
{
	char text[TIME_TEXT_MAX];

	time_text(ms, text);
	buf_str(out, text);
}

/*
 * A name is read to its pieces byte for byte; what may be written in more
 * than one way is written in one. Letters beyond ASCII are left as they are:
 * two spellings of them are two names, and a name that leads nowhere is
 * reported, so nobody is taken for somebody else.
 */
#include "import/dn.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"

struct walk {
	const char *p;
	struct buf value;	/* unescaped */
};

static bool
is_separator(char c)
{
	return c == ',' || c == ';' || c == '+' || c == 0;
}

static void
skip_spaces(struct walk *w)
{
	while (*w->p == ' ')
		w->p++;
}

/* "type =": appended in lower case. */
static bool
read_type(struct walk *w, struct buf *out)
{
	size_t n = 0;

	skip_spaces(w);
	for (; isalnum((unsigned char)*w->p) || *w->p == '-' || *w->p == '.';
	    w->p++, n++)
		if (out != NULL)
			buf_u8(out, (uint8_t)tolower((unsigned char)*w->p));
	skip_spaces(w);
	return n > 0 && *w->p++ == '=';
}

static bool
read_escape(struct walk *w)
{
	if (isxdigit((unsigned char)w->p[1]) &&
	    isxdigit((unsigned char)w->p[2])) {
		if (text_unhex(w->p + 1, 2, &w->value) != 0)
			return false;
		w->p += 3;
		return true;
	}
	if (w->p[1] == 0)
		return false;
	buf_u8(&w->value, (uint8_t)w->p[1]);
	w->p += 2;
	return true;
}

static bool
read_value(struct walk *w)
{
	size_t keep = 0;	/* spaces behind this were not escaped */
	bool quoted = false;

	buf_reset(&w->value);
	skip_spaces(w);
	if (*w->p == '"') {	/* RFC 2253 lets a value stand in quotes */
		quoted = true;
		w->p++;
	}
	while (quoted ? *w->p != '"' : !is_separator(*w->p)) {
		if (*w->p == 0)
			return false;
		if (*w->p == '\\') {
			if (!read_escape(w))
				return false;
			keep = w->value.len;
			continue;
		}
		buf_u8(&w->value, (uint8_t)*w->p);
		if (*w->p++ != ' ' || quoted)
			keep = w->value.len;
	}
	if (quoted) {
		w->p++;
		skip_spaces(w);
	}
	w->value.len = keep;
	return is_separator(*w->p) && !w->value.failed;
}

/* Spaces at the ends count for nothing, several for one (RFC 4518, 2.6.1). */
static void
put_value(struct buf *out, const struct buf *value)
{
	bool space = true;
	size_t i, end = value->len;
	char c;

	while (end > 0 && value->data[end - 1] == ' ')
		end--;
	for (i = 0; i < end; i++) {
		c = (char)value->data[i];
		if (c == ' ' && space)
			continue;
		space = c == ' ';
		if (c == 0 || strchr(",;+\"\\<>=", c) != NULL)
			buf_fmt(out, "\\%02x", (unsigned)c);
		else
			buf_u8(out, (uint8_t)tolower((unsigned char)c));
	}
}

const char *
dn_normal(struct arena *a, const char *dn)
{
	const char *ret = NULL;
	struct walk w = {.p = dn};
	struct buf out;

	buf_init(&w.value, 0);
	buf_init(&out, 0);
	for (;;) {
		if (!read_type(&w, &out))
			goto out;
		buf_u8(&out, '=');
		if (!read_value(&w))
			goto out;
		put_value(&out, &w.value);
		if (*w.p == 0)
			break;
		buf_u8(&out, *w.p == '+' ? '+' : ',');
		w.p++;
	}
	if (buf_text(&out) != NULL)
		ret = arena_strn(a, (const char *)out.data, out.len);
out:
	buf_done(&out);
	buf_done(&w.value);
	return ret;
}

const char *
dn_first(struct arena *a, const char *dn)
{
	const char *ret = NULL;
	struct walk w = {.p = dn};

	buf_init(&w.value, 0);
	if (read_type(&w, NULL) && read_value(&w) && w.value.len > 0 &&
	    memchr(w.value.data, 0, w.value.len) == NULL)
		ret = arena_strn(a, (const char *)w.value.data, w.value.len);
	buf_done(&w.value);
	return ret;
}

/*
 * Physical lines are joined to logical ones, so that nothing else has to
 * know of folding: a line's end is known only when the next one does not
 * begin with a space. Comments are folded like everything else.
 */
#include "import/ldif.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"

struct ldif {
	entry_fn *fn;
	void *arg;
	struct why *why;		/* during a call */
	struct entry e;
	struct buf part;		/* of a physical line */
	struct buf line;		/* logical */
	struct buf value;		/* decoded */
	bool has_line, has_entry, any;
	bool version_seen;
	unsigned number;		/* of the physical line */
	unsigned line_number;		/* where the logical one began */
};

struct ldif *
ldif_new(const char *file, entry_fn *fn, void *arg)
{
	struct ldif *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->fn = fn;
	l->arg = arg;
	buf_init(&l->part, LDIF_LINE_MAX);
	buf_init(&l->line, LDIF_LINE_MAX);
	buf_init(&l->value, LDIF_LINE_MAX);
	if (entry_init(&l->e) != 0) {
		ldif_free(l);
		return NULL;
	}
	l->e.at.file = file;
	return l;
}

void
ldif_free(struct ldif *l)
{
	if (l == NULL)
		return;
	buf_done(&l->part);
	buf_done(&l->line);
	buf_done(&l->value);
	entry_done(&l->e);
	free(l);
}

static int
fail(struct ldif *l, const char *text)
{
	return why_set(l->why, ERR_FORMAT, l->line_number, 0, "%s", text);
}

static int
end_entry(struct ldif *l)
{
	if (!l->has_entry)
		return 0;
	l->has_entry = false;
	return l->fn(l->arg, &l->e);
}

/* "name: value", "name:: base64": the value, decoded, in l->value. */
static int
read_value(struct ldif *l, const char *p, size_t len)
{
	bool coded = len > 0 && *p == ':';

	buf_reset(&l->value);
	if (len > 0 && *p == '<')
		return fail(l, "the value is given by a URL, which is not "
		    "followed; export with the values written out");
	if (coded) {
		p++;
		len--;
	}
	while (len > 0 && *p == ' ') {
		p++;
		len--;
	}
	if (!coded)
		buf_bytes(&l->value, p, len);
	else if (text_unbase64(p, len, &l->value) != 0)
		return fail(l, "the value behind \"::\" is not base64");
	return l->value.failed ? ERR_MEMORY : 0;
}

static int
begin_entry(struct ldif *l)
{
	const char *dn;
	int r;

	entry_reset(&l->e);
	l->e.at.line = l->line_number;
	if (memchr(l->value.data, 0, l->value.len) != NULL ||
	    !text_is_utf8((const char *)l->value.data, l->value.len) ||
	    (dn = buf_text(&l->value)) == NULL)
		return fail(l, "the DN is not UTF-8");
	if ((r = entry_key(&l->e, dn, true)) != 0)
		return r;
	l->e.at.place = l->e.key;
	l->has_entry = l->any = true;
	return 0;
}

/* The first line of a record, or of the file. */
static int
read_first(struct ldif *l, const char *name)
{
	const char *version;

	if (strcasecmp(name, "dn") == 0)
		return begin_entry(l);
	if (strcasecmp(name, "version") == 0 && !l->any && !l->version_seen) {
		l->version_seen = true;
		version = buf_text(&l->value);
		if (version == NULL)
			return ERR_MEMORY;
		return strcmp(version, "1") == 0 ? 0 :
		    fail(l, "only version 1 of LDIF is known");
	}
	return fail(l, "a record begins with \"dn:\" (of ldapsearch take the "
	    "output with -LLL)");
}

static int
read_attribute(struct ldif *l, const char *name)
{
	if (strcasecmp(name, "changetype") == 0 ||
	    strcasecmp(name, "control") == 0)
		return fail(l, "this is a change record; an import reads the "
		    "entries themselves, as slapcat writes them");
	if (strcasecmp(name, "dn") == 0)
		return fail(l, "a second \"dn:\" in one record; an empty line "
		    "separates records");
	return entry_add(&l->e, name, l->value.data, l->value.len);
}

static bool
is_name(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '-' &&
		    s[i] != ';' && s[i] != '.' && s[i] != '_')
			return false;
	return len > 0 && len < 256;
}

/* A logical line that has come to its end. */
static int
end_line(struct ldif *l)
{
	const char *p = (const char *)l->line.data, *colon;
	size_t len = l->line.len, n;
	char name[256];
	int r;

	if (!l->has_line)
		return 0;
	l->has_line = false;
	if (len > 0 && *p == '#')
		return 0;
	if (len == 0 || (colon = memchr(p, ':', len)) == NULL ||
	    !is_name(p, (size_t)(colon - p)))
		return fail(l, "this is no line of LDIF: \"name: value\", "
		    "\"name:: base64\", or a space before what continues the "
		    "line above");
	n = (size_t)(colon - p);
	memcpy(name, p, n);
	name[n] = 0;
	if ((r = read_value(l, colon + 1, len - n - 1)) != 0)
		return r;
	return l->has_entry ? read_attribute(l, name) : read_first(l, name);
}

/* A physical line, without its end. */
static int
take_line(struct ldif *l, const char *p, size_t len)
{
	int r;

	l->number++;
	if (len > 0 && p[len - 1] == '\r')
		len--;
	if (len > 0 && *p == ' ') {
		if (!l->has_line) {
			l->line_number = l->number;
			return fail(l, "this continues a line, and there is "
			    "none above");
		}
		buf_bytes(&l->line, p + 1, len - 1);
		goto out;
	}
	if ((r = end_line(l)) != 0)
		return r;
	if (len == 0)
		return end_entry(l);
	buf_reset(&l->line);
	buf_bytes(&l->line, p, len);
	l->has_line = true;
	l->line_number = l->number;
out:
	return l->line.failed ? ERR_LIMIT : 0;
}

static int
say(struct ldif *l, int r)
{
	if (r == 0 || l->why->text[0] != 0)
		return r;
	if (r == ERR_LIMIT)
		return why_set(l->why, r, l->number, 0, "longer than %zu "
		    "bytes, or more than %u values", LDIF_LINE_MAX,
		    ENTRY_VALUES_MAX);
	return why_set(l->why, r, 0, 0, "%s", err_text(r));
}

/* What is left of a piece stands in `part` until its line ends. */
static int
feed(struct ldif *l, const char *p, size_t len)
{
	const char *end;
	size_t n;
	int r;

	while (len > 0) {
		end = memchr(p, '\n', len);
		n = end != NULL ? (size_t)(end - p) : len;
		if (end != NULL && l->part.len == 0) {
			r = take_line(l, p, n);
		} else {
			buf_bytes(&l->part, p, n);
			r = l->part.failed ? ERR_LIMIT : 0;
			if (r == 0 && end != NULL) {
				r = take_line(l, (char *)l->part.data,
				    l->part.len);
				buf_reset(&l->part);
			}
		}
		if (r != 0)
			return r;
		n += end != NULL;
		p += n;
		len -= n;
	}
	return 0;
}

int
ldif_feed(struct ldif *l, const void *data, size_t len, struct why *w)
{
	memset(w, 0, sizeof(*w));
	l->why = w;
	return say(l, feed(l, data, len));
}

int
ldif_end(struct ldif *l, struct why *w)
{
	int r = 0;

	memset(w, 0, sizeof(*w));
	l->why = w;
	if (l->part.len > 0)
		r = take_line(l, (char *)l->part.data, l->part.len);
	buf_reset(&l->part);
	if (r == 0 && (r = end_line(l)) == 0)
		r = end_entry(l);
	return say(l, r);
}

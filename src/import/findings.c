#include "import/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"

#define TEXT_MAX 1024

void
findings_init(struct findings *f, struct arena *a)
{
	memset(f, 0, sizeof(*f));
	f->arena = a;
}

static const char *
keep(struct findings *f, const char *s)
{
	const char *copy = s == NULL ? NULL : arena_str(f->arena, s);

	if (s != NULL && copy == NULL)
		f->failed = true;
	return copy;
}

/* What comes from a source may hold anything: it must not steer a
 * terminal, nor break the line. */
static void
tame(char *s)
{
	for (; *s != 0; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

void
findings_add(struct findings *f, enum finding_kind kind,
    const struct origin *at, const char *fmt, ...)
{
	struct finding *it;
	char text[TEXT_MAX];
	va_list ap;

	if (f->n[kind]++ >= FINDINGS_MAX)
		return;
	it = &f->items[kind][f->n[kind] - 1];
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* cut is fine */
	va_end(ap);
	tame(text);
	it->text = keep(f, text);
	if (at == NULL)
		return;
	it->at.file = keep(f, at->file);
	it->at.line = at->line;
	it->at.place = keep(f, at->place);
}

static void
put_tame(struct buf *out, const char *s)
{
	size_t at = out->len;

	buf_str(out, s);
	if (buf_text(out) != NULL)
		tame((char *)out->data + at);
}

void
findings_text(const struct findings *f, enum finding_kind kind,
    struct buf *out)
{
	static const char *const names[] = {"error", "note"};
	const struct finding *it;
	size_t i, n = f->n[kind];

	for (i = 0; i < n && i < FINDINGS_MAX; i++) {
		it = &f->items[kind][i];
		if (it->at.file != NULL)
			put_tame(out, it->at.file);
		if (it->at.line != 0)
			buf_fmt(out, ":%u", it->at.line);
		if (it->at.file != NULL)
			buf_str(out, ": ");
		if (it->at.place != NULL) {
			put_tame(out, it->at.place);
			buf_str(out, ": ");
		}
		buf_fmt(out, "%s: %s\n", names[kind],
		    it->text != NULL ? it->text : "");
	}
	if (n > FINDINGS_MAX)
		buf_fmt(out, "%zu more like these\n", n - FINDINGS_MAX);
}

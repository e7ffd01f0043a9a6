#include "cli/say.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "directory/control.h"
#include "directory/directory.h"

void
say_principal(struct buf *out, const struct principal *who)
{
	buf_fmt(out, "%s (%s), a %s", who->id, who->name,
	    who->kind == PRINCIPAL_PERSON ? "person" : "service");
}

void
say_kinds(struct buf *out, unsigned kinds)
{
	const char *comma = "";
	unsigned k;

	for (k = CONTROL_LOCATION; k <= CONTROL_KEEPING; k <<= 1)
		if ((kinds & k) != 0) {
			buf_fmt(out, "%s%s", comma, control_kind_text(
			    (enum control_kind)k));
			comma = ", ";
		}
}

static void
say_path(struct buf *out, const char *begin, const struct control_path *p)
{
	size_t i;

	buf_str(out, "  ");
	say_kinds(out, p->kinds);
	buf_fmt(out, "\n    %s", begin);
	for (i = 0; i < p->n; i++)
		buf_fmt(out, " \xe2\x86\x92 %s", p->steps[i].text);
	buf_str(out, "\n");
}

void
say_control(struct buf *out, const char *begin, const struct control *c)
{
	size_t i, k;

	for (i = 0; i < c->n; i++) {
		buf_fmt(out, "%s\n", c->members[i].label);
		for (k = 0; k < c->members[i].n_paths; k++)
			say_path(out, begin, &c->members[i].paths[k]);
	}
	if (c->n == 0)
		buf_str(out, "nothing is known to stand behind it\n");
	buf_str(out, "as said by: ");
	say_list(out, c->issuers, c->n_issuers);
	buf_str(out, c->n_issuers == 0 ? "nobody\n" : "\n");
}

void
say_list(struct buf *out, const char *const *items, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		buf_fmt(out, "%s%s", i > 0 ? ", " : "", items[i]);
}

int
say_out(const struct buf *out)
{
	if (out->failed)
		return say_error(ERR_MEMORY);
	if (fwrite(out->data, 1, out->len, stdout) == out->len &&
	    fflush(stdout) == 0)
		return 0;
	(void)fprintf(stderr, "sworn: the answer cannot be written: %s\n",
	    strerror(errno));
	return 1;
}

int
say_error(int code)
{
	(void)fprintf(stderr, "sworn: %s\n", err_text(code));
	return 1;
}

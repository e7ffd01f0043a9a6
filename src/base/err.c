#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

const char *
err_text(int code)
{
	switch ((enum err)code) {
	case ERR_NONE:
		return "success";
	case ERR_MEMORY:
		return "out of memory";
	case ERR_SHORT:
		return "more bytes are needed";
	case ERR_FORMAT:
		return "malformed";
	case ERR_LIMIT:
		return "over a limit";
	case ERR_IO:
		return "input or output failed";
	case ERR_MISSING:
		return "not found";
	case ERR_DENIED:
		return "refused";
	case ERR_CRYPTO:
		return "cryptographic check failed";
	case ERR_EXISTS:
		return "exists already";
	case ERR_STATE:
		return "not possible in this state";
	case ERR_CONFLICT:
		return "contradicts what is known";
	}
	return "unknown error";
}

int
why_set(struct why *w, int code, unsigned line, unsigned column,
    const char *fmt, ...)
{
	va_list ap;

	if (w == NULL)
		return code;
	w->line = line;
	w->column = column;
	w->file[0] = 0;
	va_start(ap, fmt);
	(void)vsnprintf(w->text, sizeof(w->text), fmt, ap); /* cut is fine */
	va_end(ap);
	return code;
}

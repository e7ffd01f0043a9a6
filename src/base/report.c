#include "base/report.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/time.h"

/* Process-wide by nature, as standard error is. Set once at start. */
static const char *report_process = "sworn";
static enum report_level report_level_shown = REPORT_INFO;
static bool report_journal;

void
report_init(const char *process, enum report_level level)
{
	report_process = process;
	report_level_shown = level;
	report_journal = getenv("JOURNAL_STREAM") != NULL;
}

static void
escape(struct buf *out, const char *s)
{
	for (; *s != 0; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			buf_fmt(out, "\\x%02x", (unsigned char)*s);
		else
			buf_u8(out, (uint8_t)*s);
	}
}

void
report(enum report_level level, const char *fmt, ...)
{
	static const char *const names[] = {"error", "warning", "info", "debug"};
	static const int priorities[] = {3, 4, 6, 7};
	char text[2048], when[TIME_TEXT_MAX];
	struct buf line;
	va_list ap;

	if (level > report_level_shown)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* cut is fine */
	va_end(ap);
	buf_init(&line, 16384);
	if (report_journal) {
		buf_fmt(&line, "<%d>%s: ", priorities[level], report_process);
	} else {
		time_text(clock_now_ms(), when);
		buf_fmt(&line, "%s %s %s: ", when, names[level],
		    report_process);
	}
	escape(&line, text);
	buf_u8(&line, '\n');
	/* One write, so that lines of several processes do not mix. */
	if (!line.failed && write(STDERR_FILENO, line.data, line.len) < 0)
		(void)0; /* nowhere left to say it */
	buf_done(&line);
}

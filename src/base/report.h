/*
 * base/report.h - one-line structured diagnostics on standard error.
 *
 *   2026-11-23T17:40:00.123Z warning gateway: store refused peer=... 
 *
 * For processes and commands only; libraries return codes.
 * Under systemd (JOURNAL_STREAM set) the time is left out and a priority
 * prefix <N> is written, as sd-daemon(3) says.
 */
#ifndef BASE_REPORT_H
#define BASE_REPORT_H

enum report_level {
	REPORT_ERROR,
	REPORT_WARNING,
	REPORT_INFO,
	REPORT_DEBUG,
};

/* Names this process in its lines ("gateway"); level: the chattiest shown. */
void report_init(const char *process, enum report_level level);
/* One line; control characters in the text are escaped. */
void report(enum report_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif

/*
 * base/time.h - instants: milliseconds since 1970-01-01T00:00:00Z.
 *
 * Text is RFC 3339 in UTC with milliseconds: 2026-11-23T17:40:00.123Z.
 * Nothing here reads a clock but clock_now_ms and clock_mono_ms, which pure
 * folders do not call.
 */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stddef.h>
#include <stdint.h>

#define TIME_TEXT_MAX 32

/* Writes into ret, NUL-terminated. */
void time_text(int64_t ms, char ret[static TIME_TEXT_MAX]);

/*
 * RFC 3339 with Z or a numeric offset, fraction of up to nine digits
 * optional; also a bare date (midnight UTC). 0 or ERR_FORMAT.
 */
int time_parse(const char *s, size_t len, int64_t *ret);

int64_t clock_now_ms(void);	/* wall clock */
int64_t clock_mono_ms(void);	/* monotonic, for timeouts */

#endif

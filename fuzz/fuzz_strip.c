/*
 * Messages that a column is taken from, or put before: cut anywhere, nothing
 * is read out of bounds, and what comes out is a whole message or nothing.
 */
#include <stdint.h>
#include <stdlib.h>

#include "wire/frame.h"
#include "wire/strip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t
number(void *arg, uint32_t n)
{
	(void)arg;
	return n ^ 1;
}

static void
check(int result, struct buf *out)
{
	struct reader r;
	struct frame f;

	reader_init(&r, out->data, out->len);
	if (result == 0 ? out->failed || frame_read(&r, out->len, &f) != 0 ||
	    reader_left(&r) != 0 : out->len != 0)
		abort();
	buf_done(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes body = bytes_of(data, size);
	uint32_t len = 0;
	struct buf out;
	uint16_t others;
	uint16_t n;

	buf_init(&out, 0);
	(void)strip_has_mark(body, "sworn$");
	check(strip_description(body, number, NULL, &out), &out);
	check(strip_copy(body, &others, &out), &out);
	check(strip_bind(body, &out), &out);
	check(strip_parse(body, "SELECT 1", &out), &out);
	check(strip_error(body, "sworn$", number, NULL, &out), &out);
	if (size >= STRIP_ROW_HEAD && strip_row_head(data, (uint32_t)size,
	    &len, &n) == 0 && len > size - STRIP_ROW_HEAD)
		abort();
	return 0;
}

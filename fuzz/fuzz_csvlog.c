/* claim/csvlog.h: the same rows, however the bytes are cut. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "claim/csvlog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct sum {
	uint64_t h;
	int64_t at;
};

static int
add_row(void *arg, const char *const *fields, size_t n)
{
	struct sum *s = arg;
	const char *c;
	size_t i;

	for (i = 0; i < n; i++) {
		for (c = fields[i]; *c != 0; c++)
			s->h = s->h * 1099511628211u + (uint8_t)*c;
		s->h = s->h * 31 + 1;
	}
	if (n > 0)
		(void)csvlog_time(fields[0], &s->at);
	return 0;
}

static int
feed(const uint8_t *data, size_t len, size_t piece, struct sum *s)
{
	struct csv *c = csv_new(add_row, s);
	size_t i, n;
	int r = 0;

	for (i = 0; c != NULL && i < len && r == 0; i += n) {
		n = len - i < piece ? len - i : piece;
		r = csv_feed(c, data + i, n);
	}
	if (c != NULL && r == 0)
		r = csv_end(c);
	csv_free(c);
	return r;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sum whole = {0}, bytes = {0};

	if (feed(data, len, len > 0 ? len : 1, &whole) !=
	    feed(data, len, 1, &bytes) || whole.h != bytes.h)
		abort();
	return 0;
}

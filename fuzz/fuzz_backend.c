/* wire/backend.h behind wire/frame.h: a store's messages, and the stream
 * that follows them in pieces must agree with the reader of whole ones. */
#include <stdint.h>
#include <stdlib.h>

#include "wire/backend.h"
#include "wire/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct backend_error e;
	struct bytes rest;
	struct stream s;
	struct frame f;
	struct reader r;
	uint64_t rows = 0;
	uint32_t n;
	size_t i;
	char status;
	int result = 0;

	reader_init(&r, data, len);
	while (frame_read(&r, len, &f) == 0) {
		rows += f.type == 'D' || f.type == 'd';
		(void)backend_error_read(f.body, &e);
		(void)backend_auth_read(f.body, &n, &rest);
		(void)backend_key_read(f.body, &n, &rest);
		(void)backend_ready_read(f.body, &status);
		(void)backend_sasl_offers(f.body, "SCRAM-SHA-256");
	}
	stream_init(&s);
	for (i = 0; i < r.pos && result == 0; i++)
		result = stream_feed(&s, data + i, 1);
	if (result == 0 && (s.rows != rows || !stream_between(&s)))
		abort();
	return 0;
}

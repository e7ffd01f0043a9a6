/* gateway/asked.h: what is read can be written, and reads the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "gateway/asked.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct asked a, again;
	struct buf out;

	if (asked_read(bytes_of(data, len), &a) != 0)
		return 0;
	buf_init(&out, ASKED_MAX);
	asked_write(&out, &a);
	if (!out.failed && (asked_read(bytes_of(out.data, out.len),
	    &again) != 0 || strcmp(a.user, again.user) != 0 ||
	    strcmp(a.by, again.by) != 0 || strcmp(a.store, again.store) != 0 ||
	    strcmp(a.tag, again.tag) != 0 ||
	    strcmp(a.residences, again.residences) != 0 ||
	    a.from_ms != again.from_ms || a.to_ms != again.to_ms ||
	    a.full != again.full))
		abort();
	buf_done(&out);
	return 0;
}

/* gateway/reconciled.h: what is read can be written, and reads the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "gateway/reconciled.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct reconciled one, again;
	struct buf out;

	if (reconciled_read(bytes_of(data, len), &one) != 0)
		return 0;
	buf_init(&out, RECONCILED_MAX);
	reconciled_write(&out, &one);
	if (out.failed || reconciled_read(bytes_of(out.data, out.len),
	    &again) != 0 || strcmp(one.by, again.by) != 0 ||
	    !bytes_equal(one.record, again.record))
		abort();
	buf_done(&out);
	return 0;
}

/* log/tile.h: the entries of a bundle, written again, are its bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "log/tile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct bytes entry;
	struct reader r;
	struct buf out;

	reader_init(&r, data, len);
	buf_init(&out, 0);
	while (tile_entry(&r, &entry) == 0)
		if (tile_entry_write(&out, entry.data, entry.len) != 0)
			abort();
	if (out.len != r.pos ||
	    (out.len > 0 && memcmp(out.data, data, out.len) != 0))
		abort();
	buf_done(&out);
	return 0;
}

/* log/sightings.h: what is read is the same when it was written and read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "log/sightings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	struct sightings s, again;
	unsigned line;
	struct buf out;

	buf_init(&out, 0);
	if (a == NULL || sightings_read((const char *)data, len, a, &s,
	    &line) != 0)
		goto out;
	sightings_write(&out, &s);
	if (sightings_read((const char *)out.data, out.len, a, &again,
	    &line) != 0 || strcmp(s.store, again.store) != 0 ||
	    strcmp(s.tag, again.tag) != 0 || s.from_ms != again.from_ms ||
	    s.to_ms != again.to_ms || s.n != again.n ||
	    memcmp(s.entries, again.entries, s.n * sizeof(*s.entries)) != 0)
		abort();
out:
	buf_done(&out);
	arena_free(a);
	return 0;
}

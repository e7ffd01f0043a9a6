/* record/record.h: what is decoded, encoded again, decodes to the same
 * bytes: a record has one form. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "record/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int
encode(const struct record *r, struct buf *out)
{
	int result;

	if ((result = record_encode_envelope(r->gateway, r->seq, r->time_ms,
	    out)) != 0)
		return result;
	return record_encode_body(r, out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	struct record first, second;
	struct buf one, two;

	buf_init(&one, 0);
	buf_init(&two, 0);
	if (a != NULL && record_decode(bytes_of(data, len), a, &first,
	    NULL) == 0 && encode(&first, &one) == 0) {
		if (record_decode(bytes_of(one.data, one.len), a, &second,
		    NULL) != 0 || encode(&second, &two) != 0 ||
		    one.len != two.len ||
		    memcmp(one.data, two.data, one.len) != 0)
			abort();
	}
	buf_done(&one);
	buf_done(&two);
	arena_free(a);
	return 0;
}

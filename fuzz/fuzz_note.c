/* log/note.h: no note is signed by a key that did not sign it, and a
 * checkpoint that is read is written back as the same bytes, less the
 * extension lines of other logs. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "log/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data, *body;
	struct checkpoint c;
	struct note_key key, again;
	struct buf out;
	uint8_t public[SIGN_PUBLIC_LEN] = {1};
	uint64_t time_s;
	size_t body_len;

	buf_init(&out, 0);
	if (note_key_read(text, len, &key) == 0) {
		note_key_write(&key, &out);
		if (note_key_read((const char *)out.data, out.len,
		    &again) != 0 || strcmp(key.name, again.name) != 0 ||
		    memcmp(key.id, again.id, sizeof(key.id)) != 0 ||
		    memcmp(key.public, again.public,
		    sizeof(key.public)) != 0)
			abort();
	}
	buf_reset(&out);
	if (checkpoint_read(text, len, &c) == 0 &&
	    checkpoint_write(&c, &out) == 0 &&
	    (out.len > len || memcmp(out.data, data, out.len) != 0))
		abort();
	if (note_key_make("example.com/foo", 1, public, &key) == 0 &&
	    note_check(text, len, &key, &body, &body_len, &time_s) == 0)
		abort();
	buf_done(&out);
	return 0;
}

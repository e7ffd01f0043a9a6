/* log/rotation.h: what is read as a rotation is signed by the two keys that
 * it names, of one name; a file's chain is one, and each of its keys signs
 * the trees of its part. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "log/rotation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int
is_signed(const char *text, size_t len, const struct note_key *key)
{
	const char *body;
	size_t body_len;

	return note_check(text, len, key, &body, &body_len, NULL) == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct rotations all, part;
	const char *text = (const char *)data;
	struct rotation one;
	size_t i;

	if (rotation_read(text, len, &one) == 0 &&
	    (!is_signed(text, len, &one.from) ||
	    !is_signed(text, len, &one.to) ||
	    strcmp(one.from.name, one.to.name) != 0 ||
	    note_key_same(&one.from, &one.to)))
		abort();
	if (rotations_read(text, len, &all) != 0) {
		if (all.n != 0)
			abort();
		return 0;
	}
	for (i = 0; i < all.n; i++) {
		part = all;
		rotations_cut(&part, all.seq[i]);
		if (part.n != i || !rotations_begin(&all, &part) ||
		    rotations_key(&all, all.seq[i]) != &all.keys[i] ||
		    rotations_key(&all, all.seq[i] + 1) != &all.keys[i + 1])
			abort();
	}
	return 0;
}

/* key/keyfile.h: a file that is read as a key is printed and read as the
 * same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "key/keyfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct keyfile k, again;
	struct buf out;

	if (keyfile_parse((const char *)data, len, &k) != 0)
		return 0;
	buf_init(&out, 0);
	keyfile_print(&k, &out);
	if (out.failed || keyfile_parse((const char *)out.data, out.len,
	    &again) != 0 || again.kind != k.kind ||
	    strcmp(again.key.name, k.key.name) != 0 ||
	    memcmp(again.seed, k.seed, sizeof(k.seed)) != 0 ||
	    strcmp(again.uri, k.uri) != 0 || strcmp(again.pem, k.pem) != 0)
		abort();
	buf_done(&out);
	return 0;
}

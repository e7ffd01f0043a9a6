/* import/ldif.h: alike however the bytes are cut; what is imported is a
 * directory. */
#include <stdint.h>

#include "import/ldif.h"
#include "import_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int
import(const uint8_t *data, size_t len, size_t piece)
{
	struct import_check c;
	struct ldif *l;
	struct why w = {0};
	size_t i, n;
	int r = 0;

	import_check_init(&c, SOURCE_LDAP);
	if ((l = ldif_new("f", build_entry, c.build)) == NULL)
		abort();
	for (i = 0; i < len && r == 0; i += n) {
		n = len - i < piece ? len - i : piece;
		r = ldif_feed(l, data + i, n, &w);
	}
	if (r == 0)
		r = ldif_end(l, &w);
	if (r != 0 && w.text[0] == 0)
		abort();	/* refused without a word */
	ldif_free(l);
	import_check_done(&c, r);
	return r;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (import(data, len, len + 1) != import(data, len, 3))
		abort();
	return 0;
}

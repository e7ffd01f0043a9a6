/* import/scim.h: refused with words, or a directory. */
#include <stdint.h>

#include "import/scim.h"
#include "import_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct scim_pages pages = {0, 0};
	struct import_check c;
	struct why w = {0};
	int r;

	import_check_init(&c, SOURCE_SCIM);
	r = scim_read("f", (const char *)data, len, &pages, build_entry,
	    c.build, &w);
	if (r != 0 && w.text[0] == 0)
		abort();
	if (r == 0 && scim_pages_check(&pages, &w) != 0 && w.text[0] == 0)
		abort();
	import_check_done(&c, r);
	return 0;
}

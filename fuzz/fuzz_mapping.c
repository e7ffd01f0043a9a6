/* import/mapping.h: refused with words, or a mapping that can be used. */
#include <stdint.h>

#include "import/table.h"
#include "import_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char rows[] = "uid,cn,l,c,o,manager,id,name\n"
    "ann,Ann,Dublin,IE,hq,none,ann,A\nbob,Bob,dublin,IE,hq,ann,bob,B\n";

static int
on_row(void *arg, const struct entry *e)
{
	return build_row(arg, SECTION_PEOPLE, e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct import_check c;
	struct table *t;
	struct why w = {0};
	int r;

	import_check_init(&c, SOURCE_CSV);
	r = mapping_load(c.arena, (const char *)data, len, &c.map, &w);
	if (r != 0 && r != ERR_MEMORY && w.text[0] == 0)
		abort();
	if (r == 0) {
		if ((t = table_new("f", on_row, c.build)) == NULL)
			abort();
		if (table_feed(t, rows, sizeof(rows) - 1, &w) != 0 ||
		    table_end(t, &w) != 0)
			abort();
		table_free(t);
	}
	import_check_done(&c, r);
	return 0;
}

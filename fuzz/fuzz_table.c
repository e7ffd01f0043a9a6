/* import/table.h: alike however the bytes are cut, as a table of any
 * section (the first byte chooses); what is imported is a directory. */
#include <stdint.h>

#include "import/table.h"
#include "import/tickets.h"
#include "import_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct into {
	struct build *build;
	enum section section;
	struct tickets *tickets;
};

static int
on_row(void *arg, const struct entry *e)
{
	struct into *to = arg;

	return to->section == SECTION_TICKETS ? tickets_row(to->tickets, e) :
	    build_row(to->build, to->section, e);
}

static int
import(const uint8_t *data, size_t len, size_t piece, enum section s)
{
	struct tickets_rule rule = {INT64_MIN / 2, INT64_MAX / 2, 2, 40, 0,
	    true};
	struct import_check c;
	struct draft *found = NULL;
	struct into to;
	struct table *t;
	struct why w = {0};
	size_t i, n;
	int r = 0;

	import_check_init(&c, SOURCE_CSV);
	to.build = c.build;
	to.section = s;
	to.tickets = tickets_new(&c.map.sections[SECTION_TICKETS], c.known,
	    &rule, &c.findings);
	if (to.tickets == NULL ||
	    (t = table_new("f", on_row, &to)) == NULL)
		abort();
	for (i = 0; i < len && r == 0; i += n) {
		n = len - i < piece ? len - i : piece;
		r = table_feed(t, data + i, n, &w);
	}
	if (r == 0)
		r = table_end(t, &w);
	if (r != 0 && w.text[0] == 0)
		abort();
	if (r == 0 && tickets_end(to.tickets, "tickets", &found) != 0)
		abort();
	draft_free(found);
	tickets_free(to.tickets);
	table_free(t);
	import_check_done(&c, r);
	return r;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	enum section s;

	if (len == 0)
		return 0;
	s = (enum section)(data[0] % SECTIONS);
	if (import(data + 1, len - 1, len, s) != import(data + 1, len - 1, 3,
	    s))
		abort();
	return 0;
}

/* gateway/ticket_answer.h: any answer confirms a ticket, with lists that can
 * be recorded, or says why not. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/ticket_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static size_t
total(const char *const *list, size_t n)
{
	size_t i, sum = 0;

	for (i = 0; i < n; i++)
		sum += strlen(list[i]);
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t secret[32];
	struct ticket_answer *a = ticket_answer_new();
	const struct policy_scope *s;

	if (a == NULL)
		return 0;
	s = &a->scope;
	if (ticket_answer_read((const char *)data, len, "ann", secret,
	    a) == 0 && a->confirmed == (a->why[0] != 0))
		abort();
	if (total(s->tables, s->n_tables) + total(s->categories,
	    s->n_categories) + total(s->residences, s->n_residences) >
	    TICKET_TEXT_MAX)
		abort();
	if (!a->confirmed && s->n_tables + s->n_categories +
	    s->n_residences != 0)
		abort();
	ticket_answer_unref(a);
	return 0;
}

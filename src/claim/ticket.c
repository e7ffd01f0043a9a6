#include "claim/ticket.h"

#include <string.h>

#include "policy/policy.h"
#include "record/record.h"

void
ticket_of_record(const struct record_session *c, struct policy_scope *scope,
    struct policy_request *q)
{
	const struct record_ticket *t;
	size_t i;

	for (i = 0; i < c->n_tickets; i++) {
		t = &c->tickets[i];
		if (q->ticket == NULL || strcmp(t->ticket, q->ticket) != 0)
			continue;
		q->unconfirmed = t->why;
		if (!t->confirmed)
			continue;
		*scope = (struct policy_scope){
			.tables = t->tables.s, .n_tables = t->tables.n,
			.categories = t->categories.s,
			.n_categories = t->categories.n,
			.residences = t->residences.s,
			.n_residences = t->residences.n,
		};
		q->scope = scope;
	}
}

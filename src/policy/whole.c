#include "policy/whole.h"

#include "catalog/catalog.h"
#include "policy/policy.h"

static bool
is_whole(const struct clearance *c, const struct clearance_table *t)
{
	size_t i;

	if (t->table->is_public)
		return true;
	if (!t->readable || t->n_residences != c->n_residences)
		return false;
	for (i = 0; i < t->table->n_columns; i++)
		if (t->columns[i] != TREAT_PLAIN)
			return false;
	return true;
}

const struct clearance_table *
clearance_uncleared(const struct clearance *c)
{
	size_t i;

	for (i = 0; i < c->n_tables; i++)
		if (!is_whole(c, &c->tables[i]))
			return &c->tables[i];
	return NULL;
}

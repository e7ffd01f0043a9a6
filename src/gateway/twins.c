#include "gateway/twins.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "catalog/catalog.h"
#include "enforce/twin.h"
#include "gateway/config.h"
#include "lineage/rewrite.h"
#include "policy/policy.h"

static int
twin_compare(const void *a, const void *b)
{
	const struct config_twin *x = a, *y = b;

	return (x->twin > y->twin) - (x->twin < y->twin);
}

int
twins_read(const json_t *list, struct arena *a, struct config_login *login)
{
	struct config_twin *t;
	const json_t *o;
	size_t i;

	if (list == NULL)
		return 0;
	t = arena_array(a, json_array_size(list) + 1, sizeof(*t));
	if (t == NULL)
		return ERR_MEMORY;
	json_array_foreach(list, i, o) {
		json_int_t view = json_integer_value(json_array_get(o, 0));
		json_int_t twin = json_integer_value(json_array_get(o, 1));

		if (view <= 0 || view > UINT32_MAX || twin <= 0 ||
		    twin > UINT32_MAX)
			return ERR_FORMAT;
		t[i].view = (uint32_t)view;
		t[i].twin = (uint32_t)twin;
	}
	qsort(t, i, sizeof(*t), twin_compare);
	login->twins = t;
	login->n_twins = i;
	return 0;
}

uint32_t
twins_view(const struct config_login *login, uint32_t oid)
{
	const struct config_twin key = {0, oid}, *found;

	if (login == NULL || login->n_twins == 0)
		return oid;
	found = bsearch(&key, login->twins, login->n_twins,
	    sizeof(*login->twins), twin_compare);
	return found != NULL ? found->view : oid;
}

static int
table_columns(const struct clearance_table *ct, struct arena *a,
    struct rewrite_table *ret)
{
	const struct catalog_table *t = ct->table;
	const char **names;
	size_t i, n = 0;

	if ((names = arena_array(a, t->n_columns + 1, sizeof(*names))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < t->n_columns; i++)
		if (ct->columns[i] != TREAT_ABSENT)
			names[n++] = t->columns[i].name;
	ret->name = t->name;
	ret->columns = names;
	ret->n_columns = n;
	return 0;
}

int
twins_schema(const struct clearance *cl, const char *role, struct arena *a,
    struct rewrite_schema *ret)
{
	struct rewrite_table *tables;
	size_t i, n = 0;

	tables = arena_array(a, cl->n_tables + 1, sizeof(*tables));
	ret->twins = arena_fmt(a, "%s" TWIN_SUFFIX, role);
	if (tables == NULL || ret->twins == NULL)
		return ERR_MEMORY;
	for (i = 0; i < cl->n_tables; i++)
		if (cl->tables[i].readable && !cl->tables[i].table->is_public &&
		    table_columns(&cl->tables[i], a, &tables[n++]) != 0)
			return ERR_MEMORY;
	ret->tables = tables;
	ret->n_tables = n;
	return 0;
}

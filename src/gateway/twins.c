#include "gateway/twins.h"

#include <stdlib.h>
#include <string.h>

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

/* The numbers at place `at` and behind it. */
static int
ids_read(const json_t *o, size_t at, struct config_twin *ret)
{
	json_int_t view = json_integer_value(json_array_get(o, at));
	json_int_t twin = json_integer_value(json_array_get(o, at + 1));

	if (view <= 0 || view > UINT32_MAX || twin <= 0 || twin > UINT32_MAX)
		return ERR_FORMAT;
	ret->view = (uint32_t)view;
	ret->twin = (uint32_t)twin;
	return 0;
}

static int
view_compare(const void *a, const void *b)
{
	const struct config_view *x = a, *y = b;

	return twin_compare(&x->ids, &y->ids);
}

static int
pane_read(const json_t *o, struct arena *a, struct config_pane *ret)
{
	const char *schema = json_string_value(json_object_get(o, "schema"));
	const json_t *views = json_object_get(o, "views"), *v;
	const char *name;
	size_t i;
	int r;

	if (schema == NULL || !json_is_array(views))
		return ERR_FORMAT;
	ret->schema = arena_str(a, schema);
	ret->twins = arena_fmt(a, "%s" TWIN_SUFFIX, schema);
	ret->views = arena_array(a, json_array_size(views) + 1,
	    sizeof(*ret->views));
	if (ret->schema == NULL || ret->twins == NULL || ret->views == NULL)
		return ERR_MEMORY;
	json_array_foreach(views, i, v) {
		name = json_string_value(json_array_get(v, 0));
		if (name == NULL)
			return ERR_FORMAT;
		if ((r = ids_read(v, 1, &ret->views[i].ids)) != 0)
			return r;
		ret->views[i].name = arena_str(a, name);
		if (ret->views[i].name == NULL)
			return ERR_MEMORY;
	}
	ret->n_views = i;
	qsort(ret->views, i, sizeof(*ret->views), view_compare);
	return 0;
}

int
twins_read_panes(const json_t *list, struct arena *a, struct config_store *s)
{
	struct config_pane *panes;
	const json_t *o;
	size_t i;
	int r;

	panes = arena_array(a, json_array_size(list) + 1, sizeof(*panes));
	if (panes == NULL)
		return ERR_MEMORY;
	json_array_foreach(list, i, o)
		if ((r = pane_read(o, a, &panes[i])) != 0)
			return r;
	s->panes = panes;
	s->n_panes = json_array_size(list);
	return 0;
}

static int
read_own(const json_t *list, struct arena *a, struct config_login *login)
{
	struct config_twin *t;
	const json_t *o;
	size_t i;
	int r;

	t = arena_array(a, json_array_size(list) + 1, sizeof(*t));
	if (t == NULL)
		return ERR_MEMORY;
	json_array_foreach(list, i, o)
		if ((r = ids_read(o, 0, &t[i])) != 0)
			return r;
	qsort(t, i, sizeof(*t), twin_compare);
	login->twins = t;
	login->n_twins = i;
	return 0;
}

int
twins_read(const json_t *o, const struct config_store *s, struct arena *a,
    struct config_login *login)
{
	const json_t *list = json_object_get(o, "panes"), *index;
	const struct config_pane **panes;
	json_int_t at;
	size_t i;

	if (json_object_get(o, "twins") != NULL)
		return read_own(json_object_get(o, "twins"), a, login);
	panes = arena_array(a, json_array_size(list) + 1, sizeof(*panes));
	if (panes == NULL)
		return ERR_MEMORY;
	json_array_foreach(list, i, index) {
		at = json_integer_value(index);
		if (!json_is_integer(index) || at < 0 ||
		    (uint64_t)at >= s->n_panes)
			return ERR_FORMAT;
		panes[i] = &s->panes[at];
	}
	login->panes = panes;
	login->n_panes = json_array_size(list);
	return 0;
}

bool
twins_has(const struct config_login *login)
{
	size_t i;

	for (i = 0; i < login->n_panes; i++)
		if (login->panes[i]->n_views > 0)
			return true;
	return login->n_twins > 0;
}

bool
twins_is_schema(const struct config_login *login, const char *schema)
{
	size_t i;

	for (i = 0; i < login->n_panes; i++)
		if (strcmp(login->panes[i]->schema, schema) == 0)
			return true;
	return strcmp(login->role, schema) == 0;
}

uint32_t
twins_view(const struct config_login *login, uint32_t oid)
{
	const struct config_twin key = {0, oid}, *found;
	const struct config_view view = {NULL, key}, *shared;
	size_t i;

	if (login == NULL)
		return oid;
	for (i = 0; i < login->n_panes; i++) {
		shared = bsearch(&view, login->panes[i]->views,
		    login->panes[i]->n_views, sizeof(view), view_compare);
		if (shared != NULL)
			return shared->ids.view;
	}
	if (login->n_twins == 0)
		return oid;
	found = bsearch(&key, login->twins, login->n_twins,
	    sizeof(*login->twins), twin_compare);
	return found != NULL ? found->view : oid;
}

/* The schema of a table's twin; NULL: that of the login's own. */
static const char *
pane_of(const struct config_login *login, const char *table)
{
	size_t i, k;

	for (i = 0; i < login->n_panes; i++)
		for (k = 0; k < login->panes[i]->n_views; k++)
			if (strcmp(login->panes[i]->views[k].name,
			    table) == 0)
				return login->panes[i]->twins;
	return NULL;
}

/*
 * The column that holds the key of a table's one subject, where it is shown as
 * it is.
 */
static const char *
subject_column(const struct clearance_table *ct, const struct catalog *c)
{
	const struct catalog_table *t = ct->table;
	const struct catalog_step *step;
	const char *name;
	size_t i;

	if (t->n_subjects != 1 || t->subjects[0].n > 1)
		return NULL;
	name = c->subject_key;
	if (t->subjects[0].n == 1) {
		step = &t->subjects[0].steps[0];
		if (strcmp(step->table, c->subject_table) != 0 ||
		    strcmp(step->schema, c->subject_schema) != 0 ||
		    strcmp(step->key, c->subject_key) != 0)
			return NULL;
		name = step->column;
	}
	for (i = 0; i < t->n_columns; i++)
		if (strcmp(t->columns[i].name, name) == 0)
			return ct->columns[i] == TREAT_PLAIN ?
			    t->columns[i].name : NULL;
	return NULL;
}

static int
table_columns(const struct clearance_table *ct, const struct catalog *c,
    struct arena *a, struct rewrite_table *ret)
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
	ret->subject = subject_column(ct, c);
	return 0;
}

int
twins_schema(const struct clearance *cl, const struct config_login *login,
    struct arena *a, struct rewrite_schema *ret)
{
	struct rewrite_table *tables;
	size_t i, n = 0;

	tables = arena_array(a, cl->n_tables + 1, sizeof(*tables));
	ret->twins = arena_fmt(a, "%s" TWIN_SUFFIX, login->role);
	if (tables == NULL || ret->twins == NULL)
		return ERR_MEMORY;
	for (i = 0; i < cl->n_tables; i++) {
		if (!cl->tables[i].readable || cl->tables[i].table->is_public)
			continue;
		if (table_columns(&cl->tables[i], cl->catalog, a,
		    &tables[n]) != 0)
			return ERR_MEMORY;
		tables[n].twins = pane_of(login, tables[n].name);
		n++;
	}
	ret->tables = tables;
	ret->n_tables = n;
	return 0;
}

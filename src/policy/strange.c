/*
 * Each list of a rule against what the configuration has. Roles and
 * countries are free words and cannot be checked.
 */
#include <string.h>

#include "catalog/catalog.h"
#include "directory/definition.h"
#include "directory/directory.h"
#include "policy/bulk.h"
#include "policy/rule.h"

struct strange {
	const struct policy_known *known;
	const struct rule *rule;
	policy_strange_fn *fn;
	void *arg;
};

typedef bool known_fn(const struct policy_known *k, const char *name);

static bool
in_list(const char *const *list, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

static bool
known_store(const struct policy_known *k, const char *name)
{
	return in_list(k->stores, k->n_stores, name);
}

static bool
known_residence(const struct policy_known *k, const char *name)
{
	return in_list(k->residences, k->n_residences, name);
}

static bool
known_category(const struct policy_known *k, const char *name)
{
	size_t i;

	for (i = 0; i < k->n_catalogs; i++)
		if (in_list(k->catalogs[i]->categories,
		    k->catalogs[i]->n_categories, name))
			return true;
	return false;
}

static bool
known_table(const struct policy_known *k, const char *name)
{
	size_t i, j;

	for (i = 0; i < k->n_catalogs; i++)
		for (j = 0; j < k->catalogs[i]->n_tables; j++)
			if (strcmp(k->catalogs[i]->tables[j].full, name) == 0)
				return true;
	return false;
}

static bool
known_id(const struct policy_known *k, const char *name)
{
	return directory_knows(k->directory, name);
}

static void
strange_names(const struct strange *s, const struct names *names,
    const char *what, known_fn *known)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		if (!known(s->known, names->items[i]))
			s->fn(s->arg, s->rule->line, s->rule->column,
			    s->rule->name, what, names->items[i]);
}

static void
strange_ids(const struct strange *s, const struct defined_list *ids)
{
	const struct names names = {.items = ids->items, .n = ids->n};

	strange_names(s, &names, "person, service or entity", known_id);
}

/* Whoever a definition names, where a rule asks for it. */
static void
strange_is(const struct strange *s, const struct rule *r)
{
	size_t i;

	for (i = 0; i < r->n_is; i++) {
		strange_ids(s, &r->is[i]->named);
		strange_ids(s, &r->is[i]->unless.named);
	}
}

static void
strange_bulk(const struct strange *s, const struct rule *r)
{
	size_t i;

	for (i = 0; r->bulk != NULL && i < r->bulk->n; i++)
		strange_names(s, &r->bulk->thresholds[i].categories,
		    "category", known_category);
}

void
policy_strange(const struct policy *p, const struct policy_known *k,
    policy_strange_fn *fn, void *arg)
{
	struct strange s = {.known = k, .fn = fn, .arg = arg};
	size_t i;

	for (i = 0; i < p->n_all; i++) {
		const struct rule *r = &p->all[i];

		s.rule = r;
		strange_names(&s, &r->principals, "principal", known_id);
		strange_names(&s, &r->approval.principals, "principal",
		    known_id);
		strange_names(&s, &r->approval.glass_principals, "principal",
		    known_id);
		strange_names(&s, &r->approval.meet_at, "principal or entity",
		    known_id);
		strange_names(&s, &r->employed_by, "entity", known_id);
		strange_names(&s, &r->instructed_by, "instructor", known_id);
		strange_is(&s, r);
		strange_bulk(&s, r);
		strange_names(&s, &r->stores, "store", known_store);
		strange_names(&s, &r->tables, "table", known_table);
		strange_names(&s, &r->categories, "category", known_category);
		strange_names(&s, &r->whose, "residence", known_residence);
	}
}

#include "cli/explain.h"

#include <string.h>

#include "base/buf.h"
#include "base/time.h"
#include "catalog/catalog.h"
#include "cli/jsons.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "gateway/config.h"
#include "policy/effect.h"

static json_t *
json_path(const char *label, const struct control_path *p)
{
	json_t *kinds = json_array(), *steps = json_array();
	unsigned k;
	size_t i;

	for (k = CONTROL_LOCATION; k <= CONTROL_KEEPING; k <<= 1)
		if ((p->kinds & k) != 0)
			jsons_add(&kinds, json_string(control_kind_text(
			    (enum control_kind)k)));
	for (i = 0; i < p->n; i++)
		jsons_add(&steps, json_string(p->steps[i].text));
	return json_pack("{s:s, s:o, s:o}", "label", label, "kinds", kinds,
	    "steps", steps);
}

static json_t *
json_control(const struct control *c)
{
	json_t *list = json_array();
	size_t i, k;

	for (i = 0; i < c->n; i++)
		for (k = 0; k < c->members[i].n_paths; k++)
			jsons_add(&list, json_path(c->members[i].label,
			    &c->members[i].paths[k]));
	return list;
}

static json_t *
json_employments(const struct principal *p)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < p->n_employments; i++)
		jsons_add(&list, json_pack("{s:s?, s:s}", "employer",
		    p->employments[i].employer, "as",
		    employment_text(&p->employments[i])));
	return list;
}

static json_t *
json_facts(const struct principal *p)
{
	return json_pack("{s:s?, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:b, s:o}",
	    "site", p->site,
	    p->kind == PRINCIPAL_PERSON ? "employers" : "operators",
	    jsons_list(p->employers, p->n_employers),
	    "employments", json_employments(p),
	    "instructors", jsons_list(p->instructors, p->n_instructors),
	    "instructors-known", p->instructors_known,
	    "roles", jsons_list(p->roles, p->n_roles),
	    "nationalities", jsons_list(p->nationalities, p->n_nationalities),
	    "offices", jsons_list(p->offices, p->n_offices),
	    "offices-known", p->offices_known,
	    "issuers", jsons_list(p->issuers, p->n_issuers));
}

static json_t *
json_column(const struct explain *e, size_t table, size_t residence,
    size_t column)
{
	const struct catalog_column *c =
	    &e->got.clearance->tables[table].table->columns[column];
	json_t *rules = json_array();
	struct effect f;
	size_t i;

	if (explain_effect(e, table, residence, column, &f) != 0) {
		json_decref(rules);
		return NULL;
	}
	for (i = 0; i < f.n; i++)
		jsons_add(&rules, json_pack("{s:s, s:s, s:s}", "rule",
		    f.rules[i].name, "verb", f.rules[i].verb, "because",
		    f.rules[i].because));
	return json_pack("{s:s, s:s, s:s, s:o, s:s?}", "column", c->name,
	    "category", c->category, "outcome", treatment_text(f.outcome),
	    "rules", rules, "as-for", f.elsewhere);
}

static json_t *
json_residence(const struct explain *e, size_t table, size_t residence)
{
	const struct catalog_table *t = e->got.clearance->tables[table].table;
	json_t *columns;
	struct policy_reason r;
	size_t i;

	if (explain_reason(e, table, residence, &r) != 0)
		return NULL;
	columns = json_array();
	for (i = 0; i < t->n_columns; i++)
		jsons_add(&columns, json_column(e, table, residence, i));
	return json_pack("{s:s, s:b, s:s?, s:s, s:s, s:o}", "residence",
	    r.residence, "shown", (int)r.permitted, "rule", r.rule,
	    "because", r.because, "hint", r.hint, "columns", columns);
}

static json_t *
json_table(const struct explain *e, size_t table)
{
	const struct clearance_table *t = &e->got.clearance->tables[table];
	json_t *list = json_array();
	json_t *writes = json_object();
	const char *what;
	size_t i;
	int k;

	for (i = 0; !t->table->is_public && i < e->got.request.n_residences;
	    i++)
		jsons_add(&list, json_residence(e, table, i));
	for (k = 0; k < POLICY_WRITES; k++)
		if ((what = explain_writes(e, table,
		    (enum policy_write)k)) != NULL)
			(void)json_object_set_new(writes, policy_write_text(
			    (enum policy_write)k), json_string(what));
	return json_pack("{s:s, s:b, s:b, s:b, s:o, s:o}", "table",
	    t->table->full, "public", (int)t->table->is_public, "readable",
	    (int)t->readable, "only-exact",
	    (int)explain_needs_exact(e, table), "writes", writes,
	    "residences", list);
}

static json_t *
json_answer(const struct explain *e)
{
	const struct clearance *c = e->got.clearance;
	const struct principal *p = e->got.who;
	json_t *tables = json_array();
	char at[TIME_TEXT_MAX];
	size_t i;

	time_text(e->ask.at_ms, at);
	for (i = 0; i < c->n_tables; i++)
		if (explain_asked(e, c->tables[i].table))
			jsons_add(&tables, json_table(e, i));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s, "
	    "s:o, s:o, s:s?, s:o}", "principal", p->id, "name", p->name,
	    "kind", p->kind == PRINCIPAL_PERSON ? "person" : "service",
	    "store", e->got.store->name, "mode",
	    store_mode_text(e->got.store->mode), "purpose", e->ask.purpose,
	    "ticket", e->ask.ticket, "from", e->ask.from, "at", at,
	    "facts", json_facts(p), "control", json_control(e->got.control),
	    "refused", e->got.refused, "tables", tables);
}

int
explain_json(const struct explain *e, struct buf *out)
{
	return jsons_write(json_answer(e), out);
}

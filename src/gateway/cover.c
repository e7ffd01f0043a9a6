#include "gateway/cover.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "catalog/catalog.h"
#include "gateway/config.h"
#include "gateway/judge.h"
#include "gateway/names.h"
#include "gateway/session.h"
#include "gateway/standing.h"
#include "policy/policy.h"

#define RULES_MAX 32		/* named in one record */

int
cover_init(struct cover *c, const struct session *s, struct arena *a)
{
	memset(c, 0, sizeof(*c));
	c->whole_why = "";
	c->tables = arena_array(a, s->store->catalog->n_tables + 1,
	    sizeof(bool));
	c->would = arena_array(a, NAMED_MAX * 32, sizeof(*c->would));
	return c->tables == NULL || c->would == NULL ? ERR_MEMORY : 0;
}

void
cover_add(struct cover *c, const struct session *s, const struct meaning *m)
{
	const struct judgement *j = m->judgement;
	size_t i;

	c->newest = m;
	c->guarded = c->guarded || j->guarded;
	if (j->whole && !c->whole) {
		c->whole = true;
		c->whole_why = j->whole_why;
	}
	for (i = 0; i < s->store->catalog->n_tables; i++)
		c->tables[i] = c->tables[i] || j->tables[i];
	for (i = 0; i < j->n_refusals && c->n_would < NAMED_MAX * 32; i++)
		c->would[c->n_would++] = j->refusals[i].record;
}

static void
cover_anything(struct cover *c)
{
	c->guarded = true;
	c->whole = true;
	c->whole_why = "the name may stand for any statement";
}

/* The rules that let what is read be read, each once. */
static void
cover_rules(const struct cover *c, const struct session *s,
    const char **rules, size_t *n)
{
	const struct clearance *cl = s->standing->clearance;
	const struct policy_outcome *why;
	size_t i, j, k;

	for (i = 0; i < cl->n_tables; i++) {
		if (!c->whole && !c->tables[i])
			continue;
		for (j = 0; j < cl->n_residences; j++) {
			why = &cl->outcomes[i * cl->n_residences + j];
			if (!why->permitted || why->rule == NULL)
				continue;
			for (k = 0; k < *n; k++)
				if (strcmp(rules[k], why->rule) == 0)
					break;
			if (k == *n && *n < RULES_MAX)
				rules[(*n)++] = why->rule;
		}
	}
}

/*
 * Everything that the record points to is copied into the job's arena or
 * lives as long as the standing, which a switch replaces only when no job
 * is left; the meanings may go earlier.
 */
int
cover_record(const struct cover *c, const struct session *s, struct arena *a,
    struct record_statement *r)
{
	const struct standing *st = s->standing;
	struct record_table *tables;
	const char **rules;
	size_t i;

	tables = arena_array(a, st->n_reach + 1, sizeof(*tables));
	rules = arena_array(a, RULES_MAX, sizeof(*rules));
	if (tables == NULL || rules == NULL)
		return ERR_MEMORY;
	r->text_hmac = c->newest == NULL ? "" :
	    arena_str(a, c->newest->text_hmac);
	r->what = c->newest == NULL ? "EXECUTE" :
	    arena_str(a, c->newest->judgement->what);
	r->basis = "bounded";
	r->whole = c->whole;
	r->whole_why = arena_str(a, c->whole_why);
	if (c->newest != NULL && c->newest->judgement->writes != NULL &&
	    (r->writes = arena_str(a, c->newest->judgement->writes)) == NULL)
		return ERR_MEMORY;
	if (c->newest != NULL && c->newest->judgement->bounded_why != NULL &&
	    (r->bounded_why = arena_str(a,
	    c->newest->judgement->bounded_why)) == NULL)
		return ERR_MEMORY;
	if (r->text_hmac == NULL || r->what == NULL || r->whole_why == NULL)
		return ERR_MEMORY;
	for (i = 0; i < st->n_reach; i++)
		if (st->reach[i] != NULL && (c->whole || c->tables[i]))
			tables[r->bound.n++] = *st->reach[i];
	r->bound.tables = tables;
	cover_rules(c, s, rules, &r->rules.n);
	r->rules.s = rules;
	if (approved_cite(&st->approved, c->whole ? NULL : c->tables,
	    s->store->catalog->n_tables, a, r) != 0)
		return ERR_MEMORY;
	if (s->store->mode == STORE_ENFORCE)
		return 0;
	for (i = 0; i < c->n_would; i++) {
		c->would[i].table = arena_str(a, c->would[i].table);
		c->would[i].rule = arena_str(a, c->would[i].rule);
		c->would[i].because = arena_str(a, c->would[i].because);
		if (c->would[i].table == NULL || c->would[i].rule == NULL ||
		    c->would[i].because == NULL)
			return ERR_MEMORY;
	}
	r->would = c->would;
	r->n_would = c->n_would;
	return 0;
}

void
cover_named(struct cover *c, const struct session *s, const struct named *x)
{
	size_t i;

	if (x == NULL || x->n == 0 || x->anything)
		cover_anything(c);
	for (i = 0; x != NULL && i < x->n; i++)
		cover_add(c, s, x->slots[i].meaning);
}

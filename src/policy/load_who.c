/*
 * Whom a rule is about, and the definitions that rules name.
 */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "directory/control.h"
#include "policy/load.h"
#include "policy/who.h"

/* A list of labels, or {outside: list}: any that is none of them. */
static struct names
read_labels(struct load *l, const struct yaml_node *n)
{
	static const char *const allowed[] = {"outside", NULL};
	struct names names;
	bool outside = n != NULL && n->kind == YAML_MAP;

	if (outside) {
		yaml_map(&l->in, n, allowed);
		n = yaml_need(&l->in, n, "outside");
	}
	names = rules_names(l, n, rules_check_label);
	names.outside = outside && names.set;
	return names;
}

static void
check_employed_as(struct load *l, const struct yaml_node *n)
{
	static const char *const kinds[] = {"employee", "contractor",
	    "nobody", NULL};

	(void)yaml_enum(&l->in, n, kinds);
}

/* As a set of EMPLOYED_*. */
static unsigned
read_employed_as(struct load *l, const struct yaml_node *n)
{
	struct names names = rules_names(l, n, check_employed_as);
	unsigned as = 0;
	size_t i;

	for (i = 0; l->in.result == 0 && i < names.n; i++)
		as |= strcmp(names.items[i], "employee") == 0 ?
		    EMPLOYED_EMPLOYEE :
		    strcmp(names.items[i], "contractor") == 0 ?
		    EMPLOYED_CONTRACTOR : EMPLOYED_NOBODY;
	return as;
}

static struct defined_list
to_list(struct names n)
{
	return (struct defined_list){n.items, n.n, n.outside, n.set};
}

static struct defined_list
defined_labels(struct load *l, const struct yaml_node *n)
{
	return to_list(read_labels(l, n));
}

static struct defined_list
defined_texts(struct load *l, const struct yaml_node *n)
{
	return to_list(rules_names(l, n, rules_check_text));
}

static void
read_entities(struct load *l, struct definition *d, const struct yaml_node *n)
{
	static const char *const allowed[] = {"organised-in", "business-in",
	    "owned", NULL};
	const struct yaml_node *owned = yaml_get(n, "owned");
	const char *s;

	if (n == NULL)
		return;
	yaml_map(&l->in, n, allowed);
	d->organised_in = defined_labels(l, yaml_get(n, "organised-in"));
	d->business_in = defined_labels(l, yaml_get(n, "business-in"));
	if (owned == NULL || (s = yaml_str(&l->in, owned)) == NULL)
		return;
	if (!share_parse(s, &d->owned) || d->owned == 0)
		(void)yaml_fail(&l->in, owned, "\"%.40s\" is not a share in "
		    "percent: above 0 and up to 100, at most six decimals", s);
}

static void
read_people(struct load *l, struct definition *d, const struct yaml_node *n)
{
	static const char *const allowed[] = {"employed-as", "resident-in",
	    "contracting-in", "offices", NULL};

	if (n == NULL)
		return;
	yaml_map(&l->in, n, allowed);
	d->employed_as = read_employed_as(l, yaml_get(n, "employed-as"));
	if ((d->employed_as & EMPLOYED_NOBODY) != 0)
		(void)yaml_fail(&l->in, yaml_get(n, "employed-as"), "here "
		    "\"employed-as\" says how somebody works for an entity "
		    "that the definition is about: employee, contractor");
	d->resident_in = defined_labels(l, yaml_get(n, "resident-in"));
	d->contracting_in = defined_labels(l, yaml_get(n, "contracting-in"));
	d->holding_office = defined_texts(l, yaml_get(n, "offices"));
}

static void
read_services(struct load *l, struct definition *d, const struct yaml_node *n)
{
	static const char *const allowed[] = {"through", "located-in", NULL};
	static const char *const ways[] = {"operator", "keepers", NULL};
	const struct yaml_node *through = yaml_get(n, "through");
	size_t i, count;

	if (n == NULL)
		return;
	yaml_map(&l->in, n, allowed);
	d->running_in = defined_labels(l, yaml_get(n, "located-in"));
	count = through == NULL ? 0 : through->kind == YAML_LIST ?
	    through->n : 1;
	for (i = 0; i < count && l->in.result == 0; i++)
		if (yaml_enum(&l->in, through->kind == YAML_LIST ?
		    through->items[i] : through, ways) == 0)
			d->by_operator = true;
		else
			d->by_keepers = true;
}

static void
read_unless(struct load *l, struct definition *d, const struct yaml_node *n)
{
	static const char *const allowed[] = {"named", "organised-only-in",
	    "nationality", "located-only-in", NULL};

	if (n == NULL)
		return;
	yaml_map(&l->in, n, allowed);
	d->unless.named = defined_texts(l, yaml_get(n, "named"));
	d->unless.organised_only_in = defined_labels(l,
	    yaml_get(n, "organised-only-in"));
	d->unless.nationality = defined_labels(l,
	    yaml_get(n, "nationality"));
	d->unless.located_only_in = defined_labels(l,
	    yaml_get(n, "located-only-in"));
}

static void
read_definition(struct load *l, struct definition *d,
    const struct yaml_node *n)
{
	static const char *const allowed[] = {"named", "entities", "people",
	    "services", "unless", NULL};

	yaml_map(&l->in, n, allowed);
	d->named = defined_texts(l, yaml_get(n, "named"));
	read_entities(l, d, yaml_get(n, "entities"));
	read_people(l, d, yaml_get(n, "people"));
	read_services(l, d, yaml_get(n, "services"));
	read_unless(l, d, yaml_get(n, "unless"));
	if (l->in.result == 0 && !d->named.set && !d->organised_in.set &&
	    !d->business_in.set && !d->resident_in.set &&
	    !d->holding_office.set && !d->running_in.set &&
	    !d->contracting_in.set)
		(void)yaml_fail(&l->in, n, "nobody can be this: what leads on "
		    "from one to the next (owned, employed-as, through) needs "
		    "somebody to begin with; give labels or names");
}

/* The definitions of one file; their names are common to all files. */
static void
read_definitions(struct load *l, const struct yaml_node *n)
{
	struct policy *p = l->p;
	struct definition *d;
	size_t i, k;

	for (i = 0; n != NULL && i < n->n && l->in.result == 0; i++) {
		d = &p->definitions[p->n_definitions];
		d->name = rules_text(l, n->keys[i]);
		for (k = 0; d->name != NULL && k < p->n_definitions; k++)
			if (strcmp(p->definitions[k].name, d->name) == 0)
				(void)yaml_fail(&l->in, n->keys[i], "there is "
				    "a definition \"%.80s\" already; each "
				    "stands once", d->name);
		read_definition(l, d, n->items[i]);
		p->n_definitions++;
	}
}

void
rules_definitions(struct load *l)
{
	const struct yaml_node *n;
	size_t total = 0;

	for (l->file = 0; l->file < l->n_files; l->file++) {
		n = yaml_get(l->files[l->file].root, "definitions");
		yaml_any_map(&l->in, n);
		if (l->in.result != 0)
			return;
		total += n != NULL ? n->n : 0;
	}
	l->p->definitions = rules_take(l, arena_array(l->in.arena, total,
	    sizeof(*l->p->definitions)));
	for (l->file = 0; l->file < l->n_files; l->file++) {
		read_definitions(l, yaml_get(l->files[l->file].root,
		    "definitions"));
		if (l->in.result != 0)
			return;
	}
}

static const struct definition *
find_definition(const struct policy *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->n_definitions; i++)
		if (strcmp(p->definitions[i].name, name) == 0)
			return &p->definitions[i];
	return NULL;
}

static void
check_definition(struct load *l, const struct yaml_node *n)
{
	const char *s = rules_text(l, n);

	if (s != NULL && find_definition(l->p, s) == NULL)
		(void)yaml_fail(&l->in, n, "there is no definition \"%.80s\"; "
		    "add it under \"definitions\" or correct the name", s);
}

static void
read_is(struct load *l, struct rule *r, const struct yaml_node *n)
{
	struct names names = rules_names(l, n, check_definition);
	const struct definition **list;
	size_t i;

	list = rules_take(l, arena_array(l->in.arena, names.n,
	    sizeof(*list)));
	if (l->in.result != 0)
		return;
	for (i = 0; i < names.n; i++)
		list[i] = find_definition(l->p, names.items[i]);
	r->is = list;
	r->n_is = names.n;
}

static void
read_by(struct load *l, struct rule *r, const struct yaml_node *n)
{
	r->by = CONTROL_ALL;
	if (n == NULL)
		return;
	if (!r->controlled_from.set)
		(void)yaml_fail(&l->in, n, "\"by\" chooses among the paths of "
		    "\"controlled-from\", which is not here");
	r->by = rules_kinds(l, n);
}

void
rules_who(struct load *l, struct rule *r, const struct yaml_node *n)
{
	static const char *const allowed[] = {"kind", "principals", "roles",
	    "employed-by", "employed-as", "instructed-by", "nationality",
	    "offices", "located-in", "based-in", "connecting-from",
	    "controlled-from", "by", "is", NULL};
	static const char *const kinds[] = {"person", "service", NULL};

	if (n == NULL)
		return;
	yaml_map(&l->in, n, allowed);
	r->has_kind = yaml_get(n, "kind") != NULL;
	r->service = yaml_enum(&l->in, yaml_get(n, "kind"), kinds) == 1;
	r->principals = rules_names(l, yaml_get(n, "principals"),
	    rules_check_text);
	r->roles = rules_names(l, yaml_get(n, "roles"), rules_check_text);
	r->employed_by = rules_names(l, yaml_get(n, "employed-by"),
	    rules_check_text);
	r->employed_as = read_employed_as(l, yaml_get(n, "employed-as"));
	r->instructed_by = rules_names(l, yaml_get(n, "instructed-by"),
	    rules_check_text);
	r->nationality = read_labels(l, yaml_get(n, "nationality"));
	r->offices = rules_names(l, yaml_get(n, "offices"), rules_check_text);
	r->located_in = read_labels(l, yaml_get(n, "located-in"));
	r->based_in = read_labels(l, yaml_get(n, "based-in"));
	r->connecting_from = read_labels(l, yaml_get(n, "connecting-from"));
	r->controlled_from = read_labels(l, yaml_get(n, "controlled-from"));
	read_by(l, r, yaml_get(n, "by"));
	read_is(l, r, yaml_get(n, "is"));
}

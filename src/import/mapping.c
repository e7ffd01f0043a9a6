/*
 * Reading a mapping's file. Which fields a section has is a table; a rule
 * is an attribute's name, a map that says more, or a list of such.
 */
#include "import/mapping.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "import/dn.h"
#include "import/entry.h"
#include "yaml/yaml.h"

static const char *const section_keys[SECTIONS] = {
	[SECTION_PEOPLE] = "people", [SECTION_SERVICES] = "services",
	[SECTION_ENTITIES] = "entities", [SECTION_OWNERS] = "owners",
	[SECTION_SITES] = "sites", [SECTION_GROUPS] = "groups",
	[SECTION_TICKETS] = "tickets",
};

static const char *const field_keys[FIELDS] = {
	[FIELD_ID] = "id", [FIELD_NAME] = "name", [FIELD_FROM] = "from",
	[FIELD_TO] = "to", [FIELD_SITE] = "site",
	[FIELD_EMPLOYER] = "employer", [FIELD_KIND] = "kind",
	[FIELD_MANAGER] = "manager", [FIELD_INSTRUCTOR] = "instructor",
	[FIELD_NATIONALITY] = "nationality",
	[FIELD_RESIDENCE] = "residence", [FIELD_OFFICES] = "offices",
	[FIELD_ROLES] = "roles", [FIELD_OPERATOR] = "operator",
	[FIELD_KEEPERS] = "keepers", [FIELD_NETWORKS] = "networks",
	[FIELD_COUNTRY] = "country", [FIELD_PLACE] = "principal-place",
	[FIELD_REST] = "rest", [FIELD_ENTITY] = "entity",
	[FIELD_OWNER] = "owner", [FIELD_SHARE] = "share",
	[FIELD_MEMBER] = "member", [FIELD_TICKET] = "ticket",
	[FIELD_ASSIGNEE] = "assignee", [FIELD_ASSIGNER] = "assigner",
	[FIELD_APPROVER] = "approver", [FIELD_TIME] = "time",
};

#define F(x) ((uint32_t)1 << FIELD_##x)

static const uint32_t section_fields[SECTIONS] = {
	[SECTION_PEOPLE] = F(ID) | F(NAME) | F(FROM) | F(TO) | F(SITE) |
	    F(EMPLOYER) | F(KIND) | F(MANAGER) | F(INSTRUCTOR) |
	    F(NATIONALITY) | F(RESIDENCE) | F(OFFICES) | F(ROLES),
	[SECTION_SERVICES] = F(ID) | F(NAME) | F(FROM) | F(TO) | F(SITE) |
	    F(OPERATOR) | F(KEEPERS) | F(ROLES) | F(NETWORKS),
	[SECTION_ENTITIES] = F(ID) | F(NAME) | F(FROM) | F(TO) | F(COUNTRY) |
	    F(PLACE) | F(REST),
	[SECTION_OWNERS] = F(ENTITY) | F(OWNER) | F(SHARE) | F(FROM) | F(TO),
	[SECTION_SITES] = F(ID) | F(COUNTRY) | F(NETWORKS),
	[SECTION_GROUPS] = F(ID) | F(MEMBER) | F(ROLES),
	[SECTION_TICKETS] = F(TICKET) | F(ASSIGNEE) | F(ASSIGNER) |
	    F(APPROVER) | F(TIME),
};

const char *
section_text(enum section s)
{
	return section_keys[s];
}

const char *
field_text(enum field f)
{
	return field_keys[f];
}

static void *
take(struct yaml_in *in, void *p)
{
	if (p == NULL && in->result == 0)
		in->result = why_set(in->why, ERR_MEMORY, 0, 0,
		    "out of memory");
	return p;
}

/* A SCIM path may be written with its schema in front. */
static const char *
attribute_name(const char *s)
{
	const char *colon = strrchr(s, ':');

	return colon != NULL && strncasecmp(s, "urn:", 4) == 0 ? colon + 1 : s;
}

static const char *const *
read_attributes(struct yaml_in *in, const struct yaml_node *n, size_t *ret_n)
{
	const char *const *given = yaml_strs(in, n, ret_n);
	const char **names;
	size_t i;

	if (given == NULL || in->result != 0)
		return NULL;
	if ((names = take(in, arena_array(in->arena, *ret_n,
	    sizeof(*names)))) == NULL)
		return NULL;
	for (i = 0; i < *ret_n; i++) {
		names[i] = attribute_name(given[i]);
		if (names[i][0] == 0)
			(void)yaml_fail(in, n, "the name of an attribute is "
			    "wanted here");
	}
	return names;
}

static int
compare_values(const void *a, const void *b)
{
	const struct rule_value *x = a, *y = b;

	return strcasecmp(x->from, y->from);
}

static void
read_values(struct yaml_in *in, const struct yaml_node *n, struct rule *r)
{
	struct rule_value *values;
	const char *normal;
	size_t i;

	yaml_any_map(in, n);
	if (n == NULL || in->result != 0)
		return;
	values = take(in, arena_array(in->arena, n->n, sizeof(*values)));
	for (i = 0; i < n->n && in->result == 0; i++) {
		values[i].from = n->keys[i]->text;
		/* A DN is found however it is spelled. */
		if (strchr(values[i].from, '=') != NULL &&
		    (normal = dn_normal(in->arena, values[i].from)) != NULL)
			values[i].from = normal;
		values[i].to = yaml_str(in, n->items[i]);
	}
	if (in->result != 0)
		return;
	qsort(values, n->n, sizeof(*values), compare_values);
	for (i = 1; i < n->n; i++)
		if (compare_values(&values[i - 1], &values[i]) == 0)
			(void)yaml_fail(in, n, "the table has \"%.80s\" twice;"
			    " values are compared without regard to case",
			    values[i].from);
	r->values = values;
	r->n_values = n->n;
	r->has_values = true;
}

static void
read_rule_map(struct yaml_in *in, const struct yaml_node *n, enum field f,
    struct rule *r)
{
	static const char *const allowed[] = {"attribute", "values", "other",
	    "default", "separator", "country", "top", NULL};
	static const char *const others[] = {"", "refuse", "keep", "unknown",
	    NULL};
	const struct yaml_node *at;

	yaml_map(in, n, allowed);
	r->attributes = read_attributes(in, yaml_get(n, "attribute"),
	    &r->n_attributes);
	read_values(in, yaml_get(n, "values"), r);
	if ((at = yaml_get(n, "other")) != NULL)
		r->other = (enum other)yaml_enum(in, at, others);
	r->otherwise = yaml_str(in, yaml_get(n, "default"));
	r->separator = yaml_str(in, yaml_get(n, "separator"));
	if (r->separator != NULL && r->separator[0] == 0)
		(void)yaml_fail(in, n, "a separator of no bytes separates "
		    "nothing");
	if ((at = yaml_get(n, "country")) != NULL && f != FIELD_SITE)
		(void)yaml_fail(in, at, "\"country\" goes with a site");
	r->countries = read_attributes(in, at, &r->n_countries);
	if ((at = yaml_get(n, "top")) != NULL && f != FIELD_MANAGER)
		(void)yaml_fail(in, at, "\"top\" goes with a manager");
	r->top = yaml_strs(in, at, &r->n_top);
	if (r->n_attributes == 0 && r->otherwise == NULL && in->result == 0)
		(void)yaml_fail(in, n, "a rule takes its value from an "
		    "\"attribute\", or has a \"default\"");
}

static const struct rule *
read_rule(struct yaml_in *in, const struct yaml_node *n, enum field f)
{
	struct rule *r = take(in, arena_alloc(in->arena, sizeof(*r)));

	if (r == NULL || in->result != 0)
		return NULL;
	if (n->kind == YAML_MAP)
		read_rule_map(in, n, f, r);
	else
		r->attributes = read_attributes(in, n, &r->n_attributes);
	return in->result == 0 ? r : NULL;
}

/* "none" maps nothing; a list of maps is one rule after the other. */
static const struct rule *
read_rules(struct yaml_in *in, const struct yaml_node *n, enum field f)
{
	struct rule *first = NULL, *r;
	size_t i;

	if (n->kind == YAML_SCALAR && strcmp(n->text, "none") == 0)
		return NULL;
	if (n->kind != YAML_LIST || n->n == 0 ||
	    n->items[0]->kind != YAML_MAP)
		return read_rule(in, n, f);
	for (i = n->n; i > 0 && in->result == 0; i--) {
		r = (struct rule *)read_rule(in, n->items[i - 1], f);
		if (r == NULL)
			return NULL;
		r->next = first;
		first = r;
	}
	return first;
}

static const struct condition *
read_conditions(struct yaml_in *in, const struct yaml_node *n, size_t *ret_n)
{
	struct condition *c;
	size_t i;

	*ret_n = 0;
	yaml_any_map(in, n);
	if (n == NULL || in->result != 0)
		return NULL;
	c = take(in, arena_array(in->arena, n->n, sizeof(*c)));
	for (i = 0; i < n->n && in->result == 0; i++) {
		c[i].attribute = attribute_name(n->keys[i]->text);
		c[i].values = yaml_strs(in, n->items[i], &c[i].n);
	}
	*ret_n = in->result == 0 ? n->n : 0;
	return c;
}

static void
read_section(struct yaml_in *in, const struct yaml_node *n, enum section which,
    struct section_map *s)
{
	const char *allowed[FIELDS + 3];
	const struct yaml_node *at;
	size_t i, k = 0;

	if (n == NULL)
		return;
	allowed[k++] = "where";
	allowed[k++] = "skip";
	for (i = 0; i < FIELDS; i++)
		if ((section_fields[which] >> i & 1) != 0)
			allowed[k++] = field_keys[i];
	allowed[k] = NULL;
	yaml_map(in, n, allowed);
	if ((at = yaml_get(n, "where")) != NULL)
		s->where = read_conditions(in, at, &s->n_where);
	if ((at = yaml_get(n, "skip")) != NULL)
		s->skip = read_conditions(in, at, &s->n_skip);
	for (i = 0; i < FIELDS && in->result == 0; i++)
		if ((section_fields[which] >> i & 1) != 0 &&
		    (at = yaml_get(n, field_keys[i])) != NULL) {
			s->rules[i] = read_rules(in, at, (enum field)i);
			s->named[i] = true;
		}
}

int
mapping_load(struct arena *a, const char *text, size_t len, struct mapping *m,
    struct why *w)
{
	static const char *const allowed[] = {"import", "issuer", "people",
	    "services", "entities", "owners", "sites", "groups", "tickets",
	    NULL};
	struct yaml_in in = {.arena = a, .why = w};
	const struct yaml_node *root;
	const char *issuer;
	size_t i;
	int r;

	if ((r = yaml_parse(a, text, len, &root, w)) != 0)
		return r;
	yaml_map(&in, root, allowed);
	(void)yaml_u64(&in, yaml_need(&in, root, "import"), 1, 1);
	if ((issuer = yaml_str(&in, yaml_get(root, "issuer"))) != NULL)
		m->issuer = issuer;
	for (i = 0; i < SECTIONS && in.result == 0; i++)
		read_section(&in, yaml_get(root, section_keys[i]),
		    (enum section)i, &m->sections[i]);
	return in.result;
}

static bool
matches(const struct condition *c, const struct entry *e)
{
	const char *value;
	size_t at = 0, i;

	while (entry_next(e, c->attribute, &at, &value))
		for (i = 0; i < c->n; i++)
			if (value != NULL &&
			    strcasecmp(value, c->values[i]) == 0)
				return true;
	return false;
}

bool
mapping_meant(const struct section_map *s, const struct entry *e)
{
	size_t i;

	for (i = 0; i < s->n_where; i++)
		if (!matches(&s->where[i], e))
			return false;
	for (i = 0; i < s->n_skip; i++)
		if (matches(&s->skip[i], e))
			return false;
	return true;
}

static const char *
look_up(const struct rule *r, const char *value)
{
	struct rule_value key = {value, NULL}, *found;

	if (r->n_values == 0)
		return NULL;
	found = bsearch(&key, r->values, r->n_values, sizeof(key),
	    compare_values);
	return found != NULL ? found->to : NULL;
}

const char *
mapping_value(struct arena *a, const struct rule *r, const char *value)
{
	const char *to = look_up(r, value), *part;

	if (to != NULL || r->n_values == 0 || strchr(value, '=') == NULL)
		return to;
	if ((part = dn_normal(a, value)) != NULL)
		to = look_up(r, part);
	if (to == NULL && (part = dn_first(a, value)) != NULL)
		to = look_up(r, part);
	return to;
}

/*
 * Which attributes a mapping looks at: what a server is asked for, and what
 * a table's columns are compared with.
 */
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "import/mapping.h"

typedef bool attribute_fn(void *arg, const char *name);

/* Calls until the function returns true; whether it did. */
static bool
each_of_rule(const struct rule *r, attribute_fn *fn, void *arg)
{
	size_t i;

	for (; r != NULL; r = r->next) {
		for (i = 0; i < r->n_attributes; i++)
			if (fn(arg, r->attributes[i]))
				return true;
		for (i = 0; i < r->n_countries; i++)
			if (fn(arg, r->countries[i]))
				return true;
	}
	return false;
}

static bool
each(const struct section_map *s, attribute_fn *fn, void *arg)
{
	size_t i;

	for (i = 0; i < s->n_where; i++)
		if (fn(arg, s->where[i].attribute))
			return true;
	for (i = 0; i < s->n_skip; i++)
		if (fn(arg, s->skip[i].attribute))
			return true;
	for (i = 0; i < FIELDS; i++)
		if (each_of_rule(s->rules[i], fn, arg))
			return true;
	return false;
}

struct list {
	const char **names;
	size_t n;
};

static bool
add(void *arg, const char *name)
{
	struct list *l = arg;
	size_t i;

	for (i = 0; l->names != NULL && i < l->n; i++)
		if (strcasecmp(l->names[i], name) == 0)
			return false;
	if (l->names != NULL)
		l->names[l->n] = name;
	l->n++;
	return false;
}

const char *const *
mapping_attributes(struct arena *a, const struct mapping *m)
{
	struct list l = {NULL, 0};
	size_t i;

	for (i = 0; i < SECTIONS; i++)
		(void)each(&m->sections[i], add, &l);	/* counts */
	l.names = arena_array(a, l.n + 1, sizeof(*l.names));
	l.n = 0;
	for (i = 0; i < SECTIONS && l.names != NULL; i++)
		(void)each(&m->sections[i], add, &l);	/* never stops */
	return l.names;
}

static bool
is_it(void *arg, const char *name)
{
	return strcasecmp(arg, name) == 0;
}

bool
mapping_uses(const struct section_map *s, const char *attribute)
{
	return each(s, is_it, (void *)attribute);
}

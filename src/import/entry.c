#include "import/entry.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

int
entry_init(struct entry *e)
{
	memset(e, 0, sizeof(*e));
	return (e->arena = arena_new()) != NULL ? 0 : ERR_MEMORY;
}

void
entry_done(struct entry *e)
{
	arena_free(e->arena);
	free(e->values);
	memset(e, 0, sizeof(*e));
}

void
entry_reset(struct entry *e)
{
	arena_reset(e->arena);
	e->n = 0;
	e->key = NULL;
	e->at.place = NULL;
	e->at.line = 0;
}

int
entry_key(struct entry *e, const char *key, bool is_dn)
{
	e->key_is_dn = is_dn;
	e->key = arena_str(e->arena, key);
	return e->key != NULL ? 0 : ERR_MEMORY;
}

static int
grow(struct entry *e)
{
	size_t cap = e->cap != 0 ? e->cap * 2 : 32;
	struct entry_value *values;

	if (cap > 2 * ENTRY_VALUES_MAX)
		return ERR_LIMIT;
	values = realloc(e->values, cap * sizeof(*values));
	if (values == NULL)
		return ERR_MEMORY;
	e->values = values;
	e->cap = cap;
	return 0;
}

int
entry_add(struct entry *e, const char *name, const void *value, size_t len)
{
	struct entry_value *v;
	int r;

	if (e->n == e->cap && (r = grow(e)) != 0)
		return r;
	v = &e->values[e->n];
	v->value = NULL;
	if ((v->name = arena_str(e->arena, name)) == NULL)
		return ERR_MEMORY;
	if ((len == 0 || memchr(value, 0, len) == NULL) &&
	    text_is_utf8(value, len) &&
	    (v->value = arena_strn(e->arena, value, len)) == NULL)
		return ERR_MEMORY;
	e->n++;
	return 0;
}

bool
entry_next(const struct entry *e, const char *name, size_t *at,
    const char **ret)
{
	for (; *at < e->n; (*at)++)
		if (strcasecmp(e->values[*at].name, name) == 0) {
			*ret = e->values[(*at)++].value;
			return true;
		}
	return false;
}

bool
entry_has(const struct entry *e, const char *name)
{
	const char *value;
	size_t at = 0;

	return entry_next(e, name, &at, &value);
}

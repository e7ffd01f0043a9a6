/*
 * Rules are compared as YAML: comments and how it is written do not count.
 * Principals by all that the directory says of them at that time.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "cli/version_diff.h"
#include "directory/directory.h"
#include "directory/told.h"
#include "gateway/config.h"
#include "policy/bundle.h"
#include "policy/rule.h"
#include "yaml/yaml.h"

/* -- rules ------------------------------------------------------------------- */

struct named {
	const char *name;
	const struct yaml_node *node;
};

struct named_rules {
	struct named *items;		/* sorted by name */
	size_t n;
};

static bool
same_node(const struct yaml_node *a, const struct yaml_node *b)
{
	size_t i, k;

	if (a->kind != b->kind || a->n != b->n)
		return false;
	if (a->kind == YAML_SCALAR)
		return strcmp(a->text, b->text) == 0;
	for (i = 0; i < a->n; i++) {
		k = i;
		if (a->kind == YAML_MAP) /* in whatever order */
			for (k = 0; k < b->n; k++)
				if (strcmp(a->keys[i]->text,
				    b->keys[k]->text) == 0)
					break;
		if (k == b->n || !same_node(a->items[i], b->items[k]))
			return false;
	}
	return true;
}

static int
compare_names(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* It was loaded, so it has the form of a policy. */
static int
take_rules(const struct bundle_file *f, struct arena *a,
    struct named_rules *ret, size_t cap)
{
	const struct yaml_node *root, *list, *name;
	size_t i;
	int r;

	if ((r = yaml_parse(a, f->text, f->len, &root, NULL)) != 0)
		return r;
	if ((list = yaml_get(root, "rules")) == NULL)
		return 0;
	for (i = 0; i < list->n; i++) {
		name = yaml_get(list->items[i], "rule");
		if (name == NULL || name->kind != YAML_SCALAR ||
		    ret->n == cap)
			return ERR_FORMAT;
		ret->items[ret->n].name = name->text;
		ret->items[ret->n++].node = list->items[i];
	}
	return 0;
}

static int
rules_of(const struct config *c, struct arena *a, struct named_rules *ret)
{
	const struct config_text *t = &c->policy_text;
	const struct bundle_file one = { "", t->text, t->len }, *files = &one;
	size_t i, n = 1, cap = c->policy->n_rules;
	int r;

	if (bundle_is(t->text, t->len) && (r = bundle_read(t->text, t->len, a,
	    &files, &n, NULL)) != 0)
		return r;
	ret->n = 0;
	ret->items = arena_array(a, cap + 1, sizeof(*ret->items));
	if (ret->items == NULL)
		return ERR_MEMORY;
	for (i = 0; i < n; i++)
		if ((r = take_rules(&files[i], a, ret, cap)) != 0)
			return r;
	qsort(ret->items, ret->n, sizeof(*ret->items), compare_names);
	return 0;
}

static int
count_rules(const struct config *before, const struct config *after,
    struct arena *a, struct change_count *c)
{
	struct named_rules x, y;
	size_t i = 0, k = 0;
	int cmp, r;

	if ((r = rules_of(before, a, &x)) != 0 ||
	    (r = rules_of(after, a, &y)) != 0)
		return r;
	while (i < x.n || k < y.n) {
		cmp = i == x.n ? 1 : k == y.n ? -1 :
		    strcmp(x.items[i].name, y.items[k].name);
		c->changed += cmp == 0 &&
		    !same_node(x.items[i].node, y.items[k].node);
		c->removed += cmp < 0;
		c->added += cmp > 0;
		i += cmp <= 0;
		k += cmp >= 0;
	}
	return 0;
}

/* -- principals ----------------------------------------------------------------- */

static int
same_facts(const struct directory *x, const struct directory *y,
    const char *id, int64_t at_ms, struct buf *one, struct buf *two,
    bool *ret)
{
	int r;

	buf_reset(one);
	buf_reset(two);
	if ((r = told_facts(one, x, id, at_ms)) != 0 ||
	    (r = told_facts(two, y, id, at_ms)) != 0)
		return r;
	if (one->failed || two->failed)
		return ERR_MEMORY;
	*ret = bytes_equal(bytes_of(one->data, one->len),
	    bytes_of(two->data, two->len));
	return 0;
}

static int
count_principals(const struct directory *x, const struct directory *y,
    int64_t at_ms, struct arena *a, struct change_count *c)
{
	const char *const *before, *const *after;
	size_t n, m, i = 0, k = 0;
	struct buf one, two;
	bool same;
	int cmp, r;

	if ((r = directory_list(x, at_ms, a, &before, &n)) != 0 ||
	    (r = directory_list(y, at_ms, a, &after, &m)) != 0)
		return r;
	buf_init(&one, 0);
	buf_init(&two, 0);
	while (r == 0 && (i < n || k < m)) {
		cmp = i == n ? 1 : k == m ? -1 : strcmp(before[i], after[k]);
		if (cmp == 0 && (r = same_facts(x, y, before[i], at_ms, &one,
		    &two, &same)) == 0)
			c->changed += !same;
		c->removed += cmp < 0;
		c->added += cmp > 0;
		i += cmp <= 0;
		k += cmp >= 0;
	}
	buf_done(&one);
	buf_done(&two);
	return r;
}

/* -- stores ------------------------------------------------------------------------ */

static bool
same_strs(const char *const *a, size_t n, const char *const *b, size_t m)
{
	size_t i;

	for (i = 0; n == m && i < n; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return n == m;
}

static bool
same_store(const struct config_store *a, const struct config_store *b)
{
	return a->mode == b->mode && strcmp(a->catalog_text.sha256,
	    b->catalog_text.sha256) == 0 &&
	    same_strs(a->residences, a->n_residences, b->residences,
	    b->n_residences) &&
	    same_strs(a->service_principals, a->n_services,
	    b->service_principals, b->n_services) &&
	    same_strs(a->service_roles, a->n_services, b->service_roles,
	    b->n_services);
}

void
version_count_stores(const struct config *x, const struct config *y,
    struct change_count *c)
{
	const struct config_store *was;
	size_t i;

	for (i = 0; i < y->n_stores; i++) {
		was = config_store_find(x, y->stores[i].name);
		c->added += was == NULL;
		c->changed += was != NULL && !same_store(was, &y->stores[i]);
	}
	for (i = 0; i < x->n_stores; i++)
		c->removed += config_store_find(y, x->stores[i].name) == NULL;
}

int
version_count(const struct config *x, const struct config *y, int64_t at_ms,
    struct version_change *ret)
{
	struct arena *a = arena_new();
	int r = a == NULL ? ERR_MEMORY : 0;

	memset(ret, 0, sizeof(*ret));
	ret->policy = strcmp(x->policy_text.sha256,
	    y->policy_text.sha256) != 0;
	ret->directory = strcmp(x->directory_text.sha256,
	    y->directory_text.sha256) != 0;
	if (r == 0 && ret->policy)
		r = count_rules(x, y, a, &ret->rules);
	if (r == 0 && ret->directory)
		r = count_principals(x->directory, y->directory, at_ms, a,
		    &ret->principals);
	version_count_stores(x, y, &ret->stores);
	arena_free(a);
	return r;
}

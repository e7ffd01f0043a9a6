/*
 * Tables are read first, and the ways to subjects are resolved afterwards,
 * since a way may lead over tables that stand further down. A way over
 * another table is one step followed by each of that table's own ways, so a
 * row has as many subjects as the product; rings are refused.
 */
#include "catalog/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "yaml/yaml.h"

#define IDENT_MAX 63		/* of PostgreSQL, bytes */
#define VALUE_MAX 1000
#define PEOPLE_MAX UINT64_C(1000000000000)
#define HIDDEN_PREFIX "sworn$"	/* of columns that lineage adds */
#define STEPS_MAX 16		/* of one way */
#define SUBJECTS_MAX 64		/* of one row */

struct owned {
	struct catalog c;
	struct arena *arena;
};

struct name {
	const char *schema, *table, *full;
};

/* A table on its way to being loaded. */
struct draft {
	struct catalog_table table;
	const struct yaml_node *key, *map;
	enum { WAY_NEW, WAY_OPEN, WAY_DONE } way;
};

struct load {
	struct yaml_in in;
	struct catalog *c;
	struct draft *drafts;	/* sorted by full */
	size_t n;
	size_t depth;		/* of tables being resolved */
	struct mask *masks;	/* as c->categories */
};

static void *
take(struct load *l, void *p)
{
	if (p == NULL && l->in.result == 0)
		l->in.result = why_set(l->in.why, ERR_MEMORY, 0, 0,
		    "out of memory");
	return p;
}

static bool
has_control(const char *s)
{
	for (; *s != 0; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

static bool
ident_valid(const char *s)
{
	return s[0] != 0 && strlen(s) <= IDENT_MAX && !has_control(s);
}

static const char *
read_ident(struct load *l, const struct yaml_node *n, const char *what)
{
	const char *s = yaml_str(&l->in, n);

	if (s == NULL)
		return NULL;
	if (!ident_valid(s) || text_starts(s, HIDDEN_PREFIX)) {
		(void)yaml_fail(&l->in, n, "\"%.80s\" is no name for a %s: "
		    "1 to %d bytes, not beginning with \"%s\"", s, what,
		    IDENT_MAX, HIDDEN_PREFIX);
		return NULL;
	}
	return s;
}

static const char *
read_text(struct load *l, const struct yaml_node *n)
{
	const char *s = yaml_str(&l->in, n);

	if (s == NULL)
		return NULL;
	if (s[0] == 0 || strlen(s) > VALUE_MAX || has_control(s)) {
		(void)yaml_fail(&l->in, n, "text of 1 to %d bytes without "
		    "control characters is wanted here", VALUE_MAX);
		return NULL;
	}
	return s;
}

/* "schema.table", in two parts. */
static struct name
read_name(struct load *l, const struct yaml_node *n)
{
	const char *s = yaml_str(&l->in, n), *dot;
	struct name name = {NULL, NULL, NULL};

	if (s == NULL)
		return name;
	dot = strchr(s, '.');
	if (dot != NULL) {
		name.schema = take(l, arena_strn(l->in.arena, s,
		    (size_t)(dot - s)));
		name.table = dot + 1;
	}
	if (name.schema == NULL || !ident_valid(name.schema) ||
	    !ident_valid(name.table) || strchr(name.table, '.') != NULL) {
		(void)yaml_fail(&l->in, n, "\"%.80s\" is not a table; write "
		    "it as schema.table", s);
		return (struct name){NULL, NULL, NULL};
	}
	name.full = s;
	return name;
}

static bool
label_valid(const char *s)
{
	size_t len = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return len >= 1 && len <= 32 && s[len] == 0 &&
	    strcmp(s, "unknown") != 0;
}

static struct catalog_step
read_step(struct load *l, const struct yaml_node *n, const char *via)
{
	struct catalog_step step;
	struct name name;

	step.column = read_ident(l, yaml_need(&l->in, n, "column"), "column");
	name = read_name(l, yaml_need(&l->in, n, via));
	step.schema = name.schema;
	step.table = name.table;
	step.key = read_ident(l, yaml_need(&l->in, n, "key"), "column");
	return step;
}

static int
compare_values(const void *a, const void *b)
{
	const struct catalog_value *x = a, *y = b;

	return strcmp(x->value, y->value);
}

static void
read_values(struct load *l, const struct yaml_node *n)
{
	struct catalog_value *values;
	size_t i;

	yaml_any_map(&l->in, n);
	if (n == NULL || l->in.result != 0)
		return;
	if (n->n == 0) {
		(void)yaml_fail(&l->in, n, "no value is mapped to a "
		    "residence, so nobody would be at home anywhere");
		return;
	}
	values = take(l, arena_array(l->in.arena, n->n, sizeof(*values)));
	for (i = 0; i < n->n && l->in.result == 0; i++) {
		values[i].value = n->keys[i]->text;
		if (strlen(values[i].value) > VALUE_MAX ||
		    has_control(values[i].value))
			(void)yaml_fail(&l->in, n->keys[i], "a value has at "
			    "most %d bytes and no control characters",
			    VALUE_MAX);
		values[i].label = yaml_str(&l->in, n->items[i]);
		if (values[i].label != NULL && !label_valid(values[i].label))
			(void)yaml_fail(&l->in, n->items[i], "\"%.40s\" is "
			    "not a label: 1 to 32 of A-Z a-z 0-9 _ -, and "
			    "not \"unknown\"", values[i].label);
	}
	if (l->in.result != 0)
		return;
	qsort(values, n->n, sizeof(*values), compare_values);
	l->c->values = values;
	l->c->n_values = n->n;
}

static void
read_through(struct load *l, const struct yaml_node *n)
{
	static const char *const allowed[] = {"column", "table", "key", NULL};
	struct catalog_step *steps;
	size_t i;

	yaml_list(&l->in, n);
	if (n == NULL || l->in.result != 0)
		return;
	if (n->n > STEPS_MAX)
		(void)yaml_fail(&l->in, n, "more than %d steps to a residence",
		    STEPS_MAX);
	steps = take(l, arena_array(l->in.arena, n->n, sizeof(*steps)));
	for (i = 0; i < n->n && l->in.result == 0; i++) {
		yaml_map(&l->in, n->items[i], allowed);
		steps[i] = read_step(l, n->items[i], "table");
	}
	l->c->residence_steps = steps;
	l->c->n_residence_steps = n->n;
}

static void
read_residence(struct load *l, const struct yaml_node *n)
{
	static const char *const allowed[] = {"column", "values", "through",
	    NULL};
	static const char *const words[] = {"store", NULL};

	if (n == NULL || l->in.result != 0)
		return;
	if (n->kind == YAML_SCALAR) {
		(void)yaml_enum(&l->in, n, words);
		l->c->residence_store = l->in.result == 0;
		return;
	}
	yaml_map(&l->in, n, allowed);
	l->c->residence_column = read_ident(l, yaml_need(&l->in, n, "column"),
	    "column");
	read_values(l, yaml_need(&l->in, n, "values"));
	read_through(l, yaml_get(n, "through"));
}

static void
read_subjects(struct load *l, const struct yaml_node *n)
{
	static const char *const allowed[] = {"table", "key", "residence",
	    "at-most", NULL};
	const struct yaml_node *at_most = yaml_get(n, "at-most");
	struct name name;

	yaml_map(&l->in, n, allowed);
	name = read_name(l, yaml_need(&l->in, n, "table"));
	l->c->subject_schema = name.schema;
	l->c->subject_table = name.table;
	l->c->subject_key = read_ident(l, yaml_need(&l->in, n, "key"),
	    "column");
	l->c->has_at_most = at_most != NULL;
	l->c->at_most = yaml_u64(&l->in, at_most, 0, PEOPLE_MAX);
	read_residence(l, yaml_need(&l->in, n, "residence"));
}

static void
read_categories(struct load *l, const struct yaml_node *n)
{
	size_t i, j;

	yaml_list(&l->in, n);
	if (n == NULL || l->in.result != 0)
		return;
	if (n->n == 0)
		(void)yaml_fail(&l->in, n, "name at least one category");
	for (i = 0; i < n->n; i++) {
		(void)read_text(l, n->items[i]);
		for (j = 0; j < i && l->in.result == 0; j++)
			if (strcmp(n->items[i]->text, n->items[j]->text) == 0)
				(void)yaml_fail(&l->in, n->items[i],
				    "the category \"%.80s\" is named twice",
				    n->items[i]->text);
	}
	l->c->categories = yaml_strs(&l->in, n, &l->c->n_categories);
}

/* Its index, or n_categories. */
static size_t
category_find(const struct catalog *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n_categories; i++)
		if (strcmp(c->categories[i], name) == 0)
			break;
	return i;
}

/* The index of the category that a node names. */
static size_t
read_category(struct load *l, const struct yaml_node *n)
{
	const char *name = yaml_str(&l->in, n);
	size_t i;

	if (name == NULL)
		return 0;
	if ((i = category_find(l->c, name)) < l->c->n_categories)
		return i;
	(void)yaml_fail(&l->in, n, "\"%.80s\" is not among the categories; "
	    "add it there or correct it", name);
	return 0;
}

/* What masks show, by category; where nothing is said, a constant. */
static void
read_masks(struct load *l, const struct yaml_node *n)
{
	size_t i, k;

	l->masks = take(l, arena_array(l->in.arena, l->c->n_categories,
	    sizeof(*l->masks)));
	yaml_any_map(&l->in, n);
	for (i = 0; n != NULL && l->in.result == 0 && i < n->n; i++) {
		k = read_category(l, n->keys[i]);
		if (l->in.result == 0)
			l->masks[k] = mask_read(&l->in, n->items[i]);
	}
}

/* "category", or {category: ..., mask: ...}. */
static void
read_column(struct load *l, const struct yaml_node *n,
    struct catalog_column *ret)
{
	static const char *const allowed[] = {"category", "mask", NULL};
	const struct yaml_node *category = n, *mask = NULL;
	size_t i;

	if (n->kind == YAML_MAP) {
		yaml_map(&l->in, n, allowed);
		category = yaml_need(&l->in, n, "category");
		mask = yaml_get(n, "mask");
	}
	i = read_category(l, category);
	if (l->in.result != 0)
		return;
	ret->category = l->c->categories[i];
	ret->mask = mask != NULL ? mask_read(&l->in, mask) : l->masks[i];
}

static void
read_columns(struct load *l, const struct yaml_node *n,
    struct catalog_table *t)
{
	struct catalog_column *columns;
	size_t i;

	yaml_any_map(&l->in, n);
	if (n == NULL || l->in.result != 0)
		return;
	if (n->n == 0) {
		(void)yaml_fail(&l->in, n, "%.80s has no columns here; list "
		    "them, or leave the table out", t->full);
		return;
	}
	columns = take(l, arena_array(l->in.arena, n->n, sizeof(*columns)));
	for (i = 0; i < n->n && l->in.result == 0; i++) {
		columns[i].name = read_ident(l, n->keys[i], "column");
		if (l->in.result == 0)
			read_column(l, n->items[i], &columns[i]);
	}
	t->columns = columns;
	t->n_columns = n->n;
}

static struct draft *
draft_find(struct load *l, const char *full)
{
	size_t low = 0, high = l->n, mid;
	int c;

	while (low < high) {
		mid = low + (high - low) / 2;
		c = strcmp(full, l->drafts[mid].table.full);
		if (c == 0)
			return &l->drafts[mid];
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

static bool
is_subject_table(const struct load *l, const struct catalog_table *t)
{
	return strcmp(t->schema, l->c->subject_schema) == 0 &&
	    strcmp(t->name, l->c->subject_table) == 0;
}

static void resolve(struct load *l, struct draft *d);

/* Puts one way, or several over another table, behind t's subjects. */
static void
add_ways(struct load *l, struct catalog_subject *ways, size_t *n,
    const struct yaml_node *at, struct catalog_step first,
    const struct draft *via)
{
	struct catalog_subject direct = {NULL, 0};
	const struct catalog_subject *rest = &direct;
	size_t n_rest = 1, i;

	if (via != NULL) {
		rest = via->table.subjects;
		n_rest = via->table.n_subjects;
	}
	for (i = 0; i < n_rest && l->in.result == 0; i++) {
		struct catalog_step *steps;

		if (*n == SUBJECTS_MAX || rest[i].n + 1 > STEPS_MAX) {
			(void)yaml_fail(&l->in, at, "a row has at most %d "
			    "subjects, each over at most %d steps",
			    SUBJECTS_MAX, STEPS_MAX);
			return;
		}
		steps = take(l, arena_array(l->in.arena, rest[i].n + 1,
		    sizeof(*steps)));
		if (steps == NULL)
			return;
		steps[0] = first;
		if (rest[i].n > 0)
			memcpy(steps + 1, rest[i].steps,
			    rest[i].n * sizeof(*steps));
		ways[*n].steps = steps;
		ways[(*n)++].n = rest[i].n + 1;
	}
}

static void
resolve_via(struct load *l, struct catalog_subject *ways, size_t *n,
    const struct yaml_node *at)
{
	static const char *const allowed[] = {"column", "via", "key", NULL};
	const struct yaml_node *via = yaml_get(at, "via");
	struct catalog_step first;
	struct draft *d;

	yaml_map(&l->in, at, allowed);
	first = read_step(l, at, "via");
	if (l->in.result != 0)
		return;
	if ((d = draft_find(l, via->text)) == NULL) {
		(void)yaml_fail(&l->in, via, "%.80s is not among the tables; "
		    "list it there", via->text);
		return;
	}
	if (d->table.is_public) {
		(void)yaml_fail(&l->in, via, "%.80s is public: no way to a "
		    "subject leads over it", via->text);
		return;
	}
	if (d->way == WAY_OPEN) {
		(void)yaml_fail(&l->in, via, "the way over %.80s comes back "
		    "to where it began", via->text);
		return;
	}
	resolve(l, d);
	if (l->in.result == 0)
		add_ways(l, ways, n, at, first, d);
}

static void
resolve_one(struct load *l, const struct draft *d,
    struct catalog_subject *ways, size_t *n, const struct yaml_node *at)
{
	struct catalog_step step;
	const char *s;

	if (at->kind == YAML_MAP) {
		resolve_via(l, ways, n, at);
		return;
	}
	s = yaml_str(&l->in, at);
	if (s != NULL && strcmp(s, "self") == 0) {
		if (!is_subject_table(l, &d->table))
			(void)yaml_fail(&l->in, at, "only rows of %.80s.%.80s "
			    "are subjects themselves; name the column that "
			    "leads there", l->c->subject_schema,
			    l->c->subject_table);
		if (*n > 0)
			(void)yaml_fail(&l->in, at, "a row that is a subject "
			    "itself has no other subjects");
		ways[0].steps = NULL;
		ways[0].n = 0;
		*n = 1;
		return;
	}
	step.column = read_ident(l, at, "column");
	step.schema = l->c->subject_schema;
	step.table = l->c->subject_table;
	step.key = l->c->subject_key;
	if (l->in.result == 0)
		add_ways(l, ways, n, at, step, NULL);
}

/* `subject` has one way, `subjects` a list of them. */
static const struct yaml_node *
subjects_node(struct load *l, const struct draft *d)
{
	const struct yaml_node *one = yaml_get(d->map, "subject");
	const struct yaml_node *many = yaml_get(d->map, "subjects");

	if ((one == NULL) == (many == NULL)) {
		(void)yaml_fail(&l->in, one != NULL ? many : d->key,
		    "%.80s needs one of \"subject\" and \"subjects\"",
		    d->table.full);
		return NULL;
	}
	if (one != NULL)
		return one;
	yaml_list(&l->in, many);
	if (l->in.result == 0 && many->n == 0)
		(void)yaml_fail(&l->in, many, "%.80s needs at least one "
		    "subject, or belongs under \"public\"", d->table.full);
	return many;
}

static void
resolve(struct load *l, struct draft *d)
{
	struct catalog_subject *ways;
	const struct yaml_node *n;
	size_t i;

	if (d->way == WAY_DONE || l->in.result != 0)
		return;
	if (l->depth == STEPS_MAX) {
		(void)yaml_fail(&l->in, d->key, "the way over %.80s to a "
		    "subject has more than %d steps", d->table.full,
		    STEPS_MAX);
		return;
	}
	l->depth++;
	d->way = WAY_OPEN;
	if ((n = subjects_node(l, d)) == NULL || l->in.result != 0)
		return;
	ways = take(l, arena_array(l->in.arena, SUBJECTS_MAX + 1,
	    sizeof(*ways)));
	if (n->kind != YAML_LIST)
		resolve_one(l, d, ways, &d->table.n_subjects, n);
	else
		for (i = 0; i < n->n && l->in.result == 0; i++)
			resolve_one(l, d, ways, &d->table.n_subjects,
			    n->items[i]);
	if (l->in.result != 0)
		return;
	if (is_subject_table(l, &d->table) &&
	    (d->table.n_subjects != 1 || ways[0].n != 0))
		(void)yaml_fail(&l->in, n, "rows of %.80s are the subjects: "
		    "write subject: self", d->table.full);
	d->table.subjects = ways;
	d->way = WAY_DONE;
	l->depth--;
}

static void
draft_init(struct load *l, struct draft *d, const struct yaml_node *key)
{
	struct name name = read_name(l, key);

	d->key = key;
	d->table.schema = name.schema;
	d->table.name = name.table;
	d->table.full = name.full;
}

static int
compare_drafts(const void *a, const void *b)
{
	const struct draft *x = a, *y = b;
	int c = strcmp(x->table.full, y->table.full);

	if (c != 0)
		return c;
	if (x->key->line != y->key->line)
		return x->key->line < y->key->line ? -1 : 1;
	return x->key->column < y->key->column ? -1 :
	    x->key->column > y->key->column;
}

/* Tables by name; none twice, nor both guarded and public. */
static void
sort_drafts(struct load *l)
{
	const struct draft *one, *two;
	size_t i;

	if (l->in.result != 0)
		return;
	qsort(l->drafts, l->n, sizeof(*l->drafts), compare_drafts);
	for (i = 1; i < l->n; i++) {
		one = &l->drafts[i - 1];
		two = &l->drafts[i];
		if (strcmp(one->table.full, two->table.full) != 0)
			continue;
		(void)yaml_fail(&l->in, two->key, "%.80s stands in line %u "
		    "already%s", two->table.full, one->key->line,
		    one->table.is_public != two->table.is_public ?
		    "; a table is guarded or public, not both" : "");
		return;
	}
}

static void
read_drafts(struct load *l, const struct yaml_node *tables,
    const struct yaml_node *public)
{
	static const char *const allowed[] = {"subject", "subjects",
	    "columns", NULL};
	size_t i, n = tables->n;
	struct draft *d;

	if (public != NULL)
		n += public->n;
	l->drafts = take(l, arena_array(l->in.arena, n, sizeof(*l->drafts)));
	for (i = 0; i < tables->n && l->in.result == 0; i++) {
		d = &l->drafts[l->n++];
		draft_init(l, d, tables->keys[i]);
		d->map = tables->items[i];
		yaml_map(&l->in, d->map, allowed);
		read_columns(l, yaml_need(&l->in, d->map, "columns"),
		    &d->table);
	}
	for (i = 0; public != NULL && i < public->n &&
	    l->in.result == 0; i++) {
		d = &l->drafts[l->n++];
		draft_init(l, d, public->items[i]);
		d->table.is_public = true;
		d->way = WAY_DONE;
	}
}

static void
read_tables(struct load *l, const struct yaml_node *root)
{
	const struct yaml_node *tables = yaml_need(&l->in, root, "tables");
	const struct yaml_node *public = yaml_get(root, "public");
	const struct yaml_node *subject;
	struct catalog_table *t;
	struct draft *d;
	size_t i;

	yaml_any_map(&l->in, tables);
	yaml_list(&l->in, public);
	if (l->in.result != 0)
		return;
	read_drafts(l, tables, public);
	sort_drafts(l);
	if (l->in.result != 0)
		return;
	subject = yaml_get(yaml_get(root, "subjects"), "table");
	d = draft_find(l, subject->text);
	if (d == NULL || d->table.is_public) {
		(void)yaml_fail(&l->in, subject, "%.80s is not among the "
		    "guarded tables; list it there with subject: self",
		    subject->text);
		return;
	}
	t = take(l, arena_array(l->in.arena, l->n, sizeof(*t)));
	for (i = 0; i < l->n && l->in.result == 0; i++) {
		resolve(l, &l->drafts[i]);
		t[i] = l->drafts[i].table;
	}
	l->c->tables = t;
	l->c->n_tables = l->n;
}

static void
read_root(struct load *l, const struct yaml_node *root)
{
	static const char *const allowed[] = {"catalog", "categories",
	    "masks", "subjects", "tables", "public", NULL};

	yaml_map(&l->in, root, allowed);
	l->c->name = read_text(l, yaml_need(&l->in, root, "catalog"));
	read_categories(l, yaml_need(&l->in, root, "categories"));
	read_masks(l, yaml_get(root, "masks"));
	read_subjects(l, yaml_need(&l->in, root, "subjects"));
	if (l->in.result == 0)
		read_tables(l, root);
}

/* The catalog points into the tree of its text, so the tree is kept. */
int
catalog_load(const char *text, size_t len, struct catalog **ret,
    struct why *w)
{
	struct load l = {.in = {.why = w}};
	const struct yaml_node *root;
	struct owned *o = NULL;
	int r = ERR_MEMORY;

	if ((o = calloc(1, sizeof(*o))) == NULL ||
	    (o->arena = arena_new()) == NULL) {
		(void)why_set(w, r, 0, 0, "out of memory");
		goto out;
	}
	l.in.arena = o->arena;
	l.c = &o->c;
	if ((r = yaml_parse(o->arena, text, len, &root, w)) != 0)
		goto out;
	read_root(&l, root);
	if ((r = l.in.result) != 0)
		goto out;
	*ret = &o->c;
	o = NULL;		/* now the caller's */
out:
	catalog_free(o != NULL ? &o->c : NULL);
	return r;
}

void
catalog_free(struct catalog *c)
{
	struct owned *o = (struct owned *)c;	/* c is its first member */

	if (o == NULL)
		return;
	arena_free(o->arena);
	free(o);
}

static const struct catalog_table *
find_exact(const struct catalog *c, const char *schema, const char *name)
{
	size_t i;

	for (i = 0; i < c->n_tables; i++)
		if (strcmp(c->tables[i].name, name) == 0 &&
		    strcmp(c->tables[i].schema, schema) == 0)
			return &c->tables[i];
	return NULL;
}

const struct catalog_table *
catalog_find(const struct catalog *c, const char *schema, const char *name)
{
	const struct catalog_table *t;
	size_t i;

	if (schema != NULL)
		return find_exact(c, schema, name);
	if ((t = find_exact(c, "public", name)) != NULL)
		return t;
	for (i = 0; i < c->n_tables; i++) {
		if (strcmp(c->tables[i].name, name) != 0)
			continue;
		if (t != NULL)
			return NULL;	/* of several it could be any */
		t = &c->tables[i];
	}
	return t;
}

const struct catalog_column *
catalog_column_find(const struct catalog_table *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->n_columns; i++)
		if (strcmp(t->columns[i].name, name) == 0)
			return &t->columns[i];
	return NULL;
}

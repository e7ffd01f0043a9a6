/*
 * From YAML to nodes and facts, in two passes: first every id, so that the
 * second can resolve what the facts name, whatever the order of the file.
 *
 * A million people as a tree would take gigabytes, so each pass is handed
 * one item after the other (yaml_parse_sections), and what is kept of it is
 * copied. A text that can only be read as a whole tree is read so, and its
 * items are handed on from there.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "directory/directory.h"
#include "directory/facts.h"
#include "directory/load.h"
#include "directory/intern.h"
#include "yaml/yaml.h"

#define ID_MAX 200
#define TEXT_MAX 1000

bool
label_valid(const char *s)
{
	size_t len = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return len >= 1 && len <= 32 && s[len] == 0 &&
	    strcmp(s, "unknown") != 0;
}

void *
load_take(struct load *l, void *p)
{
	if (p == NULL && l->in.result == 0)
		l->in.result = why_set(l->in.why, ERR_MEMORY, 0, 0,
		    "out of memory");
	return p;
}

const char *
load_keep(struct load *l, const char *s)
{
	return s == NULL ? NULL : load_take(l, arena_str(l->d->arena, s));
}

const char *
load_once(struct load *l, const char *s)
{
	uint32_t i;

	if (s == NULL || (i = intern_add(&l->texts, s, l->d->arena)) ==
	    INTERN_NONE)
		return s == NULL ? NULL : load_take(l, NULL);
	return l->texts.texts[i];
}

uint32_t
load_number(struct load *l, const char *label)
{
	uint32_t i;

	if (label == NULL)
		return 0;
	if ((i = intern_add(&l->labels, label, l->d->arena)) == INTERN_NONE)
		(void)load_take(l, NULL);
	return i;
}

/* Text that people write and that ends in messages: no control bytes. */
const char *
load_text(struct load *l, const struct yaml_node *n)
{
	const char *s = yaml_str(&l->in, n), *p;

	if (s == NULL)
		return NULL;
	for (p = s; *p != 0; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			break;
	if (*p != 0 || p == s || p - s > TEXT_MAX) {
		(void)yaml_fail(&l->in, n, "text of 1 to %d bytes without line "
		    "ends or other control characters is wanted here",
		    TEXT_MAX);
		return NULL;
	}
	return s;
}

const char *
load_id(struct load *l, const struct yaml_node *n)
{
	const char *s = load_text(l, n);

	if (s == NULL)
		return NULL;
	if (strchr(s, ' ') != NULL || strlen(s) > ID_MAX)
		(void)yaml_fail(&l->in, n, "an id has 1 to %d bytes and no "
		    "spaces", ID_MAX);
	else if (strcmp(s, "none") == 0)
		(void)yaml_fail(&l->in, n, "\"none\" says that there is "
		    "nobody; choose another id");
	return s;
}

const char *
load_label(struct load *l, const struct yaml_node *n)
{
	const char *s = yaml_str(&l->in, n);

	if (s == NULL || label_valid(s))
		return s;
	if (strcmp(s, "unknown") == 0)
		(void)yaml_fail(&l->in, n, "\"unknown\" is reserved; leave "
		    "the key out where a fact is not known");
	else
		(void)yaml_fail(&l->in, n, "\"%.40s\" is not a label: 1 to 32 "
		    "of A-Z a-z 0-9 _ -", s);
	return NULL;
}

/* Narrows [*from, *to) by the keys of a map. */
void
load_interval(struct load *l, const struct yaml_node *map, int64_t *from,
    int64_t *to)
{
	const struct yaml_node *f = yaml_get(map, "from");
	const struct yaml_node *t = yaml_get(map, "to");
	int64_t from_ms = f != NULL ? yaml_time_ms(&l->in, f) : INT64_MIN;
	int64_t to_ms = t != NULL ? yaml_time_ms(&l->in, t) : INT64_MAX;

	if (f != NULL && t != NULL && l->in.result == 0 && to_ms <= from_ms)
		(void)yaml_fail(&l->in, t, "\"to\" is not after \"from\"");
	if (from_ms > *from)
		*from = from_ms;
	if (to_ms < *to)
		*to = to_ms;
}

const char *
node_kind_text(enum node_kind kind)
{
	switch (kind) {
	case NODE_PERSON:
		return "a person";
	case NODE_SERVICE:
		return "a service";
	case NODE_ENTITY:
		return "an entity";
	}
	return "";
}

/* A fact is written as itself, or as a list of several. */
size_t
load_count(const struct yaml_node *n)
{
	if (n == NULL)
		return 0;
	return n->kind == YAML_LIST ? n->n : 1;
}

const struct yaml_node *
load_at(const struct yaml_node *n, size_t i)
{
	return n->kind == YAML_LIST ? n->items[i] : n;
}

static int
take_pair(void *arg, const char *section, const struct yaml_node *key,
    const struct yaml_node *value)
{
	struct load *l = arg;

	if (l->pass == 1)
		load_item(l, section, key, value);
	else
		load_facts(l, key, value);
	return l->in.result;
}

/* Hands all items on, and gives the root with the sections empty, or not. */
static int
each_item(struct load *l, const struct yaml_node **ret)
{
	static const char *const names[] = {"entities", "people", "services",
	    NULL};
	const struct yaml_sections s = { .names = names,
	    .scratch = l->scratch, .pair = take_pair, .arg = l };
	const struct yaml_node *n;
	size_t i, k;

	l->n_read = 0;
	if (l->tree == NULL)
		return yaml_parse_sections(l->in.arena, l->text, l->len, &s,
		    ret, l->in.why);
	*ret = l->tree;
	for (k = 0; names[k] != NULL; k++) {
		n = yaml_get(l->tree, names[k]);
		if (n == NULL || n->kind != YAML_MAP)
			continue;
		for (i = 0; i < n->n && l->in.result == 0; i++) {
			(void)take_pair(l, names[k], n->keys[i], n->items[i]);
			arena_reset(l->scratch);
		}
	}
	return l->in.result;
}

static void
load_root(struct load *l, const struct yaml_node *root)
{
	static const char *const allowed[] = {"directory", "issuer",
	    "ownership-threshold", "sites", "entities", "people", "services",
	    NULL};
	const struct yaml_node *threshold;

	yaml_map(&l->in, root, allowed);
	(void)yaml_u64(&l->in, yaml_need(&l->in, root, "directory"), 1, 1);
	yaml_any_map(&l->in, yaml_get(root, "entities"));
	yaml_any_map(&l->in, yaml_get(root, "people"));
	yaml_any_map(&l->in, yaml_get(root, "services"));
	l->d->issuer = load_once(l, load_text(l, yaml_need(&l->in, root,
	    "issuer")));
	l->d->threshold = SHARE_THRESHOLD;
	if ((threshold = yaml_get(root, "ownership-threshold")) != NULL)
		l->d->threshold = load_share(l, threshold);
	if (l->in.result == 0 && l->d->threshold == 0)
		(void)yaml_fail(&l->in, threshold,
		    "a threshold of 0 percent would make everybody an owner");
	load_sites(l, yaml_get(root, "sites"));
}

/* Both passes; ERR_STATE if the text can only be read as a tree. */
static int
load_all(struct load *l)
{
	const struct yaml_node *root;
	int r;

	if ((l->d = calloc(1, sizeof(*l->d))) == NULL ||
	    (l->d->arena = arena_new()) == NULL ||
	    (l->scratch = arena_new()) == NULL)
		return why_set(l->in.why, ERR_MEMORY, 0, 0, "out of memory");
	l->pass = 1;
	if ((r = each_item(l, &root)) != 0)
		return r;
	load_root(l, root);
	load_order(l);
	l->pass = 2;
	if ((r = l->in.result) != 0 || (r = each_item(l, &root)) != 0)
		return r;
	load_labels(l);
	return l->in.result;
}

/* All but the result. */
static void
forget(struct load *l)
{
	directory_free(l->d);
	l->d = NULL;
	arena_free(l->scratch);
	l->scratch = NULL;
	intern_done(&l->texts);
	intern_done(&l->labels);
	load_nodes_done(l);
}

int
directory_load(const char *text, size_t len, struct directory **ret,
    struct why *w)
{
	struct load l = {.in = {.why = w}, .text = text, .len = len};
	int r = ERR_MEMORY;

	if ((l.in.arena = arena_new()) == NULL) {
		(void)why_set(w, r, 0, 0, "out of memory");
		return r;
	}
	if ((r = load_all(&l)) == ERR_STATE) {
		forget(&l);
		if ((r = yaml_parse(l.in.arena, text, len, &l.tree, w)) == 0)
			r = load_all(&l);
	}
	if (r == 0) {
		*ret = l.d;
		l.d = NULL;		/* now the caller's */
	}
	forget(&l);
	arena_free(l.in.arena);
	return r;
}

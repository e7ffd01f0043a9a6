/*
 * The tree is built from libyaml's events, so that every node has the line
 * and column where it stands. What a reader of a contract should not have
 * to know (aliases, tags, merge keys, a second document) is refused.
 */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/err.h"
#include "yaml/quick.h"
#include "yaml/yaml.h"

struct build {
	yaml_parser_t parser;
	struct arena *arena;
	struct why *why;
	unsigned depth;
};

/* A list that grows while its end is not known. */
struct grow {
	struct yaml_node **items;
	size_t n, cap;
};

static int
grow_add(struct build *b, struct grow *g, struct yaml_node *item)
{
	struct yaml_node **items;
	size_t cap;

	if (g->n == g->cap) {
		cap = g->cap != 0 ? g->cap * 2 : 8;
		items = arena_array(b->arena, cap, sizeof(*items));
		if (items == NULL)
			return ERR_MEMORY;
		if (g->n > 0)
			memcpy(items, g->items, g->n * sizeof(*items));
		g->items = items;
		g->cap = cap;
	}
	g->items[g->n++] = item;
	return 0;
}

static int
fail_at(struct build *b, const yaml_mark_t *m, const char *text)
{
	return why_set(b->why, ERR_FORMAT, (unsigned)m->line + 1,
	    (unsigned)m->column + 1, "%s", text);
}

static int
next_event(struct build *b, yaml_event_t *ev)
{
	const yaml_parser_t *p = &b->parser;

	if (yaml_parser_parse(&b->parser, ev))
		return 0;
	if (p->error == YAML_MEMORY_ERROR)
		return ERR_MEMORY;
	return why_set(b->why, ERR_FORMAT, (unsigned)p->problem_mark.line + 1,
	    (unsigned)p->problem_mark.column + 1, "this is not YAML: %s%s%s",
	    p->problem != NULL ? p->problem : "unreadable",
	    p->context != NULL ? " " : "",
	    p->context != NULL ? p->context : "");
}

static struct yaml_node *
node_new(struct build *b, enum yaml_kind kind, const yaml_mark_t *m)
{
	struct yaml_node *n = arena_alloc(b->arena, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->kind = kind;
	n->line = (unsigned)m->line + 1;
	n->column = (unsigned)m->column + 1;
	return n;
}

static int build_node(struct build *b, const yaml_event_t *ev,
    struct yaml_node **ret);

static int
build_scalar(struct build *b, const yaml_event_t *ev, struct yaml_node **ret)
{
	const char *text = (const char *)ev->data.scalar.value;
	size_t len = ev->data.scalar.length;
	struct yaml_node *n;

	if (ev->data.scalar.anchor != NULL || ev->data.scalar.tag != NULL)
		return fail_at(b, &ev->start_mark,
		    "anchors and tags are not used here; write the value out");
	if (memchr(text, 0, len) != NULL)
		return fail_at(b, &ev->start_mark, "a value holds a NUL byte");
	if ((n = node_new(b, YAML_SCALAR, &ev->start_mark)) == NULL ||
	    (n->text = arena_strn(b->arena, text, len)) == NULL)
		return ERR_MEMORY;
	n->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	*ret = n;
	return 0;
}

static int
build_list(struct build *b, const yaml_event_t *start, struct yaml_node **ret)
{
	struct grow items = {0};
	struct yaml_node *n, *item;
	yaml_event_t ev;
	int r;

	if (start->data.sequence_start.anchor != NULL ||
	    start->data.sequence_start.tag != NULL)
		return fail_at(b, &start->start_mark,
		    "anchors and tags are not used here; write the list out");
	if ((n = node_new(b, YAML_LIST, &start->start_mark)) == NULL)
		return ERR_MEMORY;
	for (;;) {
		if ((r = next_event(b, &ev)) != 0)
			return r;
		if (ev.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&ev);
			break;
		}
		r = build_node(b, &ev, &item);
		yaml_event_delete(&ev);
		if (r != 0 || (r = grow_add(b, &items, item)) != 0)
			return r;
	}
	n->items = items.items;
	n->n = items.n;
	*ret = n;
	return 0;
}

static int
compare_keys(const void *a, const void *b)
{
	const struct yaml_node *const *x = a, *const *y = b;

	return strcmp((*x)->text, (*y)->text);
}

/* Sorting finds a doubled key in maps of any size. */
static int
check_keys(struct build *b, const struct grow *keys)
{
	struct yaml_node **sorted;
	size_t i;

	if (keys->n < 2)
		return 0;
	sorted = arena_array(b->arena, keys->n, sizeof(*sorted));
	if (sorted == NULL)
		return ERR_MEMORY;
	memcpy(sorted, keys->items, keys->n * sizeof(*sorted));
	qsort(sorted, keys->n, sizeof(*sorted), compare_keys);
	for (i = 1; i < keys->n; i++) {
		const struct yaml_node *one = sorted[i - 1], *two = sorted[i];

		if (strcmp(one->text, two->text) != 0)
			continue;
		if (two->line < one->line ||
		    (two->line == one->line && two->column < one->column))
			two = sorted[i - 1];
		return why_set(b->why, ERR_FORMAT, two->line, two->column,
		    "the key \"%.200s\" stands twice in the same map; "
		    "keep one of them", two->text);
	}
	return 0;
}

static int
build_map(struct build *b, const yaml_event_t *start, struct yaml_node **ret)
{
	struct grow keys = {0}, items = {0};
	struct yaml_node *n, *key, *item;
	yaml_event_t ev;
	int r;

	if (start->data.mapping_start.anchor != NULL ||
	    start->data.mapping_start.tag != NULL)
		return fail_at(b, &start->start_mark,
		    "anchors and tags are not used here; write the map out");
	if ((n = node_new(b, YAML_MAP, &start->start_mark)) == NULL)
		return ERR_MEMORY;
	for (;;) {
		if ((r = next_event(b, &ev)) != 0)
			return r;
		if (ev.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&ev);
			break;
		}
		if (ev.type != YAML_SCALAR_EVENT)
			r = fail_at(b, &ev.start_mark, "a key must be text");
		else
			r = build_scalar(b, &ev, &key);
		yaml_event_delete(&ev);
		if (r != 0)
			return r;
		if (strcmp(key->text, "<<") == 0 && !key->quoted)
			return why_set(b->why, ERR_FORMAT, key->line,
			    key->column, "merge keys are not used here; "
			    "write the values out");
		if ((r = next_event(b, &ev)) != 0)
			return r;
		r = build_node(b, &ev, &item);
		yaml_event_delete(&ev);
		if (r != 0 || (r = grow_add(b, &keys, key)) != 0 ||
		    (r = grow_add(b, &items, item)) != 0)
			return r;
	}
	if ((r = check_keys(b, &keys)) != 0)
		return r;
	n->keys = keys.items;
	n->items = items.items;
	n->n = keys.n;
	*ret = n;
	return 0;
}

static int
build_node(struct build *b, const yaml_event_t *ev, struct yaml_node **ret)
{
	int r;

	if (ev->type == YAML_SCALAR_EVENT)
		return build_scalar(b, ev, ret);
	if (ev->type == YAML_ALIAS_EVENT)
		return fail_at(b, &ev->start_mark,
		    "aliases are not used here; write the value out");
	if (++b->depth > YAML_DEPTH_MAX)
		return why_set(b->why, ERR_LIMIT,
		    (unsigned)ev->start_mark.line + 1,
		    (unsigned)ev->start_mark.column + 1,
		    "nested deeper than %d levels", YAML_DEPTH_MAX);
	if (ev->type == YAML_SEQUENCE_START_EVENT)
		r = build_list(b, ev, ret);
	else if (ev->type == YAML_MAPPING_START_EVENT)
		r = build_map(b, ev, ret);
	else
		r = fail_at(b, &ev->start_mark, "a value is missing here");
	b->depth--;
	return r;
}

/* Requires the next event to be of one type. */
static int
expect(struct build *b, yaml_event_type_t type, const char *text)
{
	yaml_event_t ev;
	int r;

	if ((r = next_event(b, &ev)) != 0)
		return r;
	if (ev.type != type)
		r = fail_at(b, &ev.start_mark, text);
	yaml_event_delete(&ev);
	return r;
}

static int
build_document(struct build *b, struct yaml_node **ret)
{
	yaml_event_t ev;
	int r;

	if ((r = expect(b, YAML_STREAM_START_EVENT, "unreadable")) != 0 ||
	    (r = expect(b, YAML_DOCUMENT_START_EVENT,
	    "the file is empty; write at least one key")) != 0)
		return r;
	if ((r = next_event(b, &ev)) != 0)
		return r;
	r = build_node(b, &ev, ret);
	yaml_event_delete(&ev);
	if (r != 0 ||
	    (r = expect(b, YAML_DOCUMENT_END_EVENT, "unreadable")) != 0)
		return r;
	return expect(b, YAML_STREAM_END_EVENT,
	    "a second document starts here; one file is one document");
}

int
events_parse(struct arena *a, const char *text, size_t len,
    struct yaml_node **ret, struct why *w)
{
	struct build b = {.arena = a, .why = w};
	int r;

	if (!yaml_parser_initialize(&b.parser))
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b.parser, (const unsigned char *)text,
	    len);
	if ((r = build_document(&b, ret)) == ERR_MEMORY)
		(void)why_set(w, r, 0, 0, "out of memory");
	yaml_parser_delete(&b.parser);
	return r;
}

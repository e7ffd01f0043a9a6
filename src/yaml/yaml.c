/*
 * The tree is built from libyaml's events, so that every node has the line
 * and column where it stands. What a reader of a contract should not have
 * to know (aliases, tags, merge keys, a second document) is refused.
 */
#include "yaml/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/time.h"

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
yaml_parse(struct arena *a, const char *text, size_t len,
    const struct yaml_node **ret, struct why *w)
{
	struct build b = {.arena = a, .why = w};
	struct yaml_node *root;
	int r;

	if (len > YAML_MAX)
		return why_set(w, ERR_LIMIT, 0, 0,
		    "the file is larger than %zu bytes", YAML_MAX);
	if (!text_is_utf8(text, len))
		return why_set(w, ERR_FORMAT, 0, 0,
		    "the file is not valid UTF-8; save it as UTF-8");
	if (!yaml_parser_initialize(&b.parser))
		return ERR_MEMORY;
	yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b.parser, (const unsigned char *)text,
	    len);
	if ((r = build_document(&b, &root)) == 0)
		*ret = root;
	else if (r == ERR_MEMORY)
		(void)why_set(w, r, 0, 0, "out of memory");
	yaml_parser_delete(&b.parser);
	return r;
}

int
yaml_fail(struct yaml_in *in, const struct yaml_node *at, const char *fmt, ...)
{
	char text[WHY_TEXT_MAX];
	va_list ap;

	if (in->result != 0)
		return in->result;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* cut is fine */
	va_end(ap);
	in->result = why_set(in->why, ERR_FORMAT, at != NULL ? at->line : 0,
	    at != NULL ? at->column : 0, "%s", text);
	return in->result;
}

/* Edit distance, bounded: names longer than this are not compared. */
#define NEAR_MAX 40

static size_t
distance(const char *a, const char *b)
{
	size_t row[NEAR_MAX + 1], la = strlen(a), lb = strlen(b);
	size_t i, j, diagonal, above, best;

	if (la > NEAR_MAX || lb > NEAR_MAX)
		return NEAR_MAX;
	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		diagonal = row[0];
		row[0] = i;
		for (j = 1; j <= lb; j++) {
			above = row[j];
			best = diagonal + (a[i - 1] != b[j - 1]);
			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
			diagonal = above;
		}
	}
	return row[lb];
}

static const char *
nearest(const char *name, const char *const *allowed)
{
	const char *best = NULL;
	size_t d, best_d = 3;

	for (; *allowed != NULL; allowed++)
		if ((d = distance(name, *allowed)) < best_d) {
			best = *allowed;
			best_d = d;
		}
	return best;
}

/* "a, b, c" of the allowed names, cut where it gets long. */
static void
list_names(const char *const *names, char *out, size_t cap)
{
	size_t used = 0;
	int n;

	out[0] = 0;
	for (; *names != NULL && used < cap; names++) {
		n = snprintf(out + used, cap - used, "%s%s",
		    used > 0 ? ", " : "", *names);
		if (n < 0)
			return;
		used += (size_t)n;
	}
}

static void
unknown_name(struct yaml_in *in, const struct yaml_node *at,
    const char *what, const char *const *allowed)
{
	const char *near = nearest(at->text, allowed);
	char names[300];

	if (near != NULL) {
		(void)yaml_fail(in, at,
		    "unknown %s \"%.80s\"; did you mean \"%s\"?", what,
		    at->text, near);
		return;
	}
	list_names(allowed, names, sizeof(names));
	(void)yaml_fail(in, at, "unknown %s \"%.80s\"; known are: %s", what,
	    at->text, names);
}

void
yaml_any_map(struct yaml_in *in, const struct yaml_node *n)
{
	if (in->result == 0 && n != NULL && n->kind != YAML_MAP)
		(void)yaml_fail(in, n, "a map (key: value) is wanted here");
}

void
yaml_map(struct yaml_in *in, const struct yaml_node *n,
    const char *const *allowed)
{
	const char *const *k;
	size_t i;

	yaml_any_map(in, n);
	if (in->result != 0 || n == NULL)
		return;
	for (i = 0; i < n->n; i++) {
		for (k = allowed; *k != NULL; k++)
			if (strcmp(*k, n->keys[i]->text) == 0)
				break;
		if (*k == NULL) {
			unknown_name(in, n->keys[i], "key", allowed);
			return;
		}
	}
}

void
yaml_list(struct yaml_in *in, const struct yaml_node *n)
{
	if (in->result == 0 && n != NULL && n->kind != YAML_LIST)
		(void)yaml_fail(in, n, "a list is wanted here");
}

const struct yaml_node *
yaml_get(const struct yaml_node *map, const char *key)
{
	size_t i;

	if (map == NULL || map->kind != YAML_MAP)
		return NULL;
	for (i = 0; i < map->n; i++)
		if (strcmp(map->keys[i]->text, key) == 0)
			return map->items[i];
	return NULL;
}

const struct yaml_node *
yaml_need(struct yaml_in *in, const struct yaml_node *map, const char *key)
{
	const struct yaml_node *n = yaml_get(map, key);

	if (n == NULL && in->result == 0)
		(void)yaml_fail(in, map, "the key \"%s\" is missing here", key);
	return in->result == 0 ? n : NULL;
}

const char *
yaml_str(struct yaml_in *in, const struct yaml_node *n)
{
	if (in->result != 0 || n == NULL)
		return NULL;
	if (n->kind != YAML_SCALAR) {
		(void)yaml_fail(in, n, "text is wanted here, not a %s",
		    n->kind == YAML_LIST ? "list" : "map");
		return NULL;
	}
	if (n->text[0] == 0 && !n->quoted) {
		(void)yaml_fail(in, n, "a value is missing here");
		return NULL;
	}
	return n->text;
}

bool
yaml_bool(struct yaml_in *in, const struct yaml_node *n)
{
	const char *s = yaml_str(in, n);

	if (s == NULL)
		return false;
	if (strcmp(s, "true") == 0)
		return true;
	if (strcmp(s, "false") != 0)
		(void)yaml_fail(in, n,
		    "\"%.80s\" is neither true nor false", s);
	return false;
}

uint64_t
yaml_u64(struct yaml_in *in, const struct yaml_node *n, uint64_t min,
    uint64_t max)
{
	const char *s = yaml_str(in, n);
	uint64_t v;

	if (s == NULL)
		return 0;
	if (text_u64(s, strlen(s), &v) != 0 || v < min || v > max) {
		(void)yaml_fail(in, n, "\"%.80s\" is not a whole number from "
		    "%llu to %llu", s, (unsigned long long)min,
		    (unsigned long long)max);
		return 0;
	}
	return v;
}

double
yaml_share(struct yaml_in *in, const struct yaml_node *n)
{
	const char *s = yaml_str(in, n);
	char *end;
	double v;

	if (s == NULL)
		return 0;
	v = strtod(s, &end);
	if (s[strspn(s, "0123456789.")] != 0 || *end != 0 || end == s ||
	    !(v >= 0 && v <= 100)) {
		(void)yaml_fail(in, n,
		    "\"%.80s\" is not a share in percent, 0 to 100", s);
		return 0;
	}
	return v;
}

int64_t
yaml_time_ms(struct yaml_in *in, const struct yaml_node *n)
{
	const char *s = yaml_str(in, n);
	int64_t v;

	if (s == NULL)
		return 0;
	if (time_parse(s, strlen(s), &v) != 0) {
		(void)yaml_fail(in, n, "\"%.80s\" is not a time; write it as "
		    "2026-11-23T17:40:00Z", s);
		return 0;
	}
	return v;
}

uint64_t
yaml_duration_ms(struct yaml_in *in, const struct yaml_node *n, uint64_t min,
    uint64_t max)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"min", 60000}, {"m", 60000},
	    {"h", 3600000}, {"d", 86400000}};
	const char *s = yaml_str(in, n);
	size_t len, i;
	uint64_t v;

	if (s == NULL)
		return 0;
	len = strspn(s, "0123456789");
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(s + len, units[i].unit) == 0)
			break;
	if (i == sizeof(units) / sizeof(units[0]) ||
	    text_u64(s, len, &v) != 0 || v > UINT64_MAX / units[i].ms) {
		(void)yaml_fail(in, n, "\"%.80s\" is not a duration; write it "
		    "as 250ms, 10s, 5m or 2h", s);
		return 0;
	}
	v *= units[i].ms;
	if (v < min || v > max) {
		(void)yaml_fail(in, n, "\"%.80s\" is outside %llums to %llums",
		    s, (unsigned long long)min, (unsigned long long)max);
		return 0;
	}
	return v;
}

size_t
yaml_enum(struct yaml_in *in, const struct yaml_node *n,
    const char *const *names)
{
	const char *s = yaml_str(in, n);
	size_t i;

	if (s == NULL)
		return 0;
	for (i = 0; names[i] != NULL; i++)
		if (strcmp(s, names[i]) == 0)
			return i;
	unknown_name(in, n, "value", names);
	return 0;
}

const char *const *
yaml_strs(struct yaml_in *in, const struct yaml_node *n, size_t *ret_n)
{
	const char **strs;
	size_t i, count;

	*ret_n = 0;
	if (in->result != 0 || n == NULL)
		return NULL;
	count = n->kind == YAML_LIST ? n->n : 1;
	if ((strs = arena_array(in->arena, count + 1, sizeof(*strs))) == NULL) {
		in->result = ERR_MEMORY;
		return NULL;
	}
	for (i = 0; i < count; i++) {
		strs[i] = yaml_str(in, n->kind == YAML_LIST ? n->items[i] : n);
		if (strs[i] == NULL)
			return NULL;
	}
	*ret_n = count;
	return strs;
}

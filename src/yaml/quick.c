/*
 * One pass over the bytes, one function for each form. Wherever a text could
 * mean something else than it seems to (a scalar that goes on in the next
 * line, an indicator where none is expected), it is declined; so each rule
 * here may be narrower than YAML's, and none may be wider. The tests hold
 * every tree against libyaml's.
 *
 * Columns count characters, so bytes that continue one are counted apart.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "yaml/quick.h"
#include "yaml/yaml.h"

#define DECLINED ERR_STATE
/* libyaml allows a key 1024 characters. */
#define KEY_MAX 900

struct quick {
	struct arena *arena;	/* kept, or the section's for a pair */
	struct arena *kept;
	const struct yaml_sections *sections;
	const char *pending;	/* the value to come is this section's */
	const char *p, *end;
	const char *line_start;
	size_t continued;	/* bytes of this line that continue a character */
	unsigned line;
	unsigned depth;
	unsigned flow;		/* brackets around */
};

/* A list that grows while its end is not known. */
struct pairs {
	struct yaml_node **keys, **items;
	size_t n, cap;
	const char *section;	/* its pairs are handed over; or NULL */
};

static int block_node(struct quick *q, struct yaml_node **ret);
static int flow_node(struct quick *q, struct yaml_node **ret);

static size_t
column(const struct quick *q)
{
	return (size_t)(q->p - q->line_start) - q->continued;
}

static bool
at_end(const struct quick *q)
{
	return q->p == q->end;
}

/* At a blank, a line's end, or the text's. */
static bool
is_blank(const struct quick *q, const char *p)
{
	return p == q->end || *p == ' ' || *p == '\n';
}

static struct yaml_node *
node_new(struct quick *q, enum yaml_kind kind)
{
	struct yaml_node *n = arena_alloc(q->arena, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->kind = kind;
	n->line = q->line + 1;
	n->column = (unsigned)column(q) + 1;
	return n;
}

/* Past a line's end. What could begin a document or a directive, no. */
static int
next_line(struct quick *q)
{
	q->p++;
	q->line++;
	q->line_start = q->p;
	q->continued = 0;
	if (q->end - q->p >= 3 && (memcmp(q->p, "---", 3) == 0 ||
	    memcmp(q->p, "...", 3) == 0))
		return DECLINED;
	return 0;
}

static void
skip_spaces(struct quick *q)
{
	while (q->p < q->end && *q->p == ' ')
		q->p++;
}

/*
 * One character beyond ASCII; the text is valid UTF-8. Those that libyaml
 * refuses, or takes for a line's end, are declined.
 */
static int
skip_wide(struct quick *q)
{
	const unsigned char *u = (const unsigned char *)q->p;
	size_t n = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;

	if ((size_t)(q->end - q->p) < n)
		return DECLINED;
	if ((u[0] == 0xc2 && u[1] < 0xa0) ||
	    (u[0] == 0xe2 && u[1] == 0x80 && (u[2] & 0xfe) == 0xa8) ||
	    (u[0] == 0xef && (u[1] == 0xbb || u[1] == 0xbf)))
		return DECLINED;
	q->p += n;
	q->continued += n - 1;
	return 0;
}

static int
skip_comment(struct quick *q)
{
	int r;

	while (q->p < q->end && *q->p != '\n') {
		unsigned char c = (unsigned char)*q->p;

		if (c < 0x20 || c == 0x7f)
			return DECLINED;
		if (c < 0x80)
			q->p++;
		else if ((r = skip_wide(q)) != 0)
			return r;
	}
	return 0;
}

/* Blanks, then a comment or nothing, to the line's end. */
static int
end_line(struct quick *q)
{
	int r;

	skip_spaces(q);
	if (!at_end(q) && *q->p == '#' && q->p[-1] == ' ' &&
	    (r = skip_comment(q)) != 0)
		return r;
	return at_end(q) || *q->p == '\n' ? 0 : DECLINED;
}

/* From a line's end to the next line with content, or the text's end. */
static int
next_content(struct quick *q)
{
	int r;

	while (!at_end(q)) {
		if (*q->p == '\n') {
			if ((r = next_line(q)) != 0)
				return r;
			continue;
		}
		skip_spaces(q);
		if (at_end(q) || *q->p == '\n')
			continue;
		if (*q->p != '#')
			return 0;
		if ((r = skip_comment(q)) != 0)
			return r;
	}
	return 0;
}

/* What a plain scalar may hold without a second look. */
static bool
is_simple(unsigned char c)
{
	static const bool no[128] = {[' '] = true, [':'] = true, ['#'] = true,
	    [','] = true, ['['] = true, [']'] = true, ['{'] = true,
	    ['}'] = true, ['?'] = true, [0x7f] = true};

	return c > 0x20 && c < 0x80 && !no[c];
}

/* Blanks belong to a scalar only if more of it follows. */
static int
plain_char(struct quick *q, bool *stop)
{
	unsigned char c = (unsigned char)*q->p;

	*stop = true;
	if (c >= 0x80) {
		*stop = false;
		return skip_wide(q);
	}
	switch (c) {
	case '\n':
		return 0;
	case ':':
		if (is_blank(q, q->p + 1))
			return 0;
		if (q->flow > 0 && strchr(",?[]{}", q->p[1]) != NULL)
			return DECLINED;
		break;
	case ',': case ']': case '}':
		if (q->flow > 0)
			return 0;
		break;
	case '[': case '{': case '?':
		if (q->flow > 0)
			return DECLINED;
		break;
	case '#':
		break;
	default:
		return DECLINED;	/* a control character */
	}
	*stop = false;
	q->p++;
	return 0;
}

static int
plain_text(struct quick *q, const char **ret_end)
{
	bool stop = false;
	int r;

	if (strchr("-?:,[]{}#&*!|>'\"%@`", *q->p) != NULL &&
	    !(*q->p == '-' && q->p + 1 < q->end &&
	    is_simple((unsigned char)q->p[1])))
		return DECLINED;
	while (!at_end(q)) {
		while (q->p < q->end && is_simple((unsigned char)*q->p))
			q->p++;
		*ret_end = q->p;
		skip_spaces(q);
		if (at_end(q) || (*q->p == '#' && q->p > *ret_end))
			return 0;
		if (is_simple((unsigned char)*q->p))
			continue;
		if ((r = plain_char(q, &stop)) != 0 || stop)
			return r;
		*ret_end = q->p;
	}
	return 0;
}

/* Whether an escape that is understood stands here. */
static bool
is_escape(const struct quick *q, char quote)
{
	char next = q->end - q->p < 2 ? 0 : q->p[1];

	if (quote == '\'')
		return *q->p == '\'' && next == '\'';
	return *q->p == '\\' && (next == '"' || next == '\\');
}

/* Past the closing quote; *ret_escapes: characters to leave out. */
static int
skip_quoted(struct quick *q, size_t *ret_escapes)
{
	char quote = *q->p++;
	int r;

	for (*ret_escapes = 0; !at_end(q); ) {
		unsigned char c = (unsigned char)*q->p;

		if (c < 0x20 || c == 0x7f)
			return DECLINED;
		if (c >= 0x80) {
			if ((r = skip_wide(q)) != 0)
				return r;
			continue;
		}
		if (is_escape(q, quote)) {
			(*ret_escapes)++;
			q->p += 2;
			continue;
		}
		q->p++;
		if (c == (unsigned char)quote)
			return 0;
		if (c == '\\' && quote == '"')
			return DECLINED;
	}
	return DECLINED;
}

static char *
unquote(struct quick *q, const char *from, size_t len, size_t escapes)
{
	char escape = from[-1] == '"' ? '\\' : '\'', *text, *out;
	size_t i;

	if (escapes == 0)
		return arena_strn(q->arena, from, len);
	if ((text = out = arena_alloc(q->arena, len - escapes + 1)) == NULL)
		return NULL;
	for (i = 0; i < len; i++) {
		i += from[i] == escape;
		*out++ = from[i];
	}
	return text;
}

/* Leaves q right after it. */
static int
scalar(struct quick *q, struct yaml_node **ret)
{
	struct yaml_node *n = node_new(q, YAML_SCALAR);
	const char *start = q->p, *end = q->p;
	size_t escapes;
	int r;

	if (n == NULL)
		return ERR_MEMORY;
	n->quoted = *q->p == '"' || *q->p == '\'';
	if (n->quoted) {
		if ((r = skip_quoted(q, &escapes)) != 0)
			return r;
		n->text = unquote(q, start + 1,
		    (size_t)(q->p - start) - 2, escapes);
	} else {
		if ((r = plain_text(q, &end)) != 0)
			return r;
		q->p = end;
		n->text = arena_strn(q->arena, start, (size_t)(end - start));
	}
	*ret = n;
	return n->text != NULL ? 0 : ERR_MEMORY;
}

/* Whether a scalar that was read is a key: past its colon then. */
static int
key_end(struct quick *q, const struct yaml_node *key, const char *start,
    bool *ret)
{
	size_t len = (size_t)(q->p - start);

	skip_spaces(q);
	*ret = !at_end(q) && *q->p == ':' && is_blank(q, q->p + 1);
	if (!*ret)
		return 0;
	if (len > KEY_MAX || (!key->quoted && strcmp(key->text, "<<") == 0))
		return DECLINED;
	q->p++;
	return 0;
}

static struct yaml_node **
grow(struct quick *q, struct yaml_node **items, size_t n, size_t cap)
{
	struct yaml_node **more = arena_array(q->arena, cap, sizeof(*more));

	if (more != NULL && n > 0)
		memcpy(more, items, n * sizeof(*more));
	return more;
}

static int
add(struct quick *q, struct pairs *g, struct yaml_node *key,
    struct yaml_node *item)
{
	const struct yaml_sections *s = q->sections;
	int r;

	if (g->section != NULL) {
		r = s->pair(s->arg, g->section, key, item);
		arena_reset(q->arena);
		return r;
	}
	if (g->n == g->cap) {
		g->cap = g->cap != 0 ? g->cap * 2 : 8;
		if (key != NULL && (g->keys = grow(q, g->keys, g->n,
		    g->cap)) == NULL)
			return ERR_MEMORY;
		if ((g->items = grow(q, g->items, g->n, g->cap)) == NULL)
			return ERR_MEMORY;
	}
	if (key != NULL)
		g->keys[g->n] = key;
	g->items[g->n++] = item;
	return 0;
}

static int
compare_keys(const void *a, const void *b)
{
	const struct yaml_node *const *x = a, *const *y = b;

	return strcmp((*x)->text, (*y)->text);
}

/* Few keys are compared with each other, many are sorted. */
static int
check_keys(struct quick *q, const struct pairs *g)
{
	struct yaml_node **sorted;
	size_t i, k;

	for (i = 1; i < g->n && g->n <= 24; i++)
		for (k = 0; k < i; k++)
			if (strcmp(g->keys[i]->text, g->keys[k]->text) == 0)
				return DECLINED;
	if (g->n <= 24)
		return 0;
	if ((sorted = grow(q, g->keys, g->n, g->n)) == NULL)
		return ERR_MEMORY;
	qsort(sorted, g->n, sizeof(*sorted), compare_keys);
	for (i = 1; i < g->n; i++)
		if (strcmp(sorted[i - 1]->text, sorted[i]->text) == 0)
			return DECLINED;
	return 0;
}

/* A section's pairs are made in the arena that is reset after each. */
static int
enter(struct quick *q, struct pairs *g)
{
	*g = (struct pairs){ .section = q->pending };
	q->pending = NULL;
	if (g->section != NULL)
		q->arena = q->sections->scratch;
	return ++q->depth > YAML_DEPTH_MAX ? DECLINED : 0;
}

static int
leave(struct quick *q, struct pairs *g, struct yaml_node *n)
{
	int r = n->kind == YAML_MAP ? check_keys(q, g) : 0;

	n->keys = g->keys;
	n->items = g->items;
	n->n = g->n;
	if (g->section != NULL)
		q->arena = q->kept;
	q->depth--;
	return r;
}

/* The root's value under this key is a section, if it is a map. */
static void
expect_section(struct quick *q, const struct yaml_node *key)
{
	const char *const *name;

	q->pending = NULL;
	if (q->sections == NULL || q->depth != 1)
		return;
	for (name = q->sections->names; *name != NULL; name++)
		if (strcmp(*name, key->text) == 0)
			q->pending = *name;
}

/* Blanks and line ends inside brackets; there must be more. */
static int
flow_gap(struct quick *q)
{
	int r;

	for (;;) {
		skip_spaces(q);
		if (at_end(q))
			return DECLINED;
		if (*q->p != '\n')
			return 0;
		if ((r = next_line(q)) != 0)
			return r;
	}
}

static int
flow_key(struct quick *q, struct yaml_node **ret)
{
	const char *start = q->p;
	bool is_key;
	int r;

	if ((r = scalar(q, ret)) != 0 ||
	    (r = key_end(q, *ret, start, &is_key)) != 0)
		return r;
	if (!is_key)
		return DECLINED;
	expect_section(q, *ret);
	return flow_gap(q);
}

/* What stands between brackets, up to the closing one. */
static int
flow_items(struct quick *q, struct pairs *g, enum yaml_kind kind, char close)
{
	struct yaml_node *key = NULL, *item;
	int r;

	for (q->p++;;) {
		if ((r = flow_gap(q)) != 0)
			return r;
		if (*q->p == close)
			break;
		if ((kind == YAML_MAP && (r = flow_key(q, &key)) != 0) ||
		    (r = flow_node(q, &item)) != 0 ||
		    (r = add(q, g, key, item)) != 0 ||
		    (r = flow_gap(q)) != 0)
			return r;
		if (*q->p == close)
			break;
		if (*q->p++ != ',')
			return DECLINED;
	}
	q->p++;
	return 0;
}

static int
flow_node(struct quick *q, struct yaml_node **ret)
{
	enum yaml_kind kind = *q->p == '{' ? YAML_MAP : YAML_LIST;
	struct yaml_node *n;
	struct pairs g;
	int r;

	if (*q->p != '{' && *q->p != '[')
		return scalar(q, ret);
	if (kind == YAML_LIST)
		q->pending = NULL;
	if ((n = node_new(q, kind)) == NULL)
		return ERR_MEMORY;
	if ((r = enter(q, &g)) != 0)
		return r;
	q->flow++;
	r = flow_items(q, &g, kind, kind == YAML_MAP ? '}' : ']');
	q->flow--;
	if (r != 0 || (r = leave(q, &g, n)) != 0)
		return r;
	*ret = n;
	return 0;
}

static bool
is_dash(const struct quick *q)
{
	return *q->p == '-' && is_blank(q, q->p + 1);
}

/* What follows "key:" at `indent`. */
static int
block_value(struct quick *q, size_t indent, struct yaml_node **ret)
{
	const char *start;
	bool is_key = false;
	int r;

	skip_spaces(q);
	if (at_end(q) || *q->p == '\n' || *q->p == '#') {
		if ((r = end_line(q)) != 0 || (r = next_content(q)) != 0)
			return r;
		if (at_end(q) || column(q) < indent ||
		    (column(q) == indent && !is_dash(q)))
			return DECLINED;	/* there is no value */
		return block_node(q, ret);
	}
	start = q->p;
	if ((r = flow_node(q, ret)) != 0)
		return r;
	if ((*ret)->kind == YAML_SCALAR &&
	    (r = key_end(q, *ret, start, &is_key)) != 0)
		return r;
	return is_key ? DECLINED : end_line(q);
}

static int
block_map(struct quick *q, size_t indent, struct yaml_node *key,
    struct yaml_node **ret)
{
	struct yaml_node *n = arena_alloc(q->arena, sizeof(*n)), *item;
	const char *start;
	struct pairs g;
	bool is_key = true;
	int r;

	if (n == NULL)
		return ERR_MEMORY;
	n->kind = YAML_MAP;
	n->line = key->line;
	n->column = key->column;
	if ((r = enter(q, &g)) != 0)
		return r;
	for (;;) {
		if (!is_key)
			return DECLINED;
		expect_section(q, key);
		if ((r = block_value(q, indent, &item)) != 0 ||
		    (r = add(q, &g, key, item)) != 0 ||
		    (r = next_content(q)) != 0)
			return r;
		if (at_end(q) || column(q) < indent)
			break;
		start = q->p;
		if (column(q) != indent || is_dash(q))
			return DECLINED;
		if ((r = scalar(q, &key)) != 0 ||
		    (r = key_end(q, key, start, &is_key)) != 0)
			return r;
	}
	*ret = n;
	return leave(q, &g, n);
}

static int
block_list(struct quick *q, size_t indent, struct yaml_node **ret)
{
	struct yaml_node *n = node_new(q, YAML_LIST), *item;
	struct pairs g;
	int r;

	if (n == NULL)
		return ERR_MEMORY;
	q->pending = NULL;
	if ((r = enter(q, &g)) != 0)
		return r;
	do {
		q->p++;
		skip_spaces(q);
		if ((at_end(q) || *q->p == '\n' || *q->p == '#') &&
		    ((r = end_line(q)) != 0 || (r = next_content(q)) != 0))
			return r;
		if (at_end(q) || column(q) <= indent)
			return DECLINED;	/* there is no value */
		if ((r = block_node(q, &item)) != 0 ||
		    (r = add(q, &g, NULL, item)) != 0 ||
		    (r = next_content(q)) != 0)
			return r;
		if (!at_end(q) && column(q) > indent)
			return DECLINED;
	} while (!at_end(q) && column(q) == indent && is_dash(q));
	*ret = n;
	return leave(q, &g, n);
}

static int
block_node(struct quick *q, struct yaml_node **ret)
{
	size_t indent = column(q);
	const char *start = q->p;
	struct yaml_node *n;
	bool is_key = false;
	int r;

	if (is_dash(q))
		return block_list(q, indent, ret);
	if ((r = flow_node(q, &n)) != 0 || (n->kind == YAML_SCALAR &&
	    (r = key_end(q, n, start, &is_key)) != 0))
		return r;
	if (is_key)
		return block_map(q, indent, n, ret);
	*ret = n;
	return end_line(q);
}

int
quick_parse(struct arena *a, const char *text, size_t len,
    const struct yaml_sections *s, struct yaml_node **ret)
{
	struct quick q = { .arena = a, .kept = a, .sections = s, .p = text,
	    .end = text + len, .line_start = text };
	struct yaml_node *n;
	int r;

	if (len >= 3 && (memcmp(text, "---", 3) == 0 ||
	    memcmp(text, "...", 3) == 0))
		return DECLINED;
	if ((r = next_content(&q)) != 0)
		return r;
	if (at_end(&q))
		return DECLINED;
	if ((r = block_node(&q, &n)) != 0 || (r = next_content(&q)) != 0)
		return r;
	if (!at_end(&q))
		return DECLINED;
	*ret = n;
	return 0;
}

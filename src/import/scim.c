/*
 * The outermost brackets are walked here and each resource is given to the
 * JSON parser by itself, so that a file of a million users takes the memory
 * of one.
 */
#include "import/scim.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/text.h"

#define NAME_MAX_LEN 512

struct scim {
	const char *p, *end;
	const char *counted;		/* lines up to here are counted */
	unsigned line;
	struct entry e;
	entry_fn *fn;
	void *arg;
	struct why *why;
	json_int_t total;		/* of a list response; -1: not told */
	json_int_t start;
	size_t n;			/* resources read */
	struct scim_pages *pages;
};

static unsigned
line_at(struct scim *s, const char *p)
{
	for (; s->counted < p; s->counted++)
		if (*s->counted == '\n')
			s->line++;
	return s->line;
}

static int
fail(struct scim *s, const char *text)
{
	return why_set(s->why, ERR_FORMAT, line_at(s, s->p), 0, "%s", text);
}

static void
skip_space(struct scim *s)
{
	while (s->p < s->end && strchr(" \t\r\n", *s->p) != NULL &&
	    *s->p != 0)
		s->p++;
}

static bool
accept(struct scim *s, char c)
{
	skip_space(s);
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

/* One value of JSON; the walk goes on behind it. */
static int
read_json(struct scim *s, json_t **ret)
{
	json_error_t at;

	*ret = json_loadb(s->p, (size_t)(s->end - s->p), JSON_DECODE_ANY |
	    JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &at);
	if (*ret == NULL)
		return why_set(s->why, ERR_FORMAT, line_at(s, s->p) +
		    (unsigned)at.line - 1, 0, "this is not JSON: %s", at.text);
	s->p += at.position;
	return 0;
}

static int add_value(struct scim *s, const char *name, const json_t *v);

static int
add_object(struct scim *s, const char *prefix, const json_t *v)
{
	char name[NAME_MAX_LEN];
	const char *key;
	json_t *item;
	int r;

	json_object_foreach((json_t *)v, key, item) {
		/* An extension's attributes are the resource's own. */
		if (strncasecmp(key, "urn:", 4) == 0 && json_is_object(item)) {
			if ((r = add_object(s, prefix, item)) != 0)
				return r;
			continue;
		}
		if (snprintf(name, sizeof(name), "%s%s%s", prefix,
		    *prefix != 0 ? "." : "", key) >= (int)sizeof(name))
			return fail(s, "the names of attributes are too long");
		if ((r = add_value(s, name, item)) != 0)
			return r;
	}
	return 0;
}

static int
add_list(struct scim *s, const char *name, const json_t *v)
{
	const char *type;
	char typed[NAME_MAX_LEN];
	json_t *item;
	size_t i;
	int r = 0;

	json_array_foreach(v, i, item) {
		if ((r = add_value(s, name, item)) != 0)
			return r;
		if (!json_is_object(item))
			continue;
		type = json_string_value(json_object_get(item, "type"));
		if (type != NULL && snprintf(typed, sizeof(typed), "%s[%s]",
		    name, type) < (int)sizeof(typed))
			r = add_value(s, typed, item);
		if (r == 0 && json_is_true(json_object_get(item, "primary")) &&
		    snprintf(typed, sizeof(typed), "%s[primary]", name) <
		    (int)sizeof(typed))
			r = add_value(s, typed, item);
		if (r != 0)
			return r;
	}
	return 0;
}

static int
add_value(struct scim *s, const char *name, const json_t *v)
{
	char number[64];

	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return add_object(s, name, v);
	case JSON_ARRAY:
		return add_list(s, name, v);
	case JSON_STRING:
		return entry_add(&s->e, name, json_string_value(v),
		    json_string_length(v));
	case JSON_TRUE:
	case JSON_FALSE:
		return entry_add(&s->e, name, json_is_true(v) ? "true" :
		    "false", json_is_true(v) ? 4 : 5);
	case JSON_INTEGER:
		(void)snprintf(number, sizeof(number), "%" PRId64,
		    (int64_t)json_integer_value(v)); /* fits */
		return entry_add(&s->e, name, number, strlen(number));
	case JSON_REAL:
		(void)snprintf(number, sizeof(number), "%.17g",
		    json_real_value(v)); /* fits */
		return entry_add(&s->e, name, number, strlen(number));
	case JSON_NULL:
		break;		/* RFC 7643, 2.5: as if it were not there */
	}
	return 0;
}

static int
take_resource(struct scim *s, const json_t *v, unsigned line,
    const char *place)
{
	const char *id;
	int r;

	if (!json_is_object(v))
		return why_set(s->why, ERR_FORMAT, line, 0, "%s: a resource "
		    "is an object", place);
	entry_reset(&s->e);
	s->e.at.line = line;
	if ((s->e.at.place = arena_str(s->e.arena, place)) == NULL)
		return ERR_MEMORY;
	id = json_string_value(json_object_get(v, "id"));
	if (id != NULL && (r = entry_key(&s->e, id, false)) != 0)
		return r;
	if ((r = add_object(s, "", v)) != 0)
		return r;
	s->n++;
	return s->fn(s->arg, &s->e);
}

/* "[" has been read. */
static int
read_array(struct scim *s, const char *pointer)
{
	char place[64];
	unsigned line;
	size_t i = 0;
	json_t *v;
	int r;

	if (accept(s, ']'))
		return 0;
	do {
		skip_space(s);
		line = line_at(s, s->p);
		if ((r = read_json(s, &v)) != 0)
			return r;
		(void)snprintf(place, sizeof(place), "%s/%zu", pointer,
		    i++);	/* fits */
		r = take_resource(s, v, line, place);
		json_decref(v);
		if (r != 0)
			return r;
	} while (accept(s, ','));
	return accept(s, ']') ? 0 : fail(s, "\",\" or \"]\" is wanted here; "
	    "the file may have been cut");
}

static int
read_member(struct scim *s)
{
	json_t *key = NULL, *v = NULL;
	bool resources;
	const char *name;
	int r;

	skip_space(s);
	if (s->p == s->end || *s->p != '"')
		return fail(s, "the name of a member is wanted here");
	if ((r = read_json(s, &key)) != 0)
		return r;
	name = json_string_value(key);
	resources = strcasecmp(name, "Resources") == 0;
	if (!accept(s, ':'))
		r = fail(s, "\":\" is wanted here");
	else if (resources && accept(s, '['))
		r = read_array(s, "/Resources");
	else if (resources)
		r = fail(s, "\"Resources\" is a list");
	else if (skip_space(s), (r = read_json(s, &v)) == 0) {
		if (strcasecmp(name, "totalResults") == 0)
			s->total = json_integer_value(v);
		if (strcasecmp(name, "startIndex") == 0)
			s->start = json_integer_value(v);
	}
	json_decref(key);
	json_decref(v);
	return r;
}

/* The page that begins a list tells how long the list is. */
static void
count_page(struct scim *s)
{
	if (s->total < 0)
		return;
	s->pages->found += s->n;
	if (s->start <= 1)
		s->pages->promised += (uint64_t)s->total;
}

int
scim_pages_check(const struct scim_pages *pages, struct why *w)
{
	if (pages->promised == pages->found)
		return 0;
	return why_set(w, ERR_MISSING, 0, 0, "the list responses tell of %"
	    PRIu64 " results and hold %" PRIu64 "; give all pages of each "
	    "list (RFC 7644, 3.4.2.4), since whoever is on a missing one "
	    "would seem to have left", pages->promised, pages->found);
}

/* "{" has been read: a list response if it has Resources. */
static int
read_response(struct scim *s)
{
	int r;

	if (accept(s, '}'))
		return 0;
	do {
		if ((r = read_member(s)) != 0)
			return r;
	} while (accept(s, ','));
	if (!accept(s, '}'))
		return fail(s, "\",\" or \"}\" is wanted here; the file may "
		    "have been cut");
	count_page(s);
	return 0;
}

static int
read_single(struct scim *s)
{
	json_t *v;
	int r;

	if ((r = read_json(s, &v)) != 0)
		return r;
	r = take_resource(s, v, 1, "/");
	json_decref(v);
	return r;
}

/* Whether an object is a list response: its schema says so. */
static bool
is_response(const struct scim *s)
{
	static const char schema[] =
	    "urn:ietf:params:scim:api:messages:2.0:ListResponse";

	return memmem(s->p, (size_t)(s->end - s->p), schema,
	    sizeof(schema) - 1) != NULL ||
	    memmem(s->p, (size_t)(s->end - s->p), "\"Resources\"", 11) != NULL;
}

static int
read_all(struct scim *s)
{
	int r;

	skip_space(s);
	if (accept(s, '['))
		r = read_array(s, "");
	else if (s->p == s->end || *s->p != '{')
		return fail(s, "a list response, an array of resources or a "
		    "resource is wanted: JSON that begins with { or [");
	else if (!is_response(s))
		r = read_single(s);
	else {
		s->p++;
		r = read_response(s);
	}
	if (r != 0)
		return r;
	skip_space(s);
	return s->p == s->end ? 0 : fail(s, "something stands behind the end "
	    "of the JSON");
}

int
scim_read(const char *file, const char *text, size_t len,
    struct scim_pages *pages, entry_fn *fn, void *arg, struct why *w)
{
	struct scim s = {.p = text, .end = text + len, .counted = text,
	    .line = 1, .fn = fn, .arg = arg, .why = w, .total = -1,
	    .start = 1, .pages = pages};
	int r;

	memset(w, 0, sizeof(*w));
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		s.p += 3;
	if ((r = entry_init(&s.e)) != 0)
		return r;
	s.e.at.file = file;
	r = read_all(&s);
	entry_done(&s.e);
	if (r != 0 && w->text[0] == 0)
		(void)why_set(w, r, 0, 0, "%s", err_text(r));
	return r;
}

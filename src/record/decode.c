/*
 * Reading a record back. Strict, since a verifier's word rests on it: what
 * record/shape.c does not list is refused, and so is what it lists but the
 * entry lacks.
 */
#include <jansson.h>
#include <string.h>

#include "base/arena.h"
#include "base/time.h"
#include "record/record.h"
#include "record/shape.h"

struct decoder {
	struct arena *arena;
	struct why *why;
};

static int
refuse(struct decoder *d, const char *what, const char *name)
{
	return why_set(d->why, ERR_FORMAT, 0, 0, "%s: %s", name, what);
}

static int
read_str(struct decoder *d, const json_t *v, const char *name,
    const char **ret)
{
	if (!json_is_string(v))
		return refuse(d, "is not a string", name);
	*ret = arena_strn(d->arena, json_string_value(v),
	    json_string_length(v));
	return *ret != NULL ? 0 : ERR_MEMORY;
}

static int
read_number(struct decoder *d, const json_t *v, const char *name,
    uint64_t max, uint64_t *ret)
{
	json_int_t i;

	if (!json_is_integer(v))
		return refuse(d, "is not a whole number", name);
	i = json_integer_value(v);
	if (i < 0 || (uint64_t)i > max)
		return refuse(d, "is out of range", name);
	*ret = (uint64_t)i;
	return 0;
}

/* Only the one form that time_text writes, so that equal is equal. */
static int
read_time(struct decoder *d, const json_t *v, const char *name, int64_t *ret)
{
	char text[TIME_TEXT_MAX];
	const char *s = json_string_value(v);

	if (s == NULL)
		return refuse(d, "is not a string", name);
	if (time_parse(s, json_string_length(v), ret) != 0)
		return refuse(d, "is not a time", name);
	time_text(*ret, text);
	if (strcmp(s, text) != 0)
		return refuse(d, "is not a time in UTC with milliseconds",
		    name);
	return 0;
}

static int
read_strs(struct decoder *d, const json_t *v, const char *name,
    struct record_strs *ret)
{
	const char **s;
	size_t i, n;
	int r;

	if (!json_is_array(v))
		return refuse(d, "is not a list", name);
	n = json_array_size(v);
	if ((s = arena_array(d->arena, n, sizeof(*s))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < n; i++)
		if ((r = read_str(d, json_array_get(v, i), name, &s[i])) != 0)
			return r;
	ret->s = s;
	ret->n = n;
	return 0;
}

static int read_members(struct decoder *, const struct shape *,
    const json_t *, const char *, size_t, char *);

static int
read_list(struct decoder *d, const struct shape_field *f, const json_t *v,
    char *base)
{
	char *items;
	size_t i, n;
	int r;

	if (!json_is_array(v))
		return refuse(d, "is not a list", f->name);
	n = json_array_size(v);
	if ((items = arena_array(d->arena, n, f->of->size)) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < n; i++)
		if ((r = read_members(d, f->of, json_array_get(v, i), f->name,
		    0, items + i * f->of->size)) != 0)
			return r;
	*(char **)(void *)(base + f->off) = items;
	*(size_t *)(void *)(base + f->off_n) = n;
	if (f->kind == SHAPE_FLAG_LIST)
		*(bool *)(base + f->off_flag) = true;
	return 0;
}

static bool
may_be_absent(const struct shape_field *f)
{
	return f->kind == SHAPE_OPT || f->kind == SHAPE_TIME ||
	    f->kind == SHAPE_OPT_U64 ||
	    f->kind == SHAPE_OPT_LIST || f->kind == SHAPE_FLAG_LIST ||
	    f->kind == SHAPE_FLAG_OBJECT;
}

static int
read_value(struct decoder *d, const struct shape_field *f, const json_t *v,
    char *base)
{
	void *p = base + f->off;
	uint64_t u = 0;
	int r;

	switch (f->kind) {
	case SHAPE_STR:
	case SHAPE_NAME:
	case SHAPE_OPT:
	case SHAPE_HASH:
	case SHAPE_ENUM:
		if ((r = read_str(d, v, f->name, p)) != 0)
			return r;
		if (!shape_str_fits(f, *(const char **)p))
			return refuse(d, "has no value that is allowed",
			    f->name);
		return 0;
	case SHAPE_U64:
	case SHAPE_OPT_U64:
		return read_number(d, v, f->name, INT64_MAX, p);
	case SHAPE_U32:
		if ((r = read_number(d, v, f->name, UINT32_MAX, &u)) == 0)
			*(uint32_t *)p = (uint32_t)u;
		return r;
	case SHAPE_BOOL:
		if (!json_is_boolean(v))
			return refuse(d, "is neither true nor false", f->name);
		*(bool *)p = json_is_true(v);
		return 0;
	case SHAPE_TIME:
		return read_time(d, v, f->name, p);
	case SHAPE_STRS:
		return read_strs(d, v, f->name, p);
	case SHAPE_LIST:
	case SHAPE_OPT_LIST:
	case SHAPE_FLAG_LIST:
		return read_list(d, f, v, base);
	case SHAPE_FLAG_OBJECT:
		*(bool *)(base + f->off_flag) = true;
		return read_members(d, f->of, v, f->name, 0, p);
	case SHAPE_OBJECT:
		return read_members(d, f->of, v, f->name, 0, p);
	}
	return ERR_FORMAT;
}

static bool
is_listed(const struct shape *shape, const char *name)
{
	size_t i;

	for (i = 0; i < shape->n; i++)
		if (strcmp(shape->fields[i].name, name) == 0)
			return true;
	return false;
}

static bool
is_envelope(const char *name)
{
	static const char *const names[] = {
		"v", "gateway", "seq", "time", "type",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* extra: how many members v has that the shape does not list. */
static int
read_members(struct decoder *d, const struct shape *shape, const json_t *v,
    const char *name, size_t extra, char *base)
{
	const struct shape_field *f;
	const char *key;
	json_t *member;
	size_t i, found = 0;
	int r;

	if (!json_is_object(v))
		return refuse(d, "is not an object", name);
	for (i = 0; i < shape->n; i++) {
		f = &shape->fields[i];
		if ((member = json_object_get(v, f->name)) == NULL) {
			if (may_be_absent(f))
				continue;
			return refuse(d, "is missing", f->name);
		}
		found++;
		if ((r = read_value(d, f, member, base)) != 0)
			return r;
	}
	if (found + extra == json_object_size(v))
		return 0;
	json_object_foreach((json_t *)(uintptr_t)v, key, member)
		if (!is_listed(shape, key) && (extra == 0 || !is_envelope(key)))
			return refuse(d, "is unknown", key);
	return refuse(d, "has unknown members", name);
}

static int
read_type(struct decoder *d, const json_t *v, enum record_type *ret)
{
	const char *s = json_string_value(v);
	int t;

	if (s == NULL)
		return refuse(d, "is missing or not a string", "type");
	for (t = RECORD_GENESIS; shape_of((enum record_type)t) != NULL; t++) {
		if (strcmp(s, record_type_text((enum record_type)t)) == 0) {
			*ret = (enum record_type)t;
			return 0;
		}
	}
	return refuse(d, "is not known", "type");
}

#define ENVELOPE_MEMBERS 5

static int
read_record(struct decoder *d, const json_t *v, struct record *ret)
{
	uint64_t version;
	int r;

	if (!json_is_object(v))
		return refuse(d, "is not an object", "record");
	if ((r = read_number(d, json_object_get(v, "v"), "v", INT64_MAX,
	    &version)) != 0)
		return r;
	if (version != RECORD_VERSION)
		return refuse(d, "is a version not known here", "v");
	if ((r = read_str(d, json_object_get(v, "gateway"), "gateway",
	    &ret->gateway)) != 0 ||
	    (r = read_number(d, json_object_get(v, "seq"), "seq", INT64_MAX,
	    &ret->seq)) != 0 ||
	    (r = read_time(d, json_object_get(v, "time"), "time",
	    &ret->time_ms)) != 0 ||
	    (r = read_type(d, json_object_get(v, "type"), &ret->type)) != 0)
		return r;
	return read_members(d, shape_of(ret->type), v, "record",
	    ENVELOPE_MEMBERS, (char *)&ret->u);
}

int
record_decode(struct bytes in, struct arena *a, struct record *ret,
    struct why *w)
{
	struct decoder d = {a, w};
	json_error_t e;
	json_t *v;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (in.len > RECORD_MAX)
		return why_set(w, ERR_LIMIT, 0, 0, "is longer than %d bytes",
		    RECORD_MAX);
	v = json_loadb((const char *)in.data, in.len, JSON_REJECT_DUPLICATES,
	    &e);
	if (v == NULL) {
		if (json_error_code(&e) == json_error_out_of_memory)
			return ERR_MEMORY;
		return why_set(w, ERR_FORMAT, 0, 0, "%s at byte %d", e.text,
		    e.position);
	}
	r = read_record(&d, v, ret);
	json_decref(v);
	return r;
}

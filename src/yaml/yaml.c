/*
 * Parsing, and reading what was parsed. Nearly every text is read by quick.c;
 * what it declines is libyaml's (events.c), to read or to refuse.
 */
#include "yaml/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/time.h"
#include "yaml/quick.h"

static int
check_bytes(const char *text, size_t len, struct why *w)
{
	if (len > YAML_MAX)
		return why_set(w, ERR_LIMIT, 0, 0,
		    "the file is larger than %zu bytes", YAML_MAX);
	if (!text_is_utf8(text, len))
		return why_set(w, ERR_FORMAT, 0, 0,
		    "the file is not valid UTF-8; save it as UTF-8");
	return 0;
}

int
yaml_parse(struct arena *a, const char *text, size_t len,
    const struct yaml_node **ret, struct why *w)
{
	struct yaml_node *root;
	int r;

	if ((r = check_bytes(text, len, w)) != 0)
		return r;
	if ((r = quick_parse(a, text, len, NULL, &root)) == ERR_STATE)
		r = events_parse(a, text, len, &root, w);
	else if (r == ERR_MEMORY)
		(void)why_set(w, r, 0, 0, "out of memory");
	if (r == 0)
		*ret = root;
	return r;
}

int
yaml_parse_sections(struct arena *a, const char *text, size_t len,
    const struct yaml_sections *s, const struct yaml_node **ret,
    struct why *w)
{
	struct yaml_node *root;
	int r;

	if ((r = check_bytes(text, len, w)) != 0)
		return r;
	if ((r = quick_parse(a, text, len, s, &root)) == ERR_MEMORY)
		(void)why_set(w, r, 0, 0, "out of memory");
	if (r == 0)
		*ret = root;
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

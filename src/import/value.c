#include "import/value.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "directory/facts.h"
#include "import/entry.h"
#include "import/findings.h"

#define ID_MAX 200
#define TEXT_MAX 1000

struct gather {
	const struct section_map *section;
	enum field field;
	const struct entry *e;
	struct findings *f;
	struct values *ret;
};

void
values_done(struct values *v)
{
	free(v->items);
	memset(v, 0, sizeof(*v));
}

static int
put(struct values *v, const char *text, const struct rule *r,
    const char *country)
{
	size_t cap = v->cap != 0 ? v->cap * 2 : 16;
	struct value *items;

	if (v->n == v->cap) {
		items = realloc(v->items, cap * sizeof(*items));
		if (items == NULL)
			return ERR_MEMORY;
		v->items = items;
		v->cap = cap;
	}
	v->items[v->n++] = (struct value){text, r, country};
	return 0;
}

/* What has no table, or names something, stands for itself. */
static enum other
other_of(const struct rule *r, enum field field)
{
	if (r->other != OTHER_DEFAULT)
		return r->other;
	if (!r->has_values)
		return OTHER_KEEP;
	switch (field) {
	case FIELD_KIND:
	case FIELD_REST:
		return OTHER_REFUSE;
	case FIELD_SITE:
	case FIELD_EMPLOYER:
	case FIELD_MANAGER:
	case FIELD_INSTRUCTOR:
	case FIELD_OPERATOR:
	case FIELD_KEEPERS:
	case FIELD_OWNER:
	case FIELD_ENTITY:
		return OTHER_KEEP;
	default:
		return OTHER_UNKNOWN;
	}
}

/* References are looked up later, and refused there if they lead nowhere. */
static bool
is_reference(enum field f)
{
	return f == FIELD_SITE || f == FIELD_EMPLOYER || f == FIELD_MANAGER ||
	    f == FIELD_INSTRUCTOR || f == FIELD_OPERATOR ||
	    f == FIELD_KEEPERS || f == FIELD_OWNER || f == FIELD_ENTITY;
}

static int
put_mapped(struct gather *g, const struct rule *r, const char *attribute,
    const char *value, const char *country)
{
	const char *to = mapping_value(g->e->arena, r, value);
	enum other other = other_of(r, g->field);

	if (to != NULL)
		return strcmp(to, "unknown") == 0 ? 0 :
		    put(g->ret, to, r, country);
	if (is_reference(g->field) || other == OTHER_KEEP)
		return put(g->ret, value, r, country);
	if (other == OTHER_REFUSE)
		findings_add(g->f, FINDING_ERROR, &g->e->at, "%s: the table "
		    "has nothing for \"%.100s\" of %s; add it to the "
		    "mapping's values, or say there with \"other\" what "
		    "becomes of it", field_text(g->field), value, attribute);
	return 0;
}

/* Splits at the separator, if there is one, and trims. */
static int
put_split(struct gather *g, const struct rule *r, const char *attribute,
    const char *value, const char *country)
{
	const char *end, *stop;
	char *part;
	int rc;

	do {
		end = r->separator != NULL ? strstr(value, r->separator) :
		    NULL;
		stop = end != NULL ? end : value + strlen(value);
		while (value < stop && strchr(" \t\r\n", *value) != NULL)
			value++;
		while (stop > value && strchr(" \t\r\n", stop[-1]) != NULL)
			stop--;
		part = arena_strn(g->e->arena, value, (size_t)(stop - value));
		if (part == NULL)
			return ERR_MEMORY;
		if (*part != 0 &&
		    (rc = put_mapped(g, r, attribute, part, country)) != 0)
			return rc;
		if (end != NULL)
			value = end + strlen(r->separator);
	} while (end != NULL);
	return 0;
}

/* The country beside a site. With several the order of values would have to
 * tell which goes with which, and no source promises one. */
static const char *
country_of(struct gather *g, const struct rule *r, size_t which)
{
	const char *name, *value, *first = NULL;
	size_t at = 0;

	if (r->n_countries == 0)
		return NULL;
	name = r->countries[which < r->n_countries ? which :
	    r->n_countries - 1];
	while (entry_next(g->e, name, &at, &value)) {
		if (value != NULL && first == NULL)
			first = value;
		if (value != NULL && strcmp(value, first) == 0)
			continue;
		findings_add(g->f, FINDING_ERROR, &g->e->at, "site: %s has "
		    "several values, and which is that of %s is not known; "
		    "map an attribute that has one, or the places in "
		    "\"values\" without \"country\"", name,
		    r->attributes[which]);
		return NULL;
	}
	return first;
}

static int
gather_rule(struct gather *g, const struct rule *r)
{
	const char *value, *name, *country;
	size_t i, at = 0;
	int rc;

	for (i = 0; i < r->n_attributes; i++)
		if (entry_has(g->e, r->attributes[i]))
			break;
	if (i == r->n_attributes)
		return r->otherwise == NULL ? 0 :
		    put(g->ret, r->otherwise, r, NULL);
	name = r->attributes[i];
	country = country_of(g, r, i);
	while (entry_next(g->e, name, &at, &value)) {
		if (value == NULL)
			findings_add(g->f, FINDING_ERROR, &g->e->at, "%s: a "
			    "value of %s is no text (UTF-8 without NUL); map "
			    "another attribute", field_text(g->field), name);
		else if ((rc = put_split(g, r, name, value,
		    country)) != 0)
			return rc;
	}
	/* A cell may be there and empty. */
	if (g->ret->n == 0 && r->otherwise != NULL)
		for (at = 0; entry_next(g->e, name, &at, &value);)
			if (value == NULL || value[strspn(value, " \t")] != 0)
				return 0;
	return g->ret->n == 0 && r->otherwise != NULL ?
	    put(g->ret, r->otherwise, r, NULL) : 0;
}

static bool
takes_first(enum field f)
{
	return f == FIELD_ID || f == FIELD_NAME || f == FIELD_FROM ||
	    f == FIELD_TO || f == FIELD_KIND || f == FIELD_REST ||
	    f == FIELD_SHARE || f == FIELD_TIME;
}

int
values_of(const struct section_map *s, enum field field,
    const struct entry *e, struct findings *f, struct values *ret)
{
	struct gather g = {s, field, e, f, ret};
	const struct rule *r;
	int rc;

	ret->n = 0;
	for (r = s->rules[field]; r != NULL; r = r->next) {
		if ((rc = gather_rule(&g, r)) != 0)
			return rc;
		if (ret->n > 0 && takes_first(field))
			break;
	}
	return 0;
}

/* A source promises no order of an attribute's values. */
int
value_of(const struct section_map *s, enum field field,
    const struct entry *e, struct findings *f, struct values *scratch,
    const char **ret)
{
	int r = values_of(s, field, e, f, scratch);
	const char *best = NULL, *text;
	size_t i;

	for (i = 0; r == 0 && i < scratch->n; i++) {
		text = scratch->items[i].text;
		if (best != NULL && strcmp(best, text) != 0 &&
		    field != FIELD_NAME) {
			findings_add(f, FINDING_ERROR, &e->at, "%s: there are "
			    "several values (\"%.60s\", \"%.60s\"), and one "
			    "is wanted; map an attribute that has one",
			    field_text(field), best, text);
			break;
		}
		if (best == NULL || strcmp(text, best) < 0)
			best = text;
	}
	*ret = best;
	return r;
}

/* YYYYMMDDHH[MM[SS]][.f]Z */
static int
generalized_time(const char *s, int64_t *ret)
{
	size_t digits = strspn(s, "0123456789"), len;
	char iso[TIME_TEXT_MAX] = "0000-00-00T00:00:00Z";
	static const unsigned char at[] = {0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14,
	    15, 17, 18};
	size_t i;

	len = digits;
	if (s[len] == '.' || s[len] == ',')
		len += 1 + strspn(s + len + 1, "0123456789");
	if ((digits != 10 && digits != 12 && digits != 14) || s[len] != 'Z' ||
	    s[len + 1] != 0)
		return ERR_FORMAT;
	for (i = 0; i < digits; i++)
		iso[at[i]] = s[i];
	return time_parse(iso, strlen(iso), ret);
}

int
value_time(const char *text, int64_t *ret)
{
	char iso[64];
	size_t len = strlen(text);

	if (time_parse(text, len, ret) == 0 ||
	    generalized_time(text, ret) == 0)
		return 0;
	/* "2026-11-23 17:40:00", of UTC if it has no offset */
	if (len < 19 || len + 2 > sizeof(iso) || text[10] != ' ')
		return ERR_FORMAT;
	memcpy(iso, text, len + 1);
	iso[10] = 'T';
	if (strspn(iso + 19, ".0123456789") == len - 19) {
		iso[len++] = 'Z';
		iso[len] = 0;
	}
	return time_parse(iso, len, ret);
}

int
value_share(const char *text, uint32_t *ret)
{
	size_t whole = strspn(text, "0123456789"), i;
	uint32_t v = 0, unit = SHARE_ONE;

	if (whole < 1 || whole > 3)
		return ERR_FORMAT;
	for (i = 0; i < whole; i++)
		v = v * 10 + (uint32_t)(text[i] - '0');
	if (v > 100)
		return ERR_FORMAT;
	v *= SHARE_ONE;
	if (text[i] == '.')
		for (i++; text[i] >= '0' && text[i] <= '9' && unit > 1; i++) {
			unit /= 10;
			v += (uint32_t)(text[i] - '0') * unit;
		}
	if (text[i] == '%')
		i++;
	if (text[i] != 0 || v > SHARE_WHOLE)
		return ERR_FORMAT;
	*ret = v;
	return 0;
}

const char *
value_text_wrong(const char *s)
{
	const char *p;

	for (p = s; *p != 0; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return "has line ends or other control characters";
	if (p == s)
		return "is empty";
	return p - s > TEXT_MAX ? "is longer than 1000 bytes" : NULL;
}

const char *
value_id_wrong(const char *s)
{
	const char *wrong = value_text_wrong(s);

	if (wrong != NULL)
		return wrong;
	if (strchr(s, ' ') != NULL)
		return "has spaces, which an id cannot have";
	if (strlen(s) > ID_MAX)
		return "is longer than 200 bytes";
	return strcmp(s, "none") == 0 ? "says that there is nobody, and "
	    "cannot be an id" : NULL;
}

const char *
value_label_wrong(const char *s)
{
	return label_valid(s) ? NULL : "is no label: 1 to 32 of "
	    "A-Z a-z 0-9 _ -, and not \"unknown\"";
}

const char *
value_slug(struct arena *a, const char *s)
{
	char *slug = arena_alloc(a, strlen(s) + 1);
	size_t n = 0;

	if (slug == NULL)
		return NULL;
	for (; *s != 0; s++) {
		if ((*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') ||
		    (unsigned char)*s >= 0x80)
			slug[n++] = *s;
		else if (*s >= 'A' && *s <= 'Z')
			slug[n++] = (char)(*s - 'A' + 'a');
		else if (n > 0 && slug[n - 1] != '-')
			slug[n++] = '-';
	}
	while (n > 0 && slug[n - 1] == '-')
		n--;
	slug[n] = 0;
	return slug;
}

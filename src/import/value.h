/*
 * import/value.h - the values that a section's rules give for one entry.
 */
#ifndef IMPORT_VALUE_H
#define IMPORT_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "import/mapping.h"

struct arena;
struct entry;
struct findings;

struct value {
	const char *text;
	const struct rule *rule;
	const char *country;	/* of a site, where the rule has one */
};

struct values {
	struct value *items;
	size_t n, cap;		/* items are kept for the next use */
};

void values_done(struct values *v);

/*
 * All values of a field, in order; what is wrong goes to f. Texts live as
 * long as the entry and the mapping. 0 or ERR_MEMORY.
 */
int values_of(const struct section_map *s, enum field field,
    const struct entry *e, struct findings *f, struct values *ret);
/* The one, or NULL; of names the first in order. */
int value_of(const struct section_map *s, enum field field,
    const struct entry *e, struct findings *f, struct values *scratch,
    const char **ret);

/* RFC 3339, a bare date, with a blank for the T, or LDAP's generalized
 * time (RFC 4517, 3.3.13) in UTC. 0 or ERR_FORMAT. */
int value_time(const char *text, int64_t *ret);
/* Percent with at most six decimals, a % sign allowed. 0 or ERR_FORMAT. */
int value_share(const char *text, uint32_t *ret);

/* Why a text cannot be an id, a label or a text; NULL if it can. */
const char *value_id_wrong(const char *s);
const char *value_label_wrong(const char *s);
const char *value_text_wrong(const char *s);
/* "Clipwave US Inc." -> "clipwave-us-inc"; in the arena, NULL: no memory. */
const char *value_slug(struct arena *a, const char *s);

#endif

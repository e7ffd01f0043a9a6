/*
 * import/mapping.h - what of a source becomes which fact.
 *
 * A mapping has sections, one for each kind of thing that a source can hold;
 * a section has for each of its fields the rules that give its values.
 * Format: docs/import.md. Pure.
 * Memory: a mapping lives in the caller's arena.
 * Limits: MAPPING_MAX bytes a file.
 */
#ifndef IMPORT_MAPPING_H
#define IMPORT_MAPPING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define MAPPING_MAX ((size_t)16 << 20)

struct arena;
struct entry;

enum source_kind {
	SOURCE_LDAP,		/* live or LDIF */
	SOURCE_SCIM,
	SOURCE_CSV,
};

enum section {
	SECTION_PEOPLE,
	SECTION_SERVICES,
	SECTION_ENTITIES,
	SECTION_OWNERS,
	SECTION_SITES,
	SECTION_GROUPS,
	SECTION_TICKETS,
	SECTIONS,
};

enum field {
	FIELD_ID,
	FIELD_NAME,
	FIELD_FROM,
	FIELD_TO,
	FIELD_SITE,
	FIELD_EMPLOYER,
	FIELD_KIND,
	FIELD_MANAGER,
	FIELD_INSTRUCTOR,
	FIELD_NATIONALITY,
	FIELD_RESIDENCE,
	FIELD_OFFICES,
	FIELD_ROLES,
	FIELD_OPERATOR,
	FIELD_KEEPERS,
	FIELD_NETWORKS,
	FIELD_COUNTRY,
	FIELD_PLACE,
	FIELD_REST,
	FIELD_ENTITY,
	FIELD_OWNER,
	FIELD_SHARE,
	FIELD_MEMBER,
	FIELD_TICKET,
	FIELD_ASSIGNEE,
	FIELD_ASSIGNER,
	FIELD_APPROVER,
	FIELD_TIME,
	FIELDS,
};

/* What becomes of a value that is not in the table, and of a reference to
 * what nobody knows. */
enum other {
	OTHER_DEFAULT,		/* as the field has it */
	OTHER_REFUSE,
	OTHER_KEEP,
	OTHER_UNKNOWN,		/* left out: the fact is not known */
};

struct rule_value {
	const char *from;
	const char *to;
};

struct rule {
	const struct rule *next;	/* many values: added; else: tried */
	const char *const *attributes;	/* the first that has a value */
	size_t n_attributes;
	const struct rule_value *values;	/* sorted, without case */
	size_t n_values;
	bool has_values;
	enum other other;
	const char *otherwise;		/* where no attribute has a value */
	const char *separator;		/* one text holds several values */
	/* Site: the attribute with its label, for each of `attributes`; the
	 * last is for those that are more. */
	const char *const *countries;
	size_t n_countries;
	const char *const *top;		/* manager: report to nobody */
	size_t n_top;
};

/* An entry is meant if for each attribute one of the values is there. */
struct condition {
	const char *attribute;
	const char *const *values;
	size_t n;
};

struct section_map {
	const struct condition *where, *skip;
	size_t n_where, n_skip;
	const struct rule *rules[FIELDS];	/* NULL: nothing is mapped */
	bool named[FIELDS];		/* by the file, not the defaults */
};

struct mapping {
	const char *issuer;
	struct section_map sections[SECTIONS];
};

/* What holds for a kind of source without a file, and where a file is
 * silent: a section of the file replaces the fields it names. */
int mapping_default(struct arena *a, enum source_kind kind,
    struct mapping *ret);
/* 0, ERR_FORMAT, ERR_LIMIT or ERR_MEMORY with *w filled; lays the file's
 * text over *m. */
int mapping_load(struct arena *a, const char *text, size_t len,
    struct mapping *m, struct why *w);

const char *section_text(enum section s);
const char *field_text(enum field f);

/* All attributes that sections name, each once, NULL-terminated; SCIM's
 * typed paths as they are. NULL: out of memory. */
const char *const *mapping_attributes(struct arena *a,
    const struct mapping *m);
/* Whether a section looks at an attribute. */
bool mapping_uses(const struct section_map *s, const char *attribute);

/* Whether an entry is of a section. */
bool mapping_meant(const struct section_map *s, const struct entry *e);
/* NULL if the table of a rule has no such value. Values that are DNs are
 * also found by the value of their first part. */
const char *mapping_value(struct arena *a, const struct rule *r,
    const char *value);

#endif

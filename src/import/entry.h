/*
 * import/entry.h - what every source is made of: one thing, with names and
 * values.
 *
 * An LDAP entry's attributes, a SCIM resource's (by their paths, as
 * "name.formatted"), a row's columns. Names are compared without regard to
 * case. A value that is no text (bytes with a NUL, bad UTF-8) is there, but
 * NULL.
 * Memory: an entry lives until it is reset; one is used for a whole source.
 */
#ifndef IMPORT_ENTRY_H
#define IMPORT_ENTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "import/findings.h"

#define ENTRY_VALUES_MAX 1000000u	/* a group's members are values */

struct arena;

struct entry_value {
	const char *name;
	const char *value;
};

struct entry {
	struct arena *arena;
	struct origin at;
	const char *key;	/* how the source names it: DN, SCIM id; NULL */
	bool key_is_dn;
	struct entry_value *values;
	size_t n, cap;
};

/* Takes one entry, which lives for the call. Not 0 stops. */
typedef int entry_fn(void *arg, const struct entry *e);

int entry_init(struct entry *e);	/* 0 or ERR_MEMORY */
void entry_done(struct entry *e);
void entry_reset(struct entry *e);
/* Copies. 0, ERR_LIMIT or ERR_MEMORY. */
int entry_add(struct entry *e, const char *name, const void *value,
    size_t len);
int entry_key(struct entry *e, const char *key, bool is_dn);

/* The next value of a name from *at on, which is moved past it (begin with
 * 0); false when there is none. *ret is NULL for what is no text. */
bool entry_next(const struct entry *e, const char *name, size_t *at,
    const char **ret);
/* Whether the entry has the name with any value. */
bool entry_has(const struct entry *e, const char *name);

#endif

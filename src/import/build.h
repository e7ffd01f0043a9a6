/*
 * import/build.h - from entries to a draft with one issuer's facts.
 *
 * Entries come in any order; what they name is looked up at the end, among
 * what was imported and what a known directory has that is not going to be
 * replaced. Nothing that is wrong is left out silently: it is an error or a
 * note in the findings.
 */
#ifndef IMPORT_BUILD_H
#define IMPORT_BUILD_H

#include <stddef.h>

#include "import/mapping.h"

struct build;
struct draft;
struct entry;
struct findings;

struct build_counts {
	size_t entries;		/* of any kind */
	size_t taken[SECTIONS];
	size_t left_out;	/* of no section */
};

/* `known` may be NULL; all three outlive the build. NULL: out of memory. */
struct build *build_new(const struct mapping *m, const struct draft *known,
    struct findings *f);
void build_free(struct build *b);

/* An entry_fn: LDAP and SCIM, whose entries tell what they are. */
int build_entry(void *build, const struct entry *e);
/* A row of a table that is of one section. */
int build_row(struct build *b, enum section s, const struct entry *e);
/* Says that the import speaks for a section, even if it has nothing. */
void build_cover(struct build *b, enum section s);
/* Looks up all references. 0 or ERR_MEMORY; *ret is then the caller's, in
 * the order of the source, and as good as the findings have no error. */
int build_end(struct build *b, struct draft **ret);
const struct build_counts *build_counts(const struct build *b);
/* The set of sections that the import speaks for (1u << section). */
unsigned build_covers(const struct build *b);

#endif

/*
 * import/dn.h - distinguished names, as far as telling whether two are the
 * same takes.
 *
 * Format: RFC 4514. Pure.
 */
#ifndef IMPORT_DN_H
#define IMPORT_DN_H

struct arena;

/*
 * One spelling for all of a name's: types and ASCII letters of values in
 * lower case, no spaces around separators, one where there are several,
 * escapes undone and made again where they are needed. NULL if it is no DN,
 * or out of memory.
 */
const char *dn_normal(struct arena *a, const char *dn);
/* The value of the first attribute ("cn=ops,ou=groups" -> "ops"), as it is
 * written; NULL if it is no DN. */
const char *dn_first(struct arena *a, const char *dn);

#endif

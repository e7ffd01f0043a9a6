/*
 * import/ldif.h - LDIF content records as entries.
 *
 * Bytes in, in pieces of any size; entries out through a function. An
 * entry's key and place is its DN.
 * Format: RFC 2849. Refused: change records, values by URL (a file must not
 * decide what else is read), attributes with neither value nor colon.
 * Limits: LDIF_LINE_MAX bytes a line after unfolding.
 */
#ifndef IMPORT_LDIF_H
#define IMPORT_LDIF_H

#include <stddef.h>

#include "base/err.h"
#include "import/entry.h"

#define LDIF_LINE_MAX ((size_t)16 << 20)

struct ldif;

/* `file` names the text in messages. NULL: out of memory. */
struct ldif *ldif_new(const char *file, entry_fn *fn, void *arg);
void ldif_free(struct ldif *l);
/* 0, or an error with *w filled (where the function was not its origin). */
int ldif_feed(struct ldif *l, const void *data, size_t len, struct why *w);
int ldif_end(struct ldif *l, struct why *w);

#endif

/*
 * import/scim.h - SCIM 2.0 users and groups as entries.
 *
 * Format: RFC 7643 and 7644 in JSON: a list response, an array of resources,
 * or one resource. A resource's attributes are named by their paths
 * ("name.formatted"); those of an extension without its schema. Of a list of
 * values each is named alike ("addresses.country"), and beside that by its
 * type and by being primary ("addresses[work].country",
 * "addresses[primary].country"). The key is the resource's id; its place, a
 * JSON pointer.
 * Memory: one resource at a time.
 */
#ifndef IMPORT_SCIM_H
#define IMPORT_SCIM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "import/entry.h"

/* What list responses promise: one holds a page, the rest is in others. */
struct scim_pages {
	uint64_t promised, found;
};

/* 0, or an error with *w filled (where the function was not its origin). */
int scim_read(const char *file, const char *text, size_t len,
    struct scim_pages *pages, entry_fn *fn, void *arg, struct why *w);
/* When all files are read: ERR_MISSING if pages lack, since whoever is on
 * them would seem to have left. */
int scim_pages_check(const struct scim_pages *pages, struct why *w);

#endif

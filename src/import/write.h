/*
 * import/write.h - a draft as text: docs/directory.md, in one spelling.
 *
 * The same facts give the same bytes, whatever the order in which they
 * came: sections and ids sorted, one item a line, the issuer of most of an
 * item's facts written with the item.
 */
#ifndef IMPORT_WRITE_H
#define IMPORT_WRITE_H

#include <stddef.h>

/* As much as a directory's text may have (yaml/yaml.h). */
#define WRITE_MAX ((size_t)256 << 20)

struct buf;
struct draft;

/* `head` is put first: comment lines to keep, or NULL. d must be sorted.
 * out->failed: out of memory or too long. */
void write_draft(const struct draft *d, const char *head, struct buf *out);

#endif

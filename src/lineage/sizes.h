/*
 * lineage/sizes.h - whether a statement could show sizes of tables, and how
 * much has been written, as PostgreSQL's own tables keep them: they tell of
 * rows that the reader may not see.
 *
 * Sound, not exact: a statement passes only if nothing in it, however it is
 * nested, has one of those columns' names, takes all columns, takes a row as
 * a whole, or gives a table's columns other names.
 */
#ifndef LINEAGE_SIZES_H
#define LINEAGE_SIZES_H

#include <stdbool.h>

#include <protobuf-c/protobuf-c.h>

/* Whether the table of this name keeps any. */
bool sizes_are_in(const char *table);

/*
 * Of a statement that names such a table. Recursion: as deep as the tree, which
 * lineage/depth.h bounds.
 */
bool sizes_may_show(const ProtobufCMessage *m);

#endif

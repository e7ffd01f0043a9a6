/*
 * lineage/sizes.h - whether a statement could show the sizes of tables that
 * pg_class keeps, which tell of rows that the reader may not see.
 *
 * Sound, not exact: a statement passes only if nothing in it, however it is
 * nested, has one of those columns' names, takes all columns, takes a row as
 * a whole, or gives a table's columns other names.
 */
#ifndef LINEAGE_SIZES_H
#define LINEAGE_SIZES_H

#include <stdbool.h>

#include <protobuf-c/protobuf-c.h>

/*
 * Of a statement that names pg_class. Recursion: as deep as the tree, which
 * lineage/depth.h bounds.
 */
bool sizes_may_show(const ProtobufCMessage *m);

#endif

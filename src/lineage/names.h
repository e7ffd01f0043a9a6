/*
 * lineage/names.h - which names of pg_catalog are known to be harmless.
 *
 * A name here is the last part, folded as PostgreSQL folds it. What is not
 * listed may be a function, operator or type of the store's own, and then
 * may read tables that no statement names.
 */
#ifndef LINEAGE_NAMES_H
#define LINEAGE_NAMES_H

#include <stdbool.h>

/* Reads no tables and changes nothing. */
bool name_is_harmless_function(const char *name);
/* Must not be called by a reader, whatever schema it is in. */
bool name_is_forbidden_function(const char *name);
bool name_is_operator(const char *name);
bool name_is_type(const char *name);

#endif

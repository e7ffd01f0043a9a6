/*
 * enforce/far.h - tables of which a part is on another server: foreign
 * partitions, or foreign tables below them by inheritance.
 *
 * postgres_fdw sends a reader's own conditions to the other server together
 * with the row filter, or instead of one that it cannot send, and there the
 * order is anybody's guess: an error tells of hidden rows. So views over such
 * a table are barriers (security_barrier), and nothing but the row filter
 * crosses. Reading as a view's owner needs a user mapping of that role; it
 * gets the one that the foreign table's owner has.
 *
 * For enforce/ only.
 */
#ifndef ENFORCE_FAR_H
#define ENFORCE_FAR_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct catalog;
struct clearance;
struct enforce_type;

/* An array's literal of the names of a table's servers; NULL: it is all
 * here. The types are sorted. */
const char *far_servers(const struct enforce_type *types, size_t n,
    const char *schema, const char *table);

/* Behind CREATE VIEW name: " WITH (security_barrier)", or nothing. */
void far_barrier(bool far, struct buf *out);

/* A role's mappings for the servers of a table; none where all may. */
void far_mapping_sql(const char *role, const char *schema, const char *table,
    const char *servers, struct buf *out);
/* The owner role's, for all that a clearance shows. */
void far_owner_sql(const struct clearance *cl, const char *name,
    const struct enforce_type *types, size_t n, struct buf *out);

#endif

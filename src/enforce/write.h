/*
 * enforce/write.h - what a clearance may write, as rights; for enforce/ only.
 *
 * Through the same views: the login has INSERT and UPDATE on the columns that
 * it may write and DELETE where it may delete, the owner role the same on the
 * base table, and the row filters of that table are for all it does, so that
 * a row that would not be shown is neither touched nor made.
 */
#ifndef ENFORCE_WRITE_H
#define ENFORCE_WRITE_H

#include <stdbool.h>

struct buf;
struct clearance;
struct clearance_table;

bool write_any(const struct clearance *cl);
/* GRANT ... ON schema.name TO roles; for each right; nothing if there is
 * none. */
void write_grant_sql(const struct clearance_table *ct, const char *schema,
    const char *roles, struct buf *out);

#endif

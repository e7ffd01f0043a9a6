/*
 * enforce/sql.h - the pieces of SQL that both files of this folder write.
 */
#ifndef ENFORCE_SQL_H
#define ENFORCE_SQL_H

struct buf;

/* "schema"."table" */
void sql_table(struct buf *out, const char *schema, const char *table);

#endif

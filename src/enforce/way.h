/*
 * enforce/way.h - the ways from rows to residences, as SQL.
 *
 * A way goes over foreign keys from a row to its subject and on to the
 * column that has the residence. Filters go over the views of role
 * sworn_way (see enforce/enforce.h), counts over the base tables.
 */
#ifndef ENFORCE_WAY_H
#define ENFORCE_WAY_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct catalog;
struct catalog_step;
struct catalog_subject;
struct clearance;
struct clearance_table;

/* Step i (from 0) of a subject's way; NULL behind the last. */
const struct catalog_step *way_step(const struct catalog *c,
    const struct catalog_subject *s, size_t i);

/* The name of a table's view, quoted. */
void way_view_name(struct buf *out, const char *schema, const char *table);
/* The views of all tables on a way. 0, ERR_LIMIT or ERR_MEMORY. */
int way_views_sql(const struct catalog *c, struct buf *out);
/* Calls fn for each such table. The same results. */
int way_each(const struct catalog *c, void (*fn)(void *arg,
    const char *schema, const char *table), void *arg);
/* What an owner role needs of them for its clearance. The same results. */
int way_grants_sql(const struct catalog *c, const struct clearance *cl,
    const char *role, struct buf *out);

#define WAY_KEPT	1u	/* by the residences beside the keys
				 * (enforce/keep.h) */
#define WAY_SHARED	2u	/* by what sworn.sees says of the session's
				 * login, not by what ct says */

/* A condition on a row of ct->table: this subject's residence is allowed. */
void way_filter_sql(const struct catalog *c, const struct clearance_table *ct,
    const struct catalog_subject *subject, unsigned how, struct buf *out);
/* The rows of sworn.sees for a login. */
void way_sees_sql(const struct catalog *c, const struct clearance *cl,
    const char *role, struct buf *out);

/* For a FROM that has the subjects' table as s: the residence column, and
 * the LEFT JOINs that lead to it. */
void way_residence_column(const struct catalog *c, struct buf *out);
void way_residence_joins(const struct catalog *c, struct buf *out);

/* The label of where a subject is at home: of the store, or by the catalog's
 * values, 'unknown' if it has none for it. With way_residence_joins. */
void way_residence_label(const struct catalog *c, const char *store_residence,
    struct buf *out);

#endif

/*
 * enforce/enforce.h - a clearance as SQL: roles, views, row security.
 *
 * For a clearance whose canonical text has SHA-256 h there are two roles
 * and a schema:  sworn_<16 hex of h>  (LOGIN, member of nothing, rights on
 * its views only),  sworn_<16 hex of h>_own  (NOLOGIN, owns the views, reads
 * the needed base columns under row security), schema sworn_<16 hex of h>.
 *
 * Once per store there are schema `sworn`, which only Sworn's owner roles
 * may enter, and role sworn_way (NOLOGIN). It owns a view sworn."schema.table"
 * of each table on a way to a residence, with the keys and the residence
 * only. Row filters look there and not at the base tables, where the filters
 * of the owner role itself would apply to them again.
 *
 * All SQL is for a superuser, in one transaction, with
 * standard_conforming_strings on.
 * Pure: text out; whoever runs it is in cli/.
 * Format: docs/enforcement.md.
 */
#ifndef ENFORCE_ENFORCE_H
#define ENFORCE_ENFORCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct buf;
struct catalog;
struct catalog_column;
struct catalog_table;
struct clearance;

#define ENFORCE_PREFIX "sworn_"
#define ENFORCE_NAME_MAX 32
#define ENFORCE_WAY_MAX 63	/* bytes of "schema.table" */

/* The login role's name (also the schema's) from the clearance's hash; a
 * pane's from that of its text. */
void enforce_role_name(const uint8_t hash[static 32],
    char ret[static ENFORCE_NAME_MAX]);
void enforce_pane_name(const uint8_t hash[static 32],
    char ret[static ENFORCE_NAME_MAX]);

/* What the store's own catalog says of one column of a guarded table. */
struct enforce_type {
	const char *schema;
	const char *table;
	const char *column;
	const char *type;	/* format_type(): "character varying(20)"; of
				   a domain, what is below it */
	const char *bare;	/* the same without its length */
	char category;		/* pg_type.typcategory: 'S' is text */
	bool not_null;
	/* Of its table: an array's literal of the names of the servers that
	 * have a part of it; NULL: it is all here. */
	const char *far;
};

/* The store's tables' row security before Sworn: see enforce_base_sql. */
struct enforce_table_state {
	const char *schema;
	const char *table;
	int row_security;	/* relrowsecurity, by somebody else than Sworn */
};

/*
 * SQL run once per store before any clearance. ERR_LIMIT: a way's table has
 * a name too long (ENFORCE_WAY_MAX).
 */
int enforce_base_sql(const struct catalog *c,
    const struct enforce_table_state *states, size_t n, struct buf *out);

/*
 * What the role of the ways needs where a part of a table on a way is on
 * another server; behind enforce_base_sql. The types are sorted. 0, ERR_LIMIT
 * or ERR_MEMORY.
 */
int enforce_base_far_sql(const struct catalog *c,
    const struct enforce_type *types, size_t n_types, struct buf *out);

/* What is looked up among types has to be in this order. */
void enforce_types_sort(struct enforce_type *types, size_t n);

/*
 * SQL that makes one clearance from nothing. The login's password is not in
 * it: the caller sets the SCRAM verifier by ALTER ROLE of its own. kept: row
 * filters read the residences beside the keys (enforce/keep.h).
 * ERR_MISSING: a masked column is not among the types, which are sorted.
 * ERR_DENIED: a mask
 * does not fit its column (enforce_misfit says which, and why).
 * ERR_CONFLICT: two tables to be shown have the same name.
 */
int enforce_clearance_sql(const struct catalog *c,
    const struct clearance *cl, const char *role,
    const struct enforce_type *types, size_t n_types, bool kept,
    struct buf *out);

/*
 * Masks of a clearance that do not fit their columns' types, one after the
 * other: the next behind *at (0 at first), which moves on. False: no more.
 */
struct enforce_misfit {
	const struct catalog_table *table;
	const struct catalog_column *column;
	const char *type;
	const char *why;	/* what it fits, in words */
};

bool enforce_misfit(const struct clearance *cl,
    const struct enforce_type *types, size_t n_types, size_t *at,
    struct enforce_misfit *ret);

/*
 * SQL that makes the twins of a clearance's views (enforce/twin.h), behind
 * that which makes it and twin_base_sql. shared: of a pane. The same results.
 */
int enforce_twins_sql(const struct catalog *c, const struct clearance *cl,
    const char *role, const struct enforce_type *types, size_t n_types,
    bool shared, struct buf *out);

/* SQL that removes one clearance, and everything of the base. */
int enforce_drop_sql(const char *role, const struct catalog *c,
    struct buf *out);
int enforce_base_drop_sql(const struct catalog *c, struct buf *out);

/*
 * The shared form (enforce/share.h). A pane is what enforce_clearance_sql
 * makes, but with no login; cl has the pane's tables only. A login is a role, and what it sees of each table; then it gets its
 * rights on its panes, roles being names with commas between them.
 * The same results.
 */
int enforce_pane_sql(const struct catalog *c, const struct clearance *cl,
    const char *name, const struct enforce_type *types, size_t n_types,
    bool kept, struct buf *out);
int enforce_login_sql(const struct catalog *c, const struct clearance *cl,
    const char *role, const char *const *panes, size_t n_panes,
    struct buf *out);
void enforce_pane_grant_sql(const char *name, const char *roles,
    const struct clearance *shown, struct buf *out);

/*
 * SELECT of (name, hash in hex): what the store has now of clearances, panes
 * and logins; it changes when somebody changes or drops a part of it. names:
 * an array's literal without its braces, NULL: all. closed: logins may not
 * log in, which does not count.
 */
int enforce_prints_sql(const char *names, bool closed, struct buf *out);
/* SELECT of one text: the same of the base. */
int enforce_print_base_sql(struct buf *out);

/* SELECT that counts subjects by residence label: (label text, n bigint);
 * unmapped ones as "unknown". */
int enforce_count_sql(const struct catalog *c, const char *store_residence,
    struct buf *out);

#endif

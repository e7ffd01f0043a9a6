/*
 * enforce/enforce.h - a clearance as SQL: roles, views, row security.
 *
 * For a clearance whose canonical text has SHA-256 h there are two roles
 * and a schema:  sworn_<16 hex of h>  (LOGIN, member of nothing, rights on
 * its views only),  sworn_<16 hex of h>_own  (NOLOGIN, owns the views, reads
 * the needed base columns under row security), schema sworn_<16 hex of h>.
 * Pure: text out; whoever runs it is in cli/.
 */
#ifndef ENFORCE_ENFORCE_H
#define ENFORCE_ENFORCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct buf;
struct catalog;
struct clearance;

#define ENFORCE_PREFIX "sworn_"
#define ENFORCE_NAME_MAX 32

/* The login role's name (also the schema's) from the clearance's hash. */
void enforce_role_name(const uint8_t hash[static 32],
    char ret[static ENFORCE_NAME_MAX]);

/* What the store's own catalog says of one column of a guarded table. */
struct enforce_type {
	const char *schema;
	const char *table;
	const char *column;
	const char *type;	/* format_type(): "character varying(20)" */
	char category;		/* pg_type.typcategory: 'S' is text */
};

/* The store's tables' row security before Sworn: see enforce_base_sql. */
struct enforce_table_state {
	const char *schema;
	const char *table;
	int row_security;	/* relrowsecurity, by somebody else than Sworn */
};

/* SQL run once per store before any clearance. */
int enforce_base_sql(const struct catalog *c,
    const struct enforce_table_state *states, size_t n, struct buf *out);

/*
 * SQL that makes one clearance from nothing. The login's password is not in
 * it: the caller sets the SCRAM verifier by ALTER ROLE of its own.
 */
int enforce_clearance_sql(const struct catalog *c,
    const struct clearance *cl, const char *role,
    const struct enforce_type *types, size_t n_types, struct buf *out);

/* SQL that removes one clearance, and everything of the base. */
int enforce_drop_sql(const char *role, const struct catalog *c,
    struct buf *out);
int enforce_base_drop_sql(const struct catalog *c, struct buf *out);

/* SELECT that counts subjects by residence label: (label text, n bigint);
 * unmapped ones as "unknown". */
int enforce_count_sql(const struct catalog *c, const char *store_residence,
    struct buf *out);

#endif

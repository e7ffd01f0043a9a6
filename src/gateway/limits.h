/*
 * gateway/limits.h - how much persons may take of a store.
 *
 * Of mode enforce only. Which of them the store itself holds, and which the
 * gateway, is in docs/enforcement.md.
 */
#ifndef GATEWAY_LIMITS_H
#define GATEWAY_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct yaml_in;
struct yaml_node;

/* 0: none. */
struct store_limits {
	uint64_t statement_ms;	/* one statement runs so long at most */
	uint64_t rows;		/* one statement shows so many at most */
	uint64_t temp_mb;	/* one session's temporary files */
	uint64_t work_mb;	/* work_mem; 0: the server's default */
	uint64_t connections;	/* sessions of one clearance */
	uint64_t subjects;	/* of one answer, kept in memory; never 0 */
};

/* A store's `limits`; what is left out, or n NULL, has its default. */
void limits_read(struct yaml_in *in, const struct yaml_node *n,
    struct store_limits *ret);

/*
 * Whether a person may set a setting to this: a longer statement_timeout
 * than the limit is refused. value NULL: not one constant, which for this
 * setting is its default.
 */
bool limits_allow(const struct store_limits *l, const char *name,
    const char *value);

/* ALTER ROLE for a clearance's login: what the store can hold. */
void limits_sql(const struct store_limits *l, const char *role,
    struct buf *out);

#endif

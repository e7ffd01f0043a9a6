/*
 * gateway/twins.h - the twins of a login's views (enforce/twin.h), as the
 * gateway needs them.
 *
 * Pure. Memory: the caller's arena.
 */
#ifndef GATEWAY_TWINS_H
#define GATEWAY_TWINS_H

#include <jansson.h>
#include <stdint.h>

struct arena;
struct clearance;
struct config_login;
struct rewrite_schema;

/*
 * [[view, twin], ...] of what apply wrote; NULL, from an apply of before
 * there were twins, leaves none. 0, ERR_FORMAT or ERR_MEMORY.
 */
int twins_read(const json_t *list, struct arena *a,
    struct config_login *login);
/* The view whose twin has this identifier; if none, the same again. */
uint32_t twins_view(const struct config_login *login, uint32_t oid);
/* What there is to rewrite for this role. */
int twins_schema(const struct clearance *cl, const char *role,
    struct arena *a, struct rewrite_schema *ret);

#endif

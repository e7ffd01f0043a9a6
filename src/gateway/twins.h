/*
 * gateway/twins.h - the twins of a login's views (enforce/twin.h), as the
 * gateway needs them.
 *
 * Pure. Memory: the caller's arena.
 */
#ifndef GATEWAY_TWINS_H
#define GATEWAY_TWINS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct arena;
struct clearance;
struct config_login;
struct config_store;
struct rewrite_schema;

/* The panes of what apply wrote; NULL: views are not shared. 0, ERR_FORMAT
 * or ERR_MEMORY. */
int twins_read_panes(const json_t *list, struct arena *a,
    struct config_store *s);
/*
 * A login's "twins": [[view, twin], ...] or "panes": [index, ...]. Neither,
 * from an apply of before there were twins, leaves none. The same results.
 */
int twins_read(const json_t *o, const struct config_store *s,
    struct arena *a, struct config_login *login);
bool twins_has(const struct config_login *login);
/* The view whose twin has this identifier; if none, the same again. */
uint32_t twins_view(const struct config_login *login, uint32_t oid);
/* Whether views of the login are in a schema of this name. */
bool twins_is_schema(const struct config_login *login, const char *schema);
/* What there is to rewrite for this role. */
int twins_schema(const struct clearance *cl,
    const struct config_login *login, struct arena *a,
    struct rewrite_schema *ret);

#endif

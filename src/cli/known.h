/*
 * cli/known.h - the names that a configuration has, for policy_strange.
 */
#ifndef CLI_KNOWN_H
#define CLI_KNOWN_H

struct arena;
struct config;
struct policy_known;

/* 0 or ERR_MEMORY. Borrows from the configuration. */
int known_names(const struct config *c, struct arena *a,
    struct policy_known *ret);

#endif

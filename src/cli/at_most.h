/*
 * cli/at_most.h - whether a store has more subjects than its catalog states.
 *
 * A catalog that states too few takes rules about data in bulk out of force.
 */
#ifndef CLI_AT_MOST_H
#define CLI_AT_MOST_H

#include <stdint.h>

struct config_store;

/* 0; or says so on stderr and returns ERR_DENIED. */
int at_most_check(const struct config_store *s, uint64_t subjects);

#endif

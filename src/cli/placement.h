/*
 * cli/placement.h - whether a store holds what belongs there, and what
 * carries rows out of it.
 */
#ifndef CLI_PLACEMENT_H
#define CLI_PLACEMENT_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct config_store;

enum placement_severity {
	PLACEMENT_LOW,		/* a way that could be used; to be known of */
	PLACEMENT_MEDIUM,	/* a way out that is set up, or data unlisted */
	PLACEMENT_HIGH,		/* rows in the wrong place, or leaving it */
};

struct placement {
	PGconn *c;
	const struct config *config;
	const struct config_store *store;
	void *list;		/* json_t array; NULL: print words */
	bool failed;		/* out of memory */
	size_t n, n_serious;	/* findings; those above low */
};

void placement_found(struct placement *p, enum placement_severity severity,
    const char *kind, const char *what, const char *why, const char *todo);

/* Standbys, publications, foreign servers, extensions...: queries alone. */
int placement_ways(struct placement *p);

#endif

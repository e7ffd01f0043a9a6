/*
 * cli/who_can.h - one answer to who-can, in words or as JSON.
 */
#ifndef CLI_WHO_CAN_H
#define CLI_WHO_CAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/survey.h"
#include "policy/ways.h"

struct buf;

struct who_can_one {
	const struct principal *who;
	size_t plain, masked;		/* cells, by whichever session */
	struct ways ways;
};

struct who_can {
	const char *file, *store, *residence, *category, *table, *at;
	bool widest, json;
	const struct config *config;
	struct survey survey;
	const bool *asked;		/* as space.cells */
	size_t n_asked;
	uint8_t *most;			/* of whoever is looked at */
	struct who_can_one *found;	/* who reach something */
	size_t n_found;
};

/* Each appends the whole answer. 0 or ERR_MEMORY. */
int who_can_words(const struct who_can *q, struct buf *out);
int who_can_json(const struct who_can *q, struct buf *out);

#endif

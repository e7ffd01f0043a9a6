/*
 * cli/who_can.h - one answer to who-can, in words or as JSON.
 */
#ifndef CLI_WHO_CAN_H
#define CLI_WHO_CAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/source.h"
#include "cli/survey.h"
#include "policy/approvers.h"
#include "policy/ways.h"

struct buf;

struct who_can_one {
	const struct principal *who;
	size_t plain, masked;		/* cells, by whichever session */
	struct ways ways;
	/* With --could-through-approval: what they could have approved. */
	const struct approvable *approvable;
	size_t n_approvable;
};

struct who_can {
	struct source source;
	const char *store, *residence, *category, *table;
	bool widest, json;
	bool approval;			/* --could-through-approval */
	const char *write;		/* --write; NULL: who reads */
	struct approval_survey approvals;
	const struct config *config;
	struct memo *memo;
	struct survey survey;
	const bool *asked;		/* as space.cells */
	size_t n_asked;
	uint8_t *most;			/* of whoever is looked at */
	struct who_can_one *found;	/* who reach something */
	size_t n_found;
};

/* What a rule's permit depends on; NULL: no approval. */
const struct approvable *who_can_approvable(const struct who_can_one *one,
    const char *rule);

/* Each appends the whole answer. 0 or ERR_MEMORY. */
int who_can_words(const struct who_can *q, struct buf *out);
int who_can_json(const struct who_can *q, struct buf *out);

#endif

/*
 * gateway/recall.h - which approvals there are, told from the log.
 *
 * There is no second truth beside the log: at the start its entries are read
 * and held to the signed root, so that neither a crash nor an older copy of
 * anything brings back what was revoked.
 */
#ifndef GATEWAY_RECALL_H
#define GATEWAY_RECALL_H

#include <stdint.h>

#include "base/err.h"
#include "policy/grants.h"

struct log_hello;
struct record_approval;

struct recall {
	const char *dir;		/* the log's files */
	const struct log_hello *hello;	/* how many entries there must be */
	unsigned wait_ms;		/* for them to be published */
};

/* 0, or an error with a sentence in *w. */
int recall_grants(const struct recall *r, struct grants **ret, struct why *w);

/* What a record says; ERR_FORMAT. Borrows. */
int recall_step(const struct record_approval *r, struct grant_step *ret);

#endif

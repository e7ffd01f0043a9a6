/*
 * cli/reconcile_say.h - what a reconciliation found, for people and programs.
 */
#ifndef CLI_RECONCILE_SAY_H
#define CLI_RECONCILE_SAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/record.h"

#define RECONCILE_SAID_MAX 20	/* of each kind, unless all are wanted */

struct buf;

struct reconcile_said {
	const struct record_reconciled *r;
	const struct record_finding *found;	/* all */
	size_t n;
	bool recorded;
	uint64_t seq;			/* of the record */
	bool all;
};

void reconcile_text(struct buf *out, const struct reconcile_said *s);
/* 0 or ERR_MEMORY. */
int reconcile_json(struct buf *out, const struct reconcile_said *s);

#endif

/*
 * claim/reconcile.h - a store's own log held to the logs of its gateways.
 *
 * What both must have is compared: logins, the other way round as well, and,
 * where pgaudit wrote down what was run, statements of persons. What is found
 * becomes a record; its words are the caller's to print. Pure.
 * Memory: every session at the store, every login of the period.
 */
#ifndef CLAIM_RECONCILE_H
#define CLAIM_RECONCILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "record/record.h"

struct logins;
struct reconcile;

struct reconcile_settings {
	const char *store;
	bool pgaudit;		/* compare statements, too */
	int64_t from_ms;	/* 0: from the store's first line on */
	int64_t to_ms;		/* 0: LOGINS_SLACK_MS before the last record */
};

struct reconcile *reconcile_new(const struct reconcile_settings *s);
void reconcile_free(struct reconcile *r);

/* First the records of each gateway's log, in order, and its end ... */
int reconcile_record(struct reconcile *r, const struct record *rec);
int reconcile_log_end(struct reconcile *r);
/* ... then the store's log, which the caller feeds to this; */
struct logins *reconcile_logins(struct reconcile *r);
/* then the outcome: finding is called for each, and may keep nothing. *ret
 * borrows from r, and lacks by, program, files and findings. */
int reconcile_end(struct reconcile *r,
    int (*finding)(void *arg, const char *what, const char *text), void *arg,
    struct record_reconciled *ret);

#endif

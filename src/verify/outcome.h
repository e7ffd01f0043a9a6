/*
 * verify/outcome.h - what was found, before it is written as text or JSON.
 */
#ifndef VERIFY_OUTCOME_H
#define VERIFY_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log/note.h"
#include "record/record.h"
#include "verify/options.h"

#define OUTCOME_ITEMS_MAX 1000		/* kept of each list; all counted */

struct arena;
struct buf;
struct claim;
struct logread;
struct narrow_result;
struct verdict_result;

struct outcome_item {
	const char *what;
	const char *text;
	const char *dir;		/* of the log that it is about */
};

struct outcome_items {
	struct outcome_item *list;
	size_t n, cap;
	uint64_t more;
};

struct outcome_log {
	const char *dir;
	const char *gateway;
	const char *origin;
	const char *key;		/* "" if not signed by one given */
	struct checkpoint head;
	uint64_t entries;
	int64_t first_ms, last_ms;
};

struct outcome {
	struct arena *arena;
	struct outcome_log logs[OPTIONS_MAX];
	size_t n_logs;
	struct outcome_items damage;
	struct outcome_items notes;	/* gaps in time that are explained */
	/* Of a claim: */
	const struct claim *claim;
	const struct verdict_result *verdict;	/* NULL: a log is broken */
	const struct narrow_result *narrow;	/* instead of a verdict */
	/* Of a bundle of evidence: */
	const char *bundle;		/* its folder; NULL: of whole logs */
	size_t bundle_entries;
	char claim_sha256[RECORD_HASH_HEX + 1];
	int status;			/* to exit with */
};

int outcome_init(struct outcome *o);
void outcome_done(struct outcome *o);
int outcome_add(struct outcome *o, struct outcome_items *to,
    const char *what, const char *text, const char *dir);
int outcome_add_log(struct outcome *o, const struct logread *l);

void outcome_text_narrow(struct buf *out, const struct outcome *o, bool all);
void outcome_text(struct buf *out, const struct outcome *o, bool all);
/* 0 or ERR_MEMORY. */
int outcome_json(struct buf *out, const struct outcome *o);

#endif

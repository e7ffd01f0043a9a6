/*
 * claim/verdict.h - a claim against the records: holds, refuted, not shown.
 *
 * Records are fed log by log, in order; then the stores' own connection
 * logs; then the verdict. One disclosure that meets the claim's words for
 * sure refutes. Else anything that is unknown or missing means not shown.
 * Only else it holds, and says what that rests on.
 * Memory: open sessions, evidence and doubts; results live in the verdict.
 * Limits: VERDICT_ITEMS_MAX of each are kept, the rest are counted.
 */
#ifndef CLAIM_VERDICT_H
#define CLAIM_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "claim/objects.h"
#include "record/record.h"

#define VERDICT_ITEMS_MAX 100000

struct claim;
struct logins;
struct verdict;

enum verdict_value {
	VERDICT_NOT_SHOWN = 0,		/* doubt is no proof */
	VERDICT_REFUTED,
	VERDICT_HOLDS,
};

/* "holds", "refuted", "not shown". */
const char *verdict_value_text(enum verdict_value v);

/* One disclosure that meets the claim's words. */
struct verdict_evidence {
	const char *gateway;
	uint64_t seq;			/* of the record that bounds it */
	int64_t time_ms;
	uint64_t end_seq;		/* of the record of what came out */
	uint64_t session_seq;
	bool has_clearance;		/* another than the session's own */
	uint64_t clearance_seq;
	bool has_store;			/* a record said what it is */
	uint64_t store_seq;
	const char *session;
	const char *principal;
	const char *name;		/* as people say it, or NULL */
	const char *kind;
	const char *source;
	struct record_strs seen_at;	/* where that address is */
	const char *store;
	const char *mode;
	const char *purpose;		/* NULL: none */
	const char *ticket;		/* NULL: none */
	const char *what;		/* "SELECT", ...; "session" */
	const char *whole_why;		/* NULL: analysed */
	uint64_t rows, bytes;
	struct record_strs residences;
	struct record_strs tables;
	struct record_strs categories;	/* shown plain */
	struct record_strs masked;	/* shown masked */
	struct record_strs rules;
	struct record_strs refused_by;	/* observe: rules that would refuse */
	const char *is;			/* the definition met, or NULL */
	const char *is_because;		/* the path by which; or "" */
	const char *label;		/* of the path of control, or NULL */
	struct record_strs kinds;
	struct record_strs steps;
	bool counted;
	uint64_t at_most;		/* subjects, if counted */
	int64_t counted_ms;
	/* Of them, by residence; as many as `residences`, if counted. */
	const uint64_t *counts;
};

/* A principal that could read what a claim of ability denies. */
struct verdict_ability {
	const char *gateway;
	uint64_t seq;			/* of what was in force */
	int64_t at_ms;			/* first so, within the period */
	uint64_t versions;		/* in how many, or stretches of them */
	const char *principal;
	const char *name;		/* as people say it */
	const char *kind;
	const char *store;
	struct record_strs residences;
	struct record_strs tables;
	struct record_strs categories;	/* shown plain */
	struct record_strs masked;	/* shown masked */
	struct record_strs rules;	/* that permit */
	const char *place;		/* from where, for one */
	const char *purpose;		/* stating that; NULL: nothing */
	const char *ticket;
	const char *is, *is_because;	/* as of evidence */
	const char *label;
	struct record_strs kinds, steps;
	const char *policy, *directory, *catalog;	/* SHA-256 */
};

struct verdict_doubt {
	const char *what;		/* a word that programs can read */
	const char *text;		/* a sentence, without full stop */
	const char *gateway;		/* NULL: about no one log */
	bool has_seq;
	uint64_t seq;
	bool has_time;			/* of a disclosure, undecided */
	int64_t time_ms;
};

/* A time of the period without records; max. VERDICT_GAPS_MAX are kept. */
#define VERDICT_GAPS_MAX 1000
struct verdict_gap {
	const char *what;		/* "silence", "down", "crash" */
	const char *gateway;
	int64_t from_ms, to_ms;
};

struct verdict_rest {
	const char *what;
	const char *text;
};

struct verdict_result {
	enum verdict_value value;
	const struct verdict_evidence *evidence;	/* in order of logs */
	size_t n_evidence;
	uint64_t more_evidence;		/* not kept */
	/* Of a claim of ability; else none. */
	const struct verdict_ability *abilities;
	size_t n_abilities;
	uint64_t more_abilities;
	uint64_t versions;		/* decided, or stretches of them */
	const struct verdict_doubt *doubts;
	size_t n_doubts;
	uint64_t more_doubts;
	const struct verdict_rest *rests;
	size_t n_rests;
	const struct verdict_gap *gaps;
	size_t n_gaps;
	/* In the period, at the claim's stores. */
	uint64_t records;		/* of any kind, in all logs */
	uint64_t sessions;
	uint64_t statements;
	uint64_t denials;		/* to readers that may match */
};

/* The claim and the arguments of `read` outlive the verdict. */
struct verdict *verdict_new(const struct claim *c, objects_read_fn *read,
    void *arg);
void verdict_free(struct verdict *v);

/*
 * Before any record: what will be fed is part of a log. Nothing holds then,
 * what lies between is no doubt, and only that is evidence which would be
 * evidence whatever was left out.
 */
void verdict_partial(struct verdict *v);

/* A log's records, from its genesis on, with their bytes; then its end. */
int verdict_record(struct verdict *v, const struct record *r,
    struct bytes entry);
int verdict_log_end(struct verdict *v);

/* To be fed a store's own connection log (claim/logins.h) by the caller; the
 * same again for its further files. ERR_MISSING: no such store in the claim. */
int verdict_store_log(struct verdict *v, const char *store,
    struct logins **ret);

/* More that stands against it, found by the caller. */
int verdict_add_doubt(struct verdict *v, const char *what, const char *text);
/* What witnesses say about a log, for what the verdict rests on. */
int verdict_add_witness(struct verdict *v, const char *text);

int verdict_end(struct verdict *v, const struct verdict_result **ret);

#endif

/*
 * claim/state.h - what a verdict keeps between records; for claim/ only.
 *
 * verdict.c feeds it, disclose.c turns records into evidence and doubts,
 * rests.c says what is missing over all logs and what a verdict rests on.
 */
#ifndef CLAIM_STATE_H
#define CLAIM_STATE_H

#include "claim/claim.h"
#include "claim/defined.h"
#include "claim/logins.h"
#include "claim/match.h"
#include "claim/objects.h"
#include "claim/track.h"
#include "claim/verdict.h"

/* A store as one record of a gateway's log describes it. Sessions keep the
 * one that they were decided by. */
struct state_store {
	struct state_store *next;
	size_t refs;
	struct arena *arena;		/* of the record */
	struct record_store rec;
	uint64_t seq;			/* of its record */
	bool before;			/* recorded at or before the period */
};

/* A statement whose result has not come yet. */
struct state_pending {
	struct state_pending *next;
	struct arena *arena;
	struct record rec;
	struct match_data data;		/* of the bound; exact: below */
	bool rechecked;
	const char *demanded;		/* a table that needs an exact record,
					 * or NULL */
	bool exact;			/* so far: the list is whole */
	const char **labels;		/* at home where: subjects listed */
	uint64_t *counts;
	size_t n_labels, cap_labels;
};

/* A session that may matter; hangs on track_session's data. */
struct state_session {
	struct arena *arena;
	struct record rec;		/* its session record */
	struct arena *clearance_arena;
	struct record clearance;	/* the latest; type NONE: rec's own */
	struct arena *facts_arena;	/* of the last one that has facts */
	struct record_session facts;	/* rec's, and what the clearance has */
	struct state_store *store;	/* as of the clearance in effect */
	int64_t until_ms;		/* when something turned after that */
	bool service;
	bool checked;			/* decided again, with this clearance */
	const char *approvals_why;	/* what it rests on is not so; or NULL */
	uint64_t approvals_seq;		/* a step behind which that was asked */
	struct arena *demands_arena;	/* NULL: not asked, with this one */
	struct record_strs demands;	/* tables that need exact records */
	const char *name;
	struct match_reader reader;	/* but for the claim's `is` */
	struct defined_answer is;	/* by what is in effect: the latest */
	int64_t is_from_ms;		/* since when that is in effect */
	bool has_is_before;		/* a service: by what was before */
	enum truth is_before;
	struct match_data data;		/* a service: of its bound */
	uint64_t rows, bytes;		/* a service: by its results */
	uint64_t n;			/* of its latest record */
	bool cut;			/* a record before that is not there */
	struct state_pending *pending;
};

/* One record of a store's log that was held to ours. */
struct state_reconciled {
	struct state_reconciled *next;
	struct arena *arena;
	const char *gateway;		/* in whose log */
	uint64_t seq;
	int64_t time_ms;
	struct record_reconciled rec;
};

struct state_log {
	struct state_log *next;
	const char *gateway;
	uint64_t entries;
	uint64_t in_period;
	uint64_t sessions;
	int64_t first_ms, last_ms;
	bool has_after;			/* a record later than the period */
	uint64_t heartbeat_ms;		/* of the latest start */
	bool has_in_force;		/* a record says what is in force */
	uint64_t in_force_seq;
	int64_t in_force_ms;
	struct state_store *stores;
	/* Of the version in force, for steps of approvals. */
	char policy[RECORD_HASH_HEX + 1], directory[RECORD_HASH_HEX + 1];
	struct grants *grants;		/* NULL: no step so far */
	uint64_t approval_seq;		/* of the latest step; 0: none */
	int64_t approval_ms;
};

/* An approval that statements of the period rest on. */
struct state_exception {
	struct state_exception *next;
	const struct state_log *log;
	const char *id;
	const char *text;
	bool glass;
	uint64_t n;			/* statements */
};

/* What is in force at a gateway, until something else is. */
struct state_version {
	uint64_t seq;			/* of the in_force record */
	int64_t from_ms;
	char *policy, *directory;	/* SHA-256 */
	bool by_address;
	struct state_store **stores;	/* of the claim */
	size_t n_stores;
};

struct could_met;

/* Distinct texts in the order of their first mention. */
struct state_texts {
	const char **s;
	size_t n, cap;
};

struct verdict {
	const struct claim *claim;
	bool partial;			/* not all of each log is fed */
	struct arena *arena;		/* results */
	const char *witnessed;		/* NULL: no witness was asked for */
	struct arena *scratch;		/* one record's own */
	struct objects *objects;
	struct track *track;		/* of the current log */
	struct state_log *log;		/* current; NULL: none yet */
	struct state_log *logs;
	struct logins **logins;		/* as claim->stores; NULL: none */
	struct state_reconciled *reconciled;	/* of the claim's stores */
	struct state_version *version;	/* claims of ability; NULL: none yet */
	struct verdict_ability *abilities;
	size_t cap_abilities;
	struct could_met **met;		/* could.c's; NULL: nobody yet */
	const struct record *now;	/* the record being fed */
	struct drifted *drifted;	/* by log and store */
	struct verdict_evidence *evidence;
	struct verdict_doubt *doubts;
	size_t cap_evidence, cap_doubts;
	struct verdict_rest *rests;
	size_t cap_rests;
	struct verdict_gap *gaps;	/* VERDICT_GAPS_MAX; NULL: none yet */
	struct state_exception *exceptions;	/* newest first */
	size_t n_exceptions;
	uint64_t more_exceptions;	/* statements that rest on others */
	struct state_texts issuers, programs, policies, directories,
	    definitions, addresses, catalogs, objects_named, objects_doubted, downtimes;
	struct verdict_result result;
};

/* verdict.c */
int state_doubt(struct verdict *v, const char *what, const char *gateway,
    const uint64_t *seq, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
int state_rest(struct verdict *v, const char *what, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int state_text_add(struct verdict *v, struct state_texts *t, const char *s);
bool state_texts_have(const struct state_texts *t, const char *s);
struct state_store *state_store_find(const struct state_log *log,
    const char *store);

struct state_store *state_store_ref(struct state_store *s);
void state_store_unref(struct state_store *s);

/* disclose.c: each 0 or an error of memory. */
int disclose_session(struct verdict *v, struct track_session *t,
    struct bytes entry);
int disclose_record(struct verdict *v, struct track_session *t,
    struct bytes entry);
int disclose_end(struct verdict *v, struct track_session *t,
    enum track_end how, const struct record *r);
void disclose_free(struct state_session *s);

/* again.c: is a session as its texts say? Each 0 or an error of memory. */
const struct record *again_effective(const struct state_session *s);
int64_t again_decided_ms(const struct record *r);
void again_take_store(struct verdict *v, struct state_session *s);
struct match_context again_context(struct verdict *v,
    const struct state_session *s);
int again_session(struct verdict *v, struct state_session *s,
    int64_t until_ms);
int again_statement(struct verdict *v, struct state_session *s,
    const struct record *r);
/* *ret: a table that may be read only under an exact record, or NULL. */
int again_demanded(struct verdict *v, struct state_session *s,
    const struct record *r, const char **ret);
/* A statement was answered, and its record is bounded. */
int again_bounded(struct verdict *v, const struct state_session *s,
    const struct state_pending *p);
int again_force(struct verdict *v, struct state_session *s);
int again_service(struct verdict *v, const struct state_session *s,
    int64_t until_ms);

/* is.c: each 0 or an error of memory. */
/* Whether the reader is what the claim asks, from one instant to another. */
int is_over(struct verdict *v, struct state_session *s, int64_t from_ms,
    int64_t to_ms, enum truth *ret);
/* Before something else takes effect for a session. */
int is_keep(struct verdict *v, struct state_session *s);

/* held.c: what the operator says of a store's own log. */
int held_note(struct verdict *v, const struct record *r, struct bytes entry);
void held_free(struct verdict *v);
/* Doubts and what it rests on, for a store whose log is not given. */
int held_judge(struct verdict *v, const char *store);

/* could.c: who of all could, version by version. No-ops for other claims. */
int could_in_force(struct verdict *v, const struct record *r);
int could_log_end(struct verdict *v);
void could_free(struct verdict *v);
int could_say(struct verdict *v);

/* rests.c */
int rests_missing(struct verdict *v);
int rests_say(struct verdict *v);

#endif

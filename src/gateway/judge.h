/*
 * gateway/judge.h - what a person's SQL text would disclose, and whether
 * it may.
 *
 * The same judgement in both modes: enforcing refuses by it, observing
 * writes down what it would have refused. Sound: whatever cannot be told
 * from the text counts as reading everything within reach.
 * Pure. Memory: the caller's arena; borrows from catalog and clearance.
 */
#ifndef GATEWAY_JUDGE_H
#define GATEWAY_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

#include "record/record.h"

struct arena;
struct catalog;
struct clearance;
struct rewrite;
struct config_login;
struct naming;
struct rewrite_schema;
struct statement;
struct store_limits;

struct refusal {
	const char *message;	/* "reading public.users in store us is refused" */
	const char *detail;	/* NULL: none */
	const char *hint;	/* NULL: none */
	struct record_refusal record;	/* has the SQLSTATE */
};

struct judgement {
	const char *what;	/* "SELECT", "BEGIN, SELECT" */
	const char *writes;	/* "update public.videos"; NULL: nothing */
	bool whole;		/* reads, perhaps, all that is within reach */
	const char *whole_why;	/* "" unless whole */
	bool guarded;		/* reads guarded tables: needs a record */
	const bool *tables;	/* by catalog table: whether it is named */
	const struct refusal *refusals;
	size_t n_refusals;
	/* SET or RESET of sworn.purpose or sworn.ticket; NULL: none. */
	const struct statement *ours;
	bool resets_all;	/* RESET ALL, DISCARD ALL */
	bool alone;		/* the text is just one statement */
	/* Changes what the store keeps for the session beyond a transaction:
	 * settings, what PREPARE made. */
	bool leaves;
	bool changes_reading;	/* sets what changes how SQL is read */
	bool runs_named;	/* FETCH, EXECUTE: what was named elsewhere */
	/* Makes, runs or forgets a name; NULL: does not, or has parts. */
	const struct naming *naming;
	/* It may be told what it reads where it is known what the name stands
	 * for; if it is not, this refuses it (NULL: nothing does). */
	bool by_name;
	const struct refusal *unresolved;
	bool passes;		/* it may pass over rows: bounded for that */
	/* Sent instead, so that its record can be exact; NULL: bounded, and
	 * why if it is a query of guarded tables. */
	const struct rewrite *exact;
	const char *bounded_why;
	/* The text that is sent in the place of sql; NULL: sql itself. Of a
	 * part, both are those of the whole text. */
	const struct rewrite *sent;
	const char *sql;
	/* Of several statements in one text each; 0: they are one, or too
	 * many for that. */
	const struct judgement *const *parts;
	size_t n_parts;
	size_t start, len;	/* of a part, in the text */
	bool exact_only;	/* reads what needs an exact record */
};

struct judge {
	const char *store;
	const struct catalog *catalog;
	const struct clearance *clearance;
	const char *schema;	/* of the clearance's views; NULL: none */
	bool reads_otherwise;	/* the store reads SQL in another way now */
	const struct store_limits *limits;	/* NULL: none */
	const struct config_login *login;	/* whose views these are */
	const struct rewrite_schema *twins;	/* NULL: none */
	/* By catalog table: readable under exact records only; NULL: none. */
	const bool *exact_only;
};

/* 0 or ERR_MEMORY; SQL that is not understood is a judgement, too. */
int judge_text(const struct judge *j, const char *sql, size_t len,
    struct arena *a, const struct judgement **ret);

#endif

/*
 * seen/proof.h - a folder with what shows that a subject's data was seen.
 *
 *	SEEN			whose, and which entries; read by sworn-verify
 *	checkpoint, rotations	the log's, signed
 *	57.json, 57.tlog-proof	an entry, and its proof
 *
 * Of each exact read that lists the tag: the statement, the records of its
 * list that have the tag, and its result; with names also its session's record
 * and that of the clearance in effect. Format: docs/seen.md.
 * Limits: SIGHTINGS_MAX entries (log/sightings.h).
 * Memory: the entries that are taken, and what sessions are open.
 */
#ifndef SEEN_PROOF_H
#define SEEN_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct note_key;
struct why;

struct seen_proof {
	const char *dir;	/* is made */
	const char *log_dir;
	const struct note_key *key;
	const char *store, *tag;
	int64_t from_ms, to_ms;	/* of statements; 0: open; to is excluded */
	bool names;		/* the sessions, which say who */
};

/* 0 and how many reads are in it; or an error with a sentence in *w, and what
 * is in the folder is no proof: it has no SEEN. */
int seen_proof_write(const struct seen_proof *p, size_t *ret_reads,
    struct why *w);

#endif

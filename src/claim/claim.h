/*
 * claim/claim.h - a sworn statement that something never happened.
 *
 * A claim names the period, the gateways and stores it is about, whose data
 * and which readers. Pure: YAML text in, struct out.
 * Format: docs/claims.md.
 */
#ifndef CLAIM_CLAIM_H
#define CLAIM_CLAIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "record/record.h"

/* What a reader must be; an empty part does not restrict. */
struct claim_who {
	struct record_strs controlled_from;	/* labels */
	unsigned by;		/* kinds of path, directory/control.h */
	struct record_strs principals;
	struct record_strs roles;
	struct record_strs employed_by;
	const char *kind;	/* "person", "service"; NULL: both */
	/* Definitions of the policy that decided the session, one of which
	 * is met (claim/defined.h). */
	struct record_strs is;
};

/* What the data must be; an empty part does not restrict. */
struct claim_data {
	struct record_strs whose;	/* residences; never empty */
	struct record_strs categories;
	struct record_strs tables;	/* schema.name */
	bool plain;			/* data shown as it is counts */
	bool mask;			/* and data shown masked */
};

struct claim {
	const char *title;
	const char *sworn_by;
	const char *sentence;
	int64_t from_ms;
	int64_t to_ms;
	struct record_strs gateways;	/* never empty */
	struct record_strs stores;	/* never empty */
	struct claim_who who;
	struct claim_data data;
	bool could;		/* nobody could; else: nobody did */
	void *memory;
};

/* 0 or an error with *w filled. The text is not kept. */
int claim_load(const char *text, size_t len, struct claim **ret,
    struct why *w);
void claim_free(struct claim *c);

bool strs_have(const struct record_strs *l, const char *s);

#endif

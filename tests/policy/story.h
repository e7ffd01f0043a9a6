/*
 * tests/policy/story.h - a directory, a catalog and a policy, loaded from
 * texts or files, and decisions asked of them. Fails the test on any error.
 */
#ifndef TESTS_POLICY_STORY_H
#define TESTS_POLICY_STORY_H

#include <stdint.h>

#include "catalog/catalog.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "policy/policy.h"

struct arena;

struct story {
	struct directory *directory;
	struct catalog *catalog;
	struct policy *policy;
};

/* The text of a file; the caller frees it. */
char *story_read(const char *path);
void story_init(struct story *s, const char *directory, const char *catalog,
    const char *policy);
void story_done(struct story *s);

struct story_ask {
	const char *who, *store;
	const char *residences;		/* "IE DE" */
	const char *purpose, *ticket;	/* or NULL */
	int64_t at_ms;
};

const struct clearance *story_decide(const struct story *s,
    const struct story_ask *ask, struct arena *a);

/* 2026-10-01T00:00:00Z and 2026-11-02T00:00:00Z */
#define STORY_OCTOBER INT64_C(1790812800000)
#define STORY_NOVEMBER INT64_C(1793577600000)

#endif

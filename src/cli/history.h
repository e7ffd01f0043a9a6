/*
 * cli/history.h - the versions that a log says were in force, one after the
 * other: what decided, from when until when.
 *
 * Reads a log's folder as sworn-verify does, and trusts it as little: a log
 * with any damage gives no history at all.
 * Memory: heap; a few strings a version.
 */
#ifndef CLI_HISTORY_H
#define CLI_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "log/note.h"

struct history_service {
	const char *principal;
	const char *role;
};

struct history_store {
	const char *name;
	const char *mode;
	const char *const *residences;
	size_t n_residences;
	const char *catalog;		/* SHA-256, hex */
	bool has_services;		/* the log says which there are */
	const struct history_service *services;
	size_t n_services;
};

/* How it came to be in force no more. */
enum history_end {
	HISTORY_OPEN,			/* it is, at the log's end */
	HISTORY_REPLACED,
	HISTORY_STOPPED,		/* the gateway stopped in order */
	HISTORY_BROKEN,			/* it did not; until_ms: last seen */
};

struct history_version {
	unsigned number;		/* 1, 2, ... */
	uint64_t seq;			/* of the record */
	int64_t from_ms, until_ms;
	enum history_end end;
	/* "start", "reload", "restored"; "": an older log, without such
	 * records, where each text took effect by itself. */
	const char *cause;
	const char *by;			/* who asked for it; NULL */
	const char *config;		/* hashes, hex; "": not said */
	const char *policy;
	const char *directory;
	const char *addresses;		/* NULL: none, or not said */
	bool stores_said;		/* else: all that were recorded */
	const struct history_store *stores;
	size_t n_stores;
};

struct history {
	const char *dir;
	char gateway[NOTE_NAME_MAX];
	struct note_key key;		/* that signed it */
	int64_t first_ms, last_ms;
	const struct history_version *versions;
	size_t n;
};

/*
 * key NULL: the one that the log itself names, which tells only that the log
 * is whole. 0, or an error with a sentence in *w.
 */
int history_read(const char *dir, const struct note_key *key,
    struct history **ret, struct why *w);
void history_free(struct history *h);

/* The one that decided at a time. ERR_MISSING with a sentence in *w: none did,
 * or the log does not reach that far. */
int history_at(const struct history *h, int64_t at_ms,
    const struct history_version **ret, struct why *w);
/* By its number, or by how one of its hashes begins: the latest of equals.
 * ERR_MISSING or ERR_CONFLICT with a sentence in *w. */
int history_find(const struct history *h, const char *name,
    const struct history_version **ret, struct why *w);

#endif

/*
 * gateway/version.h - what decides now, and what decided before.
 *
 * A version is one whole configuration: policy, directory, catalogs, stores,
 * logins. One is in force; a session keeps a reference to the one that it was
 * decided by. What nobody refers to any more is freed by whoever calls
 * versions_sweep, since a large directory takes its time.
 *
 * Invariant: a record that a version decides is given its place in the log
 * under versions_enter, and only while that version is in force. A version
 * comes into force under the same lock as its own records get theirs. So
 * what stands in the log behind a version's records was decided by it.
 */
#ifndef GATEWAY_VERSION_H
#define GATEWAY_VERSION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "crypto/scram.h"
#include "gateway/link.h"

struct parcel;
struct config;
struct config_login;
struct config_store;
struct grants;

struct kept_password {
	struct kept_password *next;
	const struct config_login *login;
	struct scram_salted salted;
};

struct version {
	unsigned refs;			/* under versions.lock */
	struct version *next;		/* of the dead */
	const struct config *config;
	struct config *owned;		/* the same, or NULL: the caller's */
	struct link_way *ways;		/* to config->stores */
	struct kept_password **kept;	/* a list for each worker */
	unsigned n_kept;
	uint64_t number;		/* 1, 2, ...: in the order of force */
	/* When a rule or a fact turns next. One thread moves it on, so it may
	 * lie in the past for a moment. */
	atomic_int_fast64_t turns_ms;
	/* The approvals there are; NULL: none. A step of one makes a version
	 * that has all else of another, its base, with a reference. */
	struct grants *grants;
	struct version *base;
};

struct versions {
	pthread_mutex_t lock;
	pthread_rwlock_t order;		/* of records and of coming into force */
	struct version *current;	/* NULL: none may decide now */
	struct version *dead;
	atomic_uint_fast64_t number;	/* of current; 0: none */
	uint64_t latest;
};

/* Takes over `owned` (may be NULL) on success. Looks up the stores' hosts: in
 * the parcel, or (NULL) wherever the system does. */
int version_new(const struct config *c, struct config *owned,
    const struct parcel *b, unsigned workers, struct version **ret);
void version_free(struct version *v);
/* The same with other approvals, which it takes over on success. */
int version_with(struct versions *vs, struct version *of, struct grants *g,
    struct version **ret);
/* Moves on when it turns next. */
void version_turn(struct version *v, int64_t now_ms);
/* Borrows from the version. */
const struct link_way *version_way(const struct version *v,
    const struct config_store *s);
/* The first instant after at_ms at which it may decide otherwise. */
int64_t version_turns_after(const struct version *v, int64_t at_ms);
/* Notes in a parcel where each store's host is. 0 or ERR_MEMORY. */
int version_note_addresses(const struct config *c, struct parcel *b);

int versions_init(struct versions *vs);
/* The one in force, with a reference; NULL: none. */
struct version *versions_get(struct versions *vs);
struct version *version_ref(struct versions *vs, struct version *v);
void version_unref(struct versions *vs, struct version *v);
/* Frees the dead; returns how many. */
unsigned versions_sweep(struct versions *vs);

/* Between them the version in force stays; true if it is of that number (0:
 * whichever). */
bool versions_enter(struct versions *vs, uint64_t number);
void versions_leave(struct versions *vs);
/* Between them the caller alone places records and may call versions_set. */
void versions_lock(struct versions *vs);
void versions_unlock(struct versions *vs);
/* Puts one in force, taking over a reference; NULL: none. The reference of
 * the one before goes to the caller. */
struct version *versions_set(struct versions *vs, struct version *v);

#endif

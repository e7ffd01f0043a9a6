/*
 * witness/witness.h - a witness: cosigns what only ever grows.
 *
 * For each log it knows one thing, the newest checkpoint that it has
 * cosigned, and it cosigns no tree that is not a continuation of that. What
 * it knows is durable before it answers. Format: c2sp.org/tlog-witness.
 * Files in the state directory: <SHA-256 of the origin>, a signed
 * checkpoint each, and `lock`.
 */
#ifndef WITNESS_WITNESS_H
#define WITNESS_WITNESS_H

#include <stddef.h>
#include <stdint.h>

#include "log/note.h"

struct arena;
struct buf;
struct disk;
struct why;

struct witness_log {
	const char *origin;
	const struct note_key *keys;
	size_t n_keys;
};

struct witness_conf {
	const char *key_file;
	const char *key_secret;		/* key/secret.h; NULL: none said */
	const char *state_dir;
	const char *listen;
	const char *prefix;		/* "" or "/..." */
	const struct witness_log *logs;
	size_t n_logs;
};

/* Memory: the arena's. *w says where and why. */
int witness_conf_read(struct arena *a, const char *text, size_t len,
    struct witness_conf *ret, struct why *w);

/* A log's key as a witness's, of type 0x04. */
int witness_key(const struct note_key *key, struct note_key *ret);

struct witness;

/* conf, disk and by are borrowed; its key is of type 0x04. Reads what it knows; anything that
 * is not as it was left is an error. */
int witness_open(const struct witness_conf *conf, const struct disk *disk,
    const struct note_signer *by, struct witness **ret, struct why *w);
void witness_free(struct witness *x);

/* One request: the HTTP status, and the answer's body and type. 500: ask
 * again; 503: it is not known what is durable, the process must end. */
unsigned witness_ask(struct witness *x, const char *body, size_t len,
    uint64_t now_s, struct buf *out, const char **ret_type);

/* Until SIGTERM. 0, or ERR_IO, or ERR_STATE after a 503. */
int witness_run(struct witness *x, const char *prefix, int fd);

#endif

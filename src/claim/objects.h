/*
 * claim/objects.h - the policies, catalogs and directories that the log
 * names by their hash, read when they are needed.
 *
 * Memory: heap; what it returns lives until two others of its kind were asked
 * for. As many are kept as OBJECTS_KEPT_LEN bytes of text allow.
 * Limits: OBJECTS_MAX objects; bytes of a directory and of another text as
 * in record/record.h.
 */
#ifndef CLAIM_OBJECTS_H
#define CLAIM_OBJECTS_H

#include <stddef.h>
#include <stdint.h>

#include "record/record.h"

#define OBJECTS_MAX 65536
#define OBJECTS_KEPT_LEN ((size_t)128 << 20)	/* texts of those kept read */
#define OBJECT_LEN_MAX RECORD_OBJECT_MAX

struct buf;
struct catalog;
struct directory;
struct objects;
struct policy;

/* Appends the object of that hash (64 hex digits) to out. 0, ERR_MISSING,
 * ERR_IO, ... The bytes need not be checked: objects.c does. */
typedef int objects_read_fn(void *arg, const char *sha256, struct buf *out);

struct objects *objects_new(objects_read_fn *read, void *arg);
void objects_free(struct objects *o);

/*
 * The first instant after at_ms at which a rule or a fact of the two turns;
 * INT64_MAX: none does, or they cannot be read.
 */
int64_t objects_changes_at(struct objects *o, const char *policy,
    const char *directory, int64_t at_ms);

/* 0, or an error with *why a sentence that names the object. ERR_MEMORY is
 * the caller's trouble, not the log's. */
int objects_policy(struct objects *o, const char *sha256,
    const struct policy **ret, const char **why);
int objects_catalog(struct objects *o, const char *sha256,
    const struct catalog **ret, const char **why);
int objects_directory(struct objects *o, const char *sha256,
    const struct directory **ret, const char **why);

#endif

/*
 * verify/manifest.h - the list of files of an evidence bundle.
 *
 * Pure. Format: lines as sha256sum(1) writes them, behind a first line that
 * it takes for a comment; paths are of the kinds below and no other, so that
 * a manifest can name nothing outside its folder. docs/verify.md.
 */
#ifndef VERIFY_MANIFEST_H
#define VERIFY_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "record/record.h"
#include "verify/options.h"

#define MANIFEST_NAME "MANIFEST"
#define MANIFEST_MAX ((size_t)64 << 20)
#define MANIFEST_PATH_MAX 96

struct arena;
struct buf;

enum manifest_kind {
	MANIFEST_CLAIM,			/* claim.yaml */
	MANIFEST_ROTATIONS,		/* logs/1/rotations, if it has any */
	MANIFEST_CHECKPOINT,		/* logs/1/checkpoint */
	MANIFEST_ENTRY,			/* logs/1/57.json */
	MANIFEST_PROOF,			/* logs/1/57.tlog-proof */
	MANIFEST_OBJECT,		/* objects/<sha256> */
};

struct manifest_file {
	enum manifest_kind kind;
	unsigned log;			/* 1 .. OPTIONS_MAX */
	uint64_t seq;			/* of entry or proof */
	char sha256[RECORD_HASH_HEX + 1];
	char path[MANIFEST_PATH_MAX];
};

/* The path that a file of that kind has; objects have theirs by sha256. */
int manifest_path(struct manifest_file *f);

void manifest_begin(struct buf *out);
void manifest_add(struct buf *out, const struct manifest_file *f);

/*
 * The files in the order of the manifest: the claim; then of each log, in
 * order, rotations if it has any, the checkpoint, and entries with their proofs by rising number;
 * then objects. 0, ERR_FORMAT with *w filled, or ERR_MEMORY.
 */
int manifest_read(const char *text, size_t len, struct arena *a,
    struct manifest_file **ret, size_t *ret_n, struct why *w);

#endif

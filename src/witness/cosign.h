/*
 * witness/cosign.h - has a log's checkpoint cosigned by witnesses.
 *
 * Writes <dir>/checkpoint.cosigned: a checkpoint as the log signed it, with
 * cosignature lines. It lags behind `checkpoint`, which stays the log
 * process's; nothing waits for it.
 */
#ifndef WITNESS_COSIGN_H
#define WITNESS_COSIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "log/note.h"
#include "log/quorum.h"

#define COSIGN_FILE "checkpoint.cosigned"
#define COSIGN_MAX QUORUM_MAX		/* witnesses */

struct cosign_witness {
	const char *url;		/* its prefix; NULL: nowhere to ask */
	struct note_key key;		/* type 0x04 */
	int result;			/* 0: it has cosigned */
	struct why why;			/* else */
};

struct cosign_result {
	uint64_t size;			/* of the checkpoint */
	size_t good;			/* witnesses that cosigned it now */
	bool kept;			/* an older file with more stays */
};

/*
 * The quorum file of those who ask witnesses: each has a URL, and some are
 * demanded. 0, or *w has the sentence.
 */
int quorum_load(const char *path, struct quorum **ret, struct why *w);

/*
 * Asks each. 0 however many cosigned; else the log's own files are at fault,
 * and *w says how.
 */
int cosign_run(const char *dir, struct cosign_witness *ws, size_t n,
    struct cosign_result *ret, struct why *w);

#endif

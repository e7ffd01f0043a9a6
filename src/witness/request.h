/*
 * witness/request.h - what a log asks of a witness: add-checkpoint.
 *
 * Format: c2sp.org/tlog-witness.
 *
 *	old <size>\n
 *	<base64 hash>\n		0 to 63 of them: the consistency proof
 *	\n
 *	<signed checkpoint>
 *
 * Pure. Memory: the note points into the input.
 */
#ifndef WITNESS_REQUEST_H
#define WITNESS_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "log/merkle.h"
#include "log/note.h"

#define REQUEST_PROOF_MAX 63
#define REQUEST_MAX (NOTE_MAX + (REQUEST_PROOF_MAX + 1) * 64)
#define REQUEST_PATH "add-checkpoint"
#define REQUEST_SIZE_TYPE "text/x.tlog.size"	/* of a 409's body */

struct buf;

struct request {
	uint64_t old;
	struct merkle_hash proof[REQUEST_PROOF_MAX];
	size_t n;
	const char *note;
	size_t note_len;
};

int request_read(const char *body, size_t len, struct request *ret);
void request_write(const struct request *q, struct buf *out);

#endif

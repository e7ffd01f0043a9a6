/*
 * log/rotation.h - how a log's signing key is followed by the next.
 *
 * A rotation is a signed note with two signatures, by the old key and by the
 * new one, both of type 0x01 and of the log's name. Its text:
 *
 *	sworn log key rotation v1
 *	<origin>
 *	<seq>			index of the record that holds this note
 *	<old verifier key>
 *	<new verifier key>
 *
 * The tree of seq entries and every smaller one is signed by the old key,
 * every larger one by the new. The notes of a log, in their order, each
 * followed by an empty line, are the file `rotations` beside its checkpoint,
 * so that a reader who knows one of the keys can check a checkpoint before
 * it has read an entry. Pure.
 */
#ifndef LOG_ROTATION_H
#define LOG_ROTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log/note.h"

#define ROTATIONS_MAX 64		/* of one log */
#define ROTATIONS_FILE "rotations"
#define ROTATION_NOTE_MAX 2048
#define ROTATIONS_FILE_MAX ((size_t)ROTATIONS_MAX * (ROTATION_NOTE_MAX + 1))

struct buf;
struct note_signer;

struct rotation {
	struct note_key from, to;
	uint64_t seq;
};

/* Appends the note. ERR_FORMAT: not two keys of one name. */
int rotation_write(const struct note_signer *from,
    const struct note_signer *to, uint64_t seq, struct buf *out);

/* One note. 0: it is a rotation, and both keys have signed it; ERR_CRYPTO:
 * one has not; ERR_FORMAT. */
int rotation_read(const char *note, size_t len, struct rotation *ret);

/* The keys of a log: keys[i] until entry seq[i], keys[i + 1] behind it. */
struct rotations {
	size_t n;			/* 0: none; then keys is empty */
	struct note_key keys[ROTATIONS_MAX + 1];
	uint64_t seq[ROTATIONS_MAX];
};

/*
 * The file. Each begins with the key that the one before it ended with, of
 * one name, seq rises, and no key comes twice. Errors as rotation_read, and
 * ERR_LIMIT; then *ret is empty.
 */
int rotations_read(const char *text, size_t len, struct rotations *ret);
/* Appends one. ERR_CONFLICT: it does not follow; ERR_LIMIT. */
int rotations_add(struct rotations *s, const struct rotation *r);

/* Leaves out those whose record is not in a tree of that size. */
void rotations_cut(struct rotations *s, uint64_t size);
/* The key that signs a tree of that size. NULL if n is 0. */
const struct note_key *rotations_key(const struct rotations *s,
    uint64_t size);
bool rotations_has(const struct rotations *s, const struct note_key *key);
/* Whether `all` begins with the whole of `part`. */
bool rotations_begin(const struct rotations *all,
    const struct rotations *part);
bool note_key_same(const struct note_key *a, const struct note_key *b);

#endif

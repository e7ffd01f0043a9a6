/*
 * logdir/logkeys.h - which key of a log signs which of its trees.
 *
 * The caller brings keys that it trusts. A log whose key was changed has a
 * file of rotations, each signed by both keys, which leads from a key that
 * is trusted to the others. What it leads to counts only where the rotation
 * says so: the old key up to its record, the new one behind it.
 */
#ifndef LOGDIR_LOGKEYS_H
#define LOGDIR_LOGKEYS_H

#include <stddef.h>

#include "log/note.h"
#include "log/rotation.h"

struct buf;

/*
 * Of the file's text. 0: *ret has the log's keys, or is empty if none of
 * those given is among them. ERR_CRYPTO, ERR_FORMAT, ERR_CONFLICT: it is no
 * chain of keys.
 */
int logkeys_take(const struct buf *text, const struct note_key *keys,
    size_t n, struct rotations *ret);

/* The same of the file in a folder; none is an empty chain. */
int logkeys_read(const char *dir, const struct note_key *keys, size_t n,
    struct rotations *ret);

/*
 * Which key signed a note, and what. ERR_MISSING: none that counts;
 * ERR_CONFLICT: one that does not sign a tree of that size; ERR_CRYPTO: one
 * did badly; ERR_FORMAT. In words: "is not signed by ...".
 */
int logkeys_note(const struct buf *note, const struct rotations *chain,
    const struct note_key *keys, size_t n, const struct note_key **ret_key,
    struct checkpoint *ret);
const char *logkeys_words(int r);

#endif

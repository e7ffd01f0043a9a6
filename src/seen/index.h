/*
 * seen/index.h - who saw whose data: an index of one log, in SQLite.
 *
 * Made from the log's entries and from nothing else, so it may be thrown away
 * at any time. It has the log's Merkle edge up to where it has come; what is
 * added must lead to the root that the log's checkpoint has, so an index of
 * other entries is found out. What it answers is no proof: the entries are.
 * One process at a time.
 * Memory: heap; bounded by SQLite's cache.
 */
#ifndef SEEN_INDEX_H
#define SEEN_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "log/note.h"

struct seen_index;

#define SEEN_NAME_MAX 256

struct seen_state {
	char gateway[SEEN_NAME_MAX];	/* "" before the first entry */
	char origin[NOTE_NAME_MAX];
	uint64_t size;			/* entries that are in it */
	int64_t first_ms, last_ms;	/* of them */
	uint64_t strange;	/* of sessions that do not begin in the log */
};

/*
 * Opens the index in a folder, which is made if need be; anew: what it holds
 * is thrown away first. 0; ERR_STATE: another process has it; ERR_FORMAT: it
 * is of no known kind or damaged; ERR_IO. *w has a sentence.
 */
int seen_open(const char *dir, bool anew, struct seen_index **ret,
    struct why *w);
void seen_close(struct seen_index *x);	/* NULL is fine */

const struct seen_state *seen_state(const struct seen_index *x);

/*
 * Adds what the log has behind it, checked: the checkpoint by the key, all
 * entries by the checkpoint. ERR_CRYPTO: the log or the index is not what it
 * was; ERR_CONFLICT: the index is of another log or has more than it;
 * ERR_FORMAT: an entry is no record. An index that took entries which the
 * checkpoint does not bear out opens no more, but anew.
 */
int seen_update(struct seen_index *x, const char *log_dir,
    const struct note_key *key, struct why *w);

#endif

/*
 * store/journal.h - entries that are durable and not yet in tiles.
 *
 * Files journal.<generation> in a directory; the format is in the .c. A
 * batch of entries is there as a whole or not at all, and counts once
 * journal_append has returned 0. Opening reads what is there, writes what
 * is still needed into a new generation, and removes the old ones: pages
 * that a failed fsync left in memory are never taken for durable.
 * One owner, one thread.
 * Limits: JOURNAL_BATCH_MAX bytes a batch; a generation is followed by the
 * next one at JOURNAL_FILE_MAX bytes.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "log/merkle.h"

#define JOURNAL_BATCH_MAX ((size_t)8 << 20)
#define JOURNAL_FILE_MAX ((size_t)16 << 20)
#define JOURNAL_FRAME_LEN (4 + HASH_LEN)	/* before each entry */

struct disk;
struct journal;

struct journal_entry {
	struct bytes data;
	struct merkle_hash leaf;
};

/* Gets each entry from `first` on, in order; e is valid for the call only. */
typedef int journal_entry_fn(void *arg, uint64_t index,
    const struct journal_entry *e);

/*
 * first: the entries before it are safe elsewhere. ERR_CONFLICT: the
 * journal does not continue there; ERR_FORMAT: damaged. *w names the file,
 * the offset and what to do. disk and dir stay the caller's.
 */
int journal_open(const struct disk *disk, int dir, uint64_t first,
    journal_entry_fn *each, void *arg, struct journal **ret, struct why *w);
void journal_free(struct journal *j);

/* Index of the next entry. */
uint64_t journal_next(const struct journal *j);

/*
 * 0: durable, all n of them. ERR_IO (errno has it) or ERR_LIMIT: none of
 * them is or will be in the journal; later appends may work. ERR_STATE: not
 * known, and the journal takes no more; end the process and open anew.
 */
int journal_append(struct journal *j, const struct journal_entry *e,
    size_t n);

/* Entries before `first` are safe elsewhere: old generations may go. */
void journal_drop(struct journal *j, uint64_t first);

#endif

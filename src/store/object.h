/*
 * store/object.h - content that records name by its hash.
 *
 * objects/<SHA-256 in hex> beside the log: policies, catalogs, directories.
 * Written in pieces, so that a large directory is in memory nowhere here, and
 * synced in pieces, so that whoever writes is never held up for long.
 * Memory: a few hundred bytes a writer.
 * Limits: OBJECT_MAX bytes.
 */
#ifndef STORE_OBJECT_H
#define STORE_OBJECT_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/hash.h"
#include "record/record.h"

#define OBJECT_MAX RECORD_OBJECT_MAX

struct disk;
struct object_writer;

/*
 * Begins the object of that hash; d and log_dir are borrowed. One that is
 * there already and whole is left alone: then what is written is only
 * counted. Whoever opens also closes or aborts.
 */
int object_open(const struct disk *d, int log_dir,
    const uint8_t hash[static HASH_LEN], struct object_writer **ret);
/* ERR_IO: try again later; ERR_LIMIT: over OBJECT_MAX. Then abort it. */
int object_write(struct object_writer *w, const void *data, size_t len);
/*
 * Frees the writer. 0: durable, with its name in ret_hex. ERR_CRYPTO: these
 * are not the bytes of that hash; ERR_IO: try again later; ERR_STATE: not
 * known whether durable, ask again.
 */
int object_close(struct object_writer *w, char ret_hex[static 65]);
void object_abort(struct object_writer *w);	/* NULL is fine */

/* All of it at once, by its own hash. Errors as above. */
int object_store(const struct disk *d, int log_dir, const void *data,
    size_t len, char ret_hex[static 65]);

#endif

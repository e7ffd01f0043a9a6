/*
 * store/object.h - content that records name by its hash.
 *
 * objects/<SHA-256 in hex> beside the log: policies, catalogs, directories.
 */
#ifndef STORE_OBJECT_H
#define STORE_OBJECT_H

#include <stddef.h>

#define OBJECT_MAX ((size_t)16 << 20)

struct disk;

/*
 * Durable on return, with its name in ret_hex. Content that is there already
 * and whole is left alone. ERR_IO: try again later; ERR_LIMIT: over
 * OBJECT_MAX; ERR_STATE: not known whether durable, ask again.
 */
int object_store(const struct disk *d, int log_dir, const void *data,
    size_t len, char ret_hex[static 65]);

#endif

/*
 * verify/file.h - reading files that a stranger has written.
 *
 * Regular files only: a pipe or device in their place neither blocks nor
 * feeds us for ever.
 */
#ifndef VERIFY_FILE_H
#define VERIFY_FILE_H

#include <stddef.h>

struct buf;

/*
 * Appends a file of at most max bytes. 0, ERR_MISSING (no such file),
 * ERR_LIMIT, ERR_IO (errno says why) or ERR_MEMORY.
 */
int file_read(const char *path, size_t max, struct buf *out);

/* Reads in pieces, for files that may be large. Not 0 from fn stops. */
int file_each(const char *path,
    int (*fn)(void *arg, const void *data, size_t len), void *arg);

#endif

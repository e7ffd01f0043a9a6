/*
 * logdir/logfile.h - reading files that a stranger has written.
 *
 * Regular files only: a pipe or device in their place neither blocks nor
 * feeds us for ever.
 */
#ifndef LOGDIR_LOGFILE_H
#define LOGDIR_LOGFILE_H

#include <stddef.h>

struct buf;

/*
 * Appends a file of at most max bytes. 0, ERR_MISSING (no such file),
 * ERR_LIMIT, ERR_IO (errno says why) or ERR_MEMORY.
 */
int logfile_read(const char *path, size_t max, struct buf *out);

/* Reads in pieces, for files that may be large. Not 0 from fn stops. */
int logfile_each(const char *path,
    int (*fn)(void *arg, const void *data, size_t len), void *arg);

#endif

/*
 * gateway/file.h - whole small files: configuration, secrets.
 */
#ifndef GATEWAY_FILE_H
#define GATEWAY_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct stat;

/* Appends the file to b. ERR_IO (errno), ERR_LIMIT (b->max), ERR_MEMORY. */
int file_read(const char *path, struct buf *b);
/* Whether group or others have any right on it. */
bool file_is_open_to_others(const char *path);
/*
 * Replaces a file as a whole: temporary file beside it, mode 0600, fsync,
 * rename, fsync of the folder. ERR_IO (errno); the old file is then as it was.
 */
int file_replace(const char *path, const void *data, size_t len);
/* The same, but with the mode and owner of `like`, if that is not NULL. */
int file_replace_as(const char *path, const void *data, size_t len,
    const struct stat *like);

#endif

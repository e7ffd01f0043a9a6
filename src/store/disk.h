/*
 * store/disk.h - the calls that change a disk, and files made of them.
 *
 * All of store/'s changes go through a table of calls, so that a test can
 * fail the first, the second, the third ... of them.
 * Two kinds of failure matter here: ERR_IO, after which the file system is
 * as before (the caller may try again later), and ERR_STATE, after which
 * nobody knows what is durable (the process must end, and start from what it
 * finds). A failed fsync of something that already counts is of the second
 * kind: a retry that succeeds proves nothing.
 */
#ifndef STORE_DISK_H
#define STORE_DISK_H

#include <sys/types.h>

#include <stddef.h>

struct buf;

/* As the system calls: -1 and errno on failure. */
struct disk {
	int (*open)(void *arg, int dir, const char *path, int flags,
	    mode_t mode);
	ssize_t (*write)(void *arg, int fd, const void *data, size_t len);
	int (*sync)(void *arg, int fd);
	int (*truncate)(void *arg, int fd, off_t len);
	int (*rename)(void *arg, int from_dir, const char *from, int to_dir,
	    const char *to);
	int (*unlink)(void *arg, int dir, const char *path, int flags);
	int (*mkdir)(void *arg, int dir, const char *path, mode_t mode);
	void *arg;
};

extern const struct disk disk_real;

/* Appends a file's bytes. 0, ERR_MISSING, ERR_LIMIT (longer than max),
 * ERR_MEMORY or ERR_IO. */
int disk_read(int dir, const char *path, size_t max, struct buf *out);

/* All of data, or ERR_IO with any part of it written. */
int disk_write(const struct disk *d, int fd, const void *data, size_t len);
/* A new file, durable but for its name. On ERR_IO it is gone again. */
int disk_create(const struct disk *d, int dir, const char *path,
    const void *data, size_t len);
/* Replaces a file at once, by way of <path>.tmp. ERR_IO: it is as it was;
 * ERR_STATE: it may be the new or the old one. */
int disk_replace(const struct disk *d, int dir, const char *path,
    const void *data, size_t len);
/* Makes the names in a directory durable; "." is dir itself. 0, ERR_STATE. */
int disk_sync_dir(const struct disk *d, int dir, const char *path);
/* Makes the directories that lead to path. 0 or ERR_IO. */
int disk_parents(const struct disk *d, int dir, const char *path);

#endif

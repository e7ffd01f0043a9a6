/*
 * tests/store/fault.h - a disk whose n-th call fails.
 *
 * Counts every changing call; call number `fail_at` (from 1) fails with
 * `error`. With `for_good` all later ones fail too, as on a full disk or
 * after a pulled plug. A write that fails first writes half of its bytes.
 */
#ifndef TESTS_STORE_FAULT_H
#define TESTS_STORE_FAULT_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/disk.h"

struct fault {
	unsigned calls;
	unsigned fail_at;	/* 0: never */
	int error;
	bool for_good;
	bool failed;		/* it came to that */
	bool was_sync;		/* and it was a sync that failed */
};

/* A folder of its own; in memory where there is such a place, since these
 * tests open and sync some ten thousand times. */
static inline char *
fault_folder(char *ret, size_t cap, const char *name)
{
	(void)snprintf(ret, cap, "%s/sworn-%s-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", name);
	return mkdtemp(ret);
}

static bool
fault_now(struct fault *f)
{
	f->calls++;
	if (f->fail_at == 0 || f->calls < f->fail_at ||
	    (f->calls > f->fail_at && !f->for_good))
		return false;
	f->failed = true;
	errno = f->error;
	return true;
}

static int
fault_open(void *arg, int dir, const char *path, int flags, mode_t mode)
{
	if (fault_now(arg))
		return -1;
	return disk_real.open(NULL, dir, path, flags, mode);
}

static ssize_t
fault_write(void *arg, int fd, const void *data, size_t len)
{
	if (fault_now(arg)) {
		if (disk_real.write(NULL, fd, data, len / 2) < 0)
			return -1;
		errno = ((struct fault *)arg)->error;
		return -1;
	}
	return disk_real.write(NULL, fd, data, len);
}

static int
fault_sync(void *arg, int fd)
{
	struct fault *f = arg;
	bool before = f->failed;

	if (fault_now(f)) {
		f->was_sync = f->was_sync || !before;
		return -1;
	}
	return disk_real.sync(NULL, fd);
}

static int
fault_truncate(void *arg, int fd, off_t len)
{
	return fault_now(arg) ? -1 : disk_real.truncate(NULL, fd, len);
}

static int
fault_rename(void *arg, int from_dir, const char *from, int to_dir,
    const char *to)
{
	return fault_now(arg) ? -1 : disk_real.rename(NULL, from_dir, from,
	    to_dir, to);
}

static int
fault_unlink(void *arg, int dir, const char *path, int flags)
{
	return fault_now(arg) ? -1 : disk_real.unlink(NULL, dir, path, flags);
}

static int
fault_mkdir(void *arg, int dir, const char *path, mode_t mode)
{
	return fault_now(arg) ? -1 : disk_real.mkdir(NULL, dir, path, mode);
}

static inline struct disk
fault_disk(struct fault *f)
{
	struct disk d = {
		fault_open, fault_write, fault_sync, fault_truncate,
		fault_rename, fault_unlink, fault_mkdir, f,
	};

	return d;
}

#endif

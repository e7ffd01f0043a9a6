#include "store/disk.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"

#define READ_CHUNK ((size_t)1 << 16)

static int
real_open(void *arg, int dir, const char *path, int flags, mode_t mode)
{
	(void)arg;
	return openat(dir, path, flags | O_CLOEXEC, mode);
}

static ssize_t
real_write(void *arg, int fd, const void *data, size_t len)
{
	(void)arg;
	return write(fd, data, len);
}

/* fdatasync also writes the length, which is all the metadata we need. */
static int
real_sync(void *arg, int fd)
{
	(void)arg;
	return fdatasync(fd);
}

static int
real_truncate(void *arg, int fd, off_t len)
{
	(void)arg;
	return ftruncate(fd, len);
}

static int
real_rename(void *arg, int from_dir, const char *from, int to_dir,
    const char *to)
{
	(void)arg;
	return renameat(from_dir, from, to_dir, to);
}

static int
real_unlink(void *arg, int dir, const char *path, int flags)
{
	(void)arg;
	return unlinkat(dir, path, flags);
}

static int
real_mkdir(void *arg, int dir, const char *path, mode_t mode)
{
	(void)arg;
	return mkdirat(dir, path, mode);
}

const struct disk disk_real = {
	real_open, real_write, real_sync, real_truncate, real_rename,
	real_unlink, real_mkdir, NULL,
};

int
disk_read(int dir, const char *path, size_t max, struct buf *out)
{
	size_t got = 0;
	uint8_t *p;
	ssize_t n;
	int fd, r = 0;

	if ((fd = openat(dir, path, O_RDONLY | O_CLOEXEC)) < 0)
		return errno == ENOENT || errno == ENOTDIR ? ERR_MISSING :
		    ERR_IO;
	for (;;) {
		if ((p = buf_reserve(out, READ_CHUNK)) == NULL) {
			r = ERR_MEMORY;
			break;
		}
		n = read(fd, p, READ_CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r = ERR_IO;
		if (n <= 0)
			break;
		got += (size_t)n;
		if (got > max) {
			r = ERR_LIMIT;
			break;
		}
		out->len += (size_t)n;
	}
	(void)close(fd);		/* only read from */
	return r;
}

int
disk_write(const struct disk *d, int fd, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len > 0) {
		n = d->write(d->arg, fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_IO;
		if (n == 0) {
			errno = ENOSPC;
			return ERR_IO;
		}
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
disk_create(const struct disk *d, int dir, const char *path,
    const void *data, size_t len)
{
	int fd, r, saved;

	fd = d->open(d->arg, dir, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0)
		return ERR_IO;
	r = disk_write(d, fd, data, len);
	if (r == 0 && d->sync(d->arg, fd) != 0)
		r = ERR_IO;
	saved = errno;
	(void)close(fd);		/* synced, or about to be removed */
	if (r != 0)
		(void)d->unlink(d->arg, dir, path, 0);	/* best effort */
	errno = saved;
	return r;
}

int
disk_replace(const struct disk *d, int dir, const char *path,
    const void *data, size_t len)
{
	char tmp[PATH_MAX], parent[PATH_MAX];
	const char *slash;
	int n, r, saved;

	n = snprintf(tmp, sizeof(tmp), "%s.tmp", path);
	if (n < 0 || (size_t)n >= sizeof(tmp))
		return ERR_LIMIT;
	if ((r = disk_create(d, dir, tmp, data, len)) != 0)
		return r;
	if (d->rename(d->arg, dir, tmp, dir, path) != 0) {
		saved = errno;
		(void)d->unlink(d->arg, dir, tmp, 0);	/* best effort */
		errno = saved;
		return ERR_IO;
	}
	slash = strrchr(path, '/');
	n = snprintf(parent, sizeof(parent), "%.*s",
	    slash != NULL ? (int)(slash - path) : 1, slash != NULL ? path : ".");
	if (n < 0 || (size_t)n >= sizeof(parent))
		return ERR_STATE;
	return disk_sync_dir(d, dir, parent);
}

int
disk_sync_dir(const struct disk *d, int dir, const char *path)
{
	int fd, r = 0, saved;

	fd = d->open(d->arg, dir, path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return ERR_STATE;
	if (d->sync(d->arg, fd) != 0)
		r = ERR_STATE;
	saved = errno;
	(void)close(fd);		/* a directory, only read */
	errno = saved;
	return r;
}

int
disk_parents(const struct disk *d, int dir, const char *path)
{
	char part[PATH_MAX];
	size_t i, len = strlen(path);

	if (len >= sizeof(part))
		return ERR_LIMIT;
	for (i = 0; i < len; i++) {
		part[i] = path[i];
		if (i == 0 || path[i] != '/')
			continue;
		part[i] = '\0';
		if (d->mkdir(d->arg, dir, part, 0755) != 0 && errno != EEXIST)
			return ERR_IO;
		part[i] = '/';
	}
	return 0;
}

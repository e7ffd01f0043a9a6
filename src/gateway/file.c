#include "gateway/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"

#define FILE_CHUNK 65536

int
file_read(const char *path, struct buf *b)
{
	size_t max = b->max != 0 ? b->max : BUF_MAX_DEFAULT, room;
	int fd, r = 0, saved;
	uint8_t *p, past;
	ssize_t n;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return ERR_IO;
	for (;;) {
		room = max - b->len < FILE_CHUNK ? max - b->len : FILE_CHUNK;
		if ((p = buf_reserve(b, room)) == NULL) {
			r = ERR_MEMORY;
			break;
		}
		/* With no room left, one byte more is one too many. */
		n = room > 0 ? read(fd, p, room) : read(fd, &past, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r = ERR_IO;
		if (n > 0 && room == 0)
			r = ERR_LIMIT;
		if (n <= 0 || r != 0)
			break;
		b->len += (size_t)n;
	}
	saved = errno;
	(void)close(fd); /* read only: nothing to lose */
	errno = saved;
	return r;
}

bool
file_is_open_to_others(const char *path)
{
	struct stat st;

	return stat(path, &st) != 0 || (st.st_mode & 077) != 0;
}

static int
write_all(int fd, const uint8_t *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ERR_IO;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash != NULL ? strndup(path, (size_t)(slash - path) + 1) :
	    strdup(".");
	int fd, r = 0;

	if (dir == NULL)
		return ERR_MEMORY;
	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 ||
	    fsync(fd) != 0)
		r = ERR_IO;
	if (fd >= 0)
		(void)close(fd); /* synced or failed already */
	free(dir);
	return r;
}

static int
make_like(int fd, const struct stat *like)
{
	struct stat now;

	if (like == NULL)
		return 0;
	if (fstat(fd, &now) != 0)
		return ERR_IO;
	if ((now.st_uid != like->st_uid || now.st_gid != like->st_gid) &&
	    fchown(fd, like->st_uid, like->st_gid) != 0)
		return ERR_IO;
	return fchmod(fd, like->st_mode & 07777) == 0 ? 0 : ERR_IO;
}

int
file_replace(const char *path, const void *data, size_t len)
{
	return file_replace_as(path, data, len, NULL);
}

int
file_replace_as(const char *path, const void *data, size_t len,
    const struct stat *like)
{
	size_t cap = strlen(path) + 16;
	char *temp = malloc(cap);
	int fd = -1, r = ERR_IO, saved;

	if (temp == NULL)
		return ERR_MEMORY;
	(void)snprintf(temp, cap, "%s.XXXXXX", path); /* fits by cap */
	if ((fd = mkostemp(temp, O_CLOEXEC)) < 0)
		goto out;
	if (make_like(fd, like) != 0 || write_all(fd, data, len) != 0 ||
	    fsync(fd) != 0)
		goto out;
	if (rename(temp, path) != 0)
		goto out;
	r = sync_folder(path);
out:
	saved = errno;
	if (fd >= 0) {
		(void)close(fd); /* synced or failed already */
		if (r != 0)
			(void)unlink(temp); /* may be renamed already */
	}
	free(temp);
	errno = saved;
	return r;
}

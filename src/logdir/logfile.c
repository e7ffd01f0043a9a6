#include "logdir/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"

#define PIECE ((size_t)64 * 1024)

static int
file_open(const char *path, int *ret)
{
	struct stat st;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) < 0)
		return errno == ENOENT || errno == ENOTDIR ? ERR_MISSING :
		    ERR_IO;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		(void)close(fd);	/* nothing was written */
		errno = EINVAL;
		return ERR_IO;
	}
	*ret = fd;
	return 0;
}

static ssize_t
read_some(int fd, void *to, size_t len)
{
	ssize_t n;

	do {
		n = read(fd, to, len);
	} while (n < 0 && errno == EINTR);
	return n;
}

int
logfile_each(const char *path,
    int (*fn)(void *arg, const void *data, size_t len), void *arg)
{
	char piece[PIECE];
	ssize_t n;
	int fd, r;

	if ((r = file_open(path, &fd)) != 0)
		return r;
	while ((n = read_some(fd, piece, sizeof(piece))) > 0)
		if ((r = fn(arg, piece, (size_t)n)) != 0)
			break;
	if (n < 0)
		r = ERR_IO;
	(void)close(fd);		/* nothing was written */
	return r;
}

struct append {
	struct buf *out;
	size_t left;
};

static int
append(void *arg, const void *data, size_t len)
{
	struct append *a = arg;

	if (len > a->left)
		return ERR_LIMIT;
	a->left -= len;
	buf_bytes(a->out, data, len);
	return a->out->failed ? ERR_MEMORY : 0;
}

int
logfile_read(const char *path, size_t max, struct buf *out)
{
	struct append a = {out, max};
	struct stat st;

	/* Room at once, as far as the file has bytes now: a large one is not
	 * to be copied as it grows. Without it, it grows. */
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    (uint64_t)st.st_size <= max && buf_reserve(out,
	    (size_t)st.st_size + 1) == NULL)
		return ERR_MEMORY;
	return logfile_each(path, append, &a);
}

/*
 * The name is the content's hash, so storing twice is storing once, and a
 * file whose content is not its name is replaced: by way of <name>.tmp, which
 * is renamed once its bytes are known to be those of the name, and durable.
 */
#include "store/object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "store/disk.h"

#define PATH_LEN 80
#define PIECE ((size_t)32 << 10)
#define SYNC_EVERY ((size_t)8 << 20)

struct object_writer {
	const struct disk *d;
	int log_dir;
	uint8_t want[HASH_LEN];
	char path[PATH_LEN], tmp[PATH_LEN + 4];
	bool whole;			/* it is there already */
	int fd;				/* of tmp; -1: none */
	struct hash *hash;
	size_t len, unsynced;
};

static int
name_of(const uint8_t hash[static HASH_LEN], char ret[static 65])
{
	struct buf hex;
	int r = 0;

	buf_init(&hex, 0);
	text_hex(&hex, hash, HASH_LEN);
	if (buf_text(&hex) == NULL)
		r = ERR_MEMORY;
	else
		memcpy(ret, hex.data, 65);
	buf_done(&hex);
	return r;
}

/* Whether a file's bytes have that hash; in pieces. */
static bool
has_hash(int fd, const uint8_t want[static HASH_LEN])
{
	uint8_t piece[PIECE], got[HASH_LEN];
	struct hash *h = hash_new();
	ssize_t n = -1;
	bool same = false;

	while (h != NULL) {
		n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || hash_add(h, piece, (size_t)n) != 0)
			break;
	}
	if (n == 0 && hash_end(h, got) == 0)
		same = memcmp(got, want, HASH_LEN) == 0;
	hash_free(h);
	return same;
}

static bool
is_stored(int dir, const char *path, const uint8_t want[static HASH_LEN])
{
	struct stat st;
	bool same = false;
	int fd;

	fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (uint64_t)st.st_size <= OBJECT_MAX)
		same = has_hash(fd, want);
	(void)close(fd);		/* only read from */
	return same;
}

int
object_open(const struct disk *d, int log_dir,
    const uint8_t hash[static HASH_LEN], struct object_writer **ret)
{
	struct object_writer *w = calloc(1, sizeof(*w));
	char hex[65];
	int r;

	if (w == NULL)
		return ERR_MEMORY;
	w->d = d;
	w->log_dir = log_dir;
	w->fd = -1;
	memcpy(w->want, hash, HASH_LEN);
	if ((w->hash = hash_new()) == NULL || name_of(hash, hex) != 0) {
		r = ERR_MEMORY;
		goto out;
	}
	(void)snprintf(w->path, sizeof(w->path), "objects/%s", hex);
	(void)snprintf(w->tmp, sizeof(w->tmp), "%s.tmp", w->path);
	if ((r = disk_parents(d, log_dir, w->path)) != 0)
		goto out;
	w->whole = is_stored(log_dir, w->path, hash);
	if (!w->whole && (w->fd = d->open(d->arg, log_dir, w->tmp,
	    O_WRONLY | O_CREAT | O_TRUNC, 0644)) < 0)
		r = ERR_IO;
	if (r == 0) {
		*ret = w;
		w = NULL;	/* now the caller's */
	}
out:
	object_abort(w);
	return r;
}

int
object_write(struct object_writer *w, const void *data, size_t len)
{
	int r;

	if (len > OBJECT_MAX - w->len)
		return ERR_LIMIT;
	w->len += len;
	if ((r = hash_add(w->hash, data, len)) != 0 || w->whole)
		return r;
	if ((r = disk_write(w->d, w->fd, data, len)) != 0)
		return r;
	if ((w->unsynced += len) < SYNC_EVERY)
		return 0;
	w->unsynced = 0;
	return w->d->sync(w->d->arg, w->fd) == 0 ? 0 : ERR_IO;
}

/* Closes it, and takes it away unless it has become the object. */
static void
end_tmp(struct object_writer *w, bool keep)
{
	int saved = errno;

	if (w->fd >= 0)
		(void)close(w->fd);	/* synced, or about to be removed */
	if (w->fd >= 0 && !keep)	/* best effort */
		(void)w->d->unlink(w->d->arg, w->log_dir, w->tmp, 0);
	w->fd = -1;
	errno = saved;
}

/* The name in place of the file, whether new or found (perhaps in memory
 * only, after a crash). */
static int
put(struct object_writer *w)
{
	const struct disk *d = w->d;
	int r;

	if (!w->whole) {
		if (d->sync(d->arg, w->fd) != 0 || d->rename(d->arg,
		    w->log_dir, w->tmp, w->log_dir, w->path) != 0)
			return ERR_IO;
		end_tmp(w, true);
	}
	if ((r = disk_sync_dir(d, w->log_dir, "objects")) != 0)
		return r;
	return disk_sync_dir(d, w->log_dir, ".");
}

int
object_close(struct object_writer *w, char ret_hex[static 65])
{
	uint8_t got[HASH_LEN];
	int r;

	ret_hex[0] = '\0';
	if ((r = hash_end(w->hash, got)) == 0 &&
	    memcmp(got, w->want, HASH_LEN) != 0)
		r = ERR_CRYPTO;
	if (r == 0)
		r = put(w);
	if (r == 0)
		r = name_of(w->want, ret_hex);
	object_abort(w);
	return r;
}

void
object_abort(struct object_writer *w)
{
	if (w == NULL)
		return;
	end_tmp(w, false);
	hash_free(w->hash);
	free(w);
}

int
object_store(const struct disk *d, int log_dir, const void *data, size_t len,
    char ret_hex[static 65])
{
	struct object_writer *w = NULL;
	uint8_t digest[HASH_LEN];
	int r;

	ret_hex[0] = '\0';
	if (len > OBJECT_MAX)
		return ERR_LIMIT;
	if ((r = hash_sha256(data, len, digest)) != 0 ||
	    (r = object_open(d, log_dir, digest, &w)) != 0)
		return r;
	if ((r = object_write(w, data, len)) == 0)
		return object_close(w, ret_hex);
	object_abort(w);
	return r;
}

#include "key/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "crypto/hash.h"
#include "key/secret.h"

#define ROOM ((size_t)1 << 18)	/* at once, so that growing leaves no copy */
#define TYPE_ED25519 0x01

/* What is asked is asked of the file that is then read. */
static int
read_private(const char *path, struct buf *out, struct why *w)
{
	struct stat st;
	ssize_t n = 0;
	int fd, r = 0;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0 ||
	    fstat(fd, &st) != 0) {
		r = why_set(w, ERR_IO, 0, 0, "key file %s cannot be read: %s",
		    path, strerror(errno));
	} else if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		r = why_set(w, ERR_DENIED, 0, 0, "key file %s can be read by "
		    "others; chmod 600 it, and think of it as known", path);
	}
	while (r == 0 && out->len <= KEYFILE_MAX &&
	    (n = read(fd, out->data + out->len, KEYFILE_MAX)) > 0)
		out->len += (size_t)n;
	if (r == 0 && (n < 0 || out->len > KEYFILE_MAX))
		r = why_set(w, n < 0 ? ERR_IO : ERR_LIMIT, 0, 0, "key file %s "
		    "cannot be read: %s", path, n < 0 ? strerror(errno) :
		    err_text(ERR_LIMIT));
	if (fd >= 0)
		(void)close(fd);	/* only read */
	return r;
}

int
keyfile_read(const char *path, struct keyfile *ret, struct why *w)
{
	struct buf b;
	int r;

	buf_init(&b, 0);
	if (buf_reserve(&b, ROOM) == NULL)
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	if ((r = read_private(path, &b, w)) == 0 &&
	    (r = keyfile_parse((const char *)b.data, b.len, ret)) != 0)
		(void)why_set(w, r, 0, 0, "key file %s is not a signing key "
		    "(sworn key new makes one)", path);
	buf_wipe_done(&b);
	return r;
}

static int
write_all(int fd, const struct buf *text)
{
	size_t done = 0;
	ssize_t n;

	while (done < text->len) {
		n = write(fd, text->data + done, text->len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ERR_IO;
		done += (size_t)n;
	}
	return fsync(fd) != 0 ? ERR_IO : 0;
}

static int
write_new(const char *path, const struct buf *text, struct why *w)
{
	int fd, r;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return why_set(w, errno == EEXIST ? ERR_EXISTS : ERR_IO, 0, 0,
		    "%s: %s", path, errno == EEXIST ? "exists already, and a "
		    "key is never overwritten; choose another name" :
		    strerror(errno));
	if ((r = write_all(fd, text)) != 0)
		(void)why_set(w, r, 0, 0, "%s: %s", path, strerror(errno));
	if (close(fd) != 0 && r == 0)
		r = why_set(w, ERR_IO, 0, 0, "%s: %s", path, strerror(errno));
	if (r != 0)
		(void)unlink(path);	/* half a key is none */
	return r;
}

int
keyfile_write(const char *path, const struct keyfile *k, struct why *w)
{
	struct buf text;
	int r;

	buf_init(&text, 0);
	(void)buf_reserve(&text, ROOM);
	keyfile_print(k, &text);
	r = text.failed ? why_set(w, ERR_MEMORY, 0, 0, "out of memory") :
	    write_new(path, &text, w);
	buf_wipe_done(&text);
	return r;
}

int
keyfile_make(const char *name, struct keyfile *ret)
{
	uint8_t public[SIGN_PUBLIC_LEN];
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->kind = KEYFILE_PLAIN;
	if ((r = random_bytes(ret->seed, SIGN_SEED_LEN)) != 0 ||
	    (r = sign_public(ret->seed, public)) != 0)
		return r;
	return note_key_make(name, TYPE_ED25519, public, &ret->key);
}

int
keyfile_seal(struct keyfile *k, const struct secret *pass)
{
	struct buf pem;
	const char *text;
	int r;

	buf_init(&pem, sizeof(k->pem) - 1);
	r = pkcs8_write(k->seed, pass->text, pass->len, &pem);
	if (r == 0 && (text = buf_text(&pem)) == NULL)
		r = ERR_MEMORY;
	if (r == 0) {
		memcpy(k->pem, text, pem.len + 1);
		k->kind = KEYFILE_ENCRYPTED;
		wipe(k->seed, sizeof(k->seed));
	}
	buf_done(&pem);
	return r;
}

int
keyfile_unseal(const struct keyfile *k, const struct secret *pass,
    uint8_t seed[static SIGN_SEED_LEN])
{
	uint8_t public[SIGN_PUBLIC_LEN];
	int r;

	r = pkcs8_read(k->pem, strlen(k->pem), pass->text, pass->len, seed);
	if (r == 0 && (r = sign_public(seed, public)) == 0 &&
	    memcmp(public, k->key.public, sizeof(public)) != 0)
		r = ERR_CONFLICT;
	if (r != 0)
		wipe(seed, SIGN_SEED_LEN);
	return r;
}

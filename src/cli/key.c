/*
 * sworn key new --name NAME --out FILE: makes the log's signing key and
 * prints its verifier key, which readers of the log are given.
 * sworn key show FILE: prints the verifier key again.
 *
 * NAME is the log's origin: a name that nobody else uses, best a host and
 * path of one's own (example.com/sworn/log1). The file has one line,
 * PRIVATE+KEY+name+id+base64, mode 0600, and is never overwritten: a log
 * whose key is lost cannot go on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/cmd.h"
#include "crypto/hash.h"
#include "log/note.h"

#define KEY_FILE_MAX 4096
#define TYPE_ED25519 0x01

static int
usage(void)
{
	(void)fprintf(stderr, "usage: sworn key new --name NAME --out FILE\n"
	    "       sworn key show FILE\n");
	return 2;
}

static int
print_key(const struct note_key *key)
{
	struct buf text;
	int r = 1;

	buf_init(&text, 0);
	note_key_write(key, &text);
	if (buf_text(&text) != NULL && puts((char *)text.data) >= 0 &&
	    fflush(stdout) == 0)
		r = 0;
	buf_done(&text);
	return r;
}

static int
write_file(const char *path, const struct buf *text)
{
	size_t at = 0;
	ssize_t n;
	int fd, r = 0;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		(void)fprintf(stderr, "sworn key: %s: %s\n", path,
		    errno == EEXIST ? "exists already, and a key is never "
		    "overwritten; choose another name" : strerror(errno));
		return 1;
	}
	while (at < text->len && r == 0) {
		n = write(fd, text->data + at, text->len - at);
		if (n < 0 && errno != EINTR)
			r = 1;
		else if (n > 0)
			at += (size_t)n;
	}
	if (r == 0 && fsync(fd) != 0)
		r = 1;
	if (close(fd) != 0)
		r = 1;
	if (r != 0) {
		(void)fprintf(stderr, "sworn key: %s: %s\n", path,
		    strerror(errno));
		(void)unlink(path);	/* half a key is none */
	}
	return r;
}

static int
key_new(const char *name, const char *path)
{
	uint8_t seed[SIGN_SEED_LEN], public[SIGN_PUBLIC_LEN];
	struct note_key key;
	struct buf text;
	int r, status = 1;

	buf_init(&text, 0);
	if ((r = random_bytes(seed, sizeof(seed))) != 0 ||
	    (r = sign_public(seed, public)) != 0) {
		(void)fprintf(stderr, "sworn key: %s\n", err_text(r));
		goto out;
	}
	if ((r = note_key_make(name, TYPE_ED25519, public, &key)) != 0) {
		(void)fprintf(stderr, "sworn key: \"%s\" cannot be a log's "
		    "name: 1 to %d bytes of UTF-8, without spaces and '+'\n",
		    name, NOTE_NAME_MAX - 1);
		status = 2;
		goto out;
	}
	/* At once, so that growing leaves no copy behind. */
	(void)buf_reserve(&text, KEY_FILE_MAX);
	if (note_private_write(&key, seed, &text) != 0)
		goto out;
	buf_u8(&text, '\n');
	if (text.failed) {
		(void)fprintf(stderr, "sworn key: out of memory\n");
		goto out;
	}
	if ((status = write_file(path, &text)) == 0)
		status = print_key(&key);
out:
	wipe(seed, sizeof(seed));
	buf_wipe_done(&text);
	return status;
}

static int
key_show(const char *path)
{
	uint8_t seed[SIGN_SEED_LEN];
	char text[KEY_FILE_MAX];
	struct note_key key;
	ssize_t n;
	int fd, r;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0 ||
	    (n = read(fd, text, sizeof(text))) < 0) {
		(void)fprintf(stderr, "sworn key: %s: %s\n", path,
		    strerror(errno));
		if (fd >= 0)
			(void)close(fd); /* only read */
		return 1;
	}
	(void)close(fd);		/* only read */
	if (n > 0 && text[n - 1] == '\n')
		n--;
	r = note_private_read(text, (size_t)n, &key, seed);
	wipe(seed, sizeof(seed));
	wipe(text, sizeof(text));
	if (r != 0) {
		(void)fprintf(stderr, "sworn key: %s: not a signing key\n",
		    path);
		return 1;
	}
	return print_key(&key);
}

int
cmd_key(int argc, char **argv)
{
	const char *name = NULL, *path = NULL;
	int i;

	if (argc == 3 && strcmp(argv[1], "show") == 0)
		return key_show(argv[2]);
	if (argc != 6 || strcmp(argv[1], "new") != 0)
		return usage();
	for (i = 2; i < argc; i += 2) {
		if (strcmp(argv[i], "--name") == 0)
			name = argv[i + 1];
		else if (strcmp(argv[i], "--out") == 0)
			path = argv[i + 1];
		else
			return usage();
	}
	if (name == NULL || path == NULL)
		return usage();
	return key_new(name, path);
}

/*
 * sworn key new --name ORIGIN --out FILE, sworn key show FILE: a log's
 * Ed25519 key. The file has the private key as a signed note's text, mode
 * 0600; the verifier key, which auditors need, goes to standard output.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/cmd.h"
#include "crypto/hash.h"
#include "gateway/file.h"
#include "log/note.h"

#define KEY_FILE_MAX 4096
#define TYPE_ED25519 0x01

static int
say(const char *path, int r)
{
	(void)fprintf(stderr, "sworn key: %s: %s\n", path,
	    r == ERR_IO ? strerror(errno) : r == ERR_FORMAT ?
	    "this is not a key that sworn key new made" : err_text(r));
	return 1;
}

static int
print_verifier(const struct note_key *key)
{
	struct buf out;
	const char *text;
	int r = 1;

	buf_init(&out, 0);
	note_key_write(key, &out);
	if ((text = buf_text(&out)) != NULL && printf("%s\n", text) > 0 &&
	    fflush(stdout) == 0)
		r = 0;
	buf_done(&out);
	return r;
}

static int
make_key(const char *name, struct note_key *key, struct buf *text)
{
	uint8_t seed[SIGN_SEED_LEN], public[SIGN_PUBLIC_LEN];
	int r;

	if ((r = random_bytes(seed, sizeof(seed))) == 0 &&
	    (r = sign_public(seed, public)) == 0 &&
	    (r = note_key_make(name, TYPE_ED25519, public, key)) == 0 &&
	    (r = note_private_write(key, seed, text)) == 0)
		buf_u8(text, '\n');
	wipe(seed, sizeof(seed));
	return r != 0 ? r : text->failed ? ERR_MEMORY : 0;
}

static int
key_new(const char *name, const char *path)
{
	struct note_key key;
	struct buf text;
	int r;

	if (access(path, F_OK) == 0) {
		(void)fprintf(stderr, "sworn key: %s exists and is not "
		    "overwritten: a log that lost its key is lost\n", path);
		return 1;
	}
	buf_init(&text, KEY_FILE_MAX);
	r = make_key(name, &key, &text);
	if (r == ERR_FORMAT) {
		(void)fprintf(stderr, "sworn key: \"%s\" cannot name a log; "
		    "use a host and path of yours without spaces or plus "
		    "signs, such as log.example.com/gw1\n", name);
		r = 1;
	} else if (r != 0 ||
	    (r = file_replace(path, text.data, text.len)) != 0) {
		r = say(path, r);
	} else {
		r = print_verifier(&key);
	}
	buf_wipe_done(&text);
	return r;
}

static int
key_show(const char *path)
{
	uint8_t seed[SIGN_SEED_LEN];
	struct note_key key;
	struct buf text;
	size_t len;
	int r;

	buf_init(&text, KEY_FILE_MAX);
	if ((r = file_read(path, &text)) == 0) {
		len = text.len;
		while (len > 0 && text.data[len - 1] == '\n')
			len--;
		r = note_private_read((const char *)text.data, len, &key,
		    seed);
		wipe(seed, sizeof(seed));
	}
	r = r != 0 ? say(path, r) : print_verifier(&key);
	buf_wipe_done(&text);
	return r;
}

int
cmd_key(int argc, char **argv)
{
	const char *name = NULL, *out = NULL;
	int i;

	if (argc == 3 && strcmp(argv[1], "show") == 0)
		return key_show(argv[2]);
	if (argc == 6 && strcmp(argv[1], "new") == 0) {
		for (i = 2; i < 6; i += 2) {
			if (strcmp(argv[i], "--name") == 0)
				name = argv[i + 1];
			else if (strcmp(argv[i], "--out") == 0)
				out = argv[i + 1];
		}
		if (name != NULL && out != NULL)
			return key_new(name, out);
	}
	(void)fprintf(stderr, "usage: sworn key new --name ORIGIN --out FILE\n"
	    "       sworn key show FILE\n");
	return 2;
}

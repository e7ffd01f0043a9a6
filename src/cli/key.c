/*
 * sworn key new --name NAME --out FILE: makes a log's signing key and
 * prints its verifier key, which readers of the log are given.
 * sworn key show FILE: prints the verifier key again.
 * sworn key rotate -c FILE --to KEY: cli/key_rotate.c.
 *
 * NAME is the log's origin: a name that nobody else uses, best a host and
 * path of one's own (example.com/sworn/log1).
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/cmd.h"
#include "cli/key.h"
#include "store/keyfile.h"

static int
usage(void)
{
	(void)fprintf(stderr, "usage: sworn key new --name NAME --out FILE\n"
	    "       sworn key show FILE\n"
	    "       sworn key rotate -c FILE --to KEY\n");
	return 2;
}

int
key_print(const struct note_key *key)
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
fail(const struct why *w)
{
	(void)fprintf(stderr, "sworn key: %s\n", w->text);
	return 1;
}

static int
key_new(const char *name, const char *path)
{
	uint8_t seed[SIGN_SEED_LEN];
	struct note_key key;
	struct why w = {0};
	int r, status = 1;

	if ((r = keyfile_make(name, &key, seed)) == ERR_FORMAT) {
		(void)fprintf(stderr, "sworn key: \"%s\" cannot be a log's "
		    "name: 1 to %d bytes of UTF-8, without spaces and '+'\n",
		    name, NOTE_NAME_MAX - 1);
		status = 2;
	} else if (r != 0) {
		(void)fprintf(stderr, "sworn key: %s\n", err_text(r));
	} else if (keyfile_write(path, &key, seed, &w) != 0) {
		status = fail(&w);
	} else {
		status = key_print(&key);
	}
	wipe(seed, sizeof(seed));
	return status;
}

static int
key_show(const char *path)
{
	uint8_t seed[SIGN_SEED_LEN];
	struct note_key key;
	struct why w = {0};
	int r = keyfile_read(path, &key, seed, &w);

	wipe(seed, sizeof(seed));
	return r != 0 ? fail(&w) : key_print(&key);
}

/* Options in pairs, each of the two once. 0, or they are others. */
static int
two_options(int argc, char **argv, const char *a, const char **ret_a,
    const char *b, const char **ret_b)
{
	int i;

	if (argc != 6)
		return -1;
	for (i = 2; i < argc; i += 2) {
		if (strcmp(argv[i], a) == 0)
			*ret_a = argv[i + 1];
		else if (strcmp(argv[i], b) == 0)
			*ret_b = argv[i + 1];
		else
			return -1;
	}
	return *ret_a != NULL && *ret_b != NULL ? 0 : -1;
}

int
cmd_key(int argc, char **argv)
{
	const char *a = NULL, *b = NULL;

	if (argc == 3 && strcmp(argv[1], "show") == 0)
		return key_show(argv[2]);
	if (argc > 1 && strcmp(argv[1], "new") == 0 &&
	    two_options(argc, argv, "--name", &a, "--out", &b) == 0)
		return key_new(a, b);
	if (argc > 1 && strcmp(argv[1], "rotate") == 0 &&
	    two_options(argc, argv, "-c", &a, "--to", &b) == 0)
		return key_rotate(a, b);
	return usage();
}

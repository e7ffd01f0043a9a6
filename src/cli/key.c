/*
 * sworn key new|show|rotate: a log's or a witness's signing key.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/cmd.h"
#include "cli/key.h"
#include "cli/options.h"
#include "key/keyfile.h"

static const char usage[] =
    "usage: sworn key new --name NAME --out FILE [--secret SOURCE] "
    "[--token URI]\n"
    "       sworn key show FILE\n"
    "       sworn key rotate -c FILE --to KEY [--secret SOURCE]\n"
    "SOURCE, where a passphrase or PIN comes from: prompt, fd:N, file:PATH or "
    "credential:NAME\n"
    "URI, of a key in a PKCS#11 token: pkcs11:token=NAME;object=NAME\n";

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

int
key_fail(const struct why *w)
{
	(void)fprintf(stderr, "sworn key: %s\n", w->text);
	return 1;
}

/* The first line of each kind of file; no secret is asked for. */
static int
key_show(const char *path)
{
	struct keyfile k;
	struct why w = {0};
	int status;

	status = keyfile_read(path, &k, &w) != 0 ? key_fail(&w) :
	    key_print(&k.key);
	wipe(&k, sizeof(k));
	return status;
}

static int
misused(void)
{
	(void)fputs(usage, stderr);
	return 2;
}

int
cmd_key(int argc, char **argv)
{
	const char *config = NULL, *to = NULL, *name = NULL, *out = NULL;
	const char *secret = NULL, *token = NULL, *words[1] = {NULL};
	const struct option_slot slots[] = {
		{"-c", &config, NULL}, {"--to", &to, NULL},
		{"--name", &name, NULL}, {"--out", &out, NULL},
		{"--secret", &secret, NULL}, {"--token", &token, NULL},
		{NULL, NULL, NULL},
	};
	int r;

	if (argc < 2)
		return misused();
	if (argc == 3 && strcmp(argv[1], "show") == 0)
		return key_show(argv[2]);
	if ((r = options_read(argc, argv, slots, words, 1, usage)) != 0)
		return r;
	if (strcmp(argv[1], "new") == 0 && name != NULL && out != NULL &&
	    config == NULL && to == NULL)
		return key_new(name, out, token, secret);
	if (strcmp(argv[1], "rotate") == 0 && config != NULL && to != NULL &&
	    name == NULL && out == NULL && token == NULL)
		return key_rotate(config, to, secret);
	return misused();
}

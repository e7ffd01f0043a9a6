/*
 * sworn witness run -c FILE: cosigns logs that only ever grow.
 * sworn witness key FILE: the verifier key of its cosignatures.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/report.h"
#include "cli/cmd.h"
#include "gateway/sandbox.h"
#include "log/note.h"
#include "store/disk.h"
#include "witness/http.h"
#include "witness/witness.h"

#define CONF_MAX ((size_t)1 << 20)

static int
usage(void)
{
	(void)fprintf(stderr, "usage: sworn witness run -c FILE\n"
	    "       sworn witness key KEYFILE\n");
	return 2;
}

static int
fail(int r, const struct why *w)
{
	(void)fprintf(stderr, "sworn witness: %s\n", w->text[0] != 0 ?
	    w->text : err_text(r));
	return 1;
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
show_key(const char *path)
{
	uint8_t seed[SIGN_SEED_LEN];
	struct note_key key;
	struct why w = {0};
	int r = witness_key_read(path, &key, seed, &w);

	wipe(seed, sizeof(seed));
	return r != 0 ? fail(r, &w) : print_key(&key);
}

static int
load(struct arena *a, const char *path, struct witness_conf *ret)
{
	struct why w = {0};
	struct buf text;
	char *copy;
	int r;

	buf_init(&text, 0);
	r = disk_read(AT_FDCWD, path, CONF_MAX, &text);
	if (r != 0) {
		(void)fprintf(stderr, "sworn witness: %s: %s\n", path,
		    r == ERR_IO ? strerror(errno) : err_text(r));
	} else if ((copy = arena_strn(a, (const char *)text.data,
	    text.len)) == NULL) {
		r = ERR_MEMORY;
	} else if ((r = witness_conf_read(a, copy, text.len, ret, &w)) != 0) {
		(void)fprintf(stderr, "%s:%u:%u: %s\n", path, w.line,
		    w.column, w.text[0] != 0 ? w.text : err_text(r));
	}
	buf_done(&text);
	return r;
}

static int
serve(const struct witness_conf *conf, struct witness *x, struct why *w)
{
	const char *const write[] = {conf->state_dir};
	const struct sandbox box = {NULL, 0, write, 1, true};
	int fd = -1, r;

	if ((r = http_listen(conf->listen, &fd, w)) != 0)
		return r;
	/* A kernel without Landlock cannot restrict paths; the rest is. */
	if ((r = sandbox_enter(&box)) == ERR_MISSING)
		r = 0;
	if (r != 0)
		(void)why_set(w, r, 0, 0, "sandbox: %s", strerror(errno));
	else if ((r = witness_run(x, conf->prefix, fd)) != 0)
		(void)why_set(w, r, 0, 0, r == ERR_STATE ? "the disk failed; "
		    "start again once it is sound" :
		    "the HTTP server cannot start");
	(void)close(fd);		/* nothing to lose */
	return r;
}

static int
run(const char *path)
{
	uint8_t seed[SIGN_SEED_LEN] = {0};
	struct arena *a = arena_new();
	struct witness_conf conf;
	struct witness *x = NULL;
	struct note_key key;
	struct why w = {0};
	int r, status = 1;

	if (a == NULL)
		return fail(ERR_MEMORY, &w);
	report_init("witness", REPORT_INFO);
	if (load(a, path, &conf) != 0)
		goto out;
	if ((r = witness_key_read(conf.key_file, &key, seed, &w)) != 0 ||
	    (r = witness_open(&conf, &disk_real, &key, seed, &x, &w)) != 0) {
		status = fail(r, &w);
		goto out;
	}
	if ((status = print_key(&key)) == 0 &&
	    (r = serve(&conf, x, &w)) != 0)
		status = fail(r, &w);
out:
	witness_free(x);
	wipe(seed, sizeof(seed));
	arena_free(a);
	return status;
}

int
cmd_witness(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "run") == 0 &&
	    strcmp(argv[2], "-c") == 0)
		return run(argv[3]);
	if (argc == 3 && strcmp(argv[1], "key") == 0)
		return show_key(argv[2]);
	return usage();
}

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
#include "cli/key.h"
#include "gateway/sandbox.h"
#include "key/keyfile.h"
#include "key/signing.h"
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
show_key(const char *path)
{
	struct keyfile k;
	struct note_key key;
	struct why w = {0};
	int r = keyfile_read(path, &k, &w);

	if (r == 0)
		r = witness_key(&k.key, &key);
	wipe(&k, sizeof(k));
	return r != 0 ? fail(r, &w) : key_print(&key);
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
run_with(const struct witness_conf *conf, const struct signing *key,
    struct why *w)
{
	struct note_signer by = *signing_signer(key);
	struct witness *x = NULL;
	struct note_key own;
	int r;

	if ((r = witness_key(by.key, &own)) != 0)
		return r;
	by.key = &own;
	if ((r = witness_open(conf, &disk_real, &by, &x, w)) != 0)
		return r;
	r = key_print(&own) != 0 ? ERR_IO : serve(conf, x, w);
	witness_free(x);
	return r;
}

static int
run(const char *path)
{
	struct arena *a = arena_new();
	struct signing *key = NULL;
	struct witness_conf conf;
	struct why w = {0};
	int r, status = 1;

	if (a == NULL)
		return fail(ERR_MEMORY, &w);
	report_init("witness", REPORT_INFO);
	if (load(a, path, &conf) == 0) {
		if ((r = signing_keep_secret()) == 0 &&
		    (r = signing_open(conf.key_file, conf.key_secret,
		    "the witness's key", &key, &w)) == 0)
			r = run_with(&conf, key, &w);
		status = r != 0 ? fail(r, &w) : 0;
	}
	signing_close(key);
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

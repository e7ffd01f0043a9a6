/*
 * sworn log mirror URL|DIR DEST --key VKEY: extends a verified copy.
 * sworn log serve DIR --listen ADDRESS:PORT: static files over HTTP.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/cmd.h"
#include "gateway/sandbox.h"
#include "log/note.h"
#include "witness/http.h"
#include "witness/mirror.h"
#include "witness/serve.h"

static int
usage(void)
{
	(void)fprintf(stderr, "usage: sworn log mirror URL|DIR DEST --key "
	    "VKEY\n"
	    "       sworn log serve DIR --listen ADDRESS:PORT\n");
	return 2;
}

static int
fail(const char *what, int r, const struct why *w)
{
	(void)fprintf(stderr, "sworn log %s: %s\n", what,
	    w->text[0] != 0 ? w->text : err_text(r));
	return 1;
}

static int
mirror(const char *from, const char *to, const char *vkey)
{
	struct mirror_result result;
	struct note_key key;
	struct why w = {0};
	int r;

	if (note_key_read(vkey, strlen(vkey), &key) != 0) {
		(void)fprintf(stderr, "sworn log mirror: no verifier key "
		    "(name+hex+base64): %s\n", vkey);
		return 2;
	}
	if ((r = mirror_run(from, to, &key, &result, &w)) != 0)
		return fail("mirror", r, &w);
	if (printf("%" PRIu64 " entries, %" PRIu64 " of them new\n",
	    result.after, result.after - result.before) < 0 ||
	    fflush(stdout) != 0)
		return 1;
	if (result.wanted == 0)
		return 0;
	(void)fprintf(stderr, "sworn log mirror: %" PRIu64 " objects that "
	    "records name are not at the source (%s/.wanted); the next run "
	    "asks again\n", result.wanted, to);
	return 1;
}

static int
serve(const char *dir, const char *address)
{
	const char *const read[] = {dir};
	const struct sandbox box = {read, 1, NULL, 0, true};
	struct why w = {0};
	int dir_fd, fd = -1, r;

	if ((dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
		(void)fprintf(stderr, "sworn log serve: %s: %s\n", dir,
		    strerror(errno));
		return 1;
	}
	if ((r = http_listen(address, &fd, &w)) != 0) {
		(void)close(dir_fd);	/* only read */
		return fail("serve", r, &w);
	}
	/* A kernel without Landlock: the grammar of names stands alone. */
	if ((r = sandbox_enter(&box)) == ERR_MISSING)
		r = 0;
	if (r != 0)
		r = why_set(&w, r, 0, 0, "sandbox: %s", strerror(errno));
	else if ((r = serve_run(dir_fd, fd)) != 0)
		(void)why_set(&w, r, 0, 0, "the HTTP server cannot start");
	(void)close(fd);		/* nothing to lose */
	(void)close(dir_fd);
	return r == 0 ? 0 : fail("serve", r, &w);
}

int
cmd_log(int argc, char **argv)
{
	static const struct option known[] = {
		{"key", required_argument, NULL, 'k'},
		{"listen", required_argument, NULL, 'l'},
		{NULL, 0, NULL, 0},
	};
	const char *vkey = NULL, *address = NULL, *what;
	int c, n;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'k')
			vkey = optarg;
		else if (c == 'l')
			address = optarg;
		else
			return usage();
	}
	if ((n = argc - optind) < 1)
		return usage();
	what = argv[optind];
	if (strcmp(what, "mirror") == 0 && n == 3 && vkey != NULL &&
	    address == NULL)
		return mirror(argv[optind + 1], argv[optind + 2], vkey);
	if (strcmp(what, "serve") == 0 && n == 2 && address != NULL &&
	    vkey == NULL)
		return serve(argv[optind + 1], address);
	return usage();
}

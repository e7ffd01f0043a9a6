/*
 * sworn log mirror URL|DIR DEST --key VKEY: extends a verified copy.
 * sworn log serve DIR --listen ADDRESS:PORT: static files over HTTP.
 * sworn log cosign DIR --witness URL --key WKEY ... [--quorum K], or
 * --quorum-file FILE: asks witnesses, and writes checkpoint.cosigned.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "gateway/sandbox.h"
#include "log/note.h"
#include "log/quorum.h"
#include "witness/cosign.h"
#include "witness/http.h"
#include "witness/mirror.h"
#include "witness/serve.h"

static int
usage(void)
{
	(void)fprintf(stderr, "usage: sworn log mirror URL|DIR DEST --key "
	    "VKEY\n"
	    "       sworn log serve DIR --listen ADDRESS:PORT\n"
	    "       sworn log cosign DIR --witness URL --key WKEY ... "
	    "[--quorum K]\n"
	    "       sworn log cosign DIR --quorum-file FILE\n");
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

struct arguments {
	const char *key, *listen, *quorum, *quorum_file;
	const char *witness[COSIGN_MAX], *keys[COSIGN_MAX];
	size_t n_witness, n_keys;
};

/* The quorum that the arguments tell, and where its witnesses are. */
static int
make_quorum(const struct arguments *a, struct cosign_witness *ws,
    struct quorum **ret)
{
	uint64_t k = a->n_witness;
	struct note_key keys[COSIGN_MAX];
	size_t i;

	if (a->quorum != NULL && (text_u64(a->quorum, strlen(a->quorum),
	    &k) != 0 || k == 0 || k > a->n_witness)) {
		(void)fprintf(stderr, "sworn log cosign: a quorum is 1 to "
		    "%zu, the number of witnesses\n", a->n_witness);
		return 2;
	}
	for (i = 0; i < a->n_witness; i++) {
		ws[i].url = a->witness[i];
		if (note_key_read(a->keys[i], strlen(a->keys[i]),
		    &ws[i].key) == 0 && ws[i].key.type == QUORUM_WITNESS_TYPE)
			keys[i] = ws[i].key;
		else {
			(void)fprintf(stderr, "sworn log cosign: no witness's "
			    "verifier key (sworn witness key): %s\n",
			    a->keys[i]);
			return 2;
		}
	}
	if (quorum_of(keys, a->n_witness, (size_t)k, ret) == 0)
		return 0;
	(void)fprintf(stderr, "sworn log cosign: out of memory\n");
	return 1;
}

static int
read_quorum(const char *path, struct cosign_witness *ws, size_t *n,
    struct quorum **ret)
{
	const struct quorum_party *p;
	struct why w = {0};
	size_t i;
	int r;

	if ((r = quorum_load(path, ret, &w)) != 0) {
		(void)fprintf(stderr, "sworn log cosign: %s:%u: %s\n", path,
		    w.line, w.text[0] != 0 ? w.text : err_text(r));
		return 2;
	}
	p = quorum_witnesses(*ret, n);
	for (i = 0; i < *n; i++) {
		ws[i].url = p[i].url;
		ws[i].key = p[i].key;
	}
	return 0;
}

static int
cosign(const char *dir, const struct arguments *a)
{
	struct cosign_witness ws[COSIGN_MAX] = {0};
	struct cosign_result result;
	bool good[COSIGN_MAX];
	struct quorum *q = NULL;
	size_t n = a->n_witness, i;
	struct why w = {0};
	int r;

	r = a->quorum_file != NULL ? read_quorum(a->quorum_file, ws, &n, &q) :
	    make_quorum(a, ws, &q);
	if (r != 0)
		goto out;
	if ((r = cosign_run(dir, ws, n, &result, &w)) != 0) {
		r = fail("cosign", r, &w);
		goto out;
	}
	for (i = 0; i < n; i++) {
		good[i] = ws[i].result == 0;
		if (!good[i])
			(void)fprintf(stderr, "sworn log cosign: %s: %s\n",
			    ws[i].key.name, ws[i].why.text);
	}
	r = printf("%" PRIu64 " entries, cosigned by %zu of %zu%s\n",
	    result.size, result.good, n, result.kept ?
	    " (the older file has more and stays)" : "") < 0 ||
	    fflush(stdout) != 0 || !quorum_met(q, good);
out:
	quorum_free(q);
	return r;
}

static int
take(struct arguments *a, int c, const char *arg)
{
	switch (c) {
	case 'k':
		if (a->n_keys == COSIGN_MAX)
			return 2;
		a->keys[a->n_keys++] = a->key = arg;
		return 0;
	case 'w':
		if (a->n_witness == COSIGN_MAX)
			return 2;
		a->witness[a->n_witness++] = arg;
		return 0;
	case 'l':
		a->listen = arg;
		return 0;
	case 'q':
		a->quorum = arg;
		return 0;
	case 'f':
		a->quorum_file = arg;
		return 0;
	}
	return 2;			/* getopt has said why */
}

int
cmd_log(int argc, char **argv)
{
	static const struct option known[] = {
		{"key", required_argument, NULL, 'k'},
		{"listen", required_argument, NULL, 'l'},
		{"quorum", required_argument, NULL, 'q'},
		{"quorum-file", required_argument, NULL, 'f'},
		{"witness", required_argument, NULL, 'w'},
		{NULL, 0, NULL, 0},
	};
	struct arguments a = {0};
	const char *what;
	int c, n;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1)
		if (take(&a, c, optarg) != 0)
			return usage();
	if ((n = argc - optind) < 1)
		return usage();
	what = argv[optind];
	if (strcmp(what, "cosign") == 0 && n == 2 && a.listen == NULL &&
	    a.n_keys == a.n_witness && (a.n_witness > 0) !=
	    (a.quorum_file != NULL) &&
	    (a.quorum == NULL || a.quorum_file == NULL))
		return cosign(argv[optind + 1], &a);
	if (a.n_witness > 0 || a.quorum != NULL || a.quorum_file != NULL)
		return usage();
	if (strcmp(what, "mirror") == 0 && n == 3 && a.n_keys == 1 &&
	    a.listen == NULL)
		return mirror(argv[optind + 1], argv[optind + 2], a.key);
	if (strcmp(what, "serve") == 0 && n == 2 && a.listen != NULL &&
	    a.n_keys == 0)
		return serve(argv[optind + 1], a.listen);
	return usage();
}

/*
 * sworn policy show --log DIR [--key VKEY] [--at TIME | --version V]
 *     [--out FOLDER]
 *
 * The texts of a version: the policy on standard output, or all of them into
 * a new folder. --version is a number, or how one of its hashes begins.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/as_of.h"
#include "cli/history.h"
#include "cli/options.h"
#include "cli/policy.h"
#include "cli/say.h"
#include "cli/source.h"
#include "record/record.h"

static const char usage[] = "usage: sworn policy show --log DIR [--key VKEY] "
    "[--at TIME | --version V]\n    [--out FOLDER]\n";

struct showing {
	struct source source;
	const char *version, *out;
	const struct history_version *v;
	int dir;
	struct buf text;
};

static int
said(const struct why *w)
{
	(void)fprintf(stderr, "sworn: %s\n", w->text);
	return 1;
}

static int
find(struct showing *x)
{
	struct source *s = &x->source;
	struct why w;
	int r;

	if (x->version != NULL)
		return history_find(s->history, x->version, &x->v, &w) != 0 ?
		    said(&w) : 0;
	s->at_ms = s->history->last_ms;
	if (s->at != NULL && (r = options_time(s->at, &s->at_ms)) != 0)
		return r;
	return history_at(s->history, s->at_ms, &x->v, &w) != 0 ? said(&w) :
	    0;
}

static int
cannot(const char *folder, const char *name)
{
	(void)fprintf(stderr, "sworn: %s/%s cannot be written: %s\n", folder,
	    name, strerror(errno));
	return 1;
}

/* Into a file that is not there yet. */
static int
put_file(struct showing *x, const char *kind, const char *sha256,
    const char *name)
{
	size_t done = 0;
	struct why w;
	ssize_t n;
	int fd;

	if (as_of_text(x->source.history, kind, sha256, &x->text, &w) != 0)
		return said(&w);
	fd = openat(x->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0644);
	if (fd < 0)
		return cannot(x->out, name);
	while (done < x->text.len) {
		n = write(fd, x->text.data + done, x->text.len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (close(fd) != 0 || done < x->text.len)
		return cannot(x->out, name);
	(void)printf("%s/%s %s\n", x->out, name, sha256);
	return 0;
}

/* A catalog of several stores is written once, by its hash: names of
 * catalogs and stores may have any characters. */
static int
put_catalogs(struct showing *x)
{
	const struct history_version *v = x->v;
	char name[96];
	size_t i, k;
	int r;

	for (i = 0; i < v->n_stores; i++) {
		for (k = 0; k < i; k++)
			if (strcmp(v->stores[k].catalog,
			    v->stores[i].catalog) == 0)
				break;
		if (k < i)
			continue;
		(void)snprintf(name, sizeof(name), "catalog-%.12s.yaml",
		    v->stores[i].catalog); /* fits */
		if ((r = put_file(x, "catalog", v->stores[i].catalog,
		    name)) != 0)
			return r;
	}
	return 0;
}

static int
put_all(struct showing *x)
{
	int r;

	if (mkdir(x->out, 0755) != 0 || (x->dir = open(x->out, O_RDONLY |
	    O_DIRECTORY | O_CLOEXEC)) < 0) {
		(void)fprintf(stderr, "sworn: %s: %s\n", x->out,
		    errno == EEXIST ? "is there already; name a new folder" :
		    strerror(errno));
		return 1;
	}
	if ((r = put_file(x, "policy", x->v->policy, "policy.yaml")) == 0 &&
	    (r = put_file(x, "directory", x->v->directory,
	    "directory.yaml")) == 0)
		r = put_catalogs(x);
	(void)close(x->dir);		/* only a place */
	return r;
}

static int
show(struct showing *x)
{
	struct why w;

	if (x->out != NULL)
		return put_all(x);
	if (as_of_text(x->source.history, "policy", x->v->policy, &x->text,
	    &w) != 0)
		return said(&w);
	return say_out(&x->text);
}

int
cmd_policy_show(int argc, char **argv)
{
	struct showing x = { .version = NULL };
	const struct option_slot slots[] = {
		{"--log", &x.source.log, NULL},
		{"--key", &x.source.key, NULL}, {"--at", &x.source.at, NULL},
		{"--version", &x.version, NULL}, {"--out", &x.out, NULL},
		{NULL, NULL, NULL},
	};
	int r;

	if ((r = options_read(argc, argv, slots, NULL, 0, usage)) != 0)
		return r;
	if (x.version != NULL && x.source.at != NULL) {
		(void)fputs(usage, stderr);
		return 2;
	}
	buf_init(&x.text, RECORD_OBJECT_MAX + 1);
	if ((r = source_history(&x.source, usage)) == 0 &&
	    (r = find(&x)) == 0) {
		source_say(&x.source, x.v);
		r = show(&x);
	}
	buf_done(&x.text);
	source_close(&x.source);
	return r;
}

/*
 * The file that an import changes. It is written once everything else is
 * right, as a whole, and only if nobody else wrote it meanwhile.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/directory.h"
#include "cli/say.h"
#include "directory/directory.h"
#include "gateway/file.h"
#include "import/circles.h"
#include "import/diff.h"
#include "import/draft.h"
#include "import/findings.h"
#include "import/merge.h"
#include "import/write.h"

#define LINES_MAX 40	/* of each kind of item, if not all are wanted */
#define LEAVE_MAX 10	/* more at once, and more than */
#define LEAVE_PERCENT 20	/* of all, are more likely a mistake */

/* Comment lines and empty ones before the first key. */
static char *
head_of(const char *text, size_t len)
{
	size_t at = 0, end = 0, n;

	while (at < len && (text[at] == '#' || text[at] == '\n')) {
		n = strcspn(text + at, "\n");
		at += n + (at + n < len);
		if (n > 0)
			end = at;
	}
	return strndup(text, end);
}

/* Comments elsewhere do not live on: the file is written anew. */
static size_t
count_comments(const char *text)
{
	size_t n = 0;

	for (; *text != 0; text += *text != 0) {
		n += text[strspn(text, " \t")] == '#';
		text += strcspn(text, "\n");
	}
	return n;
}

static int
say_why(const char *path, const struct why *w)
{
	if (w->line != 0)
		(void)fprintf(stderr, "%s:%u:%u: %s\n", path, w->line,
		    w->column, w->text);
	else
		(void)fprintf(stderr, "%s: %s\n", path, w->text);
	return 1;
}

static int
read_target(struct directory_target *t, struct buf *text)
{
	struct why w = {0};
	const char *all;
	size_t n;

	if ((t->path = realpath(t->into, NULL)) == NULL ||
	    stat(t->path, &t->was) != 0 || file_read(t->path, text) != 0) {
		(void)fprintf(stderr, "%s: %s; a new directory is made with "
		    "--out\n", t->into, strerror(errno));
		return 1;
	}
	if ((all = buf_text(text)) == NULL)
		return say_error(ERR_MEMORY);
	if (directory_load(all, text->len, &t->loaded, &w) != 0)
		return say_why(t->into, &w);
	if ((t->head = head_of(all, text->len)) == NULL)
		return say_error(ERR_MEMORY);
	n = count_comments(all + strlen(t->head));
	if (n > 0)
		(void)fprintf(stderr, "%s: note: %zu comments among the items "
		    "are not kept; those before the first key are\n",
		    t->into, n);
	return 0;
}

int
directory_target_open(struct directory_target *t, const char *issuer)
{
	struct buf text;
	int r = 0;

	buf_init(&text, WRITE_MAX);
	if (t->into != NULL)
		r = read_target(t, &text);
	else if (lstat(t->out, &t->was) == 0) {
		(void)fprintf(stderr, "%s: is there already; --into puts the "
		    "facts into it, or choose another name\n", t->out);
		r = 1;
	} else if ((t->path = strdup(t->out)) == NULL)
		r = say_error(ERR_MEMORY);
	buf_done(&text);
	if (r != 0)
		return r;
	t->known = t->loaded != NULL ? draft_of(t->loaded) :
	    draft_new(issuer);
	return t->known != NULL ? 0 : say_error(ERR_MEMORY);
}

void
directory_target_close(struct directory_target *t)
{
	draft_free(t->known);
	directory_free(t->loaded);
	free(t->path);
	free(t->head);
}

int
directory_say(const struct findings *f)
{
	struct buf out;

	buf_init(&out, 0);
	findings_text(f, FINDING_NOTE, &out);
	findings_text(f, FINDING_ERROR, &out);
	if (f->n[FINDING_ERROR] > 0)
		buf_fmt(&out, "%zu error%s: nothing is changed\n",
		    f->n[FINDING_ERROR], f->n[FINDING_ERROR] == 1 ? "" : "s");
	if (out.len > 0)
		(void)fwrite(out.data, 1, out.len, stderr); /* best effort */
	buf_done(&out);
	if (f->failed)
		return say_error(ERR_MEMORY);
	return f->n[FINDING_ERROR] > 0;
}

/* What changes, from what is loaded to what is known now. */
static int
say_difference(const struct directory_target *t, int64_t at_ms,
    struct diff_counts *counts)
{
	struct draft *before = t->loaded != NULL ? draft_of(t->loaded) :
	    draft_new(t->known->issuer);
	struct buf out;
	int r = ERR_MEMORY;

	buf_init(&out, 0);
	if (before == NULL)
		goto out;
	draft_sort(before);
	r = diff_text(before, t->known, at_ms, t->all ? SIZE_MAX : LINES_MAX,
	    &out, counts);
out:
	r = r != 0 ? say_error(r) : say_out(&out);
	buf_done(&out);
	draft_free(before);
	return r;
}

/* The bytes that would be written are loaded like everybody loads them. */
static int
check_text(const struct directory_target *t, const struct buf *text)
{
	struct directory *d = NULL;
	struct why w = {0};
	int r;

	r = directory_load((const char *)text->data, text->len, &d, &w);
	directory_free(d);
	if (r != 0)
		(void)fprintf(stderr, "%s: the result would not be a "
		    "directory: %s\nnothing is changed\n", t->path, w.text);
	return r != 0;
}

/* An empty file, a wrong base, a missing page: everybody seems to leave. */
static int
check_leaving(const struct directory_target *t, const struct diff_counts *c)
{
	size_t all = c->leave + c->change + c->stay;

	if (t->allow_leave || c->leave <= LEAVE_MAX ||
	    c->leave * 100 <= all * LEAVE_PERCENT)
		return 0;
	(void)fprintf(stderr, "%s: %zu of %zu would leave; is the source "
	    "whole? If they really do, say --allow-leave\nnothing is "
	    "changed\n", t->path, c->leave, all);
	return 1;
}

static bool
is_as_read(const struct directory_target *t)
{
	struct stat now;

	if (t->into == NULL)
		return lstat(t->path, &now) != 0;
	return stat(t->path, &now) == 0 && now.st_ino == t->was.st_ino &&
	    now.st_size == t->was.st_size &&
	    now.st_mtim.tv_sec == t->was.st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == t->was.st_mtim.tv_nsec;
}

static int
write_target(const struct directory_target *t, const struct buf *text)
{
	if (!is_as_read(t)) {
		(void)fprintf(stderr, "%s: somebody else wrote it meanwhile; "
		    "nothing is changed, run this again\n", t->path);
		return 1;
	}
	if (file_replace_as(t->path, text->data, text->len,
	    t->into != NULL ? &t->was : NULL) == 0)
		return 0;
	(void)fprintf(stderr, "%s: %s\n", t->path, strerror(errno));
	return 1;
}

int
directory_target_put(struct directory_target *t, const struct draft *fresh,
    const struct merge *m, struct findings *f)
{
	struct diff_counts counts;
	struct buf text;
	int r;

	buf_init(&text, WRITE_MAX);
	if ((r = merge_drafts(t->known, fresh, m, f)) != 0 ||
	    (r = circles_note(t->known, m->at_ms, f)) != 0) {
		r = say_error(r);
		goto out;
	}
	if ((r = directory_say(f)) != 0)
		goto out;
	write_draft(t->known, t->head, &text);
	if (text.failed) {
		(void)fprintf(stderr, "%s: the directory would be larger than "
		    "%zu bytes, or memory is short\n", t->path, WRITE_MAX);
		r = 1;
		goto out;
	}
	if ((r = check_text(t, &text)) != 0 ||
	    (r = say_difference(t, m->at_ms, &counts)) != 0)
		goto out;
	if ((r = check_leaving(t, &counts)) != 0)
		goto out;
	if (t->dry_run)
		(void)puts("dry run: nothing is changed"); /* best effort */
	else
		r = write_target(t, &text);
out:
	buf_done(&text);
	return r;
}

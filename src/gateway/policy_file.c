#include "gateway/policy_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "gateway/file.h"
#include "policy/bundle.h"
#include "policy/policy.h"
#include "yaml/yaml.h"

#define TEXT_MAX ((size_t)64 << 20)	/* of all files */

struct work {
	const char *path;		/* of the policy */
	struct arena *a;
	struct why *why;
	char *file;			/* that *why is about */
	struct bundle_file *files;
	size_t n;
	size_t len;			/* of all texts */
};

void
policy_file_name(const char *path, const char *name, char ret[static 1024])
{
	const char *slash = strrchr(path, '/');
	int folder = slash == NULL ? 0 : (int)(slash - path) + 1;

	if (name == NULL || *name == 0)
		(void)snprintf(ret, 1024, "%s", path); /* cut is fine */
	else
		(void)snprintf(ret, 1024, "%.*s%s", folder, path, name);
}

/* Whether a file is in the policy's folder, or below it, past all links. */
static int
is_within(const struct work *w, const char *full, bool *ret)
{
	const char *slash = strrchr(w->path, '/');
	char *folder, *real, *top = NULL;
	size_t len;
	int r = 0;

	*ret = false;
	folder = slash == NULL ? strdup(".") :
	    strndup(w->path, (size_t)(slash - w->path) + 1);
	real = realpath(full, NULL);
	if (folder == NULL)
		r = ERR_MEMORY;
	else if (real == NULL || (top = realpath(folder, NULL)) == NULL)
		r = ERR_IO;
	if (r == 0) {
		len = strlen(top);
		*ret = strncmp(real, top, len) == 0 &&
		    (real[len] == '/' || len == 1);
	}
	free(folder);
	free(real);
	free(top);
	return r;
}

static int
add_text(struct work *w, const char *name, const struct buf *text)
{
	struct bundle_file *f = &w->files[w->n];

	f->name = arena_str(w->a, name);
	f->text = arena_strn(w->a, (const char *)text->data, text->len);
	f->len = text->len;
	if (f->name == NULL || f->text == NULL)
		return why_set(w->why, ERR_MEMORY, 0, 0, "out of memory");
	w->len += text->len;
	w->n++;
	return 0;
}

static int
add_file(struct work *w, const char *full, const char *name)
{
	struct buf text;
	int r;

	buf_init(&text, TEXT_MAX - w->len);
	r = file_read(full, &text);
	if (r == ERR_LIMIT)
		(void)why_set(w->why, r, 0, 0, "with it the policy is larger "
		    "than %zu bytes", TEXT_MAX);
	else if (r != 0)
		(void)why_set(w->why, r, 0, 0, "cannot be read: %s",
		    r == ERR_IO ? strerror(errno) : err_text(r));
	else
		r = add_text(w, name, &text);
	buf_done(&text);
	return r;
}

/* What is wrong with a file that cannot be taken stands where it is named. */
static int
add_include(struct work *w, const struct bundle_include *include)
{
	const struct yaml_node *at = include->at;
	char full[1024];
	bool within;
	size_t i;
	int r;

	for (i = 0; i < w->n; i++)
		if (strcmp(w->files[i].name, include->name) == 0)
			return 0;
	if (w->n == BUNDLE_FILES_MAX)
		return why_set(w->why, ERR_LIMIT, at->line, at->column,
		    "a policy has at most %d files", BUNDLE_FILES_MAX);
	policy_file_name(w->path, include->name, full);
	if ((r = is_within(w, full, &within)) != 0)
		return why_set(w->why, r, at->line, at->column, "\"%s\" "
		    "cannot be read: %s", full, r == ERR_IO ?
		    strerror(errno) : err_text(r));
	if (!within)
		return why_set(w->why, ERR_DENIED, at->line, at->column,
		    "\"%s\" leads out of the policy's folder; what a policy "
		    "is made of stands below it", full);
	if ((r = add_file(w, full, include->name)) != 0)
		policy_file_name(w->path, include->name, w->file);
	return r;
}

/* All that file number i includes and is not there yet. */
static int
follow(struct work *w, size_t i)
{
	struct yaml_in in = {.arena = w->a, .why = w->why};
	const struct bundle_include *list;
	const struct yaml_node *root;
	size_t k, n;
	int r;

	policy_file_name(w->path, i > 0 ? w->files[i].name : NULL, w->file);
	if ((r = yaml_parse(w->a, w->files[i].text, w->files[i].len, &root,
	    w->why)) != 0)
		return r;
	yaml_any_map(&in, root);
	bundle_includes(&in, root, w->files[i].name, &list, &n);
	r = in.result;
	for (k = 0; k < n && r == 0; k++)
		r = add_include(w, &list[k]);
	return r;
}

static int
read_all(struct work *w, struct buf *out)
{
	const char *slash = strrchr(w->path, '/');
	size_t i;
	int r;

	policy_file_name(w->path, NULL, w->file);
	if ((r = add_file(w, w->path, slash == NULL ? w->path :
	    slash + 1)) != 0)
		return r;
	/* One that was recorded is whole already. */
	for (i = 0; i < w->n && !bundle_is(w->files[0].text,
	    w->files[0].len); i++)
		if ((r = follow(w, i)) != 0)
			return r;
	if (w->n == 1)
		buf_bytes(out, w->files[0].text, w->files[0].len);
	else
		bundle_write(out, w->files, w->n);
	return out->failed ? why_set(w->why, ERR_MEMORY, 0, 0,
	    "out of memory") : 0;
}

int
policy_file_read(const char *path, struct buf *out, struct why *why,
    char file[static 1024])
{
	struct work w = { .path = path, .why = why, .file = file };
	int r;

	w.a = arena_new();
	w.files = w.a == NULL ? NULL : arena_array(w.a, BUNDLE_FILES_MAX,
	    sizeof(*w.files));
	r = w.files == NULL ? why_set(why, ERR_MEMORY, 0, 0,
	    "out of memory") : read_all(&w, out);
	arena_free(w.a);
	return r;
}

int
policy_file_load(const char *path, const char *text, size_t len,
    struct policy **ret, struct why *w, char file[static 1024])
{
	int r = policy_load(text, len, ret, w);

	policy_file_name(path, r != 0 ? w->file : NULL, file);
	return r;
}

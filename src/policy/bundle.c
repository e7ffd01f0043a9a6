#include "policy/bundle.h"

#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "yaml/yaml.h"

#define MAGIC "sworn policy bundle 1\n"

bool
bundle_is(const char *text, size_t len)
{
	return len >= strlen(MAGIC) && memcmp(text, MAGIC,
	    strlen(MAGIC)) == 0;
}

/*
 * A path that stays below the folder it starts in: no component is empty,
 * "." or "..".
 */
static bool
name_valid(const char *s)
{
	size_t n;

	if (*s == 0 || strlen(s) > BUNDLE_NAME_MAX)
		return false;
	for (n = 0; s[n] != 0; n++)
		if ((unsigned char)s[n] < 0x20 || s[n] == 0x7f)
			return false;
	for (;; s += n + 1) {
		n = strcspn(s, "/");
		if (n == 0 || (n == 1 && s[0] == '.') ||
		    (n == 2 && s[0] == '.' && s[1] == '.'))
			return false;
		if (s[n] == 0)
			return true;
	}
}

static bool
is_known(const struct bundle_file *files, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(files[i].name, name) == 0)
			return true;
	return false;
}

/* "file LENGTH NAME", the bytes, a line end; *pos moves behind them. */
static int
read_file(const char *text, size_t len, size_t *pos, struct arena *a,
    struct bundle_file *ret)
{
	const char *p = text + *pos, *end, *space, *name;
	size_t left = len - *pos;
	uint64_t n;

	if (left < 5 || memcmp(p, "file ", 5) != 0 ||
	    (end = memchr(p, '\n', left)) == NULL ||
	    (space = memchr(p + 5, ' ', (size_t)(end - p) - 5)) == NULL ||
	    text_u64(p + 5, (size_t)(space - p) - 5, &n) != 0)
		return ERR_FORMAT;
	name = arena_strn(a, space + 1, (size_t)(end - space) - 1);
	if (name == NULL)
		return ERR_MEMORY;
	left -= (size_t)(end - p) + 1;
	if (!name_valid(name) || strlen(name) != (size_t)(end - space) - 1 ||
	    n >= left || end[1 + n] != '\n')
		return ERR_FORMAT;
	*ret = (struct bundle_file){name, end + 1, (size_t)n};
	*pos = (size_t)(end + 1 - text) + (size_t)n + 1;
	return 0;
}

int
bundle_read(const char *text, size_t len, struct arena *a,
    const struct bundle_file **ret, size_t *ret_n, struct why *w)
{
	struct bundle_file *files;
	size_t pos = strlen(MAGIC), n = 0;
	int r = 0;

	files = arena_array(a, BUNDLE_FILES_MAX, sizeof(*files));
	if (files == NULL)
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	if (!bundle_is(text, len))
		return why_set(w, ERR_FORMAT, 0, 0, "this is no bundle");
	while (pos < len || n == 0) {
		if (n == BUNDLE_FILES_MAX)
			return why_set(w, ERR_LIMIT, 0, 0, "a policy has at "
			    "most %d files", BUNDLE_FILES_MAX);
		if ((r = read_file(text, len, &pos, a, &files[n])) != 0)
			break;
		if (is_known(files, n, files[n].name)) {
			r = ERR_FORMAT;
			break;
		}
		n++;
	}
	if (r != 0)
		return why_set(w, r, 0, 0, "the bundle is damaged after %zu "
		    "files, at byte %zu", n, pos);
	*ret = files;
	*ret_n = n;
	return 0;
}

void
bundle_write(struct buf *out, const struct bundle_file *files, size_t n)
{
	size_t i;

	buf_str(out, MAGIC);
	for (i = 0; i < n; i++) {
		buf_fmt(out, "file %zu %s\n", files[i].len, files[i].name);
		buf_bytes(out, files[i].text, files[i].len);
		buf_str(out, "\n");
	}
}

/* What `s`, as written in `file`, is below the policy's folder. */
static const char *
resolve(struct yaml_in *in, const struct yaml_node *n, const char *file)
{
	const char *s = yaml_str(in, n), *slash, *name;

	if (s == NULL)
		return NULL;
	if (!name_valid(s)) {
		(void)yaml_fail(in, n, "\"%.80s\" is no path that can be "
		    "included; write it as name.yaml or folder/name.yaml: "
		    "files are below the folder of whoever includes them", s);
		return NULL;
	}
	slash = strrchr(file, '/');
	name = slash == NULL ? s : arena_fmt(in->arena, "%.*s/%s",
	    (int)(slash - file), file, s);
	if (name == NULL)
		in->result = why_set(in->why, ERR_MEMORY, 0, 0,
		    "out of memory");
	else if (strlen(name) > BUNDLE_NAME_MAX)
		(void)yaml_fail(in, n, "the path of an included file has at "
		    "most %d bytes", BUNDLE_NAME_MAX);
	return name;
}

void
bundle_includes(struct yaml_in *in, const struct yaml_node *root,
    const char *file, const struct bundle_include **ret, size_t *ret_n)
{
	const struct yaml_node *n = yaml_get(root, "include");
	struct bundle_include *list;
	size_t i, k;

	*ret = NULL;
	*ret_n = 0;
	yaml_list(in, n);
	if (n == NULL || in->result != 0)
		return;
	if ((list = arena_array(in->arena, n->n, sizeof(*list))) == NULL) {
		in->result = why_set(in->why, ERR_MEMORY, 0, 0,
		    "out of memory");
		return;
	}
	for (i = 0; i < n->n && in->result == 0; i++) {
		list[i].at = n->items[i];
		list[i].name = resolve(in, n->items[i], file);
		for (k = 0; k < i && in->result == 0; k++)
			if (strcmp(list[k].name, list[i].name) == 0)
				(void)yaml_fail(in, n->items[i], "\"%s\" is "
				    "included twice here", list[i].name);
	}
	*ret = list;
	*ret_n = n->n;
}

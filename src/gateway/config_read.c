#include "gateway/config_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "gateway/parcel.h"
#include "gateway/config.h"
#include "gateway/file.h"
#include "gateway/policy_file.h"
#include "yaml/yaml.h"

#define CONFIG_FILE_MAX ((size_t)256 << 20)
#define FOLDER_ITEM "folder"	/* of a parcel; no path: those have a slash */
#define NAME_CHARS \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

void
loading_about(struct loading *l, const char *path)
{
	(void)snprintf(l->file, 1024, "%s", path); /* cut is fine */
}

const char *
loading_path(struct loading *l, const char *name)
{
	if (name == NULL)
		return NULL;
	if (name[0] == '/')
		return name;
	return arena_fmt(l->arena, "%s/%s", l->folder, name);
}

/* The folder of a path, absolute, since processes change directory. */
static int
real_folder(const char *path, char **ret)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash == NULL ? strdup(".") : slash == path ?
	    strdup("/") : strndup(path, (size_t)(slash - path));
	int r = 0;

	if (dir == NULL)
		return ERR_MEMORY;
	if ((*ret = realpath(dir, NULL)) == NULL)
		r = ERR_IO;
	free(dir);
	return r;
}

int
loading_folder(struct loading *l, const char *path)
{
	struct bytes known;
	char *full = NULL;
	int r;

	if (l->from != NULL) {
		if ((r = parcel_find(l->from, FOLDER_ITEM, &known)) != 0)
			return r;
		l->folder = arena_strn(l->arena, (const char *)known.data,
		    known.len);
		return l->folder != NULL ? 0 : ERR_MEMORY;
	}
	if ((r = real_folder(path, &full)) != 0)
		return r == ERR_IO ? why_set(l->why, r, 0, 0,
		    "cannot be read: %s", strerror(errno)) : r;
	l->folder = arena_str(l->arena, full);
	r = l->folder == NULL ? ERR_MEMORY : 0;
	if (r == 0 && l->take != NULL)
		r = parcel_add(l->take, FOLDER_ITEM, full, strlen(full));
	free(full);
	return r;
}

int
loading_hash(const char *text, size_t len, char ret[static 65])
{
	uint8_t h[HASH_LEN];
	struct buf b;
	int r;

	if ((r = hash_sha256(text, len, h)) != 0)
		return r;
	buf_init(&b, 0);
	text_hex(&b, h, sizeof(h));
	if (buf_text(&b) == NULL)
		r = ERR_MEMORY;
	else
		memcpy(ret, b.data, 65);
	buf_done(&b);
	return r;
}

static int
read_disk(struct loading *l, const char *path, bool secret, struct buf *b)
{
	int r = file_read(path, b);

	if (r == ERR_IO)
		return why_set(l->why, r, 0, 0, "cannot be read: %s",
		    strerror(errno));
	if (r == ERR_LIMIT)
		return why_set(l->why, r, 0, 0, "is larger than %zu bytes",
		    CONFIG_FILE_MAX);
	if (r == 0 && secret && file_is_open_to_others(path))
		return why_set(l->why, ERR_DENIED, 0, 0, "holds secrets and "
		    "can be read by others; run: chmod 600 %.400s", path);
	if (r == 0 && l->take != NULL)
		r = parcel_add(l->take, path, b->data, b->len);
	return r;
}

int
loading_read(struct loading *l, const char *path, bool secret,
    const char **ret, size_t *ret_len)
{
	struct bytes got = {NULL, 0};
	struct buf b;
	int r;

	loading_about(l, path);
	buf_init(&b, CONFIG_FILE_MAX);
	if (l->from != NULL) {
		if ((r = parcel_find(l->from, path, &got)) != 0)
			(void)why_set(l->why, r, 0, 0, "was not handed over");
	} else if ((r = read_disk(l, path, secret, &b)) == 0) {
		got = bytes_of(b.data, b.len);
	}
	if (r == 0) {
		*ret = arena_strn(l->arena, (const char *)got.data, got.len);
		*ret_len = got.len;
		if (*ret == NULL)
			r = ERR_MEMORY;
	}
	buf_wipe_done(&b);
	return r;
}

int
loading_text(struct loading *l, const char *name, struct config_text *t)
{
	int r;

	if ((t->path = loading_path(l, name)) == NULL)
		return ERR_MEMORY;
	if ((r = loading_read(l, t->path, false, &t->text, &t->len)) != 0)
		return r;
	return loading_hash(t->text, t->len, t->sha256);
}

int
loading_policy(struct loading *l, const char *name, struct config_text *t)
{
	struct buf text;
	int r;

	if (l->from != NULL)	/* it was handed over as one */
		return loading_text(l, name, t);
	if ((t->path = loading_path(l, name)) == NULL)
		return ERR_MEMORY;
	buf_init(&text, CONFIG_FILE_MAX);
	if ((r = policy_file_read(t->path, &text, l->why, l->file)) != 0)
		goto out;
	if (l->take != NULL)
		r = parcel_add(l->take, t->path, text.data, text.len);
	t->text = arena_strn(l->arena, (const char *)text.data, text.len);
	t->len = text.len;
	if (t->text == NULL)
		r = ERR_MEMORY;
	if (r == 0)
		r = loading_hash(t->text, t->len, t->sha256);
out:
	buf_done(&text);
	return r;
}

bool
loading_exists(struct loading *l, const char *path)
{
	struct bytes got;

	if (l->from != NULL)
		return parcel_find(l->from, path, &got) == 0;
	if (access(path, F_OK) == 0 || errno != ENOENT)
		return true;
	/* Without memory it is just not noted, and missed by who asks. */
	if (l->take != NULL)
		(void)parcel_add_absent(l->take, path);
	return false;
}

const char *
loading_name(struct yaml_in *in, const struct yaml_node *n, const char *what)
{
	const char *s = yaml_str(in, n);

	if (s != NULL && (s[0] == 0 || strlen(s) > 60 ||
	    s[strspn(s, NAME_CHARS)] != 0)) {
		(void)yaml_fail(in, n, "\"%.80s\" is not a name for a %s; use "
		    "letters, digits, dot, hyphen and underscore, 60 at most",
		    s, what);
		return NULL;
	}
	return s;
}

/*
 * The folder is synced after the rename: only then is the new name durable.
 */
#include "cli/applied.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/apply.h"
#include "gateway/config.h"

static int
said(const char *path)
{
	(void)fprintf(stderr, "sworn apply: %s: %s\n", path, strerror(errno));
	return ERR_IO;
}

static json_int_t
oid(PGresult *r, int row, int column)
{
	uint64_t n;

	return text_u64(PQgetvalue(r, row, column),
	    (size_t)PQgetlength(r, row, column), &n) != 0 ? 0 :
	    (json_int_t)n;
}

/* [view, twin] each. Both lists are in one order, so *at only moves on. */
static json_t *
twins_json(const char *role, PGresult *twins, int *at)
{
	json_t *list = json_array();
	int n = PQntuples(twins), order;

	for (; *at < n; (*at)++) {
		order = strcmp(PQgetvalue(twins, *at, 0), role);
		if (order > 0)
			break;
		if (order == 0 && json_array_append_new(list, json_pack(
		    "[II]", oid(twins, *at, 1), oid(twins, *at, 2))) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* [name, view, twin] each. */
static json_t *
views_json(const char *schema, PGresult *twins)
{
	json_t *list = json_array();
	int i, n = PQntuples(twins), lo = 0, hi = n;

	while (lo < hi) {
		i = lo + (hi - lo) / 2;
		if (strcmp(PQgetvalue(twins, i, 0), schema) < 0)
			lo = i + 1;
		else
			hi = i;
	}
	for (i = lo; i < n && strcmp(PQgetvalue(twins, i, 0), schema) == 0;
	    i++)
		if (json_array_append_new(list, json_pack("[sII]",
		    PQgetvalue(twins, i, 3), oid(twins, i, 1),
		    oid(twins, i, 2))) != 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *
panes_json(const struct share *share, PGresult *twins)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < share->n; i++)
		if (json_array_append_new(list, json_pack("{ssso}", "schema",
		    share->panes[i].name, "views",
		    views_json(share->panes[i].name, twins))) != 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

/* The indexes of the panes that a clearance reads. */
static json_t *
reads_json(const struct share *share, size_t clearance)
{
	json_t *list = json_array();
	size_t i, k;

	for (i = 0; i < share->n; i++)
		for (k = 0; k < share->panes[i].n_readers; k++)
			if (share->panes[i].readers[k] == clearance &&
			    json_array_append_new(list,
			    json_integer((json_int_t)i)) != 0) {
				json_decref(list);
				return NULL;
			}
	return list;
}

static json_t *
logins_json(const struct apply *a, PGresult *twins)
{
	const struct clearances *c = &a->wanted;
	json_t *list = json_array();
	int at = 0;
	size_t i;

	for (i = 0; i < c->n; i++)
		if (json_array_append_new(list, json_pack("{ssssssssso}",
		    "role", c->items[i].role, "password", a->passwords[i],
		    "verifier", a->verifiers[i],
		    "clearance_sha256", c->items[i].hash,
		    a->shared ? "panes" : "twins", a->shared ?
		    reads_json(&a->share, i) :
		    twins_json(c->items[i].role, twins, &at))) != 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *
counts_json(PGresult *counts)
{
	json_t *o = json_object();
	uint64_t n;
	int i;

	for (i = 0; i < PQntuples(counts); i++)
		if (text_u64(PQgetvalue(counts, i, 1),
		    (size_t)PQgetlength(counts, i, 1), &n) != 0 ||
		    json_object_set_new(o, PQgetvalue(counts, i, 0),
		    json_integer((json_int_t)n)) != 0) {
			json_decref(o);
			return NULL;
		}
	return o;
}

/* [name, hash] each. */
static json_t *
watch_json(const struct watch_list *l)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < l->n; i++)
		if (json_array_append_new(list, json_pack("[ss]",
		    l->lines[i].name, l->lines[i].hash)) != 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *
seal_json(const struct seal *s)
{
	json_t *o = NULL;
	struct buf key;

	buf_init(&key, 0);
	text_hex(&key, s->key, sizeof(s->key));
	if (buf_text(&key) != NULL)
		o = json_pack("{sssI}", "key", buf_text(&key), "number",
		    (json_int_t)s->number);
	buf_wipe_done(&key);
	return o;
}

static char *
applied_text(const struct apply *a, PGresult *counts, PGresult *twins,
    int64_t at_ms)
{
	char when[TIME_TEXT_MAX], *text = NULL;
	json_t *root;

	time_text(at_ms, when);
	root = json_pack("{sisssososssoso}", "version", 1, "store",
	    a->store->name, "logins", logins_json(a, twins),
	    "counts", counts_json(counts), "counted", when,
	    "watch", watch_json(&a->watch), "seal", seal_json(&a->seal));
	if (root != NULL && (!a->shared || json_object_set_new(root, "panes",
	    panes_json(&a->share, twins)) == 0))
		text = json_dumps(root, JSON_INDENT(1));
	json_decref(root);
	return text;
}

static int
write_all(const char *path, const char *text)
{
	size_t len = strlen(text), done = 0;
	ssize_t n;
	int fd, r = 0;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd < 0)
		return said(path);
	while (r == 0 && done < len) {
		n = write(fd, text + done, len - done);
		if (n < 0 && errno != EINTR)
			r = said(path);
		else if (n > 0)
			done += (size_t)n;
	}
	if (r == 0 && (fchmod(fd, 0600) != 0 || fsync(fd) != 0))
		r = said(path);
	if (close(fd) != 0 && r == 0)
		r = said(path);
	return r;
}

int
applied_folder(const char *path)
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	(void)fprintf(stderr, "sworn apply: state folder %s cannot be made: "
	    "%s\n", path, strerror(errno));
	return ERR_IO;
}

int
applied_write(struct applied *f, const struct apply *a,
    PGresult *counts, PGresult *twins, int64_t at_ms)
{
	struct buf name;
	char *text;
	int r = ERR_MEMORY;

	buf_init(&name, 0);
	text = applied_text(a, counts, twins, at_ms);
	buf_fmt(&name, "%s.new", f->path);
	if (text == NULL || (f->temporary = buf_steal(&name)) == NULL)
		(void)fprintf(stderr, "sworn apply: out of memory\n");
	else
		r = write_all(f->temporary, text);
	if (text != NULL)
		wipe(text, strlen(text));
	free(text);
	buf_done(&name);
	return r;
}

static int
sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder;
	int fd, r = 0;

	folder = slash == NULL ? strdup(".") :
	    strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (folder == NULL)
		return ERR_MEMORY;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		r = said(folder);
	if (fd >= 0)
		(void)close(fd);	/* nothing was written through it */
	free(folder);
	return r;
}

int
applied_commit(struct applied *f)
{
	if (rename(f->temporary, f->path) != 0)
		return said(f->path);
	free(f->temporary);
	f->temporary = NULL;
	return sync_folder(f->path);
}

void
applied_done(struct applied *f)
{
	if (f->temporary != NULL)
		(void)unlink(f->temporary);	/* it was of no use anyway */
	free(f->temporary);
	f->temporary = NULL;
}

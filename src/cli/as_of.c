#include "cli/as_of.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "cli/history.h"
#include "crypto/hash.h"
#include "directory/directory.h"
#include "gateway/config.h"
#include "logdir/logfile.h"
#include "policy/policy.h"
#include "record/record.h"

#define PATH_LEN 4096

struct as_of {
	struct config c;
	struct arena *a;
	const struct history *h;
	const struct history_version *v;
};

static int
missing(int r, const char *kind, const char *path, struct why *w)
{
	return why_set(w, r, 0, 0, "the %s that was in force cannot be read: "
	    "%.300s: %s%s", kind, path, r == ERR_IO ? strerror(errno) :
	    err_text(r), r == ERR_MISSING ? "; sworn log mirror brings it "
	    "from wherever the log is served" : "");
}

static int
check_hash(const struct buf *in, const char *sha256, bool *ret)
{
	uint8_t h[HASH_LEN];
	struct buf hex;
	int r;

	buf_init(&hex, 0);
	if ((r = hash_sha256(in->data, in->len, h)) == 0) {
		text_hex(&hex, h, sizeof(h));
		if (buf_text(&hex) == NULL)
			r = ERR_MEMORY;
		else
			*ret = strcmp((const char *)hex.data, sha256) == 0;
	}
	buf_done(&hex);
	return r;
}

int
as_of_text(const struct history *h, const char *kind, const char *sha256,
    struct buf *out, struct why *w)
{
	char path[PATH_LEN];
	bool same = false;
	int n, r;

	if (strlen(sha256) != 64)
		return why_set(w, ERR_MISSING, 0, 0, "%s: the log does not "
		    "say which %s was in force", h->dir, kind);
	n = snprintf(path, sizeof(path), "%s/objects/%s", h->dir, sha256);
	if (n < 0 || (size_t)n >= sizeof(path))
		return why_set(w, ERR_LIMIT, 0, 0, "%.200s: the path is too "
		    "long", h->dir);
	buf_reset(out);
	if ((r = logfile_read(path, strcmp(kind, "directory") == 0 ?
	    RECORD_OBJECT_MAX : RECORD_TEXT_MAX, out)) != 0)
		return missing(r, kind, path, w);
	if (buf_text(out) == NULL || (r = check_hash(out, sha256, &same)) != 0)
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	if (!same)
		return why_set(w, ERR_CRYPTO, 0, 0, "the %s that was in force "
		    "is damaged: %.300s holds other bytes than its name says",
		    kind, path);
	return 0;
}

static int
not_understood(int r, const char *kind, const char *path, struct why *w)
{
	struct why said = *w;

	if (r == ERR_MEMORY)
		return why_set(w, r, 0, 0, "out of memory");
	return why_set(w, r, 0, 0, "the %s that was in force is not "
	    "understood by this version of sworn: %.200s, line %u: %.200s",
	    kind, path, said.line, said.text);
}

static int
keep_name(struct as_of *s, const char *sha256, struct config_text *t)
{
	t->path = arena_fmt(s->a, "%s/objects/%s", s->h->dir, sha256);
	memcpy(t->sha256, sha256, strlen(sha256) + 1);
	return t->path == NULL ? ERR_MEMORY : 0;
}

static int
load_policy(struct as_of *s, struct buf *text, struct why *w)
{
	struct config_text *t = &s->c.policy_text;
	int r;

	if ((r = as_of_text(s->h, "policy", s->v->policy, text, w)) != 0)
		return r;
	t->len = text->len;
	t->text = arena_strn(s->a, (const char *)text->data, text->len);
	if (t->text == NULL || keep_name(s, s->v->policy, t) != 0)
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	r = policy_load((const char *)text->data, text->len, &s->c.policy, w);
	return r == 0 ? 0 : not_understood(r, "policy", t->path, w);
}

static int
load_directory(struct as_of *s, struct buf *text, struct why *w)
{
	struct config_text *t = &s->c.directory_text;
	int r;

	if ((r = as_of_text(s->h, "directory", s->v->directory, text,
	    w)) != 0)
		return r;
	if (keep_name(s, s->v->directory, t) != 0)
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	r = directory_load((const char *)text->data, text->len,
	    &s->c.directory, w);
	return r == 0 ? 0 : not_understood(r, "directory", t->path, w);
}

static int
load_catalog(struct as_of *s, const char *sha256, struct config_store *st,
    struct buf *text, struct why *w)
{
	struct config_text *t = &st->catalog_text;
	int r;

	if ((r = as_of_text(s->h, "catalog", sha256, text, w)) != 0)
		return r;
	if (keep_name(s, sha256, t) != 0)
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	r = catalog_load((const char *)text->data, text->len, &st->catalog,
	    w);
	return r == 0 ? 0 : not_understood(r, "catalog", t->path, w);
}

/* -- services ----------------------------------------------------------------- */

/* An older log does not name them: then every service may have a role. */
static int
all_services(struct as_of *s, int64_t at_ms, const char ***ret_ids,
    const char ***ret_roles, size_t *ret_n)
{
	const struct principal *who;
	const char *const *ids;
	size_t i, n;
	int r;

	if ((r = directory_list(s->c.directory, at_ms, s->a, &ids, &n)) != 0)
		return r;
	*ret_ids = arena_array(s->a, n + 1, sizeof(**ret_ids));
	*ret_roles = arena_array(s->a, n + 1, sizeof(**ret_roles));
	*ret_n = 0;
	if (*ret_ids == NULL || *ret_roles == NULL)
		return ERR_MEMORY;
	for (i = 0; i < n; i++) {
		if ((r = directory_principal(s->c.directory, ids[i], at_ms,
		    s->a, &who)) != 0)
			return r;
		if (who->kind != PRINCIPAL_SERVICE)
			continue;
		(*ret_ids)[*ret_n] = ids[i];
		(*ret_roles)[(*ret_n)++] = "";
	}
	return 0;
}

static int
named_services(struct as_of *s, const struct history_store *from,
    const char ***ret_ids, const char ***ret_roles, size_t *ret_n)
{
	size_t i, n = from->n_services;

	*ret_ids = arena_array(s->a, n + 1, sizeof(**ret_ids));
	*ret_roles = arena_array(s->a, n + 1, sizeof(**ret_roles));
	*ret_n = n;
	if (*ret_ids == NULL || *ret_roles == NULL)
		return ERR_MEMORY;
	for (i = 0; i < n; i++) {
		(*ret_ids)[i] = from->services[i].principal;
		(*ret_roles)[i] = from->services[i].role;
	}
	return 0;
}

static int
load_store(struct as_of *s, const struct history_store *from, int64_t at_ms,
    struct config_store *st, struct buf *text, struct why *w)
{
	const char **ids, **roles;
	size_t n;
	int r;

	st->name = from->name;
	st->mode = strcmp(from->mode, store_mode_text(STORE_ENFORCE)) == 0 ?
	    STORE_ENFORCE : STORE_OBSERVE;
	st->residences = from->residences;
	st->n_residences = from->n_residences;
	r = from->has_services ? named_services(s, from, &ids, &roles, &n) :
	    all_services(s, at_ms, &ids, &roles, &n);
	if (r != 0)
		return why_set(w, r, 0, 0, "%s", err_text(r));
	st->service_principals = ids;
	st->service_roles = roles;
	st->n_services = n;
	return load_catalog(s, from->catalog, st, text, w);
}

/* -- the whole ------------------------------------------------------------------ */

static int
load(struct as_of *s, int64_t at_ms, struct why *w)
{
	const struct history_version *v = s->v;
	struct buf text;
	size_t i;
	int r;

	s->c.path = s->h->dir;
	s->c.gateway = s->h->gateway;
	if (v->addresses != NULL)
		memcpy(s->c.addresses_text.sha256, v->addresses,
		    strnlen(v->addresses, 64));
	s->c.stores = arena_array(s->a, v->n_stores + 1,
	    sizeof(*s->c.stores));
	if (s->c.stores == NULL)
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	buf_init(&text, RECORD_OBJECT_MAX + 1);
	if ((r = load_policy(s, &text, w)) != 0 ||
	    (r = load_directory(s, &text, w)) != 0)
		goto out;
	for (i = 0; i < v->n_stores && r == 0; i++) {
		s->c.n_stores++;
		r = load_store(s, &v->stores[i], at_ms, &s->c.stores[i],
		    &text, w);
	}
out:
	buf_done(&text);
	return r;
}

int
as_of_new(const struct history *h, const struct history_version *v,
    int64_t at_ms, struct as_of **ret, struct why *w)
{
	struct as_of *s = calloc(1, sizeof(*s));
	int r;

	memset(w, 0, sizeof(*w));
	if (s == NULL || (s->a = arena_new()) == NULL) {
		free(s);
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	}
	s->h = h;
	s->v = v;
	if ((r = load(s, at_ms, w)) == 0) {
		*ret = s;
		s = NULL;	/* now the caller's */
	}
	as_of_free(s);
	return r;
}

void
as_of_free(struct as_of *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->c.n_stores; i++)
		catalog_free(s->c.stores[i].catalog);
	directory_free(s->c.directory);
	policy_free(s->c.policy);
	arena_free(s->a);
	free(s);
}

const struct config *
as_of_config(const struct as_of *s)
{
	return &s->c;
}

void
as_of_warn(const struct as_of *s)
{
	const struct history_version *v = s->v;
	size_t i;

	if (!v->stores_said && v->n_stores > 0)
		(void)fprintf(stderr, "warning: the log does not say which "
		    "stores were taken out of the configuration: every one "
		    "that it named since the gateway's start is taken for in "
		    "force\n");
	for (i = 0; i < v->n_stores; i++)
		if (!v->stores[i].has_services)
			(void)fprintf(stderr, "warning: the log does not say "
			    "which services had a role in store %s: every "
			    "service of the directory is taken for one that "
			    "had\n", v->stores[i].name);
}

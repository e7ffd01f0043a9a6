/*
 * Each object is asked for once; a failure is kept like a success, so that
 * a log which names a missing object a million times costs one look.
 */
#include "claim/objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "crypto/hash.h"
#include "directory/directory.h"
#include "policy/policy.h"
#include "record/record.h"

enum object_kind {
	OBJECT_POLICY,
	OBJECT_CATALOG,
	OBJECT_DIRECTORY,
};

static const char *const kind_names[] = {"policy", "catalog", "directory"};

struct object {
	struct object *next;
	enum object_kind kind;
	char sha256[RECORD_HASH_HEX + 1];
	int result;
	char why[WHY_TEXT_MAX + 160];
	union {
		struct policy *policy;
		struct catalog *catalog;
		struct directory *directory;
	} u;
};

struct objects {
	objects_read_fn *read;
	void *arg;
	struct object *list;
	size_t n;
};

struct objects *
objects_new(objects_read_fn *read, void *arg)
{
	struct objects *o = calloc(1, sizeof(*o));

	if (o != NULL) {
		o->read = read;
		o->arg = arg;
	}
	return o;
}

static void
object_free(struct object *b)
{
	if (b->result == 0) {
		switch (b->kind) {
		case OBJECT_POLICY:
			policy_free(b->u.policy);
			break;
		case OBJECT_CATALOG:
			catalog_free(b->u.catalog);
			break;
		case OBJECT_DIRECTORY:
			directory_free(b->u.directory);
			break;
		}
	}
	free(b);
}

void
objects_free(struct objects *o)
{
	struct object *b;

	if (o == NULL)
		return;
	while ((b = o->list) != NULL) {
		o->list = b->next;
		object_free(b);
	}
	free(o);
}

static int
check_hash(const struct buf *in, const char *sha256)
{
	uint8_t hash[HASH_LEN];
	struct buf hex;
	int r;

	buf_init(&hex, 0);
	if ((r = hash_sha256(in->data, in->len, hash)) != 0)
		return r;
	text_hex(&hex, hash, sizeof(hash));
	if (buf_text(&hex) == NULL)
		r = ERR_MEMORY;
	else if (strcmp((const char *)hex.data, sha256) != 0)
		r = ERR_CRYPTO;
	buf_done(&hex);
	return r;
}

static int
parse(struct object *b, const struct buf *in, struct why *w)
{
	const char *text = (const char *)in->data;

	switch (b->kind) {
	case OBJECT_POLICY:
		return policy_load(text, in->len, &b->u.policy, w);
	case OBJECT_CATALOG:
		return catalog_load(text, in->len, &b->u.catalog, w);
	case OBJECT_DIRECTORY:
		return directory_load(text, in->len, &b->u.directory, w);
	}
	return ERR_FORMAT;
}

static void
say(struct object *b, const char *what, const char *more)
{
	(void)snprintf(b->why, sizeof(b->why), "the %s objects/%s %s%s",
	    kind_names[b->kind], b->sha256, what, more); /* cut is fine */
}

static int
load(struct objects *o, struct object *b)
{
	struct why w = {0};
	struct buf in;
	int r;

	if (strlen(b->sha256) != RECORD_HASH_HEX) {
		(void)snprintf(b->why, sizeof(b->why),
		    "the record names no %s", kind_names[b->kind]);
		return ERR_MISSING;
	}
	buf_init(&in, OBJECT_LEN_MAX);
	if ((r = o->read(o->arg, b->sha256, &in)) != 0) {
		say(b, "cannot be read: ", err_text(r));
	} else if (buf_text(&in) == NULL) {
		r = ERR_MEMORY;
	} else if ((r = check_hash(&in, b->sha256)) != 0) {
		say(b, "holds other bytes than its name says", "");
	} else if ((r = parse(b, &in, &w)) != 0) {
		say(b, "is not understood: ", w.text);
		if (w.file[0] != 0)
			(void)snprintf(b->why + strlen(b->why),
			    sizeof(b->why) - strlen(b->why), " (in %s, line "
			    "%u)", w.file, w.line); /* cut is fine */
	}
	buf_done(&in);
	return r;
}

static int
find(struct objects *o, enum object_kind kind, const char *sha256,
    struct object **ret)
{
	struct object *b;

	for (b = o->list; b != NULL; b = b->next) {
		if (b->kind == kind && strcmp(b->sha256, sha256) == 0) {
			*ret = b;
			return b->result;
		}
	}
	if (o->n >= OBJECTS_MAX || strlen(sha256) > RECORD_HASH_HEX)
		return ERR_LIMIT;
	if ((b = calloc(1, sizeof(*b))) == NULL)
		return ERR_MEMORY;
	b->kind = kind;
	memcpy(b->sha256, sha256, strlen(sha256) + 1);
	if ((b->result = load(o, b)) == ERR_MEMORY) {
		free(b);
		return ERR_MEMORY;
	}
	b->next = o->list;
	o->list = b;
	o->n++;
	*ret = b;
	return b->result;
}

static int
get(struct objects *o, enum object_kind kind, const char *sha256,
    struct object **ret, const char **why)
{
	int r;

	*ret = NULL;
	*why = "the log names more objects than are read";
	r = find(o, kind, sha256, ret);
	if (*ret != NULL)
		*why = (*ret)->why;
	return r;
}

int
objects_policy(struct objects *o, const char *sha256,
    const struct policy **ret, const char **why)
{
	struct object *b;
	int r;

	if ((r = get(o, OBJECT_POLICY, sha256, &b, why)) == 0)
		*ret = b->u.policy;
	return r;
}

int
objects_catalog(struct objects *o, const char *sha256,
    const struct catalog **ret, const char **why)
{
	struct object *b;
	int r;

	if ((r = get(o, OBJECT_CATALOG, sha256, &b, why)) == 0)
		*ret = b->u.catalog;
	return r;
}

int
objects_directory(struct objects *o, const char *sha256,
    const struct directory **ret, const char **why)
{
	struct object *b;
	int r;

	if ((r = get(o, OBJECT_DIRECTORY, sha256, &b, why)) == 0)
		*ret = b->u.directory;
	return r;
}

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
#include "directory/turns.h"
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
	char *why;		/* of a failure */
	size_t len;		/* of the text; 0: not in memory now */
	uint64_t used;		/* when, by asking */
	int64_t turn_from, turn_ms;	/* nothing turns from one to the other */
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
	size_t kept;		/* bytes of text of those in memory */
	uint64_t clock;
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
object_forget(struct object *b)
{
	if (b->result == 0 && b->len > 0) {
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
	b->len = 0;
}

static void
object_free(struct object *b)
{
	object_forget(b);
	free(b->why);
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
	char text[WHY_TEXT_MAX + 160];

	(void)snprintf(text, sizeof(text), "the %s objects/%s %s%s",
	    kind_names[b->kind], b->sha256, what, more); /* cut is fine */
	free(b->why);
	b->why = strdup(text);
}

/* A policy may be the text of several files. */
static void
say_where(struct object *b, const struct why *w)
{
	char *text = NULL;

	if (b->why == NULL || asprintf(&text, "%s (in %s, line %u)", b->why,
	    w->file, w->line) < 0)
		return;		/* it says less */
	free(b->why);
	b->why = text;
}

static void
say_no_name(struct object *b)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "the record names no %s",
	    kind_names[b->kind]);
	free(b->why);
	b->why = strdup(text);
}

static int
load(struct objects *o, struct object *b)
{
	struct why w = {0};
	struct buf in;
	int r;

	if (strlen(b->sha256) != RECORD_HASH_HEX) {
		say_no_name(b);
		return ERR_MISSING;
	}
	buf_init(&in, OBJECT_LEN_MAX + 1);
	if ((r = o->read(o->arg, b->sha256, &in)) != 0) {
		say(b, "cannot be read: ", err_text(r));
	} else if (buf_text(&in) == NULL) {
		r = ERR_MEMORY;
	} else if ((r = check_hash(&in, b->sha256)) != 0) {
		say(b, "holds other bytes than its name says", "");
	} else if (in.len > RECORD_TEXT_MAX && b->kind != OBJECT_DIRECTORY) {
		r = ERR_LIMIT;
		say(b, "is larger than such a text may be", "");
	} else if ((r = parse(b, &in, &w)) != 0) {
		say(b, "is not understood: ", w.text);
		if (w.file[0] != 0)
			say_where(b, &w);
	} else {
		b->len = in.len;
		b->turn_from = b->turn_ms = 0;
		o->kept += in.len;
	}
	buf_done(&in);
	return r;
}

/* Makes room by forgetting what was not used for longest; never the two of
 * each kind that were used last. */
static void
make_room(struct objects *o)
{
	struct object *b, *oldest;

	while (o->kept > OBJECTS_KEPT_LEN) {
		oldest = NULL;
		for (b = o->list; b != NULL; b = b->next)
			if (b->len > 0 && b->used + 6 < o->clock &&
			    (oldest == NULL || b->used < oldest->used))
				oldest = b;
		if (oldest == NULL)
			return;
		o->kept -= oldest->len;
		object_forget(oldest);
	}
}

static int
use(struct objects *o, struct object *b)
{
	b->used = ++o->clock;
	if (b->result == 0 && b->len == 0)
		b->result = load(o, b);
	make_room(o);
	return b->result;
}

static int
find(struct objects *o, enum object_kind kind, const char *sha256,
    struct object **ret)
{
	struct object *b, **at;

	for (at = &o->list; (b = *at) != NULL; at = &b->next) {
		if (b->kind == kind && strcmp(b->sha256, sha256) == 0) {
			*at = b->next;	/* to the front: soon again */
			b->next = o->list;
			o->list = b;
			*ret = b;
			return use(o, b);
		}
	}
	if (o->n >= OBJECTS_MAX || strlen(sha256) > RECORD_HASH_HEX)
		return ERR_LIMIT;
	if ((b = calloc(1, sizeof(*b))) == NULL)
		return ERR_MEMORY;
	b->kind = kind;
	memcpy(b->sha256, sha256, strlen(sha256) + 1);
	if (use(o, b) == ERR_MEMORY) {
		object_free(b);
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
		*why = (*ret)->why != NULL ? (*ret)->why : "out of memory";
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

/* Asked for one time after the other, so the last answer mostly holds. */
static int64_t
changes_at(struct object *b, int64_t at_ms)
{
	if (at_ms < b->turn_from || at_ms >= b->turn_ms) {
		b->turn_from = at_ms;
		b->turn_ms = b->kind == OBJECT_POLICY ?
		    policy_changes_at(b->u.policy, at_ms) :
		    directory_changes_at(b->u.directory, at_ms);
	}
	return b->turn_ms;
}

int64_t
objects_changes_at(struct objects *o, const char *policy,
    const char *directory, int64_t at_ms)
{
	int64_t next = INT64_MAX, turn;
	struct object *b;
	const char *why;

	if (get(o, OBJECT_POLICY, policy, &b, &why) == 0)
		next = changes_at(b, at_ms);
	if (get(o, OBJECT_DIRECTORY, directory, &b, &why) == 0 &&
	    (turn = changes_at(b, at_ms)) < next)
		next = turn;
	return next;
}

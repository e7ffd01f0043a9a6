/*
 * The one rule: before a cosignature leaves, the checkpoint that it is for
 * is on the disk as the newest one known of that log. A witness that was
 * killed, or that answered into nothing, so can only know more than it said.
 *
 *	old size, root asked            state                   answer
 *	---------------------------------------------------------------
 *	old > size                      any                     400
 *	old is not the recorded size    stays                   409
 *	proof wrong, or misplaced       stays                   422
 *	right                           becomes the asked one   200
 *
 * A request is decided by one thread, one after the other.
 */
#include "witness/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "store/disk.h"
#include "witness/request.h"

#define LOCK "lock"
#define PLAIN "text/plain; charset=utf-8"

struct log {
	const struct witness_log *conf;
	char file[2 * HASH_LEN + 1];
	struct merkle_hash root;
	uint64_t size;			/* 0: nothing cosigned yet */
	size_t key;			/* the newest that has signed */
};

struct witness {
	const struct witness_conf *conf;
	const struct disk *disk;
	const struct note_signer *by;
	struct log *logs;
	int dir, lock;
	bool broken;			/* not known what is durable */
};

/* -- what is known -------------------------------------------------------- */

/*
 * The checkpoint in a note, if one of the log's keys has signed it, but none
 * that stands before one that has signed already: that key is retired. 0 and
 * which; ERR_MISSING: by none; ERR_CRYPTO: badly; ERR_FORMAT or ERR_LIMIT.
 */
static int
check_note(const struct log *l, const char *note, size_t len,
    const char **body, size_t *body_len, struct checkpoint *ret,
    size_t *ret_key)
{
	bool found = false;
	size_t i;
	int r;

	for (i = l->key; i < l->conf->n_keys; i++) {
		r = note_check(note, len, &l->conf->keys[i], body, body_len,
		    NULL);
		if (r != 0 && r != ERR_MISSING)
			return r;
		if (r == 0)
			*ret_key = i;
		found |= r == 0;
	}
	return found ? checkpoint_read(*body, *body_len, ret) : ERR_MISSING;
}

static int
load(struct witness *x, struct log *l, struct why *w)
{
	struct checkpoint c;
	const char *body;
	struct buf note;
	size_t len;
	int r;

	buf_init(&note, 0);
	r = disk_read(x->dir, l->file, NOTE_MAX, &note);
	if (r == ERR_MISSING) {
		r = hash_sha256("", 0, l->root.h);
	} else if (r == 0) {
		r = check_note(l, (const char *)note.data, note.len, &body,
		    &len, &c, &l->key);
		if (r == 0 && strcmp(c.origin, l->conf->origin) != 0)
			r = ERR_CONFLICT;
		if (r == 0) {
			l->size = c.size;
			l->root = c.root;
		}
	}
	if (r != 0)
		(void)why_set(w, r, 0, 0, "%s/%s, what is known of the log "
		    "%s: %s; restore the newest copy of it: with an older one "
		    "this witness would cosign what it must not",
		    x->conf->state_dir, l->file, l->conf->origin,
		    r == ERR_IO ? strerror(errno) : err_text(r));
	buf_done(&note);
	return r;
}

static int
name_file(struct log *l)
{
	uint8_t digest[HASH_LEN];
	struct buf hex;
	int r;

	buf_init(&hex, 0);
	if ((r = hash_sha256(l->conf->origin, strlen(l->conf->origin),
	    digest)) == 0) {
		text_hex(&hex, digest, sizeof(digest));
		if (hex.failed)
			r = ERR_MEMORY;
		else
			memcpy(l->file, hex.data, sizeof(l->file) - 1);
	}
	buf_done(&hex);
	return r;
}

static int
open_state(struct witness *x, struct why *w)
{
	const char *path = x->conf->state_dir;

	x->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (x->dir < 0)
		return why_set(w, ERR_IO, 0, 0, "%s: %s", path,
		    strerror(errno));
	x->lock = openat(x->dir, LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (x->lock < 0)
		return why_set(w, ERR_IO, 0, 0, "%s/%s: %s", path, LOCK,
		    strerror(errno));
	if (flock(x->lock, LOCK_EX | LOCK_NB) != 0)
		return why_set(w, ERR_EXISTS, 0, 0, "%s is in use by another "
		    "witness", path);
	return 0;
}

int
witness_open(const struct witness_conf *conf, const struct disk *disk,
    const struct note_signer *by, struct witness **ret, struct why *w)
{
	struct witness *x = calloc(1, sizeof(*x));
	size_t i;
	int r = 0;

	if (x == NULL)
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	x->conf = conf;
	x->disk = disk;
	x->by = by;
	x->dir = x->lock = -1;
	x->logs = calloc(conf->n_logs, sizeof(*x->logs));
	if (x->logs == NULL)
		r = why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	if (r == 0)
		r = open_state(x, w);
	for (i = 0; r == 0 && i < conf->n_logs; i++) {
		x->logs[i].conf = &conf->logs[i];
		if ((r = name_file(&x->logs[i])) == 0)
			r = load(x, &x->logs[i], w);
	}
	if (r == 0) {
		*ret = x;
		x = NULL;		/* now the caller's */
	}
	witness_free(x);
	return r;
}

void
witness_free(struct witness *x)
{
	if (x == NULL)
		return;
	if (x->lock >= 0)
		(void)close(x->lock);	/* and so unlocked */
	if (x->dir >= 0)
		(void)close(x->dir);	/* only opened */
	free(x->logs);
	free(x);
}

/* -- a request -------------------------------------------------------------- */

static struct log *
find_log(struct witness *x, const struct request *q)
{
	const char *nl = memchr(q->note, '\n', q->note_len);
	size_t len, i;

	if (nl == NULL)
		return NULL;
	len = (size_t)(nl - q->note);
	for (i = 0; i < x->conf->n_logs; i++)
		if (strlen(x->logs[i].conf->origin) == len &&
		    memcmp(x->logs[i].conf->origin, q->note, len) == 0)
			return &x->logs[i];
	return NULL;
}

static unsigned
say(struct buf *out, unsigned status, const char *text)
{
	buf_str(out, text);
	return status;
}

static unsigned
refuse_note(struct buf *out, int r)
{
	if (r == ERR_MISSING)
		return say(out, 403, "no signature by a key that this witness "
		    "trusts for the log\n");
	if (r == ERR_CRYPTO)
		return say(out, 403, "a signature is wrong\n");
	if (r == ERR_MEMORY)
		return say(out, 500, "out of memory\n");
	return say(out, 400, "no signed checkpoint\n");
}

/* Durable, or not as far as anybody is told. */
static unsigned
record(struct witness *x, struct log *l, const struct request *q,
    const struct checkpoint *c, size_t key, struct buf *out)
{
	int r = disk_replace(x->disk, x->dir, l->file, q->note, q->note_len);

	if (r == ERR_STATE) {
		x->broken = true;
		return say(out, 503, "the disk failed: this witness ends\n");
	}
	if (r != 0)
		return say(out, 500, "the disk is full or failed: nothing "
		    "was cosigned\n");
	l->size = c->size;
	l->root = c->root;
	l->key = key;
	return 200;
}

static unsigned
decide(struct witness *x, struct log *l, const struct request *q,
    const struct checkpoint *c, size_t key, struct buf *out,
    const char **ret_type)
{
	if (q->old > c->size)
		return say(out, 400, "old is larger than the checkpoint's "
		    "size\n");
	if (q->old != l->size) {
		*ret_type = REQUEST_SIZE_TYPE;
		buf_fmt(out, "%" PRIu64 "\n", l->size);
		return 409;
	}
	if (merkle_check_consistency(q->old, c->size, &l->root, &c->root,
	    q->proof, q->n) != 0)
		return say(out, 422, "not consistent with the tree that this "
		    "witness has cosigned\n");
	return record(x, l, q, c, key, out);
}

unsigned
witness_ask(struct witness *x, const char *body, size_t len, uint64_t now_s,
    struct buf *out, const char **ret_type)
{
	struct checkpoint c;
	const char *text;
	struct request q;
	struct log *l;
	unsigned status;
	size_t text_len, key = 0;
	int r;

	*ret_type = PLAIN;
	if (x->broken)
		return say(out, 503, "the disk failed: this witness ends\n");
	if (request_read(body, len, &q) != 0)
		return say(out, 400, "no add-checkpoint request\n");
	if ((l = find_log(x, &q)) == NULL)
		return say(out, 404, "this witness does not know the log\n");
	if ((r = check_note(l, q.note, q.note_len, &text, &text_len, &c,
	    &key)) != 0)
		return refuse_note(out, r);
	if ((status = decide(x, l, &q, &c, key, out,
	    ret_type)) != 200)
		return status;
	if (note_cosign(text, text_len, x->by, now_s, out) != 0) {
		buf_reset(out);
		return say(out, 500, "signing failed; ask again\n");
	}
	return 200;
}

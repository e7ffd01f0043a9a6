/*
 * File by file, in the order of the manifest: its hash; a checkpoint's
 * signature; an entry's place by the proof that follows it, and that it is
 * a record of this place. Only then the same code that judges whole logs
 * sees the record. Anything that does not fit is damage, and then there is
 * no verdict.
 */
#include "verify/evidence.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "claim/claim.h"
#include "claim/objects.h"
#include "claim/verdict.h"
#include "crypto/hash.h"
#include "log/proof.h"
#include "logdir/logfile.h"
#include "logdir/logkeys.h"
#include "logdir/logread.h"
#include "verify/manifest.h"
#include "verify/options.h"
#include "verify/outcome.h"

#define PATH_LEN 4096
#define CLAIM_FILE_MAX ((size_t)1 << 20)

struct walk {
	struct evidence *e;
	const char *dir;
	const struct options *o;
	struct outcome *found;
	struct arena *scratch;		/* of one record */
	struct buf checkpoint;		/* of the log being read */
	struct buf entry;		/* the latest; its proof follows */
	struct logread l;		/* what is known of that log */
};

static int damage(struct walk *, const char *, const char *, ...)
    __attribute__((format(printf, 3, 4)));

static int
damage(struct walk *w, const char *what, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* cut is fine */
	va_end(ap);
	return outcome_add(w->found, &w->found->damage, what, text, w->dir);
}

static bool
broken(const struct walk *w)
{
	return w->found->damage.n > 0;
}

static int
read_file(const struct walk *w, const char *name, size_t max,
    struct buf *out)
{
	char path[PATH_LEN];
	int n = snprintf(path, sizeof(path), "%s/%s", w->dir, name);

	return n < 0 || n >= PATH_LEN ? ERR_LIMIT : logfile_read(path, max, out);
}

static int
has_hash(const struct buf *b, const char *sha256, bool *ret)
{
	uint8_t hash[HASH_LEN];
	struct buf hex;
	int r;

	buf_init(&hex, 0);
	if ((r = hash_sha256(b->data, b->len, hash)) == 0) {
		text_hex(&hex, hash, sizeof(hash));
		r = buf_text(&hex) == NULL ? ERR_MEMORY : 0;
	}
	if (r == 0)
		*ret = strcmp((const char *)hex.data, sha256) == 0;
	buf_done(&hex);
	return r;
}

/* A file of the manifest; what is wrong with it is damage. */
static int
read_listed(struct walk *w, const struct manifest_file *f, size_t max,
    const char *what, struct buf *out)
{
	bool same = false;
	int r;

	r = read_file(w, f->path, max, out);
	if (r == ERR_MEMORY)
		return r;
	if (r != 0)
		return damage(w, what, "%s cannot be read: %s", f->path,
		    err_text(r));
	if ((r = has_hash(out, f->sha256, &same)) != 0)
		return r;
	return same ? 0 : damage(w, what, "%s was changed: it is not the "
	    "file that the manifest lists", f->path);
}

/* -- objects ------------------------------------------------------------ */

static const struct manifest_file *
object_find(const struct evidence *e, const char *sha256)
{
	size_t i;

	for (i = e->n_files; i > 0 &&
	    e->files[i - 1].kind == MANIFEST_OBJECT; i--)
		if (strcmp(e->files[i - 1].sha256, sha256) == 0)
			return &e->files[i - 1];
	return NULL;
}

static int
read_object(void *arg, const char *sha256, struct buf *out)
{
	const struct walk *w = arg;
	const struct manifest_file *f = object_find(w->e, sha256);

	return f == NULL ? ERR_MISSING :
	    read_file(w, f->path, OBJECT_LEN_MAX, out);
}

static int
need_object(struct walk *w, const struct record *r, const char *sha256)
{
	if (object_find(w->e, sha256) != NULL)
		return 0;
	return damage(w, "object", "entry %" PRIu64 " cites the object %s, "
	    "which is not in the bundle", r->seq, sha256);
}

static int
need_objects(struct walk *w, const struct record *r)
{
	int e;

	if (r->type == RECORD_STORE)
		return need_object(w, r, r->u.store.catalog);
	if (r->type != RECORD_SESSION && r->type != RECORD_CLEARANCE)
		return 0;
	if ((e = need_object(w, r, r->u.session.policy)) != 0)
		return e;
	return need_object(w, r, r->u.session.directory);
}

/* -- the claim ---------------------------------------------------------- */

static int
same_claim(struct walk *w, const struct buf *in)
{
	struct buf sworn;
	int r;

	if (w->o->claim == NULL)
		return 0;
	buf_init(&sworn, 0);
	r = logfile_read(w->o->claim, CLAIM_FILE_MAX, &sworn);
	if (r != 0 && r != ERR_MEMORY)
		r = damage(w, "claim", "%s cannot be read: %s", w->o->claim,
		    err_text(r));
	else if (r == 0 && !bytes_equal(bytes_of(in->data, in->len),
	    bytes_of(sworn.data, sworn.len)))
		r = damage(w, "claim", "the claim in the bundle is another "
		    "than %s", w->o->claim);
	buf_done(&sworn);
	return r;
}

static int
read_claim(struct walk *w, const struct manifest_file *f)
{
	struct why why = {0};
	struct buf in;
	int r;

	buf_init(&in, 0);
	if ((r = read_listed(w, f, CLAIM_FILE_MAX, "claim", &in)) != 0 ||
	    broken(w) || (r = same_claim(w, &in)) != 0)
		goto out;
	memcpy(w->found->claim_sha256, f->sha256, sizeof(f->sha256));
	if (buf_text(&in) == NULL) {
		r = ERR_MEMORY;
		goto out;
	}
	r = claim_load((const char *)in.data, in.len, &w->e->claim, &why);
	if (r != 0 && r != ERR_MEMORY) {
		r = damage(w, "claim", "claim.yaml:%u:%u: %s", why.line,
		    why.column, why.text);
		goto out;
	}
	if (r != 0)
		goto out;
	w->found->claim = w->e->claim;
	if ((w->e->verdict = verdict_new(w->e->claim, read_object, w)) ==
	    NULL)
		r = ERR_MEMORY;
	else
		verdict_partial(w->e->verdict);
out:
	buf_done(&in);
	return r;
}

/* -- logs --------------------------------------------------------------- */

static int
end_log(struct walk *w)
{
	int r;

	if (w->l.dir == NULL)
		return 0;
	if (!broken(w) && (r = verdict_log_end(w->e->verdict)) != 0)
		return r;
	r = outcome_add_log(w->found, &w->l);
	memset(&w->l, 0, sizeof(w->l));
	return r;
}

static int
name_log(struct walk *w, const struct manifest_file *f)
{
	int r;

	if ((r = end_log(w)) != 0)
		return r;
	w->l.dir = arena_fmt(w->e->arena, "%s/logs/%u", w->dir, f->log);
	return w->l.dir == NULL ? ERR_MEMORY : 0;
}

/* They stand before the checkpoint that they are needed for. */
static int
take_rotations(struct walk *w, const struct manifest_file *f)
{
	struct buf text;
	int r;

	if ((r = name_log(w, f)) != 0)
		return r;
	w->l.keyed = true;
	buf_init(&text, 0);
	if ((r = read_listed(w, f, ROTATIONS_FILE_MAX, "rotation",
	    &text)) == 0 && !broken(w)) {
		r = logkeys_take(&text, w->o->keys, w->o->n_keys,
		    &w->l.chain);
		if (r != 0 && r != ERR_MEMORY)
			r = damage(w, "rotation", "%s is not signed by both "
			    "keys of each change", f->path);
	}
	buf_done(&text);
	return r;
}

static int
begin_log(struct walk *w, const struct manifest_file *f)
{
	int r;

	if (!w->l.keyed && (r = name_log(w, f)) != 0)
		return r;
	w->l.keyed = false;
	buf_reset(&w->checkpoint);
	if ((r = read_listed(w, f, NOTE_MAX, "checkpoint",
	    &w->checkpoint)) != 0 || broken(w))
		return r;
	r = logkeys_note(&w->checkpoint, &w->l.chain, w->o->keys,
	    w->o->n_keys, &w->l.key, &w->l.head);
	if (r == 0 || r == ERR_MEMORY)
		return r;
	w->l.key = NULL;
	return damage(w, "checkpoint", "%s %s", f->path,
	    logkeys_words(r));
}

/* The first record tells whose log it is; none is earlier than the last. */
static int
check_place(struct walk *w, const struct record *r,
    const struct manifest_file *f)
{
	struct logread *l = &w->l;

	if (r->seq != f->seq)
		return damage(w, "order", "entry %" PRIu64 " says that it is "
		    "seq %" PRIu64, f->seq, r->seq);
	if (l->entries > 0 && strcmp(r->gateway, l->gateway) != 0)
		return damage(w, "record", "entry %" PRIu64 " is of gateway "
		    "%s, and others are of %s", f->seq, r->gateway,
		    l->gateway);
	if (l->entries > 0 && r->time_ms < l->last_ms)
		return damage(w, "order", "entry %" PRIu64 " is earlier than "
		    "one before it", f->seq);
	if (strlen(r->gateway) >= sizeof(l->gateway))
		return damage(w, "record", "the gateway's name in entry %"
		    PRIu64 " is too long", f->seq);
	if (l->entries++ == 0) {
		memcpy(l->gateway, r->gateway, strlen(r->gateway) + 1);
		l->first_ms = r->time_ms;
	}
	l->last_ms = r->time_ms;
	return 0;
}

static int
take_record(struct walk *w, const struct manifest_file *f)
{
	struct bytes entry = bytes_of(w->entry.data, w->entry.len);
	struct why why = {0};
	struct record r;
	int e;

	arena_reset(w->scratch);
	e = record_decode(entry, w->scratch, &r, &why);
	if (e == ERR_MEMORY)
		return e;
	if (e != 0)
		return damage(w, "record", "entry %" PRIu64 " is no record: "
		    "%s", f->seq, why.text);
	if ((e = check_place(w, &r, f)) != 0 ||
	    (e = need_objects(w, &r)) != 0 || broken(w))
		return e;
	w->e->n_entries++;
	return verdict_record(w->e->verdict, &r, entry);
}

static int
check_proof(struct walk *w, const struct manifest_file *f,
    const struct buf *text)
{
	struct bytes head = bytes_of(w->checkpoint.data, w->checkpoint.len);
	struct proof p;
	int r;

	if (proof_read((const char *)text->data, text->len, &p) != 0)
		return damage(w, "proof", "%s is no proof", f->path);
	if (p.index != f->seq)
		return damage(w, "proof", "%s is the proof of entry %" PRIu64,
		    f->path, p.index);
	if (!bytes_equal(p.checkpoint, head))
		return damage(w, "proof", "%s is for another checkpoint than "
		    "the bundle's", f->path);
	r = proof_check(&p, w->entry.data, w->entry.len, &w->l.head);
	if (r == 0 || r == ERR_MEMORY)
		return r;
	return damage(w, "proof", "entry %" PRIu64 " is not in the log: its "
	    "proof does not lead to the root that was signed", f->seq);
}

static int
take_proof(struct walk *w, const struct manifest_file *f)
{
	struct buf text;
	int r;

	buf_init(&text, 0);
	if ((r = read_listed(w, f, PROOF_FILE_MAX, "proof", &text)) == 0 &&
	    !broken(w) && (r = check_proof(w, f, &text)) == 0 && !broken(w))
		r = take_record(w, f);
	buf_done(&text);
	return r;
}

static int
take_entry(struct walk *w, const struct manifest_file *f)
{
	buf_reset(&w->entry);
	return read_listed(w, f, RECORD_MAX, "entry", &w->entry);
}

static int
check_object(struct walk *w, const struct manifest_file *f)
{
	struct buf in;
	int r;

	buf_init(&in, 0);
	r = read_listed(w, f, OBJECT_LEN_MAX, "object", &in);
	buf_done(&in);
	return r;
}

static int
take_file(struct walk *w, const struct manifest_file *f)
{
	switch (f->kind) {
	case MANIFEST_CLAIM:
		return read_claim(w, f);
	case MANIFEST_ROTATIONS:
		return take_rotations(w, f);
	case MANIFEST_CHECKPOINT:
		return begin_log(w, f);
	case MANIFEST_ENTRY:
		return take_entry(w, f);
	case MANIFEST_PROOF:
		return take_proof(w, f);
	case MANIFEST_OBJECT:
		return check_object(w, f);
	}
	return ERR_FORMAT;
}

static int
read_manifest(struct walk *w)
{
	struct evidence *e = w->e;
	struct why why = {0};
	struct buf in;
	int r;

	buf_init(&in, 0);
	r = read_file(w, MANIFEST_NAME, MANIFEST_MAX, &in);
	if (r == 0 && buf_text(&in) == NULL)
		r = ERR_MEMORY;
	if (r != 0 && r != ERR_MEMORY)
		r = damage(w, "manifest", "%s/" MANIFEST_NAME " cannot be "
		    "read: %s", w->dir, err_text(r));
	else if (r == 0 && (r = manifest_read((const char *)in.data, in.len,
	    e->arena, &e->files, &e->n_files, &why)) != 0 && r != ERR_MEMORY)
		r = damage(w, "manifest", "the manifest is not one: %s",
		    why.text);
	buf_done(&in);
	return r;
}

static int
walk_all(struct walk *w)
{
	size_t i;
	int r;

	if ((r = read_manifest(w)) != 0)
		return r;
	/* What is wrong with one file would make others seem wrong. */
	for (i = 0; i < w->e->n_files && !broken(w); i++)
		if ((r = take_file(w, &w->e->files[i])) != 0)
			return r;
	if ((r = end_log(w)) != 0 || broken(w))
		return r;
	return verdict_end(w->e->verdict, &w->found->verdict);
}

int
evidence_read(struct evidence *e, const char *dir, const struct options *o,
    struct outcome *found)
{
	struct walk w = {.e = e, .dir = dir, .o = o, .found = found};
	int r = ERR_MEMORY;

	found->bundle = dir;
	buf_init(&w.checkpoint, 0);
	buf_init(&w.entry, 0);
	if ((e->arena = arena_new()) != NULL &&
	    (w.scratch = arena_new()) != NULL)
		r = walk_all(&w);
	found->bundle_entries = e->n_entries;
	arena_free(w.scratch);
	buf_done(&w.checkpoint);
	buf_done(&w.entry);
	return r;
}

void
evidence_done(struct evidence *e)
{
	verdict_free(e->verdict);
	claim_free(e->claim);
	arena_free(e->arena);
	memset(e, 0, sizeof(*e));
}

/*
 * A bundle is made from a second reading of the logs: the entries that the
 * verdict names, all entries of a service's session (its bound is that of
 * all of them), and the records that say when the objects took effect. Each
 * entry's proof is read from the tiles, and checked before it is written.
 */
#include "verify/evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "claim/objects.h"
#include "claim/verdict.h"
#include "crypto/hash.h"
#include "logdir/logfile.h"
#include "logdir/logread.h"
#include "verify/manifest.h"
#include "verify/options.h"
#include "verify/outcome.h"
#include "logdir/proofs.h"

#define PATH_LEN 4096
#define CLAIM_FILE_MAX ((size_t)1 << 20)

/* An entry that goes into the bundle; its bytes lie in bundle.bytes. */
struct taken {
	uint64_t seq;
	size_t at, len;
};

/* A record that an object took effect: taken if the object is cited. */
struct took_effect {
	char sha256[RECORD_HASH_HEX + 1];
	struct taken entry;
};

/* A statement that is cited, until its result: more of its list may come. */
struct listing {
	const char *session;
	uint64_t n;
};

struct bundle {
	const struct options *o;
	const struct outcome *found;
	struct why *w;
	const char *dir;		/* of the bundle */
	struct buf manifest;
	struct arena *arena;
	/* Of the log being read: */
	const struct outcome_log *log;
	unsigned number;		/* of it, in the bundle */
	uint64_t *wanted;		/* sorted */
	size_t n_wanted;
	const char **services;		/* their sessions, sorted */
	size_t n_services;
	struct listing *listings;
	size_t n_listings;
	struct buf bytes;
	struct taken *taken;
	size_t n_taken, cap_taken;
	struct took_effect *effects;
	size_t n_effects;
	/* Of all logs: */
	char (*cited)[RECORD_HASH_HEX + 1];
	size_t n_cited;
};

static int
complain(const struct bundle *b, int r, const char *what, const char *of)
{
	return why_set(b->w, r, 0, 0, "%s %s: %s", what, of,
	    r == ERR_IO ? strerror(errno) : err_text(r));
}

/* -- files -------------------------------------------------------------- */

static int
path_of(const struct bundle *b, const char *name, char ret[static PATH_LEN])
{
	int n = snprintf(ret, PATH_LEN, "%s/%s", b->dir, name);

	return n < 0 || n >= PATH_LEN ? ERR_LIMIT : 0;
}

static int
make_folder(const struct bundle *b, const char *name)
{
	char path[PATH_LEN];

	if (path_of(b, name, path) != 0)
		return complain(b, ERR_LIMIT, "the folder", b->dir);
	if (mkdir(path, 0777) != 0)
		return complain(b, ERR_IO, "cannot make the folder", path);
	return 0;
}

static int
write_all(int fd, const uint8_t *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		if ((n = write(fd, data, len)) < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_IO;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
put(const struct bundle *b, const char *name, const void *data, size_t len)
{
	char path[PATH_LEN];
	int fd, r;

	if ((r = path_of(b, name, path)) != 0)
		return complain(b, r, "the file", name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return complain(b, ERR_IO, "cannot make the file", path);
	r = write_all(fd, data, len);
	if (close(fd) != 0)
		r = ERR_IO;
	return r == 0 ? 0 : complain(b, r, "cannot write the file", path);
}

static int
hex_of(const void *data, size_t len, char ret[static RECORD_HASH_HEX + 1])
{
	uint8_t hash[HASH_LEN];
	struct buf hex;
	int r;

	buf_init(&hex, 0);
	if ((r = hash_sha256(data, len, hash)) == 0) {
		text_hex(&hex, hash, sizeof(hash));
		if (buf_text(&hex) == NULL)
			r = ERR_MEMORY;
		else
			memcpy(ret, hex.data, RECORD_HASH_HEX + 1);
	}
	buf_done(&hex);
	return r;
}

/* A file with its line in the manifest; f says which. */
static int
put_listed(struct bundle *b, struct manifest_file *f, const void *data,
    size_t len)
{
	int r;

	if ((r = hex_of(data, len, f->sha256)) != 0 ||
	    (r = manifest_path(f)) != 0)
		return complain(b, r, "the bundle", b->dir);
	manifest_add(&b->manifest, f);
	if (b->manifest.failed)
		return complain(b, ERR_MEMORY, "the bundle", b->dir);
	return put(b, f->path, data, len);
}

/* -- which entries ------------------------------------------------------ */

static int
compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int
compare_str(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
compare_taken(const void *a, const void *b)
{
	return compare_u64(&((const struct taken *)a)->seq,
	    &((const struct taken *)b)->seq);
}

static void
want(struct bundle *b, const struct verdict_evidence *e)
{
	b->wanted[b->n_wanted++] = e->session_seq;
	b->wanted[b->n_wanted++] = e->seq;
	b->wanted[b->n_wanted++] = e->end_seq;
	if (e->has_clearance)
		b->wanted[b->n_wanted++] = e->clearance_seq;
	if (e->has_store)
		b->wanted[b->n_wanted++] = e->store_seq;
	if (e->seq == e->session_seq)
		b->services[b->n_services++] = e->session;
}

static int
want_all(struct bundle *b)
{
	const struct verdict_result *v = b->found->verdict;
	size_t i;

	arena_reset(b->arena);
	b->n_wanted = b->n_services = b->n_taken = b->n_effects = 0;
	b->n_listings = 0;
	buf_reset(&b->bytes);
	b->wanted = arena_array(b->arena, v->n_evidence * 5,
	    sizeof(*b->wanted));
	b->services = arena_array(b->arena, v->n_evidence,
	    sizeof(*b->services));
	b->listings = arena_array(b->arena, v->n_evidence,
	    sizeof(*b->listings));
	b->effects = arena_array(b->arena, OBJECTS_MAX, sizeof(*b->effects));
	if (b->wanted == NULL || b->services == NULL ||
	    b->listings == NULL || b->effects == NULL)
		return complain(b, ERR_MEMORY, "the bundle", b->dir);
	for (i = 0; i < v->n_evidence; i++)
		if (strcmp(v->evidence[i].gateway, b->log->gateway) == 0)
			want(b, &v->evidence[i]);
	if (b->n_wanted > 0)
		qsort(b->wanted, b->n_wanted, sizeof(*b->wanted),
		    compare_u64);
	if (b->n_services > 0)
		qsort(b->services, b->n_services, sizeof(*b->services),
		    compare_str);
	return 0;
}

static int
cite(struct bundle *b, const char *sha256)
{
	size_t i;

	if (strlen(sha256) != RECORD_HASH_HEX)
		return 0;
	for (i = 0; i < b->n_cited; i++)
		if (strcmp(b->cited[i], sha256) == 0)
			return 0;
	if (b->n_cited == OBJECTS_MAX)
		return ERR_LIMIT;
	memcpy(b->cited[b->n_cited++], sha256, RECORD_HASH_HEX + 1);
	return 0;
}

static int
cite_all(struct bundle *b, const struct record *r)
{
	int e;

	if (r->type == RECORD_STORE)
		return cite(b, r->u.store.catalog);
	if (r->type != RECORD_SESSION && r->type != RECORD_CLEARANCE)
		return 0;
	if ((e = cite(b, r->u.session.policy)) != 0)
		return e;
	return cite(b, r->u.session.directory);
}

static int
keep_bytes(struct bundle *b, uint64_t seq, struct bytes entry,
    struct taken *ret)
{
	ret->seq = seq;
	ret->at = b->bytes.len;
	ret->len = entry.len;
	buf_bytes(&b->bytes, entry.data, entry.len);
	return b->bytes.failed ? ERR_MEMORY : 0;
}

static int
take(struct bundle *b, const struct taken *t)
{
	struct taken *p;
	size_t cap;

	if (b->n_taken == b->cap_taken) {
		cap = b->cap_taken == 0 ? 64 : b->cap_taken * 2;
		if ((p = realloc(b->taken, cap * sizeof(*p))) == NULL)
			return ERR_MEMORY;
		b->taken = p;
		b->cap_taken = cap;
	}
	b->taken[b->n_taken++] = *t;
	return 0;
}

/* The first record of each object; whether it is cited is known later. */
static int
note_effect(struct bundle *b, const struct record *r, struct bytes entry)
{
	const char *sha256 = r->u.object.sha256;
	size_t i;

	for (i = 0; i < b->n_effects; i++)
		if (strcmp(b->effects[i].sha256, sha256) == 0)
			return 0;
	if (strlen(sha256) != RECORD_HASH_HEX || b->n_effects == OBJECTS_MAX)
		return 0;
	memcpy(b->effects[b->n_effects].sha256, sha256, RECORD_HASH_HEX + 1);
	return keep_bytes(b, r->seq, entry, &b->effects[b->n_effects++].entry);
}

/* The session of a service that is wanted whole; NULL: of none such. */
static bool
of_service(const struct bundle *b, const struct record *r)
{
	const char *id = NULL;

	switch (r->type) {
	case RECORD_SESSION:
	case RECORD_CLEARANCE:
		id = r->u.session.session;
		break;
	case RECORD_BACKEND:
		id = r->u.backend.session;
		break;
	case RECORD_STATEMENT:
		id = r->u.statement.session;
		break;
	case RECORD_RESULT:
		id = r->u.result.session;
		break;
	case RECORD_DENIAL:
		id = r->u.denial.session;
		break;
	case RECORD_CLOSE:
		id = r->u.close.session;
		break;
	case RECORD_SUBJECTS:
		id = r->u.more.session;
		break;
	case RECORD_NONE:
	case RECORD_GENESIS:
	case RECORD_BOOT:
	case RECORD_STOP:
	case RECORD_OBJECT:
	case RECORD_STORE:
	case RECORD_LOGIN_FAILURE:
	case RECORD_HEARTBEAT:
	case RECORD_IN_FORCE:
	case RECORD_ASKED:
	case RECORD_ROTATION:
	case RECORD_DRIFT:
	case RECORD_RECONCILED:
	case RECORD_APPROVAL:
		break;
	}
	return id != NULL && b->n_services > 0 && bsearch(&id, b->services,
	    b->n_services, sizeof(*b->services), compare_str) != NULL;
}

static int
note_listing(struct bundle *b, const struct record *r)
{
	struct listing *l = &b->listings[b->n_listings];

	if (r->type != RECORD_STATEMENT ||
	    strcmp(r->u.statement.basis, "exact") != 0)
		return 0;
	if ((l->session = arena_str(b->arena, r->u.statement.session)) == NULL)
		return ERR_MEMORY;
	l->n = r->u.statement.n;
	b->n_listings++;
	return 0;
}

/* More subjects of a statement that is cited; with its result it is whole. */
static bool
of_listing(struct bundle *b, const struct record *r)
{
	bool more = r->type == RECORD_SUBJECTS;
	const char *session = more ? r->u.more.session : r->u.result.session;
	uint64_t of = more ? r->u.more.of : r->u.result.of;
	size_t i;

	if (!more && r->type != RECORD_RESULT)
		return false;
	for (i = 0; i < b->n_listings; i++)
		if (b->listings[i].n == of &&
		    strcmp(b->listings[i].session, session) == 0)
			break;
	if (i == b->n_listings)
		return false;
	if (!more)
		b->listings[i] = b->listings[--b->n_listings];
	return more;
}

static int
on_record(void *arg, const struct record *r, struct bytes entry)
{
	struct bundle *b = arg;
	struct taken t;
	bool cited;
	int e;

	if (r->type == RECORD_OBJECT)
		return note_effect(b, r, entry);
	cited = bsearch(&r->seq, b->wanted, b->n_wanted, sizeof(*b->wanted),
	    compare_u64) != NULL;
	if (!of_listing(b, r) && !cited && !of_service(b, r))
		return 0;
	if ((e = cite_all(b, r)) != 0 ||
	    (cited && (e = note_listing(b, r)) != 0) ||
	    (e = keep_bytes(b, r->seq, entry, &t)) != 0)
		return e;
	return take(b, &t);
}

static int
on_damage(void *arg, const char *what, const char *text)
{
	struct bundle *b = arg;

	(void)what;
	return why_set(b->w, ERR_CONFLICT, 0, 0, "the log %s is no longer "
	    "what it was when it was judged: %s", b->log->dir, text);
}

static int
take_effects(struct bundle *b)
{
	size_t i, j;
	int e;

	for (i = 0; i < b->n_effects; i++)
		for (j = 0; j < b->n_cited; j++)
			if (strcmp(b->effects[i].sha256, b->cited[j]) == 0 &&
			    (e = take(b, &b->effects[i].entry)) != 0)
				return e;
	if (b->n_taken > 0)
		qsort(b->taken, b->n_taken, sizeof(*b->taken), compare_taken);
	return 0;
}

/* -- proofs ------------------------------------------------------------- */

static int
put_entry(struct bundle *b, const struct taken *t, struct proofs *proofs)
{
	struct manifest_file f = {.kind = MANIFEST_ENTRY, .log = b->number,
	    .seq = t->seq};
	const uint8_t *entry = b->bytes.data + t->at;
	struct buf out;
	int r;

	buf_init(&out, 0);
	if ((r = proofs_write(proofs, t->seq, bytes_of(entry, t->len),
	    &out)) != 0) {
		r = complain(b, r, "no proof comes out of the tiles of",
		    b->log->dir);
		goto out;
	}
	if ((r = put_listed(b, &f, entry, t->len)) != 0)
		goto out;
	f.kind = MANIFEST_PROOF;
	r = put_listed(b, &f, out.data, out.len);
out:
	buf_done(&out);
	return r;
}

/* Without them a reader with an older key could not check the rest. */
static int
put_rotations(struct bundle *b)
{
	struct manifest_file f = {.kind = MANIFEST_ROTATIONS,
	    .log = b->number};
	char path[PATH_LEN];
	struct buf in;
	int n, r = ERR_LIMIT;

	buf_init(&in, 0);
	n = snprintf(path, sizeof(path), "%s/" ROTATIONS_FILE, b->log->dir);
	if (n >= 0 && (size_t)n < sizeof(path))
		r = logfile_read(path, ROTATIONS_FILE_MAX, &in);
	if (r != 0)
		r = complain(b, r, "cannot read", path);
	else
		r = put_listed(b, &f, in.data, in.len);
	buf_done(&in);
	return r;
}

static int
put_entries(struct bundle *b, const struct logread *l,
    const struct buf *note)
{
	struct manifest_file f = {.kind = MANIFEST_CHECKPOINT,
	    .log = b->number};
	struct proofs proofs;
	char name[32];
	size_t i;
	int r;

	(void)snprintf(name, sizeof(name), "logs/%u", b->number); /* fits */
	if ((r = make_folder(b, name)) != 0 ||
	    (l->chain.n > 0 && (r = put_rotations(b)) != 0) ||
	    (r = put_listed(b, &f, note->data, note->len)) != 0)
		return r;
	proofs_init(&proofs, b->log->dir, &l->head, bytes_of(note->data,
	    note->len));
	for (i = 0; i < b->n_taken && r == 0; i++)
		r = put_entry(b, &b->taken[i], &proofs);
	proofs_done(&proofs);
	return r;
}

static int
put_log(struct bundle *b)
{
	struct buf note;
	struct logread l = {
		.dir = b->log->dir, .keys = b->o->keys,
		.n_keys = b->o->n_keys, .arg = b, .damage = on_damage,
		.record = on_record, .note = &note,
	};
	int r;

	buf_init(&note, 0);
	if ((r = want_all(b)) != 0 || b->n_wanted == 0)
		goto out;
	b->number++;
	if ((r = logread(&l)) == 0)
		r = take_effects(b);
	if (r != 0) {
		if (b->w->text[0] == 0)
			r = complain(b, r, "the log", b->log->dir);
		goto out;
	}
	r = put_entries(b, &l, &note);
out:
	buf_done(&note);
	return r;
}

/* -- the whole ---------------------------------------------------------- */

static int
put_claim(struct bundle *b)
{
	struct manifest_file f = {.kind = MANIFEST_CLAIM};
	struct buf in;
	int r;

	buf_init(&in, 0);
	if ((r = logfile_read(b->o->claim, CLAIM_FILE_MAX, &in)) != 0)
		r = complain(b, r, "cannot read", b->o->claim);
	else
		r = put_listed(b, &f, in.data, in.len);
	buf_done(&in);
	return r;
}

static int
put_object(struct bundle *b, const char *sha256)
{
	struct manifest_file f = {.kind = MANIFEST_OBJECT};
	char path[PATH_LEN], hex[RECORD_HASH_HEX + 1];
	struct buf in;
	size_t i;
	int n, r = ERR_MISSING;

	buf_init(&in, OBJECT_LEN_MAX);
	for (i = 0; i < b->o->n_logs && r == ERR_MISSING; i++) {
		n = snprintf(path, sizeof(path), "%s/objects/%s",
		    b->o->logs[i], sha256);
		if (n < 0 || (size_t)n >= sizeof(path))
			r = ERR_LIMIT;
		else
			r = logfile_read(path, OBJECT_LEN_MAX, &in);
	}
	if (r == 0 && (r = hex_of(in.data, in.len, hex)) == 0 &&
	    strcmp(hex, sha256) != 0)
		r = ERR_CRYPTO;
	if (r != 0)
		r = complain(b, r, "the entries cite an object that is not "
		    "beside the log:", sha256);
	else
		r = put_listed(b, &f, in.data, in.len);
	buf_done(&in);
	return r;
}

static int
compare_cited(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int
put_objects(struct bundle *b)
{
	size_t i;
	int r;

	if (b->n_cited > 0)
		qsort(b->cited, b->n_cited, sizeof(*b->cited), compare_cited);
	for (i = 0; i < b->n_cited; i++)
		if ((r = put_object(b, b->cited[i])) != 0)
			return r;
	return 0;
}

static int
put_all(struct bundle *b)
{
	size_t i, j;
	int r;

	if (mkdir(b->dir, 0777) != 0)
		return complain(b, ERR_IO, "cannot make the folder", b->dir);
	manifest_begin(&b->manifest);
	if ((r = make_folder(b, "logs")) != 0 ||
	    (r = make_folder(b, "objects")) != 0 || (r = put_claim(b)) != 0)
		return r;
	for (i = 0; i < b->found->n_logs; i++) {
		b->log = &b->found->logs[i];
		for (j = 0; j < i; j++)
			if (strcmp(b->found->logs[j].gateway,
			    b->log->gateway) == 0)
				return why_set(b->w, ERR_CONFLICT, 0, 0,
				    "two logs of gateway %s are given",
				    b->log->gateway);
		if ((r = put_log(b)) != 0)
			return r;
	}
	return put_objects(b);
}

/* What was written must show by itself what was found. */
static int
check_written(const struct bundle *b)
{
	const struct verdict_result *v = b->found->verdict;
	struct evidence e = {0};
	struct outcome alone;
	size_t shown = 0;
	int r;

	if ((r = outcome_init(&alone)) == 0 &&
	    (r = evidence_read(&e, b->dir, b->o, &alone)) == 0 &&
	    alone.verdict != NULL)
		shown = alone.verdict->n_evidence;
	if (r != 0)
		r = complain(b, r, "the bundle", b->dir);
	else if (alone.damage.n > 0)
		r = why_set(b->w, ERR_CONFLICT, 0, 0, "what was written to "
		    "%s does not check: %s", b->dir, alone.damage.list[0].text);
	else if (shown == 0)
		r = why_set(b->w, ERR_DENIED, 0, 0, "these disclosures cannot "
		    "be shown by single entries: whether their tables are "
		    "guarded rests on the whole log");
	else if (shown < v->n_evidence)
		(void)why_set(b->w, 0, 0, 0, "%zu of %zu disclosures are in "
		    "it; for the others the whole log is needed", shown,
		    v->n_evidence);
	evidence_done(&e);
	outcome_done(&alone);
	return r;
}

int
evidence_write(const struct options *o, const struct outcome *found,
    struct why *w)
{
	struct bundle *b = calloc(1, sizeof(*b));
	char path[PATH_LEN];
	int r = ERR_MEMORY;

	memset(w, 0, sizeof(*w));
	if (b == NULL)
		return why_set(w, ERR_MEMORY, 0, 0, "%s", err_text(r));
	b->o = o;
	b->found = found;
	b->w = w;
	b->dir = o->evidence;
	buf_init(&b->manifest, MANIFEST_MAX);
	buf_init(&b->bytes, 0);
	b->arena = arena_new();
	b->cited = calloc(OBJECTS_MAX, sizeof(*b->cited));
	if (b->arena == NULL || b->cited == NULL)
		r = complain(b, ERR_MEMORY, "the bundle", b->dir);
	else if ((r = put_all(b)) == 0 && (r = put(b, MANIFEST_NAME,
	    b->manifest.data, b->manifest.len)) == 0 &&
	    (r = check_written(b)) != 0 &&
	    path_of(b, MANIFEST_NAME, path) == 0)
		(void)unlink(path);	/* without it, it is no bundle */
	buf_done(&b->manifest);
	buf_done(&b->bytes);
	arena_free(b->arena);
	free(b->cited);
	free(b->taken);
	free(b);
	return r;
}

/*
 * The log is read twice: to find which entries are of the subject, which is
 * known of a statement only when its list has come, and to take them.
 */
#include "seen/proof.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "log/rotation.h"
#include "log/sightings.h"
#include "logdir/logfile.h"
#include "logdir/logread.h"
#include "logdir/proofs.h"

#define PATH_LEN 4096
#define ID_MAX 64		/* of a session: longer is none of ours */

struct entry {			/* that is taken */
	uint64_t seq;
	size_t at, len;		/* in `bytes` */
};

struct open {			/* a statement whose list may go on */
	struct open *next;
	uint64_t n, seq;
	bool wanted;
};

struct session {
	struct session *next;
	char id[ID_MAX + 1];
	uint64_t seq, clearance;	/* 0: none, which is the genesis */
	struct open *open;
};

struct work {
	const struct seen_proof *p;
	struct why *w;
	struct session *sessions;
	struct entry *list;
	size_t n, cap, reads;
	struct buf bytes;
	size_t next;		/* second reading: of the list */
};

/* ---- which entries ---- */

static int
want(struct work *k, uint64_t seq)
{
	struct entry *list;
	size_t cap;

	if (k->n == SIGHTINGS_MAX)
		return why_set(k->w, ERR_LIMIT, 0, 0, "more than %d entries "
		    "are of this subject: ask for a shorter period",
		    SIGHTINGS_MAX);
	if (k->n == k->cap) {
		cap = k->cap == 0 ? 64 : k->cap * 2;
		if ((list = reallocarray(k->list, cap,
		    sizeof(*list))) == NULL)
			return ERR_MEMORY;
		k->list = list;
		k->cap = cap;
	}
	k->list[k->n++] = (struct entry){.seq = seq};
	return 0;
}

static void
session_free(struct session *s)
{
	struct open *o;

	while ((o = s->open) != NULL) {
		s->open = o->next;
		free(o);
	}
	free(s);
}

static struct session **
find(struct work *k, const char *id)
{
	struct session **at = &k->sessions;

	while (*at != NULL && strcmp((*at)->id, id) != 0)
		at = &(*at)->next;
	return at;
}

static void
close_all(struct work *k)
{
	struct session *s;

	while ((s = k->sessions) != NULL) {
		k->sessions = s->next;
		session_free(s);
	}
}

static int
on_session(struct work *k, const struct record *r)
{
	const char *id = r->u.session.session;
	struct session *s;

	if (strlen(id) > ID_MAX || strcmp(r->u.session.store,
	    k->p->store) != 0 || *find(k, id) != NULL)
		return 0;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return ERR_MEMORY;
	memcpy(s->id, id, strlen(id) + 1);
	s->seq = r->seq;
	s->next = k->sessions;
	k->sessions = s;
	return 0;
}

static bool
lists(const struct work *k, const struct record_subjects *l, size_t n)
{
	size_t i, j;

	for (i = 0; i < n; i++)
		for (j = 0; j < l[i].tags.n; j++)
			if (strcmp(l[i].tags.s[j], k->p->tag) == 0)
				return true;
	return false;
}

/* The statement is of the subject: it, and who it was by. */
static int
want_read(struct work *k, const struct session *s, struct open *o)
{
	int r;

	if (o->wanted)
		return 0;
	o->wanted = true;
	k->reads++;
	if ((r = want(k, o->seq)) != 0 || !k->p->names ||
	    (r = want(k, s->seq)) != 0 || s->clearance == 0)
		return r;
	return want(k, s->clearance);
}

static int
on_statement(struct work *k, const struct record *r)
{
	const struct record_statement *in = &r->u.statement;
	struct session *s = *find(k, in->session);
	struct open *o;

	if (s == NULL || strcmp(in->basis, "exact") != 0 ||
	    r->time_ms < k->p->from_ms ||
	    (k->p->to_ms != 0 && r->time_ms >= k->p->to_ms))
		return 0;
	if ((o = calloc(1, sizeof(*o))) == NULL)
		return ERR_MEMORY;
	o->n = in->n;
	o->seq = r->seq;
	o->next = s->open;
	s->open = o;
	return lists(k, in->subjects, in->n_subjects) ?
	    want_read(k, s, o) : 0;
}

static struct open **
find_open(struct session *s, uint64_t n)
{
	struct open **at = &s->open;

	while (*at != NULL && (*at)->n != n)
		at = &(*at)->next;
	return at;
}

static int
on_subjects(struct work *k, const struct record *r)
{
	const struct record_more *in = &r->u.more;
	struct session *s = *find(k, in->session);
	struct open *o = s == NULL ? NULL : *find_open(s, in->of);
	int e;

	if (o == NULL || !lists(k, in->subjects, in->n_subjects))
		return 0;
	return (e = want_read(k, s, o)) != 0 ? e : want(k, r->seq);
}

static int
on_result(struct work *k, const struct record *r)
{
	struct session *s = *find(k, r->u.result.session);
	struct open **at, *o;
	int e = 0;

	if (s == NULL || (o = *(at = find_open(s, r->u.result.of))) == NULL)
		return 0;
	if (o->wanted)
		e = want(k, r->seq);
	*at = o->next;
	free(o);
	return e;
}

static int
on_first(void *arg, const struct record *r, struct bytes entry)
{
	struct work *k = arg;
	struct session **at, *s;

	(void)entry;
	if (r->type == RECORD_BOOT)
		close_all(k);
	if (r->type == RECORD_SESSION)
		return on_session(k, r);
	if (r->type == RECORD_STATEMENT)
		return on_statement(k, r);
	if (r->type == RECORD_SUBJECTS)
		return on_subjects(k, r);
	if (r->type == RECORD_RESULT)
		return on_result(k, r);
	if (r->type == RECORD_CLEARANCE && (s = *find(k,
	    r->u.session.session)) != NULL)
		s->clearance = r->seq;
	if (r->type == RECORD_CLOSE && (s = *(at = find(k,
	    r->u.close.session))) != NULL) {
		*at = s->next;
		session_free(s);
	}
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return (x->seq > y->seq) - (x->seq < y->seq);
}

/* In order, each once: a session may have many reads. */
static void
sort(struct work *k)
{
	size_t i, n = 0;

	if (k->n > 0)
		qsort(k->list, k->n, sizeof(*k->list), compare);
	for (i = 0; i < k->n; i++)
		if (n == 0 || k->list[n - 1].seq != k->list[i].seq)
			k->list[n++] = k->list[i];
	k->n = n;
}

static int
on_second(void *arg, const struct record *r, struct bytes entry)
{
	struct work *k = arg;
	struct entry *e;

	if (k->next == k->n || k->list[k->next].seq != r->seq)
		return 0;
	e = &k->list[k->next++];
	e->at = k->bytes.len;
	e->len = entry.len;
	buf_bytes(&k->bytes, entry.data, entry.len);
	return k->bytes.failed ? ERR_MEMORY : 0;
}

static int
on_damage(void *arg, const char *what, const char *text)
{
	struct work *k = arg;

	(void)what;
	return why_set(k->w, ERR_CRYPTO, 0, 0, "the log %s is broken, and "
	    "shows nothing: %s", k->p->log_dir, text);
}

/* ---- the folder ---- */

static int
put(struct work *k, const char *name, const void *data, size_t len)
{
	const uint8_t *p = data;
	char path[PATH_LEN];
	ssize_t n = 0;
	int fd, r;

	n = snprintf(path, sizeof(path), "%s/%s", k->p->dir, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return why_set(k->w, ERR_LIMIT, 0, 0, "the folder's name is "
		    "too long");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	r = fd < 0 ? ERR_IO : 0;
	while (r == 0 && len > 0) {
		if ((n = write(fd, p, len)) < 0 && errno != EINTR)
			r = ERR_IO;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	if (fd >= 0 && close(fd) != 0)
		r = ERR_IO;
	return r == 0 ? 0 : why_set(k->w, r, 0, 0, "%s cannot be written: %s",
	    path, strerror(errno));
}

static int
put_entry(struct work *k, const struct entry *e, struct proofs *proofs)
{
	struct bytes entry = bytes_of(k->bytes.data + e->at, e->len);
	char name[64];
	struct buf out;
	int r;

	buf_init(&out, 0);
	if ((r = proofs_write(proofs, e->seq, entry, &out)) != 0) {
		r = why_set(k->w, r, 0, 0, "no proof of entry %" PRIu64
		    " comes out of the log's tiles: %s", e->seq, err_text(r));
		goto out;
	}
	(void)snprintf(name, sizeof(name), "%" PRIu64 ".json", e->seq);
	if ((r = put(k, name, entry.data, entry.len)) != 0)
		goto out;
	(void)snprintf(name, sizeof(name), "%" PRIu64 ".tlog-proof", e->seq);
	r = put(k, name, out.data, out.len);
out:
	buf_done(&out);
	return r;
}

static int
put_rotations(struct work *k)
{
	char path[PATH_LEN];
	struct buf in;
	int n, r = ERR_LIMIT;

	buf_init(&in, 0);
	n = snprintf(path, sizeof(path), "%s/" ROTATIONS_FILE, k->p->log_dir);
	if (n >= 0 && (size_t)n < sizeof(path))
		r = logfile_read(path, ROTATIONS_FILE_MAX, &in);
	r = r == 0 ? put(k, ROTATIONS_FILE, in.data, in.len) :
	    why_set(k->w, r, 0, 0, "%s cannot be read: %s", path,
	    err_text(r));
	buf_done(&in);
	return r;
}

/* Last, since without it the rest is nothing. */
static int
put_seen(struct work *k)
{
	struct buf out;
	size_t i;
	int r;
	struct sightings list = {k->p->store, k->p->tag, k->p->from_ms,
	    k->p->to_ms, NULL, k->n};
	uint64_t *entries;

	if ((entries = calloc(k->n + 1, sizeof(*entries))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < k->n; i++)
		entries[i] = k->list[i].seq;
	list.entries = entries;
	buf_init(&out, 0);
	sightings_write(&out, &list);
	r = out.failed ? ERR_MEMORY : put(k, SIGHTINGS_FILE, out.data,
	    out.len);
	buf_done(&out);
	free(entries);
	return r;
}

static int
put_all(struct work *k, const struct logread *l, const struct buf *note)
{
	struct proofs proofs;
	size_t i;
	int r;

	if (mkdir(k->p->dir, 0777) != 0)
		return why_set(k->w, ERR_IO, 0, 0, "the folder %s cannot be "
		    "made: %s", k->p->dir, strerror(errno));
	if ((r = put(k, "checkpoint", note->data, note->len)) != 0 ||
	    (l->chain.n > 0 && (r = put_rotations(k)) != 0))
		return r;
	proofs_init(&proofs, k->p->log_dir, &l->head, bytes_of(note->data,
	    note->len));
	for (i = 0; i < k->n && r == 0; i++)
		r = put_entry(k, &k->list[i], &proofs);
	proofs_done(&proofs);
	return r != 0 ? r : put_seen(k);
}

static int
write_proof(struct work *k)
{
	struct logread first = {
		.dir = k->p->log_dir, .keys = k->p->key, .n_keys = 1,
		.arg = k, .damage = on_damage, .record = on_first,
	}, second = first;
	struct buf note;
	int r;

	second.record = on_second;
	second.note = &note;
	buf_init(&note, 0);
	if ((r = logread(&first)) != 0)
		goto out;
	sort(k);
	if ((r = logread(&second)) != 0)
		goto out;
	r = k->next == k->n ? put_all(k, &second, &note) :
	    why_set(k->w, ERR_CONFLICT, 0, 0, "the log %s is no longer what "
	    "it was a moment ago", k->p->log_dir);
out:
	buf_done(&note);
	return r;
}

int
seen_proof_write(const struct seen_proof *p, size_t *ret_reads,
    struct why *w)
{
	struct work k = {.p = p, .w = w};
	int r;

	memset(w, 0, sizeof(*w));
	buf_init(&k.bytes, 0);
	r = write_proof(&k);
	if (r != 0 && w->text[0] == 0)
		r = why_set(w, r, 0, 0, "%s", err_text(r));
	*ret_reads = k.reads;
	close_all(&k);
	buf_done(&k.bytes);
	free(k.list);
	return r;
}

/*
 * A witness is asked with the size that it has cosigned last, as far as the
 * last file tells; where it knows better it answers 409 with the size, and
 * is asked once more. If it knows more than there is here, this log is an
 * old copy, or there are two.
 *
 * Of an answer only the one line by the witness's own key is taken, and only
 * if it checks: a line that names another witness's key and is wrong would
 * spoil that one's.
 */
#include "witness/cosign.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "store/disk.h"
#include "witness/fetch.h"
#include "witness/request.h"
#include "witness/source.h"

#define ANSWER_MAX 8192
#define TRIES 2

struct cosign {
	struct fetch *own;
	struct source source;
	struct checkpoint c;
	struct buf note;		/* the checkpoint, as signed */
	const char *body;
	size_t body_len;
	struct buf old;			/* the file from before, or empty */
	struct checkpoint old_c;
	struct buf made;		/* what the file becomes */
	struct why *w;
};

static int
read_note(struct cosign *s, const char *name, struct buf *note,
    const char **body, size_t *len, struct checkpoint *ret)
{
	int r = fetch_file(s->own, name, NOTE_MAX, note, s->w);

	if (r != 0)
		return r;
	if ((r = note_body((const char *)note->data, note->len, body,
	    len)) != 0 || (r = checkpoint_read(*body, *len, ret)) != 0)
		return why_set(s->w, r, 0, 0, "%s is no signed checkpoint",
		    name);
	return 0;
}

/* A log whose tiles do not give its root is not to be witnessed. */
static int
check_own(struct cosign *s)
{
	struct merkle_hash root;
	int r;

	if ((r = merkle_root(s->c.size, source_subtree, &s->source,
	    &root)) != 0)
		return r;
	if (memcmp(root.h, s->c.root.h, HASH_LEN) != 0)
		return why_set(s->w, ERR_CRYPTO, 0, 0, "the log's tiles do "
		    "not give the root of its checkpoint");
	return 0;
}

static int
load(struct cosign *s)
{
	const char *body;
	size_t len;
	int r;

	if ((r = read_note(s, "checkpoint", &s->note, &s->body, &s->body_len,
	    &s->c)) != 0)
		return r;
	s->source.size = s->c.size;
	if ((r = check_own(s)) != 0)
		return r;
	r = read_note(s, COSIGN_FILE, &s->old, &body, &len, &s->old_c);
	if (r != 0 && r != ERR_MISSING)
		return r;
	/* Of the same tree: its cosignatures stay beside the new ones. */
	if (r == 0 && len == s->body_len && memcmp(body, s->body, len) == 0)
		buf_bytes(&s->made, s->old.data, s->old.len);
	else
		buf_bytes(&s->made, s->note.data, s->note.len);
	return s->made.failed ? ERR_MEMORY : 0;
}

static bool
has(const struct buf *note, const struct note_key *key)
{
	const char *body;
	size_t len;

	return note->len > 0 && note_check((const char *)note->data,
	    note->len, key, &body, &len, NULL) == 0;
}

/* The answer's line into the note that is made. */
static int
take_line(struct cosign *s, struct cosign_witness *x, const struct buf *answer)
{
	struct buf line, next;
	const char *body;
	size_t len;
	int r;

	buf_init(&line, 0);
	buf_init(&next, 0);
	buf_bytes(&next, s->body, s->body_len);
	buf_u8(&next, '\n');
	r = note_line((const char *)answer->data, answer->len, &x->key,
	    &line);
	buf_bytes(&next, line.data, line.len);
	if (r == 0)
		r = next.failed ? ERR_MEMORY : note_check(
		    (const char *)next.data, next.len, &x->key, &body, &len,
		    NULL);
	if (r != 0) {
		(void)why_set(&x->why, r, 0, 0, "its answer is no "
		    "cosignature by the key given");
		goto out;
	}
	buf_reset(&next);
	r = note_without((const char *)s->made.data, s->made.len, &x->key,
	    &next);
	buf_bytes(&next, line.data, line.len);
	if (r != 0 || next.failed) {
		r = r != 0 ? r : ERR_MEMORY;
		goto out;
	}
	buf_reset(&s->made);
	buf_bytes(&s->made, next.data, next.len);
	r = s->made.failed ? ERR_MEMORY : 0;
out:
	buf_done(&line);
	buf_done(&next);
	return r;
}

static int
make_request(struct cosign *s, uint64_t old, struct buf *out)
{
	struct merkle_hash proof[MERKLE_PROOF_MAX];
	struct request q = {.old = old, .note = (const char *)s->note.data,
	    .note_len = s->note.len};
	int r;

	if ((r = merkle_consistency(old, s->c.size, source_subtree,
	    &s->source, proof, &q.n)) != 0)
		return r;
	if (q.n > REQUEST_PROOF_MAX)
		return ERR_LIMIT;
	memcpy(q.proof, proof, q.n * sizeof(proof[0]));
	buf_reset(out);
	request_write(&q, out);
	return out->failed ? ERR_MEMORY : 0;
}

/* A 409's body: the size that the witness has recorded. */
static int
read_size(struct cosign *s, struct cosign_witness *x, const struct buf *answer,
    uint64_t *ret)
{
	size_t len = answer->len;

	if (len > 0 && answer->data[len - 1] == '\n')
		len--;
	if (text_u64((const char *)answer->data, len, ret) != 0)
		return why_set(&x->why, ERR_FORMAT, 0, 0, "it knows another "
		    "size and does not say which (409)");
	if (*ret > s->c.size)
		return why_set(&x->why, ERR_CONFLICT, 0, 0, "it has cosigned "
		    "%" PRIu64 " entries of this log, and here are %" PRIu64
		    ": this is an OLD COPY of the log, or there are two", *ret,
		    s->c.size);
	return 0;
}

static int
ask(struct cosign *s, struct cosign_witness *x, struct fetch *to,
    struct buf *request, struct buf *answer)
{
	uint64_t old = has(&s->old, &x->key) && s->old_c.size <= s->c.size ?
	    s->old_c.size : 0;
	struct fetch_answer a;
	int r, i;

	for (i = 0; i < TRIES; i++) {
		if ((r = make_request(s, old, request)) != 0)
			return r;
		if ((r = fetch_post(to, REQUEST_PATH, request->data,
		    request->len, ANSWER_MAX, answer, &a, &x->why)) != 0)
			return r;
		if (a.status == 200)
			return take_line(s, x, answer);
		if (a.status != 409)
			break;
		if ((r = read_size(s, x, answer, &old)) != 0)
			return r;
	}
	return why_set(&x->why, a.status == 422 ? ERR_CONFLICT : ERR_DENIED,
	    0, 0, a.status == 422 ? "it has cosigned ANOTHER TREE of this "
	    "log (%ld)" : "it answers %ld", a.status);
}

static void
ask_one(struct cosign *s, struct cosign_witness *x)
{
	struct buf request, answer;
	struct fetch *to = NULL;

	memset(&x->why, 0, sizeof(x->why));
	buf_init(&request, REQUEST_MAX);
	buf_init(&answer, 0);
	x->result = fetch_open(x->url, &to, &x->why);
	if (x->result == 0)
		x->result = ask(s, x, to, &request, &answer);
	if (x->result != 0 && x->why.text[0] == 0)
		(void)why_set(&x->why, x->result, 0, 0, "%s",
		    err_text(x->result));
	fetch_free(to);
	buf_done(&request);
	buf_done(&answer);
}

static int
save(struct cosign *s, const char *dir)
{
	int fd, r;

	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return why_set(s->w, ERR_IO, 0, 0, "%s: %s", dir,
		    strerror(errno));
	r = disk_replace(&disk_real, fd, COSIGN_FILE, s->made.data,
	    s->made.len);
	if (r != 0)
		(void)why_set(s->w, r, 0, 0, "%s/" COSIGN_FILE ": %s", dir,
		    strerror(errno));
	(void)close(fd);		/* only opened */
	return r;
}

int
quorum_load(const char *path, struct quorum **ret, struct why *w)
{
	struct quorum *q = NULL;
	struct buf text;
	int r;

	memset(w, 0, sizeof(*w));
	buf_init(&text, 0);
	r = disk_read(AT_FDCWD, path, QUORUM_FILE_MAX, &text);
	if (r == ERR_IO)
		(void)why_set(w, r, 0, 0, "%s", strerror(errno));
	if (r != 0 || (r = quorum_read((const char *)text.data, text.len, &q,
	    w)) != 0 || (r = quorum_askable(q, w)) != 0)
		goto out;
	*ret = q;
	q = NULL;			/* now the caller's */
out:
	quorum_free(q);
	buf_done(&text);
	return r;
}

int
cosign_run(const char *dir, struct cosign_witness *ws, size_t n,
    struct cosign_result *ret, struct why *w)
{
	struct cosign s = {.w = w};
	size_t i, before = 0, after = 0;
	int r;

	memset(ret, 0, sizeof(*ret));
	if ((r = fetch_open(dir, &s.own, w)) != 0)
		return r;
	source_init(&s.source, s.own, 0, w);
	if ((r = load(&s)) != 0)
		goto out;
	ret->size = s.c.size;
	for (i = 0; i < n; i++) {
		ask_one(&s, &ws[i]);
		ret->good += ws[i].result == 0;
		before += has(&s.old, &ws[i].key);
		after += has(&s.made, &ws[i].key);
	}
	/* Older with more witnesses is worth more than newer with fewer. */
	ret->kept = after < before;
	if (after > 0 && !ret->kept)
		r = save(&s, dir);
out:
	source_done(&s.source);
	buf_done(&s.note);
	buf_done(&s.old);
	buf_done(&s.made);
	fetch_free(s.own);
	return r;
}

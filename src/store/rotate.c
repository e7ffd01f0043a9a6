#include "store/rotate.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "log/rotation.h"
#include "record/record.h"
#include "store/disk.h"
#include "store/journal.h"
#include "store/tiles.h"

struct rotate {
	const struct rotate_conf *conf;
	struct why *w;
	struct tiles *tiles;
	struct journal *journal;
	struct rotations known;		/* of the file */
	struct buf file;
	struct buf note;		/* this rotation's */
	uint64_t seq;
	struct arena *arena;
};

static int
replay(void *arg, uint64_t index, const struct journal_entry *e)
{
	struct rotate *x = arg;

	if (index != tiles_next(x->tiles))
		return ERR_CONFLICT;
	return tiles_add(x->tiles, e);
}

static int
open_store(struct rotate *x)
{
	const struct rotate_conf *c = x->conf;
	const struct tiles_conf t = {c->disk, c->log_dir, c->state_dir,
	    c->from, c->to->key};
	int r;

	if ((r = tiles_open(&t, &x->tiles, x->w)) != 0 ||
	    (r = journal_open(c->disk, c->state_dir,
	    tiles_published(x->tiles), replay, x, &x->journal, x->w)) != 0)
		return r;
	return tiles_check_signed(x->tiles, x->w);
}

static int
read_file(struct rotate *x)
{
	const struct rotate_conf *c = x->conf;
	int r;

	r = disk_read(c->log_dir, ROTATIONS_FILE, ROTATIONS_FILE_MAX,
	    &x->file);
	if (r == ERR_MISSING)
		return 0;
	if (r == 0)
		r = rotations_read((const char *)x->file.data, x->file.len,
		    &x->known);
	if (r != 0)
		return why_set(x->w, r, 0, 0, "the file " ROTATIONS_FILE
		    " in the log's directory is damaged or cannot be read "
		    "(%s); restore it from a copy", err_text(r));
	return 0;
}

/* An earlier run has come as far as the file. */
static bool
is_over(const struct rotate *x)
{
	const struct note_key *now = rotations_key(&x->known,
	    MERKLE_SIZE_MAX);

	return now != NULL && note_key_same(now, x->conf->to->key);
}

/* May `from` be followed by `to`, as far as the file tells? */
static int
check_keys(struct rotate *x)
{
	const struct rotations *k = &x->known;
	const struct note_key *now = rotations_key(k, MERKLE_SIZE_MAX);

	if (is_over(x))
		return 0;
	if (rotations_has(k, x->conf->to->key))
		return why_set(x->w, ERR_DENIED, 0, 0, "the new key was this "
		    "log's before; a retired key never signs again");
	if (now != NULL && !note_key_same(now, x->conf->from->key))
		return why_set(x->w, ERR_CONFLICT, 0, 0, "the old key is not "
		    "the one that signs this log now");
	if (k->n == ROTATIONS_MAX)
		return why_set(x->w, ERR_LIMIT, 0, 0, "this log has had %d "
		    "keys; end it and begin a new one", ROTATIONS_MAX + 1);
	return 0;
}

/* The last entry as a record; its strings live in x->arena. */
static int
last_record(struct rotate *x, struct record *ret)
{
	struct why why = {0};
	struct buf last;
	int r;

	buf_init(&last, 0);
	if ((r = tiles_last(x->tiles, &last)) == ERR_MISSING) {
		(void)why_set(x->w, ERR_STATE, 0, 0, "the log has no entries "
		    "yet, so nothing is signed: start it with the new key");
		r = ERR_STATE;
	} else if (r == 0 && (r = record_decode(bytes_of(last.data, last.len),
	    x->arena, ret, &why)) != 0) {
		(void)why_set(x->w, r, 0, 0, "the last entry is not one that "
		    "this version writes: %s", why.text);
	}
	buf_done(&last);
	return r;
}

/* Whether the last entry is this very rotation, from an earlier run. */
static int
is_begun(struct rotate *x, const struct record *last, bool *ret)
{
	const char *note = last->u.rotation.note;
	struct rotation got;
	int r;

	*ret = false;
	if (last->type != RECORD_ROTATION)
		return 0;
	if ((r = rotation_read(note, strlen(note), &got)) != 0)
		return why_set(x->w, r, 0, 0, "the last entry is a rotation "
		    "that its keys have not signed");
	if (!note_key_same(&got.to, x->conf->to->key) ||
	    !note_key_same(&got.from, x->conf->from->key))
		return note_key_same(&got.to, x->conf->from->key) ? 0 :
		    why_set(x->w, ERR_CONFLICT, 0, 0, "the log is being "
		    "changed to another key; finish that one first");
	x->seq = got.seq;
	buf_str(&x->note, note);
	*ret = true;
	return x->note.failed ? ERR_MEMORY : 0;
}

static int
publish_all(struct rotate *x)
{
	int r = 0;

	while (r == 0 && tiles_published(x->tiles) < tiles_next(x->tiles))
		r = tiles_publish(x->tiles, x->w);
	return r;
}

static int
encode(struct rotate *x, const struct record *last, struct buf *out)
{
	struct record rec = {.type = RECORD_ROTATION};
	int64_t now = x->conf->now_ms;
	int r;

	if (now < last->time_ms)
		now = last->time_ms;
	rec.u.rotation.note = buf_text(&x->note);
	rec.u.rotation.clean = last->type == RECORD_STOP ||
	    (last->type == RECORD_ROTATION && last->u.rotation.clean);
	if (rec.u.rotation.note == NULL)
		return ERR_MEMORY;
	if ((r = record_encode_envelope(x->conf->gateway, x->seq, now,
	    out)) != 0)
		return r;
	return record_encode_body(&rec, out);
}

/* Durable, or the rotation has not begun. */
static int
append(struct rotate *x, const struct record *last)
{
	struct journal_entry e;
	struct buf entry;
	int r;

	buf_init(&entry, RECORD_MAX);
	x->seq = journal_next(x->journal);
	if ((r = rotation_write(x->conf->from, x->conf->to, x->seq,
	    &x->note)) != 0 || (r = encode(x, last, &entry)) != 0 ||
	    (r = merkle_leaf(entry.data, entry.len, &e.leaf)) != 0) {
		(void)why_set(x->w, r, 0, 0, "the rotation cannot be signed: "
		    "%s", err_text(r));
		goto out;
	}
	e.data = bytes_of(entry.data, entry.len);
	if ((r = journal_append(x->journal, &e, 1)) != 0) {
		(void)why_set(x->w, r, 0, 0, "the journal: %s", r == ERR_IO ||
		    r == ERR_STATE ? strerror(errno) : err_text(r));
		goto out;
	}
	r = tiles_add(x->tiles, &e);
out:
	buf_done(&entry);
	return r;
}

static int
write_file(struct rotate *x)
{
	int r;

	if (is_over(x))
		return 0;
	buf_bytes(&x->file, x->note.data, x->note.len);
	buf_u8(&x->file, '\n');
	if (x->file.failed)
		return ERR_MEMORY;
	r = disk_replace(x->conf->disk, x->conf->log_dir, ROTATIONS_FILE,
	    x->file.data, x->file.len);
	if (r != 0)
		(void)why_set(x->w, r, 0, 0, "cannot write " ROTATIONS_FILE
		    " in the log's directory: %s", strerror(errno));
	return r;
}

static int
run(struct rotate *x)
{
	struct record last;
	bool begun;
	int r;

	if ((r = read_file(x)) != 0 || (r = check_keys(x)) != 0 ||
	    (r = open_store(x)) != 0 || (r = last_record(x, &last)) != 0 ||
	    (r = is_begun(x, &last, &begun)) != 0)
		return r;
	if (!begun && is_over(x)) {	/* and the log has gone on since */
		x->seq = x->known.seq[x->known.n - 1];
		return 0;
	}
	if (!begun && ((r = publish_all(x)) != 0 ||
	    (r = append(x, &last)) != 0))
		return r;
	if ((r = write_file(x)) != 0)
		return r;
	tiles_sign_by(x->tiles, x->conf->to);
	if ((r = publish_all(x)) == 0)
		journal_drop(x->journal, tiles_published(x->tiles));
	return r;
}

bool
rotate_is_to_another(const struct journal_entry *e,
    const struct note_key *key)
{
	static const char type[] = "\"type\":\"rotation\"";
	struct rotation to;
	struct arena *a;
	struct record rec;
	struct why w;
	bool is = true;			/* if it cannot be told */

	if (memmem(e->data.data, e->data.len, type, sizeof(type) - 1) == NULL)
		return false;
	if ((a = arena_new()) == NULL)
		return true;
	if (record_decode(e->data, a, &rec, &w) == 0)
		is = rec.type == RECORD_ROTATION &&
		    (rotation_read(rec.u.rotation.note,
		    strlen(rec.u.rotation.note), &to) != 0 ||
		    !note_key_same(&to.to, key));
	arena_free(a);
	return is;
}

int
rotate_run(const struct rotate_conf *conf, uint64_t *ret, struct why *w)
{
	struct rotate *x = calloc(1, sizeof(*x));
	int r = ERR_MEMORY;

	if (x == NULL)
		return why_set(w, r, 0, 0, "out of memory");
	x->conf = conf;
	x->w = w;
	buf_init(&x->file, ROTATIONS_FILE_MAX + ROTATION_NOTE_MAX + 1);
	buf_init(&x->note, ROTATION_NOTE_MAX + 1);
	if ((x->arena = arena_new()) != NULL)
		r = run(x);
	if (r == 0)
		*ret = x->seq;
	else if (w->text[0] == 0)
		(void)why_set(w, r, 0, 0, "%s", err_text(r));
	tiles_free(x->tiles);
	journal_free(x->journal);
	buf_done(&x->file);
	buf_done(&x->note);
	arena_free(x->arena);
	free(x);
	return r;
}

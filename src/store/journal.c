/*
 * A generation:
 *
 *	file	"sworn journal 1\n" first:u64 check[8]		then batches
 *	batch	MAGIC count:u32 first:u64 len:u32 check[8]	then entries
 *	entry	len:u32 leaf[32] bytes
 *
 * Integers are big-endian. A check is the start of SHA-256 over the bytes of
 * the header before it; entries are checked by their leaf hash, which is
 * what the tree is made of. MAGIC starts with a byte that UTF-8 never has,
 * so no entry holds one.
 *
 * The first batch that does not hold ends a generation. Was it torn by a
 * crash, or damaged later? Torn batches were never acknowledged and are
 * always the last: if a batch header that holds follows anywhere behind, it
 * is damage, and the owner must look.
 *
 * Generations overlap where a start copied entries and was cut short; the
 * copies are equal, so each entry is taken from the first that has it.
 */
#include "store/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "store/disk.h"

#define FILE_TEXT "sworn journal 1\n"
#define FILE_TEXT_LEN 16
#define FILE_HEAD_LEN (FILE_TEXT_LEN + 8 + CHECK_LEN)
#define MAGIC "\xf5SJB"
#define MAGIC_LEN 4
#define BATCH_HEAD_LEN (MAGIC_LEN + 4 + 8 + 4 + CHECK_LEN)
#define CHECK_LEN 8
#define NAME_PREFIX "journal."
#define NAME_MAX_LEN 40
#define COPY_MAX (JOURNAL_BATCH_MAX / 2)	/* bytes of a batch at open */
#define READ_MAX (JOURNAL_FILE_MAX + JOURNAL_BATCH_MAX + ((size_t)1 << 20))

struct generation {
	uint64_t number;
	uint64_t first;		/* index of its first entry */
	uint64_t next;		/* and the one behind its last */
};

struct journal {
	const struct disk *disk;
	int dir;
	struct generation *gens;	/* oldest first; the last is open */
	size_t n_gens;
	int fd;
	size_t end;		/* of what is durable */
	bool dirty;		/* bytes behind end are still to be cut */
	bool failed;
	struct buf out;
};

struct batch_head {
	uint32_t count;
	uint64_t first;
	uint32_t len;
};

static void
gen_name(uint64_t number, char ret[static NAME_MAX_LEN])
{
	(void)snprintf(ret, NAME_MAX_LEN, NAME_PREFIX "%llu",
	    (unsigned long long)number);	/* always fits */
}

/* Closes a header: everything in out from `start` on is covered. */
static int
check_write(struct buf *out, size_t start)
{
	uint8_t digest[HASH_LEN];
	int r;

	if (out->failed)
		return ERR_MEMORY;
	r = hash_sha256(out->data + start, out->len - start, digest);
	if (r == 0)
		buf_bytes(out, digest, CHECK_LEN);
	return r != 0 ? r : out->failed ? ERR_MEMORY : 0;
}

static bool
check_holds(const uint8_t *head, size_t head_len)
{
	uint8_t digest[HASH_LEN];

	return hash_sha256(head, head_len - CHECK_LEN, digest) == 0 &&
	    memcmp(digest, head + head_len - CHECK_LEN, CHECK_LEN) == 0;
}

static int
file_head_read(struct reader *r, uint64_t *first)
{
	struct bytes text, check;
	const uint8_t *head = r->data + r->pos;

	if (reader_left(r) < FILE_HEAD_LEN)
		return ERR_SHORT;
	if (!check_holds(head, FILE_HEAD_LEN) ||
	    memcmp(head, FILE_TEXT, FILE_TEXT_LEN) != 0 ||
	    reader_bytes(r, FILE_TEXT_LEN, &text) != 0 ||
	    reader_u64(r, first) != 0 || *first > MERKLE_SIZE_MAX)
		return ERR_FORMAT;
	return reader_bytes(r, CHECK_LEN, &check);
}

static int
batch_head_read(struct reader *r, struct batch_head *ret)
{
	struct bytes skip;
	const uint8_t *head = r->data + r->pos;

	if (reader_left(r) < BATCH_HEAD_LEN)
		return ERR_SHORT;
	if (memcmp(head, MAGIC, MAGIC_LEN) != 0 ||
	    !check_holds(head, BATCH_HEAD_LEN))
		return ERR_FORMAT;
	if (reader_bytes(r, MAGIC_LEN, &skip) != 0 ||
	    reader_u32(r, &ret->count) != 0 ||
	    reader_u64(r, &ret->first) != 0 || reader_u32(r, &ret->len) != 0)
		return ERR_FORMAT;
	return reader_bytes(r, CHECK_LEN, &skip);
}

static int
entry_read(struct reader *r, struct journal_entry *ret)
{
	struct merkle_hash leaf;
	struct bytes hash;
	uint32_t len;

	if (reader_u32(r, &len) != 0 ||
	    reader_bytes(r, HASH_LEN, &hash) != 0 ||
	    reader_bytes(r, len, &ret->data) != 0)
		return ERR_FORMAT;
	if (merkle_leaf(ret->data.data, ret->data.len, &leaf) != 0)
		return ERR_CRYPTO;
	if (memcmp(leaf.h, hash.data, HASH_LEN) != 0)
		return ERR_FORMAT;
	ret->leaf = leaf;
	return 0;
}

/* Reads one batch; r is unmoved unless all of it holds. */
static int
batch_check(struct reader *r, uint64_t want, struct batch_head *ret)
{
	struct reader at = *r, body;
	struct journal_entry e;
	struct bytes bytes;
	uint32_t i;
	int err;

	if ((err = batch_head_read(&at, ret)) != 0)
		return err;
	if (reader_bytes(&at, ret->len, &bytes) != 0)
		return ERR_SHORT;
	if (ret->first != want)
		return ERR_FORMAT;
	reader_init(&body, bytes.data, bytes.len);
	for (i = 0; i < ret->count; i++)
		if ((err = entry_read(&body, &e)) != 0)
			return err;
	if (reader_left(&body) != 0)
		return ERR_FORMAT;
	*r = at;
	return 0;
}

/* Whether a header that holds is anywhere behind where r stands. */
static bool
more_behind(struct reader r)
{
	struct batch_head head;
	struct reader at;
	const uint8_t *p;

	while (reader_left(&r) > 1) {
		r.pos++;
		p = memmem(r.data + r.pos, reader_left(&r), MAGIC, MAGIC_LEN);
		if (p == NULL)
			return false;
		r.pos = (size_t)(p - r.data);
		at = r;
		if (batch_head_read(&at, &head) == 0)
			return true;
	}
	return false;
}

/*
 * Walks a generation: sets g->first and g->next, and gives the entries of
 * [from, to) to each, which may be NULL.
 */
static int
gen_walk(const struct buf *file, const char *name, struct generation *g,
    uint64_t from, uint64_t to, journal_entry_fn *each, void *arg,
    struct why *w)
{
	struct journal_entry e;
	struct batch_head head;
	struct reader r, body;
	uint32_t i;
	int err;

	reader_init(&r, file->data, file->len);
	err = file_head_read(&r, &g->first);
	if (err == ERR_SHORT || (err != 0 && !more_behind(r))) {
		/* Torn when it was made: nothing was ever in it. */
		g->first = g->next = UINT64_MAX;
		return 0;
	}
	if (err != 0)
		return why_set(w, ERR_FORMAT, 0, 0, "%s: damaged at offset 0, "
		    "and batches follow; restore the file", name);
	g->next = g->first;
	while (reader_left(&r) > 0) {
		body = r;
		err = batch_check(&r, g->next, &head);
		if (err != 0 && more_behind(r))
			return why_set(w, ERR_FORMAT, 0, 0, "%s: damaged at "
			    "offset %zu (entry %llu), and batches follow; "
			    "restore the file from a copy of this disk", name,
			    r.pos, (unsigned long long)g->next);
		if (err == ERR_CRYPTO)
			return err;
		if (err != 0)
			break;		/* torn, never acknowledged */
		body.pos += BATCH_HEAD_LEN;
		for (i = 0; i < head.count; i++, g->next++) {
			if (entry_read(&body, &e) != 0)
				return ERR_FORMAT;
			if (each != NULL && g->next >= from && g->next < to &&
			    (err = each(arg, g->next, &e)) != 0)
				return err;
		}
	}
	return 0;
}

static int
gen_load(struct journal *j, struct generation *g, uint64_t from, uint64_t to,
    journal_entry_fn *each, void *arg, struct why *w)
{
	char name[NAME_MAX_LEN];
	struct buf file;
	int r;

	gen_name(g->number, name);
	buf_init(&file, READ_MAX + ((size_t)1 << 17));
	if ((r = disk_read(j->dir, name, READ_MAX, &file)) != 0)
		(void)why_set(w, r, 0, 0, "%s: cannot be read: %s", name,
		    r == ERR_IO ? strerror(errno) : err_text(r));
	else
		r = gen_walk(&file, name, g, from, to, each, arg, w);
	buf_done(&file);
	return r;
}

static int
gen_compare(const void *a, const void *b)
{
	const struct generation *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static int
gen_add(struct journal *j, uint64_t number)
{
	struct generation *p;

	p = reallocarray(j->gens, j->n_gens + 1, sizeof(*p));
	if (p == NULL)
		return ERR_MEMORY;
	j->gens = p;
	memset(&p[j->n_gens], 0, sizeof(*p));
	p[j->n_gens++].number = number;
	return 0;
}

static int
gens_list(struct journal *j)
{
	const size_t skip = sizeof(NAME_PREFIX) - 1;
	struct dirent *e;
	uint64_t number;
	DIR *d = NULL;
	int fd, r = 0;

	if ((fd = openat(j->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return ERR_IO;
	if ((d = fdopendir(fd)) == NULL) {
		(void)close(fd);	/* only opened */
		return ERR_IO;
	}
	while (r == 0 && (e = readdir(d)) != NULL)
		if (text_starts(e->d_name, NAME_PREFIX) &&
		    text_u64(e->d_name + skip, strlen(e->d_name) - skip,
		    &number) == 0 && number < UINT64_MAX)
			r = gen_add(j, number);
	(void)closedir(d);		/* only read */
	if (j->n_gens > 1)
		qsort(j->gens, j->n_gens, sizeof(*j->gens), gen_compare);
	return r;
}

/* Removes all generations but the last `keep`, oldest first. */
static void
gens_remove(struct journal *j, size_t keep)
{
	char name[NAME_MAX_LEN];
	size_t i, n = j->n_gens - keep;

	for (i = 0; i < n; i++) {
		gen_name(j->gens[i].number, name);
		/* One left behind is superseded, and goes at the next start. */
		(void)j->disk->unlink(j->disk->arg, j->dir, name, 0);
	}
	memmove(j->gens, j->gens + n, keep * sizeof(*j->gens));
	j->n_gens = keep;
}

/* Makes the next generation, empty, and the one that is appended to. */
static int
gen_start(struct journal *j, uint64_t first)
{
	const struct disk *d = j->disk;
	char name[NAME_MAX_LEN];
	uint64_t number;
	struct buf head;
	int fd = -1, r;

	number = j->n_gens > 0 ? j->gens[j->n_gens - 1].number + 1 : 0;
	gen_name(number, name);
	buf_init(&head, 0);
	buf_bytes(&head, FILE_TEXT, FILE_TEXT_LEN);
	buf_u64(&head, first);
	if ((r = check_write(&head, 0)) != 0 ||
	    (r = disk_create(d, j->dir, name, head.data, head.len)) != 0)
		goto out;
	r = ERR_IO;
	fd = d->open(d->arg, j->dir, name, O_WRONLY | O_APPEND, 0);
	if (fd < 0 || disk_sync_dir(d, j->dir, ".") != 0 ||
	    gen_add(j, number) != 0) {
		(void)d->unlink(d->arg, j->dir, name, 0); /* best effort */
		goto out;
	}
	j->gens[j->n_gens - 1].first = j->gens[j->n_gens - 1].next = first;
	if (j->fd >= 0)
		(void)close(j->fd);	/* every append was synced */
	j->fd = fd;
	fd = -1;
	j->end = head.len;
	r = 0;
out:
	if (fd >= 0)
		(void)close(fd);	/* nothing was written through it */
	buf_done(&head);
	return r;
}

static int
batch_head_write(struct buf *out, uint32_t count, uint64_t first, size_t len)
{
	size_t start = out->len;

	buf_bytes(out, MAGIC, MAGIC_LEN);
	buf_u32(out, count);
	buf_u64(out, first);
	buf_u32(out, (uint32_t)len);
	return check_write(out, start);
}

/* Back to the durable end. */
static int
cut(struct journal *j)
{
	const struct disk *d = j->disk;

	if (d->truncate(d->arg, j->fd, (off_t)j->end) != 0)
		return ERR_IO;
	j->dirty = false;
	return 0;
}

int
journal_append(struct journal *j, const struct journal_entry *e, size_t n)
{
	struct generation *g;
	size_t i, len = 0;
	int r, saved;

	if (j->failed)
		return ERR_STATE;
	if (j->dirty && (r = cut(j)) != 0)
		return r;
	for (i = 0; i < n; i++) {
		len += JOURNAL_FRAME_LEN + e[i].data.len;
		if (len > JOURNAL_BATCH_MAX)
			return ERR_LIMIT;
	}
	/* If there is no room for a new one the old one still serves. */
	if (j->end > JOURNAL_FILE_MAX)
		(void)gen_start(j, journal_next(j));
	g = &j->gens[j->n_gens - 1];
	if (j->end + BATCH_HEAD_LEN + len > READ_MAX) {
		errno = EFBIG;
		return ERR_IO;
	}
	buf_reset(&j->out);
	if ((r = batch_head_write(&j->out, (uint32_t)n, g->next, len)) != 0)
		return r;
	for (i = 0; i < n; i++) {
		buf_u32(&j->out, (uint32_t)e[i].data.len);
		buf_bytes(&j->out, e[i].leaf.h, HASH_LEN);
		buf_bytes(&j->out, e[i].data.data, e[i].data.len);
	}
	if (j->out.failed)
		return ERR_MEMORY;
	if ((r = disk_write(j->disk, j->fd, j->out.data, j->out.len)) != 0) {
		saved = errno;
		j->dirty = true;
		(void)cut(j);		/* else before the next append */
		errno = saved;
		return r;
	}
	if (j->disk->sync(j->disk->arg, j->fd) != 0) {
		j->failed = true;
		return ERR_STATE;
	}
	j->end += j->out.len;
	g->next += n;
	return 0;
}

/* Entries on their way into the new generation, in batches. */
struct copy {
	struct journal *j;
	journal_entry_fn *each;
	void *arg;
	uint64_t want;
	struct journal_entry *batch;	/* data: filled in by copy_flush */
	size_t n, cap;
	struct buf data;
};

static int
copy_flush(struct copy *c)
{
	size_t i, at = 0;
	int r;

	if (c->n == 0)
		return 0;
	for (i = 0; i < c->n; i++) {
		c->batch[i].data.data = c->data.data + at;
		at += c->batch[i].data.len;
	}
	if ((r = journal_append(c->j, c->batch, c->n)) != 0)
		return r;
	c->n = 0;
	buf_reset(&c->data);
	return 0;
}

static int
copy_entry(void *arg, uint64_t index, const struct journal_entry *e)
{
	struct journal_entry *p;
	struct copy *c = arg;
	int r;

	if (index != c->want)
		return index < c->want ? 0 : ERR_CONFLICT;
	if ((r = c->each(c->arg, index, e)) != 0)
		return r;
	c->want++;
	if (c->n == c->cap) {
		p = reallocarray(c->batch, c->cap * 2 + 64, sizeof(*p));
		if (p == NULL)
			return ERR_MEMORY;
		c->batch = p;
		c->cap = c->cap * 2 + 64;
	}
	c->batch[c->n++] = *e;
	buf_bytes(&c->data, e->data.data, e->data.len);
	if (c->data.failed)
		return ERR_MEMORY;
	if (c->data.len + c->n * JOURNAL_FRAME_LEN > COPY_MAX)
		return copy_flush(c);
	return 0;
}

/* Reads all generations, and leaves new ones with the entries from first. */
static int
gens_copy(struct journal *j, uint64_t first, journal_entry_fn *each,
    void *arg, struct why *w)
{
	struct copy c = {.j = j, .each = each, .arg = arg, .want = first};
	size_t i, n_old = j->n_gens;
	struct generation g;
	int r;

	buf_init(&c.data, 0);
	if ((r = gen_start(j, first)) != 0)
		goto out;
	for (i = 0; i < n_old; i++) {
		g = j->gens[i];
		if ((r = gen_load(j, &g, first, UINT64_MAX, copy_entry, &c,
		    w)) != 0)
			goto out;
	}
	if ((r = copy_flush(&c)) != 0)
		goto out;
	gens_remove(j, j->n_gens - n_old);
out:
	if (r != 0 && w != NULL && w->text[0] == '\0')
		(void)why_set(w, r, 0, 0, "the journal cannot be written "
		    "anew: %s", r == ERR_IO || r == ERR_STATE ?
		    strerror(errno) : err_text(r));
	free(c.batch);
	buf_done(&c.data);
	return r;
}

/* What the generations hold must reach from first on without a gap. */
static int
gens_check(struct journal *j, uint64_t first, struct why *w)
{
	char name[NAME_MAX_LEN];
	uint64_t next = first;
	bool any = false;
	size_t i;
	int r;

	for (i = 0; i < j->n_gens; i++) {
		struct generation *g = &j->gens[i];

		gen_name(g->number, name);
		if ((r = gen_load(j, g, 0, 0, NULL, NULL, w)) != 0)
			return r;
		if (g->first == UINT64_MAX)
			continue;
		if (!any)
			next = g->first < first ? g->first : first;
		any = true;
		if (g->first > next)
			return why_set(w, ERR_CONFLICT, 0, 0, "%s starts at "
			    "entry %llu, but only the entries before %llu are "
			    "known; restore the missing journal file", name,
			    (unsigned long long)g->first,
			    (unsigned long long)next);
		if (g->next > next)
			next = g->next;
	}
	if (next < first)
		return why_set(w, ERR_CONFLICT, 0, 0, "the journal ends "
		    "before entry %llu, but %llu entries are in tiles; it is "
		    "an old copy: restore the newest one, or move the "
		    "journal.* files away if there is none",
		    (unsigned long long)next, (unsigned long long)first);
	return 0;
}

int
journal_open(const struct disk *disk, int dir, uint64_t first,
    journal_entry_fn *each, void *arg, struct journal **ret, struct why *w)
{
	struct journal *j;
	int r;

	if (w != NULL)
		w->text[0] = '\0';
	if ((j = calloc(1, sizeof(*j))) == NULL)
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	j->disk = disk;
	j->dir = dir;
	j->fd = -1;
	buf_init(&j->out, 0);
	if ((r = gens_list(j)) != 0) {
		(void)why_set(w, r, 0, 0, "the journal's directory cannot be "
		    "read: %s", r == ERR_IO ? strerror(errno) : err_text(r));
		goto out;
	}
	if ((r = gens_check(j, first, w)) != 0 ||
	    (r = gens_copy(j, first, each, arg, w)) != 0)
		goto out;
	*ret = j;
	j = NULL;		/* now the caller's */
out:
	journal_free(j);
	return r;
}

void
journal_free(struct journal *j)
{
	if (j == NULL)
		return;
	if (j->fd >= 0)
		(void)close(j->fd);	/* every append was synced */
	free(j->gens);
	buf_done(&j->out);
	free(j);
}

uint64_t
journal_next(const struct journal *j)
{
	return j->gens[j->n_gens - 1].next;
}

void
journal_drop(struct journal *j, uint64_t first)
{
	size_t n = 0;

	while (n + 1 < j->n_gens && j->gens[n].next <= first)
		n++;
	gens_remove(j, j->n_gens - n);
}

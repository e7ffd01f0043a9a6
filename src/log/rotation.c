/*
 * Trust goes both ways along a chain: the old key says who follows, and the
 * new one says whom it follows. One signature alone moves nobody.
 */
#include "log/rotation.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

#define FIRST_LINE "sworn log key rotation v1"
#define TYPE_ED25519 0x01
#define BODY_LINES 5

bool
note_key_same(const struct note_key *a, const struct note_key *b)
{
	return a->type == b->type && strcmp(a->name, b->name) == 0 &&
	    memcmp(a->id, b->id, sizeof(a->id)) == 0 &&
	    memcmp(a->public, b->public, sizeof(a->public)) == 0;
}

static bool
may_follow(const struct note_key *from, const struct note_key *to)
{
	return from->type == TYPE_ED25519 && to->type == TYPE_ED25519 &&
	    strcmp(from->name, to->name) == 0 &&
	    memcmp(from->public, to->public, sizeof(to->public)) != 0;
}

int
rotation_write(const struct note_signer *from, const struct note_signer *to,
    uint64_t seq, struct buf *out)
{
	struct buf body, other;
	const char *line;
	int r = ERR_FORMAT;

	if (!may_follow(from->key, to->key))
		return r;
	buf_init(&body, 0);
	buf_init(&other, 0);
	buf_fmt(&body, FIRST_LINE "\n%s\n%llu\n", from->key->name,
	    (unsigned long long)seq);
	note_key_write(from->key, &body);
	buf_u8(&body, '\n');
	note_key_write(to->key, &body);
	buf_u8(&body, '\n');
	r = body.failed ? ERR_MEMORY : 0;
	if (r != 0 ||
	    (r = note_sign_by(from, (const char *)body.data, body.len,
	    out)) != 0 ||
	    (r = note_sign_by(to, (const char *)body.data, body.len,
	    &other)) != 0)
		goto out;
	line = (const char *)other.data + body.len + 1;	/* the blank line */
	buf_bytes(out, line, other.len - body.len - 1);
	r = out->failed ? ERR_MEMORY : 0;
out:
	buf_done(&body);
	buf_done(&other);
	return r;
}

/* Splits the body; its lines are not empty. */
static int
split(const char *p, size_t len, const char *line[static BODY_LINES],
    size_t line_len[static BODY_LINES])
{
	const char *nl, *end = p + len;
	size_t i;

	for (i = 0; i < BODY_LINES; i++) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL || nl == p)
			return ERR_FORMAT;
		line[i] = p;
		line_len[i] = (size_t)(nl - p);
		p = nl + 1;
	}
	return p == end ? 0 : ERR_FORMAT;
}

static int
read_body(const char *body, size_t len, struct rotation *ret)
{
	const char *line[BODY_LINES];
	size_t n[BODY_LINES];
	int r;

	if ((r = split(body, len, line, n)) != 0)
		return r;
	if (n[0] != strlen(FIRST_LINE) ||
	    memcmp(line[0], FIRST_LINE, n[0]) != 0 ||
	    text_u64(line[2], n[2], &ret->seq) != 0 ||
	    ret->seq >= MERKLE_SIZE_MAX ||
	    note_key_read(line[3], n[3], &ret->from) != 0 ||
	    note_key_read(line[4], n[4], &ret->to) != 0)
		return ERR_FORMAT;
	if (!may_follow(&ret->from, &ret->to) ||
	    strlen(ret->from.name) != n[1] ||
	    memcmp(ret->from.name, line[1], n[1]) != 0)
		return ERR_FORMAT;
	return 0;
}

int
rotation_read(const char *note, size_t len, struct rotation *ret)
{
	struct rotation got;
	const char *body;
	size_t body_len;
	int r;

	if (len > ROTATION_NOTE_MAX)
		return ERR_LIMIT;
	if ((r = note_body(note, len, &body, &body_len)) != 0 ||
	    (r = read_body(body, body_len, &got)) != 0)
		return r;
	if ((r = note_check(note, len, &got.from, &body, &body_len,
	    NULL)) == 0)
		r = note_check(note, len, &got.to, &body, &body_len, NULL);
	if (r == ERR_MISSING)
		return ERR_CRYPTO;	/* one signature is none */
	if (r == 0)
		*ret = got;
	return r;
}

int
rotations_add(struct rotations *s, const struct rotation *r)
{
	if (s->n == ROTATIONS_MAX)
		return ERR_LIMIT;
	if (s->n > 0 && (!note_key_same(&s->keys[s->n], &r->from) ||
	    r->seq <= s->seq[s->n - 1] || rotations_has(s, &r->to)))
		return ERR_CONFLICT;
	s->keys[s->n] = r->from;
	s->keys[s->n + 1] = r->to;
	s->seq[s->n++] = r->seq;
	return 0;
}

/* The end of the note at p: behind the blank line that is not its own. */
static const char *
end_of_note(const char *p, const char *end)
{
	const char *blank;

	blank = memmem(p, (size_t)(end - p), "\n\n", 2);
	if (blank == NULL)
		return NULL;
	blank = memmem(blank + 2, (size_t)(end - blank - 2), "\n\n", 2);
	return blank == NULL ? NULL : blank + 1;
}

int
rotations_read(const char *text, size_t len, struct rotations *ret)
{
	const char *p = text, *end = text + len, *at;
	struct rotation one;
	int r = 0;

	ret->n = 0;
	while (p < end && r == 0) {
		if ((at = end_of_note(p, end)) == NULL)
			r = ERR_FORMAT;
		else if ((r = rotation_read(p, (size_t)(at - p), &one)) == 0)
			r = rotations_add(ret, &one);
		p = at == NULL ? end : at + 1;
	}
	if (r != 0)
		ret->n = 0;
	return r;
}

void
rotations_cut(struct rotations *s, uint64_t size)
{
	while (s->n > 0 && s->seq[s->n - 1] >= size)
		s->n--;
}

const struct note_key *
rotations_key(const struct rotations *s, uint64_t size)
{
	size_t i;

	if (s->n == 0)
		return NULL;
	for (i = s->n; i > 0 && s->seq[i - 1] >= size; i--)
		;
	return &s->keys[i];
}

bool
rotations_has(const struct rotations *s, const struct note_key *key)
{
	size_t i;

	for (i = 0; s->n > 0 && i <= s->n; i++)
		if (note_key_same(&s->keys[i], key))
			return true;
	return false;
}

bool
rotations_begin(const struct rotations *all, const struct rotations *part)
{
	size_t i;

	if (part->n > all->n)
		return false;
	for (i = 0; i < part->n; i++)
		if (all->seq[i] != part->seq[i] ||
		    !note_key_same(&all->keys[i], &part->keys[i]) ||
		    !note_key_same(&all->keys[i + 1], &part->keys[i + 1]))
			return false;
	return true;
}

/*
 * A signed note is text, a blank line, and signature lines:
 *
 *	body, one or more lines\n
 *	\n
 *	— name base64(keyID[4] || signature)\n
 *
 * The last blank line is the one that separates, so a body may hold others.
 * Lines of keys that are not asked about are checked for shape only.
 */
#include "log/note.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

#define TYPE_ED25519 0x01
#define TYPE_COSIGNATURE 0x04
#define DASH "\xe2\x80\x94 "		/* U+2014 and a space */
#define PRIVATE "PRIVATE+KEY+"
#define COSIGNATURE_LEN (8 + SIGN_LEN)
#define BLOB_MAX 8192			/* of one signature line, decoded */

/* Unicode's White_Space beyond ASCII; a key's name has none of it. */
static const char *const spaces[] = {
	"\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
	"\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85",
	"\xe2\x80\x86", "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89",
	"\xe2\x80\x8a", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
	"\xe2\x81\x9f", "\xe3\x80\x80",
};

static bool
is_name(const char *s, size_t len)
{
	size_t i;

	if (len == 0 || len >= NOTE_NAME_MAX || !text_is_utf8(s, len))
		return false;
	for (i = 0; i < len; i++)
		if ((unsigned char)s[i] <= ' ' || s[i] == 0x7f || s[i] == '+')
			return false;
	for (i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
		if (memmem(s, len, spaces[i], strlen(spaces[i])) != NULL)
			return false;
	return true;
}

static int
key_id(const struct note_key *k, uint8_t ret[static 4])
{
	uint8_t digest[HASH_LEN];
	struct buf in;
	int r;

	buf_init(&in, NOTE_NAME_MAX + 2 + SIGN_PUBLIC_LEN);
	buf_str(&in, k->name);
	buf_u8(&in, '\n');
	buf_u8(&in, k->type);
	buf_bytes(&in, k->public, SIGN_PUBLIC_LEN);
	r = in.failed ? ERR_MEMORY : hash_sha256(in.data, in.len, digest);
	if (r == 0)
		memcpy(ret, digest, 4);
	buf_done(&in);
	return r;
}

static int
key_make(const char *name, size_t name_len, uint8_t type,
    const uint8_t public[static SIGN_PUBLIC_LEN], struct note_key *ret)
{
	struct note_key k;
	int r;

	if (!is_name(name, name_len) ||
	    (type != TYPE_ED25519 && type != TYPE_COSIGNATURE))
		return ERR_FORMAT;
	memset(&k, 0, sizeof(k));
	memcpy(k.name, name, name_len);
	k.type = type;
	memcpy(k.public, public, SIGN_PUBLIC_LEN);
	if ((r = key_id(&k, k.id)) == 0)
		*ret = k;
	return r;
}

int
note_key_make(const char *name, uint8_t type,
    const uint8_t public[static SIGN_PUBLIC_LEN], struct note_key *ret)
{
	return key_make(name, strlen(name), type, public, ret);
}

/*
 * name+hex8+base64(type || 32 bytes), common to both kinds of key. The name
 * has no plus sign, so the first one ends it; base64 may have some.
 */
static int
key_parts(const char *text, size_t len, size_t *name_len, uint8_t id[static 4],
    uint8_t *type, uint8_t bytes[static 32])
{
	const char *plus;
	struct buf b;
	size_t rest;
	int r = ERR_FORMAT;

	buf_init(&b, 64);
	if ((plus = memchr(text, '+', len)) == NULL)
		return ERR_FORMAT;
	*name_len = (size_t)(plus - text);
	rest = len - *name_len;
	if (rest < 10 || plus[9] != '+')
		return ERR_FORMAT;
	if ((r = text_unhex(plus + 1, 8, &b)) != 0)
		goto out;
	memcpy(id, b.data, 4);
	buf_reset(&b);
	r = ERR_FORMAT;
	if (rest - 10 != 44 || text_unbase64(plus + 10, 44, &b) != 0 ||
	    b.len != 33)
		goto out;
	*type = b.data[0];
	memcpy(bytes, b.data + 1, 32);
	r = 0;
out:
	buf_wipe_done(&b);
	return r;
}

int
note_key_read(const char *text, size_t len, struct note_key *ret)
{
	struct note_key k;
	uint8_t id[4], type, public[SIGN_PUBLIC_LEN];
	size_t name_len;
	int r;

	if ((r = key_parts(text, len, &name_len, id, &type, public)) != 0)
		return r;
	if ((r = key_make(text, name_len, type, public, &k)) != 0)
		return r;
	if (memcmp(k.id, id, 4) != 0)
		return ERR_FORMAT;
	*ret = k;
	return 0;
}

static void
key_write(const struct note_key *k, uint8_t type, const uint8_t *bytes,
    struct buf *out)
{
	uint8_t blob[33];

	blob[0] = type;
	memcpy(blob + 1, bytes, 32);
	buf_str(out, k->name);
	buf_u8(out, '+');
	text_hex(out, k->id, 4);
	buf_u8(out, '+');
	text_base64(out, blob, sizeof(blob));
	wipe(blob, sizeof(blob));
}

void
note_key_write(const struct note_key *k, struct buf *out)
{
	key_write(k, k->type, k->public, out);
}

int
note_private_read(const char *text, size_t len, struct note_key *ret,
    uint8_t seed[static SIGN_SEED_LEN])
{
	static const size_t skip = sizeof(PRIVATE) - 1;
	uint8_t id[4], type, public[SIGN_PUBLIC_LEN];
	struct note_key k;
	size_t name_len;
	int r;

	if (len < skip || memcmp(text, PRIVATE, skip) != 0)
		return ERR_FORMAT;
	text += skip;
	len -= skip;
	if ((r = key_parts(text, len, &name_len, id, &type, seed)) != 0)
		return r;
	r = ERR_FORMAT;
	if (type != TYPE_ED25519)
		goto out;
	if ((r = sign_public(seed, public)) != 0 ||
	    (r = key_make(text, name_len, type, public, &k)) != 0)
		goto out;
	if (memcmp(k.id, id, 4) != 0)
		r = ERR_FORMAT;
	else
		*ret = k;
out:
	if (r != 0)
		wipe(seed, SIGN_SEED_LEN);
	return r;
}

int
note_private_write(const struct note_key *k,
    const uint8_t seed[static SIGN_SEED_LEN], struct buf *out)
{
	if (k->type != TYPE_ED25519)
		return ERR_FORMAT;
	buf_str(out, PRIVATE);
	key_write(k, TYPE_ED25519, seed, out);
	return out->failed ? ERR_MEMORY : 0;
}

/* A body: lines of UTF-8 text without control characters. */
static bool
is_text(const char *s, size_t len)
{
	size_t i;

	if (len == 0 || s[len - 1] != '\n' || !text_is_utf8(s, len))
		return false;
	for (i = 0; i < len; i++)
		if ((unsigned char)s[i] < ' ' && s[i] != '\n')
			return false;
	return true;
}

static int
signer_sign(const struct note_signer *s, const void *msg, size_t len,
    uint8_t ret[static SIGN_LEN])
{
	return s->sign != NULL ? s->sign(s->arg, msg, len, ret) :
	    sign_make(s->seed, msg, len, ret);
}

int
note_sign_by(const struct note_signer *s, const char *body, size_t body_len,
    struct buf *out)
{
	const struct note_key *key = s->key;
	uint8_t blob[4 + SIGN_LEN];
	int r;

	if (key->type != TYPE_ED25519 || body_len > NOTE_MAX / 2 ||
	    !is_text(body, body_len))
		return ERR_FORMAT;
	memcpy(blob, key->id, 4);
	if ((r = signer_sign(s, body, body_len, blob + 4)) != 0)
		return r;
	buf_bytes(out, body, body_len);
	buf_str(out, "\n" DASH);
	buf_str(out, key->name);
	buf_u8(out, ' ');
	text_base64(out, blob, sizeof(blob));
	buf_u8(out, '\n');
	return out->failed ? ERR_MEMORY : 0;
}

int
note_sign(const char *body, size_t body_len, const struct note_key *key,
    const uint8_t seed[static SIGN_SEED_LEN], struct buf *out)
{
	const struct note_signer s = {.key = key, .seed = seed};

	return note_sign_by(&s, body, body_len, out);
}

/* cosignature/v1: the time is signed with the body. */
static void
cosigned_text(const char *body, size_t body_len, uint64_t time_s,
    struct buf *out)
{
	buf_fmt(out, "cosignature/v1\ntime %llu\n",
	    (unsigned long long)time_s);
	buf_bytes(out, body, body_len);
}

static int
check_cosignature(const char *body, size_t body_len,
    const struct note_key *key, const uint8_t *blob, size_t len,
    uint64_t *time_s)
{
	struct reader in;
	struct buf msg;
	uint64_t t;
	int r;

	if (len != COSIGNATURE_LEN)
		return ERR_CRYPTO;
	reader_init(&in, blob, len);
	if (reader_u64(&in, &t) != 0 || t > INT64_MAX)
		return ERR_CRYPTO;
	buf_init(&msg, NOTE_MAX + 64);
	cosigned_text(body, body_len, t, &msg);
	r = msg.failed ? ERR_MEMORY :
	    sign_check(key->public, msg.data, msg.len, blob + 8);
	if (r == 0 && t > *time_s)
		*time_s = t;
	buf_done(&msg);
	return r;
}

/*
 * One signature line, without its newline. 0: checked and good; ERR_MISSING:
 * by another key.
 */
static int
check_line(const char *line, size_t len, const char *body, size_t body_len,
    const struct note_key *key, uint64_t *time_s)
{
	static const size_t dash_len = sizeof(DASH) - 1;
	const char *space;
	struct buf blob;
	size_t name_len;
	int r = ERR_FORMAT;

	buf_init(&blob, BLOB_MAX);
	if (len < dash_len || memcmp(line, DASH, dash_len) != 0)
		goto out;
	line += dash_len;
	len -= dash_len;
	if ((space = memchr(line, ' ', len)) == NULL)
		goto out;
	name_len = (size_t)(space - line);
	if (!is_name(line, name_len) ||
	    text_unbase64(space + 1, len - name_len - 1, &blob) != 0 ||
	    blob.len < 5)
		goto out;
	r = ERR_MISSING;
	if (strlen(key->name) != name_len ||
	    memcmp(key->name, line, name_len) != 0 ||
	    memcmp(key->id, blob.data, 4) != 0)
		goto out;
	if (key->type == TYPE_COSIGNATURE)
		r = check_cosignature(body, body_len, key, blob.data + 4,
		    blob.len - 4, time_s);
	else if (blob.len != 4 + SIGN_LEN)
		r = ERR_CRYPTO;
	else
		r = sign_check(key->public, body, body_len, blob.data + 4);
out:
	buf_done(&blob);
	return r;
}

/* The start of the signature lines: behind the last blank line, or NULL. */
static const char *
find_signatures(const char *note, size_t len)
{
	size_t i;

	for (i = len; i >= 2; i--)
		if (note[i - 1] == '\n' && note[i - 2] == '\n')
			return note + i;
	return NULL;
}

int
note_check(const char *note, size_t len, const struct note_key *key,
    const char **body, size_t *body_len, uint64_t *time_s)
{
	const char *p, *end, *nl;
	bool found = false;
	uint64_t t = 0;
	size_t n, lines = 0;
	int r;

	if (len > NOTE_MAX)
		return ERR_LIMIT;
	if (!is_text(note, len) || (p = find_signatures(note, len)) == NULL)
		return ERR_FORMAT;
	n = (size_t)(p - note) - 1;
	end = note + len;
	if (p == end || n == 0)
		return ERR_FORMAT;
	for (; p < end; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			return ERR_FORMAT;
		if (++lines > NOTE_SIGNATURES_MAX)
			return ERR_LIMIT;
		r = check_line(p, (size_t)(nl - p), note, n, key, &t);
		if (r != 0 && r != ERR_MISSING)
			return r;
		found = found || r == 0;
	}
	if (!found)
		return ERR_MISSING;
	*body = note;
	*body_len = n;
	if (time_s != NULL)
		*time_s = t;
	return 0;
}

int
note_cosign(const char *body, size_t body_len, const struct note_signer *by,
    uint64_t time_s, struct buf *out)
{
	const struct note_key *key = by->key;
	uint8_t sig[SIGN_LEN];
	struct buf msg, blob;
	int r = ERR_FORMAT;

	if (key->type != TYPE_COSIGNATURE || body_len > NOTE_MAX / 2 ||
	    time_s > INT64_MAX || !is_text(body, body_len))
		return r;
	buf_init(&msg, NOTE_MAX + 64);
	buf_init(&blob, 4 + COSIGNATURE_LEN);
	cosigned_text(body, body_len, time_s, &msg);
	r = msg.failed ? ERR_MEMORY :
	    signer_sign(by, msg.data, msg.len, sig);
	if (r != 0)
		goto out;
	buf_bytes(&blob, key->id, 4);
	buf_u64(&blob, time_s);
	buf_bytes(&blob, sig, SIGN_LEN);
	buf_str(out, DASH);
	buf_str(out, key->name);
	buf_u8(out, ' ');
	if (!blob.failed)
		text_base64(out, blob.data, blob.len);
	buf_u8(out, '\n');
	r = blob.failed || out->failed ? ERR_MEMORY : 0;
out:
	buf_done(&msg);
	buf_done(&blob);
	return r;
}

/* Whether a signature line says that it is by this key. */
static bool
is_line_of(const char *line, size_t len, const struct note_key *key)
{
	size_t name_len = strlen(key->name), dash = sizeof(DASH) - 1;
	struct buf blob;
	bool is;

	if (len < dash + name_len + 1 ||
	    memcmp(line + dash, key->name, name_len) != 0 ||
	    line[dash + name_len] != ' ')
		return false;
	dash += name_len + 1;
	buf_init(&blob, BLOB_MAX);
	is = text_unbase64(line + dash, len - dash, &blob) == 0 &&
	    blob.len > 4 && memcmp(blob.data, key->id, 4) == 0;
	buf_done(&blob);
	return is;
}

int
note_body(const char *note, size_t len, const char **body, size_t *body_len)
{
	const char *p;

	if (len > NOTE_MAX || !is_text(note, len) ||
	    (p = find_signatures(note, len)) == NULL || p - note < 2)
		return ERR_FORMAT;
	*body = note;
	*body_len = (size_t)(p - note) - 1;
	return 0;
}

int
note_line(const char *lines, size_t len, const struct note_key *key,
    struct buf *out)
{
	const char *p, *nl, *end = lines + len;

	for (p = lines; p < end; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			return ERR_FORMAT;
		if (!is_line_of(p, (size_t)(nl - p), key))
			continue;
		buf_bytes(out, p, (size_t)(nl + 1 - p));
		return out->failed ? ERR_MEMORY : 0;
	}
	return ERR_MISSING;
}

int
note_without(const char *note, size_t len, const struct note_key *key,
    struct buf *out)
{
	const char *p, *nl, *end = note + len;

	if (len > NOTE_MAX || (p = find_signatures(note, len)) == NULL)
		return ERR_FORMAT;
	buf_bytes(out, note, (size_t)(p - note));
	for (; p < end; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			return ERR_FORMAT;
		if (!is_line_of(p, (size_t)(nl - p), key))
			buf_bytes(out, p, (size_t)(nl + 1 - p));
	}
	return out->failed ? ERR_MEMORY : 0;
}

/* The next line, which must not be empty, without its newline. */
static int
next_line(const char **p, const char *end, const char **line, size_t *len)
{
	const char *nl = memchr(*p, '\n', (size_t)(end - *p));

	if (nl == NULL || nl == *p)
		return ERR_FORMAT;
	*line = *p;
	*len = (size_t)(nl - *p);
	*p = nl + 1;
	return 0;
}

int
checkpoint_read(const char *body, size_t len, struct checkpoint *ret)
{
	const char *p = body, *end = body + len, *line;
	struct checkpoint c;
	struct buf root;
	size_t n;
	int r = ERR_FORMAT;

	memset(&c, 0, sizeof(c));
	buf_init(&root, 64);
	if (len == 0 || len > NOTE_MAX ||
	    next_line(&p, end, &line, &n) != 0 || n >= sizeof(c.origin) ||
	    memchr(line, 0, n) != NULL)
		goto out;
	memcpy(c.origin, line, n);
	if (next_line(&p, end, &line, &n) != 0 ||
	    text_u64(line, n, &c.size) != 0 || c.size > MERKLE_SIZE_MAX ||
	    next_line(&p, end, &line, &n) != 0 || n != 44 ||
	    text_unbase64(line, n, &root) != 0 || root.len != HASH_LEN)
		goto out;
	memcpy(c.root.h, root.data, HASH_LEN);
	/* Extension lines of other logs mean nothing to us. */
	while (p < end)
		if (next_line(&p, end, &line, &n) != 0)
			goto out;
	*ret = c;
	r = 0;
out:
	buf_done(&root);
	return r;
}

int
checkpoint_write(const struct checkpoint *c, struct buf *out)
{
	if (!is_name(c->origin, strnlen(c->origin, sizeof(c->origin))))
		return ERR_FORMAT;
	buf_fmt(out, "%s\n%llu\n", c->origin, (unsigned long long)c->size);
	text_base64(out, c->root.h, HASH_LEN);
	buf_u8(out, '\n');
	return out->failed ? ERR_MEMORY : 0;
}

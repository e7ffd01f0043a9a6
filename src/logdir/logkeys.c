#include "logdir/logkeys.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "logdir/logfile.h"

#define PATH_LEN 4096
#define TYPE_ED25519 0x01

int
logkeys_take(const struct buf *text, const struct note_key *keys, size_t n,
    struct rotations *ret)
{
	size_t i;
	int r;

	r = rotations_read((const char *)text->data, text->len, ret);
	if (r != 0)
		return r;
	for (i = 0; i < n; i++)
		if (rotations_has(ret, &keys[i]))
			return 0;
	ret->n = 0;
	return 0;
}

int
logkeys_read(const char *dir, const struct note_key *keys, size_t n,
    struct rotations *ret)
{
	char path[PATH_LEN];
	struct buf text;
	int len, r;

	ret->n = 0;
	len = snprintf(path, sizeof(path), "%s/" ROTATIONS_FILE, dir);
	if (len < 0 || (size_t)len >= sizeof(path))
		return ERR_LIMIT;
	buf_init(&text, 0);
	r = logfile_read(path, ROTATIONS_FILE_MAX, &text);
	if (r == 0)
		r = logkeys_take(&text, keys, n, ret);
	buf_done(&text);
	return r == ERR_MISSING ? 0 : r;
}

static int
by_given(const struct buf *note, const struct note_key *keys, size_t n,
    const struct note_key **ret_key, struct checkpoint *ret)
{
	const char *body;
	size_t body_len, i;
	int r;

	for (i = 0; i < n; i++) {
		if (keys[i].type != TYPE_ED25519)
			continue;
		r = note_check((const char *)note->data, note->len, &keys[i],
		    &body, &body_len, NULL);
		if (r == ERR_MISSING)
			continue;
		if (r != 0)
			return r;
		*ret_key = &keys[i];
		return checkpoint_read(body, body_len, ret);
	}
	return ERR_MISSING;
}

/* Whether another key of the chain signed it, out of its time. */
static bool
by_another(const struct buf *note, const struct rotations *chain)
{
	const char *body;
	size_t len, i;

	for (i = 0; i <= chain->n; i++)
		if (note_check((const char *)note->data, note->len,
		    &chain->keys[i], &body, &len, NULL) == 0)
			return true;
	return false;
}

int
logkeys_note(const struct buf *note, const struct rotations *chain,
    const struct note_key *keys, size_t n, const struct note_key **ret_key,
    struct checkpoint *ret)
{
	const struct note_key *key;
	struct checkpoint c;
	const char *body;
	size_t len;
	int r;

	if (chain->n == 0 || note_body((const char *)note->data, note->len,
	    &body, &len) != 0 || checkpoint_read(body, len, &c) != 0 ||
	    strcmp(c.origin, chain->keys[0].name) != 0)
		return by_given(note, keys, n, ret_key, ret);
	key = rotations_key(chain, c.size);
	r = note_check((const char *)note->data, note->len, key, &body, &len,
	    NULL);
	if (r == ERR_MISSING && by_another(note, chain))
		return ERR_CONFLICT;
	if (r != 0)
		return r;
	*ret_key = key;
	*ret = c;
	return 0;
}

const char *
logkeys_words(int r)
{
	switch (r) {
	case ERR_MISSING:
		return "is not signed by the key given";
	case ERR_CONFLICT:
		return "is signed only by a key of the log that does not sign "
		    "trees of its size: the log's key was changed";
	case ERR_CRYPTO:
		return "bears a signature that is wrong";
	default:
		return "is not a signed checkpoint";
	}
}

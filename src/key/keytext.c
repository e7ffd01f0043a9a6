/*
 * The first line tells the kinds apart: a private key has a prefix that no
 * name of a log can have behind it. What follows a verifier key is told by
 * how it begins.
 */
#include <string.h>

#include "base/buf.h"
#include "key/keyfile.h"

#define PEM_BEGIN "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
#define PEM_END "-----END ENCRYPTED PRIVATE KEY-----\n"
#define URI_BEGIN "pkcs11:"
#define TYPE_ED25519 0x01

static int
begins(const char *text, size_t len, const char *with)
{
	return len >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

/* Copies a text without NUL; it must fit. */
static int
take(const char *text, size_t len, char *ret, size_t cap)
{
	if (len >= cap || memchr(text, 0, len) != NULL)
		return ERR_FORMAT;
	memcpy(ret, text, len);
	ret[len] = 0;
	return 0;
}

static int
parse_pem(const char *text, size_t len, struct keyfile *ret)
{
	const char *end = memmem(text, len, PEM_END, strlen(PEM_END));

	if (end == NULL || (size_t)(end - text) + strlen(PEM_END) != len)
		return ERR_FORMAT;
	ret->kind = KEYFILE_ENCRYPTED;
	return take(text, len, ret->pem, sizeof(ret->pem));
}

static int
parse_uri(const char *text, size_t len, struct keyfile *ret)
{
	size_t i;

	if (len > 0 && text[len - 1] == '\n')
		len--;
	for (i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return ERR_FORMAT;
	ret->kind = KEYFILE_TOKEN;
	return take(text, len, ret->uri, sizeof(ret->uri));
}

static int
parse_plain(const char *text, size_t len, struct keyfile *ret)
{
	if (len > 0 && text[len - 1] == '\n')
		len--;
	ret->kind = KEYFILE_PLAIN;
	return note_private_read(text, len, &ret->key, ret->seed);
}

int
keyfile_parse(const char *text, size_t len, struct keyfile *ret)
{
	const char *nl = memchr(text, '\n', len), *rest;
	struct keyfile k = {0};
	size_t left;
	int r;

	if (len > KEYFILE_MAX)
		return ERR_LIMIT;
	if (nl == NULL || nl + 1 == text + len) {
		r = parse_plain(text, len, &k);
	} else {
		rest = nl + 1;
		left = len - (size_t)(rest - text);
		if ((r = note_key_read(text, (size_t)(nl - text),
		    &k.key)) == 0 && k.key.type != TYPE_ED25519)
			r = ERR_FORMAT;
		if (r == 0)
			r = begins(rest, left, PEM_BEGIN) ?
			    parse_pem(rest, left, &k) :
			    begins(rest, left, URI_BEGIN) ?
			    parse_uri(rest, left, &k) : ERR_FORMAT;
	}
	if (r == 0)
		*ret = k;
	wipe(&k, sizeof(k));
	return r;
}

void
keyfile_print(const struct keyfile *k, struct buf *out)
{
	if (k->kind == KEYFILE_PLAIN) {
		if (note_private_write(&k->key, k->seed, out) != 0)
			out->failed = true;
		buf_u8(out, '\n');
		return;
	}
	note_key_write(&k->key, out);
	buf_u8(out, '\n');
	buf_str(out, k->kind == KEYFILE_TOKEN ? k->uri : k->pem);
	if (k->kind == KEYFILE_TOKEN)
		buf_u8(out, '\n');
}

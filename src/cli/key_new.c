/*
 * sworn key new --name NAME --out FILE: makes a signing key and prints its
 * verifier key, which readers of the log are given.
 *
 * With --secret the file is encrypted under a passphrase. With --token the
 * key is made in a PKCS#11 token and never leaves it, or is the one that is
 * there by that name; --secret is its PIN then, and FILE says where it is.
 *
 * NAME is the log's origin: a name that nobody else uses, best a host and
 * path of one's own (example.com/sworn/log1).
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/key.h"
#include "key/keyfile.h"
#include "key/secret.h"
#include "key/signing.h"
#include "key/token.h"

#define TYPE_ED25519 0x01

static int
no_name(const char *name)
{
	(void)fprintf(stderr, "sworn key: \"%s\" cannot be a log's name: 1 to "
	    "%d bytes of UTF-8, without spaces and '+'\n", name,
	    NOTE_NAME_MAX - 1);
	return 2;
}

/* What the token has by that name, or makes. */
static int
take(struct token *t, uint8_t public[static SIGN_PUBLIC_LEN], struct why *w)
{
	int r = token_find(t, w);

	if (r == ERR_MISSING)
		r = token_make(t, w);
	else if (r == 0)
		(void)fprintf(stderr, "sworn key: the token has a key of that "
		    "name already; it is the one\n");
	return r != 0 ? r : token_public(t, public, w);
}

/* That it signs, and by that key, is tried now and not at the first start. */
static int
try(struct token *t, const uint8_t public[static SIGN_PUBLIC_LEN],
    struct why *w)
{
	static const char text[] = "sworn key new\n";
	uint8_t sig[SIGN_LEN];

	if (token_sign(t, text, sizeof(text) - 1, sig) == 0 &&
	    sign_check(public, text, sizeof(text) - 1, sig) == 0)
		return 0;
	return why_set(w, ERR_CRYPTO, 0, 0, "the token's key does not sign as "
	    "Ed25519 does (CKM_EDDSA)");
}

static int
in_token(const char *name, const char *uri, const struct secret *pin,
    struct keyfile *k, struct why *w)
{
	uint8_t public[SIGN_PUBLIC_LEN];
	struct token *t = NULL;
	int r;

	memset(k, 0, sizeof(*k));
	k->kind = KEYFILE_TOKEN;
	if (strlen(uri) >= sizeof(k->uri))
		return why_set(w, ERR_LIMIT, 0, 0, "the token's URI is longer "
		    "than %zu bytes", sizeof(k->uri) - 1);
	memcpy(k->uri, uri, strlen(uri) + 1);
	if ((r = token_open(uri, pin, 1, &t, w)) == 0 &&
	    (r = take(t, public, w)) == 0 && (r = try(t, public, w)) == 0)
		r = note_key_make(name, TYPE_ED25519, public, &k->key);
	token_close(t);
	return r;
}

static int
in_file(const char *name, const struct secret *pass, struct keyfile *k,
    struct why *w)
{
	int r;

	if ((r = keyfile_make(name, k)) != 0 || (pass != NULL &&
	    (r = keyfile_seal(k, pass)) != 0))
		return why_set(w, r, 0, 0, "%s", err_text(r));
	return 0;
}

/* A name is refused before anything is asked for or made. */
static bool
is_name(const char *name)
{
	const uint8_t public[SIGN_PUBLIC_LEN] = {0};
	struct note_key key;

	return note_key_make(name, TYPE_ED25519, public, &key) == 0;
}

static int
make(const char *name, const char *path, const char *token,
    const struct secret *secret)
{
	struct keyfile k = {0};
	struct why w = {0};
	int status = 1;

	if ((token != NULL ? in_token(name, token, secret, &k, &w) :
	    in_file(name, secret, &k, &w)) != 0 ||
	    keyfile_write(path, &k, &w) != 0)
		(void)key_fail(&w);
	else
		status = key_print(&k.key);
	wipe(&k, sizeof(k));
	return status;
}

int
key_new(const char *name, const char *path, const char *token,
    const char *source)
{
	struct secret *secret = NULL;
	struct why w = {0};
	int status = 1;

	if (!is_name(name))
		return no_name(name);
	if (token != NULL && source == NULL) {
		(void)fprintf(stderr, "sworn key: a token needs its PIN; say "
		    "where it comes from with --secret\n");
		return 2;
	}
	if (signing_keep_secret() != 0 || (secret = secret_new()) == NULL) {
		(void)fprintf(stderr, "sworn key: no memory for a secret\n");
		return 1;
	}
	if (source != NULL && secret_read(source, token != NULL ? "the token" :
	    "the new key", token == NULL, secret, &w) != 0)
		(void)key_fail(&w);
	else
		status = make(name, path, token, source != NULL ? secret :
		    NULL);
	secret_free(secret);
	return status;
}

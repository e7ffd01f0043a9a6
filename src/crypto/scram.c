/*
 * The exchange, in the words of RFC 5802:
 *
 *   client-first   n,,n=<name>,r=<client nonce>
 *   server-first   r=<client nonce><server nonce>,s=<salt>,i=<iterations>
 *   client-final   c=<base64 of n,,>,r=<both nonces>,p=<proof>
 *   server-final   v=<signature>
 *
 *   SaltedPassword  = PBKDF2(password, salt, i)
 *   ClientKey       = HMAC(SaltedPassword, "Client Key")
 *   StoredKey       = H(ClientKey)
 *   ServerKey       = HMAC(SaltedPassword, "Server Key")
 *   AuthMessage     = client-first-bare , server-first , client-final
 *                     without its proof
 *   proof           = ClientKey XOR HMAC(StoredKey, AuthMessage)
 *   signature       = HMAC(ServerKey, AuthMessage)
 *
 * With PLUS the n is p=tls-server-end-point, and c= has the hash of the
 * server's certificate behind it; y instead of n: the client could have bound.
 *
 * The name inside client-first is ignored, as PostgreSQL ignores it: who it
 * is was said in the startup packet.
 */
#include "crypto/scram.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

#define NONCE_LEN 18		/* bytes, before base64 */
#define NONCE_TEXT_MAX 256	/* of the peer's */
#define PREFIX "SCRAM-SHA-256$"
#define GS2_BOUND "p=tls-server-end-point,,"

struct span {
	const char *s;
	size_t len;
};

/* Takes `name=value` off the front of *in, up to a comma or the end. */
static int
attribute(struct span *in, char name, struct span *ret)
{
	const char *comma;

	if (in->len < 2 || in->s[0] != name || in->s[1] != '=')
		return ERR_FORMAT;
	ret->s = in->s + 2;
	comma = memchr(ret->s, ',', in->len - 2);
	ret->len = comma != NULL ? (size_t)(comma - ret->s) : in->len - 2;
	in->len -= 2 + ret->len + (comma != NULL);
	in->s = ret->s + ret->len + (comma != NULL);
	return 0;
}

/* Extensions this side does not know: skipped, unless mandatory (m=). */
static int
extensions(struct span *in, char until)
{
	struct span skipped;
	char name;

	while (in->len >= 2 && in->s[0] != until) {
		name = in->s[0];
		if (name == 'm' || !((name >= 'a' && name <= 'z') ||
		    (name >= 'A' && name <= 'Z')))
			return ERR_FORMAT;
		if (attribute(in, name, &skipped) != 0)
			return ERR_FORMAT;
	}
	return in->len == 0 || in->s[0] == until ? 0 : ERR_FORMAT;
}

static bool
nonce_valid(struct span n)
{
	size_t i;

	if (n.len == 0 || n.len > NONCE_TEXT_MAX)
		return false;
	for (i = 0; i < n.len; i++)
		if (n.s[i] < 0x21 || n.s[i] > 0x7e || n.s[i] == ',')
			return false;
	return true;
}

static int
nonce_make(struct buf *out)
{
	uint8_t raw[NONCE_LEN];
	int r;

	if ((r = random_bytes(raw, sizeof(raw))) != 0)
		return r;
	text_base64(out, raw, sizeof(raw));
	wipe(raw, sizeof(raw));
	return out->failed ? ERR_MEMORY : 0;
}

/* Base64 of exactly `len` bytes. */
static int
unbase64_exact(struct span in, uint8_t *ret, size_t len)
{
	struct buf b;
	int r = ERR_FORMAT;

	buf_init(&b, SCRAM_TEXT_MAX);
	if (in.len <= SCRAM_TEXT_MAX &&
	    text_unbase64(in.s, in.len, &b) == 0 && b.len == len) {
		memcpy(ret, b.data, len);
		r = 0;
	}
	buf_wipe_done(&b);
	return r;
}

static int
unbase64_salt(struct span in, uint8_t ret[static SCRAM_SALT_MAX],
    size_t *ret_len)
{
	struct buf b;
	int r = ERR_FORMAT;

	buf_init(&b, SCRAM_TEXT_MAX);
	if (in.len <= SCRAM_TEXT_MAX &&
	    text_unbase64(in.s, in.len, &b) == 0 && b.len > 0 &&
	    b.len <= SCRAM_SALT_MAX) {
		memcpy(ret, b.data, b.len);
		*ret_len = b.len;
		r = 0;
	}
	buf_done(&b);
	return r;
}

static int
iterations_read(struct span in, unsigned *ret)
{
	uint64_t v;

	if (text_u64(in.s, in.len, &v) != 0 || v == 0 ||
	    v > SCRAM_ITERATIONS_MAX)
		return ERR_FORMAT;
	*ret = (unsigned)v;
	return 0;
}

/* StoredKey and ServerKey of a salted password. */
static int
keys_of(const uint8_t salted[static HASH_LEN],
    uint8_t client_key[static HASH_LEN], uint8_t stored_key[static HASH_LEN],
    uint8_t server_key[static HASH_LEN])
{
	int r;

	if ((r = hash_hmac(salted, HASH_LEN, "Client Key", 10,
	    client_key)) != 0)
		return r;
	if ((r = hash_sha256(client_key, HASH_LEN, stored_key)) != 0)
		return r;
	return hash_hmac(salted, HASH_LEN, "Server Key", 10, server_key);
}

int
scram_proof(const uint8_t salted[static HASH_LEN], const char *auth,
    size_t auth_len, uint8_t proof[static HASH_LEN],
    uint8_t signature[static HASH_LEN])
{
	uint8_t client[HASH_LEN], stored[HASH_LEN], server[HASH_LEN];
	size_t i;
	int r;

	if ((r = keys_of(salted, client, stored, server)) != 0)
		goto out;
	if ((r = hash_hmac(stored, HASH_LEN, auth, auth_len, proof)) != 0)
		goto out;
	for (i = 0; i < HASH_LEN; i++)
		proof[i] ^= client[i];
	r = hash_hmac(server, HASH_LEN, auth, auth_len, signature);
out:
	wipe(client, sizeof(client));
	wipe(stored, sizeof(stored));
	wipe(server, sizeof(server));
	return r;
}

int
scram_verifier_make(const char *password, struct scram_verifier *ret)
{
	uint8_t salted[HASH_LEN], client[HASH_LEN];
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->iterations = SCRAM_ITERATIONS;
	ret->salt_len = 16;
	if ((r = random_bytes(ret->salt, ret->salt_len)) != 0)
		return r;
	if ((r = hash_pbkdf2(password, ret->salt, ret->salt_len,
	    ret->iterations, salted)) == 0)
		r = keys_of(salted, client, ret->stored_key, ret->server_key);
	wipe(salted, sizeof(salted));
	wipe(client, sizeof(client));
	return r;
}

/* Up to `end`, which is left out; the rest stays in *in. */
static int
take_until(struct span *in, char end, struct span *ret)
{
	const char *p = memchr(in->s, end, in->len);

	if (p == NULL)
		return ERR_FORMAT;
	ret->s = in->s;
	ret->len = (size_t)(p - in->s);
	in->len -= ret->len + 1;
	in->s = p + 1;
	return 0;
}

int
scram_verifier_read(const char *text, struct scram_verifier *ret)
{
	struct scram_verifier v = {0};
	struct span in, iterations, salt, stored;

	if (!text_starts(text, PREFIX))
		return ERR_FORMAT;
	in.s = text + strlen(PREFIX);
	in.len = strlen(in.s);
	if (take_until(&in, ':', &iterations) != 0 ||
	    take_until(&in, '$', &salt) != 0 ||
	    take_until(&in, ':', &stored) != 0 ||
	    iterations_read(iterations, &v.iterations) != 0 ||
	    unbase64_salt(salt, v.salt, &v.salt_len) != 0 ||
	    unbase64_exact(stored, v.stored_key, HASH_LEN) != 0 ||
	    unbase64_exact(in, v.server_key, HASH_LEN) != 0) {
		wipe(&v, sizeof(v));
		return ERR_FORMAT;
	}
	*ret = v;
	wipe(&v, sizeof(v));
	return 0;
}

void
scram_verifier_write(const struct scram_verifier *v, struct buf *out)
{
	buf_fmt(out, PREFIX "%u:", v->iterations);
	text_base64(out, v->salt, v->salt_len);
	buf_u8(out, '$');
	text_base64(out, v->stored_key, HASH_LEN);
	buf_u8(out, ':');
	text_base64(out, v->server_key, HASH_LEN);
}

/* HMAC(secret, what || 0 || user): one independent value for each `what`. */
static int
mock_value(const uint8_t secret[static HASH_LEN], const char *what,
    const char *user, uint8_t ret[static HASH_LEN])
{
	struct buf b;
	int r;

	buf_init(&b, 0);
	buf_cstr(&b, what);
	buf_str(&b, user);
	r = b.failed ? ERR_MEMORY :
	    hash_hmac(secret, HASH_LEN, b.data, b.len, ret);
	buf_done(&b);
	return r;
}

int
scram_verifier_mock(const char *user, const uint8_t secret[static HASH_LEN],
    struct scram_verifier *ret)
{
	uint8_t salt[HASH_LEN];
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->iterations = SCRAM_ITERATIONS;
	ret->salt_len = 16;
	if ((r = mock_value(secret, "salt", user, salt)) != 0 ||
	    (r = mock_value(secret, "stored", user, ret->stored_key)) != 0 ||
	    (r = mock_value(secret, "server", user, ret->server_key)) != 0)
		return r;
	memcpy(ret->salt, salt, ret->salt_len);
	return 0;
}

struct scram_server {
	struct scram_verifier v;
	struct buf binding;	/* what must come back in c= */
	uint8_t end_point[SCRAM_BINDING_MAX];
	size_t end_point_len;	/* 0: PLUS was not offered */
	bool plus;
	struct buf nonce;	/* client's and ours; empty before First */
	struct buf auth;	/* AuthMessage, as far as it is known */
};

struct scram_server *
scram_server_new(const struct scram_verifier *v)
{
	struct scram_server *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	s->v = *v;
	buf_init(&s->binding, SCRAM_TEXT_MAX);
	buf_init(&s->nonce, SCRAM_TEXT_MAX);
	buf_init(&s->auth, 4 * SCRAM_TEXT_MAX);
	return s;
}

void
scram_server_free(struct scram_server *s)
{
	if (s == NULL)
		return;
	buf_done(&s->binding);
	buf_wipe_done(&s->nonce);
	buf_wipe_done(&s->auth);
	wipe(s, sizeof(*s));
	free(s);
}

int
scram_server_bind(struct scram_server *s, struct bytes end_point)
{
	if (end_point.len == 0 || end_point.len > sizeof(s->end_point))
		return ERR_LIMIT;
	memcpy(s->end_point, end_point.data, end_point.len);
	s->end_point_len = end_point.len;
	return 0;
}

/*
 * The header before client-first-bare: its length, or an error. Another
 * identity (a=) and other kinds of binding are not known.
 */
static int
header(struct scram_server *s, bool plus, const char *in, size_t len)
{
	size_t n = plus ? strlen(GS2_BOUND) : 3;

	if (len < n || (plus ? s->end_point_len == 0 ||
	    memcmp(in, GS2_BOUND, n) != 0 :
	    (in[0] != 'n' && in[0] != 'y') || in[1] != ',' || in[2] != ','))
		return ERR_FORMAT;
	if (in[0] == 'y' && s->end_point_len > 0)
		return ERR_CONFLICT;
	s->plus = plus;
	buf_bytes(&s->binding, in, n);
	if (plus)
		buf_bytes(&s->binding, s->end_point, s->end_point_len);
	return s->binding.failed ? ERR_MEMORY : (int)n;
}

int
scram_server_first(struct scram_server *s, bool plus, const char *in,
    size_t len, struct buf *out)
{
	struct span rest = {in, len}, bare, name, nonce;
	size_t start = out->len;
	int r;

	if (s->nonce.len > 0)
		return ERR_STATE;
	if (len > SCRAM_TEXT_MAX || memchr(in, 0, len) != NULL)
		return ERR_FORMAT;
	if ((r = header(s, plus, in, len)) < 0)
		return r;
	rest.s += r;
	rest.len -= (size_t)r;
	bare = rest;
	if (attribute(&rest, 'n', &name) != 0 ||
	    attribute(&rest, 'r', &nonce) != 0 || !nonce_valid(nonce) ||
	    extensions(&rest, 0) != 0)
		return ERR_FORMAT;
	buf_bytes(&s->nonce, nonce.s, nonce.len);
	if ((r = nonce_make(&s->nonce)) != 0)
		return r;
	buf_str(out, "r=");
	buf_bytes(out, s->nonce.data, s->nonce.len);
	buf_str(out, ",s=");
	text_base64(out, s->v.salt, s->v.salt_len);
	buf_fmt(out, ",i=%u", s->v.iterations);
	if (out->failed)
		return ERR_MEMORY;
	buf_bytes(&s->auth, bare.s, bare.len);
	buf_u8(&s->auth, ',');
	buf_bytes(&s->auth, out->data + start, out->len - start);
	buf_u8(&s->auth, ',');
	return s->auth.failed ? ERR_MEMORY : 0;
}

/* The proof holds if it undoes to a ClientKey whose hash is StoredKey. */
static int
proof_check(const struct scram_server *s, const uint8_t proof[static HASH_LEN])
{
	uint8_t key[HASH_LEN], hashed[HASH_LEN];
	size_t i;
	int r;

	if ((r = hash_hmac(s->v.stored_key, HASH_LEN, s->auth.data,
	    s->auth.len, key)) != 0)
		goto out;
	for (i = 0; i < HASH_LEN; i++)
		key[i] ^= proof[i];
	if ((r = hash_sha256(key, HASH_LEN, hashed)) != 0)
		goto out;
	r = equal_secret(hashed, s->v.stored_key, HASH_LEN) ? 0 : ERR_DENIED;
out:
	wipe(key, sizeof(key));
	return r;
}

/* Whether c= is what this exchange began with. */
static int
binding_check(const struct scram_server *s, struct span text)
{
	struct buf got;
	int r = ERR_FORMAT;

	buf_init(&got, SCRAM_TEXT_MAX);
	if (text_unbase64(text.s, text.len, &got) != 0)
		goto out;
	if (got.len == s->binding.len &&
	    equal_secret(got.data, s->binding.data, got.len))
		r = 0;
	else if (s->plus)
		r = ERR_CONFLICT;
out:
	buf_done(&got);
	return r;
}

int
scram_server_final(struct scram_server *s, const char *in, size_t len,
    struct buf *out)
{
	struct span rest = {in, len}, binding, nonce, proof_text;
	uint8_t proof[HASH_LEN], signature[HASH_LEN];
	int r;

	if (s->nonce.len == 0)
		return ERR_STATE;
	if (len > SCRAM_TEXT_MAX || memchr(in, 0, len) != NULL ||
	    attribute(&rest, 'c', &binding) != 0)
		return ERR_FORMAT;
	if ((r = binding_check(s, binding)) != 0)
		return r;
	if (attribute(&rest, 'r', &nonce) != 0 || nonce.len != s->nonce.len ||
	    !equal_secret(nonce.s, s->nonce.data, nonce.len) ||
	    extensions(&rest, 'p') != 0)
		return ERR_FORMAT;
	if (rest.len < 3)
		return ERR_FORMAT;
	/* Without the comma before p= */
	buf_bytes(&s->auth, in, (size_t)(rest.s - in) - 1);
	if (attribute(&rest, 'p', &proof_text) != 0 || rest.len != 0 ||
	    in[len - 1] == ',' ||
	    unbase64_exact(proof_text, proof, HASH_LEN) != 0)
		return ERR_FORMAT;
	if (s->auth.failed)
		return ERR_MEMORY;
	if ((r = proof_check(s, proof)) != 0)
		return r;
	if ((r = hash_hmac(s->v.server_key, HASH_LEN, s->auth.data,
	    s->auth.len, signature)) != 0)
		return r;
	buf_str(out, "v=");
	text_base64(out, signature, HASH_LEN);
	return out->failed ? ERR_MEMORY : 0;
}

struct scram_client {
	struct buf password;
	struct buf nonce;	/* ours, as text */
	struct buf auth;
	struct buf binding;	/* the header, and what it is bound to */
	size_t header_len;
	struct scram_salted *salted;	/* the caller's; or own */
	struct scram_salted own;
	uint8_t signature[HASH_LEN];
	bool final;			/* signature is what we must be told */
};

struct scram_client *
scram_client_new(const char *password)
{
	struct scram_client *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->salted = &c->own;
	buf_init(&c->password, 0);
	buf_init(&c->nonce, SCRAM_TEXT_MAX);
	buf_init(&c->auth, 4 * SCRAM_TEXT_MAX);
	buf_init(&c->binding, SCRAM_TEXT_MAX);
	buf_cstr(&c->password, password);
	buf_str(&c->binding, "n,,");
	c->header_len = 3;
	if (nonce_make(&c->nonce) != 0 || c->password.failed ||
	    c->binding.failed) {
		scram_client_free(c);
		return NULL;
	}
	return c;
}

void
scram_client_free(struct scram_client *c)
{
	if (c == NULL)
		return;
	buf_wipe_done(&c->password);
	buf_wipe_done(&c->nonce);
	buf_wipe_done(&c->auth);
	buf_done(&c->binding);
	wipe(c, sizeof(*c));
	free(c);
}

void
scram_client_keep(struct scram_client *c, struct scram_salted *salted)
{
	c->salted = salted;
}

int
scram_client_bind(struct scram_client *c, struct bytes end_point)
{
	if (end_point.len == 0 || end_point.len > SCRAM_BINDING_MAX)
		return ERR_LIMIT;
	buf_reset(&c->binding);
	buf_str(&c->binding, GS2_BOUND);
	c->header_len = c->binding.len;
	buf_bytes(&c->binding, end_point.data, end_point.len);
	return c->binding.failed ? ERR_MEMORY : 0;
}

void
scram_client_could_bind(struct scram_client *c)
{
	c->binding.data[0] = 'y';
}

int
scram_client_first(struct scram_client *c, struct buf *out)
{
	if (c->auth.len > 0)
		return ERR_STATE;
	buf_str(&c->auth, "n=,r=");
	buf_bytes(&c->auth, c->nonce.data, c->nonce.len);
	if (c->auth.failed)
		return ERR_MEMORY;
	buf_bytes(out, c->binding.data, c->header_len);
	buf_bytes(out, c->auth.data, c->auth.len);
	return out->failed ? ERR_MEMORY : 0;
}

/* SaltedPassword for the server's salt, kept or made now. */
static int
salt_password(struct scram_client *c, const struct scram_salted *want)
{
	struct scram_salted *s = c->salted;
	int r;

	if (s->iterations == want->iterations &&
	    s->salt_len == want->salt_len &&
	    memcmp(s->salt, want->salt, want->salt_len) == 0)
		return 0;
	*s = *want;
	if ((r = hash_pbkdf2((const char *)c->password.data, s->salt,
	    s->salt_len, s->iterations, s->password)) != 0)
		wipe(s, sizeof(*s));
	return r;
}

int
scram_client_final(struct scram_client *c, const char *in, size_t len,
    struct buf *out)
{
	struct span rest = {in, len}, nonce, salt, iterations;
	struct scram_salted want = {0};
	uint8_t proof[HASH_LEN];
	size_t start = out->len;
	int r;

	if (c->auth.len == 0 || c->final)
		return ERR_STATE;
	/* The nonce must be ours with something of the server's behind. */
	if (len > SCRAM_TEXT_MAX || memchr(in, 0, len) != NULL ||
	    attribute(&rest, 'r', &nonce) != 0 || !nonce_valid(nonce) ||
	    nonce.len <= c->nonce.len ||
	    memcmp(nonce.s, c->nonce.data, c->nonce.len) != 0 ||
	    attribute(&rest, 's', &salt) != 0 ||
	    unbase64_salt(salt, want.salt, &want.salt_len) != 0 ||
	    attribute(&rest, 'i', &iterations) != 0 ||
	    iterations_read(iterations, &want.iterations) != 0 ||
	    extensions(&rest, 0) != 0)
		return ERR_FORMAT;
	if ((r = salt_password(c, &want)) != 0)
		return r;
	buf_str(out, "c=");
	text_base64(out, c->binding.data, c->binding.len);
	buf_str(out, ",r=");
	buf_bytes(out, nonce.s, nonce.len);
	if (out->failed)
		return ERR_MEMORY;
	buf_u8(&c->auth, ',');
	buf_bytes(&c->auth, in, len);
	buf_u8(&c->auth, ',');
	buf_bytes(&c->auth, out->data + start, out->len - start);
	if (c->auth.failed)
		return ERR_MEMORY;
	if ((r = scram_proof(c->salted->password, (const char *)c->auth.data,
	    c->auth.len, proof, c->signature)) != 0)
		return r;
	buf_str(out, ",p=");
	text_base64(out, proof, sizeof(proof));
	c->final = true;
	return out->failed ? ERR_MEMORY : 0;
}

int
scram_client_check(struct scram_client *c, const char *in, size_t len)
{
	struct span rest = {in, len}, text;
	uint8_t got[HASH_LEN];

	if (!c->final)
		return ERR_STATE;
	if (len >= 2 && in[0] == 'e' && in[1] == '=')
		return ERR_CRYPTO;
	if (len > SCRAM_TEXT_MAX || memchr(in, 0, len) != NULL ||
	    attribute(&rest, 'v', &text) != 0 ||
	    unbase64_exact(text, got, sizeof(got)) != 0 ||
	    extensions(&rest, 0) != 0)
		return ERR_FORMAT;
	return equal_secret(got, c->signature, HASH_LEN) ? 0 : ERR_CRYPTO;
}

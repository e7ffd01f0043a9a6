#include "tls/context.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tls/inside.h"
#include "tls/openssl.h"
#include "tls/tls.h"

#define PEM_ITEMS_MAX 10000	/* of one file */

static const unsigned char alpn[] = "\012" TLS_ALPN;

/* A client that names protocols must name ours: what it speaks was meant for
 * another kind of server otherwise. */
static int
choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
    const unsigned char *in, unsigned in_len, void *arg)
{
	unsigned char *found;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&found, out_len, alpn, sizeof(alpn) - 1, in,
	    in_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = found;
	return SSL_TLSEXT_ERR_OK;
}

static int
set_up(SSL_CTX *ctx, enum tls_side side, enum tls_version least,
    enum tls_verify verify)
{
	if (SSL_CTX_set_min_proto_version(ctx, least == TLS_VERSION_1_3 ?
	    TLS1_3_VERSION : TLS1_2_VERSION) != 1)
		return ERR_CRYPTO;
	(void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
	/* Buffers of a queue move while they wait; idle ones need none. */
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (side == TLS_SERVER) {
		SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, NULL);
		return SSL_CTX_set_num_tickets(ctx, 0) == 1 ? 0 : ERR_CRYPTO;
	}
	SSL_CTX_set_verify(ctx, verify == TLS_VERIFY_CHAIN ?
	    SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	/* 0 is success here. */
	return SSL_CTX_set_alpn_protos(ctx, alpn, sizeof(alpn) - 1) == 0 ?
	    0 : ERR_MEMORY;
}

int
tls_context_new(enum tls_side side, enum tls_version least,
    enum tls_verify verify, struct tls_context **ret)
{
	struct tls_context *c;
	int r;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return ERR_MEMORY;
	atomic_init(&c->refs, 1);
	c->side = side;
	c->ctx = SSL_CTX_new(side == TLS_SERVER ? TLS_server_method() :
	    TLS_client_method());
	r = c->ctx == NULL ? ERR_MEMORY : set_up(c->ctx, side, least, verify);
	if (r != 0) {
		ERR_clear_error();
		tls_context_unref(c);
		return r;
	}
	*ret = c;
	return 0;
}

struct tls_context *
tls_context_ref(struct tls_context *c)
{
	if (c != NULL)
		atomic_fetch_add(&c->refs, 1);
	return c;
}

void
tls_context_unref(struct tls_context *c)
{
	if (c == NULL || atomic_fetch_sub(&c->refs, 1) > 1)
		return;
	SSL_CTX_free(c->ctx);
	free(c);
}

static int
wrong(struct why *w, const char *what)
{
	ERR_clear_error();
	return why_set(w, ERR_FORMAT, 0, 0, "%s", what);
}

/* With libssl's own reason. */
static int
wrong_because(struct why *w, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return why_set(w, ERR_FORMAT, 0, 0, "%s: %s", what,
	    reason != NULL ? reason : "no reason given");
}

/* Whether reading stopped since there are no more, and not at a mistake. */
static bool
is_end(void)
{
	unsigned long e = ERR_peek_last_error();
	bool end = ERR_GET_LIB(e) == ERR_LIB_PEM &&
	    ERR_GET_REASON(e) == PEM_R_NO_START_LINE;

	if (end)
		ERR_clear_error();
	return end;
}

static BIO *
open_pem(struct bytes pem, struct why *w)
{
	BIO *in;

	ERR_clear_error();
	if (pem.len > (size_t)1 << 30)
		in = NULL;
	else
		in = BIO_new_mem_buf(pem.len > 0 ? (const void *)pem.data : "",
		    (int)pem.len);
	if (in == NULL)
		(void)why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	return in;
}

typedef int (*take_certificate)(struct tls_context *c, X509 *x, size_t i,
    struct why *w);

/* Gives every certificate of a file to a function, which borrows it. */
static int
each_certificate(struct tls_context *c, struct bytes pem,
    take_certificate take, struct why *w)
{
	BIO *in = open_pem(pem, w);
	X509 *x;
	size_t n;
	int r = 0;

	if (in == NULL)
		return ERR_MEMORY;
	for (n = 0; r == 0 && n < PEM_ITEMS_MAX; n++) {
		if ((x = PEM_read_bio_X509(in, NULL, NULL, NULL)) == NULL)
			break;
		r = take(c, x, n, w);
		X509_free(x);
	}
	if (r == 0 && n == PEM_ITEMS_MAX)
		r = wrong(w, "has too many certificates");
	else if (r == 0 && !is_end())
		r = wrong_because(w, "has a certificate that cannot be read");
	else if (r == 0 && n == 0)
		r = wrong(w, "has no certificate in PEM form (-----BEGIN "
		    "CERTIFICATE-----)");
	BIO_free(in);
	return r;
}

static int
take_own(struct tls_context *c, X509 *x, size_t i, struct why *w)
{
	if (i == 0 ? SSL_CTX_use_certificate(c->ctx, x) != 1 :
	    SSL_CTX_add1_chain_cert(c->ctx, x) != 1)
		return wrong_because(w, "has a certificate that cannot be "
		    "used");
	return 0;
}

int
tls_context_certificate(struct tls_context *c, struct bytes pem,
    struct why *w)
{
	return each_certificate(c, pem, take_own, w);
}

/* Called if the key is encrypted: there is nobody to ask. */
static int
no_passphrase(char *buf, int size, int writing, void *arg)
{
	bool *asked = arg;

	(void)buf;
	(void)size;
	(void)writing;
	*asked = true;
	return -1;
}

int
tls_context_key(struct tls_context *c, struct bytes pem, struct why *w)
{
	BIO *in = open_pem(pem, w);
	EVP_PKEY *key = NULL;
	bool asked = false;
	int r = 0;

	if (in == NULL)
		return ERR_MEMORY;
	key = PEM_read_bio_PrivateKey(in, NULL, no_passphrase, &asked);
	if (key == NULL && asked)
		r = wrong(w, "is encrypted, and there is nobody to ask for "
		    "its passphrase; store it without one, mode 0600");
	else if (key == NULL)
		r = wrong_because(w, "has no private key that can be read");
	else if (SSL_CTX_use_PrivateKey(c->ctx, key) != 1 ||
	    SSL_CTX_check_private_key(c->ctx) != 1)
		r = wrong_because(w, "is not the key of the certificate");
	EVP_PKEY_free(key);
	BIO_free(in);
	return r;
}

static int
take_authority(struct tls_context *c, X509 *x, size_t i, struct why *w)
{
	(void)i;
	if (X509_STORE_add_cert(SSL_CTX_get_cert_store(c->ctx), x) != 1 ||
	    (c->side == TLS_SERVER && SSL_CTX_add_client_CA(c->ctx, x) != 1))
		return wrong_because(w, "has a certificate that cannot be "
		    "used");
	return 0;
}

int
tls_context_authorities(struct tls_context *c, struct bytes pem,
    struct why *w)
{
	int r = each_certificate(c, pem, take_authority, w);

	if (r == 0 && c->side == TLS_SERVER)
		SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, NULL);
	return r;
}

int
tls_context_revoked(struct tls_context *c, struct bytes pem, struct why *w)
{
	X509_STORE *store = SSL_CTX_get_cert_store(c->ctx);
	BIO *in = open_pem(pem, w);
	X509_CRL *x;
	size_t n;
	int r = 0;

	if (in == NULL)
		return ERR_MEMORY;
	for (n = 0; r == 0 && n < PEM_ITEMS_MAX; n++) {
		if ((x = PEM_read_bio_X509_CRL(in, NULL, NULL, NULL)) == NULL)
			break;
		if (X509_STORE_add_crl(store, x) != 1)
			r = wrong_because(w, "has a list that cannot be used");
		X509_CRL_free(x);
	}
	if (r == 0 && !is_end())
		r = wrong_because(w, "has a list that cannot be read");
	else if (r == 0 && n == 0)
		r = wrong(w, "has no list of revoked certificates in PEM form "
		    "(-----BEGIN X509 CRL-----)");
	if (r == 0 && X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK |
	    X509_V_FLAG_CRL_CHECK_ALL) != 1)
		r = ERR_CRYPTO;
	BIO_free(in);
	return r;
}

int64_t
tls_context_until_ms(const struct tls_context *c)
{
	const X509 *x = SSL_CTX_get0_certificate(c->ctx);
	struct tm tm;

	if (x == NULL || ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) != 1)
		return INT64_MAX;
	return (int64_t)timegm(&tm) * 1000;
}

const char *
tls_system_authorities(void)
{
	return X509_get_default_cert_file();
}

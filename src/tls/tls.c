/*
 * Reading ahead: libssl takes what the socket has, up to a record's length,
 * which spares a system call for each record. Then records may wait in its
 * buffer, where epoll does not see them. So tls_read goes on until there are
 * none; and in time before its own room ends it reads ahead no more, after
 * which at most what one buffer has, and the record begun there, can come.
 * The handshake reads nothing ahead, or the first message would wait there.
 */
#include "tls/tls.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tls/context.h"
#include "tls/inside.h"
#include "tls/openssl.h"

#define WHY_MAX 256
#define MORE_LIKELY 4096	/* behind a record this long is another */
#define OTHERS_MAX 8		/* messages without data, in a row */

struct tls {
	SSL *ssl;
	struct tls_context *context;
	bool done;		/* with the handshake */
	bool broken;
	/* What the last call of each kind still needs. */
	unsigned others;	/* without data, since a call of tls_read */
	int handshake_wants;	/* SSL_ERROR_WANT_... or 0 */
	int read_wants;
	int write_wants;
	char why[WHY_MAX];
};

/*
 * libssl goes on by itself behind a message that brings no data, such as a
 * change of keys, and a peer could send these for ever. Without the mode it
 * stops where its buffer ends.
 */
static void
count_others(int is_write, int version, int type, const void *buf, size_t len,
    SSL *ssl, void *arg)
{
	struct tls *t = arg;

	(void)version;
	(void)buf;
	(void)len;
	if (!is_write && type == SSL3_RT_HANDSHAKE && t->done &&
	    ++t->others > OTHERS_MAX)
		(void)SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
}

static struct tls *
new_on(struct tls_context *c, int fd)
{
	struct tls *t;

	ERR_clear_error();
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->context = tls_context_ref(c);
	if ((t->ssl = SSL_new(c->ctx)) == NULL ||
	    SSL_set_fd(t->ssl, fd) != 1) {
		tls_free(t);
		return NULL;
	}
	SSL_set_msg_callback(t->ssl, count_others);
	SSL_set_msg_callback_arg(t->ssl, t);
	return t;
}

struct tls *
tls_accept_new(struct tls_context *c, int fd)
{
	struct tls *t = new_on(c, fd);

	if (t != NULL) {
		SSL_set_accept_state(t->ssl);
		t->handshake_wants = SSL_ERROR_WANT_READ;
	}
	return t;
}

static bool
is_address(const char *host)
{
	unsigned char addr[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, addr) == 1 ||
	    inet_pton(AF_INET6, host, addr) == 1;
}

static bool
expect_host(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *p = SSL_get0_param(ssl);

	X509_VERIFY_PARAM_set_hostflags(p,
	    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return is_address(host) ?
	    X509_VERIFY_PARAM_set1_ip_asc(p, host) == 1 :
	    X509_VERIFY_PARAM_set1_host(p, host, 0) == 1;
}

struct tls *
tls_connect_new(struct tls_context *c, int fd, const char *host,
    bool check_host)
{
	struct tls *t = new_on(c, fd);

	if (t == NULL)
		return NULL;
	SSL_set_connect_state(t->ssl);
	t->handshake_wants = SSL_ERROR_WANT_WRITE;
	if ((!is_address(host) &&
	    SSL_set_tlsext_host_name(t->ssl, host) != 1) ||
	    (check_host && !expect_host(t->ssl, host))) {
		tls_free(t);
		return NULL;
	}
	return t;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	SSL_free(t->ssl);
	tls_context_unref(t->context);
	free(t);
}

/* What libssl says went wrong, for people. */
static void
explain(struct tls *t, int error)
{
	long verified = SSL_get_verify_result(t->ssl);
	const char *text = NULL;

	if (verified != X509_V_OK)
		text = X509_verify_cert_error_string(verified);
	else if (ERR_peek_last_error() != 0)
		text = ERR_reason_error_string(ERR_peek_last_error());
	if (text == NULL)
		text = error == SSL_ERROR_SYSCALL ? "the connection was "
		    "closed" : "no reason given";
	(void)snprintf(t->why, sizeof(t->why), "%s%s", verified != X509_V_OK ?
	    "the certificate is refused: " : "", text);	/* cut is fine */
	ERR_clear_error();
}

int
tls_handshake(struct tls *t)
{
	int n, e;

	if (t->broken)
		return ERR_CRYPTO;
	ERR_clear_error();
	t->handshake_wants = 0;
	if ((n = SSL_do_handshake(t->ssl)) == 1) {
		t->done = true;
		return 0;
	}
	e = SSL_get_error(t->ssl, n);
	if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) {
		t->handshake_wants = e;
		return ERR_SHORT;
	}
	t->broken = true;
	explain(t, e);
	return ERR_CRYPTO;
}

const char *
tls_why(const struct tls *t)
{
	return t->why;
}

bool
tls_wants_read(const struct tls *t)
{
	return t->handshake_wants == SSL_ERROR_WANT_READ ||
	    t->write_wants == SSL_ERROR_WANT_READ;
}

bool
tls_wants_write(const struct tls *t)
{
	return t->handshake_wants == SSL_ERROR_WANT_WRITE ||
	    t->read_wants == SSL_ERROR_WANT_WRITE;
}

/* Of a call that moved nothing: 0 is the peer's end, and only that. */
static int
failed(struct tls *t, int n, int *wants)
{
	int e = SSL_get_error(t->ssl, n);

	if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) {
		*wants = e;
		return ERR_SHORT;
	}
	if (e == SSL_ERROR_ZERO_RETURN)
		return 0;
	t->broken = true;
	explain(t, e);
	return ERR_IO;
}

int
tls_read(struct tls *t, uint8_t *ret, size_t len)
{
	size_t total = 0;
	int n, r;

	if (t->broken)
		return ERR_IO;
	ERR_clear_error();
	t->read_wants = 0;
	t->others = 0;
	do {
		SSL_set_read_ahead(t->ssl, len - total >= TLS_READ_MIN);
		n = SSL_read(t->ssl, ret + total, len - total > INT_MAX ?
		    INT_MAX : (int)(len - total));
		if (t->others > OTHERS_MAX) {
			t->broken = true;
			return ERR_IO;
		}
		if (n <= 0) {
			r = failed(t, n, &t->read_wants);
			/* An end or an error is still there next time. */
			return total > 0 ? (int)total : r;
		}
		total += (size_t)n;
	} while (SSL_has_pending(t->ssl) ? total < len :
	    n >= MORE_LIKELY && len - total >= TLS_RECORD_MAX);
	return (int)total;
}

int
tls_write(struct tls *t, const uint8_t *data, size_t len)
{
	int n;

	if (t->broken)
		return ERR_IO;
	ERR_clear_error();
	t->write_wants = 0;
	n = SSL_write(t->ssl, data, len > INT_MAX ? INT_MAX : (int)len);
	if (n > 0)
		return n;
	n = failed(t, n, &t->write_wants);
	return n == 0 ? ERR_IO : n;
}

void
tls_close(struct tls *t)
{
	if (t == NULL || !t->done || t->broken)
		return;
	ERR_clear_error();
	(void)SSL_shutdown(t->ssl);	/* whoever is gone need not be told */
	ERR_clear_error();
}

const char *
tls_version_text(const struct tls *t)
{
	return SSL_get_version(t->ssl);
}

bool
tls_alpn_agreed(const struct tls *t)
{
	const unsigned char *p;
	unsigned len;

	SSL_get0_alpn_selected(t->ssl, &p, &len);
	return len == strlen(TLS_ALPN) && memcmp(p, TLS_ALPN, len) == 0;
}

/* RFC 5929, section 4.1. */
size_t
tls_end_point(const struct tls *t, uint8_t ret[static TLS_HASH_MAX])
{
	X509 *x = t->context->side == TLS_SERVER ?
	    SSL_get_certificate(t->ssl) : SSL_get0_peer_certificate(t->ssl);
	const EVP_MD *md;
	unsigned len = 0;
	int nid;

	if (x == NULL || X509_get_signature_info(x, &nid, NULL, NULL,
	    NULL) != 1 || nid == NID_undef || nid == NID_md5_sha1)
		return 0;
	if (nid == NID_md5 || nid == NID_sha1)
		nid = NID_sha256;
	if ((md = EVP_get_digestbynid(nid)) == NULL ||
	    EVP_MD_get_size(md) > TLS_HASH_MAX ||
	    X509_digest(x, md, ret, &len) != 1)
		len = 0;
	ERR_clear_error();
	return len;
}

bool
tls_peer_is_refused(const struct tls *t)
{
	return t->broken && SSL_get_verify_result(t->ssl) != X509_V_OK;
}

bool
tls_peer_is_known(const struct tls *t)
{
	return SSL_get0_peer_certificate(t->ssl) != NULL &&
	    (SSL_get_verify_mode(t->ssl) & SSL_VERIFY_PEER) != 0 &&
	    SSL_get_verify_result(t->ssl) == X509_V_OK;
}

static bool
is_text(const char *name, const unsigned char *data, int len)
{
	return len >= 0 && strlen(name) == (size_t)len &&
	    memcmp(name, data, (size_t)len) == 0;
}

static bool
has_cn(const X509 *x, const char *name)
{
	const X509_NAME *subject = X509_get_subject_name(x);
	unsigned char *text = NULL;
	int at, len;
	bool same;

	at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName,
	    at) >= 0)
		return false;
	len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(
	    X509_NAME_get_entry(subject, at)));
	same = is_text(name, text, len);
	OPENSSL_free(text);
	ERR_clear_error();
	return same;
}

static bool
has_alternative(const X509 *x, int type, const char *name)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL,
	    NULL);
	const GENERAL_NAME *one;
	bool found = false;
	int i;

	for (i = 0; i < sk_GENERAL_NAME_num(all) && !found; i++) {
		one = sk_GENERAL_NAME_value(all, i);
		/* These three are all of the same kind of string. */
		found = one->type == type && is_text(name,
		    ASN1_STRING_get0_data(one->d.ia5),
		    ASN1_STRING_length(one->d.ia5));
	}
	GENERAL_NAMES_free(all);
	ERR_clear_error();
	return found;
}

bool
tls_peer_has_name(const struct tls *t, enum tls_name kind, const char *name)
{
	const X509 *x = SSL_get0_peer_certificate(t->ssl);

	if (x == NULL || *name == 0)
		return false;
	switch (kind) {
	case TLS_NAME_CN:
		return has_cn(x, name);
	case TLS_NAME_DNS:
		return has_alternative(x, GEN_DNS, name);
	case TLS_NAME_EMAIL:
		return has_alternative(x, GEN_EMAIL, name);
	case TLS_NAME_URI:
		return has_alternative(x, GEN_URI, name);
	}
	return false;
}

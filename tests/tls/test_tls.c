/*
 * tls/tls.h over a pair of sockets, both ends ours, with certificates that
 * libcrypto makes here. How it gets on with other implementations is in
 * tests/end/test_tls.py.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define ERR_STATE openssl_err_state
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

#include "base/buf.h"
#include "base/err.h"
#include "tls/context.h"
#include "tls/tls.h"

#define NAMES "DNS:gw.example,IP:127.0.0.1,email:a@b.example," \
	"URI:spiffe://x/y"

struct made {			/* a certificate that signs itself */
	X509 *x;
	EVP_PKEY *key;
	char *cert_pem;
	char *key_pem;
};

static char *
take_pem(BIO *b)
{
	char *data;
	long len = BIO_get_mem_data(b, &data);
	char *ret = strndup(data, (size_t)len);

	assert_non_null(ret);
	BIO_free(b);
	return ret;
}

static void
add(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(e);
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

static void
make(struct made *m, const char *cn, int cn_len, const EVP_MD *md)
{
	X509_NAME *name;
	BIO *b;

	m->key = md != NULL ? EVP_EC_gen("P-256") :
	    EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	m->x = X509_new();
	assert_non_null(m->key);
	assert_int_equal(X509_set_version(m->x, 2), 1);
	ASN1_INTEGER_set(X509_get_serialNumber(m->x), 1);
	X509_gmtime_adj(X509_getm_notBefore(m->x), -60);
	X509_gmtime_adj(X509_getm_notAfter(m->x), 3600);
	X509_set_pubkey(m->x, m->key);
	name = X509_get_subject_name(m->x);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	    (const unsigned char *)cn, cn_len, -1, 0), 1);
	X509_set_issuer_name(m->x, name);
	add(m->x, NID_basic_constraints, "critical,CA:TRUE");
	add(m->x, NID_subject_alt_name, NAMES);
	assert_true(X509_sign(m->x, m->key, md) > 0);
	b = BIO_new(BIO_s_mem());
	PEM_write_bio_X509(b, m->x);
	m->cert_pem = take_pem(b);
	b = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(b, m->key, NULL, NULL, 0, NULL, NULL);
	m->key_pem = take_pem(b);
}

static void
made_done(struct made *m)
{
	X509_free(m->x);
	EVP_PKEY_free(m->key);
	free(m->cert_pem);
	free(m->key_pem);
}

struct pair {
	int fds[2];
	struct tls *server;
	struct tls *client;
};

static struct tls_context *
context(enum tls_side side, const struct made *own, const struct made *ca)
{
	struct tls_context *c;

	assert_int_equal(tls_context_new(side, TLS_VERSION_1_2, ca != NULL ?
	    TLS_VERIFY_CHAIN : TLS_VERIFY_NONE, &c), 0);
	if (own != NULL) {
		assert_int_equal(tls_context_certificate(c,
		    bytes_str(own->cert_pem), NULL), 0);
		assert_int_equal(tls_context_key(c, bytes_str(own->key_pem),
		    NULL), 0);
	}
	if (ca != NULL)
		assert_int_equal(tls_context_authorities(c,
		    bytes_str(ca->cert_pem), NULL), 0);
	return c;
}

static void
pair_open(struct pair *p, struct tls_context *server,
    struct tls_context *client, const char *host)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    p->fds), 0);
	p->server = tls_accept_new(server, p->fds[0]);
	p->client = tls_connect_new(client, p->fds[1], host, true);
	assert_non_null(p->server);
	assert_non_null(p->client);
	tls_context_unref(server);	/* the connections have their own */
	tls_context_unref(client);
}

static void
pair_done(struct pair *p)
{
	tls_free(p->server);
	tls_free(p->client);
	if (p->fds[0] >= 0)
		(void)close(p->fds[0]);
	(void)close(p->fds[1]);
}

/* What each side says in the end. */
static void
shake(struct pair *p, int *server, int *client)
{
	int i;

	*server = *client = ERR_SHORT;
	for (i = 0; i < 20; i++) {
		if (*client == ERR_SHORT)
			*client = tls_handshake(p->client);
		if (*server == ERR_SHORT)
			*server = tls_handshake(p->server);
	}
}

static void
connected(struct pair *p, const struct made *m)
{
	int server, client;

	pair_open(p, context(TLS_SERVER, m, m), context(TLS_CLIENT, m, m),
	    "gw.example");
	shake(p, &server, &client);
	assert_int_equal(server, 0);
	assert_int_equal(client, 0);
}

static void
stream_that_is_cut_off_is_an_error_and_one_that_is_closed_is_an_end(
    void **state)
{
	uint8_t got[TLS_READ_MIN];
	struct made m;
	struct pair p;

	(void)state;
	make(&m, "one", -1, EVP_sha256());
	connected(&p, &m);
	assert_int_equal(tls_read(p.client, got, sizeof(got)), ERR_SHORT);
	assert_int_equal(tls_write(p.server, (const uint8_t *)"abc", 3), 3);
	tls_close(p.server);
	assert_int_equal(tls_read(p.client, got, sizeof(got)), 3);
	assert_int_equal(tls_read(p.client, got, sizeof(got)), 0);
	pair_done(&p);

	connected(&p, &m);
	assert_int_equal(tls_write(p.server, (const uint8_t *)"abc", 3), 3);
	(void)close(p.fds[0]);
	p.fds[0] = -1;
	assert_int_equal(tls_read(p.client, got, sizeof(got)), 3);
	assert_int_equal(tls_read(p.client, got, sizeof(got)), ERR_IO);
	assert_int_equal(tls_read(p.client, got, sizeof(got)), ERR_IO);
	pair_done(&p);
	made_done(&m);
}

static void
record_that_was_changed_on_its_way_is_an_error(void **state)
{
	uint8_t raw[256], got[TLS_READ_MIN];
	struct made m;
	struct pair p;
	ssize_t n;

	(void)state;
	make(&m, "one", -1, EVP_sha256());
	connected(&p, &m);
	assert_int_equal(tls_write(p.server, (const uint8_t *)"abc", 3), 3);
	n = recv(p.fds[1], raw, sizeof(raw), 0);
	assert_true(n > 10);
	raw[n - 1] ^= 1;
	/* What the server's socket would have sent. */
	assert_int_equal(send(p.fds[0], raw, (size_t)n, 0), n);
	assert_int_equal(tls_read(p.client, got, sizeof(got)), ERR_IO);
	pair_done(&p);
	made_done(&m);
}

/* The sender's queue moves and grows between attempts, as a flow does. */
static void
peer_that_does_not_read_holds_the_writer_and_loses_nothing(void **state)
{
	enum { LEN = 3000000 };
	uint8_t *all = malloc(LEN), *moved, got[4 * TLS_RECORD_MAX];
	size_t sent = 0, taken = 0, offered, i;
	unsigned blocked = 0;
	struct made m;
	struct pair p;
	int n;

	(void)state;
	assert_non_null(all);
	for (i = 0; i < LEN; i++)
		all[i] = (uint8_t)(i * 2654435761u >> 13);
	make(&m, "one", -1, EVP_sha256());
	connected(&p, &m);
	while (taken < LEN) {
		for (n = 1; sent < LEN && n > 0; ) {
			offered = LEN - sent > 100000 + blocked ?
			    100000 + blocked : LEN - sent;
			moved = malloc(offered);
			assert_non_null(moved);
			memcpy(moved, all + sent, offered);
			n = tls_write(p.client, moved, offered);
			free(moved);
			if (n > 0)
				sent += (size_t)n;
		}
		blocked += n == ERR_SHORT;
		n = tls_read(p.server, got, sizeof(got));
		assert_true(n > 0);
		assert_memory_equal(got, all + taken, n);
		taken += (size_t)n;
	}
	assert_true(blocked > 2);
	assert_int_equal(tls_read(p.server, got, sizeof(got)), ERR_SHORT);
	pair_done(&p);
	made_done(&m);
	free(all);
}

/* An owner that waits for the socket must not wait for what libssl has. */
static void
nothing_is_left_behind_when_the_socket_is_empty(void **state)
{
	enum { RECORDS = 400 };
	/* Around what is read at once, and around what it keeps room for. */
	static const size_t lens[] = {1, 700, 4095, 5000, 8192, 16000, 16384};
	uint8_t *data = calloc(1, TLS_RECORD_MAX), got[TLS_READ_MIN];
	size_t i, k, sent, taken;
	struct made m;
	struct pair p;
	char one;
	int n;

	(void)state;
	assert_non_null(data);
	make(&m, "one", -1, EVP_sha256());
	connected(&p, &m);
	for (k = 0; k < sizeof(lens) / sizeof(*lens); k++) {
		sent = taken = 0;
		for (i = 0; i < RECORDS; i++) {
			/* Now and then a long one, begun in any place. */
			n = tls_write(p.client, data, i % (k + 3) == 0 ?
			    TLS_RECORD_MAX : lens[k]);
			if (n < 0)
				break;
			sent += (size_t)n;
		}
		/* Only while a loop with epoll would call it. */
		while (recv(p.fds[0], &one, 1, MSG_PEEK) == 1) {
			n = tls_read(p.server, got, sizeof(got));
			assert_true(n > 0);
			taken += (size_t)n;
		}
		assert_int_equal(taken, sent);
	}
	pair_done(&p);
	made_done(&m);
	free(data);
}

/* Changes of keys by a peer of its own making, then some data. */
static int
after_changes_of_keys(const struct made *m, unsigned changes)
{
	struct tls_context *c = context(TLS_SERVER, m, NULL);
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	uint8_t got[TLS_READ_MIN];
	struct tls *server;
	int fds[2], i, r;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    fds), 0);
	server = tls_accept_new(c, fds[0]);
	assert_non_null(server);
	assert_int_equal(SSL_set_fd(ssl, fds[1]), 1);
	SSL_set_connect_state(ssl);
	for (i = 0, r = ERR_SHORT; i < 5 && r != 0; i++) {
		(void)SSL_do_handshake(ssl);
		r = tls_handshake(server);
	}
	assert_int_equal(r, 0);
	while (changes-- > 0) {
		assert_int_equal(SSL_key_update(ssl,
		    SSL_KEY_UPDATE_NOT_REQUESTED), 1);
		assert_int_equal(SSL_do_handshake(ssl), 1);
	}
	assert_int_equal(SSL_write(ssl, "abc", 3), 3);
	r = tls_read(server, got, sizeof(got));
	tls_free(server);
	tls_context_unref(c);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	(void)close(fds[0]);
	(void)close(fds[1]);
	return r;
}

static void
peer_that_sends_everything_but_data_is_given_up(void **state)
{
	struct made m;

	(void)state;
	make(&m, "one", -1, EVP_sha256());
	assert_int_equal(after_changes_of_keys(&m, 0), 3);
	assert_int_equal(after_changes_of_keys(&m, 3), 3);
	assert_int_equal(after_changes_of_keys(&m, 100), ERR_IO);
	made_done(&m);
}

static void
certificate_for_another_name_or_by_nobody_known_is_refused(void **state)
{
	static const struct {
		const char *host;
		bool known;
		const char *why;	/* NULL: it is let in */
	} cases[] = {
		{"gw.example", true, NULL},
		{"127.0.0.1", true, NULL},
		{"gw.example", false, "self-signed certificate"},
		{"db.example", true, "hostname mismatch"},
		{"w.example", true, "hostname mismatch"},
		{"127.0.0.2", true, "IP address mismatch"},
	};
	struct made m, other;
	struct pair p;
	int server, client;
	size_t i;

	(void)state;
	make(&m, "one", -1, EVP_sha256());
	make(&other, "two", -1, EVP_sha256());
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		pair_open(&p, context(TLS_SERVER, &m, NULL),
		    context(TLS_CLIENT, NULL, cases[i].known ? &m : &other),
		    cases[i].host);
		shake(&p, &server, &client);
		assert_int_equal(client, cases[i].why == NULL ? 0 :
		    ERR_CRYPTO);
		if (cases[i].why != NULL) {
			assert_non_null(strstr(tls_why(p.client),
			    cases[i].why));
			assert_true(tls_peer_is_refused(p.client));
		}
		pair_done(&p);
	}
	made_done(&m);
	made_done(&other);
}

static void
client_is_known_by_its_certificate_only_and_by_whole_names(void **state)
{
	static const struct {
		enum tls_name kind;
		const char *name;
		bool has;
	} cases[] = {
		{TLS_NAME_CN, "one", true}, {TLS_NAME_CN, "on", false},
		{TLS_NAME_CN, "one ", false}, {TLS_NAME_CN, "One", false},
		{TLS_NAME_CN, "", false}, {TLS_NAME_CN, "gw.example", false},
		{TLS_NAME_DNS, "gw.example", true},
		{TLS_NAME_DNS, "one", false},
		{TLS_NAME_DNS, "a@b.example", false},
		{TLS_NAME_EMAIL, "a@b.example", true},
		{TLS_NAME_URI, "spiffe://x/y", true},
		{TLS_NAME_URI, "spiffe://x/", false},
	};
	struct made m, nul;
	struct pair p;
	int server, client;
	size_t i;

	(void)state;
	make(&m, "one", -1, EVP_sha256());
	connected(&p, &m);
	assert_true(tls_peer_is_known(p.server));
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(tls_peer_has_name(p.server, cases[i].kind,
		    cases[i].name), cases[i].has);
	pair_done(&p);

	/* "one", a NUL, and more behind it. */
	make(&nul, "one\0.evil", 9, EVP_sha256());
	pair_open(&p, context(TLS_SERVER, &m, &nul),
	    context(TLS_CLIENT, &nul, &m), "gw.example");
	shake(&p, &server, &client);
	assert_int_equal(server, 0);
	assert_true(tls_peer_is_known(p.server));
	assert_false(tls_peer_has_name(p.server, TLS_NAME_CN, "one"));
	pair_done(&p);
	made_done(&nul);

	pair_open(&p, context(TLS_SERVER, &m, &m),
	    context(TLS_CLIENT, NULL, &m), "gw.example");
	shake(&p, &server, &client);
	assert_int_equal(server, 0);
	assert_false(tls_peer_is_known(p.server));
	assert_false(tls_peer_has_name(p.server, TLS_NAME_CN, "one"));
	pair_done(&p);
	made_done(&m);
}

/* RFC 5929, section 4.1: by the certificate's own hash, but SHA-256 for the
 * two that are broken; none where the signature has none. */
static void
end_point_is_hashed_as_the_certificate_was(void **state)
{
	const struct {
		const EVP_MD *signed_with, *want;
	} cases[] = {
		{EVP_sha256(), EVP_sha256()}, {EVP_sha384(), EVP_sha384()},
		{EVP_sha512(), EVP_sha512()}, {EVP_sha1(), EVP_sha256()},
		{NULL, NULL},
	};
	uint8_t want[EVP_MAX_MD_SIZE], got[TLS_HASH_MAX];
	unsigned len;
	struct made m;
	struct pair p;
	int server, client;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		make(&m, "one", -1, cases[i].signed_with);
		len = 0;
		if (cases[i].want != NULL)
			assert_int_equal(X509_digest(m.x, cases[i].want, want,
			    &len), 1);
		pair_open(&p, context(TLS_SERVER, &m, NULL),
		    context(TLS_CLIENT, NULL, &m), "gw.example");
		shake(&p, &server, &client);
		assert_int_equal(client, 0);
		assert_int_equal(tls_end_point(p.server, got), len);
		assert_memory_equal(got, want, len);
		memset(got, 0, sizeof(got));
		assert_int_equal(tls_end_point(p.client, got), len);
		assert_memory_equal(got, want, len);
		assert_true(tls_alpn_agreed(p.server));
		pair_done(&p);
		made_done(&m);
	}
}

static void
files_that_cannot_be_used_say_why(void **state)
{
	struct made m, other;
	struct tls_context *c;
	struct why w;
	char half[200];

	(void)state;
	make(&m, "one", -1, EVP_sha256());
	make(&other, "two", -1, EVP_sha256());
	assert_int_equal(tls_context_new(TLS_SERVER, TLS_VERSION_1_2,
	    TLS_VERIFY_NONE, &c), 0);
	assert_int_equal(tls_context_certificate(c, bytes_str(""), &w),
	    ERR_FORMAT);
	assert_non_null(strstr(w.text, "no certificate in PEM form"));
	assert_int_equal(tls_context_certificate(c, bytes_str(m.key_pem),
	    &w), ERR_FORMAT);
	memcpy(half, m.cert_pem, sizeof(half));
	assert_int_equal(tls_context_certificate(c, bytes_of(half,
	    sizeof(half)), &w), ERR_FORMAT);
	assert_int_equal(tls_context_certificate(c, bytes_str(m.cert_pem),
	    &w), 0);
	assert_int_equal(tls_context_key(c, bytes_str(other.key_pem), &w),
	    ERR_FORMAT);
	assert_non_null(strstr(w.text, "not the key of the certificate"));
	assert_int_equal(tls_context_key(c, bytes_str("-----BEGIN"), &w),
	    ERR_FORMAT);
	assert_int_equal(tls_context_authorities(c, bytes_str("x"), &w),
	    ERR_FORMAT);
	assert_int_equal(tls_context_revoked(c, bytes_str(m.cert_pem), &w),
	    ERR_FORMAT);
	assert_non_null(strstr(w.text, "no list of revoked certificates"));
	tls_context_unref(c);
	made_done(&m);
	made_done(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stream_that_is_cut_off_is_an_error_and_one_that_is_closed_is_an_end),
		cmocka_unit_test(
		    record_that_was_changed_on_its_way_is_an_error),
		cmocka_unit_test(peer_that_does_not_read_holds_the_writer_and_loses_nothing),
		cmocka_unit_test(
		    nothing_is_left_behind_when_the_socket_is_empty),
		cmocka_unit_test(
		    peer_that_sends_everything_but_data_is_given_up),
		cmocka_unit_test(certificate_for_another_name_or_by_nobody_known_is_refused),
		cmocka_unit_test(client_is_known_by_its_certificate_only_and_by_whole_names),
		cmocka_unit_test(end_point_is_hashed_as_the_certificate_was),
		cmocka_unit_test(files_that_cannot_be_used_say_why),
	};

	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

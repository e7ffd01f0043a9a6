/*
 *  CONNECTING --connected, startup sent--> AUTHENTICATING
 *  CONNECTING --SSLRequest sent-> ASKING --S--> ENCRYPTING --startup sent--^
 *                                    |---N, if that is fine---startup sent--^
 *  AUTHENTICATING --R(SASL..), R(OK)-----> STARTING
 *  STARTING --S K N ... Z----------------> UP
 *  any --error, end, message not listed--> FAILED
 *
 * Of the answer to SSLRequest exactly one byte is read in the clear: what
 * somebody may have put behind it goes to the handshake, which refuses it.
 */
#include "gateway/link.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "tls/context.h"
#include "tls/tls.h"
#include "wire/backend.h"
#include "wire/frame.h"
#include "wire/frontend.h"

#define BODY_MAX 65536		/* of a message before LINK_UP */
#define PARAMETERS_MAX 65536
#define SCRAM "SCRAM-SHA-256"
#define SCRAM_PLUS "SCRAM-SHA-256-PLUS"

const char *
link_tls_text(enum link_tls m)
{
	switch (m) {
	case LINK_TLS_DISABLE:
		return "disable";
	case LINK_TLS_PREFER:
		return "prefer";
	case LINK_TLS_REQUIRE:
		return "require";
	case LINK_TLS_VERIFY_CA:
		return "verify-ca";
	case LINK_TLS_VERIFY_FULL:
		return "verify-full";
	}
	return "?";
}

int
link_address_find(const char *host, uint16_t port, struct link_address *ret)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *res = NULL;
	struct sockaddr_un *un = (struct sockaddr_un *)&ret->sa;
	char service[8];
	int n;

	memset(ret, 0, sizeof(*ret));
	if (host[0] == '/') {
		un->sun_family = AF_UNIX;
		n = snprintf(un->sun_path, sizeof(un->sun_path),
		    "%s/.s.PGSQL.%u", host, port);
		if (n < 0 || (size_t)n >= sizeof(un->sun_path))
			return ERR_MISSING;
		ret->len = sizeof(*un);
		return 0;
	}
	(void)snprintf(service, sizeof(service), "%u", port); /* fits */
	if (getaddrinfo(host, service, &hints, &res) != 0)
		return ERR_MISSING;
	memcpy(&ret->sa, res->ai_addr, res->ai_addrlen);
	ret->len = res->ai_addrlen;
	freeaddrinfo(res);
	return 0;
}

static void
link_fail(struct link *l, const char *sqlstate, const char *why)
{
	if (l->state == LINK_FAILED)
		return;
	l->state = LINK_FAILED;
	(void)snprintf(l->sqlstate, sizeof(l->sqlstate), "%s", sqlstate);
	(void)snprintf(l->why, sizeof(l->why), "%s", why); /* cut: for people */
}

/* Only speed and dead peers depend on these two. */
static void
tune(int fd)
{
	int one = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
}

static int
link_open(const struct link_way *way, struct link **ret)
{
	const struct link_address *addr = &way->address;
	struct link *l;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return ERR_MEMORY;
	l->fd = -1;
	l->mode = way->tls;
	l->binding = way->binding;
	flow_init(&l->in);
	flow_init(&l->out);
	buf_init(&l->greeting, 0);
	buf_init(&l->parameters, PARAMETERS_MAX);
	*ret = l;
	if (addr->len == 0) {
		link_fail(l, "08001", "its address is not known");
		return 0;
	}
	l->fd = socket(addr->sa.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0) {
		link_fail(l, "08001", strerror(errno));
		return 0;
	}
	if (addr->sa.ss_family != AF_UNIX)
		tune(l->fd);
	if (l->mode != LINK_TLS_DISABLE && (way->context == NULL ||
	    (l->tls = tls_connect_new(way->context, l->fd, way->host,
	    l->mode == LINK_TLS_VERIFY_FULL)) == NULL)) {
		*ret = NULL;
		link_free(l);
		return ERR_MEMORY;
	}
	if (connect(l->fd, (const struct sockaddr *)&addr->sa,
	    addr->len) != 0 && errno != EINPROGRESS)
		link_fail(l, "08001", strerror(errno));
	return 0;
}

int
link_new(const struct link_way *way, const char *password,
    struct scram_salted *salted, const struct startup_param *params, size_t n,
    struct link **ret)
{
	struct link *l;
	int r;

	if ((r = link_open(way, &l)) != 0)
		return r;
	startup_write(&l->greeting, params, n);
	if (password != NULL &&
	    (l->scram = scram_client_new(password)) == NULL)
		l->greeting.failed = true;
	if (l->greeting.failed) {
		link_free(l);
		return ERR_MEMORY;
	}
	if (l->scram != NULL)
		scram_client_keep(l->scram, salted);
	*ret = l;
	return 0;
}

int
link_cancel_new(const struct link_way *way, uint32_t pid,
    struct bytes secret, struct link **ret)
{
	struct link *l;
	int r;

	if ((r = link_open(way, &l)) != 0)
		return r;
	startup_cancel_write(&l->greeting, pid, secret);
	if (l->greeting.failed) {
		link_free(l);
		return ERR_MEMORY;
	}
	l->cancel = true;
	*ret = l;
	return 0;
}

void
link_free(struct link *l)
{
	if (l == NULL)
		return;
	tls_close(l->tls);
	tls_free(l->tls);
	if (l->fd >= 0)
		(void)close(l->fd);	/* nothing is lost by a failure */
	flow_done(&l->in);
	flow_done(&l->out);
	buf_done(&l->greeting);
	buf_done(&l->parameters);
	scram_client_free(l->scram);
	wipe(l, sizeof(*l));
	free(l);
}

uint32_t
link_wants(const struct link *l)
{
	if (l->state == LINK_CONNECTING)
		return EPOLLOUT;
	if (l->state == LINK_ENCRYPTING)
		return tls_wants_write(l->tls) ? EPOLLOUT : EPOLLIN;
	return EPOLLIN | (flow_len(&l->out) > 0 ? EPOLLOUT : 0u);
}

/* Connected, and encrypted if it is to be. */
static void
link_greet(struct link *l)
{
	flow_add(&l->out, l->greeting.data, l->greeting.len);
	buf_done(&l->greeting);
	l->state = l->cancel ? LINK_CANCELLING :
	    LINK_AUTHENTICATING;
}

static void
link_connected(struct link *l)
{
	socklen_t len = sizeof(int);
	int e = 0;

	if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &e, &len) != 0)
		e = errno;
	if (e != 0) {
		link_fail(l, "08001", strerror(e));
		return;
	}
	if (l->tls == NULL) {
		link_greet(l);
		return;
	}
	startup_ssl_write(flow_buf(&l->out));
	l->state = LINK_ASKING;
}

/* The one byte of the answer to SSLRequest. */
static void
link_answered(struct link *l)
{
	char answer;
	ssize_t n;

	do
		n = recv(l->fd, &answer, 1, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return;
	if (n <= 0) {
		link_fail(l, "08006", n == 0 ? "it closed the connection" :
		    "the connection broke");
	} else if (answer == 'S') {
		l->state = LINK_ENCRYPTING;
	} else if (answer == 'N' && l->mode == LINK_TLS_PREFER) {
		tls_free(l->tls);
		l->tls = NULL;
		link_greet(l);
	} else if (answer == 'N') {
		link_fail(l, "08001", "it does not encrypt, and sslmode asks "
		    "for that");
	} else {
		link_fail(l, "08P01", "its answer to SSLRequest is neither S "
		    "nor N");
	}
}

static void
link_encrypt(struct link *l)
{
	char why[LINK_TEXT_MAX];
	int r;

	if ((r = tls_handshake(l->tls)) == ERR_SHORT)
		return;
	if (r == 0) {
		link_greet(l);
		return;
	}
	(void)snprintf(why, sizeof(why), "the TLS handshake failed: %s",
	    tls_why(l->tls));		/* cut: for people */
	link_fail(l, "08001", why);
}

/* The first message of SCRAM: which of the offered kinds it is. */
static int
link_sasl_begin(struct link *l, struct bytes offer, struct buf *text)
{
	bool plus = backend_sasl_offers(offer, SCRAM_PLUS) != 0;
	uint8_t end[TLS_HASH_MAX];
	size_t len = 0;
	int r = 0;

	if (plus && l->tls == NULL)
		return ERR_FORMAT;	/* there is nothing to bind to */
	if (l->tls != NULL && l->binding != LINK_BINDING_DISABLE)
		len = tls_end_point(l->tls, end);
	l->bound = plus && len > 0;
	if (l->bound)
		r = scram_client_bind(l->scram, bytes_of(end, len));
	else if (l->binding == LINK_BINDING_REQUIRE)
		return ERR_DENIED;
	else if (!backend_sasl_offers(offer, SCRAM))
		return ERR_FORMAT;
	else if (len > 0)
		scram_client_could_bind(l->scram);
	if (r != 0 || (r = scram_client_first(l->scram, text)) != 0)
		return r;
	frontend_sasl_write(flow_buf(&l->out), l->bound ? SCRAM_PLUS : SCRAM,
	    bytes_of(text->data, text->len));
	return 0;
}

static void
link_sasl(struct link *l, uint32_t code, struct bytes data)
{
	struct buf text;
	int r = ERR_FORMAT;

	buf_init(&text, 0);
	if (l->scram == NULL) {
		link_fail(l, "28P01", "it asks for a password and none is "
		    "kept for this login");
		goto out;
	}
	if (code == BACKEND_AUTH_SASL) {
		r = link_sasl_begin(l, data, &text);
	} else if (code == BACKEND_AUTH_SASL_CONTINUE) {
		if ((r = scram_client_final(l->scram, (const char *)data.data,
		    data.len, &text)) != 0)
			goto out;
		l->scram_final = true;
		frontend_sasl_next_write(flow_buf(&l->out),
		    bytes_of(text.data, text.len));
	} else {
		r = scram_client_check(l->scram, (const char *)data.data,
		    data.len);
		l->proved = r == 0;
	}
out:
	if (r != 0)
		link_fail(l, "28000", r == ERR_CRYPTO ?
		    "it could not prove that it knows the password" :
		    r == ERR_DENIED ? "it offers no channel binding, and "
		    "channel-binding is require" :
		    "its SCRAM exchange is not one we know");
	buf_wipe_done(&text);
}

static void
link_authentication(struct link *l, struct bytes body)
{
	struct bytes data;
	uint32_t code;

	if (backend_auth_read(body, &code, &data) != 0) {
		link_fail(l, "08P01", "a malformed authentication request");
		return;
	}
	switch (code) {
	case BACKEND_AUTH_OK:
		/* Whoever began SCRAM must also end it. */
		if (l->scram_final && !l->proved)
			link_fail(l, "28000", "it ended SCRAM early");
		else if (l->binding == LINK_BINDING_REQUIRE &&
		    !(l->proved && l->bound))
			link_fail(l, "28000", "it asks for no bound SCRAM, "
			    "and channel-binding is require");
		else
			l->state = LINK_STARTING;
		return;
	case BACKEND_AUTH_SASL:
	case BACKEND_AUTH_SASL_CONTINUE:
	case BACKEND_AUTH_SASL_FINAL:
		link_sasl(l, code, data);
		return;
	default:
		link_fail(l, "28000", "it asks for a way of authentication "
		    "that we refuse (only SCRAM-SHA-256 or trust)");
	}
}

static void
link_error(struct link *l, struct bytes body)
{
	struct backend_error e;

	if (backend_error_read(body, &e) != 0)
		link_fail(l, "08P01", "a malformed error");
	else
		link_fail(l, e.sqlstate, e.message);
}

static void
link_key(struct link *l, struct bytes body)
{
	struct bytes secret;

	if (backend_key_read(body, &l->pid, &secret) != 0 ||
	    secret.len > LINK_SECRET_MAX) {
		link_fail(l, "08P01", "a malformed key");
		return;
	}
	memcpy(l->secret, secret.data, secret.len);
	l->secret_len = secret.len;
}

static void
link_message(struct link *l, const struct frame *f)
{
	size_t at;

	if (f->type == 'E') {
		link_error(l, f->body);
	} else if (f->type == 'N') {
		return;		/* nobody to tell yet */
	} else if (l->state == LINK_AUTHENTICATING && f->type == 'R') {
		link_authentication(l, f->body);
	} else if (l->state == LINK_STARTING && f->type == 'S') {
		at = frame_begin(&l->parameters, 'S');
		buf_bytes(&l->parameters, f->body.data, f->body.len);
		frame_end(&l->parameters, at);
		if (l->parameters.failed)
			link_fail(l, "54000", "too many parameters");
	} else if (l->state == LINK_STARTING && f->type == 'K') {
		link_key(l, f->body);
	} else if (l->state == LINK_STARTING && f->type == 'Z') {
		l->state = LINK_UP;
	} else {
		link_fail(l, "08P01", "a message that does not belong here");
	}
}

static void
link_read(struct link *l)
{
	struct reader r;
	struct frame f;
	int n, e;

	if ((n = flow_read(&l->in, l->fd, l->tls)) == ERR_SHORT)
		return;
	if (n <= 0) {
		link_fail(l, "08006", n == 0 ? "it closed the connection" :
		    "the connection broke");
		return;
	}
	while (l->state == LINK_AUTHENTICATING || l->state == LINK_STARTING) {
		reader_init(&r, flow_data(&l->in), flow_len(&l->in));
		if ((e = frame_read(&r, BODY_MAX, &f)) == ERR_SHORT)
			break;
		if (e != 0) {
			link_fail(l, "08P01", "a malformed message");
			break;
		}
		link_message(l, &f);
		flow_drop(&l->in, r.pos);
	}
}

void
link_io(struct link *l)
{
	if (l->state == LINK_CONNECTING)
		link_connected(l);
	else if (l->state == LINK_ASKING)
		link_answered(l);
	if (l->state == LINK_ENCRYPTING)
		link_encrypt(l);
	if (l->state == LINK_AUTHENTICATING || l->state == LINK_STARTING ||
	    l->state == LINK_CANCELLING)
		link_read(l);
	if (l->state != LINK_FAILED && flow_write(&l->out, l->fd,
	    l->state == LINK_ASKING ? NULL : l->tls) != 0)
		link_fail(l, "08006", "the connection broke");
}

/*
 * Encryption with the client: asked for by SSLRequest, or begun at once
 * ("direct"), then it must also name the protocol, so that no other protocol's
 * client can be made to speak to us.
 *
 * Nothing that came in the clear is left when the handshake begins: behind
 * SSLRequest there is nothing (session_login.c), and a direct handshake is
 * only looked at, not read.
 */
#include "gateway/session.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/report.h"
#include "gateway/config.h"
#include "tls/context.h"
#include "tls/tls.h"
#include "wire/backend.h"

#define HANDSHAKE_BYTE 0x16	/* first of a ClientHello, of no packet */

/* 0; ERR_MISSING: none is offered; ERR_STATE: nothing is in force. */
static int
find_context(struct session *s, struct tls_context **ret)
{
	struct versions *vs = &s->worker->shared->versions;
	struct version *v = versions_get(vs);

	if (v == NULL)
		return ERR_STATE;
	*ret = tls_context_ref(v->config->tls.context);
	version_unref(vs, v);
	return *ret == NULL ? ERR_MISSING : 0;
}

static int
begin(struct session *s, struct tls_context *c)
{
	s->tls = tls_accept_new(c, s->client.fd);
	tls_context_unref(c);
	if (s->tls == NULL) {
		session_end_memory(s);
		return ERR_MEMORY;
	}
	session_set_state(s, STATE_ENCRYPTING);
	return 0;
}

void
tls_asked(struct session *s)
{
	static const struct backend_error again = {"FATAL", "08P01",
	    "a second request to encrypt", NULL, NULL};
	struct tls_context *c = NULL;
	int r;

	if (s->asked_tls || s->tls != NULL) {
		session_end(s, "startup", &again);
		return;
	}
	s->asked_tls = true;
	if ((r = find_context(s, &c)) == ERR_STATE)
		session_end_log(s);
	else if (r != 0)
		buf_u8(flow_buf(&s->down), 'N');
	else if (begin(s, c) == 0)
		buf_u8(flow_buf(&s->down), 'S');
}

bool
tls_directly(struct session *s)
{
	struct tls_context *c = NULL;
	unsigned char first;
	ssize_t n;

	if (s->state != STATE_STARTUP || s->tls != NULL || s->asked_tls ||
	    s->asked_gss || flow_len(&s->up) > 0)
		return false;
	do
		n = recv(s->client.fd, &first, 1, MSG_PEEK);
	while (n < 0 && errno == EINTR);
	if (n != 1 || first != HANDSHAKE_BYTE || find_context(s, &c) != 0)
		return false;
	s->direct_tls = true;
	return begin(s, c) == 0;
}

static void
fail_certificate(struct session *s)
{
	static const struct backend_error e = {"FATAL", "28000",
	    "the client's certificate is refused", NULL, NULL};

	login_fail(s, "certificate", true, &e);
}

void
tls_step(struct session *s)
{
	int r;

	if (flow_len(&s->down) > 0 ||
	    (r = tls_handshake(s->tls)) == ERR_SHORT)
		return;
	if (r != 0) {
		report(REPORT_INFO, "no TLS with a client source=%s why=%s",
		    s->source, tls_why(s->tls));
		if (tls_peer_is_refused(s->tls))
			fail_certificate(s);
		else
			session_end(s, "tls", NULL);
		return;
	}
	if (s->direct_tls && !tls_alpn_agreed(s->tls)) {
		report(REPORT_INFO, "TLS without a request, and without the "
		    "protocol's name source=%s", s->source);
		session_end(s, "tls", NULL);
		return;
	}
	session_set_state(s, STATE_STARTUP);
}

/*
 * Whether the connection may be used at all, then the means: a certificate
 * that is mapped to the principal, or else a password by SCRAM.
 */
#include "gateway/auth.h"

#include <string.h>

#include "base/arena.h"
#include "base/report.h"
#include "base/text.h"
#include "gateway/config.h"
#include "gateway/session.h"
#include "tls/tls.h"
#include "wire/backend.h"

static bool
is_loopback(const char *address)
{
	return text_starts(address, "127.") || strcmp(address, "::1") == 0;
}

static bool
may_be_plain(const struct session *s, const struct config_tls *t)
{
	switch (t->mode) {
	case CONFIG_TLS_OFF:
	case CONFIG_TLS_ALLOW:
		return true;
	case CONFIG_TLS_REMOTE:
		return is_loopback(s->address);
	case CONFIG_TLS_REQUIRE:
		break;
	}
	return false;
}

static void
refuse_plain(struct session *s, const struct config_tls *t)
{
	struct backend_error e = {"FATAL", "28000", NULL, NULL, NULL};

	e.message = arena_fmt(s->a, "the connection from %s is not encrypted, "
	    "and the gateway takes no other", s->address);
	e.hint = t->context != NULL ? "connect with sslmode=require, or better "
	    "with sslmode=verify-full" : "the gateway has no certificate: its "
	    "operator gives it one, in section tls of sworn.conf";
	if (e.message == NULL)
		session_end_memory(s);
	else
		login_fail(s, "plaintext", false, &e);
}

static void
refuse_unknown_client(struct session *s)
{
	static const struct backend_error e = {"FATAL", "28000",
	    "the gateway asks for a client's certificate, and none was shown",
	    NULL, "give the client its certificate and key (libpq: sslcert, "
	    "sslkey)"};

	login_fail(s, "certificate", false, &e);
}

static bool
is_listed(const struct config_tls *t, const char *principal)
{
	size_t i;

	for (i = 0; i < t->n_certificates; i++)
		if (strcmp(t->certificates[i].principal, principal) == 0)
			return true;
	return false;
}

/* Whether the certificate that the client showed is this principal's. */
static bool
is_certified(const struct session *s, const struct config_tls *t)
{
	const struct config_certificate *c;
	size_t i;

	if (s->tls == NULL || !tls_peer_is_known(s->tls))
		return false;
	for (i = 0; i < t->n_certificates; i++) {
		c = &t->certificates[i];
		if (strcmp(c->principal, s->user) == 0 &&
		    tls_peer_has_name(s->tls, c->kind, c->name))
			return true;
	}
	return false;
}

void
auth_begin(struct session *s)
{
	struct versions *vs = &s->worker->shared->versions;
	struct version *v = versions_get(vs);
	const struct config_tls *t;

	if (v == NULL) {
		session_end_log(s);	/* nothing is in force */
		return;
	}
	t = &v->config->tls;
	s->known_user = config_user_find(v->config, s->user) != NULL ||
	    is_listed(t, s->user);
	if (s->tls == NULL && !may_be_plain(s, t)) {
		refuse_plain(s, t);
	} else if (t->certificate_required && s->tls != NULL &&
	    !tls_peer_is_known(s->tls)) {
		refuse_unknown_client(s);
	} else if (is_certified(s, t)) {
		s->auth = AUTH_CERTIFICATE;
		open_begin(s);
	} else {
		auth_scram_begin(s, v);
	}
	version_unref(vs, v);
}

/*
 * Whether the connection may be used at all, then the means: a certificate
 * that is mapped to the principal, or else a password by SCRAM; or what the
 * rule file says, if there is one.
 */
#include "gateway/auth.h"

#include <string.h>

#include "base/arena.h"
#include "base/report.h"
#include "base/time.h"
#include "gateway/config.h"
#include "gateway/session.h"
#include "tls/tls.h"
#include "wire/backend.h"

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

/* ---- by a rule of the file for logins ---- */

static void
refuse_by_rule(struct session *s, const struct login_rule *rule)
{
	struct backend_error e = {"FATAL", "28000", NULL, NULL, NULL};

	/* In PostgreSQL's words, which clients know. */
	e.message = arena_fmt(s->a, "%s for host \"%s\", user \"%s\", "
	    "database \"%s\", %s", rule == NULL ? "no pg_hba.conf entry" :
	    "pg_hba.conf rejects connection", s->address, s->user,
	    s->database, s->tls != NULL ? "SSL encryption" : "no encryption");
	if (e.message == NULL)
		session_end_memory(s);
	else
		login_fail(s, "rule", true, &e);
}

static void
refuse_certificate(struct session *s)
{
	struct backend_error e = {"FATAL", "28000", NULL, NULL, NULL};

	e.message = tls_peer_is_known(s->tls) ? arena_fmt(s->a,
	    "certificate authentication failed for user \"%s\"", s->user) :
	    "connection requires a valid client certificate";
	if (e.message == NULL)
		session_end_memory(s);
	else
		login_fail(s, "certificate", true, &e);
}

static bool
has_certificate(const struct session *s, const struct config_tls *t,
    const struct login_rule *rule)
{
	switch (rule->certificate) {
	case LOGIN_CERTIFICATE_NONE:
		return true;
	case LOGIN_CERTIFICATE_CA:
		return s->tls != NULL && tls_peer_is_known(s->tls);
	case LOGIN_CERTIFICATE_FULL:
		break;
	}
	return is_certified(s, t);
}

static void
begin_by_rule(struct session *s, const struct version *v)
{
	const struct login_who who = {.store = s->database,
	    .principal = s->user, .address = s->address,
	    .encrypted = s->tls != NULL, .at_ms = clock_now_ms()};
	const struct login_rule *rule;

	if (config_logins_find(v->config, &who, s->a, &rule) != 0)
		session_end_memory(s);
	else if (rule == NULL || rule->method == LOGIN_REJECT)
		refuse_by_rule(s, rule);
	else if (!has_certificate(s, &v->config->tls, rule))
		refuse_certificate(s);
	else if (rule->method == LOGIN_SCRAM)
		auth_scram_begin(s, v);
	else {
		s->auth = AUTH_CERTIFICATE;
		open_begin(s);
	}
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
	if (s->tls == NULL && !config_tls_takes_plain(t, s->address)) {
		refuse_plain(s, t);
	} else if (t->certificate_required && s->tls != NULL &&
	    !tls_peer_is_known(s->tls)) {
		refuse_unknown_client(s);
	} else if (v->config->logins.path != NULL) {
		begin_by_rule(s, v);
	} else if (is_certified(s, t)) {
		s->auth = AUTH_CERTIFICATE;
		open_begin(s);
	} else {
		auth_scram_begin(s, v);
	}
	version_unref(vs, v);
}

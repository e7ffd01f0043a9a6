/*
 * A password by SCRAM-SHA-256, bound to the gateway's certificate where the
 * connection is encrypted. Whoever is not known goes through the same
 * exchange as whoever mistypes a password, as slowly, and is told the same.
 */
#include "gateway/auth.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "crypto/scram.h"
#include "gateway/config.h"
#include "gateway/session.h"
#include "tls/tls.h"
#include "wire/backend.h"
#include "wire/frontend.h"

static void
fail_password(struct session *s)
{
	struct backend_error e = {"FATAL", "28P01", NULL, NULL, NULL};

	e.message = arena_fmt(s->a,
	    "password authentication failed for user \"%s\"", s->user);
	if (e.message == NULL) {
		session_end_memory(s);
		return;
	}
	login_fail(s, "password", true, &e);
}

void
auth_scram_begin(struct session *s, const struct version *now)
{
	const struct config_user *u = config_user_find(now->config, s->user);
	uint8_t end[TLS_HASH_MAX];
	struct scram_verifier v;
	size_t len = 0;
	int r;

	s->has_password = u != NULL;
	r = u != NULL ? scram_verifier_read(u->verifier, &v) :
	    scram_verifier_mock(s->user, s->worker->shared->mock_key, &v);
	if (r == 0 && (s->scram = scram_server_new(&v)) == NULL)
		r = ERR_MEMORY;
	wipe(&v, sizeof(v));
	if (r == 0 && s->tls != NULL && (len = tls_end_point(s->tls, end)) > 0)
		r = scram_server_bind(s->scram, bytes_of(end, len));
	if (r != 0) {
		session_end_memory(s);
		return;
	}
	backend_sasl_write(flow_buf(&s->down), len > 0);
	session_set_state(s, STATE_SASL_FIRST);
}

/* The body of the next SASL message: 0, or ERR_SHORT, or the session ends. */
static int
next_sasl(struct session *s, struct reader *r, struct frame *f)
{
	int e;

	reader_init(r, flow_data(&s->up), flow_len(&s->up));
	if ((e = frame_read(r, FRONTEND_EARLY_MAX, f)) == ERR_SHORT)
		return ERR_SHORT;
	if (e == 0 && f->type == 'X') {
		session_end(s, "client", NULL);
		return ERR_STATE;
	}
	if (e != 0 || f->type != 'p') {
		session_end_protocol(s, "expected an answer to the SASL "
		    "request");
		return ERR_FORMAT;
	}
	return 0;
}

static bool
is_offered(const char *mechanism, bool *plus)
{
	*plus = strcmp(mechanism, "SCRAM-SHA-256-PLUS") == 0;
	return *plus || strcmp(mechanism, "SCRAM-SHA-256") == 0;
}

/* Between the two somebody else speaks. */
static void
fail_binding(struct session *s, const char *detail)
{
	struct backend_error e = {"FATAL", "28000", "the channel binding of "
	    "the password's exchange does not hold", detail, "somebody may "
	    "stand between client and gateway; connect with "
	    "sslmode=verify-full"};

	login_fail(s, "channel-binding", true, &e);
}

void
auth_sasl_first(struct session *s)
{
	struct frontend_sasl sasl;
	struct reader r;
	struct frame f;
	struct buf out;
	bool plus;
	int e = ERR_FORMAT;

	if (next_sasl(s, &r, &f) != 0)
		return;
	buf_init(&out, 0);
	if (frontend_sasl_read(f.body, &sasl) == 0 &&
	    is_offered(sasl.mechanism, &plus) && sasl.data.data != NULL) {
		s->auth = plus ? AUTH_SCRAM_PLUS : AUTH_SCRAM;
		e = scram_server_first(s->scram, plus,
		    (const char *)sasl.data.data, sasl.data.len, &out);
	}
	if (e == ERR_CONFLICT) {
		fail_binding(s, "somebody took channel binding out of the "
		    "gateway's offer");
		goto out;
	}
	if (e != 0) {
		session_end_protocol(s, "malformed SCRAM message");
		goto out;
	}
	backend_auth_write(flow_buf(&s->down), BACKEND_AUTH_SASL_CONTINUE,
	    bytes_of(out.data, out.len));
	flow_drop(&s->up, r.pos);
	session_set_state(s, STATE_SASL_FINAL);
out:
	buf_done(&out);
}

void
auth_sasl_final(struct session *s)
{
	struct reader r;
	struct frame f;
	struct buf out;
	int e;

	if (next_sasl(s, &r, &f) != 0)
		return;
	buf_init(&out, 0);
	e = scram_server_final(s->scram, (const char *)f.body.data,
	    f.body.len, &out);
	flow_drop(&s->up, r.pos);
	if (e == ERR_DENIED || (e == 0 && !s->has_password)) {
		fail_password(s);
	} else if (e == ERR_CONFLICT) {
		fail_binding(s, "it is bound to another certificate than the "
		    "gateway's");
	} else if (e == ERR_FORMAT) {
		session_end_protocol(s, "malformed SCRAM message");
	} else if (e != 0) {
		session_end_memory(s);
	} else {
		backend_auth_write(flow_buf(&s->down),
		    BACKEND_AUTH_SASL_FINAL, bytes_of(out.data, out.len));
		scram_server_free(s->scram);
		s->scram = NULL;
		open_begin(s);
	}
	buf_done(&out);
}

/*
 * The table of states and events. What a state does is in session_login.c,
 * session_open.c and person*.c; a service's relay is here.
 */
#include "gateway/session.h"

#include "base/report.h"
#include "gateway/auth.h"
#include "gateway/desk.h"
#include "gateway/link.h"
#include "gateway/move.h"
#include "wire/backend.h"

static const char *
state_text(enum state s)
{
	switch (s) {
	case STATE_STARTUP:
		return "startup";
	case STATE_ENCRYPTING:
		return "encrypting";
	case STATE_SASL_FIRST:
		return "sasl-first";
	case STATE_SASL_FINAL:
		return "sasl-final";
	case STATE_FAILING:
		return "failing";
	case STATE_DELAYED:
		return "delayed";
	case STATE_CANCEL:
		return "cancel";
	case STATE_ASKING:
		return "asking";
	case STATE_OPENING:
		return "opening";
	case STATE_CONNECTING:
		return "connecting";
	case STATE_GREETING:
		return "greeting";
	case STATE_DESK:
		return "desk";
	case STATE_DESK_WAITING:
		return "desk-waiting";
	case STATE_PERSON:
		return "person";
	case STATE_WAITING:
		return "waiting";
	case STATE_SWITCHING:
		return "switching";
	case STATE_SWITCHING_LINK:
		return "switching-link";
	case STATE_SWITCHING_GREETING:
		return "switching-greeting";
	case STATE_SERVICE:
		return "service";
	case STATE_SERVICE_MOVING:
		return "service-moving";
	case STATE_ENDING:
		return "ending";
	case STATE_ENDED:
		return "ended";
	case STATE_DEAD:
		return "dead";
	}
	return "?";
}

void
session_set_state(struct session *s, enum state to)
{
	report(REPORT_DEBUG, "session=%s state=%s next=%s", s->id,
	    state_text(s->state), state_text(to));
	s->state = to;
}

static void
end_store_gone(struct session *s)
{
	static const struct backend_error closed = {"FATAL", "57P01",
	    "the store closed the connection", NULL, NULL};
	static const struct backend_error cut = {"FATAL", "08006",
	    "the connection to the store was cut off",
	    "the encrypted stream ended without being closed", NULL};
	bool was_cut = s->link != NULL && s->link->cut_off;

	/* What it said last has been handed on; often that is the reason. */
	session_end(s, "store", s->person != NULL &&
	    flow_len(&s->down) > 0 && !was_cut ? NULL :
	    was_cut ? &cut : &closed);
}

static void
end_stopping(struct session *s)
{
	static const struct backend_error e = {"FATAL", "57P01",
	    "terminating connection: the gateway is being stopped", NULL,
	    NULL};

	session_end(s, "stop", &e);
}

/* A service's bytes, on their way as they are. */
static void
relay(struct session *s)
{
	struct flow *in = &s->link->in, *out = &s->link->out;

	if (flow_len(&s->up) > 0 && flow_len(out) < FLOW_STOP) {
		flow_add(out, flow_data(&s->up), flow_len(&s->up));
		flow_drop(&s->up, flow_len(&s->up));
	}
	if (flow_len(in) > 0 && flow_len(&s->down) < FLOW_STOP) {
		if (stream_feed(&s->relay_down, flow_data(in),
		    flow_len(in)) != 0) {
			session_end(s, "store", NULL);
			return;
		}
		flow_add(&s->down, flow_data(in), flow_len(in));
		flow_drop(in, flow_len(in));
	}
}

/* States in which a client's bytes just wait. */
static void
step_default(struct session *s, enum event e)
{
	if (e == EVENT_CLIENT_GONE)
		session_end(s, s->cut_off ? "truncated" : "client", NULL);
	else if (e == EVENT_STOP)
		end_stopping(s);
	else if (e == EVENT_LOST)
		session_end_log(s);
	else if (e == EVENT_STORE_GONE)
		end_store_gone(s);
	else if (e == EVENT_TIMEOUT)
		session_end(s, "timeout", NULL);
}

static void
step_login(struct session *s, enum event e)
{
	if (e != EVENT_CLIENT_BYTES) {
		step_default(s, e);
		return;
	}
	if (s->state == STATE_STARTUP)
		login_startup(s);
	else if (s->state == STATE_SASL_FIRST)
		auth_sasl_first(s);
	else
		auth_sasl_final(s);
}

static void
step_encrypting(struct session *s, enum event e)
{
	if (e == EVENT_CLIENT_READY)
		tls_step(s);
	else
		step_default(s, e);
}

static void
step_failing(struct session *s, enum event e)
{
	if (s->state == STATE_FAILING && (e == EVENT_DURABLE ||
	    e == EVENT_REFUSED || e == EVENT_LOST))
		login_failed_recorded(s);
	else if (s->state == STATE_DELAYED && e == EVENT_TIMEOUT)
		login_failed_recorded(s);
	else
		step_default(s, e);
}

static void
step_cancel(struct session *s, enum event e)
{
	if (e == EVENT_LINK_READY && s->link->state != LINK_FAILED)
		return;
	session_end(s, "cancel", NULL);
}

static void
step_opening(struct session *s, enum event e)
{
	switch (e) {
	case EVENT_DURABLE:
		if (s->state == STATE_OPENING)
			open_recorded(s);
		else if (s->state == STATE_GREETING)
			open_greet(s);
		break;
	case EVENT_REFUSED:
		session_end_log(s);
		break;
	case EVENT_STALE:
		open_begin(s);
		break;
	case EVENT_LINK_READY:
		if (s->state == STATE_CONNECTING)
			open_link_ready(s);
		break;
	case EVENT_TIMEOUT:
		open_store_failed(s);
		break;
	default:
		step_default(s, e);
	}
}

static void
step_desk(struct session *s, enum event e)
{
	if (e == EVENT_CLIENT_BYTES || e == EVENT_ROOM)
		desk_client(s);
	else
		step_default(s, e);
}

static void
step_person(struct session *s, enum event e)
{
	switch (e) {
	case EVENT_CLIENT_BYTES:
	case EVENT_ROOM:
	case EVENT_STORE_BYTES:
		person_store(s);
		if (s->state == STATE_PERSON)
			person_client(s);
		break;
	case EVENT_DURABLE:
	case EVENT_REFUSED:
	case EVENT_STALE:
		if (s->state != STATE_WAITING)
			break;
		person_gate(s, e);
		if (s->state == STATE_PERSON)
			person_client(s);
		break;
	case EVENT_TIMEOUT:
		person_hold_timeout(s);
		break;
	default:
		step_default(s, e);
	}
}

static void
step_switching(struct session *s, enum event e)
{
	switch (e) {
	case EVENT_DURABLE:
		if (s->state == STATE_SWITCHING)
			person_switch_recorded(s);
		else if (s->state == STATE_SWITCHING_GREETING)
			person_switch_done(s);
		break;
	case EVENT_REFUSED:
		session_end_log(s);
		break;
	case EVENT_STALE:
		person_switch_stale(s);
		break;
	case EVENT_LINK_READY:
		if (s->state == STATE_SWITCHING_LINK)
			person_switch_linked(s);
		break;
	case EVENT_TIMEOUT:
		open_store_failed(s);
		break;
	default:
		step_default(s, e);
	}
}

static void
step_service(struct session *s, enum event e)
{
	if (e == EVENT_CLIENT_BYTES || e == EVENT_STORE_BYTES ||
	    e == EVENT_ROOM)
		relay(s);
	else
		step_default(s, e);
}

/* Both sides wait until the record of what it may now is durable. */
static void
step_service_moving(struct session *s, enum event e)
{
	if (e == EVENT_DURABLE)
		move_service_recorded(s);
	else if (e == EVENT_STALE)
		move_service(s);
	else if (e == EVENT_REFUSED)
		session_end_log(s);
	else
		step_default(s, e);
}

void
session_step(struct session *s, enum event e)
{
	switch (s->state) {
	case STATE_STARTUP:
	case STATE_SASL_FIRST:
	case STATE_SASL_FINAL:
		step_login(s, e);
		break;
	case STATE_ENCRYPTING:
		step_encrypting(s, e);
		break;
	case STATE_FAILING:
	case STATE_DELAYED:
		step_failing(s, e);
		break;
	case STATE_CANCEL:
		step_cancel(s, e);
		break;
	case STATE_ASKING:
		step_default(s, e);
		break;
	case STATE_OPENING:
	case STATE_CONNECTING:
	case STATE_GREETING:
		step_opening(s, e);
		break;
	case STATE_DESK:
		step_desk(s, e);
		break;
	case STATE_DESK_WAITING:
		step_default(s, e);
		break;
	case STATE_PERSON:
	case STATE_WAITING:
		step_person(s, e);
		break;
	case STATE_SWITCHING:
	case STATE_SWITCHING_LINK:
	case STATE_SWITCHING_GREETING:
		step_switching(s, e);
		break;
	case STATE_SERVICE:
		step_service(s, e);
		break;
	case STATE_SERVICE_MOVING:
		step_service_moving(s, e);
		break;
	case STATE_ENDING:
		if (e == EVENT_CLIENT_GONE || e == EVENT_TIMEOUT)
			session_end_quietly(s);
		break;
	case STATE_ENDED:
	case STATE_DEAD:
		break;
	}
	if (s->up.buf.failed || s->down.buf.failed ||
	    (s->link != NULL && s->link->out.buf.failed))
		session_end_memory(s);
}

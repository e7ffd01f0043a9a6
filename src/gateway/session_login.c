/*
 * The first packets. How whoever they name proves it is in auth.c.
 */
#include "gateway/session.h"

#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/report.h"
#include "gateway/auth.h"
#include "gateway/config.h"
#include "gateway/job.h"
#include "gateway/setting.h"
#include "wire/backend.h"
#include "wire/options.h"

#define FAILURE_DELAY_MS 1000

static void
refuse(struct session *s, const char *sqlstate, const char *message,
    const char *hint)
{
	struct backend_error e = {"FATAL", sqlstate, message, NULL, hint};

	session_end(s, "startup", &e);
}

void
login_fail(struct session *s, const char *reason, bool delayed,
    const struct backend_error *error)
{
	struct version *v = versions_get(&s->worker->shared->versions);
	struct record_login_failure *f;
	struct job *j;

	COUNT(s->worker->shared, logins_failed, 1);
	report(REPORT_INFO, "login failed reason=%s source=%s", reason,
	    s->source);
	buf_reset(&s->fatal);
	backend_error_write(&s->fatal, error);
	s->fatal_delayed = delayed;
	if (s->fatal.failed ||
	    (j = job_new(s, JOB_GATE, RECORD_LOGIN_FAILURE)) == NULL) {
		version_unref(&s->worker->shared->versions, v);
		session_end_memory(s);
		return;
	}
	f = &j->record.u.login_failure;
	f->principal = s->known_user ? s->user : "";
	f->store = v != NULL && s->database != NULL &&
	    config_store_find(v->config, s->database) != NULL ?
	    s->database : "";
	version_unref(&s->worker->shared->versions, v);
	f->source = s->source;
	f->reason = reason;
	f->sqlstate = error->sqlstate;
	session_deadline(s, 0);
	session_set_state(s, STATE_FAILING);
	job_submit(j);
}

void
login_failed_recorded(struct session *s)
{
	if (s->fatal_delayed) {
		s->fatal_delayed = false;
		session_set_state(s, STATE_DELAYED);
		session_deadline(s, FAILURE_DELAY_MS);
		return;
	}
	flow_add(&s->down, s->fatal.data, s->fatal.len);
	session_end(s, "login", NULL);
}

static bool
is_false(const char *v)
{
	return strcasecmp(v, "false") == 0 || strcasecmp(v, "off") == 0 ||
	    strcasecmp(v, "no") == 0 || strcmp(v, "0") == 0;
}

/* One setting of the startup packet: ours, or for the store. */
static int
take_setting(struct session *s, struct startup_param *list,
    const char *name, const char *value)
{
	const char **ours;

	if (!setting_is_ours(name)) {
		list[s->n_settings].name = arena_str(s->a, name);
		list[s->n_settings].value = arena_str(s->a, value);
		if (list[s->n_settings].name == NULL ||
		    list[s->n_settings].value == NULL)
			return ERR_MEMORY;
		s->n_settings++;
		return 0;
	}
	if (setting_is_purpose(name))
		ours = &s->purpose;
	else if (setting_is_ticket(name))
		ours = &s->ticket;
	else
		return ERR_MISSING;
	if (!setting_text_valid(value))
		return ERR_FORMAT;
	if (*value == 0) {
		*ours = NULL;
		return 0;
	}
	return (*ours = arena_str(s->a, value)) == NULL ? ERR_MEMORY : 0;
}

static int
take_options(struct session *s, struct startup_param *list, const char *text)
{
	struct startup_param *found;
	const char *bad = "";
	size_t n, i;
	int r;

	if ((r = options_split(text, s->a, &found, &n, &bad)) != 0)
		return r == ERR_MEMORY ? r : ERR_DENIED;
	for (i = 0; i < n; i++)
		if ((r = take_setting(s, list, found[i].name,
		    found[i].value)) != 0)
			return r;
	return 0;
}

static int
take_param(struct session *s, struct startup_param *list,
    const struct startup_param *p)
{
	if (strcmp(p->name, "user") == 0) {
		s->user = arena_str(s->a, p->value);
		return s->user == NULL ? ERR_MEMORY : 0;
	}
	if (strcmp(p->name, "database") == 0) {
		s->database = arena_str(s->a, p->value);
		return s->database == NULL ? ERR_MEMORY : 0;
	}
	if (strcmp(p->name, "replication") == 0)
		return is_false(p->value) ? 0 : ERR_STATE;
	if (strncmp(p->name, "_pq_.", 5) == 0) {
		s->unknown_options[s->n_unknown_options] =
		    arena_str(s->a, p->name);
		return s->unknown_options[s->n_unknown_options++] == NULL ?
		    ERR_MEMORY : 0;
	}
	if (strcmp(p->name, "options") == 0)
		return take_options(s, list, p->value);
	return take_setting(s, list, p->name, p->value);
}

static int
take_params(struct session *s, const struct startup *st)
{
	struct startup_param *list;
	size_t i;
	int r;

	list = arena_array(s->a, STARTUP_PARAMS_MAX + OPTIONS_MAX,
	    sizeof(*list));
	s->unknown_options = arena_array(s->a, STARTUP_PARAMS_MAX,
	    sizeof(*s->unknown_options));
	if (list == NULL || s->unknown_options == NULL)
		return ERR_MEMORY;
	s->settings = list;
	for (i = 0; i < st->n_params; i++) {
		/* PostgreSQL, too, has just one: the last. */
		if (strcmp(st->params[i].name, "options") == 0 &&
		    startup_param(st, "options") != st->params[i].value)
			continue;
		if ((r = take_param(s, list, &st->params[i])) != 0)
			return r;
	}
	if (s->database == NULL || *s->database == 0)
		s->database = s->user;
	return 0;
}

static void
begin_session(struct session *s, const struct startup *st)
{
	struct shared *sh = s->worker->shared;

	switch (take_params(s, st)) {
	case 0:
		break;
	case ERR_STATE:
		refuse(s, "0A000", "replication connections are refused",
		    NULL);
		return;
	case ERR_FORMAT:
		refuse(s, "22023", "sworn.purpose and sworn.ticket are "
		    "printable text of at most 200 bytes", NULL);
		return;
	case ERR_MISSING:
		refuse(s, "42704", "of sworn's settings there are only "
		    "sworn.purpose and sworn.ticket", NULL);
		return;
	case ERR_DENIED:
		refuse(s, "42601", "the startup options are malformed",
		    "write them as -c name=value or --name=value");
		return;
	default:
		session_end_memory(s);
		return;
	}
	if (s->user == NULL || *s->user == 0) {
		refuse(s, "28000", "no user name is in the startup packet",
		    NULL);
		return;
	}
	if (atomic_fetch_add(&sh->sessions, 1) >= sh->boot->max_sessions) {
		atomic_fetch_sub(&sh->sessions, 1);
		refuse(s, "53300", "too many sessions already", NULL);
		return;
	}
	s->counted = true;
	if (st->minor > 0 || s->n_unknown_options > 0)
		backend_negotiate_write(flow_buf(&s->down),
		    s->unknown_options, s->n_unknown_options);
	auth_begin(s);
}

/* What stands behind a request to encrypt did not wait for the answer:
 * somebody may have put it there. */
static void
refuse_stuffed(struct session *s, enum startup_kind kind)
{
	struct backend_error e = {"FATAL", "08P01", "received unencrypted "
	    "data behind a request to encrypt", "this is a mistake of the "
	    "client's software, or somebody in the middle put it there",
	    NULL};

	report(REPORT_WARNING, "data behind a request to encrypt source=%s",
	    s->source);
	session_end(s, "startup", kind == STARTUP_CANCEL ? NULL : &e);
}

void
login_startup(struct session *s)
{
	struct startup st;
	struct reader r;
	int e;

	reader_init(&r, flow_data(&s->up), flow_len(&s->up));
	if ((e = startup_read(&r, &st)) == ERR_SHORT)
		return;
	if (e != 0) {
		/* Perhaps not PostgreSQL's protocol at all: no answer. */
		session_end(s, "startup", NULL);
		return;
	}
	if (reader_left(&r) > 0 && st.kind != STARTUP_SESSION) {
		refuse_stuffed(s, st.kind);
		return;
	}
	switch (st.kind) {
	case STARTUP_SSL:
		tls_asked(s);
		break;
	case STARTUP_GSSENC:
		if (s->asked_gss || s->tls != NULL)
			refuse(s, "08P01", "a second request to encrypt",
			    NULL);
		else
			buf_u8(flow_buf(&s->down), 'N');
		s->asked_gss = true;
		break;
	case STARTUP_CANCEL:
		open_cancel(s, st.cancel_pid, st.cancel_secret);
		break;
	case STARTUP_SESSION:
		begin_session(s, &st);
		break;
	case STARTUP_UNSUPPORTED:
		refuse(s, "0A000", "unsupported frontend protocol: the "
		    "gateway speaks 3.0", NULL);
		break;
	}
	if (s->state < STATE_ENDING)
		flow_drop(&s->up, r.pos);
}

/*
 * One connection: open, encrypt, bind, then pages of a search until the
 * server has no more. Entries are taken as they come, so memory is bounded
 * by one of them and libldap's own buffers.
 */
#include "import/ldap.h"

#include <ldap.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#include "base/arena.h"
#include "base/text.h"

struct asking {
	const struct ldap_ask *q;
	LDAP *ld;
	struct entry e;
	entry_fn *fn;
	void *arg;
	size_t n, referrals;
	struct berval *cookie;		/* of the next page */
	struct why *why;
};

static bool
is_private(const struct ldap_ask *q)
{
	return strncasecmp(q->url, "ldaps://", 8) == 0 ||
	    strncasecmp(q->url, "ldapi://", 8) == 0 || q->start_tls;
}

/* libldap calls a certificate that is not trusted a server that is down. */
static const char *
advice(const struct asking *s, int code)
{
	if ((code == LDAP_SERVER_DOWN || code == LDAP_CONNECT_ERROR) &&
	    is_private(s->q))
		return "; is it running, and does its certificate name this "
		    "host and come from --ca or the system's authorities?";
	return "";
}

/* What the server or the library says, after what we were doing. */
static int
fail(struct asking *s, int code, const char *doing)
{
	char *more = NULL;
	int r;

	if (s->ld != NULL)
		(void)ldap_get_option(s->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE,
		    &more); /* there may be none */
	r = why_set(s->why, ERR_IO, 0, 0, "%.100s: %s%s%.100s%s%s", doing,
	    ldap_err2string(code), more != NULL && *more != 0 ? " (" : "",
	    more != NULL ? more : "", more != NULL && *more != 0 ? ")" : "",
	    advice(s, code));
	ldap_memfree(more);
	return r;
}

static int
check_ask(struct asking *s)
{
	const struct ldap_ask *q = s->q;

	if (!is_private(q) && !q->clear_text)
		return why_set(s->why, ERR_DENIED, 0, 0, "%.200s is not "
		    "encrypted, and what comes from there decides who sees "
		    "what; use ldaps:// or --start-tls, or say --clear-text",
		    q->url);
	if (q->bind_dn != NULL && (q->password == NULL || *q->password == 0))
		return why_set(s->why, ERR_DENIED, 0, 0, "a bind without a "
		    "password is anonymous, whatever its name (RFC 4513, "
		    "5.1.2); give a password, or no name");
	return 0;
}

static int
set_options(struct asking *s)
{
	int version = LDAP_VERSION3, demand = LDAP_OPT_X_TLS_DEMAND, no = 0;
	struct timeval wait = {.tv_sec = (time_t)s->q->timeout_s};
	int r;

	if ((r = ldap_set_option(s->ld, LDAP_OPT_PROTOCOL_VERSION,
	    &version)) != 0 ||
	    (r = ldap_set_option(s->ld, LDAP_OPT_REFERRALS,
	    LDAP_OPT_OFF)) != 0 ||
	    (r = ldap_set_option(s->ld, LDAP_OPT_NETWORK_TIMEOUT,
	    &wait)) != 0 ||
	    (r = ldap_set_option(s->ld, LDAP_OPT_TIMEOUT, &wait)) != 0 ||
	    (r = ldap_set_option(s->ld, LDAP_OPT_X_TLS_REQUIRE_CERT,
	    &demand)) != 0)
		return fail(s, r, "setting up the connection");
	if (s->q->ca_file != NULL && (r = ldap_set_option(s->ld,
	    LDAP_OPT_X_TLS_CACERTFILE, s->q->ca_file)) != 0)
		return fail(s, r, s->q->ca_file);
	if ((r = ldap_set_option(s->ld, LDAP_OPT_X_TLS_NEWCTX, &no)) != 0)
		return fail(s, r, s->q->ca_file != NULL ? s->q->ca_file :
		    "setting up TLS");
	return 0;
}

static int
connect_and_bind(struct asking *s)
{
	const struct ldap_ask *q = s->q;
	struct berval secret = {0, NULL};
	int r;

	if ((r = ldap_initialize(&s->ld, q->url)) != LDAP_SUCCESS)
		return fail(s, r, q->url);
	if ((r = set_options(s)) != 0)
		return r;
	if (q->start_tls && (r = ldap_start_tls_s(s->ld, NULL, NULL)) !=
	    LDAP_SUCCESS)
		return fail(s, r, "StartTLS");
	if (q->bind_dn != NULL) {
		secret.bv_val = (char *)q->password;
		secret.bv_len = strlen(q->password);
	}
	r = ldap_sasl_bind_s(s->ld, q->bind_dn, LDAP_SASL_SIMPLE, &secret,
	    NULL, NULL, NULL);
	return r == LDAP_SUCCESS ? 0 : fail(s, r, q->bind_dn != NULL ?
	    q->bind_dn : "binding as nobody");
}

static int
add_values(struct asking *s, LDAPMessage *m, const char *name)
{
	struct berval **values = ldap_get_values_len(s->ld, m, name);
	size_t i;
	int r = 0;

	for (i = 0; values != NULL && values[i] != NULL && r == 0; i++)
		r = entry_add(&s->e, name, values[i]->bv_val,
		    values[i]->bv_len);
	ldap_value_free_len(values);
	return r;
}

static int
read_dn(struct asking *s, LDAPMessage *m)
{
	char *dn = ldap_get_dn(s->ld, m);
	int r;

	if (dn == NULL || !text_is_utf8(dn, strlen(dn)))
		r = why_set(s->why, ERR_FORMAT, 0, 0, "an entry came with a "
		    "DN that cannot be read");
	else if ((r = entry_key(&s->e, dn, true)) == 0)
		s->e.at.place = s->e.key;
	ldap_memfree(dn);
	return r;
}

static int
take_entry(struct asking *s, LDAPMessage *m)
{
	BerElement *ber = NULL;
	char *name;
	int r;

	if (s->n++ >= s->q->limit)
		return why_set(s->why, ERR_LIMIT, 0, 0, "there are more than "
		    "%zu entries; ask for less with --base or --filter, or "
		    "allow more with --limit", s->q->limit);
	entry_reset(&s->e);
	if ((r = read_dn(s, m)) != 0)
		return r;
	for (name = ldap_first_attribute(s->ld, m, &ber);
	    name != NULL && r == 0;
	    name = ldap_next_attribute(s->ld, m, ber)) {
		if (strcasestr(name, ";range=") != NULL)
			r = why_set(s->why, ERR_LIMIT, 0, 0, "%.200s: the "
			    "server gives only a part of the values (%.60s); "
			    "raise its limit, or map memberOf instead",
			    s->e.key, name);
		else
			r = add_values(s, m, name);
		ldap_memfree(name);
	}
	ldap_memfree(name);	/* the one that an error came before */
	if (ber != NULL)
		ber_free(ber, 0);
	return r != 0 ? r : s->fn(s->arg, &s->e);
}

/* The end of a page: its result, and the way to the next. */
static int
take_result(struct asking *s, LDAPMessage *m)
{
	LDAPControl **controls = NULL, *page;
	int code, r;
	ber_int_t estimate;

	ber_bvfree(s->cookie);
	s->cookie = NULL;
	r = ldap_parse_result(s->ld, m, &code, NULL, NULL, NULL, &controls, 0);
	if (r != LDAP_SUCCESS || code != LDAP_SUCCESS) {
		r = fail(s, r != LDAP_SUCCESS ? r : code,
		    code == LDAP_SIZELIMIT_EXCEEDED ? "the server ends the "
		    "search before it is complete (ask for less with "
		    "--filter, or for smaller pages with --page)" :
		    "searching");
		goto out;
	}
	page = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
	if (page == NULL)
		goto out;
	s->cookie = ber_bvstrdup("");
	if (s->cookie == NULL)
		r = ERR_MEMORY;
	else {
		ber_memfree(s->cookie->bv_val);
		memset(s->cookie, 0, sizeof(*s->cookie));
		r = ldap_parse_pageresponse_control(s->ld, page, &estimate,
		    s->cookie);
		if (r != LDAP_SUCCESS)
			r = fail(s, r, "reading a page's end");
	}
out:
	ldap_controls_free(controls);
	return r;
}

/* Messages of one search until its result. */
static int
take_page(struct asking *s, int id)
{
	struct timeval wait = {.tv_sec = (time_t)s->q->timeout_s};
	LDAPMessage *m;
	int type, r = 0;

	do {
		m = NULL;
		type = ldap_result(s->ld, id, LDAP_MSG_ONE, &wait, &m);
		if (type == 0)
			return why_set(s->why, ERR_IO, 0, 0, "no answer for "
			    "%u s; --timeout waits longer", s->q->timeout_s);
		if (type < 0) {
			(void)ldap_get_option(s->ld, LDAP_OPT_RESULT_CODE,
			    &r); /* 0 is told as such */
			return fail(s, r, "reading an answer");
		}
		if (type == LDAP_RES_SEARCH_ENTRY)
			r = take_entry(s, m);
		else if (type == LDAP_RES_SEARCH_REFERENCE)
			s->referrals++;
		else if (type == LDAP_RES_SEARCH_RESULT)
			r = take_result(s, m);
		(void)ldap_msgfree(m);	/* its type */
	} while (r == 0 && type != LDAP_RES_SEARCH_RESULT);
	return r;
}

static int
search(struct asking *s)
{
	const struct ldap_ask *q = s->q;
	LDAPControl *page = NULL, *controls[2] = {NULL, NULL};
	int id, r;

	do {
		r = ldap_create_page_control(s->ld, (ber_int_t)q->page,
		    s->cookie, 0, &page);
		if (r != LDAP_SUCCESS)
			return fail(s, r, "asking for a page");
		controls[0] = page;
		r = ldap_search_ext(s->ld, q->base, LDAP_SCOPE_SUBTREE,
		    q->filter != NULL ? q->filter : "(objectClass=*)",
		    (char **)q->attributes, 0, controls, NULL, NULL,
		    LDAP_NO_LIMIT, &id);
		ldap_control_free(page);
		if (r != LDAP_SUCCESS)
			return fail(s, r, "searching");
		if ((r = take_page(s, id)) != 0)
			return r;
	} while (s->cookie != NULL && s->cookie->bv_len > 0);
	return 0;
}

int
ldap_read(const struct ldap_ask *q, entry_fn *fn, void *arg,
    size_t *referrals, struct why *w)
{
	struct asking s = {.q = q, .fn = fn, .arg = arg, .why = w};
	int r;

	memset(w, 0, sizeof(*w));
	*referrals = 0;
	if ((r = entry_init(&s.e)) != 0)
		return why_set(w, r, 0, 0, "%s", err_text(r));
	s.e.at.file = q->url;
	if ((r = check_ask(&s)) == 0 && (r = connect_and_bind(&s)) == 0)
		r = search(&s);
	*referrals = s.referrals;
	ber_bvfree(s.cookie);
	if (s.ld != NULL)
		(void)ldap_unbind_ext_s(s.ld, NULL, NULL); /* it is over */
	entry_done(&s.e);
	if (r != 0 && w->text[0] == 0)
		(void)why_set(w, r, 0, 0, "%s", err_text(r));
	return r;
}

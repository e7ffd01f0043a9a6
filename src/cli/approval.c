/*
 * sworn request [--to DSN] STORE RULE --for SPAN --why TEXT [--ticket T]
 *     [--break-glass] [--json]
 * sworn approval list | rules [--to DSN] [--json]
 * sworn approval show | approve | deny | revoke | review ID [--why TEXT]
 *     [--to DSN] [--json]
 * sworn approval history: approval_history.c
 *
 * Speaks to the gateway as any client does: whoever runs it logs in as
 * themselves, by password or certificate, and says what docs/approvals.md
 * has. DSN is libpq's; what it leaves out comes from PGHOST and the like.
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/approval.h"
#include "cli/cmd.h"
#include "cli/jsons.h"
#include "cli/options.h"
#include "cli/say.h"
#include "gateway/config.h"

static const char request_usage[] =
"usage: sworn request [--to DSN] STORE RULE --for SPAN --why TEXT\n"
"           [--ticket TICKET] [--break-glass] [--json]\n"
"SPAN is written like 30m, 2h or 1d. sworn approval rules lists the rules.\n";
static const char usage[] =
"usage: sworn approval list | rules [--to DSN] [--json]\n"
"       sworn approval show ID [--to DSN] [--json]\n"
"       sworn approval approve | revoke ID [--why TEXT] [--to DSN] [--json]\n"
"       sworn approval deny | review ID --why TEXT [--to DSN] [--json]\n"
"       sworn approval history --log DIR [--key VKEY] [--json]\n";

/* As text between quotes; libpq's own wants a connection first. */
static void
put_quoted(struct buf *out, const char *s)
{
	buf_u8(out, '\'');
	for (; *s != 0; s++) {
		if (*s == '\'')
			buf_u8(out, '\'');
		buf_u8(out, (uint8_t)*s);
	}
	buf_u8(out, '\'');
}

static PGconn *
reach(const char *dsn)
{
	/* What comes later counts. */
	const char *const names[] = {"dbname", "dbname", "client_encoding",
	    "fallback_application_name", NULL};
	const char *const values[] = {dsn != NULL ? dsn : "",
	    CONFIG_DESK_NAME, "UTF8", "sworn approval", NULL};
	PGconn *c;

	/* The first dbname alone is taken for a connection's description. */
	c = PQconnectdbParams(names, values, 1);
	if (PQstatus(c) == CONNECTION_OK)
		return c;
	(void)fprintf(stderr, "sworn: %s", PQerrorMessage(c));
	PQfinish(c);
	return NULL;
}

static void
say_failure(const PGresult *r, PGconn *c)
{
	const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	const char *hint = PQresultErrorField(r, PG_DIAG_MESSAGE_HINT);

	(void)fprintf(stderr, "sworn: %s%s", text != NULL ? text :
	    PQerrorMessage(c), text != NULL ? "\n" : "");
	if (hint != NULL)
		(void)fprintf(stderr, "sworn: hint: %s\n", hint);
}

/* One value beneath the other: for what is about one request. */
static void
put_pairs(const PGresult *r, struct buf *out)
{
	int i;

	for (i = 0; i < PQntuples(r); i++)
		buf_fmt(out, "%-16s  %s\n", PQgetvalue(r, i, 0),
		    PQgetvalue(r, i, 1));
}

static void
put_table(const PGresult *r, struct buf *out)
{
	int i, k;

	for (i = 0; i < PQntuples(r); i++) {
		buf_fmt(out, "%s%s\n", i > 0 ? "\n" : "",
		    PQgetvalue(r, i, 0));
		for (k = 1; k < PQnfields(r); k++)
			if (*PQgetvalue(r, i, k) != 0)
				buf_fmt(out, "    %-14s %s\n", PQfname(r, k),
				    PQgetvalue(r, i, k));
	}
	if (PQntuples(r) == 0)
		buf_str(out, "none\n");
}

static bool
is_pairs(const PGresult *r)
{
	return PQnfields(r) == 2 && strcmp(PQfname(r, 0), "what") == 0;
}

static json_t *
json_row(const PGresult *r, int i)
{
	json_t *o = json_object();
	int k;

	for (k = 0; k < PQnfields(r) && o != NULL; k++)
		if (json_object_set_new(o, PQfname(r, k),
		    json_string(PQgetvalue(r, i, k))) != 0) {
			json_decref(o);
			o = NULL;
		}
	return o;
}

static json_t *
json_pairs(const PGresult *r)
{
	json_t *o = json_object();
	char name[64], *p;
	int i;

	for (i = 0; i < PQntuples(r) && o != NULL; i++) {
		(void)snprintf(name, sizeof(name), "%s",
		    PQgetvalue(r, i, 0));	/* ours, and short */
		for (p = name; (p = strchr(p, ' ')) != NULL;)
			*p = '_';
		if (json_object_set_new(o, name,
		    json_string(PQgetvalue(r, i, 1))) != 0) {
			json_decref(o);
			o = NULL;
		}
	}
	return o;
}

static int
put_json(const PGresult *r, struct buf *out)
{
	json_t *list = NULL;
	int i;

	if (is_pairs(r))
		return jsons_write(json_pairs(r), out);
	list = json_array();
	for (i = 0; i < PQntuples(r); i++)
		jsons_add(&list, json_row(r, i));
	return jsons_write(list, out);
}

static int
say(const char *dsn, struct buf *order, bool json)
{
	const char *text = buf_text(order);
	PGresult *r = NULL;
	PGconn *c = NULL;
	struct buf out;
	int status = 1;

	buf_init(&out, 0);
	if (text == NULL) {
		status = say_error(ERR_MEMORY);
		goto out;
	}
	if ((c = reach(dsn)) == NULL)
		goto out;
	r = PQexec(c, text);
	if (PQresultStatus(r) != PGRES_TUPLES_OK) {
		say_failure(r, c);
		goto out;
	}
	if (json) {
		if (put_json(r, &out) != 0)
			out.failed = true;
	} else if (is_pairs(r)) {
		put_pairs(r, &out);
	} else {
		put_table(r, &out);
	}
	status = out.failed ? say_error(ERR_MEMORY) : say_out(&out);
out:
	PQclear(r);
	PQfinish(c);
	buf_done(&out);
	return status;
}

int
cmd_request(int argc, char **argv)
{
	const char *to = NULL, *span = NULL, *why = NULL, *ticket = NULL;
	const char *words[2];
	bool glass = false, json = false;
	const struct option_slot slots[] = {
		{"--to", &to, NULL}, {"--for", &span, NULL},
		{"--why", &why, NULL}, {"--ticket", &ticket, NULL},
		{"--break-glass", NULL, &glass}, {"--json", NULL, &json},
		{NULL, NULL, NULL},
	};
	struct buf order;
	int r;

	if ((r = options_read(argc, argv, slots, words, 2,
	    request_usage)) != 0)
		return r;
	if (span == NULL || why == NULL) {
		(void)fprintf(stderr, "sworn: %s is missing\n%s", span == NULL ?
		    "--for" : "--why", request_usage);
		return 2;
	}
	buf_init(&order, 0);
	buf_str(&order, glass ? "BREAK GLASS " : "REQUEST ");
	put_quoted(&order, words[1]);
	buf_str(&order, " ON ");
	put_quoted(&order, words[0]);
	buf_str(&order, " FOR ");
	put_quoted(&order, span);
	buf_str(&order, " BECAUSE ");
	put_quoted(&order, why);
	if (ticket != NULL) {
		buf_str(&order, " TICKET ");
		put_quoted(&order, ticket);
	}
	r = say(to, &order, json);
	buf_done(&order);
	return r;
}

static const struct {
	const char *name, *order;
	bool about, why;		/* takes an id; needs a reason */
} verbs[] = {
	{"list", "SHOW APPROVALS", false, false},
	{"rules", "SHOW RULES", false, false},
	{"show", "SHOW APPROVAL ", true, false},
	{"approve", "APPROVE ", true, false},
	{"deny", "DENY ", true, true},
	{"revoke", "REVOKE ", true, false},
	{"review", "REVIEW ", true, true},
};

int
cmd_approval(int argc, char **argv)
{
	const char *to = NULL, *why = NULL, *words[1];
	bool json = false;
	const struct option_slot slots[] = {
		{"--to", &to, NULL}, {"--why", &why, NULL},
		{"--json", NULL, &json}, {NULL, NULL, NULL},
	};
	size_t i, n = sizeof(verbs) / sizeof(*verbs);
	struct buf order;
	int r;

	if (argc > 1 && strcmp(argv[1], "history") == 0)
		return approval_history(argc - 1, argv + 1);
	for (i = 0; argc > 1 && i < n; i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			break;
	if (argc < 2 || i == n) {
		(void)fputs(usage, stderr);
		return 2;
	}
	if ((r = options_read(argc - 1, argv + 1, slots, words,
	    verbs[i].about, usage)) != 0)
		return r;
	if ((why == NULL && verbs[i].why) ||
	    (why != NULL && strcmp(verbs[i].name, "show") == 0) ||
	    (why != NULL && !verbs[i].about)) {
		(void)fprintf(stderr, "sworn: %s %s\n%s", verbs[i].name,
		    why == NULL ? "needs --why" : "has no --why", usage);
		return 2;
	}
	buf_init(&order, 0);
	buf_str(&order, verbs[i].order);
	if (verbs[i].about)
		put_quoted(&order, words[0]);
	if (why != NULL) {
		buf_str(&order, " BECAUSE ");
		put_quoted(&order, why);
	}
	r = say(to, &order, json);
	buf_done(&order);
	return r;
}

/*
 * The session reads SQL as src/enforce writes it, whatever the server's or
 * the role's defaults are, and keeps what it sends out of the server's log:
 * a password's verifier is not the password, but still nobody's to read.
 */
#include "cli/db.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

#define VERSION_MIN 150000

static const char settings[] =
    "SET standard_conforming_strings = on;"
    "SET client_encoding = 'UTF8';"
    "SET search_path = pg_catalog;"
    "SET client_min_messages = warning;"
    "SET default_transaction_read_only = off;"
    "SET row_security = on;"
    "SET log_statement = 'none';"
    "SET log_min_duration_statement = -1;"
    "SET log_min_error_statement = 'panic';"
    "SET password_encryption = 'scram-sha-256'";

static int
said(const char *what, const char *message)
{
	size_t len = strlen(message);

	(void)fprintf(stderr, "sworn: %s: %s%s", what, message,
	    len > 0 && message[len - 1] == '\n' ? "" : "\n");
	return ERR_IO;
}

static int
check(PGconn *c, const char *what, PGresult *r)
{
	switch (PQresultStatus(r)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_EMPTY_QUERY:
		return 0;
	default:
		return said(what, PQerrorMessage(c));
	}
}

int
db_run(PGconn *c, const char *what, const char *sql)
{
	PGresult *r = PQexec(c, sql);
	int code = check(c, what, r);

	PQclear(r);
	return code;
}

int
db_run_buf(PGconn *c, const char *what, struct buf *sql)
{
	const char *text = buf_text(sql);

	return text == NULL ? ERR_MEMORY : db_run(c, what, text);
}

int
db_rows_with(PGconn *c, const char *what, const char *sql, int n,
    const char *const *params, PGresult **ret)
{
	PGresult *r;
	int code;

	r = PQexecParams(c, sql, n, NULL, params, NULL, NULL, 0);
	if ((code = check(c, what, r)) != 0) {
		PQclear(r);
		return code;
	}
	*ret = r;
	return 0;
}

int
db_rows(PGconn *c, const char *what, const char *sql, PGresult **ret)
{
	return db_rows_with(c, what, sql, 0, NULL, ret);
}

int
db_rows_buf(PGconn *c, const char *what, struct buf *sql, PGresult **ret)
{
	const char *text = buf_text(sql);

	return text == NULL ? ERR_MEMORY : db_rows(c, what, text, ret);
}

int
db_open(const char *dsn, PGconn **ret)
{
	const char *superuser;
	PGconn *c;
	int r = ERR_MEMORY;

	if ((c = PQconnectdb(dsn)) == NULL)
		return ERR_MEMORY;
	if (PQstatus(c) != CONNECTION_OK) {
		r = said("cannot reach the store", PQerrorMessage(c));
		goto out;
	}
	if (PQserverVersion(c) < VERSION_MIN) {
		r = said("the store is refused", "PostgreSQL 15 or later is "
		    "needed");
		goto out;
	}
	superuser = PQparameterStatus(c, "is_superuser");
	if (superuser == NULL || strcmp(superuser, "on") != 0) {
		(void)said("the store is refused", "the user of --admin is "
		    "not a superuser there");
		r = ERR_DENIED;
		goto out;
	}
	if ((r = db_run(c, "preparing the session", settings)) != 0)
		goto out;
	*ret = c;
	c = NULL;
out:
	PQfinish(c);
	return r;
}

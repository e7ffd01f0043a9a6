#include "claim/pglog.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/csv.h"
#include "base/err.h"
#include "base/text.h"
#include "claim/csvlog.h"

#define FROM_MAX 320		/* a host's name, and a port */

enum pglog_format {
	PGLOG_UNKNOWN,		/* no byte of the file came yet */
	PGLOG_CSV,
	PGLOG_JSON,
};

struct pglog {
	pglog_line_fn *line;
	void *arg;
	enum pglog_format format;
	struct csv *csv;
	struct buf text;	/* jsonlog: a line without its end */
	unsigned long number;
};

struct pglog *
pglog_new(pglog_line_fn *line, void *arg)
{
	struct pglog *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->line = line;
	p->arg = arg;
	buf_init(&p->text, CSV_ROW_MAX);
	return p;
}

void
pglog_free(struct pglog *p)
{
	if (p == NULL)
		return;
	csv_free(p->csv);
	buf_done(&p->text);
	free(p);
}

unsigned long
pglog_line_number(const struct pglog *p)
{
	return p->format == PGLOG_CSV ? csv_line(p->csv) : p->number;
}

bool
pglog_is_login(const struct pglog_line *l)
{
	return text_starts(l->message, "connection authorized:") ||
	    text_starts(l->message, "replication connection authorized:");
}

static int
read_hex(const char *s, size_t len, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i;
	char c;

	if (len == 0 || len > 8)
		return ERR_FORMAT;
	for (i = 0; i < len; i++) {
		c = s[i];
		if (c >= '0' && c <= '9')
			v = v * 16 + (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v * 16 + (uint64_t)(c - 'a') + 10;
		else
			return ERR_FORMAT;
	}
	*ret = v;
	return 0;
}

/* "691ef0a2.1f3c": seconds since 1970 and process, in hex. */
static int
read_session(const char *text, struct pglog_line *l)
{
	const char *dot = strchr(text, '.');
	uint64_t began, pid;

	if (text[0] == 0)
		return 0;
	if (dot == NULL || read_hex(text, (size_t)(dot - text), &began) != 0 ||
	    read_hex(dot + 1, strlen(dot + 1), &pid) != 0)
		return ERR_FORMAT;
	l->session = began << 32 | pid;
	l->began_ms = (int64_t)began * 1000;
	return 0;
}

static int
read_number(const char *text, uint64_t max, uint64_t *ret)
{
	if (text[0] == 0)
		return 0;
	if (text_u64(text, strlen(text), ret) != 0 || *ret > max)
		return ERR_FORMAT;
	return 0;
}

static int
on_row(void *arg, const char *const *f, size_t n)
{
	struct pglog *p = arg;
	struct pglog_line l = {0};
	uint64_t pid = 0;

	if (n < CSVLOG_FIELDS_MIN ||
	    csvlog_time(f[CSVLOG_TIME], &l.time_ms) != 0 ||
	    read_number(f[CSVLOG_PROCESS], UINT32_MAX, &pid) != 0 ||
	    read_number(f[CSVLOG_LINE], INT64_MAX, &l.number) != 0 ||
	    read_session(f[CSVLOG_SESSION], &l) != 0)
		return ERR_FORMAT;
	l.pid = (uint32_t)pid;
	l.user = f[CSVLOG_USER];
	l.database = f[CSVLOG_DATABASE];
	l.from = f[CSVLOG_FROM];
	l.message = f[CSVLOG_MESSAGE];
	return p->line(p->arg, &l);
}

/* ---- jsonlog ---- */

static const char *
member(const json_t *v, const char *name)
{
	const char *s = json_string_value(json_object_get(v, name));

	return s == NULL ? "" : s;
}

static int
json_number(const json_t *v, const char *name, json_int_t max, uint64_t *ret)
{
	const json_t *m = json_object_get(v, name);
	json_int_t i;

	if (m == NULL)
		return 0;
	if (!json_is_integer(m) || (i = json_integer_value(m)) < 0 || i > max)
		return ERR_FORMAT;
	*ret = (uint64_t)i;
	return 0;
}

static int
json_line(struct pglog *p, const json_t *v)
{
	struct pglog_line l = {0};
	uint64_t pid = 0, port = 0;
	char from[FROM_MAX];
	const char *host;

	if (!json_is_object(v) ||
	    csvlog_time(member(v, "timestamp"), &l.time_ms) != 0 ||
	    json_number(v, "pid", UINT32_MAX, &pid) != 0 ||
	    json_number(v, "line_num", INT64_MAX, &l.number) != 0 ||
	    json_number(v, "remote_port", UINT16_MAX, &port) != 0 ||
	    read_session(member(v, "session_id"), &l) != 0)
		return ERR_FORMAT;
	host = member(v, "remote_host");
	if (port > 0)
		(void)snprintf(from, sizeof(from), "%.256s:%u", host,
		    (unsigned)port);	/* cut is fine */
	l.pid = (uint32_t)pid;
	l.user = member(v, "user");
	l.database = member(v, "dbname");
	l.from = port > 0 ? from : host;
	l.message = member(v, "message");
	return p->line(p->arg, &l);
}

static int
json_text(struct pglog *p, const void *data, size_t len)
{
	json_t *v = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
	int r = v == NULL ? ERR_FORMAT : json_line(p, v);

	json_decref(v);
	return r;
}

static int
json_feed(struct pglog *p, const char *data, size_t len)
{
	const char *end;
	size_t n;
	int r;

	while (len > 0) {
		end = memchr(data, '\n', len);
		n = end == NULL ? len : (size_t)(end - data);
		buf_bytes(&p->text, data, n);
		if (p->text.failed)
			return p->text.len + n > CSV_ROW_MAX ? ERR_LIMIT :
			    ERR_MEMORY;
		if (end == NULL)
			return 0;
		if (p->text.len > 0 && (r = json_text(p, p->text.data,
		    p->text.len)) != 0)
			return r;
		buf_reset(&p->text);
		p->number++;
		data += n + 1;
		len -= n + 1;
	}
	return 0;
}

/* ---- both ---- */

int
pglog_feed(struct pglog *p, const void *data, size_t len)
{
	if (len == 0)
		return 0;
	if (p->format == PGLOG_UNKNOWN) {
		csv_free(p->csv);
		if ((p->csv = csv_new(on_row, p)) == NULL)
			return ERR_MEMORY;
		buf_reset(&p->text);
		p->number = 1;
		p->format = *(const char *)data == '{' ? PGLOG_JSON :
		    PGLOG_CSV;
	}
	return p->format == PGLOG_CSV ? csv_feed(p->csv, data, len) :
	    json_feed(p, data, len);
}

int
pglog_end(struct pglog *p)
{
	int r = 0;

	if (p->format == PGLOG_CSV)
		r = csv_end(p->csv);
	else if (p->format == PGLOG_JSON && p->text.len > 0)
		r = ERR_SHORT;
	if (r == 0)
		p->format = PGLOG_UNKNOWN;
	return r;
}

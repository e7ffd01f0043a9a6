/*
 * A state machine over bytes: in a bare field, in a quoted one, or behind a
 * quote that ends a field or is the first half of a doubled one.
 */
#include "claim/csvlog.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"

enum csv_state {
	CSV_START,		/* of a field */
	CSV_BARE,
	CSV_QUOTED,
	CSV_QUOTE,		/* a quote within a quoted field */
};

struct csvlog {
	csvlog_row_fn *row;
	void *arg;
	enum csv_state state;
	struct buf text;	/* the row's fields, each with its NUL */
	size_t starts[CSVLOG_FIELDS_MAX];
	size_t n;
	bool return_seen;	/* CR: a line feed must be next */
	unsigned long line;
};

struct csvlog *
csvlog_new(csvlog_row_fn *row, void *arg)
{
	struct csvlog *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->row = row;
	c->arg = arg;
	c->line = 1;
	buf_init(&c->text, CSVLOG_ROW_MAX);
	return c;
}

void
csvlog_free(struct csvlog *c)
{
	if (c == NULL)
		return;
	buf_done(&c->text);
	free(c);
}

unsigned long
csvlog_line(const struct csvlog *c)
{
	return c->line;
}

static int
field_start(struct csvlog *c)
{
	if (c->n == CSVLOG_FIELDS_MAX)
		return ERR_LIMIT;
	c->starts[c->n++] = c->text.len;
	return 0;
}

static int
row_end(struct csvlog *c)
{
	const char *fields[CSVLOG_FIELDS_MAX];
	size_t i, n = c->n;
	int r;

	buf_u8(&c->text, 0);
	if (c->text.failed)
		return ERR_LIMIT;
	for (i = 0; i < n; i++)
		fields[i] = (const char *)c->text.data + c->starts[i];
	r = c->row(c->arg, fields, n);
	buf_reset(&c->text);
	c->n = 0;
	c->state = CSV_START;
	return r;
}

/* A byte outside quotes that ends a field, or CSV's own line end. */
static int
delimiter(struct csvlog *c, char b)
{
	int r;

	if (b == ',') {
		if (c->n == 0 && (r = field_start(c)) != 0)
			return r;
		buf_u8(&c->text, 0);
		c->state = CSV_START;
		return field_start(c);
	}
	if (c->n == 0 && c->text.len == 0)
		return 0;		/* an empty line */
	return row_end(c);
}

static int
step(struct csvlog *c, char b)
{
	int r;

	if (b == 0)
		return ERR_FORMAT;
	if (c->state != CSV_QUOTED) {
		if (c->return_seen && b != '\n')
			return ERR_FORMAT;
		c->return_seen = b == '\r';
		if (b == '\r')
			return 0;
		if (b == ',' || b == '\n')
			return delimiter(c, b);
	}
	switch (c->state) {
	case CSV_START:
		if (c->n == 0 && (r = field_start(c)) != 0)
			return r;
		c->state = b == '"' ? CSV_QUOTED : CSV_BARE;
		if (b != '"')
			buf_u8(&c->text, (uint8_t)b);
		break;
	case CSV_BARE:
		if (b == '"')
			return ERR_FORMAT;
		buf_u8(&c->text, (uint8_t)b);
		break;
	case CSV_QUOTED:
		if (b == '"')
			c->state = CSV_QUOTE;
		else
			buf_u8(&c->text, (uint8_t)b);
		break;
	case CSV_QUOTE:
		if (b != '"')
			return ERR_FORMAT;
		buf_u8(&c->text, '"');
		c->state = CSV_QUOTED;
		break;
	}
	return c->text.failed ? ERR_LIMIT : 0;
}

int
csvlog_feed(struct csvlog *c, const void *data, size_t len)
{
	const char *p = data;
	size_t i;
	int r;

	for (i = 0; i < len; i++) {
		if ((r = step(c, p[i])) != 0)
			return r;
		if (p[i] == '\n')
			c->line++;
	}
	return 0;
}

/* A row without its line end may have been cut: it is not handed out. */
int
csvlog_end(struct csvlog *c)
{
	return c->n == 0 && !c->return_seen ? 0 : ERR_SHORT;
}

int
csvlog_time(const char *text, int64_t *ret)
{
	char iso[TIME_TEXT_MAX];
	const char *zone;
	size_t len;

	if (strlen(text) < 20 || text[10] != ' ' ||
	    (zone = strchr(text + 11, ' ')) == NULL)
		return ERR_FORMAT;
	if (strcmp(zone, " UTC") != 0 && strcmp(zone, " GMT") != 0)
		return ERR_FORMAT;
	len = (size_t)(zone - text);
	if (len + 2 > sizeof(iso))
		return ERR_FORMAT;
	memcpy(iso, text, len);
	iso[10] = 'T';
	iso[len] = 'Z';
	return time_parse(iso, len + 1, ret);
}

/*
 * A state machine over bytes: in a bare field, in a quoted one, or behind a
 * quote that ends a field or is the first half of a doubled one.
 */
#include "base/csv.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

enum csv_state {
	CSV_START,		/* of a field */
	CSV_BARE,
	CSV_QUOTED,
	CSV_QUOTE,		/* a quote within a quoted field */
};

struct csv {
	csv_row_fn *row;
	void *arg;
	enum csv_state state;
	struct buf text;	/* the row's fields, each with its NUL */
	size_t starts[CSV_FIELDS_MAX];
	size_t n;
	bool return_seen;	/* CR: a line feed must be next */
	unsigned long line, row_line;
};

struct csv *
csv_new(csv_row_fn *row, void *arg)
{
	struct csv *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->row = row;
	c->arg = arg;
	c->line = 1;
	buf_init(&c->text, CSV_ROW_MAX);
	return c;
}

void
csv_free(struct csv *c)
{
	if (c == NULL)
		return;
	buf_done(&c->text);
	free(c);
}

unsigned long
csv_line(const struct csv *c)
{
	return c->line;
}

unsigned long
csv_row_line(const struct csv *c)
{
	return c->row_line;
}

static int
field_start(struct csv *c)
{
	if (c->n == CSV_FIELDS_MAX)
		return ERR_LIMIT;
	if (c->n == 0)
		c->row_line = c->line;
	c->starts[c->n++] = c->text.len;
	return 0;
}

static int
row_end(struct csv *c)
{
	const char *fields[CSV_FIELDS_MAX];
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
delimiter(struct csv *c, char b)
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
step(struct csv *c, char b)
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
csv_feed(struct csv *c, const void *data, size_t len)
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
csv_end(struct csv *c)
{
	return c->n == 0 && !c->return_seen ? 0 : ERR_SHORT;
}

int
csv_end_open(struct csv *c)
{
	if (c->state == CSV_QUOTED)
		return ERR_SHORT;
	if (c->return_seen || c->n == 0)
		return csv_end(c);
	return row_end(c);
}

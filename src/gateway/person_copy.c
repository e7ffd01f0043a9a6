/*
 * COPY (SELECT ...) TO STDOUT of an exact run: each CopyData of the store is
 * one line, whose first field is the tags.
 *
 *	X:3f1c,X:88ab<tab>7<tab>ann<newline>
 *	"X:3f1c,X:88ab",7,ann<newline>
 *
 * They are letters, digits, colons and commas, so text has nothing to escape
 * in them, and CSV puts quotes around them and none within. Where the field
 * ends is known when it is there; then the line's length is, too.
 *
 * Of one column, CSV quotes the value "\." (alone in a line it would end the
 * data). The store does not see that it stands alone, so that is done here.
 */
#include "gateway/person.h"

#include <string.h>

#include "base/err.h"
#include "gateway/judge.h"
#include "gateway/run.h"
#include "lineage/rewrite.h"
#include "wire/frame.h"
#include "wire/strip.h"

enum copying {
	COPYING_NONE = 0,
	COPYING_FIRST,		/* its first byte comes now */
	COPYING_PLAIN,
	COPYING_QUOTED,
	COPYING_BEHIND,		/* the closing quote */
	COPYING_ALONE,		/* a value of CSV that may be "\." */
};

#define ALONE "\\.\n"
#define ALONE_LEN (sizeof(ALONE) - 1)
#define ALONE_QUOTED "\"\\.\"\n"

bool
copy_strips(const struct run *r)
{
	return r != NULL && r->exact &&
	    r->meaning->judgement->exact->copy != REWRITE_ROWS;
}

int
copy_response(struct session *s, struct run *r, uint32_t body_len)
{
	struct flow *in = &s->link->in;
	struct buf out;
	int e;

	buf_init(&out, 0);
	e = strip_copy(bytes_of(flow_data(in) + FRAME_HEAD, body_len),
	    &s->person->hold.copy_columns, &out);
	if (e == 0 && !r->bounded)
		exact_hold(s, r, out.data, out.len);
	else if (e == 0)
		flow_add(&s->down, out.data, out.len);
	flow_drop(in, FRAME_HEAD + body_len);
	buf_done(&out);
	return e;
}

void
copy_begin(struct session *s, struct run *r, uint32_t body_len)
{
	struct hold *h = &s->person->hold;

	flow_drop(&s->link->in, FRAME_HEAD);
	h->holding = !r->bounded;
	if (h->holding)
		exact_hold(s, r, "", 0);	/* it is this run's now */
	h->copying = COPYING_FIRST;
	h->copy_left = body_len;
	s->person->torn = false;
}

static void
put_head(struct session *s, size_t line_len)
{
	uint32_t len = (uint32_t)line_len + 4;
	uint8_t head[FRAME_HEAD] = {'d', (uint8_t)(len >> 24),
	    (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};

	exact_put(s, head, sizeof(head));
}

/* The rest of the line goes on as a message of its own. */
static void
rest(struct session *s)
{
	struct hold *h = &s->person->hold;

	h->copying = COPYING_NONE;
	put_head(s, h->copy_left);
	s->person->down_left = h->copy_left;
}

static void
field_ended(struct session *s, bool csv)
{
	struct hold *h = &s->person->hold;

	if (h->holding)
		tags_end(&h->run->tags);
	if (csv && h->copy_columns == 1 && h->copy_left == ALONE_LEN)
		h->copying = COPYING_ALONE;
	else
		rest(s);
}

/* All of the line is awaited, which is three bytes. */
static int
alone(struct session *s, struct run *r)
{
	struct flow *in = &s->link->in;

	if (flow_len(in) < ALONE_LEN)
		return ERR_SHORT;
	if (memcmp(flow_data(in), ALONE, ALONE_LEN) != 0) {
		rest(s);
		return 0;
	}
	flow_drop(in, ALONE_LEN);
	s->person->hold.copying = COPYING_NONE;
	put_head(s, sizeof(ALONE_QUOTED) - 1);
	exact_put(s, ALONE_QUOTED, sizeof(ALONE_QUOTED) - 1);
	r->bytes += sizeof(ALONE_QUOTED) - 1 - ALONE_LEN;
	return 0;
}

/* One byte of the field: true, it was its end. */
static bool
take(struct hold *h, char c, bool csv, int *e)
{
	if (h->copying == COPYING_FIRST) {
		h->copying = csv && c == '"' ? COPYING_QUOTED : COPYING_PLAIN;
		if (h->copying == COPYING_QUOTED)
			return false;
	}
	if (h->copying == COPYING_BEHIND || h->copying == COPYING_PLAIN) {
		if (c == (csv ? ',' : '\t'))
			return true;
		if (h->copying == COPYING_BEHIND)
			*e = ERR_FORMAT;
	} else if (c == '"') {
		h->copying = COPYING_BEHIND;
		return false;
	}
	if (h->holding)
		tags_feed(&h->run->tags, &c, 1);
	return false;
}

int
copy_tags(struct session *s)
{
	const struct request *q = request_head(s);
	struct hold *h = &s->person->hold;
	struct flow *in = &s->link->in;
	size_t n = flow_len(in), i;
	bool csv, ended = false;
	int e = 0;

	if (q == NULL || !copy_strips(q->run))
		return ERR_FORMAT;
	if (h->copying == COPYING_ALONE)
		return alone(s, q->run);
	csv = q->run->meaning->judgement->exact->copy == REWRITE_CSV;
	if (n > h->copy_left)
		n = h->copy_left;
	if (n > exact_piece(s))
		n = exact_piece(s);
	for (i = 0; i < n && !ended && e == 0; i++)
		ended = take(h, (char)flow_data(in)[i], csv, &e);
	flow_drop(in, i);
	h->copy_left -= i;
	if (q->run->bytes >= i)
		q->run->bytes -= i;
	if (ended)
		field_ended(s, csv);
	else if (h->copy_left == 0)
		e = ERR_FORMAT;
	return e;
}

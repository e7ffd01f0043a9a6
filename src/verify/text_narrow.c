/*
 * The narrowness report as text: what the sentence does not cover, and how
 * much of it happened.
 */
#include "base/buf.h"
#include "claim/narrow.h"
#include "verify/outcome.h"
#include "verify/say.h"

#define LINES_SHOWN 20			/* of each reason */

static const char *
heading(enum narrow_why w)
{
	switch (w) {
	case NARROW_INSIDE:
		return "INSIDE the claim's words (they refute it)";
	case NARROW_MAYBE:
		return "PERHAPS INSIDE: the record does not settle it";
	case NARROW_READER:
		return "OUTSIDE, since such readers are not meant";
	case NARROW_DATA:
		return "OUTSIDE, since such data is not meant";
	case NARROW_BOTH:
		return "OUTSIDE, since neither reader nor data is meant";
	case NARROW_STORE:
		return "OUTSIDE, since the store is not named";
	}
	return "";
}

static void
text_line(struct buf *out, const struct narrow_line *l)
{
	buf_str(out, "  ");
	say_str(out, l->principal);
	buf_str(out, ", a ");
	say_str(out, l->kind);
	buf_str(out, ", at store ");
	say_str(out, l->store);
	buf_str(out, ": ");
	if (l->statements > 0) {
		say_count(out, l->statements, "statement", "statements");
		buf_str(out, " in ");
	}
	say_count(out, l->sessions, "session", "sessions");
	buf_str(out, ", ");
	say_count(out, l->rows, "row", "rows");
	buf_str(out, ", ");
	say_count(out, l->bytes, "byte", "bytes");
	buf_str(out, "\n");
	if (l->detail[0] != 0)
		say_wrap(out, "    ", 4, l->detail);
}

static void
text_why(struct buf *out, const struct narrow_result *r, enum narrow_why w,
    bool all)
{
	uint64_t left = 0;
	size_t i, n = 0;

	if (r->disclosures[w] == 0)
		return;
	buf_fmt(out, "\n%s:\n", heading(w));
	for (i = 0; i < r->n; i++) {
		if (r->lines[i]->why != w)
			continue;
		if (all || n++ < LINES_SHOWN)
			text_line(out, r->lines[i]);
		else
			left++;
	}
	if (left > 0) {
		buf_str(out, "  and ");
		say_count(out, left, "line", "lines");
		buf_str(out, " more (--all shows them)\n");
	}
}

void
outcome_text_narrow(struct buf *out, const struct outcome *o, bool all)
{
	const struct narrow_result *r = o->narrow;
	uint64_t sum = 0;
	int w;

	for (w = NARROW_INSIDE; w <= NARROW_STORE; w++)
		sum += r->disclosures[w];
	buf_str(out, "HOW NARROW IT IS. In the period the logs have ");
	say_count(out, sum, "disclosure", "disclosures");
	buf_str(out, ":\n  ");
	say_number(out, r->disclosures[NARROW_INSIDE]);
	buf_str(out, " inside the claim's words, ");
	say_number(out, r->disclosures[NARROW_MAYBE]);
	buf_str(out, " perhaps, and ");
	say_number(out, sum - r->disclosures[NARROW_INSIDE] -
	    r->disclosures[NARROW_MAYBE]);
	buf_str(out, " outside.\n  This is no verdict.\n");
	for (w = NARROW_INSIDE; w <= NARROW_STORE; w++)
		text_why(out, r, (enum narrow_why)w, all);
	if (r->more > 0) {
		buf_str(out, "\nAnd ");
		say_count(out, r->more, "disclosure", "disclosures");
		buf_str(out, " in lines that were not kept.\n");
	}
}

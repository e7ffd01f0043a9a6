/*
 * Two drawings. The timeline: a lane per reader, time from left to right, a
 * dot where something was disclosed, a ring where that is undecided, hatched
 * where nothing was recorded. The arcs: from where people are at home to the
 * country behind who read, as wide as they are many. No country has a place
 * in the code, so it is a diagram and no map.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/time.h"
#include "claim/claim.h"
#include "claim/verdict.h"
#include "verify/html.h"
#include "verify/outcome.h"
#include "verify/say.h"

#define WIDTH 960
#define LABELS 190		/* to the left of the lanes */
#define RIGHT 20
#define LANE 30
#define TOP 14
#define BINS 150		/* dots of one lane that may stand side by side */
#define LANES_MAX 12
#define TICKS 5
#define NODES_MAX 12
#define SEEN_MAX (NODES_MAX * NODES_MAX * OPTIONS_MAX)

/* -- the timeline ------------------------------------------------------- */

struct bins {
	uint32_t n[LANES_MAX + 2][BINS];
	size_t lanes;
	bool others, undecided;		/* have a lane at the end */
};

static size_t
bin_of(const struct claim *c, int64_t ms)
{
	double share = (double)(ms - c->from_ms) /
	    (double)(c->to_ms - c->from_ms);

	if (share < 0)
		return 0;
	return share >= 1 ? BINS - 1 : (size_t)(share * BINS);
}

static double
x_of(const struct claim *c, int64_t ms)
{
	double share = (double)(ms - c->from_ms) /
	    (double)(c->to_ms - c->from_ms);

	share = share < 0 ? 0 : share > 1 ? 1 : share;
	return LABELS + share * (WIDTH - LABELS - RIGHT);
}

static void
count(struct bins *b, const struct outcome *o, const struct html_readers *r)
{
	const struct verdict_result *v = o->verdict;
	size_t i, lane;

	memset(b, 0, sizeof(*b));
	b->lanes = r->n < LANES_MAX ? r->n : LANES_MAX;
	for (i = 0; i < v->n_evidence; i++) {
		lane = html_reader_find(r, &v->evidence[i]);
		if (lane >= b->lanes) {
			lane = LANES_MAX;
			b->others = true;
		}
		b->n[lane][bin_of(o->claim, v->evidence[i].time_ms)]++;
	}
	for (i = 0; i < v->n_doubts; i++) {
		if (!v->doubts[i].has_time)
			continue;
		b->undecided = true;
		b->n[LANES_MAX + 1][bin_of(o->claim,
		    v->doubts[i].time_ms)]++;
	}
}

static void
lane(struct buf *out, const uint32_t *n, double y, bool maybe)
{
	double x, step = (double)(WIDTH - LABELS - RIGHT) / BINS;
	size_t i;

	buf_fmt(out, "<line class=\"lane\" x1=\"%d\" y1=\"%.0f\" x2=\"%d\" "
	    "y2=\"%.0f\"/>\n", LABELS, y, WIDTH - RIGHT, y);
	for (i = 0; i < BINS; i++) {
		if (n[i] == 0)
			continue;
		x = LABELS + ((double)i + 0.5) * step;
		buf_fmt(out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.0f\" "
		    "r=\"%.1f\"><title>%" PRIu32 "</title></circle>\n",
		    maybe ? "maybe" : "mark", x, y,
		    4 + fmin(7, 1.2 * log2((double)n[i])), n[i]);
	}
}

static void
lane_name(struct buf *out, double y)
{
	buf_fmt(out, "<text x=\"%d\" y=\"%.0f\" text-anchor=\"end\">",
	    LABELS - 14, y + 4);
}

/* At most `max` characters, since lines do not break in a drawing. */
static void
cut_name(struct buf *out, const char *s, size_t max)
{
	struct buf b;
	const char *p;
	size_t n = 0, i;

	buf_init(&b, 0);
	buf_str(&b, s);
	if ((p = buf_text(&b)) == NULL) {
		out->failed = true;
		return;
	}
	for (i = 0; p[i] != 0; i++) {
		if (((unsigned char)p[i] & 0xc0) != 0x80 && n++ == max) {
			b.data[i] = 0;
			break;
		}
	}
	html_str(out, (const char *)b.data);
	if (n > max)
		buf_str(out, "\xe2\x80\xa6");
	buf_done(&b);
}

static void
lanes(struct buf *out, const struct bins *b, const struct html_readers *r)
{
	const struct verdict_evidence *e;
	double y = TOP + LANE / 2.0;
	size_t i;

	for (i = 0; i < b->lanes; i++, y += LANE) {
		e = r->list[i].first;
		lane_name(out, y);
		cut_name(out, e->name != NULL ? e->name : e->principal, 22);
		buf_str(out, "</text>\n");
		lane(out, b->n[i], y, false);
	}
	if (b->others) {
		lane_name(out, y);
		buf_str(out, "other readers</text>\n");
		lane(out, b->n[LANES_MAX], y, false);
		y += LANE;
	}
	if (b->undecided) {
		lane_name(out, y);
		buf_str(out, "undecided</text>\n");
		lane(out, b->n[LANES_MAX + 1], y, true);
	}
}

static void
gaps(struct buf *out, const struct outcome *o, double height)
{
	const struct verdict_result *v = o->verdict;
	double from, to;
	size_t i;

	for (i = 0; i < v->n_gaps; i++) {
		from = x_of(o->claim, v->gaps[i].from_ms);
		to = x_of(o->claim, v->gaps[i].to_ms);
		buf_fmt(out, "<rect class=\"gap\" x=\"%.1f\" y=\"%d\" "
		    "width=\"%.1f\" height=\"%.0f\"><title>", from, TOP,
		    fmax(to - from, 2), height - TOP);
		html_str(out, v->gaps[i].what);
		buf_str(out, ", ");
		html_str(out, v->gaps[i].gateway);
		buf_str(out, "</title></rect>\n");
	}
}

static void
axis(struct buf *out, const struct claim *c, double y)
{
	int64_t length = c->to_ms - c->from_ms, at;
	char text[TIME_TEXT_MAX];
	double x;
	int i;

	buf_fmt(out, "<line class=\"axis\" x1=\"%d\" y1=\"%.0f\" x2=\"%d\" "
	    "y2=\"%.0f\"/>\n", LABELS, y, WIDTH - RIGHT, y);
	for (i = 0; i < TICKS; i++) {
		at = c->from_ms + length / (TICKS - 1) * i;
		time_text(at, text);
		x = x_of(c, at);
		buf_fmt(out, "<line class=\"axis\" x1=\"%.1f\" y1=\"%.0f\" "
		    "x2=\"%.1f\" y2=\"%.0f\"/>\n", x, y, x, y + 6);
		/* The day where days differ, else the time of day. */
		buf_fmt(out, "<text class=\"minor\" x=\"%.1f\" y=\"%.0f\" "
		    "text-anchor=\"%s\">%.*s</text>\n", x, y + 22,
		    i == 0 ? "start" : i == TICKS - 1 ? "end" : "middle",
		    length > (int64_t)3 * 86400000 ? 10 : 8,
		    length > (int64_t)3 * 86400000 ? text : text + 11);
	}
}

static void
timeline_words(struct buf *out, const struct outcome *o)
{
	const struct verdict_result *v = o->verdict;
	size_t undecided = 0, i;

	for (i = 0; i < v->n_doubts; i++)
		undecided += v->doubts[i].has_time;
	say_count(out, v->n_evidence + v->more_evidence, "disclosure",
	    "disclosures");
	buf_str(out, " that meet the claim\xe2\x80\x99s words (dots), ");
	say_number(out, undecided);
	buf_str(out, " undecided (rings), and ");
	say_count(out, v->n_gaps, "time", "times");
	buf_str(out, " without records (hatched), from ");
	say_time(out, o->claim->from_ms);
	buf_str(out, " to ");
	say_time(out, o->claim->to_ms);
}

/* What is too wide for a telephone moves in a frame of its own. */
static void
frame(struct buf *out, const char *words)
{
	buf_fmt(out, "<div class=\"scroll\" tabindex=\"0\" "
	    "role=\"region\" aria-labelledby=\"%s\">\n", words);
}

void
html_timeline(struct buf *out, const struct outcome *o,
    const struct html_readers *r)
{
	struct bins b;
	double height;

	count(&b, o, r);
	height = TOP + LANE * (double)(b.lanes + b.others + b.undecided);
	if (b.lanes == 0 && !b.undecided)
		height += LANE;
	buf_str(out, "<figure>\n");
	frame(out, "timeline-words");
	buf_fmt(out, "<svg viewBox=\"0 0 %d %.0f\" role=\"img\" "
	    "aria-labelledby=\"timeline-words\">\n", WIDTH, height + 32);
	buf_str(out, "<defs><pattern id=\"hatch\" width=\"7\" height=\"7\" "
	    "patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
	    "<line class=\"hatch\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"7\"/>"
	    "</pattern></defs>\n");
	gaps(out, o, height);
	lanes(out, &b, r);
	if (b.lanes == 0 && !b.undecided)
		buf_fmt(out, "<text class=\"minor\" x=\"%d\" y=\"%d\">nothing "
		    "that the claim is about</text>\n", LABELS + 10,
		    TOP + LANE / 2 + 4);
	axis(out, o->claim, height);
	buf_str(out, "</svg>\n</div>\n"
	    "<figcaption id=\"timeline-words\">");
	timeline_words(out, o);
	buf_str(out, "</figcaption>\n</figure>\n");
}

/* -- the arcs ----------------------------------------------------------- */

struct nodes {
	const char *label[NODES_MAX];
	size_t n;
	bool more;
};

struct cell {
	uint64_t persons;		/* at most */
	uint64_t disclosures;
	bool counted;
};

/* A store counts once, however often it was read. */
struct arcs {
	struct nodes homes, behind;
	const char *side;		/* what the latter are, in words */
	struct cell cell[NODES_MAX][NODES_MAX];
	struct {
		const char *store;
		size_t from, to;
	} seen[SEEN_MAX];
	size_t n_seen;
};

static size_t
node(struct nodes *l, const char *label)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (strcmp(l->label[i], label) == 0)
			return i;
	if (l->n == NODES_MAX) {
		l->more = true;
		return NODES_MAX;
	}
	l->label[l->n] = label;
	return l->n++;
}

/* Where the reader stands: under whom if the claim asks that, else where
 * its address is. */
static const char *
behind(const struct verdict_evidence *e)
{
	if (e->label != NULL)
		return e->label;
	return e->seen_at.n > 0 ? e->seen_at.s[0] : "unknown";
}

/* Whether the same people were disclosed to the same side before. */
static bool
seen_before(struct arcs *a, const char *store, size_t from, size_t to)
{
	size_t i;

	for (i = 0; i < a->n_seen; i++)
		if (a->seen[i].from == from && a->seen[i].to == to &&
		    strcmp(a->seen[i].store, store) == 0)
			return true;
	if (a->n_seen == SEEN_MAX)
		return true;
	a->seen[a->n_seen].store = store;
	a->seen[a->n_seen].from = from;
	a->seen[a->n_seen++].to = to;
	return false;
}

static void
add_evidence(struct arcs *a, const struct verdict_evidence *e)
{
	size_t to = node(&a->behind, behind(e)), from, i;
	struct cell *c;

	for (i = 0; i < e->residences.n; i++) {
		from = node(&a->homes, e->residences.s[i]);
		if (to == NODES_MAX || from == NODES_MAX)
			continue;
		c = &a->cell[from][to];
		c->disclosures++;
		if (!e->counted || seen_before(a, e->store, from, to))
			continue;
		c->counted = true;
		c->persons += e->counts[i];
	}
}

static double
node_y(const struct nodes *l, size_t i, double height)
{
	return height * ((double)i + 0.5) / (double)l->n;
}

static void
draw_nodes(struct buf *out, const struct nodes *l, double x, double height)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		buf_fmt(out, "<circle class=\"node\" cx=\"%.0f\" cy=\"%.1f\" "
		    "r=\"26\"/>\n<text class=\"strong\" x=\"%.0f\" y=\"%.1f\" "
		    "text-anchor=\"middle\">", x, node_y(l, i, height), x,
		    node_y(l, i, height) + 6);
		cut_name(out, l->label[i], 4);
		buf_str(out, "</text>\n");
	}
}

static void
draw_arc(struct buf *out, const struct arcs *a, size_t from, size_t to,
    double height, bool label)
{
	const struct cell *c = &a->cell[from][to];
	double y1 = node_y(&a->homes, from, height), t, u, y, width;
	double y2 = node_y(&a->behind, to, height), x;
	double bend = a->homes.n == 1 && a->behind.n == 1 ? -24 : 0;

	if (c->disclosures == 0)
		return;
	width = 1.5 + (c->counted ? 2.2 * log10((double)c->persons + 1) : 0);
	if (!label) {
		buf_fmt(out, "<path class=\"arc\" stroke-width=\"%.1f\" d=\""
		    "M206 %.1f C380 %.1f 580 %.1f 754 %.1f\"/>\n", width,
		    y1, y1 + bend, y2 + bend, y2);
		return;
	}
	/* A point of the curve, towards the side where the arcs part. */
	t = a->homes.n < a->behind.n ? 0.68 : a->homes.n > a->behind.n ?
	    0.32 : 0.5;
	t += 0.2 * ((double)from - (double)(a->homes.n - 1) / 2) /
	    (double)a->homes.n;
	u = 1 - t;
	x = u * u * u * 206 + 3 * u * u * t * 380 + 3 * u * t * t * 580 +
	    t * t * t * 754;
	y = (u * u * u + 3 * u * u * t) * y1 + (3 * u * t * t + t * t * t) *
	    y2 + bend * (3 * u * u * t + 3 * u * t * t);
	buf_fmt(out, "<text class=\"halo\" x=\"%.1f\" y=\"%.1f\" "
	    "text-anchor=\"middle\">", x, y - width / 2 - 7);
	if (c->counted) {
		buf_str(out, "at most ");
		say_count(out, c->persons, "person", "persons");
	} else {
		buf_str(out, "never counted");
	}
	buf_str(out, "</text>\n");
}

static void
draw_arcs(struct buf *out, const struct arcs *a)
{
	size_t most = a->homes.n > a->behind.n ? a->homes.n : a->behind.n;
	double height = 76.0 * (double)most + 16;
	size_t i, j;
	int label;

	frame(out, "arcs-words");
	buf_fmt(out, "<svg viewBox=\"0 -26 %d %.0f\" role=\"img\" "
	    "aria-labelledby=\"arcs-words\">\n<text class=\"minor\" x=\"180\" "
	    "y=\"-10\" text-anchor=\"middle\">at home in</text>\n"
	    "<text class=\"minor\" x=\"780\" y=\"-10\" "
	    "text-anchor=\"middle\">%s</text>\n", WIDTH, height + 26,
	    a->side);
	for (label = 0; label < 2; label++)
		for (i = 0; i < a->homes.n; i++)
			for (j = 0; j < a->behind.n; j++)
				draw_arc(out, a, i, j, height, label == 1);
	draw_nodes(out, &a->homes, 180, height);
	draw_nodes(out, &a->behind, 780, height);
	buf_str(out, "</svg>\n</div>\n");
}

static void
arcs_table(struct buf *out, const struct arcs *a)
{
	const struct cell *c;
	size_t i, j;

	frame(out, "arcs-numbers");
	buf_fmt(out, "<table>\n<caption id=\"arcs-numbers\">"
	    "The same in numbers; a person counts once per store and country on the other side</caption>\n<thead>"
	    "<tr><th scope=\"col\">at home in</th><th scope=\"col\">%s</th>"
	    "<th scope=\"col\" class=\"n\">Persons, at most"
	    "</th><th scope=\"col\" class=\"n\">Disclosures</th></tr></thead>"
	    "\n<tbody>\n", a->side);
	for (i = 0; i < a->homes.n; i++) {
		for (j = 0; j < a->behind.n; j++) {
			c = &a->cell[i][j];
			if (c->disclosures == 0)
				continue;
			buf_str(out, "<tr><td>");
			html_str(out, a->homes.label[i]);
			buf_str(out, "</td><td>");
			html_str(out, a->behind.label[j]);
			buf_str(out, "</td><td class=\"n\">");
			if (c->counted)
				say_number(out, c->persons);
			else
				buf_str(out, "never counted");
			buf_str(out, "</td><td class=\"n\">");
			say_number(out, c->disclosures);
			buf_str(out, "</td></tr>\n");
		}
	}
	buf_str(out, "</tbody>\n</table>\n</div>\n");
}

void
html_arcs(struct buf *out, const struct verdict_result *v)
{
	struct arcs *a = calloc(1, sizeof(*a));
	size_t i;

	if (a == NULL) {
		out->failed = true;
		return;
	}
	a->side = "readers stand under";
	for (i = 0; i < v->n_evidence; i++) {
		if (v->evidence[i].label == NULL)
			a->side = "readers connected from";
		add_evidence(a, &v->evidence[i]);
	}
	if (a->homes.n == 0 || a->behind.n == 0)
		goto out;
	buf_str(out, "<figure>\n");
	draw_arcs(out, a);
	buf_fmt(out, "<figcaption id=\"arcs-words\">From where people are at "
	    "home to the countries that %s; the wider, the more people.",
	    a->side);
	if (a->homes.more || a->behind.more)
		buf_fmt(out, " The first %d of each side are drawn.",
		    NODES_MAX);
	buf_str(out, "</figcaption>\n</figure>\n");
	arcs_table(out, a);
out:
	free(a);
}

/*
 * One screen for a person: first what is certain, then what may be, then what
 * is not said. The newest comes first; long lists end after GROUPS groups.
 */
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/time.h"
#include "seen/ask.h"
#include "seen/index.h"
#include "seen/words.h"

#define GROUPS 20
#define UNKNOWN "unknown"
#define LABEL_WIDTH 16

struct telling {
	struct buf *out;
	const struct seen_told *t;
	enum seen_lang lang;
};

static void
say(const struct telling *k, enum word w, const char *a, const char *b,
    const char *c)
{
	word_say(k->out, k->lang, w, a, b, c);
}

static void
line(const struct telling *k, enum word w, const char *a, const char *b,
    const char *c)
{
	say(k, w, a, b, c);
	buf_u8(k->out, '\n');
}

/* "2026-11-23 17:40" and "2026-11-23", in UTC. */
static const char *
minute(int64_t ms, char ret[static TIME_TEXT_MAX])
{
	time_text(ms, ret);
	ret[10] = ' ';
	ret[16] = 0;
	return ret;
}

static const char *
day(int64_t ms, char ret[static TIME_TEXT_MAX])
{
	time_text(ms, ret);
	ret[10] = 0;
	return ret;
}

#define NUMBER_MAX 24

static const char *
number(uint64_t n, char ret[static NUMBER_MAX])
{
	struct buf b;

	buf_init(&b, NUMBER_MAX);
	buf_fmt(&b, "%llu", (unsigned long long)n);
	memcpy(ret, b.data == NULL ? (const uint8_t *)"" : b.data, b.len);
	ret[b.len] = 0;
	buf_done(&b);
	return ret;
}

/* What a log says may try to forge a line: controls come out as spaces. */
static void
safe(struct buf *out, const char *s)
{
	for (; *s != 0; s++)
		buf_u8(out, (unsigned char)*s < 0x20 || *s == 0x7f ? ' ' :
		    (uint8_t)*s);
}

static void
names(struct buf *out, const struct record_strs *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (i > 0)
			buf_str(out, ", ");
		safe(out, l->s[i]);
	}
}

/* A text of its own from names; the caller ends it. */
static const char *
names_text(struct buf *b, const struct record_strs *l)
{
	buf_init(b, 0);
	names(b, l);
	return buf_text(b) == NULL ? "" : (const char *)b->data;
}

static void
label(const struct telling *k, enum word w)
{
	const char *s = word_text(k->lang, w), *p;
	size_t width = 0;

	buf_str(k->out, "     ");
	buf_str(k->out, s);
	buf_u8(k->out, ':');
	for (p = s; *p != 0; p++)
		width += ((unsigned char)*p & 0xc0) != 0x80;
	for (; width < LABEL_WIDTH; width++)
		buf_u8(k->out, ' ');
}

static void
list_line(const struct telling *k, enum word w, const struct record_strs *l)
{
	if (l->n == 0)
		return;
	label(k, w);
	names(k->out, l);
	buf_u8(k->out, '\n');
}

static void
when(const struct telling *k, const struct seen_group *g, bool exact)
{
	char n[NUMBER_MAX], a[TIME_TEXT_MAX], b[TIME_TEXT_MAX];
	struct buf times;
	const char *first, *last, *often = "";

	buf_init(&times, 0);
	if (g->n == 1)
		word_say(&times, k->lang, WORD_ONCE, NULL, NULL, NULL);
	else
		word_say(&times, k->lang, WORD_TIMES, number(g->n, n), NULL,
		    NULL);
	if (buf_text(&times) != NULL)
		often = (const char *)times.data;
	first = exact ? minute(g->first_ms, a) : day(g->first_ms, a);
	last = exact ? minute(g->last_ms, b) : day(g->last_ms, b);
	buf_str(k->out, "\n   ");
	if (exact && strncmp(first, last, 10) == 0 && strcmp(first, last) != 0)
		last += 11;		/* the same day: the time is enough */
	if (strcmp(first, last) == 0)
		say(k, WORD_ON, first, often, NULL);
	else
		say(k, WORD_SPAN, first, last, often);
	if (g->going_on)
		say(k, WORD_GOING_ON, NULL, NULL, NULL);
	buf_u8(k->out, '\n');
	buf_done(&times);
}

static bool
same(const struct record_strs *a, const struct record_strs *b)
{
	size_t i, j;

	for (i = 0; i < a->n; i++) {
		for (j = 0; j < b->n; j++)
			if (strcmp(a->s[i], b->s[j]) == 0)
				break;
		if (j == b->n)
			return false;
	}
	return true;
}

static void
who(const struct telling *k, const struct seen_group *g)
{
	const char *kind = word_text(k->lang, strcmp(g->kind, "person") == 0 ?
	    WORD_PERSON : WORD_SERVICE);
	struct buf b;

	label(k, WORD_WHO);
	if (g->at.n == 0 || (g->at.n == 1 && strcmp(g->at.s[0], UNKNOWN) == 0))
		say(k, WORD_AT_UNKNOWN, kind, NULL, NULL);
	else {
		say(k, WORD_AT, kind, names_text(&b, &g->at), NULL);
		buf_done(&b);
	}
	if (!same(&g->behind, &g->at)) {
		say(k, WORD_BEHIND, names_text(&b, &g->behind), NULL, NULL);
		buf_done(&b);
	}
	if (g->principal[0] != 0) {
		const struct record_strs one = {&g->principal, 1};

		say(k, WORD_NAMED, names_text(&b, &one), NULL, NULL);
		buf_done(&b);
	}
	buf_u8(k->out, '\n');
}

static void
why(const struct telling *k, const struct seen_group *g)
{
	const char *none = word_text(k->lang, WORD_NO_PURPOSE);
	const struct record_strs purpose = {g->purpose[0] != 0 ? &g->purpose :
	    &none, 1}, ticket = {&g->ticket, 1};
	struct buf b, c;

	label(k, WORD_PURPOSE);
	if (g->ticket[0] != 0) {
		say(k, WORD_TICKET, names_text(&b, &purpose),
		    names_text(&c, &ticket), NULL);
		buf_done(&b);
		buf_done(&c);
	} else {
		names(k->out, &purpose);
	}
	buf_u8(k->out, '\n');
}

static void
note(const struct telling *k, enum word w)
{
	buf_str(k->out, "     ");
	line(k, w, NULL, NULL, NULL);
}

static void
group(const struct telling *k, const struct seen_group *g, bool exact)
{
	const struct record_strs reason = {&g->why, 1};

	when(k, g, exact);
	who(k, g);
	why(k, g);
	list_line(k, WORD_PLAIN, &g->plain);
	list_line(k, WORD_MASKED, &g->masked);
	if (g->plain.n + g->masked.n == 0) {
		label(k, WORD_PLAIN);
		line(k, WORD_ROWS_ONLY, NULL, NULL, NULL);
	}
	list_line(k, WORD_TABLES, &g->tables);
	list_line(k, WORD_RULES, &g->rules);
	if (g->why[0] != 0)
		list_line(k, WORD_REASON, &reason);
	if (strcmp(g->mode, "observe") == 0)
		note(k, WORD_OBSERVED);
	if (!exact && g->residence[0] == 0)
		note(k, WORD_ANYBODY);
	if (!exact && strcmp(g->residence, UNKNOWN) == 0)
		note(k, WORD_UNKNOWN_HOME);
	if (k->t->question->full) {
		label(k, WORD_ENTRIES);
		buf_fmt(k->out, g->first_seq == g->last_seq ? "%llu\n" :
		    "%llu - %llu\n", (unsigned long long)g->first_seq,
		    (unsigned long long)g->last_seq);
	}
}

static void
groups(const struct telling *k, const struct seen_group *list, size_t n,
    bool exact)
{
	char more[NUMBER_MAX], reads[NUMBER_MAX];
	uint64_t rest = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (i < GROUPS || k->t->all)
			group(k, &list[i], exact);
		else
			rest += list[i].n;
	}
	if (i <= GROUPS || k->t->all)
		return;
	buf_str(k->out, "\n   ");
	line(k, WORD_MORE, number(n - GROUPS, more), number(rest, reads),
	    NULL);
}

/* ---- the parts ---- */

static void
head(const struct telling *k)
{
	const struct seen_question *q = k->t->question;
	const struct seen_answer *a = k->t->answer;
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX], n[NUMBER_MAX];
	const struct record_strs subject = {&k->t->subject, 1};
	struct buf b;

	line(k, WORD_TITLE, NULL, NULL, NULL);
	line(k, WORD_SUBJECT, names_text(&b, &subject), q->store, NULL);
	buf_done(&b);
	if (a->residences.n == 0) {
		line(k, WORD_HOME_UNKNOWN, NULL, NULL, NULL);
	} else {
		line(k, WORD_HOME, names_text(&b, &a->residences), NULL, NULL);
		buf_done(&b);
	}
	if (q->from_ms != 0 && q->to_ms != 0)
		line(k, WORD_PERIOD, minute(q->from_ms, from),
		    minute(q->to_ms, to), NULL);
	else if (q->from_ms != 0)
		line(k, WORD_PERIOD_FROM, minute(q->from_ms, from), NULL,
		    NULL);
	else if (q->to_ms != 0)
		line(k, WORD_PERIOD_TO, minute(q->to_ms, to), NULL, NULL);
	else
		line(k, WORD_PERIOD_ALL, NULL, NULL, NULL);
	line(k, WORD_BASIS, k->t->state->gateway, number(k->t->state->size, n),
	    minute(k->t->state->last_ms, to));
	line(k, WORD_ASKING, number(k->t->asked_seq, n), NULL, NULL);
	if (k->t->newer > 0)
		line(k, WORD_NEWER, number(k->t->newer, n), NULL, NULL);
	if (k->t->state->strange > 0)
		line(k, WORD_STRANGE, number(k->t->state->strange, n), NULL,
		    NULL);
	if (q->tag[0] == 0)
		line(k, WORD_NO_TAG, NULL, NULL, NULL);
	if (!k->t->there)
		line(k, WORD_GONE, NULL, NULL, NULL);
}

static void
asked(const struct telling *k)
{
	const struct seen_answer *a = k->t->answer;
	char at[TIME_TEXT_MAX];
	size_t i, shown = 0;
	struct buf by;

	for (i = 0; i < a->n_asked; i++) {
		if (a->asked[i].seq >= k->t->asked_seq)
			continue;
		if (shown++ == GROUPS && !k->t->all) {
			buf_str(k->out, "   ...\n");
			break;
		}
		buf_init(&by, 0);
		if (a->asked[i].by[0] != 0)
			word_say(&by, k->lang, WORD_ASKED_BY, a->asked[i].by,
			    NULL, NULL);
		buf_str(k->out, "   ");
		line(k, WORD_ASKED_LINE, minute(a->asked[i].ms, at),
		    buf_text(&by) == NULL ? "" : (const char *)by.data, NULL);
		buf_done(&by);
	}
	if (shown == 0) {
		buf_str(k->out, "   ");
		line(k, WORD_ASKED_NONE, NULL, NULL, NULL);
	}
}

static void
limit(const struct telling *k, enum word w, const char *a)
{
	buf_str(k->out, " - ");
	line(k, w, a, NULL, NULL);
}

void
seen_text(struct buf *out, const struct seen_told *t, enum seen_lang lang)
{
	const struct telling k = {out, t, lang};
	const struct seen_question *q = t->question;

	head(&k);
	buf_u8(out, '\n');
	line(&k, WORD_SHOWN, NULL, NULL, NULL);
	if (t->answer->n_exact == 0) {
		buf_str(out, "   ");
		line(&k, q->tag[0] == 0 ? WORD_SHOWN_NOT_KNOWN :
		    WORD_SHOWN_NONE, NULL, NULL, NULL);
	}
	groups(&k, t->answer->exact, t->answer->n_exact, true);
	buf_u8(out, '\n');
	line(&k, WORD_WITHIN, NULL, NULL, NULL);
	buf_str(out, "   ");
	line(&k, t->answer->n_within == 0 ? WORD_WITHIN_NONE :
	    WORD_WITHIN_WHY, NULL, NULL, NULL);
	if (t->answer->n_within > 0 && (q->from_ms != 0 || q->to_ms != 0)) {
		buf_str(out, "   ");
		line(&k, WORD_WITHIN_DAYS, NULL, NULL, NULL);
	}
	groups(&k, t->answer->within, t->answer->n_within, false);
	if (q->tag[0] != 0) {
		buf_u8(out, '\n');
		line(&k, WORD_ASKED, NULL, NULL, NULL);
		asked(&k);
	}
	buf_u8(out, '\n');
	line(&k, WORD_LIMITS, NULL, NULL, NULL);
	if (!q->full)
		limit(&k, WORD_LIMIT_NAMES, NULL);
	limit(&k, WORD_LIMIT_OTHERS, NULL);
	limit(&k, WORD_LIMIT_MOVED, NULL);
	limit(&k, WORD_LIMIT_GATEWAY, NULL);
}

#include "gateway/desk_words.h"

#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/text.h"

#define SPAN_MAX ((uint64_t)31 * 24 * 3600)	/* seconds */

struct words {
	const char *p, *end;
	struct arena *a;
	struct why *w;
};

static int
wrong(struct words *x, const char *what)
{
	return why_set(x->w, ERR_FORMAT, 0, 0, "%s", what);
}

static void
skip_space(struct words *x)
{
	while (x->p < x->end && (*x->p == ' ' || *x->p == '\t' ||
	    *x->p == '\n' || *x->p == '\r'))
		x->p++;
}

static size_t
bare_len(const struct words *x)
{
	size_t n = 0;

	while (x->p + n < x->end && ((x->p[n] >= 'a' && x->p[n] <= 'z') ||
	    (x->p[n] >= 'A' && x->p[n] <= 'Z') ||
	    (x->p[n] >= '0' && x->p[n] <= '9') || x->p[n] == '_' ||
	    x->p[n] == '-' || x->p[n] == '.'))
		n++;
	return n;
}

/* Whether the next word is this one; then it is read. */
static bool
is_word(struct words *x, const char *word)
{
	size_t n;

	skip_space(x);
	n = bare_len(x);
	if (n != strlen(word) || strncasecmp(x->p, word, n) != 0)
		return false;
	x->p += n;
	return true;
}

static int
read_quoted(struct words *x, const char **ret)
{
	char text[DESK_TEXT_MAX + 1];
	size_t n = 0;

	for (x->p++; x->p < x->end; x->p++) {
		if (*x->p == '\'' && (x->p + 1 == x->end || x->p[1] != '\''))
			break;
		if (*x->p == '\'')
			x->p++;
		if (n == DESK_TEXT_MAX || *x->p == 0)
			return wrong(x, "a text between quotes is too long");
		text[n++] = *x->p;
	}
	if (x->p == x->end)
		return wrong(x, "a quote is not closed");
	x->p++;
	if (n == 0 || !text_is_utf8(text, n))
		return wrong(x, "a text between quotes is empty, or not "
		    "UTF-8");
	return (*ret = arena_strn(x->a, text, n)) == NULL ? ERR_MEMORY : 0;
}

/* A name or text. */
static int
read_text(struct words *x, const char **ret, const char *missing)
{
	size_t n;

	skip_space(x);
	if (x->p < x->end && *x->p == '\'')
		return read_quoted(x, ret);
	if ((n = bare_len(x)) == 0)
		return wrong(x, missing);
	if (n > DESK_TEXT_MAX)
		return wrong(x, "a name is too long");
	*ret = arena_strn(x->a, x->p, n);
	x->p += n;
	return *ret == NULL ? ERR_MEMORY : 0;
}

int
desk_span(const char *text, int64_t *ret_ms)
{
	size_t len = strlen(text);
	uint64_t n, unit;

	if (len < 2)
		return ERR_FORMAT;
	switch (text[len - 1]) {
	case 's':
		unit = 1;
		break;
	case 'm':
		unit = 60;
		break;
	case 'h':
		unit = 3600;
		break;
	case 'd':
		unit = 24 * 3600;
		break;
	default:
		return ERR_FORMAT;
	}
	if (text_u64(text, len - 1, &n) != 0 || n == 0 || n > SPAN_MAX / unit)
		return ERR_FORMAT;
	*ret_ms = (int64_t)(n * unit * 1000);
	return 0;
}

static int
read_for(struct words *x, struct desk_order *o)
{
	const char *text;
	int r;

	if (!is_word(x, "for"))
		return wrong(x, "say for how long: FOR '2h'");
	if ((r = read_text(x, &text, "say for how long: FOR '2h'")) != 0)
		return r;
	return desk_span(text, &o->for_ms) == 0 ? 0 : wrong(x, "a time is "
	    "written like '45s', '30m', '2h' or '1d', at most 31 days");
}

/* What both kinds of request have, behind their verb. */
static int
read_request(struct words *x, struct desk_order *o)
{
	int r;

	if ((r = read_text(x, &o->rule, "name the rule that waits for an "
	    "approval, between quotes; SHOW RULES lists them")) != 0)
		return r;
	if (!is_word(x, "on"))
		return wrong(x, "say at which store: ON store");
	if ((r = read_text(x, &o->store, "name a store behind ON")) != 0 ||
	    (r = read_for(x, o)) != 0)
		return r;
	if (!is_word(x, "because"))
		return wrong(x, "say why: BECAUSE '...'");
	if ((r = read_text(x, &o->why, "say why behind BECAUSE")) != 0)
		return r;
	return is_word(x, "ticket") ? read_text(x, &o->ticket,
	    "name the ticket behind TICKET") : 0;
}

static int
read_about(struct words *x, struct desk_order *o)
{
	int r;

	if ((r = read_text(x, &o->id, "name the request by its id; SHOW "
	    "APPROVALS lists them")) != 0)
		return r;
	return is_word(x, "because") ? read_text(x, &o->why,
	    "say why behind BECAUSE") : 0;
}

static int
read_show(struct words *x, struct desk_order *o)
{
	if (is_word(x, "approvals")) {
		o->verb = DESK_SHOW_ALL;
		return 0;
	}
	if (is_word(x, "rules")) {
		o->verb = DESK_SHOW_RULES;
		return 0;
	}
	if (!is_word(x, "approval"))
		return wrong(x, "there are SHOW APPROVALS, SHOW APPROVAL id "
		    "and SHOW RULES");
	o->verb = DESK_SHOW_ONE;
	return read_text(x, &o->id, "name the request by its id");
}

static int
read_order(struct words *x, struct desk_order *o)
{
	static const struct {
		const char *word;
		enum grant_kind kind;
	} about[] = {
		{"approve", GRANT_APPROVE}, {"deny", GRANT_DENY},
		{"revoke", GRANT_REVOKE}, {"review", GRANT_REVIEW},
	};
	size_t i;

	if (is_word(x, "show"))
		return read_show(x, o);
	o->verb = DESK_STEP;
	if (is_word(x, "request")) {
		o->kind = GRANT_REQUEST;
		return read_request(x, o);
	}
	if (is_word(x, "break")) {
		o->kind = GRANT_GLASS;
		return is_word(x, "glass") ? read_request(x, o) :
		    wrong(x, "it is BREAK GLASS");
	}
	for (i = 0; i < sizeof(about) / sizeof(*about); i++)
		if (is_word(x, about[i].word)) {
			o->kind = about[i].kind;
			return read_about(x, o);
		}
	return wrong(x, "here approvals are asked for and given: REQUEST, "
	    "BREAK GLASS, APPROVE, DENY, REVOKE, REVIEW, SHOW APPROVALS, SHOW "
	    "APPROVAL, SHOW RULES");
}

int
desk_read(const char *text, size_t len, struct arena *a,
    struct desk_order *ret, struct why *w)
{
	struct words x = {text, text + len, a, w};
	struct desk_order o = {.verb = DESK_NOTHING};
	int r = 0;

	skip_space(&x);
	if (x.p < x.end && *x.p != ';')
		r = read_order(&x, &o);
	if (r != 0)
		return r;
	skip_space(&x);
	if (x.p < x.end && *x.p == ';')
		x.p++;
	skip_space(&x);
	if (x.p < x.end)
		return wrong(&x, "something stands behind the end of it");
	*ret = o;
	return 0;
}

/*
 * Two sorted lists side by side. Of each item the facts that hold are
 * grouped by kind, each group a sorted text, so that two groups differ if
 * their texts do.
 */
#include "import/diff.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "import/draft.h"

struct differ {
	int64_t at_ms;
	size_t max, lines;
	struct buf *out;
	struct buf before, after;
	struct diff_counts counts;
};

static void
put_value(struct buf *out, const struct draft_fact *f)
{
	buf_str(out, f->value != NULL ? f->value : "none");
	if (f->kind == FACT_OWNER) {
		buf_fmt(out, " %u", f->share / SHARE_ONE);
		if (f->share % SHARE_ONE != 0)
			buf_fmt(out, ".%06u", f->share % SHARE_ONE);
		buf_str(out, " %");
	}
	if (f->stated)
		buf_str(out, f->contractor ? " (contractor)" : " (employee)");
}

/* Facts of one kind that hold, each once, whoever says so. */
static const char *
group(const struct differ *d, const struct draft_item *it,
    enum fact_kind kind, struct buf *out)
{
	const struct draft_fact *f, *last = NULL;
	size_t i;

	buf_reset(out);
	for (i = 0; it != NULL && i < it->n; i++) {
		f = &it->facts[i];
		if (f->kind != kind || !draft_fact_holds(it, f, d->at_ms) ||
		    (last != NULL && draft_fact_same(last, f)))
			continue;
		if (last != NULL)
			buf_str(out, ", ");
		put_value(out, f);
		last = f;
	}
	return buf_text(out);
}

static void
begin_line(struct differ *d, const char *sign, const struct draft_item *it)
{
	buf_fmt(d->out, "%s %s", sign, it->id);
	if (it->name != NULL)
		buf_fmt(d->out, " (%s)", it->name);
}

/* What it means that there is no fact of a kind. */
static const char *
absent(enum fact_kind kind)
{
	return kind == FACT_INSTRUCTOR || kind == FACT_ROLE ||
	    kind == FACT_RESIDENCE || kind == FACT_PLACE ? "nothing" :
	    "unknown";
}

/* Each kind of fact in which the two differ; *ret: how many. */
static int
put_changes(struct differ *d, const struct draft_item *from,
    const struct draft_item *to, bool write, size_t *ret)
{
	const char *before, *after, *comma = ":";
	int kind;

	*ret = 0;
	for (kind = FACT_SITE; kind <= FACT_OWNER; kind++) {
		before = group(d, from, (enum fact_kind)kind, &d->before);
		after = group(d, to, (enum fact_kind)kind, &d->after);
		if (before == NULL || after == NULL)
			return ERR_MEMORY;
		if (strcmp(before, after) == 0)
			continue;
		++*ret;
		if (!write)
			continue;
		buf_fmt(d->out, "%s %s ", comma,
		    draft_key((enum fact_kind)kind));
		if (from != NULL)
			buf_fmt(d->out, "%s \xe2\x86\x92 ",
			    *before != 0 ? before :
			    absent((enum fact_kind)kind));
		buf_str(d->out, *after != 0 ? after :
		    absent((enum fact_kind)kind));
		comma = ";";
	}
	return 0;
}

static bool
has_room(struct differ *d)
{
	return d->lines++ < d->max;
}

static int
appears(struct differ *d, const struct draft_item *it)
{
	size_t n;
	int r;

	d->counts.appear++;
	if (!has_room(d))
		return 0;
	begin_line(d, "+", it);
	buf_str(d->out, " appears");
	r = put_changes(d, NULL, it, true, &n);
	buf_u8(d->out, '\n');
	return r;
}

static int
leaves(struct differ *d, const struct draft_item *it)
{
	d->counts.leave++;
	if (!has_room(d))
		return 0;
	begin_line(d, "-", it);
	buf_str(d->out, " leaves\n");
	return 0;
}

static bool
is_renamed(const struct draft_item *from, const struct draft_item *to)
{
	const char *a = from->name != NULL ? from->name : from->id;
	const char *b = to->name != NULL ? to->name : to->id;

	return strcmp(a, b) != 0;
}

static int
both(struct differ *d, const struct draft_item *from,
    const struct draft_item *to)
{
	bool was = draft_item_holds(from, d->at_ms);
	bool is = draft_item_holds(to, d->at_ms);
	size_t n;
	int r;

	if (!was || !is)
		return was ? leaves(d, from) : is ? appears(d, to) : 0;
	if ((r = put_changes(d, from, to, false, &n)) != 0)
		return r;
	if (n == 0 && !is_renamed(from, to) &&
	    from->dispersed == to->dispersed) {
		d->counts.stay++;
		return 0;
	}
	d->counts.change++;
	if (!has_room(d))
		return 0;
	begin_line(d, "~", to);
	if (is_renamed(from, to))
		buf_fmt(d->out, ", until now %s", from->name != NULL ?
		    from->name : from->id);
	r = put_changes(d, from, to, true, &n);
	if (from->dispersed != to->dispersed)
		buf_fmt(d->out, "; rest %s", to->dispersed ? "dispersed" :
		    "unknown");
	buf_u8(d->out, '\n');
	return r;
}

/* The next item of a kind, or NULL. */
static const struct draft_item *
next(const struct draft *d, enum node_kind kind, size_t *at)
{
	while (*at < d->n_items && d->items[*at]->kind != kind)
		++*at;
	return *at < d->n_items ? d->items[*at] : NULL;
}

static int
diff_kind(struct differ *d, const struct draft *from, const struct draft *to,
    enum node_kind kind)
{
	const struct draft_item *a, *b;
	size_t i = 0, k = 0;
	int c, r = 0;

	while (r == 0) {
		a = next(from, kind, &i);
		b = next(to, kind, &k);
		if (a == NULL && b == NULL)
			break;
		c = a == NULL ? 1 : b == NULL ? -1 : strcmp(a->id, b->id);
		if (c == 0)
			r = both(d, a, b);
		else if (c < 0 && draft_item_holds(a, d->at_ms))
			r = leaves(d, a);
		else if (c > 0 && draft_item_holds(b, d->at_ms))
			r = appears(d, b);
		i += c <= 0;
		k += c >= 0;
	}
	return r;
}

static void
diff_sites(struct differ *d, const struct draft *from, const struct draft *to)
{
	const struct draft_site *a, *b;
	size_t i = 0, k = 0;
	int c;

	while (i < from->n_sites || k < to->n_sites) {
		a = i < from->n_sites ? from->sites[i] : NULL;
		b = k < to->n_sites ? to->sites[k] : NULL;
		c = a == NULL ? 1 : b == NULL ? -1 : strcmp(a->id, b->id);
		if (c > 0 && has_room(d))
			buf_fmt(d->out, "+ site %s in %s\n", b->id,
			    b->country);
		if (c < 0 && has_room(d))
			buf_fmt(d->out, "- site %s\n", a->id);
		if (c == 0 && strcmp(a->country, b->country) != 0 &&
		    has_room(d))
			buf_fmt(d->out, "~ site %s: country %s \xe2\x86\x92 "
			    "%s\n", b->id, a->country, b->country);
		i += c <= 0;
		k += c >= 0;
	}
}

static void
put_counts(struct differ *d, const char *what, struct diff_counts *ret)
{
	const struct diff_counts *c = &d->counts;

	if (d->lines > d->max)
		buf_fmt(d->out, "  and %zu more\n", d->lines - d->max);
	if (c->appear + c->leave + c->change + c->stay > 0)
		buf_fmt(d->out, "%s: %zu appear, %zu leave, %zu change, %zu "
		    "stay as they are\n", what, c->appear, c->leave,
		    c->change, c->stay);
	ret->appear += c->appear;
	ret->leave += c->leave;
	ret->change += c->change;
	ret->stay += c->stay;
	memset(&d->counts, 0, sizeof(d->counts));
	d->lines = 0;
}

int
diff_text(const struct draft *from, const struct draft *to, int64_t at_ms,
    size_t max, struct buf *out, struct diff_counts *ret)
{
	static const struct {
		enum node_kind kind;
		const char *what;
	} kinds[] = {
		{NODE_ENTITY, "entities"}, {NODE_PERSON, "people"},
		{NODE_SERVICE, "services"},
	};
	struct differ d = {.at_ms = at_ms, .max = max, .out = out};
	size_t i;
	int r = 0;

	memset(ret, 0, sizeof(*ret));
	buf_init(&d.before, 0);
	buf_init(&d.after, 0);
	diff_sites(&d, from, to);
	put_counts(&d, "sites", ret);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && r == 0; i++) {
		r = diff_kind(&d, from, to, kinds[i].kind);
		put_counts(&d, kinds[i].what, ret);
	}
	buf_done(&d.before);
	buf_done(&d.after);
	return r == 0 && out->failed ? ERR_MEMORY : r;
}

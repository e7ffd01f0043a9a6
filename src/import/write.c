#include "import/write.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/time.h"
#include "import/draft.h"

#define DAY_MS 86400000

/* In flow style, what is more than a word stands in quotes. */
static bool
is_plain(const char *s)
{
	static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_/.";
	static const char rest[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_/.@+- ";
	size_t len = strlen(s);

	return len > 0 && strchr(first, s[0]) != NULL &&
	    strspn(s, rest) == len && s[len - 1] != ' ' &&
	    strcmp(s, "...") != 0;
}

/* One code point of valid UTF-8. */
static unsigned
code_point(const unsigned char **p)
{
	unsigned c = *(*p)++;
	int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

	if (more > 0)
		c &= 0x3fu >> more;
	while (more-- > 0 && **p != 0)
		c = c << 6 | (*(*p)++ & 0x3fu);
	return c;
}

static bool
is_printable(unsigned c)
{
	return (c >= 0x20 && c < 0x7f) || (c >= 0xa0 && c < 0xd800 &&
	    c != 0x2028 && c != 0x2029) || (c >= 0xe000 && c < 0xfffe &&
	    c != 0xfeff) || (c >= 0x10000 && c < 0x110000);
}

static void
put_scalar(struct buf *out, const char *s)
{
	const unsigned char *p = (const unsigned char *)s, *at;
	unsigned c;

	if (is_plain(s)) {
		buf_str(out, s);
		return;
	}
	buf_u8(out, '"');
	while (*p != 0) {
		at = p;
		c = code_point(&p);
		if (c == '"' || c == '\\')
			buf_fmt(out, "\\%c", (int)c);
		else if (is_printable(c))
			buf_bytes(out, at, (size_t)(p - at));
		else
			buf_fmt(out, "\\u%04x", c & 0xffffu);
	}
	buf_u8(out, '"');
}

/* A date alone where it is midnight; milliseconds only where they count. */
static void
put_time(struct buf *out, int64_t ms)
{
	char text[TIME_TEXT_MAX];

	time_text(ms, text);
	if (ms % DAY_MS == 0)
		buf_bytes(out, text, strcspn(text, "T"));
	else if (ms % 1000 == 0)
		buf_fmt(out, "\"%.*sZ\"", (int)strcspn(text, "."), text);
	else
		buf_fmt(out, "\"%s\"", text);
}

static void
put_interval(struct buf *out, int64_t from, int64_t to)
{
	if (from != INT64_MIN) {
		buf_str(out, ", from: ");
		put_time(out, from);
	}
	if (to != INT64_MAX) {
		buf_str(out, ", to: ");
		put_time(out, to);
	}
}

/* Percent, with as many decimals as it takes. */
static void
put_share(struct buf *out, uint32_t share)
{
	uint32_t part = share % SHARE_ONE;
	int digits = 6;

	buf_fmt(out, "%u", share / SHARE_ONE);
	if (part == 0)
		return;
	for (; part % 10 == 0; part /= 10)
		digits--;
	buf_fmt(out, ".%0*u", digits, part);
}

static void
put_list(struct buf *out, const char *const *items, size_t n)
{
	size_t i;

	buf_u8(out, '[');
	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_str(out, ", ");
		put_scalar(out, items[i]);
	}
	buf_u8(out, ']');
}

/* What a fact has beside its value. */
static void
put_rest_of_fact(struct buf *out, const struct draft_fact *f,
    const char *issuer)
{
	if (f->stated)
		buf_fmt(out, ", kind: %s", f->contractor ? "contractor" :
		    "employee");
	if (strcmp(f->issuer, issuer) != 0) {
		buf_str(out, ", issuer: ");
		put_scalar(out, f->issuer);
	}
	put_interval(out, f->from, f->to);
	if (f->evidence != NULL) {
		buf_str(out, ", evidence: ");
		put_scalar(out, f->evidence);
	}
}

static bool
is_bare(const struct draft_fact *f, const char *issuer)
{
	return !f->stated && f->from == INT64_MIN && f->to == INT64_MAX &&
	    f->evidence == NULL && strcmp(f->issuer, issuer) == 0;
}

static void
put_fact(struct buf *out, const struct draft_fact *f, const char *issuer)
{
	bool by_id = f->kind != FACT_NATIONALITY && f->kind != FACT_OFFICE &&
	    f->kind != FACT_ROLE && f->kind != FACT_COUNTRY &&
	    f->kind != FACT_PLACE && f->kind != FACT_RESIDENCE;
	bool bare = is_bare(f, issuer);

	if (f->kind == FACT_OWNER) {
		if (!bare)
			buf_str(out, "{share: ");
		put_share(out, f->share);
	} else {
		if (!bare)
			buf_str(out, by_id ? "{id: " : "{value: ");
		put_scalar(out, f->value != NULL ? f->value : "none");
	}
	if (bare)
		return;
	put_rest_of_fact(out, f, issuer);
	buf_u8(out, '}');
}

/* How many facts from `at` on have the same key in the text. */
static size_t
run_of(const struct draft_item *it, size_t at, bool by_value)
{
	size_t n = 1;

	while (at + n < it->n && it->facts[at + n].kind == it->facts[at].kind &&
	    (!by_value || strcmp(it->facts[at + n].value,
	    it->facts[at].value) == 0))
		n++;
	return n;
}

/* One fact, or a list of several; roles and the like are always a list. */
static void
put_facts(struct buf *out, const struct draft_fact *f, size_t n,
    const char *issuer)
{
	bool list = n > 1 || (f->value != NULL && (f->kind == FACT_ROLE ||
	    f->kind == FACT_OFFICE || f->kind == FACT_KEEPER));
	size_t i;

	if (list)
		buf_u8(out, '[');
	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_str(out, ", ");
		put_fact(out, &f[i], issuer);
	}
	if (list)
		buf_u8(out, ']');
}

static void
put_owners(struct buf *out, const struct draft_item *it, size_t at, size_t n,
    const char *issuer)
{
	size_t i, k;

	buf_u8(out, '{');
	for (i = at; i < at + n; i += k) {
		if (i > at)
			buf_str(out, ", ");
		k = run_of(it, i, true);
		put_scalar(out, it->facts[i].value);
		buf_str(out, ": ");
		put_facts(out, &it->facts[i], k, issuer);
	}
	buf_u8(out, '}');
}

/* The issuer of most facts; of several, the file's, then the first. */
static const char *
usual_issuer(const struct draft *d, const struct draft_item *it)
{
	const char *best = d->issuer, *is;
	size_t i, j, n, most = 0;

	for (i = 0; i < it->n; i++)
		if (strcmp(it->facts[i].issuer, d->issuer) == 0)
			most++;
	for (i = 0; i < it->n; i++) {
		is = it->facts[i].issuer;
		for (j = 0, n = 0; j < it->n; j++)
			if (strcmp(it->facts[j].issuer, is) == 0)
				n++;
		if (n > most || (n == most && strcmp(best, d->issuer) != 0 &&
		    strcmp(is, best) < 0)) {
			best = is;
			most = n;
		}
	}
	return best;
}

static void
put_item(struct buf *out, const struct draft *d, const struct draft_item *it)
{
	const char *issuer = usual_issuer(d, it);
	size_t i, n, start;

	buf_str(out, "  ");
	put_scalar(out, it->id);
	buf_str(out, ": {");
	start = out->len;	/* what follows begins each with a comma */
	if (it->name != NULL) {
		buf_str(out, ", name: ");
		put_scalar(out, it->name);
	}
	if (strcmp(issuer, d->issuer) != 0) {
		buf_str(out, ", issuer: ");
		put_scalar(out, issuer);
	}
	put_interval(out, it->from, it->to);
	for (i = 0; i < it->n; i += n) {
		n = run_of(it, i, false);
		buf_fmt(out, ", %s: ", draft_key(it->facts[i].kind));
		if (it->facts[i].kind == FACT_OWNER)
			put_owners(out, it, i, n, issuer);
		else
			put_facts(out, &it->facts[i], n, issuer);
	}
	if (it->dispersed)
		buf_str(out, ", rest: dispersed");
	if (it->n_networks > 0) {
		buf_str(out, ", networks: ");
		put_list(out, it->networks, it->n_networks);
	}
	if (!out->failed && out->len > start) {
		memmove(out->data + start, out->data + start + 2,
		    out->len - start - 2);
		out->len -= 2;
	}
	buf_str(out, "}\n");
}

static void
put_section(struct buf *out, const struct draft *d, enum node_kind kind,
    const char *key)
{
	bool begun = false;
	size_t i;

	for (i = 0; i < d->n_items; i++) {
		if (d->items[i]->kind != kind)
			continue;
		if (!begun)
			buf_fmt(out, "\n%s:\n", key);
		begun = true;
		put_item(out, d, d->items[i]);
	}
}

static void
put_sites(struct buf *out, const struct draft *d)
{
	const struct draft_site *s;
	size_t i;

	if (d->n_sites > 0)
		buf_str(out, "\nsites:\n");
	for (i = 0; i < d->n_sites; i++) {
		s = d->sites[i];
		buf_str(out, "  ");
		put_scalar(out, s->id);
		buf_str(out, ": {country: ");
		put_scalar(out, s->country);
		if (s->n_networks > 0) {
			buf_str(out, ", networks: ");
			put_list(out, s->networks, s->n_networks);
		}
		buf_str(out, "}\n");
	}
}

void
write_draft(const struct draft *d, const char *head, struct buf *out)
{
	if (head != NULL)
		buf_str(out, head);
	buf_str(out, "directory: 1\nissuer: ");
	put_scalar(out, d->issuer);
	buf_u8(out, '\n');
	if (d->threshold != SHARE_THRESHOLD) {
		buf_str(out, "ownership-threshold: ");
		put_share(out, d->threshold);
		buf_u8(out, '\n');
	}
	put_sites(out, d);
	put_section(out, d, NODE_ENTITY, "entities");
	put_section(out, d, NODE_PERSON, "people");
	put_section(out, d, NODE_SERVICE, "services");
}

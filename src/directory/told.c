#include "directory/told.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "directory/facts.h"

static const char *const keys[] = {
	[FACT_SITE] = "site",
	[FACT_EMPLOYER] = "employer",
	[FACT_MANAGER] = "manager",
	[FACT_INSTRUCTOR] = "instructor",
	[FACT_OPERATOR] = "operator",
	[FACT_KEEPER] = "keeper",
	[FACT_NATIONALITY] = "nationality",
	[FACT_RESIDENCE] = "residence",
	[FACT_OFFICE] = "office",
	[FACT_ROLE] = "role",
	[FACT_COUNTRY] = "country",
	[FACT_PLACE] = "principal place",
	[FACT_OWNER] = "owner",
};

static void
put_node(struct buf *out, const struct node *n)
{
	if (n == NULL)
		buf_str(out, "none");
	else if (strcmp(n->id, n->name) == 0)
		buf_str(out, n->id);
	else
		buf_fmt(out, "%s (%s)", n->id, n->name);
}

static void
put_share(struct buf *out, uint32_t share)
{
	uint32_t part = share % SHARE_ONE;
	int digits = 6;

	buf_fmt(out, ", %u", share / SHARE_ONE);
	for (; part > 0 && part % 10 == 0; digits--)
		part /= 10;
	if (part > 0)
		buf_fmt(out, ".%0*u", digits, part);
	buf_str(out, " %");
}

static void
put_value(struct buf *out, const struct fact *f)
{
	if (f->kind == FACT_SITE)
		buf_fmt(out, "%s (%s)", f->site->id, f->site->country);
	else if (fact_is_to_node(f))
		put_node(out, f->node);
	else
		buf_str(out, f->text != NULL ? f->text : "none");
	if (f->kind == FACT_EMPLOYER && f->stated)
		buf_str(out, f->contractor ? ", as contractor" :
		    ", as employee");
	if (f->kind == FACT_OWNER)
		put_share(out, f->share);
}

static void
put_warrant(struct buf *out, const struct warrant *w, int64_t at_ms)
{
	char at[TIME_TEXT_MAX];

	buf_fmt(out, "; %s", w->issuer);
	if (w->from != INT64_MIN) {
		time_text(w->from, at);
		buf_fmt(out, ", from %s", at);
	}
	if (w->to != INT64_MAX) {
		time_text(w->to, at);
		buf_fmt(out, ", to %s", at);
	}
	if (w->evidence != NULL)
		buf_fmt(out, "; by %s", w->evidence);
	if (at_ms < w->from)
		buf_str(out, " (not yet)");
	else if (at_ms >= w->to)
		buf_str(out, " (no more)");
}

/* Of an entity as well, so that a company can be asked about. */
int
told_facts(struct buf *out, const struct directory *d, const char *id,
    int64_t at_ms)
{
	const struct node *n = node_find(d, id);
	size_t i;

	if (n == NULL)
		return ERR_MISSING;
	for (i = 0; i < n->n_facts; i++) {
		buf_fmt(out, "  %s: ", keys[n->facts[i].kind]);
		put_value(out, &n->facts[i]);
		put_warrant(out, n->facts[i].warrant, at_ms);
		buf_str(out, "\n");
	}
	if (n->kind == NODE_ENTITY)
		buf_fmt(out, "  rest of the owners: %s\n", n->dispersed ?
		    "dispersed" : "unknown");
	return out->failed ? ERR_MEMORY : 0;
}

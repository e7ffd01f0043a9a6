/*
 * Columns with one outcome for the same reasons stand together, and so do
 * residences about which the same is said.
 */
#include "cli/explain.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/time.h"
#include "catalog/catalog.h"
#include "cli/say.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "gateway/config.h"
#include "policy/effect.h"

static void
say_fact(struct buf *out, const char *what, const char *const *items,
    size_t n)
{
	buf_fmt(out, "%s: ", what);
	say_list(out, items, n);
	buf_str(out, n == 0 ? "none known\n" : "\n");
}

/* "contractor of acme, employed by nobody": where it is written as what. */
static void
say_employments(struct buf *out, const struct principal *p)
{
	const char *comma = "";
	size_t i;

	if (p->kind == PRINCIPAL_SERVICE)
		return;
	buf_str(out, "employed as: ");
	for (i = 0; i < p->n_employments; i++, comma = ", ") {
		const struct employment *e = &p->employments[i];

		buf_fmt(out, "%s%s", comma, employment_text(e));
		if (e->employer != NULL)
			buf_fmt(out, " of %s", e->employer);
	}
	buf_str(out, p->n_employments == 0 ? "none known\n" : "\n");
}

static void
say_facts(struct buf *out, const struct explain *e)
{
	const struct principal *p = e->got.who;
	char at[TIME_TEXT_MAX];

	say_principal(out, p);
	buf_fmt(out, ", at store %s\npurpose: %s\nticket: %s\nfrom: %s\n",
	    e->got.store->name,
	    e->ask.purpose != NULL ? e->ask.purpose : "none",
	    e->ask.ticket != NULL ? e->ask.ticket : "none",
	    e->ask.from != NULL ? e->ask.from : "its own site");
	time_text(e->ask.at_ms, at);
	buf_fmt(out, "as of: %s\n\n", at);
	say_fact(out, "site", &p->site, p->site != NULL);
	say_fact(out, p->kind == PRINCIPAL_PERSON ? "employer" : "operator",
	    p->employers, p->n_employers);
	say_employments(out, p);
	if (p->n_instructors > 0 || !p->instructors_known)
		say_fact(out, "instructed by", p->instructors,
		    p->n_instructors);
	else
		buf_str(out, "instructed by: nobody\n");
	say_fact(out, "roles", p->roles, p->n_roles);
	say_fact(out, "nationality", p->nationalities, p->n_nationalities);
	if (p->n_offices > 0 || !p->offices_known)
		say_fact(out, "offices", p->offices, p->n_offices);
	else
		buf_str(out, "offices: none\n");
	say_fact(out, "these said by", p->issuers, p->n_issuers);
	buf_str(out, "\n");
	say_control(out, "you", e->got.control);
}

/* Why a column came out so: the same text is the same group. */
static void
say_why(struct buf *out, const struct effect *f)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		buf_fmt(out, "      %s by \"%s\": %s\n", f->rules[i].verb,
		    f->rules[i].name, f->rules[i].because);
	if (f->n == 0)
		buf_str(out, "      no rule is about it\n");
	if (f->elsewhere != NULL)
		buf_fmt(out, "      as it is for residents of %s, who are "
		    "shown with them\n", f->elsewhere);
}

struct group {
	enum treatment outcome;
	char *why;
};

static int
make_groups(const struct explain *e, size_t table, size_t residence,
    struct group *groups)
{
	const struct catalog_table *t = e->got.clearance->tables[table].table;
	struct effect f;
	struct buf b;
	size_t i;
	int r;

	for (i = 0; i < t->n_columns; i++) {
		if ((r = explain_effect(e, table, residence, i, &f)) != 0)
			return r;
		buf_init(&b, 0);
		say_why(&b, &f);
		groups[i].outcome = f.outcome;
		if ((groups[i].why = buf_steal(&b)) == NULL)
			return ERR_MEMORY;
	}
	return 0;
}

static bool
same_group(const struct group *x, const struct group *y)
{
	return x->outcome == y->outcome && strcmp(x->why, y->why) == 0;
}

static void
say_group(struct buf *out, const struct catalog_table *t,
    const struct group *groups, size_t first)
{
	const char *comma = "";
	size_t i;

	buf_fmt(out, "    %s: ", treatment_text(groups[first].outcome));
	for (i = first; i < t->n_columns; i++)
		if (same_group(&groups[i], &groups[first])) {
			buf_fmt(out, "%s%s (%s)", comma, t->columns[i].name,
			    t->columns[i].category);
			comma = ", ";
		}
	buf_fmt(out, "\n%s", groups[first].why);
}

static void
say_reason(struct buf *out, const struct policy_reason *r)
{
	if (r->permitted)
		return;
	buf_str(out, "    refused");
	if (r->rule != NULL)
		buf_fmt(out, " by \"%s\"", r->rule);
	if (*r->because != 0)
		buf_fmt(out, ": %s", r->because);
	if (*r->hint != 0)
		buf_fmt(out, "; %s", r->hint);
	buf_str(out, "\n");
}

/* What is said of one residence, but for its name. */
static int
say_residence(const struct explain *e, size_t table, size_t residence,
    struct buf *out)
{
	const struct catalog_table *t = e->got.clearance->tables[table].table;
	struct policy_reason reason;
	struct group *groups;
	size_t i, k;
	int r;

	if ((groups = calloc(t->n_columns + 1, sizeof(*groups))) == NULL)
		return ERR_MEMORY;
	if ((r = make_groups(e, table, residence, groups)) != 0 ||
	    (r = explain_reason(e, table, residence, &reason)) != 0)
		goto out;
	say_reason(out, &reason);
	for (i = 0; i < t->n_columns; i++) {
		for (k = 0; k < i; k++)
			if (same_group(&groups[k], &groups[i]))
				break;
		if (k == i)
			say_group(out, t, groups, i);
	}
out:
	for (i = 0; i < t->n_columns; i++)
		free(groups[i].why);
	free(groups);
	return r;
}

static int
say_residences(const struct explain *e, size_t table, struct buf *texts,
    struct buf *out)
{
	const struct policy_request *q = &e->got.request;
	const char *comma;
	size_t i, k, first;
	int r;

	for (i = 0; i < q->n_residences; i++)
		if ((r = say_residence(e, table, i, &texts[i])) != 0)
			return r;
		else if (buf_text(&texts[i]) == NULL)
			return ERR_MEMORY;
	for (i = 0; i < q->n_residences; i++) {
		for (first = 0; strcmp(buf_text(&texts[first]),
		    buf_text(&texts[i])) != 0; first++)
			continue;
		if (first < i)
			continue;
		buf_str(out, "  residents of ");
		comma = "";
		for (k = i; k < q->n_residences; k++)
			if (strcmp(buf_text(&texts[k]),
			    buf_text(&texts[i])) == 0) {
				buf_fmt(out, "%s%s", comma, q->residences[k]);
				comma = ", ";
			}
		buf_fmt(out, "\n%s", buf_text(&texts[i]));
	}
	return 0;
}

static void
say_writes(const struct explain *e, size_t table, struct buf *out)
{
	const char *what;
	int k;

	for (k = 0; k < POLICY_WRITES; k++)
		if ((what = explain_writes(e, table,
		    (enum policy_write)k)) != NULL)
			buf_fmt(out, "  may %s, for all residents shown: %s\n",
			    policy_write_text((enum policy_write)k), what);
}

static int
say_table(const struct explain *e, size_t table, struct buf *out)
{
	size_t n = e->got.request.n_residences, i;
	const struct catalog_table *t = e->got.clearance->tables[table].table;
	struct buf *texts;
	int r;

	buf_fmt(out, "\n%s\n", t->full);
	if (t->is_public) {
		buf_str(out, "  public: nobody's data\n");
		return 0;
	}
	if (explain_needs_exact(e, table))
		buf_str(out, "  only where the record can list whose rows "
		    "go (record: exact)\n");
	if ((texts = calloc(n + 1, sizeof(*texts))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < n; i++)
		buf_init(&texts[i], 0);
	r = say_residences(e, table, texts, out);
	say_writes(e, table, out);
	for (i = 0; i < n; i++)
		buf_done(&texts[i]);
	free(texts);
	return r;
}

int
explain_words(const struct explain *e, struct buf *out)
{
	const struct clearance *c = e->got.clearance;
	size_t i;
	int r;

	say_facts(out, e);
	if (e->got.refused != NULL)
		buf_fmt(out, "\nno session: %s\n", e->got.refused);
	else if (e->got.store->mode == STORE_OBSERVE)
		buf_fmt(out, "\nstore %s is in mode observe: what follows is "
		    "written down and not enforced\n", e->got.store->name);
	for (i = 0; i < c->n_tables; i++)
		if (explain_asked(e, c->tables[i].table) &&
		    (r = say_table(e, i, out)) != 0)
			return r;
	return 0;
}


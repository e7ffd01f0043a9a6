/*
 * The canonical text of a clearance. Names stand plain where they are of
 * [A-Za-z0-9_$], else quoted as in SQL; values are SQL literals. So equal
 * texts mean equal outcomes, whatever names a catalog has.
 *
 *	sworn clearance 1
 *	store us
 *	residence country of public.users.id	or: residence store
 *	 through city_id > public.cities.id	for each step, in order
 *	 value 'IE' IE				sorted by value
 *	table public.messages			sorted; only readable ones
 *	 residences IE US			or: public
 *	 subject sender_id > public.users.id	for each way; or: subject self
 *	 column body plain			sorted; only those shown; behind
 *						"mask" what it shows, if not
 *						the usual constant; then
 *						"insert", "update" if it may be
 *	 delete					rows may be deleted
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "policy/policy.h"

const char *
treatment_text(enum treatment t)
{
	switch (t) {
	case TREAT_ABSENT:
		return "absent";
	case TREAT_MASK:
		return "mask";
	case TREAT_PLAIN:
		return "plain";
	}
	return "absent";
}

const char *
policy_write_text(enum policy_write k)
{
	static const char *const texts[] = {
		[POLICY_INSERT] = "insert", [POLICY_UPDATE] = "update",
		[POLICY_DELETE] = "delete",
	};

	return texts[k];
}

bool
clearance_writes(const struct clearance_table *t, enum policy_write k)
{
	size_t i;

	if (k == POLICY_DELETE)
		return t->deletes;
	for (i = 0; t->writes != NULL && i < t->table->n_columns; i++)
		if ((t->writes[i] & 1u << k) != 0)
			return true;
	return false;
}

static void
put_name(struct buf *out, const char *s)
{
	size_t len = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_$");

	if (len > 0 && s[len] == 0)
		buf_str(out, s);
	else
		text_sql_ident(out, s);
}

static void
put_step(struct buf *out, const struct catalog_step *s)
{
	put_name(out, s->column);
	buf_str(out, " > ");
	put_name(out, s->schema);
	buf_str(out, ".");
	put_name(out, s->table);
	buf_str(out, ".");
	put_name(out, s->key);
}

static void
put_residence_rule(struct buf *out, const struct catalog *c)
{
	size_t i;

	if (c->residence_store) {
		buf_str(out, "residence store\n");
		return;
	}
	buf_str(out, "residence ");
	put_name(out, c->residence_column);
	buf_str(out, " of ");
	put_name(out, c->subject_schema);
	buf_str(out, ".");
	put_name(out, c->subject_table);
	buf_str(out, ".");
	put_name(out, c->subject_key);
	buf_str(out, "\n");
	for (i = 0; i < c->n_residence_steps; i++) {
		buf_str(out, " through ");
		put_step(out, &c->residence_steps[i]);
		buf_str(out, "\n");
	}
	for (i = 0; i < c->n_values; i++) {
		buf_str(out, " value ");
		text_sql_literal(out, c->values[i].value);
		buf_str(out, " ");
		put_name(out, c->values[i].label);
		buf_str(out, "\n");
	}
}

static void
put_subjects(struct buf *out, const struct catalog_table *t)
{
	size_t i, k;

	for (i = 0; i < t->n_subjects; i++) {
		buf_str(out, " subject");
		if (t->subjects[i].n == 0)
			buf_str(out, " self");
		for (k = 0; k < t->subjects[i].n; k++) {
			buf_str(out, k > 0 ? ", " : " ");
			put_step(out, &t->subjects[i].steps[k]);
		}
		buf_str(out, "\n");
	}
}

static int
compare_columns(const void *a, const void *b)
{
	const struct catalog_column *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static void
put_writes(struct buf *out, const struct clearance_table *ct, size_t column)
{
	int k;

	for (k = POLICY_INSERT; ct->writes != NULL && k <= POLICY_UPDATE; k++)
		if ((ct->writes[column] & 1u << k) != 0)
			buf_fmt(out, " %s",
			    policy_write_text((enum policy_write)k));
}

static void
put_columns(struct buf *out, const struct clearance_table *ct)
{
	const struct catalog_table *t = ct->table;
	const struct catalog_column **sorted;
	size_t i;

	if ((sorted = calloc(t->n_columns, sizeof(*sorted))) == NULL) {
		out->failed = true;
		return;
	}
	for (i = 0; i < t->n_columns; i++)
		sorted[i] = &t->columns[i];
	qsort(sorted, t->n_columns, sizeof(*sorted), compare_columns);
	for (i = 0; i < t->n_columns; i++) {
		enum treatment shown = ct->columns[sorted[i] - t->columns];

		if (shown == TREAT_ABSENT)
			continue;
		buf_str(out, " column ");
		put_name(out, sorted[i]->name);
		buf_fmt(out, " %s", treatment_text(shown));
		if (shown == TREAT_MASK)
			mask_text(out, &sorted[i]->mask);
		put_writes(out, ct, (size_t)(sorted[i] - t->columns));
		buf_str(out, "\n");
	}
	free(sorted);
}

static void
put_table(struct buf *out, const struct clearance_table *ct)
{
	size_t i;

	buf_str(out, "table ");
	put_name(out, ct->table->schema);
	buf_str(out, ".");
	put_name(out, ct->table->name);
	if (ct->table->is_public) {
		buf_str(out, "\n public\n");
		return;
	}
	buf_str(out, "\n residences");
	for (i = 0; i < ct->n_residences; i++) {
		buf_str(out, " ");
		put_name(out, ct->residences[i]);
	}
	buf_str(out, "\n");
	put_subjects(out, ct->table);
	put_columns(out, ct);
	if (ct->deletes)
		buf_str(out, " delete\n");
}

void
clearance_text(struct buf *out, const struct clearance *c)
{
	size_t i;

	buf_str(out, "sworn clearance 1\nstore ");
	put_name(out, c->store);
	buf_str(out, "\n");
	if (!c->empty)
		put_residence_rule(out, c->catalog);
	for (i = 0; i < c->n_tables; i++)
		if (c->tables[i].readable)
			put_table(out, &c->tables[i]);
}

const struct clearance_table *
clearance_find(const struct clearance *c, const struct catalog_table *t)
{
	size_t i;

	/* They stand as in the catalog that t is of. */
	if (t >= c->catalog->tables &&
	    t < c->catalog->tables + c->catalog->n_tables)
		return &c->tables[t - c->catalog->tables];
	for (i = 0; i < c->n_tables; i++)
		if (strcmp(c->tables[i].table->full, t->full) == 0)
			return &c->tables[i];
	return NULL;
}

/* A forbid tells most, then a reason that says what would help. */
static int
weight(const struct policy_reason *r)
{
	if (r->permitted)
		return 0;
	if (r->rule != NULL)
		return 3;
	return r->hint[0] != 0 ? 2 : 1;
}

int
clearance_refusal(const struct clearance *c, const struct clearance_table *t,
    struct arena *a, struct policy_reason *ret)
{
	struct policy_reason one;
	size_t i;
	int r, most = 0;

	*ret = (struct policy_reason){.residence = "",
	    .because = "no residence belongs in this store", .hint = ""};
	for (i = 0; i < c->n_residences; i++) {
		if ((r = clearance_reason(c, (size_t)(t - c->tables), i, a,
		    &one)) != 0)
			return r;
		if (weight(&one) > most) {
			most = weight(&one);
			*ret = one;
		}
	}
	return 0;
}

bool
clearance_needs_exact(const struct clearance *c,
    const struct clearance *plain, size_t table)
{
	const struct clearance_table *t = &c->tables[table];
	const struct clearance_table *p = &plain->tables[table];
	const struct policy_outcome *a, *b;
	size_t i;

	if (!t->readable || t->columns == NULL)
		return false;
	if (!p->readable)
		return true;
	a = &c->outcomes[table * c->n_residences];
	b = &plain->outcomes[table * c->n_residences];
	for (i = 0; i < c->n_residences; i++)
		if (a[i].permitted && !b[i].permitted)
			return true;
	for (i = 0; i < t->table->n_columns; i++)
		if (t->columns[i] != p->columns[i])
			return true;
	return false;
}

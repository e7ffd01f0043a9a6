#include "claim/recheck.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "claim/approvals.h"
#include "claim/claim.h"
#include "claim/objects.h"
#include "claim/ticket.h"
#include "crypto/hash.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "policy/policy.h"

static int doubt(struct recheck *, const char *, const char *, ...)
    __attribute__((format(printf, 3, 4)));

static int
doubt(struct recheck *x, const char *what, const char *fmt, ...)
{
	struct buf b;
	char line[768];
	va_list ap;
	int r;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap); /* cut is fine */
	va_end(ap);
	buf_init(&b, 0);
	buf_fmt(&b, "entry %" PRIu64 ", %s: %s", x->seq,
	    x->session->principal, line);
	r = buf_text(&b) == NULL ? ERR_MEMORY :
	    x->doubt(x->arg, what, (const char *)b.data);
	buf_done(&b);
	return r;
}

/* A missing object is one doubt, whoever needs it. */
static int
missing(struct recheck *x, int r, const char *why)
{
	if (r == ERR_MEMORY)
		return r;
	return x->doubt(x->arg, "object", why);
}

static bool
same_set(const struct record_strs *l, const char *const *s, size_t n)
{
	struct record_strs m = {s, n};
	size_t i;

	for (i = 0; i < l->n; i++)
		if (!strs_have(&m, l->s[i]))
			return false;
	for (i = 0; i < n; i++)
		if (!strs_have(l, s[i]))
			return false;
	return true;
}

static unsigned
kinds_of(const struct record_strs *l)
{
	unsigned kinds = 0;
	size_t i;

	for (i = 0; i < l->n; i++)
		kinds |= control_kind_of(l->s[i]);
	return kinds;
}

static bool
recorded(const struct record_session *s, const char *label, unsigned kinds)
{
	size_t i;

	for (i = 0; i < s->n_control; i++)
		if (strcmp(s->control[i].label, label) == 0 &&
		    kinds_of(&s->control[i].kinds) == kinds)
			return true;
	return false;
}

static bool
computed(const struct control *c, const char *label, unsigned kinds)
{
	size_t i, j;

	for (i = 0; i < c->n; i++) {
		if (strcmp(c->members[i].label, label) != 0)
			continue;
		for (j = 0; j < c->members[i].n_paths; j++)
			if (c->members[i].paths[j].kinds == kinds)
				return true;
	}
	return false;
}

/* "CN by employment, actual" */
static const char *
path_words(struct recheck *x, const char *label, unsigned kinds)
{
	char *s = arena_fmt(x->arena, "%s by", label);
	const char *comma = " ";
	unsigned k;

	for (k = 1; k != 0 && k <= CONTROL_ALL; k <<= 1) {
		if ((kinds & k) == 0 || s == NULL)
			continue;
		s = arena_fmt(x->arena, "%s%s%s", s, comma,
		    control_kind_text((enum control_kind)k));
		comma = ", ";
	}
	return s != NULL ? s : label;
}

static int
compare_control(struct recheck *x, const struct control *c)
{
	const struct record_session *s = x->session;
	unsigned kinds;
	size_t i, j;

	for (i = 0; i < c->n; i++) {
		for (j = 0; j < c->members[i].n_paths; j++) {
			kinds = c->members[i].paths[j].kinds;
			if (!recorded(s, c->members[i].label, kinds))
				return doubt(x, "control", "the directory "
				    "gives a path to %s, and the record has "
				    "none", path_words(x, c->members[i].label,
				    kinds));
		}
	}
	for (i = 0; i < s->n_control; i++) {
		kinds = kinds_of(&s->control[i].kinds);
		if (!computed(c, s->control[i].label, kinds))
			return doubt(x, "control", "the record has a path to "
			    "%s, and the directory gives none", path_words(x,
			    s->control[i].label, kinds));
	}
	return 0;
}

static int
compare_facts(struct recheck *x, const struct principal *p)
{
	const struct record_session *s = x->session;
	bool person = p->kind == PRINCIPAL_PERSON;

	if (person != (strcmp(s->kind, "person") == 0))
		return doubt(x, "facts", "the record says %s, and the "
		    "directory says otherwise", s->kind);
	if (!same_set(&s->roles, p->roles, p->n_roles))
		return doubt(x, "facts", "the record's roles are not those "
		    "of the directory");
	if (!same_set(&s->employers, p->employers, p->n_employers))
		return doubt(x, "facts", "the record's employers are not "
		    "those of the directory");
	return 0;
}

/* The address within "192.0.2.1:5432" or "[2001:db8::1]:5432". */
static const char *
address_of(struct recheck *x, const char *source)
{
	const char *end = strrchr(source, ':');

	if (end == NULL)
		return source;
	if (source[0] == '[' && end > source && end[-1] == ']')
		return arena_strn(x->arena, source + 1,
		    (size_t)(end - source) - 2);
	return arena_strn(x->arena, source, (size_t)(end - source));
}

/*
 * A site's network counts always. What else the record says can only come
 * from a file of addresses, which the record then names.
 */
static int
compare_source(struct recheck *x, const struct directory *d)
{
	const struct record_session *s = x->session;
	const char *address = address_of(x, s->source), *place;
	const struct directory_site *site;
	size_t i;

	if (address == NULL)
		return ERR_MEMORY;
	site = directory_site_of_address(d, address);
	place = site != NULL ? site->country : CONTROL_UNKNOWN;
	if (!strs_have(&s->seen_at, place) &&
	    (site != NULL || s->addresses == NULL || s->seen_at.n == 0))
		return doubt(x, "facts", "it came from %s, which the directory "
		    "places in %s, and the record does not say so", s->source,
		    place);
	for (i = 0; i < s->seen_at.n && s->addresses == NULL; i++)
		if (strcmp(s->seen_at.s[i], place) != 0)
			return doubt(x, "facts", "the record places %s in %s, "
			    "and names no file of addresses that says so",
			    s->source, s->seen_at.s[i]);
	return 0;
}

/* *ret_control stays NULL where the directory does not help. */
static int
recheck_reader(struct recheck *x, const struct principal **ret_who,
    const struct control **ret_control)
{
	const struct record_session *s = x->session;
	const struct directory *d = NULL;
	const char *why;
	int r;

	*ret_control = NULL;
	if ((r = objects_directory(x->objects, s->directory, &d, &why)) != 0)
		return missing(x, r, why);
	r = directory_principal(d, s->principal, x->at_ms, x->arena, ret_who);
	if (r == ERR_MEMORY)
		return r;
	if (r != 0)
		return doubt(x, "facts", "the directory does not know this "
		    "reader at that time");
	x->name = (*ret_who)->name;
	if ((r = compare_facts(x, *ret_who)) != 0 ||
	    (r = compare_source(x, d)) != 0)
		return r;
	r = control_of(d, s->principal, x->at_ms, s->seen_at.s, s->seen_at.n,
	    x->arena, ret_control);
	if (r == ERR_MEMORY)
		return r;
	if (r != 0) {
		*ret_control = NULL;
		return doubt(x, "control", "no control set comes out of the "
		    "directory: %s", err_text(r));
	}
	x->issuers = (*ret_control)->issuers;
	x->n_issuers = (*ret_control)->n_issuers;
	return compare_control(x, *ret_control);
}

/* The first of `need` that is not in `have`, or NULL. */
static const char *
first_absent(const struct record_strs *have, const struct record_strs *need)
{
	size_t i;

	for (i = 0; i < need->n; i++)
		if (!strs_have(have, need->s[i]))
			return need->s[i];
	return NULL;
}

static const struct record_table *
bound_find(const struct record_bound *b, const char *table)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		if (strcmp(b->tables[i].table, table) == 0)
			return &b->tables[i];
	return NULL;
}

/* What the clearance shows of a table must be in the recorded bound. */
static int
compare_table(struct recheck *x, const struct clearance_table *t,
    const struct record_bound *b, uint64_t seq)
{
	const struct record_strs residences = {t->residences, t->n_residences};
	const struct record_table *in;
	const struct record_strs *shown;
	const char *absent, *category;
	size_t i;

	if (t->table->is_public || !t->readable)
		return 0;
	if ((in = bound_find(b, t->table->full)) == NULL)
		return doubt(x, "bound", "the policy lets it read %s, and "
		    "the bound of entry %" PRIu64 " leaves that out",
		    t->table->full, seq);
	if ((absent = first_absent(&in->residences, &residences)) != NULL)
		return doubt(x, "bound", "the policy lets it read %s of %s, "
		    "and the bound of entry %" PRIu64 " leaves that out",
		    t->table->full, absent, seq);
	for (i = 0; i < t->table->n_columns; i++) {
		if (t->columns[i] == TREAT_ABSENT)
			continue;
		category = t->table->columns[i].category;
		shown = t->columns[i] == TREAT_PLAIN ? &in->categories :
		    &in->masked;
		if (!strs_have(shown, category))
			return doubt(x, "bound", "the policy shows it %s in "
			    "%s, and the bound of entry %" PRIu64 " leaves "
			    "that out", category, t->table->full, seq);
	}
	return 0;
}

static int
clearance_hash(const struct clearance *c, struct buf *hex)
{
	uint8_t hash[HASH_LEN];
	struct buf text;
	int r;

	buf_init(&text, 0);
	clearance_text(&text, c);
	r = text.failed ? ERR_MEMORY : hash_sha256(text.data, text.len, hash);
	buf_done(&text);
	if (r != 0)
		return r;
	text_hex(hex, hash, sizeof(hash));
	return buf_text(hex) == NULL ? ERR_MEMORY : 0;
}

static int
compare_clearance(struct recheck *x, const struct clearance *d,
    const struct record_session *c, uint64_t c_seq)
{
	struct buf hex;
	size_t i;
	int r;

	buf_init(&hex, 0);
	if ((r = clearance_hash(d, &hex)) != 0)
		goto out;
	if (strcmp((const char *)hex.data, c->clearance) != 0) {
		r = doubt(x, "clearance", "the recorded policy, catalog and "
		    "directory give it another clearance than entry %" PRIu64
		    " names", c_seq);
		goto out;
	}
	for (i = 0; i < d->n_tables && r == 0; i++)
		r = compare_table(x, &d->tables[i], &c->bound, c_seq);
out:
	buf_done(&hex);
	return r;
}

/* Room for what a request points to. */
struct stated {
	struct policy_scope scope;	/* of its ticket */
	struct policy_approvals approved;
};

/* What a session asked, as its records say. */
static struct policy_request
request_of(const struct recheck *x, const struct record_session *c,
    const struct principal *who, const struct control *control,
    const struct catalog *catalog, struct stated *to)
{
	struct policy_request q = {
		.who = who, .control = control, .store = x->store->store,
		.residences = x->store->residences.s,
		.n_residences = x->store->residences.n,
		.catalog = catalog, .purpose = c->purpose,
		.ticket = c->ticket, .approved = &to->approved,
		.at_ms = x->at_ms,
	};

	ticket_of_record(c, &to->scope, &q);
	return q;
}

static int
recheck_clearance(struct recheck *x, const struct record_session *c,
    uint64_t c_seq, const struct principal *who,
    const struct control *control, const struct catalog *catalog)
{
	struct policy_request q;
	const struct clearance *decided = NULL;
	const struct policy *p = NULL;
	struct stated to;
	const char *why;
	int r;

	if ((r = objects_policy(x->objects, c->policy, &p, &why)) != 0)
		return missing(x, r, why);
	if (approvals_of_record(c, x->at_ms, x->arena, &to.approved) != 0)
		return ERR_MEMORY;
	q = request_of(x, c, who, control, catalog, &to);
	r = policy_decide(p, &q, x->arena, &decided);
	if (r == ERR_MEMORY)
		return r;
	if (r != 0)
		return doubt(x, "clearance", "the recorded policy does not "
		    "decide: %s", err_text(r));
	return compare_clearance(x, decided, c, c_seq);
}

static int
compare_open_table(struct recheck *x, const struct catalog_table *t,
    const struct record_bound *b, uint64_t seq)
{
	const struct record_table *in = bound_find(b, t->full);
	const char *absent;
	size_t i;

	if (t->is_public)
		return 0;
	if (in == NULL)
		return doubt(x, "bound", "no clearance narrows this session, "
		    "and the bound of entry %" PRIu64 " leaves out %s", seq,
		    t->full);
	absent = first_absent(&in->residences, &x->store->residences);
	if (absent != NULL)
		return doubt(x, "bound", "no clearance narrows this session, "
		    "residents of %s belong in the store, and the bound of "
		    "entry %" PRIu64 " leaves them out of %s", absent, seq,
		    t->full);
	for (i = 0; i < t->n_columns; i++)
		if (!strs_have(&in->categories, t->columns[i].category))
			return doubt(x, "bound", "no clearance narrows this "
			    "session, and the bound of entry %" PRIu64
			    " leaves out %s in %s", seq,
			    t->columns[i].category, t->full);
	return 0;
}

/*
 * Nothing narrows a role that is not a clearance's: it is bounded by all
 * guarded tables, for everybody at home in the store. A session that got no
 * role reached nothing.
 */
static int
recheck_open_bound(struct recheck *x, const struct record_session *c,
    uint64_t c_seq, const struct catalog *catalog)
{
	size_t i;
	int r = 0;

	if (c->role[0] == 0 && c->bound.n == 0)
		return 0;
	for (i = 0; i < catalog->n_tables && r == 0; i++)
		r = compare_open_table(x, &catalog->tables[i], &c->bound,
		    c_seq);
	return r;
}

int
recheck_session(struct recheck *x, const struct record_session *c,
    uint64_t c_seq)
{
	bool person = strcmp(x->session->kind, "person") == 0;
	const struct control *control = NULL;
	const struct principal *who = NULL;
	const struct catalog *catalog = NULL;
	const char *why;
	int r;

	if ((r = recheck_reader(x, &who, &control)) != 0)
		return r;
	if (x->store == NULL)
		return doubt(x, "object", "no record says what the store %s "
		    "is", x->session->store);
	if ((r = objects_catalog(x->objects, x->store->catalog, &catalog,
	    &why)) != 0)
		return missing(x, r, why);
	if (strcmp(c->mode, x->store->mode) != 0 && (r = doubt(x, "bound",
	    "entry %" PRIu64 " says mode %s, and the store is in mode %s",
	    c_seq, c->mode, x->store->mode)) != 0)
		return r;
	if (!person || strcmp(c->mode, "enforce") != 0)
		return recheck_open_bound(x, c, c_seq, catalog);
	if (control == NULL)
		return 0;		/* said already */
	return recheck_clearance(x, c, c_seq, who, control, catalog);
}

static const char *
narrower(const struct record_table *have, const struct record_table *need)
{
	const char *s;

	if ((s = first_absent(&have->residences, &need->residences)) != NULL)
		return s;
	if ((s = first_absent(&have->categories, &need->categories)) != NULL)
		return s;
	return first_absent(&have->masked, &need->masked);
}

static bool
bound_has(const struct record_bound *b, const char *label)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		if (strs_have(&b->tables[i].residences, label))
			return true;
	return false;
}

int
recheck_statement(struct recheck *x, const struct record_session *c,
    const struct record_statement *s, uint64_t s_seq)
{
	const struct record_table *have, *need;
	const char *absent;
	size_t i;

	for (i = 0; i < c->bound.n; i++) {
		need = &c->bound.tables[i];
		if ((have = bound_find(&s->bound, need->table)) == NULL) {
			if (!s->whole)
				continue;
			return doubt(x, "bound", "entry %" PRIu64 " is "
			    "bounded by all that the session can reach, and "
			    "leaves out %s", s_seq, need->table);
		}
		if ((absent = narrower(have, need)) != NULL)
			return doubt(x, "bound", "the session can reach %s "
			    "of %s, and the bound of entry %" PRIu64
			    " leaves that out", absent, need->table, s_seq);
	}
	for (i = 0; i < s->n_subjects; i++)
		if (!bound_has(&s->bound, s->subjects[i].label))
			return doubt(x, "bound", "entry %" PRIu64 " lists "
			    "subjects of %s, and its bound has none", s_seq,
			    s->subjects[i].label);
	return 0;
}

/* The tables of which the clearance shows more than the plain policy does. */
static int
demanding(struct recheck *x, const struct policy *p,
    const struct policy_request *q, struct arena *a, struct record_strs *ret)
{
	const struct clearance *full = NULL, *plain = NULL;
	const char **names;
	size_t i, n = 0;
	int r;

	if ((r = policy_decide(p, q, x->arena, &full)) != 0 ||
	    (r = policy_decide(policy_plain(p), q, x->arena, &plain)) != 0)
		return r;
	if ((names = arena_array(a, full->n_tables, sizeof(*names))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < full->n_tables; i++) {
		if (!clearance_needs_exact(full, plain, i))
			continue;
		names[n] = arena_str(a, full->tables[i].table->full);
		if (names[n++] == NULL)
			return ERR_MEMORY;
	}
	*ret = (struct record_strs){names, n};
	return 0;
}

int
recheck_demands(struct recheck *x, const struct record_session *c,
    struct arena *a, struct record_strs *ret)
{
	const struct record_session *s = x->session;
	const struct directory *d = NULL;
	const struct catalog *catalog = NULL;
	const struct policy *p = NULL;
	const struct principal *who;
	const struct control *control;
	struct policy_request q;
	struct stated to;
	const char *why;
	int r;

	*ret = (struct record_strs){NULL, 0};
	if (x->store == NULL || strcmp(s->kind, "person") != 0 ||
	    strcmp(c->mode, "enforce") != 0)
		return 0;
	if ((r = objects_policy(x->objects, c->policy, &p, &why)) != 0 ||
	    policy_plain(p) == NULL ||
	    (r = objects_directory(x->objects, s->directory, &d,
	    &why)) != 0 || (r = objects_catalog(x->objects,
	    x->store->catalog, &catalog, &why)) != 0 ||
	    (r = directory_principal(d, s->principal, x->at_ms, x->arena,
	    &who)) != 0 || (r = control_of(d, s->principal, x->at_ms,
	    s->seen_at.s, s->seen_at.n, x->arena, &control)) != 0 ||
	    (r = approvals_of_record(c, x->at_ms, x->arena,
	    &to.approved)) != 0)
		goto out;
	q = request_of(x, c, who, control, catalog, &to);
	r = demanding(x, p, &q, a, ret);
out:
	/* What else does not come out is a doubt of recheck_session's. */
	return r == ERR_MEMORY ? r : 0;
}

const char *
recheck_demanded(const struct record_strs *demands,
    const struct record_statement *s)
{
	size_t i;

	for (i = 0; i < demands->n; i++)
		if (s->whole || bound_find(&s->bound, demands->s[i]) != NULL)
			return demands->s[i];
	return NULL;
}

int
recheck_bounded(struct recheck *x, const char *table, uint64_t s_seq)
{
	return doubt(x, "exact", "the policy lets it read %s only under a "
	    "record that lists whose rows they are, and entry %" PRIu64
	    ", which is bounded, was answered", table, s_seq);
}

int64_t
recheck_until(struct recheck *x, const struct record_session *c)
{
	int64_t text = objects_changes_at(x->objects, c->policy,
	    c->directory, x->at_ms);
	int64_t approval = approvals_until(c, x->at_ms);

	return text < approval ? text : approval;
}

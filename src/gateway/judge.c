#include "gateway/judge.h"

#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "gateway/judge_parts.h"
#include "gateway/limits.h"
#include "gateway/setting.h"
#include "gateway/twins.h"
#include "lineage/analyze.h"
#include "lineage/rewrite.h"
#include "policy/policy.h"

#define REFUSALS_MAX 32		/* more are not written down one by one */
#define WHAT_MAX 80

struct work {
	const struct judge *j;
	struct arena *a;
	const char *sql;
	struct judgement *out;
	bool *tables;
	struct refusal *refusals;
	bool marked;		/* names what is the gateway's own */
	bool failed;		/* out of memory */
};

static const char *
text_of(struct work *w, const char *s)
{
	const char *copy;

	if (s == NULL)
		return NULL;
	if ((copy = arena_str(w->a, s)) == NULL)
		w->failed = true;
	return copy;
}

/* Everything within reach; the first reason given is kept. */
static void
judge_whole(struct work *w, const char *why)
{
	if (w->out->whole)
		return;
	w->out->whole = true;
	w->out->whole_why = text_of(w, why != NULL ? why : "");
	w->out->guarded = true;
}

static struct refusal *
refuse(struct work *w, const char *sqlstate, const char *message)
{
	struct refusal *r;

	if (message == NULL) {
		w->failed = true;
		return NULL;
	}
	if (w->out->n_refusals == REFUSALS_MAX)
		return NULL;
	r = &w->refusals[w->out->n_refusals++];
	r->message = message;
	r->record.table = "";
	r->record.rule = "";
	r->record.because = "";
	r->record.sqlstate = sqlstate;
	return r;
}

static void
refuse_table(struct work *w, const struct catalog_table *t)
{
	const struct clearance_table *ct;
	struct policy_reason why;
	struct refusal *r;
	size_t i;

	for (i = 0; i < w->out->n_refusals; i++)
		if (strcmp(w->refusals[i].record.table, t->full) == 0)
			return;
	if ((r = refuse(w, "42501", arena_fmt(w->a,
	    "reading %s in store %s is refused", t->full,
	    w->j->store))) == NULL)
		return;
	r->record.table = t->full;
	ct = clearance_find(w->j->clearance, t);
	if (ct == NULL || ct->readable) {
		r->detail = "no rule permits it";
		return;
	}
	if (clearance_refusal(w->j->clearance, ct, w->a, &why) != 0) {
		w->failed = true;
		return;
	}
	r->record.rule = why.rule != NULL ? why.rule : "";
	r->record.because = why.because;
	if (why.rule != NULL)
		r->detail = arena_fmt(w->a, "rule \"%s\" forbids it%s%s",
		    why.rule, *r->record.because != 0 ? ": " : "",
		    r->record.because);
	else
		r->detail = arena_fmt(w->a, "no rule permits it%s%s",
		    *r->record.because != 0 ? ": " : "", r->record.because);
	if (r->detail == NULL)
		w->failed = true;
	if (*why.hint != 0)
		r->hint = why.hint;
}

static void
refuse_unlisted(struct work *w, const struct statement_table *t)
{
	const char *name;
	struct refusal *r;

	name = t->schema == NULL ? t->name :
	    arena_fmt(w->a, "%s.%s", t->schema, t->name);
	if (name == NULL) {
		w->failed = true;
		return;
	}
	r = refuse(w, "42501", arena_fmt(w->a,
	    "reading %s in store %s is refused", name, w->j->store));
	if (r == NULL)
		return;
	r->record.table = text_of(w, name);
	r->detail = "the catalog does not list it, and what the catalog does "
	    "not list persons do not get";
	r->hint = "ask whoever keeps the catalog to list it";
}

/*
 * Persons read views, which are found by the search path. A table that is
 * named with its schema is the store's own, which their login cannot read.
 */
static void
refuse_qualified(struct work *w, const struct statement_table *t)
{
	struct refusal *r;

	r = refuse(w, "42501", arena_fmt(w->a,
	    "%s.%s cannot be read under its schema's name", t->schema,
	    t->name));
	if (r == NULL)
		return;
	r->record.table = arena_fmt(w->a, "%s.%s", t->schema, t->name);
	r->detail = "what persons may see of a table is a view of its name, "
	    "without a schema";
	r->hint = arena_fmt(w->a, "write %s instead of %s.%s", t->name,
	    t->schema, t->name);
	if (r->record.table == NULL || r->hint == NULL)
		w->failed = true;
}

/*
 * Relations of PostgreSQL's own that persons may read: they tell how the
 * store is made, and nothing of what its tables hold or others do.
 */
static const char *const own_relations[] = {
	"pg_aggregate", "pg_am", "pg_amop", "pg_amproc", "pg_attrdef",
	"pg_attribute", "pg_auth_members", "pg_available_extensions",
	"pg_cast", "pg_class", "pg_collation", "pg_constraint",
	"pg_conversion", "pg_database", "pg_db_role_setting",
	"pg_default_acl", "pg_depend", "pg_description", "pg_enum",
	"pg_event_trigger", "pg_extension", "pg_foreign_data_wrapper",
	"pg_foreign_server", "pg_foreign_table", "pg_group", "pg_index",
	"pg_indexes", "pg_inherits", "pg_init_privs", "pg_language",
	"pg_matviews", "pg_namespace", "pg_opclass", "pg_operator",
	"pg_opfamily", "pg_parameter_acl", "pg_partitioned_table",
	"pg_policies", "pg_policy", "pg_proc", "pg_publication",
	"pg_publication_namespace", "pg_publication_rel",
	"pg_publication_tables", "pg_range", "pg_rewrite", "pg_roles",
	"pg_rules", "pg_seclabel", "pg_seclabels", "pg_sequence",
	"pg_sequences", "pg_settings", "pg_shdescription",
	"pg_statistic_ext", "pg_tables", "pg_tablespace",
	"pg_timezone_abbrevs", "pg_timezone_names", "pg_transform",
	"pg_trigger", "pg_ts_config", "pg_ts_config_map", "pg_ts_dict",
	"pg_ts_parser", "pg_ts_template", "pg_type", "pg_user", "pg_views",
};

static bool
named(const char *const *list, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

#define NAMED(list, name) named(list, sizeof(list) / sizeof(*(list)), name)

static bool
is_own(const struct statement_table *t)
{
	if (t->schema != NULL && strcmp(t->schema, "pg_catalog") != 0)
		return strcmp(t->schema, "information_schema") == 0;
	return NAMED(own_relations, t->name);
}

/* Statistics, activity, others' statements: PostgreSQL shows them to all. */
static void
refuse_telling(struct work *w, const struct statement_table *t)
{
	struct refusal *r;

	r = refuse(w, "42501", arena_fmt(w->a,
	    "reading pg_catalog.%s in store %s is refused", t->name,
	    w->j->store));
	if (r == NULL)
		return;
	r->record.table = arena_fmt(w->a, "pg_catalog.%s", t->name);
	if (r->record.table == NULL)
		w->failed = true;
	r->detail = "of PostgreSQL's own tables persons read those that tell "
	    "how the store is made, not what it holds or who is at work";
	r->hint = "count what you may see instead, or ask whoever runs the "
	    "store";
}

/* pg_class says how many rows and pages each table has, with all of them. */
static void
refuse_sizes(struct work *w)
{
	struct refusal *r;

	r = refuse(w, "42501", arena_fmt(w->a, "sizes in pg_class, "
	    "pg_attribute and pg_database of store %s are refused",
	    w->j->store));
	if (r == NULL)
		return;
	r->record.table = "pg_catalog.pg_class";
	r->detail = "they count rows that you may not see";
	r->hint = "name the columns that you need, without *, and none of "
	    "reltuples, relpages, relallvisible, relfrozenxid, relminmxid, "
	    "attoptions, datfrozenxid, datminmxid";
}

/*
 * A plan is chosen by statistics of all rows, and its costs tell them. Of
 * tables that everybody sees in full it may be shown.
 */
static void
judge_explain(struct work *w, const struct statement *st)
{
	const struct catalog_table *t;
	struct refusal *r;
	bool known = !st->whole;
	size_t i, k;

	for (i = 0; known && i < st->n_tables; i++) {
		known = false;
		for (k = 0; k < w->j->catalog->n_tables; k++) {
			t = &w->j->catalog->tables[k];
			if (strcmp(t->name, st->tables[i].name) != 0)
				continue;
			known = t->is_public;
			if (!known)
				break;
		}
	}
	if (known)
		return;
	r = refuse(w, "42501", arena_fmt(w->a, "EXPLAIN is refused in store "
	    "%s but of public tables", w->j->store));
	if (r == NULL)
		return;
	r->detail = "a plan, with its costs or without, comes from statistics "
	    "of rows that you may not see";
	r->hint = "run the statement without EXPLAIN, or ask whoever runs the "
	    "store for its plan";
}

/*
 * An unqualified name counts for every table of the catalog that has it,
 * whatever the search path is.
 */
static bool
mark_tables(struct work *w, const char *schema, const char *name)
{
	const struct catalog *c = w->j->catalog;
	bool any = false;
	size_t i;

	for (i = 0; i < c->n_tables; i++) {
		if (strcmp(c->tables[i].name, name) != 0 ||
		    (schema != NULL &&
		    strcmp(c->tables[i].schema, schema) != 0))
			continue;
		any = true;
		w->tables[i] = true;
		if (c->tables[i].is_public)
			continue;
		w->out->guarded = true;
		if (!w->j->clearance->tables[i].readable)
			refuse_table(w, &c->tables[i]);
	}
	return any;
}

static void
judge_table(struct work *w, const struct statement_table *t)
{
	const char *schema = t->schema;
	size_t before = w->out->n_refusals;

	if (schema != NULL && w->j->schema != NULL &&
	    (strcmp(schema, w->j->schema) == 0 || (w->j->login != NULL &&
	    twins_is_schema(w->j->login, schema))))
		schema = NULL;
	if (mark_tables(w, schema, t->name)) {
		if (schema != NULL && w->j->schema != NULL &&
		    w->out->n_refusals == before)
			refuse_qualified(w, t);
		return;
	}
	if (is_own(t))
		return;
	if (strncmp(t->name, "pg_", 3) == 0 && (t->schema == NULL ||
	    strcmp(t->schema, "pg_catalog") == 0)) {
		refuse_telling(w, t);
		judge_whole(w, "reads statistics or others' statements");
		return;
	}
	refuse_unlisted(w, t);
	judge_whole(w, "reads a table that the catalog does not list");
}

static void
refuse_longer(struct work *w, const struct statement *st)
{
	struct refusal *r;

	r = refuse(w, "42501", arena_fmt(w->a, "setting %s is refused",
	    st->set_name));
	if (r != NULL)
		r->detail = arena_fmt(w->a, "statements of persons run for at "
		    "most %llu ms in store %s",
		    (unsigned long long)w->j->limits->statement_ms,
		    w->j->store);
}

static void
judge_setting(struct work *w, const struct statement *st)
{
	struct refusal *r;

	if (st->set_name == NULL) {
		w->out->resets_all = true;
		return;
	}
	if (setting_is_purpose(st->set_name) ||
	    setting_is_ticket(st->set_name))
		w->out->ours = st;
	if (setting_changes_reading(st->set_name))
		w->out->changes_reading = true;
	/* RESET has no value; what it goes back to was allowed at login. */
	if (strncasecmp(st->what, "RESET", 5) == 0 ?
	    setting_allowed(st->set_name, "utf8") :
	    setting_allowed(st->set_name, st->set_value)) {
		if (w->j->limits != NULL && !limits_allow(w->j->limits,
		    st->set_name, st->set_value))
			refuse_longer(w, st);
		return;
	}
	r = refuse(w, "42501", arena_fmt(w->a, "setting %s is refused",
	    st->set_name));
	if (r != NULL)
		r->detail = "persons may change only settings that leave "
		    "the reading of SQL and their rights as they are";
}

/*
 * One INSERT, UPDATE or DELETE of a table where a rule permits it. Which
 * columns and rows, the store's rights and row filters decide.
 */
static bool
judge_write(struct work *w, const struct statement *st)
{
	static const char *const whats[] = {"INSERT", "UPDATE", "DELETE"};
	const struct catalog *c = w->j->catalog;
	const struct catalog_table *t = NULL;
	const char *before = w->out->writes;
	size_t i, k, n = 0;

	for (k = 0; k < POLICY_WRITES; k++)
		if (strcmp(st->what, whats[k]) == 0)
			break;
	if (st->target == NULL || k == POLICY_WRITES)
		return false;
	for (i = 0; i < c->n_tables; i++) {
		if (strcmp(c->tables[i].name, st->target->name) != 0 ||
		    !w->j->clearance->tables[i].readable)
			continue;
		t = &c->tables[i];
		n++;
	}
	if (n != 1 || !clearance_writes(clearance_find(w->j->clearance, t),
	    (enum policy_write)k))
		return false;
	w->out->writes = arena_fmt(w->a, "%s%s%s %s", before != NULL ?
	    before : "", before != NULL ? ", " : "",
	    policy_write_text((enum policy_write)k), t->full);
	w->failed |= w->out->writes == NULL;
	return true;
}

/* How a refusal to write is worded: what is meant, and what may be asked. */
static const char *
why_no_write(const struct statement *st)
{
	return st->target != NULL ? "no rule permits it for every residence "
	    "that you see of the table, and what no rule permits is left to "
	    "services" : "persons read, and write by a single INSERT, UPDATE "
	    "or DELETE where a rule permits it; whatever else writes, defines "
	    "or runs code is left to services";
}

static bool
class_allowed(enum statement_class c)
{
	switch (c) {
	case STATEMENT_EMPTY:
	case STATEMENT_READ:
	case STATEMENT_EXPLAIN:
	case STATEMENT_COPY_OUT:
	case STATEMENT_CURSOR:
	case STATEMENT_PREPARED:
	case STATEMENT_TRANSACTION:
	case STATEMENT_SET:
	case STATEMENT_SHOW:
	case STATEMENT_DISCARD:
		return true;
	case STATEMENT_UNKNOWN:
	case STATEMENT_WRITE:
	case STATEMENT_OTHER:
		return false;
	}
	return false;
}

/* CLOSE and DEALLOCATE only forget. */
static bool
runs_named(const struct statement *st)
{
	return st->naming.kind == NAMING_FETCH ||
	    st->naming.kind == NAMING_EXECUTE;
}

/* Classes whose text does not name what they read. */
static void
judge_class(struct work *w, const struct statement *st)
{
	struct refusal *r;

	if (st->class == STATEMENT_UNKNOWN || st->class == STATEMENT_OTHER)
		judge_whole(w, "runs what its text does not show");
	else if (runs_named(st)) {
		w->out->runs_named = true;
		judge_whole(w, st->class == STATEMENT_CURSOR ?
		    "reads from a cursor" : "executes a prepared statement");
	}
	if (class_allowed(st->class) || (st->class == STATEMENT_WRITE &&
	    judge_write(w, st)))
		return;
	r = refuse(w, "42501", arena_fmt(w->a,
	    "%s is refused in store %s", st->what, w->j->store));
	if (r != NULL)
		r->detail = why_no_write(st);
}

/* DISCARD ALL, or another DISCARD with such a comment: a reset too many does
 * no harm. */
static bool
says_all(const struct work *w, const struct statement *st)
{
	const char *p = w->sql + st->start;
	size_t i;

	for (i = 0; i + 3 <= st->len; i++)
		if (strncasecmp(p + i, "all", 3) == 0)
			return true;
	return false;
}

/* A cursor that outlives its transaction is not told from others. */
static bool
leaves(const struct statement *st)
{
	switch (st->class) {
	case STATEMENT_SET:
		return !st->set_local && (st->set_name == NULL ||
		    !setting_is_ours(st->set_name));
	case STATEMENT_PREPARED:
		return strncasecmp(st->what, "PREPARE", 7) == 0;
	case STATEMENT_WRITE:
		return st->target == NULL;
	case STATEMENT_OTHER:
	case STATEMENT_UNKNOWN:
		return true;
	case STATEMENT_EMPTY:
	case STATEMENT_READ:
	case STATEMENT_EXPLAIN:
	case STATEMENT_COPY_OUT:
	case STATEMENT_CURSOR:
	case STATEMENT_TRANSACTION:
	case STATEMENT_SHOW:
	case STATEMENT_DISCARD:
		break;
	}
	return false;
}

static void
judge_statement(struct work *w, const struct statement *st)
{
	struct refusal *r;
	size_t i;

	if (st->forbidden_function != NULL) {
		r = refuse(w, "42501", arena_fmt(w->a,
		    "calling %s is refused in store %s",
		    st->forbidden_function, w->j->store));
		if (r != NULL)
			r->detail = "it reads or changes more than the "
			    "statement says";
		judge_whole(w, "calls a function that reads what it likes");
		w->out->changes_reading = true;
	}
	judge_class(w, st);
	if (st->class == STATEMENT_SET)
		judge_setting(w, st);
	w->out->leaves = w->out->leaves || leaves(st);
	if (st->class == STATEMENT_DISCARD && says_all(w, st))
		w->out->resets_all = true;
	for (i = 0; i < st->n_tables; i++)
		judge_table(w, &st->tables[i]);
	if (st->may_show_sizes)
		refuse_sizes(w);
	if (st->class == STATEMENT_EXPLAIN)
		judge_explain(w, st);
	if (st->whole)
		judge_whole(w, st->whole_why);
}

/* The statements' names, each once, cut where the record gets no use of it. */
static void
judge_what(struct work *w, const struct analysis *an)
{
	struct buf b;
	size_t i, j;

	buf_init(&b, 0);
	for (i = 0; i < an->n && b.len < WHAT_MAX; i++) {
		for (j = 0; j < i; j++)
			if (strcmp(an->statements[i].what,
			    an->statements[j].what) == 0)
				break;
		if (j < i)
			continue;
		if (b.len > 0)
			buf_str(&b, ", ");
		buf_str(&b, an->statements[i].what);
	}
	w->out->what = text_of(w, buf_text(&b));
	if (w->out->what == NULL)
		w->failed = true;
	buf_done(&b);
}

static void
judge_unread(struct work *w, const char *sqlstate, const char *message)
{
	w->out->what = "unread";
	judge_whole(w, "the parser does not understand it");
	w->out->changes_reading = true;
	(void)refuse(w, sqlstate, message); /* NULL sets w->failed */
}

/* Names that the gateway's own rewriting makes. */
static void
judge_marks(struct work *w, const char *sql, size_t len)
{
	struct refusal *r;

	if (w->j->twins == NULL || !rewrite_is_marked(sql, len))
		return;
	w->marked = true;
	r = refuse(w, "42501", "names that begin with " REWRITE_MARK
	    " are refused");
	if (r != NULL)
		r->detail = "they are the gateway's own";
	judge_whole(w, "names what is the gateway's own");
}

/* One that has an answer, or whose name has. */
static bool
is_query(const struct statement *st)
{
	return st->class == STATEMENT_READ ||
	    st->class == STATEMENT_COPY_OUT ||
	    ((st->naming.kind == NAMING_DECLARE ||
	    st->naming.kind == NAMING_PREPARE) && st->naming.name != NULL &&
	    naming_is_sure(st->naming.name));
}

/* A query of guarded tables, and nothing else, may say whose rows it gives. */
static void
judge_exact(struct work *w, const struct analysis *an, const char *sql,
    size_t len)
{
	const struct rewrite *r = NULL;

	if (w->j->twins == NULL || !w->out->guarded || w->out->whole ||
	    w->out->n_refusals > 0)
		return;
	if (an->n != 1 || !is_query(&an->statements[0])) {
		w->out->bounded_why = "is not one query";
		return;
	}
	if (rewrite(sql, len, w->j->twins, w->a, &r) != 0) {
		w->failed = true;
		return;
	}
	w->out->bounded_why = r->why;
	if (r->sql == NULL)
		return;
	if (an->statements[0].naming.hold && w->j->exact_only != NULL) {
		/* The end of its transaction may tell of any row. */
		w->out->bounded_why = "is read by the end of a transaction";
		return;
	}
	w->out->exact = r;
	w->out->sent = r;
	if ((w->out->sql = arena_strn(w->a, sql, len)) == NULL)
		w->failed = true;
}

/* The last refusal stands only where it is not known what a name stands for. */
static void
unless_named(struct work *w)
{
	if (!w->out->by_name || w->out->n_refusals == 0)
		return;
	w->out->unresolved = &w->refusals[--w->out->n_refusals];
}

static void
refuse_bounded(struct work *w, const struct catalog_table *t)
{
	const char *why = w->out->whole ? w->out->whole_why :
	    w->out->bounded_why;
	struct refusal *r;

	r = refuse(w, "42501", arena_fmt(w->a, "reading %s in store %s is "
	    "refused without an exact record", t->full, w->j->store));
	if (r == NULL)
		return;
	if (w->j->twins == NULL)
		why = "no record of this store can be exact";
	r->record.table = t->full;
	r->record.because = why != NULL && *why != 0 ? why :
	    "it cannot be told whose rows its answer would be from";
	r->detail = arena_fmt(w->a, "a rule permits it only where the record "
	    "lists whose rows they are, and for this statement it cannot: %s",
	    r->record.because);
	if (r->detail == NULL)
		w->failed = true;
	r->hint = w->j->twins != NULL ? rewrite_advice(why) : "ask whoever "
	    "runs the store to apply its clearances";
}

/* Where a rule demands an exact record, there is one or nothing is read. */
static void
judge_exact_only(struct work *w)
{
	const struct clearance *c = w->j->clearance;
	size_t i;

	if (w->j->exact_only == NULL || !w->out->guarded)
		return;
	for (i = 0; i < c->n_tables; i++)
		if (w->j->exact_only[i] && (w->out->whole || w->tables[i]))
			break;
	if (i == c->n_tables)
		return;
	w->out->exact_only = true;
	if (w->out->exact == NULL && w->out->n_refusals == 0) {
		refuse_bounded(w, c->tables[i].table);
		unless_named(w);
	}
}

static bool
about_names(const struct analysis *an)
{
	size_t i;

	for (i = 0; i < an->n; i++)
		if (an->statements[i].naming.kind != NAMING_NONE)
			return true;
	return false;
}

/* Whether its statements are looked at one by one. */
static bool
has_parts(const struct work *w, const struct analysis *an)
{
	return an->n > 1 && an->n <= JUDGE_PARTS_MAX &&
	    (w->out->guarded || about_names(an)) &&
	    (w->out->n_refusals == 0 || w->j->twins == NULL);
}

/* What it does with names, as far as only that is not known of it. */
static void
judge_names(struct work *w, const struct analysis *an)
{
	const struct statement *st = &an->statements[0];

	if (an->n != 1 || st->naming.kind == NAMING_NONE)
		return;
	w->out->naming = &st->naming;
	w->out->by_name = st->by_name && !w->j->reads_otherwise &&
	    !w->marked && w->out->n_refusals == 0 &&
	    st->naming.name != NULL && naming_is_sure(st->naming.name);
}

static void
judge_all(struct work *w, const char *sql, size_t len)
{
	const struct analysis *an = NULL;
	struct why why = {0};
	size_t i;

	switch (text_is_utf8(sql, len) ?
	    analyze(sql, len, w->a, &an, &why) : ERR_CONFLICT) {
	case 0:
		break;
	case ERR_FORMAT:
		judge_unread(w, "42601", arena_str(w->a, why.text));
		return;
	case ERR_LIMIT:
		judge_unread(w, "54000", arena_fmt(w->a, "a statement of more "
		    "than %zu bytes is refused", ANALYZE_MAX));
		return;
	case ERR_CONFLICT:
		judge_unread(w, "22021", "the statement is not UTF-8 text");
		return;
	default:
		w->failed = true;
		return;
	}
	w->out->alone = an->n == 1;
	judge_what(w, an);
	for (i = 0; i < an->n; i++)
		judge_statement(w, &an->statements[i]);
	if (w->j->reads_otherwise)
		judge_whole(w, "settings of the session change how SQL is "
		    "read");
	judge_marks(w, sql, len);
	judge_names(w, an);
	if (has_parts(w, an)) {
		if (judge_parts(w->j, an, sql, len, w->a, w->out) != 0)
			w->failed = true;
		return;
	}
	if (an->n > 1 && about_names(an))
		judge_whole(w, "names more than is kept in mind");
	judge_exact(w, an, sql, len);
	judge_exact_only(w);
}

int
judge_text(const struct judge *j, const char *sql, size_t len,
    struct arena *a, const struct judgement **ret)
{
	struct work w = {.j = j, .a = a, .sql = sql};

	w.out = arena_alloc(a, sizeof(*w.out));
	w.tables = arena_array(a, j->catalog->n_tables + 1, sizeof(bool));
	w.refusals = arena_array(a, REFUSALS_MAX, sizeof(*w.refusals));
	if (w.out == NULL || w.tables == NULL || w.refusals == NULL)
		return ERR_MEMORY;
	w.out->what = "";
	w.out->whole_why = "";
	w.out->tables = w.tables;
	w.out->refusals = w.refusals;
	judge_all(&w, sql, len);
	if (w.failed)
		return ERR_MEMORY;
	*ret = w.out;
	return 0;
}

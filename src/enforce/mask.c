/*
 * HMAC (RFC 2104) of x, with the key already padded and XORed in the table:
 *
 *	sha256(outer || sha256(inner || x))
 *
 * The key comes in by sub-selects without a reference to the row, which run
 * once for a statement. In the view's text it would be everybody's to read.
 *
 * What a coarser date is must not hang on a setting of the session: a reader
 * who moves its time zone second by second would find the time by watching
 * where the day turns. So dates and times are cut in UTC.
 */
#include "enforce/mask.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "catalog/mask.h"
#include "enforce/enforce.h"

#define PSEUDONYM_LEN 24	/* hex digits shown: 96 bits */

static bool
is_one(const char *s, const char *const *names)
{
	for (; *names != NULL; names++)
		if (strcmp(s, *names) == 0)
			return true;
	return false;
}

static bool
is_integer(const struct enforce_type *t)
{
	static const char *const names[] = {"smallint", "integer", "bigint",
	    NULL};

	return is_one(t->bare, names);
}

static bool
is_number(const struct enforce_type *t)
{
	static const char *const names[] = {"numeric", "real",
	    "double precision", NULL};

	return is_integer(t) || is_one(t->bare, names);
}

static bool
is_text(const struct enforce_type *t)
{
	return t->category == 'S';
}

static const char *
misfit_pseudonym(const struct enforce_type *t)
{
	static const char *const names[] = {"uuid", "bytea", NULL};

	return is_text(t) || is_integer(t) || is_one(t->bare, names) ? NULL :
	    "a pseudonym is for texts, integers, uuid and bytea";
}

static const char *
misfit_unit(const struct mask *m, const struct enforce_type *t)
{
	static const char *const times[] = {"timestamp without time zone",
	    "timestamp with time zone", NULL};
	static const char *const small[] = {"day", "hour", NULL};

	if (is_one(t->bare, times))
		return NULL;
	if (strcmp(t->bare, "date") != 0)
		return "units of time are for dates and timestamps";
	return is_one(m->arg, small) ?
	    "a date is no coarser for that: week, month, quarter, year" : NULL;
}

static const char *
misfit_step(const struct mask *m, const struct enforce_type *t)
{
	if (strcmp(t->bare, "point") == 0)
		return NULL;
	if (!is_number(t))
		return "a step is for numbers and points";
	if (is_integer(t) && (strchr(m->arg, '.') != NULL ||
	    strcmp(m->arg, "1") == 0))
		return "integers are rounded to a whole number above 1";
	return NULL;
}

const char *
mask_misfit(const struct mask *m, const struct enforce_type *t)
{
	static const char *const networks[] = {"inet", "cidr", NULL};

	switch (m->kind) {
	case MASK_CONSTANT:
	case MASK_NULL:
		return NULL;	/* a constant is the server's to read */
	case MASK_PSEUDONYM:
		return misfit_pseudonym(t);
	case MASK_FIRST:
	case MASK_LAST:
		return is_text(t) ? NULL : "first and last are for texts";
	case MASK_ROUND:
		return mask_is_unit(m) ? misfit_unit(m, t) :
		    misfit_step(m, t);
	case MASK_NETWORK:
		return is_one(t->bare, networks) ? NULL :
		    "network is for inet and cidr";
	}
	return "unknown mask";
}

/* What a type has for nothing, for columns that are never NULL. */
static const char *
nothing_of(const struct enforce_type *t)
{
	static const struct {
		const char *bare, *value;
	} values[] = {
		{"uuid", "'00000000-0000-0000-0000-000000000000'"},
		{"json", "'{}'"}, {"jsonb", "'{}'"}, {"bytea", "''"},
		{"point", "'(0,0)'"}, {"time without time zone", "'00:00'"},
		{"time with time zone", "'00:00+00'"},
		{"timestamp with time zone", "'1970-01-01 00:00+00'"},
		{"macaddr", "'00:00:00:00:00:00'"}, {"tsvector", "''"},
	};
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (strcmp(values[i].bare, t->bare) == 0)
			return values[i].value;
	switch (t->category) {	/* pg_type.typcategory */
	case 'A':
		return "'{}'";
	case 'B':
		return "false";
	case 'D':
		return "'1970-01-01'";
	case 'I':
		return "'0.0.0.0'";
	case 'N':
	case 'T':
		return "'0'";
	case 'R':
		return "'empty'";
	default:
		return "NULL";
	}
}

static void
constant_sql(struct buf *out, const struct mask *m,
    const struct enforce_type *t)
{
	if (m->arg != NULL) {
		text_sql_literal(out, m->arg);
		/* A text may be longer than the column's. */
		buf_fmt(out, "::%s", is_text(t) ? t->bare : t->type);
	} else if (is_text(t)) {
		buf_fmt(out, "'***'::%s", t->type);
	} else if (t->category == 'E' && t->not_null) {
		buf_fmt(out, "pg_catalog.enum_first(NULL::%s)", t->type);
	} else {
		buf_fmt(out, "%s::%s", t->not_null ? nothing_of(t) : "NULL",
		    t->type);
	}
}

static void
column_sql(struct buf *out, const struct enforce_type *t, const char *of)
{
	buf_fmt(out, "%s.", of);
	text_sql_ident(out, t->column);
}

/* In hexadecimal digits. */
static void
hmac_sql(struct buf *out, const struct enforce_type *t, const char *of)
{
	bool bytes = strcmp(t->bare, "bytea") == 0;

	buf_str(out, "pg_catalog.sha256((SELECT k.outer_pad FROM "
	    "sworn.pseudonym_key k) || pg_catalog.sha256((SELECT k.inner_pad "
	    "FROM sworn.pseudonym_key k) || ");
	if (!bytes)
		buf_str(out, "pg_catalog.convert_to(");
	column_sql(out, t, of);
	buf_str(out, bytes ? "))" : "::text, 'UTF8')))");
}

static void
pseudonym_sql(struct buf *out, const struct enforce_type *t, const char *of)
{
	if (strcmp(t->bare, "bytea") == 0) {
		hmac_sql(out, t, of);
		return;
	}
	buf_str(out, is_integer(t) ? "(('x' || " : "(");
	buf_str(out, "pg_catalog.substr(pg_catalog.encode(");
	hmac_sql(out, t, of);
	if (is_integer(t))	/* 63 bits: never below zero */
		buf_str(out, ", 'hex'), 1, 16))::bit(64)::bigint "
		    "& 9223372036854775807)");
	else if (strcmp(t->bare, "uuid") == 0)
		buf_str(out, ", 'hex'), 1, 32))::uuid");
	else
		buf_fmt(out, ", 'hex'), 1, %d))::%s", PSEUDONYM_LEN, t->bare);
}

/* Of a short value nothing is shown, or it would be the whole of it. */
static void
part_sql(struct buf *out, const struct mask *m, const struct enforce_type *t,
    const char *of)
{
	bool last = m->kind == MASK_LAST;

	buf_str(out, "(CASE WHEN pg_catalog.length(");
	column_sql(out, t, of);
	buf_fmt(out, "::text) >= 2 * %s THEN %spg_catalog.%s(", m->arg,
	    last ? "'***' || " : "", last ? "right" : "left");
	column_sql(out, t, of);
	buf_fmt(out, "::text, %s)%s WHEN ", m->arg, last ? "" : " || '***'");
	column_sql(out, t, of);
	buf_fmt(out, " IS NOT NULL THEN '***' END)::%s", t->bare);
}

static void
unit_sql(struct buf *out, const struct mask *m, const struct enforce_type *t,
    const char *of)
{
	bool zone = strcmp(t->bare, "timestamp with time zone") == 0;

	buf_fmt(out, "pg_catalog.date_trunc('%s', ", m->arg);
	column_sql(out, t, of);
	if (strcmp(t->bare, "date") == 0)
		buf_str(out, "::timestamp without time zone");
	buf_fmt(out, "%s)::%s", zone ? ", 'UTC'" : "", t->type);
}

/* Toward zero, so that it fits wherever the value did. */
static void
step_sql(struct buf *out, const struct mask *m, const struct enforce_type *t,
    const char *of)
{
	int i;

	if (is_integer(t)) {
		buf_str(out, "((");
		column_sql(out, t, of);
		buf_fmt(out, " / %s) * %s)::%s", m->arg, m->arg, t->type);
	} else if (is_number(t)) {
		buf_str(out, "(pg_catalog.trunc(");
		column_sql(out, t, of);
		buf_fmt(out, "::numeric / %s) * %s)::%s", m->arg, m->arg,
		    t->type);
	} else {
		buf_str(out, "pg_catalog.point(");
		for (i = 0; i < 2; i++) {
			buf_str(out, i > 0 ? ", (pg_catalog.trunc((" :
			    "(pg_catalog.trunc((");
			column_sql(out, t, of);
			buf_fmt(out, ")[%d]::numeric / %s) * %s)::double "
			    "precision", i, m->arg, m->arg);
		}
		buf_str(out, ")");
	}
}

static void
network_sql(struct buf *out, const struct mask *m,
    const struct enforce_type *t, const char *of)
{
	buf_str(out, "pg_catalog.network(pg_catalog.set_masklen(");
	column_sql(out, t, of);
	buf_str(out, "::inet, CASE pg_catalog.family(");
	column_sql(out, t, of);
	buf_fmt(out, "::inet) WHEN 4 THEN %s ELSE 2 * %s END))::%s", m->arg,
	    m->arg, t->type);
}

void
mask_sql(struct buf *out, const struct mask *m, const struct enforce_type *t,
    const char *of)
{
	switch (m->kind) {
	case MASK_CONSTANT:
		constant_sql(out, m, t);
		break;
	case MASK_NULL:
		buf_fmt(out, "NULL::%s", t->type);
		break;
	case MASK_PSEUDONYM:
		pseudonym_sql(out, t, of);
		break;
	case MASK_FIRST:
	case MASK_LAST:
		part_sql(out, m, t, of);
		break;
	case MASK_ROUND:
		if (mask_is_unit(m))
			unit_sql(out, m, t, of);
		else
			step_sql(out, m, t, of);
		break;
	case MASK_NETWORK:
		network_sql(out, m, t, of);
		break;
	}
}

/*
 * 32 bytes, hashed from random UUIDs: 488 bits of the server's strong
 * randomness. It never leaves the server, and no statement's text has it.
 * A block of SHA-256 has 64 bytes.
 */
void
mask_key_sql(struct buf *out)
{
	buf_str(out,
	    "CREATE TABLE IF NOT EXISTS sworn.pseudonym_key\n"
	    "\t(inner_pad bytea NOT NULL, outer_pad bytea NOT NULL);\n"
	    "REVOKE ALL ON sworn.pseudonym_key FROM PUBLIC;\n"
	    "DO $$DECLARE key bytea; i bytea := ''; o bytea := ''; BEGIN\n"
	    "\tIF EXISTS (SELECT FROM sworn.pseudonym_key) THEN\n"
	    "\t\tRETURN;\n"
	    "\tEND IF;\n"
	    "\tkey := sha256(uuid_send(gen_random_uuid())\n"
	    "\t    || uuid_send(gen_random_uuid())\n"
	    "\t    || uuid_send(gen_random_uuid())\n"
	    "\t    || uuid_send(gen_random_uuid()))\n"
	    "\t    || decode(repeat('00', 32), 'hex');\n"
	    "\tFOR n IN 0 .. 63 LOOP\n"
	    "\t\ti := i || set_byte('\\x00', 0, get_byte(key, n) # 54);\n"
	    "\t\to := o || set_byte('\\x00', 0, get_byte(key, n) # 92);\n"
	    "\tEND LOOP;\n"
	    "\tINSERT INTO sworn.pseudonym_key VALUES (i, o);\n"
	    "END$$;\n");
}

void
mask_key_grant_sql(struct buf *out, const char *role)
{
	buf_fmt(out, "GRANT USAGE ON SCHEMA sworn TO %s_own;\n"
	    "GRANT SELECT ON sworn.pseudonym_key TO %s_own;\n", role, role);
}

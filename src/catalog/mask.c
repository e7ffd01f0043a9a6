/*
 * Numbers keep the text they were written in, checked to be a plain decimal:
 * what is put into SQL later can be nothing else.
 */
#include "catalog/mask.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "yaml/yaml.h"

#define SHOWN_MAX 100		/* characters of a value */
#define BITS_MAX 32
#define STEP_LEN_MAX 15		/* a step fits into every kind of number */
#define CONSTANT_MAX 200	/* bytes */

static const char *const units[] = {"year", "quarter", "month", "week", "day",
    "hour", NULL};

/* Forms with an argument, in the order of `keys`. */
static const enum mask_kind kinds[] = {MASK_CONSTANT, MASK_FIRST, MASK_LAST,
    MASK_ROUND, MASK_NETWORK};
static const char *const keys[] = {"constant", "first", "last", "round",
    "network", NULL};

static bool
is_unit(const char *s)
{
	size_t i;

	for (i = 0; units[i] != NULL; i++)
		if (strcmp(units[i], s) == 0)
			return true;
	return false;
}

/* "10", "0.01": digits, perhaps a point with digits behind it, not zero. */
static bool
is_step(const char *s)
{
	size_t whole = strspn(s, "0123456789"), part = 0;

	if (whole == 0 || strlen(s) > STEP_LEN_MAX)
		return false;
	if (whole > 1 && s[0] == '0')
		return false;
	if (s[whole] == '.') {
		part = strspn(s + whole + 1, "0123456789");
		if (part++ == 0)
			return false;
	}
	return s[whole + part] == 0 && strspn(s, "0.") != whole + part;
}

static void
read_constant(struct yaml_in *in, const struct yaml_node *n, const char *s)
{
	const char *p;

	for (p = s; *p != 0; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			break;
	if (*p != 0 || p - s > CONSTANT_MAX)
		(void)yaml_fail(in, n, "a constant has at most %d bytes and "
		    "no control characters", CONSTANT_MAX);
}

static const char *
read_argument(struct yaml_in *in, enum mask_kind kind,
    const struct yaml_node *n)
{
	const char *s = yaml_str(in, n);

	if (s == NULL)
		return NULL;
	if (kind == MASK_CONSTANT)
		read_constant(in, n, s);
	else if (kind == MASK_ROUND && !is_unit(s) && !is_step(s))
		(void)yaml_fail(in, n, "\"%.40s\" is nothing to round to: a "
		    "number above zero of at most %d characters (10, 0.01), "
		    "or year, quarter, month, week, day, hour", s,
		    STEP_LEN_MAX);
	else if (kind == MASK_FIRST || kind == MASK_LAST)
		(void)yaml_u64(in, n, 1, SHOWN_MAX);
	else if (kind == MASK_NETWORK)
		(void)yaml_u64(in, n, 1, BITS_MAX);
	return s;
}

static struct mask
read_form(struct yaml_in *in, const struct yaml_node *n)
{
	struct mask m = { .kind = MASK_CONSTANT };
	size_t i;

	yaml_map(in, n, keys);
	if (in->result == 0 && n->n != 1)
		(void)yaml_fail(in, n, "a mask is one of constant, null, "
		    "pseudonym, first, last, round, network");
	if (in->result != 0)
		return m;
	for (i = 0; strcmp(keys[i], n->keys[0]->text) != 0; i++)
		continue;
	m.kind = kinds[i];
	m.arg = read_argument(in, m.kind, n->items[0]);
	return m;
}

struct mask
mask_read(struct yaml_in *in, const struct yaml_node *n)
{
	static const char *const words[] = {"constant", "null", "pseudonym",
	    NULL};
	static const enum mask_kind plain[] = {MASK_CONSTANT, MASK_NULL,
	    MASK_PSEUDONYM};
	struct mask m = { .kind = MASK_CONSTANT };

	if (n == NULL || in->result != 0)
		return m;
	if (n->kind == YAML_MAP) {
		m = read_form(in, n);
	} else {
		size_t i = yaml_enum(in, n, words);

		if (in->result == 0)
			m.kind = plain[i];
	}
	return in->result == 0 ? m : (struct mask){ .kind = MASK_CONSTANT };
}

bool
mask_is_unit(const struct mask *m)
{
	return m->kind == MASK_ROUND && is_unit(m->arg);
}

bool
mask_reads(const struct mask *m)
{
	return m->kind != MASK_CONSTANT && m->kind != MASK_NULL;
}

void
mask_text(struct buf *out, const struct mask *m)
{
	size_t i;

	if (m->kind == MASK_NULL) {
		buf_str(out, " null");
	} else if (m->kind == MASK_PSEUDONYM) {
		buf_str(out, " pseudonym");
	} else if (m->arg != NULL) {
		for (i = 0; kinds[i] != m->kind; i++)
			continue;
		buf_fmt(out, " %s ", keys[i]);
		if (m->kind == MASK_CONSTANT)
			text_sql_literal(out, m->arg);
		else
			buf_str(out, m->arg);
	}
}

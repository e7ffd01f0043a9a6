/*
 * The estimate never falls short of the depth. Brackets nest. Inside a pair
 * of brackets each token that can stand above another in the tree counts
 * one, whether or not it does: operators, casts, keywords. Between commas
 * expressions are siblings, so their counts begin anew; what joins whole
 * SELECTs (UNION, JOIN and the like) goes on across commas:
 *
 *     depth(group) = joins + max over items (tokens) + max over inner groups
 *
 * Names, constants, commas, dots, AND, OR (flattened by the parser) and
 * comparisons (which do not chain) count nothing.
 */
#include "lineage/depth.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

#define TOKEN(x) PG_QUERY__TOKEN__##x
#define OPEN_ROUND TOKEN(ASCII_40)
#define CLOSE_ROUND TOKEN(ASCII_41)
#define OPEN_SQUARE TOKEN(ASCII_91)
#define CLOSE_SQUARE TOKEN(ASCII_93)

struct group {
	unsigned joins;
	unsigned item;		/* tokens since the last comma */
	unsigned item_max;
	unsigned inner_max;
};

struct depth {
	size_t open;			/* brackets, and so the last group */
	struct group groups[DEPTH_MAX + 1];
};

enum weight {
	WEIGHT_NONE,
	WEIGHT_ITEM,
	WEIGHT_JOIN,
	WEIGHT_SEPARATOR,
	WEIGHT_OPEN,
	WEIGHT_CLOSE,
};

static enum weight
token_weight(PgQuery__Token token)
{
	switch ((int)token) {
	case OPEN_ROUND:
	case OPEN_SQUARE:
		return WEIGHT_OPEN;
	case CLOSE_ROUND:
	case CLOSE_SQUARE:
		return WEIGHT_CLOSE;
	case TOKEN(ASCII_44):	/* , */
	case TOKEN(ASCII_59):	/* ; */
		return WEIGHT_SEPARATOR;
	case TOKEN(UNION):
	case TOKEN(EXCEPT):
	case TOKEN(INTERSECT):
	case TOKEN(JOIN):
	case TOKEN(BEGIN_P):
	case TOKEN(ATOMIC):
	case TOKEN(EXPLAIN):
	case TOKEN(SCHEMA):
		return WEIGHT_JOIN;
	case TOKEN(IDENT):
	case TOKEN(UIDENT):
	case TOKEN(FCONST):
	case TOKEN(SCONST):
	case TOKEN(USCONST):
	case TOKEN(BCONST):
	case TOKEN(XCONST):
	case TOKEN(ICONST):
	case TOKEN(PARAM):
	case TOKEN(ASCII_46):	/* . */
	case TOKEN(ASCII_60):	/* < */
	case TOKEN(ASCII_61):	/* = */
	case TOKEN(ASCII_62):	/* > */
	case TOKEN(LESS_EQUALS):
	case TOKEN(GREATER_EQUALS):
	case TOKEN(NOT_EQUALS):
	case TOKEN(AND):
	case TOKEN(OR):
	case TOKEN(SQL_COMMENT):
	case TOKEN(C_COMMENT):
		return WEIGHT_NONE;
	default:		/* every other operator and keyword */
		return WEIGHT_ITEM;
	}
}

static unsigned
group_depth(const struct group *g)
{
	unsigned item = g->item > g->item_max ? g->item : g->item_max;

	return g->joins + item + g->inner_max;
}

/* One token; false once the text is too deep. */
static bool
group_add(struct depth *d, enum weight weight)
{
	struct group *g = &d->groups[d->open];
	unsigned inner;

	switch (weight) {
	case WEIGHT_NONE:
		return true;
	case WEIGHT_ITEM:
		g->item++;
		break;
	case WEIGHT_JOIN:
		g->joins++;
		break;
	case WEIGHT_SEPARATOR:
		if (g->item > g->item_max)
			g->item_max = g->item;
		g->item = 0;
		return true;
	case WEIGHT_OPEN:
		if (d->open == DEPTH_MAX)
			return false;
		d->open++;
		memset(&d->groups[d->open], 0, sizeof(*d->groups));
		return true;
	case WEIGHT_CLOSE:
		if (d->open == 0)
			return true;	/* the parser will refuse it */
		inner = group_depth(g) + 1;
		g = &d->groups[--d->open];
		if (inner > g->inner_max)
			g->inner_max = inner;
		break;
	}
	return group_depth(g) <= DEPTH_MAX;
}

int
depth_check(const char *sql, size_t len, struct why *w)
{
	PgQuery__ScanResult *tokens = NULL;
	PgQueryScanResult scan;
	struct depth *d = NULL;
	size_t i;
	int r = 0;

	/* No level of the tree has less than a byte of text. */
	if (len <= DEPTH_MAX)
		return 0;
	scan = pg_query_scan(sql);
	if (scan.error != NULL) {
		r = why_set(w, ERR_FORMAT, 0, 0, "%s", scan.error->message);
		goto out;
	}
	tokens = pg_query__scan_result__unpack(NULL, scan.pbuf.len,
	    (const uint8_t *)scan.pbuf.data);
	d = malloc(sizeof(*d));
	if (tokens == NULL || d == NULL) {
		r = why_set(w, ERR_MEMORY, 0, 0, "out of memory");
		goto out;
	}
	/* Groups begin when their bracket opens; the outermost begins here. */
	d->open = 0;
	memset(&d->groups[0], 0, sizeof(d->groups[0]));
	for (i = 0; i < tokens->n_tokens && r == 0; i++)
		if (!group_add(d,
		    token_weight(tokens->tokens[i]->token)))
			r = why_set(w, ERR_LIMIT, 0, 0,
			    "statement is nested too deeply; split it up");
	/* Brackets left open are an error that the parser reports. */
out:
	free(d);
	if (tokens != NULL)
		pg_query__scan_result__free_unpacked(tokens, NULL);
	pg_query_free_scan_result(scan);
	return r;
}

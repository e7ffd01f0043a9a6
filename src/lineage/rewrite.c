/*
 * The old text with insertions: what is not touched is byte for byte the
 * reader's, so an error's place in it can be found again.
 */
#include "lineage/rewrite.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <pg_query.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "lineage/depth.h"
#include "lineage/level.h"

#define EDITS_MAX 10000

bool
rw_not(struct rw *rw, const char *why)
{
	if (rw->why == NULL)
		rw->why = why;
	return false;
}

void
rw_edit(struct rw *rw, size_t at, size_t cut, unsigned rank, const char *text)
{
	struct edits *e = rw->edits;
	struct edit *list;
	size_t cap;

	if (e->n == e->cap) {
		cap = e->cap == 0 ? 16 : e->cap * 2;
		list = cap > EDITS_MAX ? NULL : arena_array(rw->a, cap,
		    sizeof(*list));
		if (list == NULL) {
			rw->failed = true;
			return;
		}
		if (e->n > 0)
			memcpy(list, e->list, e->n * sizeof(*list));
		e->list = list;
		e->cap = cap;
	}
	e->list[e->n].at = at;
	e->list[e->n].cut = cut;
	e->list[e->n].rank = rank;
	e->list[e->n].text = text == NULL ? NULL : arena_str(rw->a, text);
	if (e->list[e->n].text == NULL)
		rw->failed = true;
	e->n++;
}

const char *
rw_name(struct rw *rw)
{
	const char *s = arena_fmt(rw->a, REWRITE_MARK "%u", ++rw->names);

	if (s == NULL)
		rw->failed = true;
	return s;
}

void
level_part(struct level *lv, struct part **list, const char *text, bool own)
{
	struct part *p = arena_alloc(lv->rw->a, sizeof(*p));

	if (p == NULL || text == NULL ||
	    (p->text = arena_str(lv->rw->a, text)) == NULL) {
		lv->rw->failed = true;
		return;
	}
	p->own = own;
	p->next = *list;
	*list = p;
}

/* ---- tokens ---- */

size_t
rw_token(const struct rw *rw, size_t at)
{
	size_t low = 0, high = rw->tokens->n_tokens, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if ((size_t)rw->tokens->tokens[middle]->start < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

PgQuery__Token
rw_kind(const struct rw *rw, size_t token)
{
	return rw->tokens->tokens[token]->token;
}

size_t
rw_closing(const struct rw *rw, size_t token)
{
	size_t depth = 0, n = rw->tokens->n_tokens;

	for (; token < n; token++) {
		if (rw_kind(rw, token) == PG_QUERY__TOKEN__ASCII_40)
			depth++;
		else if (rw_kind(rw, token) == PG_QUERY__TOKEN__ASCII_41 &&
		    --depth == 0)
			return token;
	}
	return n;
}

/* ---- what a part of the tree names ---- */

struct touch {
	const struct level *lv;
	bool with, star;	/* a WITH query of tags; all columns */
	bool guarded;
};

static void
touch_name(struct touch *t, const PgQuery__RangeVar *v)
{
	const struct rewrite_schema *s = t->lv->rw->schema;
	const struct cte *c;
	size_t i;

	for (i = 0; i < s->n_tables; i++)
		if (strcmp(s->tables[i].name, v->relname) == 0)
			t->guarded = true;
	for (c = t->lv->ctes; c != NULL; c = c->up)
		if (c->hidden != NULL && strcmp(c->name, v->relname) == 0)
			t->with = true;
}

static bool
touch(void *arg, const ProtobufCMessage *m)
{
	struct touch *t = arg;

	if (m->descriptor == &pg_query__range_var__descriptor)
		touch_name(t, (const PgQuery__RangeVar *)m);
	if (m->descriptor == &pg_query__a__star__descriptor)
		t->star = true;
	return visit(m, touch, arg);
}

bool
rw_touches(struct level *lv, const ProtobufCMessage *m)
{
	struct touch t = { .lv = lv };

	(void)touch(&t, m);	/* it never ends early */
	return t.guarded || t.with;
}

bool
rw_has_star(struct level *lv, const ProtobufCMessage *m)
{
	struct touch t = { .lv = lv };

	(void)touch(&t, m);
	return t.with && t.star;
}

/* ---- the new text ---- */

static int
edit_compare(const void *a, const void *b)
{
	const struct edit *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (x->rank > y->rank) - (x->rank < y->rank);
}

/* Edits do not overlap: each is of a token, or between two. */
static bool
put(struct rw *rw, struct edits *e, size_t from, size_t to, struct buf *out,
    struct rewrite_piece *pieces, size_t *n)
{
	size_t at = from, i;

	if (e->n > 0)
		qsort(e->list, e->n, sizeof(*e->list), edit_compare);
	for (i = 0; i <= e->n; i++) {
		size_t next = i < e->n ? e->list[i].at : to;

		if (next < at || next > to)
			return false;
		if (pieces != NULL && next > at)
			pieces[(*n)++] = (struct rewrite_piece){at, out->len,
			    next - at};
		buf_bytes(out, rw->sql + at, next - at);
		if (i == e->n)
			break;
		buf_str(out, e->list[i].text);
		at = next + e->list[i].cut;
	}
	return !out->failed;
}

const char *
rw_render(struct rw *rw, struct edits *e, size_t from, size_t to)
{
	const char *text = NULL;
	struct buf out;

	buf_init(&out, 0);
	if (put(rw, e, from, to, &out, NULL, NULL) &&
	    (text = arena_str(rw->a, buf_text(&out))) == NULL)
		rw->failed = true;
	buf_done(&out);
	return text;
}

static int
finish(struct rw *rw, struct rewrite *ret)
{
	struct rewrite_piece *pieces;
	struct buf out;
	int r = 0;

	pieces = arena_array(rw->a, rw->edits->n + 1, sizeof(*pieces));
	if (pieces == NULL)
		return ERR_MEMORY;
	buf_init(&out, 0);
	if (!put(rw, rw->edits, 0, rw->len, &out, pieces, &ret->n_pieces))
		ret->why = "is an unusual query";
	else if ((ret->sql = arena_str(rw->a, buf_text(&out))) == NULL)
		r = ERR_MEMORY;
	ret->pieces = pieces;
	buf_done(&out);
	return r;
}

/* The query of a COPY whose lines are of the usual form; NULL: it is none. */
static const PgQuery__Node *
copied(const PgQuery__CopyStmt *c, enum rewrite_copy *ret)
{
	const PgQuery__DefElem *d;
	size_t i;

	if (c->query == NULL || c->is_from || c->is_program ||
	    c->filename[0] != 0)
		return NULL;
	*ret = REWRITE_TEXT;
	for (i = 0; i < c->n_options; i++) {
		d = c->options[i]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM ?
		    c->options[i]->def_elem : NULL;
		if (d == NULL || strcmp(d->defname, "format") != 0 ||
		    d->arg == NULL || d->arg->node_case !=
		    PG_QUERY__NODE__NODE_STRING)
			return NULL;
		if (strcmp(d->arg->string->sval, "csv") == 0)
			*ret = REWRITE_CSV;
		else if (strcmp(d->arg->string->sval, "text") != 0)
			return NULL;
	}
	return c->query;
}

/* The one query that a statement makes an answer or a name of; or NULL. */
static const PgQuery__Node *
query_of(const PgQuery__Node *n, struct rewrite *ret)
{
	if (n == NULL)
		return NULL;
	switch (n->node_case) {
	case PG_QUERY__NODE__NODE_COPY_STMT:
		return copied(n->copy_stmt, &ret->copy);
	case PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT:
		ret->names = true;
		return n->declare_cursor_stmt->query;
	case PG_QUERY__NODE__NODE_PREPARE_STMT:
		ret->names = true;
		return n->prepare_stmt->query;
	default:
		return n;
	}
}

static int
rewrite_tree(struct rw *rw, const PgQuery__ParseResult *tree,
    struct rewrite *ret)
{
	struct result all = {0};
	const PgQuery__Node *n = tree->n_stmts == 1 ? tree->stmts[0]->stmt :
	    NULL;

	n = query_of(n, ret);
	if (n == NULL || n->node_case != PG_QUERY__NODE__NODE_SELECT_STMT) {
		ret->why = "is not one query";
		return 0;
	}
	if (select_rewrite(rw, n->select_stmt, NULL, NULL, &all) &&
	    all.hidden == NULL)
		(void)rw_not(rw, "is an unusual query");
	if (rw->failed)
		return ERR_MEMORY;
	if (rw->why != NULL) {
		ret->why = rw->why;
		return 0;
	}
	ret->prefix = !all.all && !all.moves;
	return finish(rw, ret);
}

static int
scan(struct rw *rw)
{
	PgQueryScanResult s = pg_query_scan(rw->sql);
	int r = 0;

	if (s.error != NULL)
		r = ERR_FORMAT;
	else if ((rw->tokens = pg_query__scan_result__unpack(NULL,
	    s.pbuf.len, (const uint8_t *)s.pbuf.data)) == NULL)
		r = ERR_MEMORY;
	pg_query_free_scan_result(s);
	return r;
}

static int
rewrite_text(struct rw *rw, struct rewrite *ret)
{
	PgQueryProtobufParseResult parsed;
	PgQuery__ParseResult *tree = NULL;
	struct why w;
	int r;

	if ((r = depth_check(rw->sql, rw->len, &w)) != 0)
		goto out;
	if ((r = scan(rw)) != 0)
		goto out;
	parsed = pg_query_parse_protobuf(rw->sql);
	if (parsed.error != NULL)
		r = ERR_FORMAT;
	else if ((tree = pg_query__parse_result__unpack(NULL,
	    parsed.parse_tree.len,
	    (const uint8_t *)parsed.parse_tree.data)) == NULL)
		r = ERR_MEMORY;
	else
		r = rewrite_tree(rw, tree, ret);
	pg_query_free_protobuf_parse_result(parsed);
out:
	if (tree != NULL)
		pg_query__parse_result__free_unpacked(tree, NULL);
	if (rw->tokens != NULL)
		pg_query__scan_result__free_unpacked(rw->tokens, NULL);
	if (r != 0 && r != ERR_MEMORY) {
		ret->why = "is not understood";
		r = 0;
	}
	return r;
}

int
rewrite(const char *sql, size_t len, const struct rewrite_schema *s,
    struct arena *a, const struct rewrite **ret)
{
	struct edits edits = {0};
	struct rw rw = { .len = len, .schema = s, .a = a, .edits = &edits };
	struct rewrite *out;
	int r;

	if ((out = arena_alloc(a, sizeof(*out))) == NULL ||
	    (rw.sql = arena_strn(a, sql, len)) == NULL)
		return ERR_MEMORY;
	if ((r = rewrite_text(&rw, out)) == 0)
		*ret = out;
	return r;
}

bool
rewrite_is_marked(const char *sql, size_t len)
{
	size_t i, n = strlen(REWRITE_MARK);

	for (i = 0; i + n <= len; i++)
		if (strncasecmp(sql + i, REWRITE_MARK, n) == 0)
			return true;
	return false;
}

/* The byte at which a character begins, and back. */
static size_t
byte_of(const char *s, unsigned at)
{
	const char *p = s;

	for (; *p != 0; p++)
		if (((unsigned char)*p & 0xc0) != 0x80 && --at == 0)
			break;
	return (size_t)(p - s);
}

static unsigned
character_of(const char *s, size_t at)
{
	unsigned n = 1;
	size_t i;

	for (i = 0; i < at; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

unsigned
rewrite_place(const struct rewrite *r, const char *old, unsigned at)
{
	size_t byte, i;

	if (at == 0)
		return 0;
	byte = byte_of(r->sql, at);
	for (i = 0; i < r->n_pieces; i++)
		if (byte >= r->pieces[i].to &&
		    byte < r->pieces[i].to + r->pieces[i].len)
			return character_of(old, r->pieces[i].from + byte -
			    r->pieces[i].to);
	return 0;
}

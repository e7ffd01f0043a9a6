/*
 * Each statement's text is judged as if it had come alone; what is sent is
 * the whole text, in which those that can be exact are rewritten in place:
 *
 *	BEGIN; SELECT a FROM t; COMMIT
 *	BEGIN; SELECT <tags>, a FROM twin.t; COMMIT
 *	       '----- a part ------------'
 */
#include "gateway/judge_parts.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "gateway/judge.h"
#include "lineage/analyze.h"
#include "lineage/rewrite.h"

/* From `from` to `to` of the old text, as it is. */
static void
add_plain(struct rewrite *r, struct rewrite_piece *pieces, const char *sql,
    size_t from, size_t to, struct buf *out)
{
	if (to == from)
		return;
	pieces[r->n_pieces++] = (struct rewrite_piece){from, out->len,
	    to - from};
	buf_bytes(out, sql + from, to - from);
}

static void
add_part(struct rewrite *r, struct rewrite_piece *pieces,
    const struct judgement *p, struct buf *out)
{
	const struct rewrite *x = p->exact;
	size_t i;

	for (i = 0; i < x->n_pieces; i++)
		pieces[r->n_pieces++] = (struct rewrite_piece){
		    p->start + x->pieces[i].from,
		    out->len + x->pieces[i].to, x->pieces[i].len};
	buf_str(out, x->sql);
}

/* The whole text with its parts rewritten. 0 or ERR_MEMORY. */
static int
join(struct judgement *const *parts, size_t n, const char *sql, size_t len,
    struct arena *a, const struct rewrite **ret)
{
	struct rewrite_piece *pieces;
	struct rewrite *r;
	size_t at = 0, n_pieces = n + 1, i;
	struct buf out;

	for (i = 0; i < n; i++)
		if (parts[i]->exact != NULL)
			n_pieces += parts[i]->exact->n_pieces;
	r = arena_alloc(a, sizeof(*r));
	pieces = arena_array(a, n_pieces, sizeof(*pieces));
	if (r == NULL || pieces == NULL)
		return ERR_MEMORY;
	buf_init(&out, 0);
	for (i = 0; i < n; i++) {
		if (parts[i]->exact == NULL)
			continue;
		add_plain(r, pieces, sql, at, parts[i]->start, &out);
		add_part(r, pieces, parts[i], &out);
		at = parts[i]->start + parts[i]->len;
	}
	add_plain(r, pieces, sql, at, len, &out);
	r->pieces = pieces;
	r->sql = buf_text(&out) == NULL ? NULL :
	    arena_str(a, (const char *)out.data);
	buf_done(&out);
	*ret = r;
	return r->sql == NULL ? ERR_MEMORY : 0;
}

static int
judge_part(const struct judge *j, const struct statement *st, const char *sql,
    struct arena *a, struct judgement **ret)
{
	const struct judgement *alone;
	struct judgement *p;
	int r;

	if ((r = judge_text(j, sql + st->start, st->len, a, &alone)) != 0)
		return r;
	if ((p = arena_alloc(a, sizeof(*p))) == NULL)
		return ERR_MEMORY;
	*p = *alone;
	p->start = st->start;
	p->len = st->len;
	*ret = p;
	return 0;
}

/* The first of the parts' refusals is the whole's: none runs, then. */
static void
refuse_whole(struct judgement *w, const struct judgement *p)
{
	if (w->n_refusals > 0 || p->n_refusals == 0)
		return;
	w->refusals = p->refusals;
	w->n_refusals = p->n_refusals;
}

int
judge_parts(const struct judge *j, const struct analysis *an, const char *sql,
    size_t len, struct arena *a, struct judgement *ret)
{
	struct judgement **parts;
	const struct rewrite *sent = NULL;
	bool exact = false;
	const char *copy;
	size_t i;
	int r;

	parts = arena_array(a, an->n, sizeof(*parts));
	if (parts == NULL || (copy = arena_strn(a, sql, len)) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < an->n; i++) {
		if ((r = judge_part(j, &an->statements[i], sql, a,
		    &parts[i])) != 0)
			return r;
		refuse_whole(ret, parts[i]);
		exact = exact || parts[i]->exact != NULL;
		ret->exact_only = ret->exact_only || parts[i]->exact_only;
	}
	if (exact && (r = join(parts, an->n, copy, len, a, &sent)) != 0)
		return r;
	for (i = 0; i < an->n; i++) {
		parts[i]->sent = sent;
		parts[i]->sql = copy;
	}
	ret->sent = sent;
	ret->sql = copy;
	ret->parts = (const struct judgement *const *)parts;
	ret->n_parts = an->n;
	return 0;
}

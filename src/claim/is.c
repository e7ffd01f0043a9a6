/*
 * A person's statement is asked about while it went on; a service's session
 * is one disclosure, so what was found under each version that it went
 * through must be the same, or it is not known.
 */
#include "base/arena.h"
#include "base/err.h"
#include "claim/state.h"

static int
note_definitions(struct verdict *v, const struct record_session *c)
{
	const struct record_strs *is = &v->claim->who.is;
	const char *text;
	size_t i;
	int e = 0;

	for (i = 0; i < is->n && e == 0; i++) {
		text = arena_fmt(v->scratch, "\"%s\" in the policy %s",
		    is->s[i], c->policy);
		e = text == NULL ? ERR_MEMORY :
		    state_text_add(v, &v->definitions, text);
	}
	return e;
}

int
is_over(struct verdict *v, struct state_session *s, int64_t from_ms,
    int64_t to_ms, enum truth *ret)
{
	const struct record_session *c = &again_effective(s)->u.session;
	const struct defined_reader r = { .who = &v->claim->who,
	    .facts = &s->facts, .policy = c->policy,
	    .directory = c->directory };
	int e;

	*ret = TRUTH_TRUE;
	if (v->claim->who.is.n == 0)
		return 0;
	if (to_ms > v->claim->to_ms)
		to_ms = v->claim->to_ms;
	if ((e = note_definitions(v, c)) != 0 || (e = defined_over(&r,
	    v->objects, from_ms, to_ms, s->arena, &s->is, ret)) != 0)
		return e;
	if (s->has_is_before && s->is_before != *ret)
		*ret = TRUTH_UNKNOWN;
	return 0;
}

int
is_keep(struct verdict *v, struct state_session *s)
{
	enum truth t = TRUTH_TRUE;
	int e = 0;

	if (s->service) {
		e = is_over(v, s, s->is_from_ms, v->now->time_ms, &t);
		s->is_before = t;
		s->has_is_before = v->claim->who.is.n > 0;
	}
	s->is = (struct defined_answer){ .truth = TRUTH_UNKNOWN };
	s->is_from_ms = v->now->time_ms;
	return e;
}

/* gateway/desk_words.h: refused with words, or an order that, written out
 * again with quotes, is the same order. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "gateway/desk_words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
put(struct buf *out, const char *word, const char *s)
{
	if (s == NULL)
		return;
	buf_fmt(out, " %s '", word);
	for (; *s != 0; s++) {
		if (*s == '\'')
			buf_u8(out, '\'');
		buf_u8(out, (uint8_t)*s);
	}
	buf_u8(out, '\'');
}

static void
write_order(struct buf *out, const struct desk_order *o)
{
	static const char *const verbs[] = {"request", "approve", "deny",
	    "revoke", "break glass", "review"};

	buf_str(out, o->verb == DESK_SHOW_ONE ? "show approval" :
	    verbs[o->kind]);
	put(out, "", o->rule);
	put(out, "", o->id);
	put(out, "on", o->store);
	if (o->for_ms != 0)
		buf_fmt(out, " for '%llds'", (long long)o->for_ms / 1000);
	put(out, "because", o->why);
	put(out, "ticket", o->ticket);
}

static void
check(const char *a, const char *b)
{
	if ((a == NULL) != (b == NULL) || (a != NULL && strcmp(a, b) != 0))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	struct desk_order o, again;
	struct why w = {0};
	struct buf out;
	int r;

	if (a == NULL)
		return 0;
	buf_init(&out, 0);
	r = desk_read((const char *)data, len, a, &o, &w);
	if (r != 0 && r != ERR_MEMORY && w.text[0] == 0)
		abort();
	if (r != 0 || (o.verb != DESK_STEP && o.verb != DESK_SHOW_ONE))
		goto out;
	write_order(&out, &o);
	if (out.failed || desk_read((const char *)out.data, out.len, a,
	    &again, &w) != 0 || again.verb != o.verb ||
	    again.kind != o.kind || again.for_ms != o.for_ms)
		abort();
	check(o.id, again.id);
	check(o.rule, again.rule);
	check(o.store, again.store);
	check(o.why, again.why);
	check(o.ticket, again.ticket);
out:
	buf_done(&out);
	arena_free(a);
	return 0;
}

/* claim/pglog.h: the same lines, however the bytes are cut; and what pgaudit
 * wrote in them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "claim/pgaudit.h"
#include "claim/pglog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct sum {
	uint64_t h;
	struct arena *arena;
};

static void
add(struct sum *s, const char *text)
{
	for (; *text != 0; text++)
		s->h = s->h * 1099511628211u + (uint8_t)*text;
	s->h = s->h * 31 + 1;
}

static int
add_line(void *arg, const struct pglog_line *l)
{
	struct sum *s = arg;
	struct pgaudit a;
	bool is;

	add(s, l->user);
	add(s, l->database);
	add(s, l->from);
	add(s, l->message);
	s->h = (s->h ^ (uint64_t)l->time_ms ^ l->pid) * 31 + l->session +
	    l->number;
	if (pgaudit_read(l->message, s->arena, &is, &a) == 0 && is) {
		add(s, a.class);
		add(s, a.object);
		add(s, a.text);
	}
	arena_reset(s->arena);
	return 0;
}

static int
feed(const uint8_t *data, size_t len, size_t piece, struct sum *s)
{
	struct pglog *p = pglog_new(add_line, s);
	size_t i, n;
	int r = 0;

	for (i = 0; p != NULL && i < len && r == 0; i += n) {
		n = len - i < piece ? len - i : piece;
		r = pglog_feed(p, data + i, n);
	}
	if (p != NULL && r == 0)
		r = pglog_end(p);
	pglog_free(p);
	return r;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sum whole = {0, arena_new()}, bytes = {0, arena_new()};

	if (whole.arena != NULL && bytes.arena != NULL &&
	    (feed(data, len, len > 0 ? len : 1, &whole) !=
	    feed(data, len, 1, &bytes) || whole.h != bytes.h))
		abort();
	arena_free(whole.arena);
	arena_free(bytes.arena);
	return 0;
}

#include "verify/outcome.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "logdir/logread.h"

int
outcome_init(struct outcome *o)
{
	memset(o, 0, sizeof(*o));
	o->arena = arena_new();
	return o->arena == NULL ? ERR_MEMORY : 0;
}

void
outcome_done(struct outcome *o)
{
	free(o->damage.list);
	free(o->notes.list);
	arena_free(o->arena);
}

int
outcome_add(struct outcome *o, struct outcome_items *to, const char *what,
    const char *text, const char *dir)
{
	struct outcome_item *p;
	size_t cap;

	if (to->n == OUTCOME_ITEMS_MAX) {
		to->more++;
		return 0;
	}
	if (to->n == to->cap) {
		cap = to->cap == 0 ? 16 : to->cap * 2;
		if ((p = realloc(to->list, cap * sizeof(*p))) == NULL)
			return ERR_MEMORY;
		to->list = p;
		to->cap = cap;
	}
	p = &to->list[to->n++];
	p->what = arena_str(o->arena, what);
	p->text = arena_str(o->arena, text);
	p->dir = dir;
	return p->what == NULL || p->text == NULL ? ERR_MEMORY : 0;
}

int
outcome_add_log(struct outcome *o, const struct logread *l)
{
	struct outcome_log *to = &o->logs[o->n_logs];
	struct buf key;

	if (o->n_logs == OPTIONS_MAX)
		return ERR_LIMIT;
	buf_init(&key, 0);
	if (l->key != NULL)
		note_key_write(l->key, &key);
	to->dir = l->dir;
	to->head = l->head;
	to->entries = l->entries;
	to->first_ms = l->first_ms;
	to->last_ms = l->last_ms;
	to->gateway = arena_str(o->arena, l->gateway);
	to->origin = arena_str(o->arena, l->head.origin);
	to->key = buf_text(&key) == NULL ? NULL :
	    arena_str(o->arena, (const char *)key.data);
	buf_done(&key);
	o->n_logs++;
	return to->gateway == NULL || to->origin == NULL || to->key == NULL ?
	    ERR_MEMORY : 0;
}

/*
 * yaml/quick.h: what the quick reader reads, libyaml reads to the same tree.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "yaml/quick.h"
#include "yaml/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
compare(const struct yaml_node *x, const struct yaml_node *y)
{
	size_t i;

	if (x->kind != y->kind || x->line != y->line ||
	    x->column != y->column || x->quoted != y->quoted || x->n != y->n)
		abort();
	if (x->kind == YAML_SCALAR && strcmp(x->text, y->text) != 0)
		abort();
	for (i = 0; i < x->n; i++) {
		if (x->kind == YAML_MAP)
			compare(x->keys[i], y->keys[i]);
		compare(x->items[i], y->items[i]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct yaml_node *quick, *events;
	struct arena *a;
	struct why w;

	if (!text_is_utf8(text, size) || (a = arena_new()) == NULL)
		return 0;
	if (quick_parse(a, text, size, NULL, &quick) == 0) {
		if (events_parse(a, text, size, &events, &w) != 0)
			abort();
		compare(quick, events);
	}
	arena_free(a);
	return 0;
}

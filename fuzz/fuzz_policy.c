/*
 * policy/policy.h: any text is loaded whole or refused with words; what is
 * loaded shows nothing of residence "unknown" to anybody.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "catalog/catalog.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const categories[] = {"technical"};
	static const struct catalog_column column = {.name = "id",
	    .category = "technical"};
	static const struct catalog_subject self;
	static const struct catalog_table table = {"public", "users",
	    "public.users", false, &column, 1, &self, 1};
	static const struct catalog catalog = {.categories = categories,
	    .n_categories = 1, .tables = &table, .n_tables = 1,
	    .residence_store = true};
	static const char *const residences[] = {"unknown"};
	static const struct principal who = {.id = "x", .name = "x"};
	static const struct control control;
	const struct policy_request q = {.who = &who, .control = &control,
	    .store = "us", .residences = residences, .n_residences = 1,
	    .catalog = &catalog, .purpose = "moderation", .ticket = "TS-1"};
	const struct clearance *cl;
	struct arena *a = arena_new();
	struct policy *p = NULL;
	struct buf text;
	struct why w = {0};
	int result;

	buf_init(&text, 0);
	result = policy_load((const char *)data, size, &p, &w);
	if ((result == 0) != (p != NULL))
		abort();
	if (result != 0 && result != ERR_MEMORY && w.text[0] == 0)
		abort();	/* refused without a word */
	if (a != NULL && result == 0 && policy_decide(p, &q, a, &cl) == 0) {
		clearance_text(&text, cl);
		if (!cl->empty)
			abort();
	}
	if (result == 0 && policy_changes_at(p, 0) <= 0)
		abort();	/* time would stand still */
	buf_done(&text);
	policy_free(p);
	arena_free(a);
	return 0;
}

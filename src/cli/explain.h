/*
 * cli/explain.h - one explanation, in words or as JSON.
 */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/ask.h"
#include "cli/source.h"

struct buf;
struct catalog_table;
struct effect;

struct explain {
	struct source source;
	const char *table;
	bool json;
	struct ask ask;
	const struct config *config;
	struct ask_answer got;
	struct arena *a;
};

/* Whether a table was asked about. */
bool explain_asked(const struct explain *e, const struct catalog_table *t);
/* Whether rows of a table, by index, go only under an exact record. */
/* One way of writing to a table, in words: "update: hidden"; NULL: not that,
 * or out of memory. */
const char *explain_writes(const struct explain *e, size_t table,
    enum policy_write k);
bool explain_needs_exact(const struct explain *e, size_t table);
/* Of a table and a residence, by index. */
int explain_reason(const struct explain *e, size_t table, size_t residence,
    struct policy_reason *ret);
int explain_effect(const struct explain *e, size_t table, size_t residence,
    size_t column, struct effect *ret);

/* Each appends the whole answer. 0 or ERR_MEMORY. */
int explain_words(const struct explain *e, struct buf *out);
int explain_json(const struct explain *e, struct buf *out);

#endif

/*
 * lineage/depth.h - how deep the parse tree of an SQL text can be.
 *
 * libpg_query builds and copies the tree by recursion and does not look how
 * much stack is left: 5000 times "1+" end the process. So the depth is
 * bounded from the tokens, before the parser runs.
 * Format: PostgreSQL manual, "Lexical Structure", by libpg_query's scanner.
 */
#ifndef LINEAGE_DEPTH_H
#define LINEAGE_DEPTH_H

#include "base/err.h"

#define DEPTH_MAX 1000

/* 0: not deeper than DEPTH_MAX; ERR_LIMIT; ERR_FORMAT (*w has why). */
int depth_check(const char *sql, size_t len, struct why *w);

#endif

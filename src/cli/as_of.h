/*
 * cli/as_of.h - the configuration that a version of a log was, as far as
 * decisions go: policy, directory, stores with their catalogs.
 *
 * Each text comes from the objects beside the log, and its hash must be the
 * one that the log has. What the log does not have (hosts, logins, limits) is
 * not in it.
 */
#ifndef CLI_AS_OF_H
#define CLI_AS_OF_H

#include <stdint.h>

#include "base/err.h"

struct as_of;
struct buf;
struct config;
struct history;
struct history_version;

/* Appends the text of that hash. 0, or an error with a sentence in *w; kind:
 * "policy", ... */
int as_of_text(const struct history *h, const char *kind, const char *sha256,
    struct buf *out, struct why *w);

/* What h has is borrowed. 0, or an error with a sentence in *w. */
int as_of_new(const struct history *h, const struct history_version *v,
    int64_t at_ms, struct as_of **ret, struct why *w);
void as_of_free(struct as_of *s);
const struct config *as_of_config(const struct as_of *s);

/* Warns on stderr of what the log does not say of this version. */
void as_of_warn(const struct as_of *s);

#endif

/*
 * policy/bundle.h - a policy and the files that it includes as one text.
 *
 * A policy that includes nothing is recorded as it is. One that does is
 * recorded as a bundle, which has each file byte for byte: its hash and the
 * places in it are the file's own, and nothing in one file can end it.
 *
 *	sworn policy bundle 1
 *	file LENGTH NAME
 *	LENGTH bytes, and a line end; and so on for each file
 *
 * The policy itself is first. A name is a path below its folder. Pure.
 * Limits: BUNDLE_FILES_MAX files, names of BUNDLE_NAME_MAX bytes.
 */
#ifndef POLICY_BUNDLE_H
#define POLICY_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define BUNDLE_FILES_MAX 256
#define BUNDLE_NAME_MAX 200

struct arena;
struct buf;
struct yaml_in;
struct yaml_node;

struct bundle_file {
	const char *name;
	const char *text;	/* borrowed */
	size_t len;
};

/* Whether a text is a bundle, or means to be one. */
bool bundle_is(const char *text, size_t len);
/* 0, ERR_FORMAT, ERR_LIMIT or ERR_MEMORY with *w filled. */
int bundle_read(const char *text, size_t len, struct arena *a,
    const struct bundle_file **ret, size_t *ret_n, struct why *w);
void bundle_write(struct buf *out, const struct bundle_file *files, size_t n);

/* One line of "include", as a path below the policy's folder. */
struct bundle_include {
	const char *name;
	const struct yaml_node *at;
};

/*
 * What a file (root; named `file`, "" where it is in the policy's folder)
 * includes. Failures are in->result.
 */
void bundle_includes(struct yaml_in *in, const struct yaml_node *root,
    const char *file, const struct bundle_include **ret, size_t *ret_n);

#endif

/*
 * gateway/config_read.h - the files of a configuration while it is loaded.
 *
 * Bytes come from the disk and are noted in `take`, or they come from `from`
 * and the disk is not looked at.
 */
#ifndef GATEWAY_CONFIG_READ_H
#define GATEWAY_CONFIG_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct arena;
struct parcel;
struct config;
struct config_text;
struct yaml_in;
struct yaml_node;

struct loading {
	struct arena *arena;
	struct config *c;
	const char *folder;	/* of sworn.conf */
	struct why *why;
	char *file;		/* 1024 bytes: the file that *why is about */
	struct parcel *take;	/* or NULL */
	const struct parcel *from;	/* or NULL: the disk */
};

/* What the next error is about. */
void loading_about(struct loading *l, const char *path);
/* Relative to the folder; NULL for NULL or without memory. */
const char *loading_path(struct loading *l, const char *name);
/* The folder that such names are relative to. */
int loading_folder(struct loading *l, const char *path);
/* A whole file in the arena. secret: others must not be able to read it. */
int loading_read(struct loading *l, const char *path, bool secret,
    const char **ret, size_t *ret_len);
/* The same, and its hash. */
int loading_text(struct loading *l, const char *name, struct config_text *t);
/* The policy's text is that of all its files. */
int loading_policy(struct loading *l, const char *name,
    struct config_text *t);
bool loading_exists(struct loading *l, const char *path);
/* A text that may be a name of something; NULL: it is not, and said so. */
const char *loading_name(struct yaml_in *in, const struct yaml_node *n,
    const char *what);
int loading_hash(const char *text, size_t len, char ret[static 65]);

#endif

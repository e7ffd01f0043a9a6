/*
 * cli/load.h - the -c FILE that commands share.
 */
#ifndef CLI_LOAD_H
#define CLI_LOAD_H

struct config;

/* Loads a configuration; on failure says on stderr which file, line and
 * column, what is wrong and what to do, and returns NULL. */
struct config *load_config(const char *path);
/* Whether the log's key is there and readable by its owner alone: 0, or 1
 * having said on stderr what is wrong and what to do. */
int check_log_key(const struct config *c);

#endif

/*
 * witness/serve.h - a log's folder, or a copy of it, for everybody.
 *
 * GET and HEAD of the names that c2sp.org/tlog-tiles gives, checkpoint.cosigned
 * and objects/; nothing else in the folder can be named.
 */
#ifndef WITNESS_SERVE_H
#define WITNESS_SERVE_H

#include <stdbool.h>

/* Whether a path (without its first slash) names a file of a log. */
bool serve_is_name(const char *path);
bool serve_is_checkpoint(const char *path);

/* Until SIGTERM. 0 or ERR_IO. dir and fd stay the caller's. */
int serve_run(int dir, int fd);

#endif

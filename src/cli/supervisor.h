/*
 * cli/supervisor.h - one question to a running gateway's supervisor.
 */
#ifndef CLI_SUPERVISOR_H
#define CLI_SUPERVISOR_H

#include <stdbool.h>

#include "base/buf.h"

/*
 * "VERB PATH", and `more` behind it, over the socket in the state folder. 0:
 * there is an answer, and whether it went well; or ERR_IO, ERR_MISSING,
 * ERR_LIMIT, said on standard error. path is the configuration's.
 */
int supervisor_ask(const char *state_dir, const char *path, const char *verb,
    struct bytes more, bool *well, struct buf *answer);

#endif

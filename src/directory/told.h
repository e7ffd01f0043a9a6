/*
 * directory/told.h - everything that a directory says of somebody, in words.
 */
#ifndef DIRECTORY_TOLD_H
#define DIRECTORY_TOLD_H

#include <stdint.h>

struct buf;
struct directory;

/*
 * One line for each fact, in the order of their kinds: "  site: austin (US);
 * hr.example", with the interval and the evidence where there are any, and
 * whether it holds at the time. 0, ERR_MISSING or ERR_MEMORY.
 */
int told_facts(struct buf *out, const struct directory *d, const char *id,
    int64_t at_ms);

#endif

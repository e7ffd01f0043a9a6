/*
 * verify/seen.h - folders that show reads of one subject (docs/seen.md).
 */
#ifndef VERIFY_SEEN_H
#define VERIFY_SEEN_H

struct options;

/* Checks options->bundle and says on standard output what it shows. The exit
 * status. */
int seen_check(const struct options *o);

#endif

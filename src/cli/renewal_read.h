/*
 * cli/renewal_read.h - is a configuration fit to take the place of another?
 */
#ifndef CLI_RENEWAL_READ_H
#define CLI_RENEWAL_READ_H

#include <stdbool.h>
#include <stdio.h>

struct config;

/*
 * Reads the files that `old` was read from as they are now, checks them, and
 * writes their bytes to parcel_fd. Says in lines what is wrong, or what a
 * reload leaves as it is. 0, or 1 if they are not to be taken.
 */
int renewal_read(const struct config *old, bool unapplied, int parcel_fd,
    FILE *said);

#endif

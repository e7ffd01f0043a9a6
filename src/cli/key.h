/*
 * cli/key.h - what the key commands share.
 */
#ifndef CLI_KEY_H
#define CLI_KEY_H

struct note_key;

/* The verifier key on standard output. 0 or 1. */
int key_print(const struct note_key *key);

/* sworn key rotate: exit status. */
int key_rotate(const char *config, const char *to);

#endif

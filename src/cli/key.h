/*
 * cli/key.h - what the key commands share.
 */
#ifndef CLI_KEY_H
#define CLI_KEY_H

struct note_key;
struct why;

/* The verifier key on standard output. 0 or 1. */
int key_print(const struct note_key *key);
/* Says why; 1. */
int key_fail(const struct why *w);

/* sworn key new; token and secret may be NULL. Exit status. */
int key_new(const char *name, const char *path, const char *token,
    const char *secret);
/* sworn key rotate; secret: of the next key, may be NULL. Exit status. */
int key_rotate(const char *config, const char *to, const char *secret);

#endif

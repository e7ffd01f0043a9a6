/*
 * cli/say.h - what several commands say in the same words.
 */
#ifndef CLI_SAY_H
#define CLI_SAY_H

#include <stddef.h>

struct buf;
struct control;
struct principal;

/* "ethan (Ethan Cole), a person" */
void say_principal(struct buf *out, const struct principal *who);
/* Each country with each way to it; a way begins with the given words. */
void say_control(struct buf *out, const char *begin,
    const struct control *c);
/* "location, actual" */
void say_kinds(struct buf *out, unsigned kinds);
/* "a, b, c" */
void say_list(struct buf *out, const char *const *items, size_t n);

/* Prints all of it. 0, or 1 having said on stderr why not. */
int say_out(const struct buf *out);
/* An error of a library, on stderr: returns 1. */
int say_error(int code);

#endif

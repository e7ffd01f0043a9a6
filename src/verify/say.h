/*
 * verify/say.h - text for people, out of strings that strangers wrote.
 *
 * What a record says is shown, never obeyed: control characters, and those
 * that turn the direction of writing, come out as \u{...}; so nothing in a
 * log can forge a line of a verdict.
 */
#ifndef VERIFY_SAY_H
#define VERIFY_SAY_H

#include <stdint.h>

struct buf;
struct record_strs;

/* A string as it is, but harmless. */
void say_str(struct buf *out, const char *s);
/* The same, wrapped to 78 columns; each line begins with `indent` spaces,
 * the first with `first` instead. */
void say_wrap(struct buf *out, const char *first, unsigned indent,
    const char *s);
/* "a, b, c" */
void say_list(struct buf *out, const struct record_strs *l);
/* "9,000" */
void say_number(struct buf *out, uint64_t n);
/* "1 entry", "2 entries" */
void say_count(struct buf *out, uint64_t n, const char *one,
    const char *many);
void say_time(struct buf *out, int64_t ms);

#endif

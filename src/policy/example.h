/*
 * policy/example.h - a text that a POSIX extended regular expression matches.
 *
 * For whoever tries what each pattern for tickets would change.
 * Different seeds take different branches and numbers of repetitions. What
 * comes out is a guess: the caller matches it. Pure.
 */
#ifndef POLICY_EXAMPLE_H
#define POLICY_EXAMPLE_H

struct buf;

/* 0, or ERR_LIMIT: nested too deeply or too long. */
int example_write(const char *pattern, unsigned seed, struct buf *out);

#endif

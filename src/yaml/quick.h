/*
 * yaml/quick.h - the YAML that people mostly write, read fast.
 *
 * libyaml says what a text means. This reads the common part of it (block
 * and flow maps and lists, scalars on one line) some twenty times faster and
 * to the very same tree, and declines everything else, mistakes included:
 * then libyaml reads the text, and its words say what is wrong.
 * Input: valid UTF-8. Pure.
 */
#ifndef YAML_QUICK_H
#define YAML_QUICK_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct yaml_node;
struct yaml_sections;
struct why;

/*
 * 0, ERR_MEMORY, or ERR_STATE: declined. With `s` the pairs of its sections
 * go to its function, whose failure is returned (the pairs that it saw
 * before a decline count for nothing).
 */
int quick_parse(struct arena *a, const char *text, size_t len,
    const struct yaml_sections *s, struct yaml_node **ret);

/* The same tree, or what is wrong, by libyaml. */
int events_parse(struct arena *a, const char *text, size_t len,
    struct yaml_node **ret, struct why *w);

#endif

/*
 * cli/policy.h - the parts of `sworn policy`, one file each. As in cmd.h;
 * argv[0] is the part's name.
 */
#ifndef CLI_POLICY_H
#define CLI_POLICY_H

#include <stdint.h>

struct buf;
struct config;
struct policy;
struct why;

int cmd_policy_diff(int argc, char **argv);
int cmd_policy_history(int argc, char **argv);
int cmd_policy_lint(int argc, char **argv);
int cmd_policy_show(int argc, char **argv);
int cmd_policy_test(int argc, char **argv);

/* What policy diff says of two policies over one configuration. 0 or an
 * error with a sentence in *w. */
int policy_diff_words(const struct config *c, const struct policy *before,
    const struct policy *after, int64_t at_ms, struct buf *out,
    struct why *w);

#endif

/*
 * cli/policy.h - the parts of `sworn policy`, one file each. As in cmd.h;
 * argv[0] is the part's name.
 */
#ifndef CLI_POLICY_H
#define CLI_POLICY_H

int cmd_policy_diff(int argc, char **argv);
int cmd_policy_lint(int argc, char **argv);
int cmd_policy_test(int argc, char **argv);

#endif

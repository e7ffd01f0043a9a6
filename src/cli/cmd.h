/*
 * cli/cmd.h - the subcommands of sworn, one file each.
 *
 * Each gets its own name as argv[0] and returns the exit status: 0 fine,
 * 1 failed, 2 wrong usage.
 */
#ifndef CLI_CMD_H
#define CLI_CMD_H

int cmd_apply(int argc, char **argv);
int cmd_approval(int argc, char **argv);
int cmd_forget(int argc, char **argv);
int cmd_catalog(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_control(int argc, char **argv);
int cmd_directory(int argc, char **argv);
int cmd_drift(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_key(int argc, char **argv);
int cmd_log(int argc, char **argv);
int cmd_login(int argc, char **argv);
int cmd_passwd(int argc, char **argv);
int cmd_placement(int argc, char **argv);
int cmd_policy(int argc, char **argv);
int cmd_reload(int argc, char **argv);
int cmd_reconcile(int argc, char **argv);
int cmd_request(int argc, char **argv);
int cmd_seen(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_witness(int argc, char **argv);
int cmd_who_can(int argc, char **argv);

#endif

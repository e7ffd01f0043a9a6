/*
 * cli/approval.h - of `sworn approval`, what needs no gateway.
 */
#ifndef CLI_APPROVAL_H
#define CLI_APPROVAL_H

/* sworn approval history: argv[0] is "history". The exit status. */
int approval_history(int argc, char **argv);

#endif

/*
 * cli/key_supply.h - a passphrase or PIN that can be asked for once only,
 * kept for each log process that there will be.
 *
 * The supervisor asks at its start, and hands it to a log process through a
 * pipe that no other child inherits. It lies in locked pages, which are
 * empty in every child.
 */
#ifndef CLI_KEY_SUPPLY_H
#define CLI_KEY_SUPPLY_H

struct secret;

#define KEY_SUPPLY_SOURCE_MAX 32

struct key_supply {
	const char *source;		/* as configured; may be NULL */
	struct secret *kept;		/* NULL: the log process asks itself */
};

/* Asks if need be. 0, or -1 having said why. */
int key_supply_open(struct key_supply *k, const char *source);
void key_supply_close(struct key_supply *k);

/* Before a log process is forked: the end that it reads, or -1 if it needs
 * none; -2 having said why. The parent closes it behind the fork. */
int key_supply_pipe(const struct key_supply *k);
/* In it: where its secret comes from; ret has room for it. */
const char *key_supply_source(const struct key_supply *k, int fd,
    char ret[static KEY_SUPPLY_SOURCE_MAX]);

#endif

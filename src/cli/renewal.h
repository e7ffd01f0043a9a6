/*
 * cli/renewal.h - the supervisor's part in a reload.
 *
 *   SIGHUP, or `sworn reload` over a socket in the state folder
 *   -> a child reads all files, checks them, leaves their bytes in memory
 *   -> the gateway gets that memory, records what it has, puts it in force
 *   -> whoever asked is told; a gateway that is replaced starts by it
 *
 * The files are parsed in a child, so that no text can end the supervisor.
 */
#ifndef CLI_RENEWAL_H
#define CLI_RENEWAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/renew.h"

#define RENEWAL_POLL_MAX 4
#define RENEWAL_TEXT_MAX 16384
#define RENEWAL_SOCKET "control.sock"	/* in the state folder */

struct config;
struct metrics;
struct pollfd;

enum renewal_state {
	RENEWAL_IDLE,
	RENEWAL_READING,	/* by the child */
	RENEWAL_TAKING,		/* by the gateway */
	RENEWAL_ASKING,		/* it records what somebody wants to be */
};

struct renewal {
	const struct config *config;	/* as the supervisor started */
	struct metrics *metrics;
	enum renewal_state state;
	bool again;			/* a signal came meanwhile */
	bool unapplied;			/* take what apply has not seen, too */
	char by[RENEW_BY_MAX];
	int control_fd;			/* listens */
	int client_fd;			/* who waits for the outcome; -1 */
	int64_t client_since_ms;
	bool client_asked;
	pid_t reader;			/* 0: none */
	int said_fd;			/* its words */
	bool reader_ended, reader_well;
	char said[RENEWAL_TEXT_MAX];
	size_t said_len;
	int new_fd;			/* bytes that are being taken */
	int force_fd;			/* of the version in force; -1: files as
					 * they were at the start */
	int gateway_fd;			/* to the gateway; -1: it is not there */
	int64_t begun_ms, force_ms;
	bool last_well;
	char last[RENEWAL_TEXT_MAX];	/* what the last one said */
	int64_t last_ms;		/* 0: there was none */
};

/* Binds the socket. 0 or an error, reported. */
int renewal_init(struct renewal *r, const struct config *c,
    struct metrics *m);
void renewal_done(struct renewal *r);

/* A SIGHUP from a user. */
void renewal_signal(struct renewal *r, uid_t from);
/* What to wait for, at most RENEWAL_POLL_MAX; then step looks at all. */
size_t renewal_poll(const struct renewal *r, struct pollfd *p);
void renewal_step(struct renewal *r);
/* Whether the child was its own; then it is noted. */
bool renewal_child_ended(struct renewal *r, pid_t pid, int status);

/* A gateway starts: its end of a new channel, or -1. */
int renewal_gateway_starts(struct renewal *r);
void renewal_gateway_ended(struct renewal *r);
/* In a new gateway process: the configuration in force, or NULL having
 * reported why. */
struct config *renewal_in_force(const struct renewal *r);
/* In a new process that has nothing to do with it. */
void renewal_close(const struct renewal *r);

#endif

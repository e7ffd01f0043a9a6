/*
 * gateway/sandbox.h - what a process gives up before it meets its peers.
 *
 * One .c per platform. Irreversible, and inherited by threads and children
 * made afterwards. Descriptors that are open already stay usable.
 */
#ifndef GATEWAY_SANDBOX_H
#define GATEWAY_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct sandbox {
	const char *const *read;	/* files, or folders and all below */
	size_t n_read;
	const char *const *write;	/* folders: read, write, make, remove */
	size_t n_write;
	bool tcp;			/* may still connect and bind */
};

/*
 * No core dumps, no debugger, no new privileges; then only the paths named.
 * 0; ERR_MISSING: this kernel cannot restrict paths, the rest is in force;
 * ERR_IO: a path could not be opened or a call failed (errno has it).
 */
int sandbox_enter(const struct sandbox *s);

/*
 * What the log process calls while it runs, in all of its threads; any other
 * call ends it (SIGSYS). No threads, programs, sockets or descriptors of
 * others come from then on. child: a process that it may kill, or 0. 0;
 * ERR_MISSING: this kernel has no such filters; ERR_IO (errno), ERR_MEMORY.
 */
int sandbox_calls_of_log(pid_t child);

#endif

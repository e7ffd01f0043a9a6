/*
 * verify/options.h - the command line of sworn-verify.
 */
#ifndef VERIFY_OPTIONS_H
#define VERIFY_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "log/note.h"
#include "log/quorum.h"
#include "logdir/logread.h"

#define OPTIONS_MAX 64		/* of each that can be repeated */

#define EXIT_HOLDS 0
#define EXIT_BROKEN 1
#define EXIT_USAGE 2		/* also: trouble that is not the log's */
#define EXIT_REFUTED 3
#define EXIT_NOT_SHOWN 4

struct options_store_log {
	const char *store;
	const char *path;
};

struct options {
	const char *claim;		/* file */
	const char *bundle;		/* folder of evidence, to check */
	const char *evidence;		/* the same, to write */
	const char *html;		/* file, to write */
	bool lint;			/* how narrow is it, not whether true */
	const char *logs[OPTIONS_MAX];
	size_t n_logs;
	struct note_key keys[OPTIONS_MAX];
	size_t n_keys;
	struct logread_kept kept[OPTIONS_MAX + 1];	/* a cosigned one */
	size_t n_kept;
	struct note_key witnesses[OPTIONS_MAX];
	size_t n_witnesses;
	struct quorum *quorum;		/* of witnesses; NULL: none are given */
	struct options_store_log store_logs[OPTIONS_MAX];
	size_t n_store_logs;
	bool json;
	bool all;
};

/* `argv[0]` is "log", "claim", "evidence" or "seen". 0, or -1 with a sentence on standard
 * error. */
int options_read(struct options *o, int argc, char **argv);
void options_done(struct options *o);

#endif

/*
 * cli/source.h - what a question is asked of: a configuration's files as
 * they are, or what a log says was in force at a time.
 *
 *	-c FILE [--at TIME] | --log DIR [--key VKEY] [--at TIME]
 */
#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

#include <stdint.h>

#include "cli/options.h"

struct as_of;
struct config;
struct history;
struct history_version;

#define SOURCE_USAGE "-c FILE | --log DIR [--key VKEY]"

struct source {
	const char *file, *log, *key, *at;
	/* Once it is open: */
	const struct config *config;
	int64_t at_ms;
	/* What those are in. */
	struct config *loaded;
	struct history *history;
	struct as_of *as_of;
};

/* For a list of slots. */
#define SOURCE_SLOTS(s) \
	{"-c", &(s)->file, NULL}, {"--log", &(s)->log, NULL}, \
	{"--key", &(s)->key, NULL}, {"--at", &(s)->at, NULL}

/*
 * 0, or the exit status having said on stderr what is wrong; also says there
 * by which version of a log it is. Close it either way.
 */
int source_open(struct source *s, const char *usage);
void source_close(struct source *s);

/* Says on stderr which version it is. */
void source_say(const struct source *s, const struct history_version *v);

/* A log's history alone, by `log` and `key`. As source_open. */
int source_history(struct source *s, const char *usage);

#endif

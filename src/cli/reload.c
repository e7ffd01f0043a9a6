/*
 * sworn reload CONFIG [--unapplied | --status]: has a running gateway read
 * its configuration, policy, directory and catalogs anew, all or nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "cli/supervisor.h"
#include "gateway/config.h"

static const char usage[] = "usage: sworn reload CONFIG "
    "[--unapplied | --status]\n";

static int
ask(const char *state_dir, const char *config, const char *verb)
{
	bool status = strcmp(verb, "status") == 0, well = false;
	struct buf answer;
	int r = 1;

	buf_init(&answer, 0);
	if (supervisor_ask(state_dir, config, verb, bytes_of(NULL, 0), &well,
	    &answer) == 0) {
		(void)fputs((const char *)answer.data, status ? stdout :
		    stderr);
		r = well ? 0 : 1;
		if (r != 0 && !status)
			(void)fprintf(stderr, "not reloaded; what was in "
			    "force stays\n");
	}
	buf_done(&answer);
	return r;
}

int
cmd_reload(int argc, char **argv)
{
	bool unapplied = false, status = false;
	const struct option_slot slots[] = {
		{"--unapplied", NULL, &unapplied},
		{"--status", NULL, &status}, {NULL, NULL, NULL},
	};
	char *state_dir = NULL, file[1024] = "";
	const char *config = NULL;
	struct why w = {0};
	int r;

	if ((r = options_read(argc, argv, slots, &config, 1, usage)) != 0)
		return r;
	if (unapplied && status) {
		(void)fputs(usage, stderr);
		return 2;
	}
	if (config_state_dir(config, &state_dir, &w, file) != 0) {
		(void)fprintf(stderr, "%s:%u:%u: %s\nnot reloaded; what was "
		    "in force stays\n", file, w.line, w.column, w.text);
		return 1;
	}
	r = ask(state_dir, config, unapplied ? "unapplied" :
	    status ? "status" : "reload");
	free(state_dir);
	return r;
}

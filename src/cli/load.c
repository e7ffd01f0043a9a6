#include "cli/load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "gateway/config.h"
#include "gateway/file.h"

struct config *
load_config(const char *path)
{
	struct config *c = NULL;
	char file[1024];
	struct why w;

	if (config_load(path, &c, &w, file) == 0)
		return c;
	if (w.line != 0)
		(void)fprintf(stderr, "%s:%u:%u: %s\n", file, w.line,
		    w.column, w.text);
	else
		(void)fprintf(stderr, "%s: %s\n", file, w.text);
	return NULL;
}

int
check_log_key(const struct config *c)
{
	if (access(c->log_key_file, R_OK) != 0) {
		(void)fprintf(stderr, "%s: the log's key cannot be read: %s; "
		    "make one with: sworn key new --name %s --out %s\n",
		    c->log_key_file, strerror(errno), c->gateway,
		    c->log_key_file);
		return 1;
	}
	if (file_is_open_to_others(c->log_key_file)) {
		(void)fprintf(stderr, "%s: the log's key can be read by "
		    "others; run: chmod 600 %s\n", c->log_key_file,
		    c->log_key_file);
		return 1;
	}
	return 0;
}

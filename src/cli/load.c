#include "cli/load.h"

#include <stdio.h>

#include "base/err.h"
#include "gateway/config.h"

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

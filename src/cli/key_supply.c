#include "cli/key_supply.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/report.h"
#include "key/secret.h"
#include "key/signing.h"

int
key_supply_open(struct key_supply *k, const char *source)
{
	struct why w = {0};

	k->source = source;
	k->kept = NULL;
	if (source == NULL || !secret_source_is_once(source))
		return 0;
	if (signing_keep_secret() != 0 || (k->kept = secret_new()) == NULL) {
		report(REPORT_ERROR, "no memory for a secret: %s",
		    strerror(errno));
		return -1;
	}
	if (secret_read(source, "the log's key", false, k->kept, &w) == 0)
		return 0;
	report(REPORT_ERROR, "%s", w.text);
	key_supply_close(k);
	return -1;
}

void
key_supply_close(struct key_supply *k)
{
	secret_free(k->kept);
	k->kept = NULL;
}

int
key_supply_pipe(const struct key_supply *k)
{
	int fds[2];
	ssize_t n;

	if (k->kept == NULL)
		return -1;
	if (pipe2(fds, O_CLOEXEC) != 0) {
		report(REPORT_ERROR, "no pipe for the key's secret: %s",
		    strerror(errno));
		return -2;
	}
	/* A pipe takes that much at once. */
	n = write(fds[1], k->kept->text, k->kept->len);
	(void)close(fds[1]);		/* so that it has an end */
	if (n == (ssize_t)k->kept->len)
		return fds[0];
	report(REPORT_ERROR, "the pipe for the key's secret: %s",
	    strerror(errno));
	(void)close(fds[0]);
	return -2;
}

const char *
key_supply_source(const struct key_supply *k, int fd,
    char ret[static KEY_SUPPLY_SOURCE_MAX])
{
	if (fd < 0)
		return k->source;
	(void)snprintf(ret, KEY_SUPPLY_SOURCE_MAX, "fd:%d", fd);
	return ret;
}

/*
 * sworn key rotate -c FILE --to KEY: KEY signs the log from here on.
 *
 * The gateway is stopped for it; starting it with the new key goes on where
 * the log was. Both keys sign the record, and neither of them is changed or
 * removed here. Run again after a crash, it finishes what was begun.
 *
 * May: read both key files; write the log's and the state directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/time.h"
#include "cli/key.h"
#include "cli/load.h"
#include "gateway/config.h"
#include "key/signing.h"
#include "store/disk.h"
#include "store/rotate.h"

struct keys {
	struct signing *from, *to;
};

static int
complain(const char *what, const char *why)
{
	(void)fprintf(stderr, "sworn key rotate: %s: %s\n", what, why);
	return -1;
}

/* Files made by another user than the service's would stop it. */
static int
open_dir(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return complain(path, strerror(errno));
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid())
		return fd;
	(void)close(fd);		/* only opened */
	return complain(path, "belongs to another user; run this as the user "
	    "that the gateway runs as");
}

/* Neither a supervisor nor a log process. */
static int
lock_state(int dir, const char *path)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int run, log;

	run = openat(dir, "run.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	log = openat(dir, "log.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (run < 0 || log < 0)
		return complain(path, strerror(errno));
	/* Both stay open, and so locked, until this process ends. */
	if (fcntl(run, F_SETLK, &lock) != 0 ||
	    flock(log, LOCK_EX | LOCK_NB) != 0)
		return complain(path, "the gateway is running; stop it, rotate, "
		    "name the new key as log.key, and start it");
	return 0;
}

static int
read_keys(const struct config *c, const char *to, const char *secret,
    struct keys *k)
{
	const struct note_key *old, *new;
	struct why w = {0};

	if (signing_open(c->log_key_file, c->log_key_secret, "the log's key",
	    &k->from, &w) != 0 ||
	    signing_open(to, secret, "the next key", &k->to, &w) != 0)
		return complain("no key", w.text);
	old = signing_signer(k->from)->key;
	new = signing_signer(k->to)->key;
	if (strcmp(old->name, new->name) != 0) {
		(void)fprintf(stderr, "sworn key rotate: %s is a key of %s, "
		    "and the log is %s; make one with: sworn key new --name "
		    "%s --out FILE\n", to, new->name, old->name, old->name);
		return -1;
	}
	if (memcmp(old->public, new->public, SIGN_PUBLIC_LEN) == 0)
		return complain(to, "is the log's key already");
	return 0;
}

static int
rotate(const struct config *c, const struct keys *k, uint64_t *ret)
{
	struct rotate_conf conf = {.disk = &disk_real, .log_dir = -1,
	    .state_dir = -1, .from = signing_signer(k->from),
	    .to = signing_signer(k->to),
	    .gateway = c->gateway, .now_ms = clock_now_ms()};
	struct why w = {0};
	int r = -1;

	(void)umask(022);
	if ((conf.log_dir = open_dir(c->log_dir)) < 0 ||
	    (conf.state_dir = open_dir(c->state_dir)) < 0 ||
	    lock_state(conf.state_dir, c->state_dir) != 0)
		goto out;
	if ((r = rotate_run(&conf, ret, &w)) != 0)
		(void)complain(c->log_dir, w.text);
out:
	if (conf.log_dir >= 0)
		(void)close(conf.log_dir);	/* only opened */
	if (conf.state_dir >= 0)
		(void)close(conf.state_dir);
	return r;
}

int
key_rotate(const char *config, const char *to, const char *secret)
{
	struct keys k = {0};
	struct config *c;
	uint64_t seq;
	int status = 1;

	if (signing_keep_secret() != 0 || (c = load_config(config)) == NULL)
		return 1;
	if (read_keys(c, to, secret, &k) == 0 && rotate(c, &k, &seq) == 0) {
		status = key_print(signing_signer(k.to)->key);
		(void)fprintf(stderr, "entry %" PRIu64 " of the log gives it "
		    "this key; name it as log.key before the next start: %s\n"
		    "Whoever has the old verifier key can go on with it; "
		    "witnesses need the new one beside it.\n", seq, to);
	}
	signing_close(k.from);
	signing_close(k.to);
	config_free(c);
	return status;
}

/*
 * tests/gateway/log_world.h - a log process to start, kill and look into.
 *
 * The processes are forked by a runner that has one thread, since a fork of
 * a program with threads may inherit locks that nobody will release. The
 * runner, its log processes and the test share one page of controls, and
 * fdatasync is this file's own, which obeys them.
 */
#ifndef TESTS_GATEWAY_LOG_WORLD_H
#define TESTS_GATEWAY_LOG_WORLD_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "gateway/log_process.h"
#include "gateway/log_wire.h"
#include "gateway/metrics.h"
#include "log/note.h"
#include "log/tile.h"
#include "record/record.h"
#include "store/disk.h"

#define WAIT_MS 20000

struct controls {
	struct metrics metrics;
	atomic_int sync_hold;	/* fdatasync waits while this is set */
	atomic_int sync_held;	/* and says that it does */
	atomic_int sync_fail;
	uint64_t publish_ms;	/* of the next process */
	rlim_t file_max;	/* 0: no limit */
	char key[128], dir[128], state[128];
};

static struct controls *controls;
static char folder[64], sock_path[96], key_path[96];
static int listener, runner_fd;
static pid_t runner_pid;
static struct note_key log_key;

int
fdatasync(int fd)
{
	if (controls != NULL && atomic_load(&controls->sync_fail)) {
		errno = EIO;
		return -1;
	}
	while (controls != NULL && atomic_load(&controls->sync_hold)) {
		atomic_store(&controls->sync_held, 1);
		(void)usleep(500);
	}
	return (int)syscall(SYS_fdatasync, fd);
}

struct order {
	char what;		/* 's'tart, 'w'ait for pid, 'q'uit */
	int value;		/* pid; answer: pid or status */
};

static void
child_run(void)
{
	const struct log_process p = {
		.dir = controls->dir,
		.state_dir = controls->state,
		.key_file = controls->key,
		.listen_fd = listener,
		.publish_ms = controls->publish_ms,
		.metrics = &controls->metrics,
	};
	struct rlimit l;

	/* A test that fails leaves no process behind. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (controls->file_max != 0) {
		(void)getrlimit(RLIMIT_FSIZE, &l);
		l.rlim_cur = controls->file_max;
		(void)setrlimit(RLIMIT_FSIZE, &l);
	}
	_exit(log_process_run(&p));
}

static void
runner_run(int fd)
{
	struct order o;
	int status;

	while (read(fd, &o, sizeof(o)) == (ssize_t)sizeof(o) &&
	    o.what != 'q') {
		if (o.what == 's') {
			if ((o.value = fork()) == 0)
				child_run();
		} else {
			(void)waitpid(o.value, &status, 0);
			o.value = status;
		}
		if (write(fd, &o, sizeof(o)) != (ssize_t)sizeof(o))
			break;
	}
	_exit(0);
}

static int
runner_ask(char what, int value)
{
	struct order o = {what, value};

	assert_int_equal(write(runner_fd, &o, sizeof(o)),
	    (ssize_t)sizeof(o));
	assert_int_equal(read(runner_fd, &o, sizeof(o)), (ssize_t)sizeof(o));
	return o.value;
}

static pid_t
log_try(void)
{
	pid_t pid;

	atomic_store(&controls->metrics.log_ok, 0);
	pid = runner_ask('s', 0);
	assert_true(pid > 0);
	return pid;
}

/* Returns when it accepts records. */
static pid_t
log_start(void)
{
	int64_t until = clock_mono_ms() + WAIT_MS;
	pid_t pid = log_try();

	while (atomic_load(&controls->metrics.log_ok) == 0) {
		assert_true(clock_mono_ms() < until);
		(void)usleep(500);
	}
	return pid;
}

/* Sends sig (0: none), waits, and returns what waitpid said. */
static int
log_end(pid_t pid, int sig)
{
	if (sig != 0)
		assert_int_equal(kill(pid, sig), 0);
	return runner_ask('w', pid);
}

static void
log_stop(pid_t pid)
{
	int status = log_end(pid, SIGTERM);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
assert_start_fails(void)
{
	int status = log_end(log_try(), 0);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

static void
write_key(mode_t mode)
{
	uint8_t seed[SIGN_SEED_LEN], public[SIGN_PUBLIC_LEN];
	struct buf b;
	int fd;

	memset(seed, 9, sizeof(seed));
	assert_int_equal(sign_public(seed, public), 0);
	assert_int_equal(note_key_make("test.example/log", 1, public,
	    &log_key), 0);
	buf_init(&b, 0);
	assert_int_equal(note_private_write(&log_key, seed, &b), 0);
	buf_u8(&b, '\n');
	(void)unlink(key_path);
	fd = open(key_path, O_WRONLY | O_CREAT, mode);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, b.data, b.len), (ssize_t)b.len);
	(void)close(fd);
	buf_done(&b);
}

static int
remove_one(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int
world_make(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int pair[2];

	(void)state;
	(void)snprintf(folder, sizeof(folder), "%s/sworn-log-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(folder));
	controls = mmap(NULL, sizeof(*controls), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(controls != MAP_FAILED);
	controls->publish_ms = 20;
	(void)snprintf(key_path, sizeof(key_path), "%s/key", folder);
	(void)snprintf(sock_path, sizeof(sock_path), "%s/sock", folder);
	(void)snprintf(controls->key, sizeof(controls->key), "%s", key_path);
	(void)snprintf(controls->dir, sizeof(controls->dir), "%s/log",
	    folder);
	(void)snprintf(controls->state, sizeof(controls->state), "%s/state",
	    folder);
	write_key(0600);
	memcpy(un.sun_path, sock_path, sizeof(sock_path));
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&un, sizeof(un)),
	    0);
	assert_int_equal(listen(listener, 16), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	runner_fd = pair[0];
	if ((runner_pid = fork()) == 0) {
		(void)close(pair[0]);
		runner_run(pair[1]);
	}
	(void)close(pair[1]);
	return runner_pid > 0 ? 0 : -1;
}

static int
world_remove(void **state)
{
	const struct order quit = {'q', 0};

	(void)state;
	assert_int_equal(write(runner_fd, &quit, sizeof(quit)),
	    (ssize_t)sizeof(quit));
	(void)waitpid(runner_pid, NULL, 0);
	(void)close(runner_fd);
	(void)close(listener);
	(void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	(void)munmap(controls, sizeof(*controls));
	controls = NULL;
	return 0;
}

/* ---- what is published ---- */

struct published {
	uint64_t size;
	uint64_t *opened;		/* of each heartbeat */
	struct merkle_hash *leaf;
};

static uint64_t
read_checkpoint(const char *dir, const char *name, struct merkle_hash *root)
{
	struct checkpoint c;
	const char *body;
	char path[192];
	struct buf b;
	size_t n;

	buf_init(&b, 0);
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (disk_read(AT_FDCWD, path, NOTE_MAX, &b) == ERR_MISSING)
		return 0;
	assert_int_equal(note_check((char *)b.data, b.len, &log_key, &body,
	    &n, NULL), 0);
	assert_int_equal(checkpoint_read(body, n, &c), 0);
	buf_done(&b);
	*root = c.root;
	return c.size;
}

static void
read_entry(struct published *p, uint64_t i, struct bytes e)
{
	struct arena *a = arena_new();
	struct record r;
	struct why w;

	assert_non_null(a);
	if (record_decode(e, a, &r, &w) != 0)
		fail_msg("entry %llu: %s", (unsigned long long)i, w.text);
	assert_int_equal(r.seq, i);
	p->opened[i] = r.type == RECORD_HEARTBEAT ? r.u.heartbeat.opened :
	    UINT64_MAX;
	assert_int_equal(merkle_leaf(e.data, e.len, &p->leaf[i]), 0);
	arena_free(a);
}

/* Every entry of the published tree, and its root from them. */
static struct published
read_published(void)
{
	char name[TILE_PATH_MAX], path[256];
	struct merkle_frontier f;
	struct merkle_hash root, got;
	struct published p;
	struct reader r;
	struct bytes e;
	struct buf b;
	uint64_t i, k;
	unsigned width;

	p.size = read_checkpoint(controls->dir, "checkpoint", &root);
	assert_non_null(p.opened = calloc(p.size + 1, sizeof(*p.opened)));
	assert_non_null(p.leaf = calloc(p.size + 1, sizeof(*p.leaf)));
	merkle_frontier_init(&f);
	buf_init(&b, 0);
	for (i = 0; i < tile_count(0, p.size); i++) {
		width = tile_width(0, i, p.size);
		assert_int_equal(tile_path(TILE_ENTRIES, i, width, name), 0);
		(void)snprintf(path, sizeof(path), "%s/%s", controls->dir,
		    name);
		buf_reset(&b);
		if (disk_read(AT_FDCWD, path, (size_t)1 << 25, &b) != 0)
			fail_msg("%s is missing", path);
		reader_init(&r, b.data, b.len);
		for (k = i * 256; k < i * 256 + width; k++) {
			assert_int_equal(tile_entry(&r, &e), 0);
			read_entry(&p, k, e);
			assert_int_equal(merkle_frontier_add(&f, &p.leaf[k]),
			    0);
		}
		assert_int_equal(reader_left(&r), 0);
	}
	buf_done(&b);
	if (p.size > 0) {
		assert_int_equal(merkle_frontier_root(&f, &got), 0);
		assert_memory_equal(&root, &got, sizeof(root));
	}
	return p;
}

static void
published_done(struct published *p)
{
	free(p->opened);
	free(p->leaf);
}

#endif

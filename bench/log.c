/*
 * How many records a second become durable, and what that costs beside the
 * disk itself?
 *
 *	bench_log [-d DIR] [-n RECORDS] [-s BYTES] [-w WRITERS]...
 *
 * Each writer waits for its record before it submits the next, as a session
 * does. Compared in the same run, on the same disk, with the same bytes:
 * write + fdatasync of each record alone, and of batches as large as the
 * log's were on average. The answer is checked: every record durable, and
 * the log published to its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/report.h"
#include "base/text.h"
#include "gateway/log_client.h"
#include "gateway/log_process.h"
#include "gateway/metrics.h"
#include "log/note.h"
#include "record/record.h"

#define WRITERS_MAX 1024
#define RUNS_MAX 16
#define WAIT_MS 60000

struct bench {
	char dir[512], log[600], state[600], key[600], sock[100];
	unsigned records;
	unsigned bytes;
	unsigned writers[RUNS_MAX];
	size_t n_runs;
	struct metrics *metrics;
};

struct writer {
	pthread_t thread;
	struct log_client *client;
	const struct record *record;
	unsigned records;
	unsigned failed;
};

static void
fail(const char *what)
{
	(void)fprintf(stderr, "bench_log: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double
now_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);	/* always there */
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
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

static void
write_key(const struct bench *b)
{
	uint8_t seed[SIGN_SEED_LEN] = {1}, public[SIGN_PUBLIC_LEN];
	struct note_key key;
	struct buf text;
	int fd = -1;

	buf_init(&text, 0);
	if (sign_public(seed, public) != 0 ||
	    note_key_make("bench.example/log", 1, public, &key) != 0 ||
	    note_private_write(&key, seed, &text) != 0 ||
	    (fd = open(b->key, O_WRONLY | O_CREAT | O_TRUNC, 0600)) < 0 ||
	    write(fd, text.data, text.len) != (ssize_t)text.len)
		fail("key");
	(void)close(fd);	/* read back at once, or the start fails */
	buf_done(&text);
}

static pid_t
start_log(const struct bench *b)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct log_process p = {
		.dir = b->log, .state_dir = b->state, .key_file = b->key,
		.publish_ms = 500, .metrics = b->metrics,
	};
	pid_t pid;
	int fd;

	(void)unlink(b->sock);	/* of the run before */
	memcpy(un.sun_path, b->sock, sizeof(b->sock));
	if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) < 0 ||
	    bind(fd, (struct sockaddr *)&un, sizeof(un)) != 0 ||
	    listen(fd, 16) != 0)
		fail(b->sock);
	if ((pid = fork()) == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		p.listen_fd = fd;
		_exit(log_process_run(&p));
	}
	(void)close(fd);	/* the log has it */
	if (pid < 0)
		fail("fork");
	return pid;
}

static void *
writer_run(void *arg)
{
	struct writer *w = arg;
	unsigned i;

	for (i = 0; i < w->records; i++)
		if (log_client_submit_wait(w->client, w->record) != 0)
			w->failed++;
	return NULL;
}

/* Seconds for all records; the number of syncs in *syncs. */
static double
run_log(struct bench *b, unsigned writers, const struct record *r,
    unsigned *total, uint64_t *syncs)
{
	static struct writer w[WRITERS_MAX];
	struct log_client *c;
	struct log_hello hello;
	unsigned i, failed = 0;
	double start, took;
	int status;
	pid_t pid;

	(void)nftw(b->log, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	(void)nftw(b->state, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	memset(b->metrics, 0, sizeof(*b->metrics));
	pid = start_log(b);
	if (log_client_new(b->sock, "bench", WAIT_MS, WAIT_MS, &hello,
	    &c) != 0)
		fail("log_client_new");
	*total = 0;
	start = now_s();
	for (i = 0; i < writers; i++) {
		w[i] = (struct writer){.client = c, .record = r,
		    .records = b->records / writers};
		*total += w[i].records;
		if (pthread_create(&w[i].thread, NULL, writer_run, &w[i]) != 0)
			fail("pthread_create");
	}
	for (i = 0; i < writers; i++) {
		(void)pthread_join(w[i].thread, NULL);	/* ours */
		failed += w[i].failed;
	}
	took = now_s() - start;
	log_client_free(c, WAIT_MS);
	*syncs = b->metrics->log_syncs;
	if (kill(pid, SIGTERM) != 0 || waitpid(pid, &status, 0) != pid)
		fail("log process");
	errno = 0;
	if (failed != 0 || status != 0 ||
	    b->metrics->log_published != *total)
		fail("wrong answer: not every record is durable and published");
	return took;
}

/* The same bytes by the disk alone, n records to a sync. */
static double
run_raw(const struct bench *b, unsigned total, unsigned batch)
{
	size_t len = (size_t)b->bytes * batch;
	char path[640], *data = malloc(len);
	unsigned i, syncs = total / batch;
	double start, took;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/raw", b->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	if (data == NULL || fd < 0)
		fail(path);
	memset(data, 'x', len);
	start = now_s();
	for (i = 0; i < syncs; i++)
		if (write(fd, data, len) != (ssize_t)len ||
		    fdatasync(fd) != 0)
			fail(path);
	took = now_s() - start;
	(void)close(fd);
	(void)unlink(path);
	free(data);
	return (double)syncs * batch / took;
}

static void
run(struct bench *b)
{
	char *pad = malloc(b->bytes + 1), hex[65];
	struct record r = {.type = RECORD_OBJECT};
	struct buf body;
	unsigned total, batch;
	double took, rate, alone, batched;
	uint64_t syncs;
	size_t i, over;

	if (pad == NULL)
		fail("memory");
	memset(hex, 'a', 64);
	hex[64] = 0;
	memset(pad, 'p', b->bytes);
	pad[0] = 0;
	r.u.object.kind = "policy";
	r.u.object.sha256 = hex;
	r.u.object.name = pad;
	buf_init(&body, 0);
	if (record_encode_body(&r, &body) != 0)
		fail("record");
	over = body.len + 80;	/* the envelope, about */
	if (b->bytes > over) {
		pad[0] = 'p';
		pad[b->bytes - over] = 0;
	}
	alone = run_raw(b, b->records < 2000 ? b->records : 2000, 1);
	(void)printf("raw write+fdatasync, one record each: %.0f records/s\n",
	    alone);
	(void)printf("%8s %9s %10s %9s %11s %11s %8s\n", "writers", "records",
	    "records/s", "per sync", "x raw alone", "raw batched", "of it");
	for (i = 0; i < b->n_runs; i++) {
		took = run_log(b, b->writers[i], &r, &total, &syncs);
		rate = total / took;
		batch = (unsigned)(total / (syncs > 0 ? syncs : 1));
		batch = batch > 0 ? batch : 1;
		batched = run_raw(b, batch * 500, batch);
		(void)printf("%8u %9u %10.0f %9u %11.2f %11.0f %7.0f%%\n",
		    b->writers[i], total, rate, batch, rate / alone, batched,
		    100 * rate / batched);
		(void)fflush(stdout);
	}
	buf_done(&body);
	free(pad);
}

static unsigned
number(const char *s, unsigned min, unsigned max)
{
	uint64_t v;

	if (text_u64(s, strlen(s), &v) != 0 || v < min || v > max) {
		(void)fprintf(stderr, "bench_log: %s: a number from %u to "
		    "%u\n", s, min, max);
		exit(2);
	}
	return (unsigned)v;
}

int
main(int argc, char **argv)
{
	static const unsigned defaults[] = {1, 8, 64, 256};
	struct bench b = {.records = 20000, .bytes = 1000};
	const char *at = "/var/tmp";
	struct utsname un;
	int o;

	while ((o = getopt(argc, argv, "d:n:s:w:")) != -1) {
		if (o == 'd')
			at = optarg;
		else if (o == 'n')
			b.records = number(optarg, 1, 100000000);
		else if (o == 's')
			b.bytes = number(optarg, 300, 60000);
		else if (o == 'w' && b.n_runs < RUNS_MAX)
			b.writers[b.n_runs++] = number(optarg, 1,
			    WRITERS_MAX);
		else
			return 2;
	}
	if (b.n_runs == 0) {
		memcpy(b.writers, defaults, sizeof(defaults));
		b.n_runs = sizeof(defaults) / sizeof(defaults[0]);
	}
	(void)snprintf(b.dir, sizeof(b.dir), "%s/sworn-bench-XXXXXX", at);
	if (mkdtemp(b.dir) == NULL)
		fail(b.dir);
	(void)snprintf(b.log, sizeof(b.log), "%s/log", b.dir);
	(void)snprintf(b.state, sizeof(b.state), "%s/state", b.dir);
	(void)snprintf(b.key, sizeof(b.key), "%s/key", b.dir);
	if (snprintf(b.sock, sizeof(b.sock), "%s/sock", b.dir) >=
	    (int)sizeof(b.sock))
		fail("-d is too long for a socket");
	b.metrics = metrics_new();
	if (b.metrics == NULL || uname(&un) != 0)
		fail("start");
	report_init("log", REPORT_WARNING);
	write_key(&b);
	(void)printf("inputs: %u records of about %u bytes in %s; %s %s, %ld "
	    "CPUs\n", b.records, b.bytes, at, un.sysname, un.release,
	    sysconf(_SC_NPROCESSORS_ONLN));
	(void)fflush(stdout);
	run(&b);
	(void)nftw(b.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}

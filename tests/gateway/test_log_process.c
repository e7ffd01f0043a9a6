/*
 * Real log processes, killed, starved of disk, lied to; and after each, what
 * the log's directory shows to a reader.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>

#include "base/text.h"
#include "crypto/hash.h"
#include "log_world.h"
#include "store/object.h"

#define RECORDS_MAX 400000
#define IN_FLIGHT 400
#define ROUND_MAX 1000		/* records between two kills */

/* ---- through the client ---- */

struct outcome {
	atomic_int calls;
	int result;
	uint64_t seq;
};

static struct outcome *outcomes;
static atomic_uint answered;
static unsigned submitted;

static void
on_done(void *arg, int result, uint64_t seq)
{
	struct outcome *o = arg;

	o->result = result;
	o->seq = seq;
	atomic_fetch_add(&o->calls, 1);
	atomic_fetch_add(&answered, 1);
}

static int
submit(struct log_client *c)
{
	struct record r = {.type = RECORD_HEARTBEAT};
	int e;

	assert_true(submitted < RECORDS_MAX);
	r.u.heartbeat.opened = submitted;
	if ((e = log_client_submit(c, &r, on_done,
	    &outcomes[submitted])) == 0)
		submitted++;
	return e;
}

static void
wait_answers(unsigned n)
{
	int64_t until = clock_mono_ms() + WAIT_MS;

	while (atomic_load(&answered) < n) {
		assert_true(clock_mono_ms() < until);
		(void)usleep(500);
	}
}

static struct log_client *
open_client(struct log_hello *h)
{
	struct log_client *c = NULL;
	struct log_hello own;

	assert_int_equal(log_client_new(sock_path, "gw", WAIT_MS, WAIT_MS,
	    h != NULL ? h : &own, &c), 0);
	return c;
}

static int
begin(void **state)
{
	if (world_make(state) != 0)
		return -1;
	outcomes = calloc(RECORDS_MAX, sizeof(*outcomes));
	submitted = 0;
	atomic_store(&answered, 0);
	return outcomes != NULL ? 0 : -1;
}

static int
end(void **state)
{
	free(outcomes);
	return world_remove(state);
}

/*
 * What was acknowledged is at its seq with its bytes; what was refused is
 * nowhere; every record is there at most once, in the order of submission.
 */
static void
check_published(void)
{
	struct published p = read_published();
	uint64_t i, before = 0, durable = 0;

	for (i = 0; i < submitted; i++) {
		assert_int_equal(outcomes[i].calls, 1);
		if (outcomes[i].result != 0)
			continue;
		durable++;
		assert_true(outcomes[i].seq < p.size);
		assert_int_equal(p.opened[outcomes[i].seq], i);
	}
	for (i = 0; i < p.size; i++) {
		assert_true(i == 0 || p.opened[i] > before);
		before = p.opened[i];
		assert_true(before < submitted);
		assert_int_not_equal(outcomes[before].result, ERR_IO);
	}
	assert_true(p.size >= durable);
	published_done(&p);
}

/* ---- as a gateway by hand ---- */

static int
raw_connect(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct timeval tv = {.tv_sec = WAIT_MS / 1000};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	memcpy(un.sun_path, sock_path, sizeof(sock_path));
	assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv,
	    sizeof(tv)), 0);
	return fd;
}

static void
raw_send(int fd, struct buf *b)
{
	assert_false(b->failed);
	assert_int_equal(send(fd, b->data, b->len, MSG_NOSIGNAL),
	    (ssize_t)b->len);
	buf_done(b);
}

/* Reads exactly one message; type 0: the log hung up. */
static uint8_t
raw_next(int fd, struct reader *body)
{
	static uint8_t data[65536];
	struct reader r;
	uint8_t type;
	ssize_t n;
	size_t len = 0;

	for (;;) {
		n = recv(fd, data + len, len < 5 ? 5 - len : 1, 0);
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return 0;
		assert_true(n > 0);
		len += (size_t)n;
		assert_true(len < sizeof(data));
		reader_init(&r, data, len);
		if (log_wire_next(&r, &type, body) == 0)
			return type;
	}
}

static uint64_t
raw_hello(int fd)
{
	struct log_where w;
	struct reader body;
	struct buf b;

	buf_init(&b, 0);
	log_wire_ask_write(&b);
	raw_send(fd, &b);
	assert_int_equal(raw_next(fd, &body), LOG_WIRE_HELLO);
	assert_int_equal(log_wire_hello_read(&body, &w), 0);
	return w.hello.next;
}

static void
append_write(struct buf *out, uint64_t id, uint64_t seq)
{
	struct log_append a = {.id = id, .seq = seq};
	struct record r = {.type = RECORD_HEARTBEAT};
	struct buf entry;

	buf_init(&entry, 0);
	r.u.heartbeat.opened = id;
	assert_int_equal(record_encode_envelope("gw", seq, 1000, &entry), 0);
	assert_int_equal(record_encode_body(&r, &entry), 0);
	a.entry = bytes_of(entry.data, entry.len);
	log_wire_append_write(out, &a);
	buf_done(&entry);
}

static void
raw_append(int fd, uint64_t id, uint64_t seq)
{
	struct buf b;

	buf_init(&b, 0);
	append_write(&b, id, seq);
	raw_send(fd, &b);
}

static void
wait_flag(atomic_int *flag)
{
	int64_t until = clock_mono_ms() + WAIT_MS;

	while (!atomic_load(flag)) {
		assert_true(clock_mono_ms() < until);
		(void)usleep(500);
	}
}

/* ---- tests ---- */

static void
records_are_published_in_order_when_the_process_stops(void **state)
{
	struct log_client *c;
	struct log_hello h;
	pid_t pid = log_start();
	struct buf key;
	unsigned i;

	(void)state;
	c = open_client(&h);
	assert_int_equal(h.next, 0);
	assert_false(h.clean);
	assert_int_equal(h.last_time_ms, 0);
	assert_string_equal(h.origin, "test.example/log");
	buf_init(&key, 0);
	note_key_write(&log_key, &key);
	assert_string_equal(h.key, buf_text(&key));
	buf_done(&key);
	for (i = 0; i < 5000; i++)
		assert_int_equal(submit(c), 0);
	wait_answers(5000);
	assert_true(log_client_healthy(c));
	assert_int_equal(controls->metrics.log_durable, 5000);
	assert_int_equal(controls->metrics.log_ok, 1);
	/* Group commit: far fewer syncs than records. */
	assert_in_range(controls->metrics.log_syncs, 1, 2500);
	log_client_free(c, WAIT_MS);
	log_stop(pid);
	assert_int_equal(controls->metrics.log_published, 5000);
	assert_int_equal(controls->metrics.log_ok, 0);
	check_published();
}

static void
publishing_is_not_later_than_was_asked_for(void **state)
{
	struct log_client *c;
	struct merkle_hash root;
	pid_t pid;
	int64_t until;

	(void)state;
	controls->publish_ms = 50;
	pid = log_start();
	c = open_client(NULL);
	assert_int_equal(submit(c), 0);
	until = clock_mono_ms() + WAIT_MS;
	while (read_checkpoint(controls->dir, "checkpoint", &root) != 1) {
		assert_true(clock_mono_ms() < until);
		(void)usleep(1000);
	}
	log_client_free(c, WAIT_MS);
	log_stop(pid);
}

static void
hello_tells_time_and_whether_the_last_record_is_a_stop(void **state)
{
	struct record stop = {.type = RECORD_STOP};
	struct log_client *c;
	struct log_hello h;
	int64_t before = clock_now_ms();
	pid_t pid = log_start();
	int i;

	(void)state;
	c = open_client(&h);
	assert_int_equal(log_client_submit_wait(c, &stop), 0);
	log_client_free(c, WAIT_MS);
	for (i = 0; i < 2; i++) {	/* the same process, and a new one */
		c = open_client(&h);
		assert_int_equal(h.next, 1);
		assert_true(h.clean);
		assert_true(h.last_time_ms >= before &&
		    h.last_time_ms <= clock_now_ms());
		log_client_free(c, WAIT_MS);
		log_stop(pid);
		pid = log_start();
	}
	c = open_client(&h);
	assert_int_equal(submit(c), 0);
	wait_answers(1);
	log_client_free(c, WAIT_MS);
	c = open_client(&h);
	assert_int_equal(h.next, 2);
	assert_false(h.clean);
	log_client_free(c, WAIT_MS);
	log_stop(pid);
}

/* How often it is killed: `make crash` says a larger number. */
static unsigned
crash_rounds(void)
{
	const char *text = getenv("SWORN_CRASH_ROUNDS");
	uint64_t n = 45;

	if (text != NULL)
		assert_int_equal(text_u64(text, strlen(text), &n), 0);
	assert_in_range(n, 1, RECORDS_MAX / 10);
	return (unsigned)n;
}

static void
killed_log_loses_no_acknowledged_record_and_never_forks(void **state)
{
	struct { uint64_t size; struct merkle_hash root; } *seen;
	struct merkle_frontier f;
	struct merkle_hash root;
	struct published p;
	struct log_client *c;
	size_t n_seen = 0, k;
	unsigned round, rounds = crash_rounds(), most, seed;
	int64_t until;
	uint64_t i;
	pid_t pid;

	(void)state;
	seed = (unsigned)clock_now_ms();
	print_message("# seed %u\n", seed);
	assert_non_null(seen = calloc(2 * rounds, sizeof(*seen)));
	controls->publish_ms = 3;
	pid = log_start();
	c = open_client(NULL);
	for (round = 0; round < rounds; round++) {
		until = clock_mono_ms() + 1 + rand_r(&seed) % 80;
		most = submitted + (rounds > 400 ? RECORDS_MAX / rounds :
		    ROUND_MAX);
		while (clock_mono_ms() < until)
			if (submitted < most && submitted -
			    atomic_load(&answered) < IN_FLIGHT)
				assert_int_equal(submit(c), 0);
		assert_true(WIFSIGNALED(log_end(pid, SIGKILL)));
		/* What a reader, and the signer, saw at that moment. */
		seen[n_seen].size = read_checkpoint(controls->dir,
		    "checkpoint", &seen[n_seen].root);
		n_seen++;
		seen[n_seen].size = read_checkpoint(controls->state, "signed",
		    &seen[n_seen].root);
		assert_true(seen[n_seen].size >= seen[n_seen - 1].size);
		n_seen++;
		pid = log_start();
	}
	wait_answers(submitted);
	log_client_free(c, WAIT_MS);
	log_stop(pid);
	for (i = 0; i < submitted; i++)
		assert_int_equal(outcomes[i].result, 0);
	check_published();
	p = read_published();
	assert_int_equal(p.size, submitted);
	merkle_frontier_init(&f);
	for (i = 0; i <= p.size; i++) {
		assert_int_equal(merkle_frontier_root(&f, &root), 0);
		for (k = 0; k < n_seen; k++)
			if (seen[k].size == i && i > 0)
				assert_memory_equal(&seen[k].root, &root,
				    sizeof(root));
		if (i < p.size)
			assert_int_equal(merkle_frontier_add(&f, &p.leaf[i]),
			    0);
	}
	print_message("# %u records, killed %u times\n", submitted, rounds);
	published_done(&p);
	free(seen);
}

static void
nothing_is_answered_before_the_sync_has_returned(void **state)
{
	struct pollfd p = {.events = POLLIN};
	struct reader body;
	uint64_t next;
	pid_t pid;
	int fd;

	(void)state;
	controls->publish_ms = 3600000;	/* only the journal syncs */
	pid = log_start();
	fd = p.fd = raw_connect();
	assert_int_equal(raw_hello(fd), 0);
	atomic_store(&controls->sync_hold, 1);
	raw_append(fd, 1, 0);
	wait_flag(&controls->sync_held);
	/* It is written and being synced: an early answer were here now. */
	assert_int_equal(poll(&p, 1, 0), 0);
	atomic_store(&controls->sync_hold, 0);
	assert_int_equal(raw_next(fd, &body), LOG_WIRE_DURABLE);
	assert_int_equal(log_wire_durable_read(&body, &next), 0);
	assert_int_equal(next, 1);
	(void)close(fd);
	log_stop(pid);
}

static void
failed_sync_ends_the_process_without_an_answer(void **state)
{
	struct reader body;
	struct buf b;
	uint64_t next;
	pid_t pid;
	int fd, status;

	(void)state;
	controls->publish_ms = 3600000;
	pid = log_start();
	fd = raw_connect();
	assert_int_equal(raw_hello(fd), 0);
	raw_append(fd, 1, 0);
	assert_int_equal(raw_next(fd, &body), LOG_WIRE_DURABLE);
	atomic_store(&controls->sync_fail, 1);
	buf_init(&b, 0);
	append_write(&b, 2, 1);
	append_write(&b, 3, 7);		/* nor is this one refused */
	raw_send(fd, &b);
	assert_int_equal(raw_next(fd, &body), 0);
	(void)close(fd);
	status = log_end(pid, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_start_fails();		/* and while it cannot sync, no start */
	atomic_store(&controls->sync_fail, 0);
	pid = log_start();
	fd = raw_connect();
	next = raw_hello(fd);
	assert_in_range(next, 1, 2);	/* never less than acknowledged */
	(void)close(fd);
	log_stop(pid);
}

static void
full_disk_refuses_records_and_room_heals_it(void **state)
{
	struct log_client *c;
	struct rlimit l;
	unsigned durable = 0, i, refused;
	int64_t until;
	pid_t pid;

	(void)state;
	controls->file_max = 200000;
	pid = log_start();
	c = open_client(NULL);
	until = clock_mono_ms() + WAIT_MS;
	for (;;) {
		assert_true(clock_mono_ms() < until);
		assert_int_equal(submit(c), 0);
		wait_answers(submitted);
		if (outcomes[submitted - 1].result != 0)
			break;
		durable++;
	}
	assert_in_range(durable, 100, 5000);
	assert_int_equal(outcomes[submitted - 1].result, ERR_IO);
	assert_false(log_client_healthy(c));
	assert_int_equal(controls->metrics.log_ok, 0);
	for (i = 0; i < 300; i++)	/* many at once: all refused too */
		assert_int_equal(submit(c), 0);
	wait_answers(submitted);
	refused = submitted - durable;
	assert_int_equal(refused, 301);
	for (i = durable; i < submitted; i++)
		assert_int_equal(outcomes[i].result, ERR_IO);
	assert_true(controls->metrics.log_failures > 0);
	/* Room again, in the same process. */
	assert_int_equal(prlimit(pid, RLIMIT_FSIZE, NULL, &l), 0);
	l.rlim_cur = l.rlim_max;
	assert_int_equal(prlimit(pid, RLIMIT_FSIZE, &l, NULL), 0);
	for (i = 0; i < 300; i++)
		assert_int_equal(submit(c), 0);
	wait_answers(submitted);
	for (i = durable + refused; i < submitted; i++) {
		assert_int_equal(outcomes[i].result, 0);
		assert_int_equal(outcomes[i].seq, i - refused);
	}
	assert_true(log_client_healthy(c));
	assert_int_equal(controls->metrics.log_ok, 1);
	log_client_free(c, WAIT_MS);
	log_stop(pid);
	check_published();
}

static void
only_the_next_seq_is_taken(void **state)
{
	static const uint64_t seqs[] = {1, 1ULL << 62, 0, 0, 1, 3, 2};
	static const bool taken[] = {
		false, false, true, false, true, false, true,
	};
	struct log_refused f;
	struct reader body;
	uint64_t next = 0, got;
	struct published p;
	pid_t pid = log_start();
	size_t i;
	int fd;

	(void)state;
	fd = raw_connect();
	assert_int_equal(raw_hello(fd), 0);
	for (i = 0; i < sizeof(seqs) / sizeof(seqs[0]); i++)
		raw_append(fd, 100 + i, seqs[i]);
	/* Answers may be for several at once, but in order. */
	for (i = 0; i < sizeof(seqs) / sizeof(seqs[0]); i++) {
		if (taken[i] && next > seqs[i])
			continue;
		if (taken[i]) {
			assert_int_equal(raw_next(fd, &body),
			    LOG_WIRE_DURABLE);
			assert_int_equal(log_wire_durable_read(&body, &got),
			    0);
			assert_true(got > next);
			next = got;
		} else {
			assert_int_equal(raw_next(fd, &body),
			    LOG_WIRE_REFUSED);
			assert_int_equal(log_wire_refused_read(&body, &f), 0);
			assert_int_equal(f.id, 100 + i);
			assert_int_equal(f.next, next);
		}
	}
	(void)close(fd);
	log_stop(pid);
	p = read_published();
	assert_int_equal(p.size, 3);
	assert_int_equal(p.opened[0], 102);
	assert_int_equal(p.opened[1], 104);
	assert_int_equal(p.opened[2], 106);
	published_done(&p);
}

static void
second_gateway_waits_until_the_first_is_gone(void **state)
{
	struct log_client *c = NULL;
	struct reader body;
	struct log_hello h;
	struct buf b;
	pid_t pid = log_start();
	int first, second;

	(void)state;
	first = raw_connect();
	assert_int_equal(raw_hello(first), 0);
	second = raw_connect();
	buf_init(&b, 0);
	log_wire_ask_write(&b);
	raw_send(second, &b);
	assert_int_equal(raw_next(second, &body), LOG_WIRE_BUSY);
	assert_int_equal(log_client_new(sock_path, "gw", 100, 100, &h, &c),
	    ERR_STATE);
	raw_append(second, 1, 0);	/* without the log: hung up on */
	assert_int_equal(raw_next(second, &body), 0);
	(void)close(second);
	raw_append(first, 1, 0);	/* the first is not displaced */
	assert_int_equal(raw_next(first, &body), LOG_WIRE_DURABLE);
	(void)close(first);
	c = open_client(&h);
	assert_int_equal(h.next, 1);
	log_client_free(c, WAIT_MS);
	log_stop(pid);
}

static void
misshapen_messages_end_that_connection_only(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool after_hello;
	} cases[] = {
		{"\x02\0\0\0\x10" "0123456789abcdef", 21, false},
		{"\x63\0\0\0\0", 5, false},
		{"\x01\0\0\0\0", 5, false},
		{"\x01\0\0\0\4\0\0\0\x9", 9, false},	/* other version */
		{"\x01\0\0\0\5\0\0\0\1x", 10, false},
		{"\xff\xff\xff\xff\xff", 5, false},
		{"\x01\0\0\0\4\0\0\0\1", 9, true},	/* asks again */
		{"\x02\0\0\0\x1x", 6, true},
		{"\x04\0\0\0\0", 5, true},		/* the log's own */
		{"\x02\xff\xff\xff\xff", 5, true},
		{"\x63\0\0\0\0", 5, true},
	};
	static uint8_t big[RECORD_MAX + 1];
	const struct log_append over = {1, 0, {big, sizeof(big)}};
	struct reader body;
	struct buf b;
	pid_t pid = log_start();
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i <= sizeof(cases) / sizeof(cases[0]); i++) {
		fd = raw_connect();
		if (i == sizeof(cases) / sizeof(cases[0])) {
			assert_int_equal(raw_hello(fd), 0);
			buf_init(&b, 0);
			log_wire_append_write(&b, &over);
			raw_send(fd, &b);
		} else {
			if (cases[i].after_hello)
				assert_int_equal(raw_hello(fd), 0);
			assert_int_equal(send(fd, cases[i].bytes,
			    cases[i].len, MSG_NOSIGNAL),
			    (ssize_t)cases[i].len);
		}
		if (raw_next(fd, &body) != 0)
			fail_msg("case %zu was answered", i);
		(void)close(fd);
	}
	fd = raw_connect();
	assert_int_equal(raw_hello(fd), 0);	/* nothing was written */
	(void)close(fd);
	log_stop(pid);
}

/* As raw_hello, but comes again while the one before is being let go. */
static uint64_t
raw_hello_again(int *fd)
{
	struct log_where w;
	struct reader body;
	struct buf b;

	for (;;) {
		*fd = raw_connect();
		buf_init(&b, 0);
		log_wire_ask_write(&b);
		raw_send(*fd, &b);
		if (raw_next(*fd, &body) == LOG_WIRE_HELLO)
			break;
		(void)close(*fd);
		(void)usleep(1000);
	}
	assert_int_equal(log_wire_hello_read(&body, &w), 0);
	return w.hello.next;
}

static void
half_a_record_of_a_gateway_that_dies_is_not_written(void **state)
{
	struct log_append a = {1, 0, bytes_str("{}")};
	struct buf b;
	pid_t pid = log_start();
	size_t cut;
	int fd;

	(void)state;
	for (cut = 1; cut <= 5 + 16 + 2; cut++) {
		assert_int_equal(raw_hello_again(&fd), 0);
		buf_init(&b, 0);
		log_wire_append_write(&b, &a);
		assert_int_equal(b.len, 5 + 16 + 2);
		b.len = cut;
		raw_send(fd, &b);
		(void)close(fd);
	}
	assert_int_equal(raw_hello_again(&fd), 1);	/* the whole one */
	(void)close(fd);
	log_stop(pid);
}

static void
assert_object(const char *hex, const void *data, size_t len)
{
	uint8_t digest[HASH_LEN];
	char path[256];
	struct buf b, name;

	buf_init(&b, 0);
	buf_init(&name, 0);
	assert_int_equal(hash_sha256(data, len, digest), 0);
	text_hex(&name, digest, sizeof(digest));
	assert_string_equal(hex, buf_text(&name));
	(void)snprintf(path, sizeof(path), "%s/objects/%s", controls->dir,
	    hex);
	assert_int_equal(disk_read(AT_FDCWD, path, len, &b), 0);
	assert_true(bytes_equal(bytes_of(b.data, b.len), bytes_of(data,
	    len)));
	buf_done(&b);
	buf_done(&name);
}

static void
objects_are_durable_beside_the_log(void **state)
{
	static const char abc[] =
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	char hex[65], path[256];
	struct log_client *c;
	uint8_t *big = calloc(1, LOG_WIRE_PART_MAX * 3 + 1);
	size_t len;
	struct buf b;
	pid_t pid = log_start();

	(void)state;
	assert_non_null(big);
	c = open_client(NULL);
	assert_int_equal(log_client_object_wait(c, "abc", 3, hex), 0);
	assert_string_equal(hex, abc);
	assert_int_equal(log_client_object_wait(c, "abc", 3, hex), 0);
	(void)snprintf(path, sizeof(path), "%s/objects/%s", controls->dir,
	    abc);
	buf_init(&b, 0);
	assert_int_equal(disk_read(AT_FDCWD, path, 100, &b), 0);
	assert_true(bytes_equal(bytes_of(b.data, b.len), bytes_str("abc")));
	buf_done(&b);
	/* Several parts, the last of them full, and one byte more. */
	for (len = 0; len <= LOG_WIRE_PART_MAX * 3; len +=
	    LOG_WIRE_PART_MAX * 3) {
		assert_int_equal(log_client_object_wait(c, big, len, hex), 0);
		assert_object(hex, big, len);
		assert_int_equal(log_client_object_wait(c, big, len + 1,
		    hex), 0);
		assert_object(hex, big, len + 1);
	}
	assert_int_equal(log_client_object_wait(c, big, OBJECT_MAX + 1, hex),
	    ERR_LIMIT);
	assert_int_equal(submit(c), 0);	/* and it goes on */
	wait_answers(1);
	assert_int_equal(outcomes[0].result, 0);
	log_client_free(c, WAIT_MS);
	log_stop(pid);
	free(big);
}

static void
spoil_file(const char *dir, const char *name, off_t at)
{
	char path[256];
	uint8_t c;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_true((fd = open(path, O_RDWR)) >= 0);
	assert_int_equal(pread(fd, &c, 1, at), 1);
	c ^= 1;
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	(void)close(fd);
}

static void
start_refuses_what_it_cannot_stand_for(void **state)
{
	char path[256];
	struct log_client *c;
	pid_t pid = log_start();
	int fd;

	(void)state;
	c = open_client(NULL);
	assert_start_fails();			/* a second one on this state */
	assert_int_equal(submit(c), 0);
	wait_answers(1);
	log_client_free(c, WAIT_MS);
	log_stop(pid);

	assert_int_equal(chmod(key_path, 0640), 0);
	assert_start_fails();
	assert_int_equal(unlink(key_path), 0);
	assert_start_fails();
	assert_true((fd = open(key_path, O_WRONLY | O_CREAT, 0600)) >= 0);
	assert_int_equal(write(fd, "PRIVATE+KEY+x\n", 14), 14);
	(void)close(fd);
	assert_start_fails();
	write_key(0600);

	/* The log's directory is lost, but the journal has all of it. */
	assert_int_equal(nftw(controls->dir, remove_one, 16,
	    FTW_DEPTH | FTW_PHYS), 0);
	log_stop(log_start());
	check_published();

	/* By now entry 0 is in the tiles only. A file in their place: */
	log_stop(log_start());
	(void)snprintf(path, sizeof(path), "%s.away", controls->dir);
	assert_int_equal(rename(controls->dir, path), 0);
	assert_true((fd = open(controls->dir, O_WRONLY | O_CREAT, 0600)) >=
	    0);
	(void)close(fd);
	assert_start_fails();
	assert_int_equal(unlink(controls->dir), 0);
	assert_start_fails();		/* nothing at all */
	assert_int_equal(nftw(controls->dir, remove_one, 16,
	    FTW_DEPTH | FTW_PHYS), 0);
	assert_int_equal(rename(path, controls->dir), 0);

	log_stop(log_start());			/* all is well again */
	spoil_file(controls->dir, "tile/0/000.p/1", 3);
	assert_start_fails();
	spoil_file(controls->dir, "tile/0/000.p/1", 3);
	spoil_file(controls->state, "signed", 30);
	assert_start_fails();
	spoil_file(controls->state, "signed", 30);
	pid = log_start();
	c = open_client(NULL);
	assert_int_equal(submit(c), 0);
	wait_answers(2);
	log_client_free(c, WAIT_MS);
	log_stop(pid);
	check_published();
}

static void
gateway_that_goes_leaves_the_log_to_the_next(void **state)
{
	struct log_client *c;
	struct log_hello h;
	pid_t pid = log_start();
	unsigned i, k;

	(void)state;
	for (i = 0; i < 20; i++) {
		c = open_client(&h);
		assert_int_equal(h.next, submitted);
		for (k = 0; k < 50; k++)
			assert_int_equal(submit(c), 0);
		log_client_free(c, WAIT_MS);
	}
	log_stop(pid);
	assert_int_equal(submitted, 1000);
	check_published();
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(records_are_published_in_order_when_the_process_stops),
		T(publishing_is_not_later_than_was_asked_for),
		T(hello_tells_time_and_whether_the_last_record_is_a_stop),
		T(nothing_is_answered_before_the_sync_has_returned),
		T(failed_sync_ends_the_process_without_an_answer),
		T(full_disk_refuses_records_and_room_heals_it),
		T(only_the_next_seq_is_taken),
		T(second_gateway_waits_until_the_first_is_gone),
		T(misshapen_messages_end_that_connection_only),
		T(half_a_record_of_a_gateway_that_dies_is_not_written),
		T(objects_are_durable_beside_the_log),
		T(start_refuses_what_it_cannot_stand_for),
		T(gateway_that_goes_leaves_the_log_to_the_next),
		T(killed_log_loses_no_acknowledged_record_and_never_forks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The log's side is played here, message by message, so that it can refuse,
 * hang, die and lie.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "gateway/log_wire.h"
#include "record/record.h"

#define WAIT_MS 10000
#define RECORDS_MAX 64

static char folder[64];
static char path[80];
static int listener;

static int
make_listener(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/sworn-logclient-XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/sock", folder);
	memcpy(un.sun_path, path, sizeof(path));
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&un, sizeof(un)),
	    0);
	return listen(listener, 16);
}

static int
remove_listener(void **state)
{
	(void)state;
	(void)close(listener);
	(void)unlink(path);
	return rmdir(folder);
}

/* ---- the log's side ---- */

struct peer {
	int fd;
	struct buf in;
};

static void
peer_done(struct peer *p)
{
	(void)close(p->fd);
	buf_done(&p->in);
}

/* The next message; its body stays until the next call. False: EOF. */
static bool
peer_next(struct peer *p, uint8_t *type, struct reader *body)
{
	static struct buf kept;
	struct reader r;
	uint8_t *to;
	ssize_t n;

	for (;;) {
		reader_init(&r, p->in.data, p->in.len);
		if (log_wire_next(&r, type, body) == 0) {
			buf_reset(&kept);
			buf_bytes(&kept, body->data, body->len);
			reader_init(body, kept.data, kept.len);
			buf_consume(&p->in, r.pos);
			return true;
		}
		assert_non_null(to = buf_reserve(&p->in, 65536));
		n = recv(p->fd, to, 65536, 0);
		if (n < 0)
			fail_msg("the client sent nothing");
		if (n == 0)
			return false;
		p->in.len += (size_t)n;
	}
}

static struct peer
peer_accept(void)
{
	struct timeval tv = {.tv_sec = WAIT_MS / 1000};
	struct peer p;
	struct reader body;
	uint8_t type;

	assert_int_equal(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &tv,
	    sizeof(tv)), 0);
	buf_init(&p.in, 0);
	assert_true((p.fd = accept(listener, NULL, NULL)) >= 0);
	assert_int_equal(setsockopt(p.fd, SOL_SOCKET, SO_RCVTIMEO, &tv,
	    sizeof(tv)), 0);
	assert_true(peer_next(&p, &type, &body));
	assert_int_equal(type, LOG_WIRE_ASK);
	assert_int_equal(log_wire_ask_read(&body), 0);
	return p;
}

static void
peer_send(struct peer *p, struct buf *b)
{
	assert_false(b->failed);
	assert_int_equal(send(p->fd, b->data, b->len, MSG_NOSIGNAL),
	    (ssize_t)b->len);
	buf_done(b);
}

static void
peer_hello(struct peer *p, uint64_t next, const struct merkle_hash *last,
    int64_t time_ms)
{
	struct log_where w = {
		.hello = {"origin", "key", next, time_ms, false},
	};
	struct buf b;

	if (last != NULL)
		w.last = *last;
	buf_init(&b, 0);
	log_wire_hello_write(&b, &w);
	/* The client may have given this connection up already. */
	(void)send(p->fd, b.data, b.len, MSG_NOSIGNAL);
	buf_done(&b);
}

static void
peer_durable(struct peer *p, uint64_t next)
{
	struct buf b;

	buf_init(&b, 0);
	log_wire_durable_write(&b, next);
	peer_send(p, &b);
}

static void
peer_refused(struct peer *p, uint64_t id, uint64_t next)
{
	const struct log_refused f = {id, next};
	struct buf b;

	buf_init(&b, 0);
	log_wire_refused_write(&b, &f);
	peer_send(p, &b);
}

/* The next record; its bytes stay until the next message. */
static struct log_append
peer_append(struct peer *p)
{
	struct log_append a;
	struct reader body;
	uint8_t type;

	assert_true(peer_next(p, &type, &body));
	assert_int_equal(type, LOG_WIRE_APPEND);
	assert_int_equal(log_wire_append_read(&body, &a), 0);
	return a;
}

static uint64_t
opened_of(const struct log_append *a, int64_t *time_ms)
{
	struct arena *arena = arena_new();
	struct record r;
	struct why w;
	uint64_t n;

	assert_non_null(arena);
	if (record_decode(a->entry, arena, &r, &w) != 0)
		fail_msg("%s", w.text);
	assert_int_equal(r.type, RECORD_HEARTBEAT);
	assert_int_equal(r.seq, a->seq);
	if (time_ms != NULL)
		*time_ms = r.time_ms;
	n = r.u.heartbeat.opened;
	arena_free(arena);
	return n;
}

/* ---- the gateway's side ---- */

struct opening {
	pthread_t thread;
	unsigned unreachable_ms;
	struct log_hello hello;
	struct log_client *client;
	int result;
};

static void *
open_run(void *arg)
{
	struct opening *o = arg;

	o->result = log_client_new(path, "gw", WAIT_MS, o->unreachable_ms,
	    &o->hello, &o->client);
	return NULL;
}

static struct log_client *
open_client(struct peer *p, uint64_t next, int64_t time_ms,
    unsigned unreachable_ms)
{
	struct opening o = {.unreachable_ms = unreachable_ms};

	assert_int_equal(pthread_create(&o.thread, NULL, open_run, &o), 0);
	*p = peer_accept();
	peer_hello(p, next, NULL, time_ms);
	assert_int_equal(pthread_join(o.thread, NULL), 0);
	assert_int_equal(o.result, 0);
	assert_int_equal(o.hello.next, next);
	return o.client;
}

struct outcome {
	atomic_int calls;
	int result;
	uint64_t seq;
};

static struct outcome outcomes[RECORDS_MAX];

static void
on_done(void *arg, int result, uint64_t seq)
{
	struct outcome *o = arg;

	o->result = result;
	o->seq = seq;
	atomic_fetch_add(&o->calls, 1);
}

static int
submit(struct log_client *c, unsigned i)
{
	struct record r = {.type = RECORD_HEARTBEAT};

	r.u.heartbeat.opened = i;
	memset(&outcomes[i], 0, sizeof(outcomes[i]));
	return log_client_submit(c, &r, on_done, &outcomes[i]);
}

static void
assert_outcome(unsigned i, int result, uint64_t seq)
{
	int64_t until = clock_mono_ms() + WAIT_MS;

	while (atomic_load(&outcomes[i].calls) == 0) {
		assert_true(clock_mono_ms() < until);
		(void)usleep(1000);
	}
	assert_int_equal(outcomes[i].calls, 1);
	assert_int_equal(outcomes[i].result, result);
	assert_int_equal(outcomes[i].seq, seq);
}

/* ---- tests ---- */

static void
records_are_numbered_in_order_and_answered_when_durable(void **state)
{
	struct log_client *c;
	struct log_append a;
	struct peer p;
	unsigned i;

	(void)state;
	c = open_client(&p, 7, 0, WAIT_MS);
	assert_true(log_client_healthy(c));
	for (i = 0; i < 10; i++)
		assert_int_equal(submit(c, i), 0);
	for (i = 0; i < 10; i++) {
		a = peer_append(&p);
		assert_int_equal(a.seq, 7 + i);
		assert_int_equal(opened_of(&a, NULL), i);
	}
	for (i = 0; i < 10; i++)
		assert_int_equal(atomic_load(&outcomes[i].calls), 0);
	peer_durable(&p, 10);
	for (i = 0; i < 3; i++)
		assert_outcome(i, 0, 7 + i);
	peer_durable(&p, 17);
	for (i = 3; i < 10; i++)
		assert_outcome(i, 0, 7 + i);
	log_client_free(c, 0);
	peer_done(&p);
}

static void
time_in_records_never_goes_back(void **state)
{
	const int64_t far = INT64_C(4102444800000);	/* the year 2100 */
	struct log_client *c;
	struct log_append a;
	struct peer p;
	int64_t t;

	(void)state;
	c = open_client(&p, 1, far, WAIT_MS);
	assert_int_equal(submit(c, 0), 0);
	a = peer_append(&p);
	(void)opened_of(&a, &t);
	assert_int_equal(t, far);
	log_client_free(c, 0);
	peer_done(&p);
}

static void
refusal_fails_all_that_wait_and_numbering_starts_again(void **state)
{
	struct log_append a, first = {0};
	struct log_client *c;
	struct peer p;
	unsigned i;

	(void)state;
	c = open_client(&p, 0, 0, WAIT_MS);
	for (i = 0; i < 6; i++)
		assert_int_equal(submit(c, i), 0);
	for (i = 0; i < 6; i++) {
		a = peer_append(&p);
		if (i == 2)
			first = a;
	}
	peer_durable(&p, 2);
	peer_refused(&p, first.id, 2);
	assert_outcome(0, 0, 0);
	assert_outcome(1, 0, 1);
	for (i = 2; i < 6; i++)
		assert_outcome(i, ERR_IO, i);
	assert_false(log_client_healthy(c));
	assert_int_equal(submit(c, 6), 0);
	a = peer_append(&p);
	assert_int_equal(a.seq, 2);
	assert_int_equal(opened_of(&a, NULL), 6);
	/* What was on its way is refused later; that is not about this one. */
	for (i = 1; i < 4; i++)
		peer_refused(&p, first.id + i, 2);
	peer_durable(&p, 3);
	assert_outcome(6, 0, 2);
	assert_true(log_client_healthy(c));
	log_client_free(c, 0);
	peer_done(&p);
}

static struct merkle_hash
leaf_of(const struct log_append *a)
{
	struct merkle_hash h;

	assert_int_equal(merkle_leaf(a->entry.data, a->entry.len, &h), 0);
	return h;
}

static void
lost_connection_resubmits_the_rest_with_the_same_bytes(void **state)
{
	struct merkle_hash leaves[8];
	struct log_client *c;
	struct log_append a;
	struct peer p;
	unsigned i;

	(void)state;
	c = open_client(&p, 0, 0, WAIT_MS);
	for (i = 0; i < 8; i++)
		assert_int_equal(submit(c, i), 0);
	for (i = 0; i < 8; i++) {
		a = peer_append(&p);
		leaves[i] = leaf_of(&a);
	}
	peer_durable(&p, 2);
	assert_outcome(1, 0, 1);
	peer_done(&p);
	/* The successor has five of them: two were never acknowledged. */
	p = peer_accept();
	peer_hello(&p, 5, &leaves[4], 0);
	for (i = 2; i < 5; i++)
		assert_outcome(i, 0, i);
	for (i = 5; i < 8; i++) {
		a = peer_append(&p);
		assert_int_equal(a.seq, i);
		assert_memory_equal(leaf_of(&a).h, leaves[i].h, HASH_LEN);
		assert_int_equal(atomic_load(&outcomes[i].calls), 0);
	}
	peer_durable(&p, 8);
	for (i = 5; i < 8; i++)
		assert_outcome(i, 0, i);
	log_client_free(c, 0);
	peer_done(&p);
}

static void
log_gone_too_long_fails_records_and_numbering_follows_it(void **state)
{
	struct log_client *c;
	struct log_append a;
	struct merkle_hash last = {{1}};
	struct peer p;
	int64_t until;

	(void)state;
	c = open_client(&p, 0, 0, 100);
	assert_int_equal(submit(c, 0), 0);
	assert_int_equal(submit(c, 1), 0);
	a = peer_append(&p);
	last = leaf_of(&a);
	peer_done(&p);
	assert_outcome(0, ERR_STATE, 0);
	assert_outcome(1, ERR_STATE, 1);
	/* Nobody knows the next number. */
	assert_int_equal(submit(c, 2), ERR_STATE);
	assert_false(log_client_healthy(c));
	/* It turns out that the first of the two is durable. The client may
	 * have given up on connections that were not answered. */
	for (;;) {
		p = peer_accept();
		peer_hello(&p, 1, &last, 0);
		until = clock_mono_ms() + 500;
		while (!log_client_healthy(c) && clock_mono_ms() < until)
			(void)usleep(1000);
		if (log_client_healthy(c))
			break;
		peer_done(&p);
	}
	assert_int_equal(submit(c, 3), 0);
	a = peer_append(&p);
	assert_int_equal(a.seq, 1);
	assert_int_equal(opened_of(&a, NULL), 3);
	peer_durable(&p, 2);
	assert_outcome(3, 0, 1);
	assert_int_equal(outcomes[0].calls, 1);
	log_client_free(c, 0);
	peer_done(&p);
}

static void
log_that_hangs_counts_as_gone(void **state)
{
	struct log_client *c;
	struct reader body;
	struct peer p;
	uint8_t type;

	(void)state;
	c = open_client(&p, 0, 0, 100);
	assert_int_equal(submit(c, 0), 0);
	(void)peer_append(&p);
	assert_outcome(0, ERR_STATE, 0);
	assert_false(peer_next(&p, &type, &body));	/* hung up */
	log_client_free(c, 0);
	peer_done(&p);
}

/* After this HELLO the client must want no more. */
static void
assert_breaks(uint64_t next, const struct merkle_hash *last)
{
	struct merkle_hash own[3];
	struct log_client *c;
	struct reader body;
	struct log_append a;
	struct peer p;
	uint8_t type;
	unsigned i;

	c = open_client(&p, 0, 0, WAIT_MS);
	for (i = 0; i < 3; i++) {
		assert_int_equal(submit(c, i), 0);
		a = peer_append(&p);
		own[i] = leaf_of(&a);
	}
	peer_durable(&p, 2);		/* the third waits */
	assert_outcome(1, 0, 1);
	peer_done(&p);
	p = peer_accept();
	peer_hello(&p, next, last != NULL ? last : &own[next - 1], 0);
	assert_outcome(2, ERR_STATE, 2);
	assert_false(peer_next(&p, &type, &body));
	assert_int_equal(submit(c, 3), ERR_STATE);
	assert_false(log_client_healthy(c));
	log_client_free(c, 0);
	peer_done(&p);
}

static void
log_that_contradicts_what_it_said_is_not_used(void **state)
{
	const struct merkle_hash foreign = {{42}};

	(void)state;
	assert_breaks(1, NULL);		/* lost an acknowledged record */
	assert_breaks(4, &foreign);	/* has one that nobody wrote */
	assert_breaks(2, &foreign);	/* another one in place of ours */
	assert_breaks(3, &foreign);
}

static void
busy_log_is_asked_again(void **state)
{
	struct opening o = {.unreachable_ms = WAIT_MS};
	struct peer p;
	struct buf b;
	int i;

	(void)state;
	assert_int_equal(pthread_create(&o.thread, NULL, open_run, &o), 0);
	for (i = 0; i < 3; i++) {
		p = peer_accept();
		buf_init(&b, 0);
		log_wire_busy_write(&b);
		peer_send(&p, &b);
		peer_done(&p);
	}
	p = peer_accept();
	peer_hello(&p, 3, NULL, 0);
	assert_int_equal(pthread_join(o.thread, NULL), 0);
	assert_int_equal(o.result, 0);
	log_client_free(o.client, 0);
	peer_done(&p);
}

static void
no_log_within_the_timeout_is_an_error(void **state)
{
	struct log_client *c = NULL;
	struct log_hello h;

	(void)state;
	assert_int_equal(log_client_new("/nonexistent/sock", "gw", 50, 50, &h,
	    &c), ERR_STATE);
	assert_null(c);
}

static void
misshapen_answers_end_the_connection_not_the_client(void **state)
{
	static const char *const answers[] = {
		"\x63\0\0\0\0",			/* no such type */
		"\x06\0\0\0\1x",		/* DURABLE cut */
		"\x06\0\0\0\x9xxxxxxxxx",	/* and too long */
		"\x07\0\0\0\0",			/* REFUSED cut */
		"\x01\0\0\0\4\0\0\0\1",		/* the gateway's own */
		"\x06\xff\xff\xff\xff",		/* over the limit */
	};
	static const size_t lens[] = {5, 6, 14, 5, 9, 5};
	struct log_client *c;
	struct log_append a;
	struct peer p;
	size_t i;

	(void)state;
	c = open_client(&p, 0, 0, WAIT_MS);
	assert_int_equal(submit(c, 0), 0);
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		a = peer_append(&p);
		assert_int_equal(a.seq, 0);
		assert_int_equal(send(p.fd, answers[i], lens[i],
		    MSG_NOSIGNAL), (ssize_t)lens[i]);
		peer_done(&p);
		p = peer_accept();
		peer_hello(&p, 0, NULL, 0);
	}
	assert_int_equal(atomic_load(&outcomes[0].calls), 0);
	(void)peer_append(&p);
	peer_durable(&p, 1);
	assert_outcome(0, 0, 0);
	log_client_free(c, 0);
	peer_done(&p);
}

static void
closing_answers_every_record_once(void **state)
{
	struct log_client *c;
	struct peer p;
	unsigned i;

	(void)state;
	c = open_client(&p, 0, 0, WAIT_MS);
	for (i = 0; i < 5; i++)
		assert_int_equal(submit(c, i), 0);
	log_client_free(c, 50);
	for (i = 0; i < 5; i++)
		assert_outcome(i, ERR_STATE, i);
	peer_done(&p);
}

struct storing {
	pthread_t thread;
	struct log_client *client;
	char hex[65];
	int result;
};

static void *
store_run(void *arg)
{
	struct storing *s = arg;

	s->result = log_client_object_wait(s->client, "abc", 3, s->hex);
	return NULL;
}

static void
object_is_sent_again_and_its_name_checked(void **state)
{
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	struct log_stored stored = {0};
	struct log_object o;
	struct storing s;
	struct reader body;
	struct peer p;
	uint8_t type;
	struct buf b;
	int i;

	(void)state;
	s.client = open_client(&p, 0, 0, WAIT_MS);
	for (i = 0; i < 3; i++) {
		assert_int_equal(pthread_create(&s.thread, NULL, store_run,
		    &s), 0);
		assert_true(peer_next(&p, &type, &body));
		if (i == 0) {	/* dies without an answer */
			peer_done(&p);
			p = peer_accept();
			peer_hello(&p, 0, NULL, 0);
			assert_true(peer_next(&p, &type, &body));
		}
		assert_int_equal(type, LOG_WIRE_OBJECT);
		assert_int_equal(log_wire_object_read(&body, &o), 0);
		assert_true(bytes_equal(o.part, bytes_str("abc")));
		assert_int_equal(o.len, 3);
		stored.id = o.id;
		stored.result = i == 2 ? ERR_IO : 0;
		memcpy(stored.hex, ABC, sizeof(stored.hex));
		if (i == 1)
			stored.hex[0] = 'c';
		buf_init(&b, 0);
		log_wire_stored_write(&b, &stored);
		peer_send(&p, &b);
		assert_int_equal(pthread_join(s.thread, NULL), 0);
		assert_int_equal(s.result, i == 0 ? 0 : i == 1 ? ERR_CRYPTO :
		    ERR_IO);
		assert_string_equal(s.hex, i == 0 ? ABC : "");
	}
	log_client_free(s.client, 0);
	peer_done(&p);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, make_listener, remove_listener)
	const struct CMUnitTest tests[] = {
		T(
		    records_are_numbered_in_order_and_answered_when_durable),
		T(time_in_records_never_goes_back),
		T(
		    refusal_fails_all_that_wait_and_numbering_starts_again),
		T(
		    lost_connection_resubmits_the_rest_with_the_same_bytes),
		T(
		    log_gone_too_long_fails_records_and_numbering_follows_it),
		T(log_that_hangs_counts_as_gone),
		T(log_that_contradicts_what_it_said_is_not_used),
		T(busy_log_is_asked_again),
		T(no_log_within_the_timeout_is_an_error),
		T(
		    misshapen_answers_end_the_connection_not_the_client),
		T(closing_answers_every_record_once),
		T(object_is_sent_again_and_its_name_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

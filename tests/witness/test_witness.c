/*
 * A witness whose disk fails at its first, second, third ... call: no
 * cosignature leaves for what is not on the disk, and a witness that starts
 * again knows at least what was cosigned. (tests/interop/ has the protocol,
 * over HTTP.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "fault.h"
#include "log/note.h"
#include "witness/request.h"
#include "witness/witness.h"

#define ORIGIN "log.example/1"
#define LEAVES 3

struct world {
	char path[64];
	struct note_key log_key, key;
	uint8_t log_seed[SIGN_SEED_LEN], seed[SIGN_SEED_LEN];
	struct note_signer by;
	struct witness_log log;
	struct witness_conf conf;
	struct merkle_hash leaf[LEAVES];
};

static void
make_key(const char *name, uint8_t type, const char *text,
    uint8_t seed[static SIGN_SEED_LEN], struct note_key *ret)
{
	uint8_t public[SIGN_PUBLIC_LEN];

	memset(seed, 0, SIGN_SEED_LEN);
	memcpy(seed, text, strlen(text));
	assert_int_equal(sign_public(seed, public), 0);
	assert_int_equal(note_key_make(name, type, public, ret), 0);
}

static void
world_make(struct world *w)
{
	size_t i;

	memset(w, 0, sizeof(*w));
	assert_non_null(fault_folder(w->path, sizeof(w->path), "witness"));
	make_key(ORIGIN, 0x01, "the log", w->log_seed, &w->log_key);
	make_key("w.example", 0x04, "the witness", w->seed, &w->key);
	w->by = (struct note_signer){.key = &w->key, .seed = w->seed};
	w->log = (struct witness_log){ORIGIN, &w->log_key, 1};
	w->conf = (struct witness_conf){
		.state_dir = w->path, .logs = &w->log, .n_logs = 1,
	};
	for (i = 0; i < LEAVES; i++)
		assert_int_equal(merkle_leaf(&i, 1, &w->leaf[i]), 0);
}

static void
world_remove(struct world *w)
{
	static const char *const ends[] = {"", ".tmp"};
	uint8_t digest[HASH_LEN];
	char path[256], hex[65];
	size_t i;

	assert_int_equal(hash_sha256(ORIGIN, strlen(ORIGIN), digest), 0);
	for (i = 0; i < HASH_LEN; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	for (i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s%s", w->path, hex,
		    ends[i]);
		(void)unlink(path);	/* or it never was */
	}
	(void)snprintf(path, sizeof(path), "%s/lock", w->path);
	(void)unlink(path);
	assert_int_equal(rmdir(w->path), 0);
}

/* The tree of one leaf, or of two; asked from the one before it. */
static void
make_request(struct world *w, uint64_t size, struct buf *out)
{
	struct checkpoint c = {.origin = ORIGIN, .size = size};
	struct buf body, note;
	struct request q = {.old = size - 1};

	buf_init(&body, 0);
	buf_init(&note, 0);
	c.root = w->leaf[0];
	if (size == 2) {
		assert_int_equal(merkle_node(&w->leaf[0], &w->leaf[1],
		    &c.root), 0);
		q.proof[q.n++] = w->leaf[1];
	}
	assert_int_equal(checkpoint_write(&c, &body), 0);
	assert_int_equal(note_sign((char *)body.data, body.len, &w->log_key,
	    w->log_seed, &note), 0);
	q.note = (char *)note.data;
	q.note_len = note.len;
	request_write(&q, out);
	buf_done(&body);
	buf_done(&note);
}

static unsigned
ask(struct witness *x, const struct buf *request, struct buf *out)
{
	const char *type;

	buf_reset(out);
	return witness_ask(x, (const char *)request->data, request->len,
	    1767139200, out, &type);
}

static struct witness *
open_witness(struct world *w, const struct disk *d)
{
	struct witness *x = NULL;
	struct why why = {0};

	assert_int_equal(witness_open(&w->conf, d, &w->by, &x, &why), 0);
	return x;
}

/* What a new one knows: 0, 1 or 2. A proof from nothing is never right. */
static unsigned
known_size(struct world *w)
{
	struct witness *x = open_witness(w, &disk_real);
	struct buf request, out;
	unsigned status, size;

	buf_init(&request, 0);
	buf_init(&out, 0);
	make_request(w, 2, &request);
	request.data[4] = '0';		/* "old 0", with a proof */
	status = ask(x, &request, &out);
	assert_true(status == 422 || status == 409);
	size = status == 422 ? 0 : (unsigned)(out.data[0] - '0');
	buf_done(&request);
	buf_done(&out);
	witness_free(x);
	return size;
}

/* 0 if the disk never came to fail. */
static int
try_at(unsigned fail_at, bool for_good)
{
	struct fault f = {.fail_at = fail_at, .error = ENOSPC,
	    .for_good = for_good};
	struct disk d = fault_disk(&f);
	struct buf request, out;
	struct witness *x;
	unsigned status, cosigned = 0, size;
	struct world w;

	world_make(&w);
	buf_init(&request, 0);
	buf_init(&out, 0);
	x = open_witness(&w, &d);
	for (size = 1; size <= 2; size++) {
		buf_reset(&request);
		make_request(&w, size, &request);
		status = ask(x, &request, &out);
		if (status == 200)
			cosigned = size;
		else if (status != 409)
			assert_true(status == 500 || status == 503);
		if (status != 200)
			assert_null(memmem(out.data, out.len,
			    "w.example", 9));
	}
	witness_free(x);
	assert_true(known_size(&w) >= cosigned);
	if (!f.failed)
		assert_int_equal(cosigned, 2);
	world_remove(&w);
	buf_done(&request);
	buf_done(&out);
	return f.failed;
}

static void
whatever_call_fails_nothing_is_cosigned_that_is_not_stored(void **state)
{
	unsigned i;

	(void)state;
	for (i = 1; try_at(i, false); i++)
		assert_true(i < 100);
	assert_true(i > 6);		/* it did come to fail */
	for (i = 1; try_at(i, true); i++)
		assert_true(i < 100);
}

static void
nothing_is_cosigned_after_a_directory_sync_that_failed(void **state)
{
	struct fault f = {.error = EIO};
	struct disk d = fault_disk(&f);
	struct buf request, out;
	struct witness *x;
	struct world w;

	(void)state;
	world_make(&w);
	buf_init(&request, 0);
	buf_init(&out, 0);
	make_request(&w, 1, &request);
	x = open_witness(&w, &d);
	f.fail_at = f.calls + 6; /* open write sync rename, open SYNC */
	assert_int_equal(ask(x, &request, &out), 503);
	assert_true(f.was_sync);
	assert_int_equal(ask(x, &request, &out), 503);
	witness_free(x);
	assert_int_equal(known_size(&w), 1);	/* here it was durable */
	world_remove(&w);
	buf_done(&request);
	buf_done(&out);
}

static void
a_cosignature_checks_and_is_bound_to_its_time_and_body(void **state)
{
	const char *body;
	struct buf note, less;
	struct world w;
	size_t len, n;
	uint64_t t;

	(void)state;
	world_make(&w);
	buf_init(&note, 0);
	buf_init(&less, 0);
	assert_int_equal(note_sign("a\n1\nb\n", 6, &w.log_key, w.log_seed,
	    &note), 0);
	n = note.len;
	assert_int_equal(note_cosign("a\n1\nb\n", 6, &w.by, 1767139200,
	    &note), 0);
	assert_int_equal(note_check((char *)note.data, note.len, &w.key,
	    &body, &len, &t), 0);
	assert_int_equal(t, 1767139200);
	assert_int_equal(note_without((char *)note.data, note.len, &w.key,
	    &less), 0);
	assert_int_equal(less.len, n);
	assert_memory_equal(less.data, note.data, n);
	note.data[2] = '2';		/* the size */
	assert_int_equal(note_check((char *)note.data, note.len, &w.key,
	    &body, &len, &t), ERR_CRYPTO);
	w.by.key = &w.log_key;
	assert_int_equal(note_cosign("a\n", 2, &w.by, 1, &note), ERR_FORMAT);
	buf_done(&note);
	buf_done(&less);
	world_remove(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    whatever_call_fails_nothing_is_cosigned_that_is_not_stored),
		cmocka_unit_test(
		    nothing_is_cosigned_after_a_directory_sync_that_failed),
		cmocka_unit_test(
		    a_cosignature_checks_and_is_bound_to_its_time_and_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

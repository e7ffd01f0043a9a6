/*
 * What callers of the log client do: give a record its place, and wait.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "gateway/log_client_state.h"
#include "record/record.h"
#include "store/object.h"

#define PENDING_MAX ((size_t)64 << 20)	/* bytes that wait for an answer */

/* Under the lock: seq and time are given here, in this order. */
static int
place(struct log_client *c, const struct buf *body, struct pending *p)
{
	struct log_append a;
	struct buf entry;
	int64_t now;
	int r;

	if (c->stop || c->broken || !c->seq_known)
		return ERR_STATE;
	if (c->pending_bytes + body->len > PENDING_MAX)
		return ERR_LIMIT;
	if ((now = clock_now_ms()) < c->last_time_ms)
		now = c->last_time_ms;
	buf_init(&entry, RECORD_MAX);
	if ((r = record_encode_envelope(c->gateway, c->next_seq, now,
	    &entry)) != 0)
		goto out;
	buf_bytes(&entry, body->data, body->len);
	r = entry.failed ? ERR_LIMIT : 0;
	if (r != 0)
		goto out;
	a.id = p->id = c->next_id;
	a.seq = p->seq = c->next_seq;
	a.entry = bytes_of(entry.data, entry.len);
	log_wire_append_write(&p->frame, &a);
	if (p->frame.failed) {
		r = ERR_MEMORY;
		goto out;
	}
	p->entry = bytes_of(p->frame.data + p->frame.len - entry.len,
	    entry.len);
	p->since_ms = clock_mono_ms();
	c->next_id++;
	c->next_seq++;
	c->last_time_ms = now;
	c->pending_bytes += p->frame.len;
	*c->tail = p;
	c->tail = &p->next;
	if (c->unsent == NULL)
		c->unsent = p;
out:
	buf_done(&entry);
	return r;
}

int
log_client_submit(struct log_client *c, const struct record *rec,
    log_done_fn *done, void *arg)
{
	struct pending *p;
	struct buf body;
	int r;

	buf_init(&body, RECORD_MAX);
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return ERR_MEMORY;
	p->done = done;
	p->arg = arg;
	buf_init(&p->frame, 0);
	if ((r = record_encode_body(rec, &body)) != 0)
		goto out;
	lock(c);
	r = place(c, &body, p);
	unlock(c);
	if (r == 0) {
		p = NULL;	/* the list's */
		log_client_wake(c);
	}
out:
	log_pending_free(p);
	buf_done(&body);
	return r;
}

struct submit_wait {
	pthread_mutex_t lock;
	pthread_cond_t over;
	bool done;
	int result;
	uint64_t seq;
};

static void
submit_done(void *arg, int result, uint64_t seq)
{
	struct submit_wait *w = arg;

	(void)pthread_mutex_lock(&w->lock);
	w->result = result;
	w->seq = seq;
	w->done = true;
	(void)pthread_cond_signal(&w->over);
	(void)pthread_mutex_unlock(&w->lock);
}

int
log_client_submit_seq(struct log_client *c, const struct record *rec,
    uint64_t *ret)
{
	struct submit_wait w = {
		PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0,
		0,
	};
	int r;

	if ((r = log_client_submit(c, rec, submit_done, &w)) != 0)
		return r;
	(void)pthread_mutex_lock(&w.lock);
	while (!w.done)
		(void)pthread_cond_wait(&w.over, &w.lock);
	(void)pthread_mutex_unlock(&w.lock);
	*ret = w.seq;
	return w.result;
}

int
log_client_submit_wait(struct log_client *c, const struct record *rec)
{
	uint64_t seq;

	return log_client_submit_seq(c, rec, &seq);
}

/* The name that the log answered must be the content's hash. */
static int
check_name(const uint8_t hash[static HASH_LEN], const char *hex)
{
	struct buf want;
	int r = 0;

	buf_init(&want, 0);
	text_hex(&want, hash, HASH_LEN);
	if (buf_text(&want) == NULL)
		r = ERR_MEMORY;
	else if (strcmp((char *)want.data, hex) != 0)
		r = ERR_CRYPTO;
	buf_done(&want);
	return r;
}

int
log_client_object_wait(struct log_client *c, const void *data, size_t len,
    char ret_hex[static 65])
{
	struct object_wait o = {.content = bytes_of(data, len)};
	int r;

	ret_hex[0] = '\0';
	if (len > OBJECT_MAX)
		return ERR_LIMIT;
	if ((r = hash_sha256(data, len, o.hash)) != 0)
		return r;
	(void)pthread_mutex_lock(&c->object_lock);
	lock(c);
	r = c->stop || c->broken ? ERR_STATE : 0;
	if (r == 0) {
		o.id = c->next_id++;
		o.since_ms = clock_mono_ms();
		c->object = &o;
		log_client_wake(c);
		while (!o.over)
			(void)pthread_cond_wait(&c->changed, &c->lock);
		r = o.stored.result;
	}
	unlock(c);
	(void)pthread_mutex_unlock(&c->object_lock);
	if (r == 0)
		r = check_name(o.hash, o.stored.hex);
	if (r == 0)
		memcpy(ret_hex, o.stored.hex, 65);
	return r;
}

bool
log_client_healthy(struct log_client *c)
{
	bool healthy;

	lock(c);
	healthy = c->attached && !c->refused && !c->broken;
	unlock(c);
	return healthy;
}

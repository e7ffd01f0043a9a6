/*
 * connect -> one Query -> its rows -> ReadyForQuery. The settings that names
 * and rights could be bent by are stated in the startup packet, where they
 * come before a role's own.
 */
#include "gateway/look.h"

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "gateway/config.h"
#include "gateway/link.h"
#include "gateway/version.h"
#include "wire/frontend.h"

#define WAIT_MS 100		/* so that a stop is seen */

struct looking {
	struct link *link;
	struct look *ret;
	int64_t until_ms;
	const atomic_bool *stop;
};

static int
failed(struct look *l, int r, const char *why)
{
	(void)snprintf(l->why, sizeof(l->why), "%s", why);
	return r;
}

/* 0; or an error: the time is over, or the gateway stops. */
static int
wait_for(struct looking *k, bool writes)
{
	struct pollfd p = {k->link->fd, POLLIN, 0};

	if (clock_mono_ms() >= k->until_ms)
		return failed(k->ret, ERR_IO, "it took too long");
	if (atomic_load(k->stop))
		return failed(k->ret, ERR_STATE, "the gateway stops");
	if (writes)
		p.events |= POLLOUT;
	(void)poll(&p, 1, WAIT_MS);	/* looked at anyway */
	return 0;
}

static int
connect_to(struct looking *k)
{
	struct link *l = k->link;
	int e;

	while (l->state != LINK_UP) {
		if (l->state == LINK_FAILED)
			return failed(k->ret, ERR_IO, l->why);
		if ((e = wait_for(k, (link_wants(l) & EPOLLOUT) != 0)) != 0)
			return e;
		link_io(l);
		k->ret->pid = l->pid;
	}
	return 0;
}

static int
ask(struct looking *k, const char *sql, struct look_read *in)
{
	struct link *l = k->link;
	size_t used;
	int e, n;

	frontend_query_write(flow_buf(&l->out), sql);
	for (;;) {
		if (flow_write(&l->out, l->fd, l->tls) != 0)
			return failed(k->ret, ERR_IO, "the connection broke");
		e = look_read(in, flow_data(&l->in), flow_len(&l->in), &used);
		flow_drop(&l->in, used);
		if (e != 0 || in->done)
			return e != 0 && in->why[0] != 0 ?
			    failed(k->ret, e, in->why) : e;
		if ((e = wait_for(k, flow_len(&l->out) > 0)) != 0)
			return e;
		n = flow_read(&l->in, l->fd, l->tls);
		if (n <= 0 && n != ERR_SHORT)
			return failed(k->ret, ERR_IO, "the connection broke");
	}
}

/* Lines move into the arena, which outlives this. */
static int
keep_lines(struct look *l, const struct look_read *in)
{
	struct watch_line *lines = arena_array(in->a, in->n + 1,
	    sizeof(*lines));

	if (lines == NULL)
		return ERR_MEMORY;
	if (in->n > 0)
		memcpy(lines, in->lines, in->n * sizeof(*lines));
	l->list = (struct watch_list){lines, in->n};
	l->seal = in->seal;
	return 0;
}

int
look_take(const struct version *v, const struct config_store *s,
    const struct config_login *login, int64_t until_ms,
    const atomic_bool *stop, struct arena *a, struct look *ret)
{
	const struct startup_param params[] = {
		{"user", login->role}, {"database", s->database},
		{"client_encoding", "UTF8"}, {"search_path", "pg_catalog"},
		{"standard_conforming_strings", "on"},
		{"application_name", "sworn drift"},
	};
	struct looking k = {.ret = ret, .until_ms = until_ms, .stop = stop};
	struct look_read in = {.a = a};
	struct scram_salted salted;
	struct buf sql;
	int r;

	memset(ret, 0, sizeof(*ret));
	memset(&salted, 0, sizeof(salted));
	buf_init(&sql, 0);
	if ((r = watch_sql(&sql)) != 0 ||
	    (r = link_new(version_way(v, s), login->password, &salted, params,
	    sizeof(params) / sizeof(params[0]), &k.link)) != 0)
		goto out;
	if ((r = connect_to(&k)) == 0 &&
	    (r = ask(&k, buf_text(&sql), &in)) == 0)
		r = keep_lines(ret, &in);
out:
	if (r != 0 && ret->why[0] == 0)
		(void)failed(ret, r, err_text(r));
	wipe(&salted, sizeof(salted));
	link_free(k.link);
	free(in.lines);
	buf_done(&sql);
	return r;
}

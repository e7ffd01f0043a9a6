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
#include "wire/backend.h"
#include "wire/frame.h"
#include "wire/frontend.h"

#define ROW_MAX ((size_t)1 << 16)
#define WAIT_MS 100		/* so that a stop is seen */

struct looking {
	struct link *link;
	struct arena *a;
	struct look *ret;
	struct watch_line *lines;
	size_t cap, bytes;
	bool done;
};

static int
failed(struct look *l, int r, const char *why)
{
	(void)snprintf(l->why, sizeof(l->why), "%s", why);
	return r;
}

static int
take_text(struct looking *k, struct reader *r, const char **ret)
{
	struct bytes b;
	uint32_t len;

	if (reader_u32(r, &len) != 0 || reader_bytes(r, len, &b) != 0)
		return ERR_FORMAT;
	if (memchr(b.data, 0, b.len) != NULL)
		return ERR_FORMAT;
	k->bytes += b.len;
	*ret = arena_strn(k->a, (const char *)b.data, b.len);
	return *ret == NULL ? ERR_MEMORY : 0;
}

static int
take_row(struct looking *k, struct bytes body)
{
	struct watch_line *line, *more;
	struct reader r;
	uint16_t n;
	int e;

	reader_init(&r, body.data, body.len);
	if (reader_u16(&r, &n) != 0 || n != 2)
		return ERR_FORMAT;
	if (k->ret->n == k->cap) {
		k->cap = k->cap > 0 ? 2 * k->cap : 256;
		if (k->cap > LOOK_LINES_MAX)
			return ERR_LIMIT;
		more = realloc(k->lines, k->cap * sizeof(*more));
		if (more == NULL)
			return ERR_MEMORY;
		k->lines = more;
	}
	line = &k->lines[k->ret->n];
	if ((e = take_text(k, &r, &line->name)) != 0 ||
	    (e = take_text(k, &r, &line->hash)) != 0)
		return e;
	if (k->bytes > LOOK_BYTES_MAX)
		return ERR_LIMIT;
	if (k->ret->n > 0 && strcmp(line[-1].name, line->name) >= 0)
		return ERR_FORMAT;
	k->ret->n++;
	return 0;
}

static int
take_message(struct looking *k, const struct frame *f)
{
	struct backend_error e;

	switch (f->type) {
	case 'D':
		return take_row(k, f->body);
	case 'E':
		if (backend_error_read(f->body, &e) != 0)
			return ERR_FORMAT;
		return failed(k->ret, ERR_IO, e.message);
	case 'Z':
		k->done = true;
		return 0;
	case 'T':
	case 'C':
	case 'N':
	case 'S':
	case 'A':
		return 0;
	default:
		return ERR_FORMAT;
	}
}

static int
take_all(struct looking *k)
{
	struct flow *in = &k->link->in;
	struct reader r;
	struct frame f;
	int e;

	while (!k->done) {
		reader_init(&r, flow_data(in), flow_len(in));
		if ((e = frame_read(&r, ROW_MAX, &f)) == ERR_SHORT)
			return 0;
		if (e != 0 || (e = take_message(k, &f)) != 0)
			return e;
		flow_drop(in, r.pos);
	}
	return 0;
}

/* 0; or an error: the time is over, or the gateway stops. */
static int
wait_for(struct looking *k, bool writes, int64_t until_ms,
    const atomic_bool *stop)
{
	struct pollfd p = {k->link->fd, POLLIN, 0};

	if (clock_mono_ms() >= until_ms)
		return failed(k->ret, ERR_IO, "it took too long");
	if (atomic_load(stop))
		return failed(k->ret, ERR_STATE, "the gateway stops");
	if (writes)
		p.events |= POLLOUT;
	(void)poll(&p, 1, WAIT_MS);	/* looked at anyway */
	return 0;
}

static int
connect_to(struct looking *k, int64_t until_ms, const atomic_bool *stop)
{
	struct link *l = k->link;
	int e;

	while (l->state != LINK_UP) {
		if (l->state == LINK_FAILED)
			return failed(k->ret, ERR_IO, l->why);
		if ((e = wait_for(k, (link_wants(l) & EPOLLOUT) != 0,
		    until_ms, stop)) != 0)
			return e;
		link_io(l);
		k->ret->pid = l->pid;
	}
	return 0;
}

static int
ask(struct looking *k, const char *sql, int64_t until_ms,
    const atomic_bool *stop)
{
	struct link *l = k->link;
	int e, n;

	frontend_query_write(flow_buf(&l->out), sql);
	for (;;) {
		if (flow_write(&l->out, l->fd, l->tls) != 0)
			return failed(k->ret, ERR_IO, "the connection broke");
		if ((e = take_all(k)) != 0 || k->done)
			return e;
		if ((e = wait_for(k, flow_len(&l->out) > 0, until_ms,
		    stop)) != 0)
			return e;
		n = flow_read(&l->in, l->fd, l->tls);
		if (n <= 0 && n != ERR_SHORT)
			return failed(k->ret, ERR_IO, "the connection broke");
	}
}

/* Those who may log in beside the clearances: as the configuration says. */
static int
make_sql(const struct config_store *s, struct arena *a, struct buf *sql)
{
	const char **roles = arena_array(a, s->n_services + 2,
	    sizeof(*roles));
	size_t i, n = 0;

	if (roles == NULL)
		return ERR_MEMORY;
	for (i = 0; i < s->n_services; i++)
		roles[n++] = s->service_roles[i];
	if (s->observe_role != NULL)
		roles[n++] = s->observe_role;
	return watch_sql(s->catalog, roles, n, sql);
}

/* Lines move into the arena, which outlives this. */
static int
keep_lines(struct looking *k)
{
	struct watch_line *l = arena_array(k->a, k->ret->n + 1, sizeof(*l));

	if (l == NULL)
		return ERR_MEMORY;
	if (k->ret->n > 0)
		memcpy(l, k->lines, k->ret->n * sizeof(*l));
	k->ret->lines = l;
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
	struct looking k = {.a = a, .ret = ret};
	struct scram_salted salted;
	struct buf sql;
	int r;

	memset(ret, 0, sizeof(*ret));
	memset(&salted, 0, sizeof(salted));
	buf_init(&sql, 0);
	if ((r = make_sql(s, a, &sql)) != 0 ||
	    (r = link_new(version_way(v, s), login->password, &salted, params,
	    sizeof(params) / sizeof(params[0]), &k.link)) != 0)
		goto out;
	if ((r = connect_to(&k, until_ms, stop)) == 0 &&
	    (r = ask(&k, buf_text(&sql), until_ms, stop)) == 0)
		r = keep_lines(&k);
out:
	if (r != 0 && ret->why[0] == 0)
		(void)failed(ret, r, err_text(r));
	wipe(&salted, sizeof(salted));
	link_free(k.link);
	free(k.lines);
	buf_done(&sql);
	return r;
}

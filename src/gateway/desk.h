/*
 * gateway/desk.h - where approvals are asked for and given.
 *
 * A database of the gateway's own, by the name of CONFIG_DESK_NAME: who comes there
 * has proven who they are as everywhere (password, certificate, rules for
 * logins) and can say what gateway/desk_words.h has, and no SQL. There is no
 * store behind it and nobody's data in it.
 *
 * Who sees what: a request is shown to whoever asked and to those whom its
 * rule names as approvers.
 */
#ifndef GATEWAY_DESK_H
#define GATEWAY_DESK_H

#include <stdbool.h>

#include "gateway/desk_words.h"

#define DESK_IDLE_MS 600000

struct arena;
struct buf;
struct job;
struct session;
struct version;

bool desk_is_for(const struct session *s);
/* Instead of deciding and connecting: the principal is proven. */
void desk_open(struct session *s);
/* The client's messages, as far as there is room for answers. */
void desk_client(struct session *s);
/* A step was taken, or not: takes the job over. */
void desk_done(struct session *s, struct job *j);

/* desk_show.c: answers as rows. Each 0 or an error. ERR_MISSING: no such
 * request, as far as this principal may know. */
struct desk_view {
	const struct version *version;
	const char *principal;
	int64_t at_ms;
	struct arena *a;
};

int desk_show_all(const struct desk_view *v, struct buf *out);
int desk_show_one(const struct desk_view *v, const char *id, struct buf *out);
int desk_show_rules(const struct desk_view *v, struct buf *out);
/* What came of a step. */
int desk_show_step(const struct desk_view *v, const char *id, struct buf *out);

#endif

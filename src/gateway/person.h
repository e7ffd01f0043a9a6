/*
 * gateway/person.h - among the files of a person's session: requests, runs
 * and the text that stands in for what was refused.
 */
#ifndef GATEWAY_PERSON_H
#define GATEWAY_PERSON_H

#include "gateway/session.h"

/*
 * Not SQL in any state of a session: the store's own parser fails it, so
 * that its transaction fails, what follows is skipped, and the reply stands
 * where the refused message's reply would have been.
 */
#define PERSON_POISON "refused by sworn"

struct refusal;
struct standing;

struct request *request_push(struct session *s, enum request_kind kind);
struct request *request_head(struct session *s);
void request_pop(struct session *s);
void requests_done(struct requests *q);

/* The result of a run is written down once nothing of it is left to come. */
void person_run_result(struct session *s, struct run *r);

/* person_switch.c */
/* What a SET or RESET of purpose or ticket leads to: 0 and p->next, or an
 * error for the client in *e. */
struct judgement;
int switch_prepare(struct session *s, const struct judgement *j,
    struct arena *a, struct backend_error *e);
bool switch_wanted(const struct session *s, const struct judgement *j);

#endif

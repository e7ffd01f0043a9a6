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

struct meaning;
struct named;
struct refusal;
struct standing;

struct request *request_push(struct session *s, enum request_kind kind);
struct request *request_head(struct session *s);
void request_pop(struct session *s);
void requests_done(struct requests *q);

/* person_text.c: one reference for the caller, or NULL. */
struct meaning *person_meaning(struct session *s, const char *sql, size_t len);
/* One of the statements of the text that is m's. */
struct meaning *person_part(struct session *s, struct meaning *m,
    const char *sql, size_t i);

/* person_names.c */
struct judgement;
struct script;
/* Whether it makes or forgets a name. */
bool names_changes(const struct judgement *j);
/*
 * What m does given what its name stands for now, m itself where that is not
 * known; of a script that is its part `at`, so what comes before counts. 0 and
 * a reference, or ERR_MEMORY.
 */
int names_resolve(struct session *s, struct meaning *m,
    const struct script *sc, size_t at, struct meaning **ret);
/* Whether the name that it makes can be kept in mind, if it must be. */
bool names_room(struct session *s, const struct judgement *j);
/* It ended well; NULL is fine. */
void names_effect(struct session *s, struct meaning *m);
/* Something ran that may have changed what names stand for. */
void names_doubted(struct session *s, const struct named *but);

/* person_script.c */
struct frontend_query;
/* Whether what is resolved may not run: 0, ERR_DENIED (refused, it is done
 * with) or PERSON_STAYS. */
int names_refuse(struct session *s, uint8_t type, const struct meaning *m);
/* Each 0 or PERSON_STAYS. */
int script_run(struct session *s, const struct frame *f,
    const struct frontend_query *q, struct meaning *m);
/* Its next record, or the text itself. Takes over sc. */
int script_go(struct session *s, const struct frame *f, struct script *sc);
void script_recorded(struct script *sc);	/* the one that was waited for */
/* What of it did not run will not. Takes over sc; NULL is fine. */
void script_drop(struct session *s, struct script *sc, const char *sqlstate);
/* One statement of a Query ended well; the Query ended. */
void script_next(struct session *s, struct request *q);
void script_end(struct session *s, struct request *q);

/* person.c */
#define PERSON_STAYS (-100)	/* the client's message waits */
/* Everything outstanding will be answered without a Sync. */
void person_ask_flush(struct session *s);
/* What may go to the store: the portal stands for what the statement may
 * stand for, and `by` for what that runs by its name. */
int person_bind(struct session *s, const struct frame *f, struct run *run,
    struct meaning *by);
int person_execute(struct session *s, const struct frame *f, struct run *run);
/* The result of a run is written down once nothing of it is left to come. */
void person_run_result(struct session *s, struct run *r);

/* person_gate.c: each 0 or PERSON_STAYS. */
struct backend_error;
struct cover;
/* Refuses the client's message at the front. */
int person_poison(struct session *s, uint8_t type,
    const struct backend_error *e);
/* The same, of a whole ErrorResponse. */
int gate_poison(struct session *s, uint8_t type, const uint8_t *error,
    size_t len);
/* Behind a record of the refusal. */
int gate_deny(struct session *s, const char *what, const char *hmac,
    const struct refusal *r);
/* Until the record of what it may disclose is durable. Takes over run and m. */
int gate_wait(struct session *s, struct job *j, const struct cover *c,
    struct run *run, struct meaning *m);
void gate_done(struct gate *g);

/* person_exact.c */
/* Sends a text that was rewritten: 0 or PERSON_STAYS. */
int exact_send(struct session *s, struct meaning *m);
/*
 * What a name may stand for: 0 and *ret, a run of its own, if that was
 * rewritten, or NULL. PERSON_STAYS: until the store has said which it is.
 * ERR_DENIED: it was refused.
 */
int exact_named(struct session *s, uint8_t type, const struct named *x,
    struct run **ret);
/* Whether it is FETCH or EXECUTE whose rows no description announces. */
bool exact_runs_named(const struct session *s, const struct named *x);
#define PERSON_WAITS (-101)	/* the store's: for a record */
#define PERSON_PASS (-102)	/* the message is as any other */
/*
 * Before anything is done about a message of the store: 0, PERSON_WAITS,
 * ERR_SHORT or ERR_FORMAT. Behind that, for the request that it was for:
 * PERSON_PASS; 0, it is done with, or its first part; ERR_FORMAT.
 */
int exact_before(struct session *s, uint8_t type, uint32_t body_len);
int exact_message(struct session *s, uint8_t type, uint32_t body_len,
    const struct request *q);
/* person_copy.c: a line of COPY begins; more of its tags: 0, ERR_SHORT (there
 * must be more bytes first) or ERR_FORMAT. */
bool copy_strips(const struct run *r);
int copy_response(struct session *s, struct run *r, uint32_t body_len);
void copy_begin(struct session *s, struct run *r, uint32_t body_len);
int copy_tags(struct session *s);
/* What of an exact run is not shown yet. */
void exact_hold(struct session *s, struct run *r, const void *data, size_t len);
/* More of a row's column of tags; of the rest of a message. */
void exact_tags(struct session *s);
/* How many bytes of them are looked at before that is asked: */
size_t exact_piece(const struct session *s);
/* Whether so many came that they wait for a record now. */
bool exact_many(struct session *s);
void exact_put(struct session *s, const void *data, size_t len);
/* Whether what is held waits for a record now, since it is enough. */
bool exact_full(struct session *s);
/* What is held goes, or waits for a record: 0 or PERSON_WAITS. */
int exact_flush(struct session *s);
/* An ErrorResponse as it would be of the text that the client sent. */
int exact_error(const struct session *s, const struct request *q,
    const struct backend_error *said, struct bytes body, struct buf *out);
void exact_done(struct person *p);

/* person_portal.c: of the portal that is executed; NULL is fine. */
struct judgement;
const struct judgement *portal_switch(const struct session *s,
    const struct named *x);
void portal_reading(struct session *s, const struct named *x);
void portal_leaves(struct session *s, const struct named *x);
/* Whether what it names or runs by name has to be sure first. */
bool portal_waits(struct session *s, const struct named *x);
/* Whether the name that it makes can be kept in mind. */
bool portal_room(struct session *s, const struct named *x);
/* What q, its execution, does about names. */
void portal_names(struct session *s, struct request *q, const struct named *x);

/* person_byname.c: FETCH and EXECUTE by the extended protocol. Each 0,
 * PERSON_STAYS or ERR_FORMAT. */
bool named_runs(const struct named *x);
/* Or PERSON_PASS: it is as any other. */
int byname_bind(struct session *s, const struct frame *f, struct named *x);
int byname_execute(struct session *s, const struct frame *f,
    struct named *portal);

/* person_switch.c */
/* What a SET or RESET of purpose or ticket leads to: 0 and p->next, or an
 * error for the client in *e. */
int switch_prepare(struct session *s, const struct judgement *j,
    struct arena *a, struct backend_error *e);
bool switch_wanted(const struct session *s, const struct judgement *j);

#endif

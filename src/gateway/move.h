/*
 * gateway/move.h - a session is decided again, by the version in force.
 *
 * Why: another version came into force, or time turned a fact or a rule. A
 * person's session moves at its next statement, before anything of it goes
 * to the store; a service's at once. Whoever cannot move is told why.
 */
#ifndef GATEWAY_MOVE_H
#define GATEWAY_MOVE_H

#include <stdbool.h>

#include "gateway/session.h"

struct frame;
struct named;

/* Whether what decided the session may decide nothing more. */
bool move_needed(const struct session *s);

/*
 * Where the session stands now, and the version that says so, with a
 * reference. ERR_STATE: nothing is in force; ERR_CONFLICT: the store is
 * configured no more; ERR_MISSING: the principal is not known (any more);
 * ERR_SHORT: its ticket is being asked about (gateway/confirm.h).
 */
int move_decide(struct session *s, const char *purpose, const char *ticket,
    struct standing **ret, struct version **ret_version);
/*
 * Whether a store is closed to a person, whatever is decided: they did without
 * an approval and nobody has reviewed it in time. A sentence in the arena, or
 * NULL.
 */
const char *move_closed(const struct session *s, const struct version *v,
    const struct standing *st, struct arena *a);
#define MOVE_CLOSED_HINT "somebody whom the rule names has to review it: " \
    "sworn approval review"
/* Ends a session that an error of move_decide leaves without ground. */
void move_end(struct session *s, int r);

/* Puts a standing and its version in the place of the session's own. */
void move_settle(struct session *s, struct standing *st, struct version *v);
/* Whether st needs another connection than the session has. */
bool move_relinks(const struct session *s, const struct standing *st);
/* Whether the log has it like that already. */
bool move_is_recorded(const struct session *s, const struct standing *st,
    const struct version *v);
void move_held_done(struct held *h);

/*
 * Whether a statement begins with a message. An Execute belongs to its
 * Bind's, whose record covers it, if it comes right behind it.
 */
bool move_begins(struct session *s, const struct frame *f);

/*
 * Before a message of a person that could run something: 0, it may be looked
 * at; MOVE_WAIT: not now, or the session ended; ERR_DENIED: it was refused
 * and is done with.
 */
#define MOVE_WAIT (-100)
int move_person(struct session *s, const struct frame *f);
/* What a name may stand for, by the clearance in effect. 0 or MOVE_WAIT. */
int move_refresh(struct session *s, struct named *x);
/* Prepares again what another connection had; x is refreshed. 0, MOVE_WAIT or
 * ERR_FORMAT. */
int move_prepare(struct session *s, struct named *x);

#endif

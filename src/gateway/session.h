/*
 * gateway/session.h - one client's session, from its first byte to its last.
 *
 *  STARTUP <-> ENCRYPTING: the handshake of TLS
 *  STARTUP -> SASL_FIRST -> SASL_FINAL -> OPENING -> CONNECTING -> GREETING
 *     |                         |            (record) (to the store) (record)
 *     v                         v                                      |
 *  CANCEL                  FAILING -> DELAYED            PERSON or SERVICE
 *                                                         |  ^
 *             WAITING: a record for a message of a person <--|
 *             SWITCHING_*: its purpose, ticket or clearance changes  <--'
 *             ASKING, before OPENING: its ticket is looked up
 *  DESK <-> DESK_WAITING, behind SASL_FINAL: approvals (desk.h), no store
 *             SERVICE_MOVING: the record of a service's clearance  <--'
 *  any -> ENDING (what must still be said) -> ENDED (close record) -> DEAD
 *
 * Invariant: while a record that covers a message is not durable, the
 * message is not sent to the store, and no later one either; so the store
 * cannot answer what is not recorded.
 */
#ifndef GATEWAY_SESSION_H
#define GATEWAY_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/flow.h"
#include "gateway/names.h"
#include "gateway/texts.h"
#include "gateway/worker.h"
#include "wire/frame.h"
#include "wire/startup.h"

#define SESSION_ID_LEN 16
#define SESSION_SOURCE_MAX 64
#define REQUESTS_MAX 512

struct backend_error;
struct cancel_entry;
struct config_store;
struct job;
struct scram_server;
struct sockaddr_storage;
struct standing;
struct ticket_answer;
struct tls;

enum state {
	STATE_STARTUP,
	STATE_ENCRYPTING,
	STATE_SASL_FIRST,
	STATE_SASL_FINAL,
	STATE_FAILING,
	STATE_DELAYED,
	STATE_CANCEL,
	STATE_ASKING,
	STATE_OPENING,
	STATE_CONNECTING,
	STATE_GREETING,
	STATE_DESK,
	STATE_DESK_WAITING,
	STATE_PERSON,
	STATE_WAITING,
	STATE_SWITCHING,
	STATE_SWITCHING_LINK,
	STATE_SWITCHING_GREETING,
	STATE_SERVICE,
	STATE_SERVICE_MOVING,
	STATE_ENDING,
	STATE_ENDED,
	STATE_DEAD,
};

enum event {
	EVENT_CLIENT_BYTES,
	EVENT_CLIENT_GONE,
	EVENT_CLIENT_READY,	/* its socket, while it is in its handshake */
	EVENT_LINK_READY,	/* its socket can be read or written */
	EVENT_STORE_BYTES,
	EVENT_STORE_GONE,
	EVENT_ROOM,		/* what was held back may go on */
	EVENT_DURABLE,		/* the record that was waited for */
	EVENT_REFUSED,		/* the log certainly does not have it */
	EVENT_LOST,		/* nobody knows */
	EVENT_STALE,		/* not recorded: another version is in force */
	EVENT_TIMEOUT,
	EVENT_STOP,
};

/* A message sent to the store whose reply has not ended yet. */
enum request_kind {
	REQUEST_QUERY,
	REQUEST_PARSE,
	REQUEST_BIND,
	REQUEST_DESCRIBE,
	REQUEST_EXECUTE,
	REQUEST_CLOSE,
	REQUEST_SYNC,
};

struct request {
	enum request_kind kind;
	bool is_portal;		/* what named is */
	struct named *named;
	uint64_t version;
	struct run *run;
	struct meaning *meaning;	/* of a text that was rewritten */
	struct script *script;		/* of a Query: its statements */
	struct meaning *text;		/* of an Execute that names something */
	bool switches;		/* sets purpose or ticket */
	bool ours;		/* the client does not know of it */
	/* Instead of the message a text went out that must fail; this is the
	 * ErrorResponse that the client gets for it. NULL: as the client sent. */
	uint8_t *poison;
	size_t poison_len;
};

struct script;

struct requests {
	struct request *ring;	/* grows up to REQUESTS_MAX */
	size_t cap;
	size_t first;
	size_t n;
};

/* What the message at the front of `up` waits for. */
enum gate_kind {
	GATE_FORWARD,		/* a statement's record */
	GATE_DENY,		/* a denial's record */
};

struct gate {
	enum gate_kind kind;
	struct run *run;
	struct meaning *meaning;	/* of a Bind or Execute: what it runs */
	struct script *script;		/* of a Query */
	struct buf error;		/* of GATE_DENY */
};

/* What came of an exact statement and waits for a record of whose it is. */
struct hold {
	struct buf bytes;
	size_t tags_left;	/* of a row's column of tags */
	int copying;		/* enum copying: of a line's (person_copy.c) */
	size_t copy_left;	/* of that line */
	uint16_t copy_columns;	/* without the tags */
	size_t cut;		/* of the message that comes now: not shown */
	bool holding;		/* it belongs to what is held */
	bool strips;		/* rows of this answer have such a column */
	bool waiting;		/* a record is with the log */
	bool bounded;		/* that record makes it bounded */
	struct run *run;
	struct run *late;	/* covers an error of a held cursor's rows */
};

/* Of the clearance in effect, what outlives the version that decided it. */
struct held {
	char *purpose;
	char *ticket;
	char *role;
	char *store;
	char *host;
	char *database;
	uint16_t port;
	uint8_t record[HASH_LEN];	/* of what the log has of it */
};

struct person {
	struct hold hold;
	bool torn;		/* a part of a message is on its way */
	bool discarding;	/* what the store says, up to its Ready */
	bool named_exact;	/* a name may stand for a rewritten text */
	struct requests requests;
	struct names statements;
	struct names portals;
	struct texts texts;
	struct gate gate;
	char status;		/* of the last ReadyForQuery */
	bool skipping;		/* until Sync, as the store does */
	char failed_with[6];	/* why: the last error's SQLSTATE */
	bool renaming;		/* what is on its way may make or forget names */
	bool segment;		/* extended messages since the last Sync */
	bool flushed;		/* asked the store to flush; once is enough */
	bool copying_in;
	bool reads_otherwise;	/* the store reads SQL in another way now */
	size_t down_left;	/* of a message that streams to the client */
	bool down_counts;	/* it is a row */
	bool switching;		/* purpose or ticket change at the next Z */
	bool switch_unsent;	/* the request that does it comes next */
	bool switch_resets;
	bool relink;		/* and it takes another login */
	bool moving;		/* the version in force changes it */
	bool leaves;		/* the store keeps what would be lost */
	bool down_hidden;	/* what streams is not for the client */
	uint64_t epoch;		/* of the clearance in effect */
	uint64_t stretch;	/* between two Syncs; from 1 */
	unsigned stale;		/* records in a row that came too late */
	struct standing *next;	/* what they change it to */
	struct version *next_version;
	const char *start_purpose;	/* of the startup packet: borrowed */
	const char *start_ticket;
	char *link_purpose;	/* as the store's session began */
	char *link_ticket;
};

struct session {
	struct session *prev, *next;	/* of the worker's list */
	struct worker *worker;
	enum state state;
	struct source client;
	struct source store_source;
	struct flow up;			/* from the client */
	struct flow down;		/* to the client */
	int64_t deadline_ms;		/* monotonic; 0: none */
	struct tls *tls;		/* with the client; NULL: in the clear */
	bool asked_tls;
	bool asked_gss;
	bool direct_tls;		/* it began without asking */
	bool client_gone;
	bool cut_off;			/* its stream ended without an end */
	bool counted;			/* among shared->sessions */
	bool opened;			/* its session record is durable */
	bool stopping;
	char address[SESSION_SOURCE_MAX];
	char source[SESSION_SOURCE_MAX];	/* address:port */

	struct arena *a;
	const char *user;
	const char *database;
	const char *purpose;
	const char *ticket;
	const struct startup_param *settings;	/* for the store */
	size_t n_settings;
	const char **unknown_options;		/* _pq_.*, of the startup */
	size_t n_unknown_options;
	bool too_new;				/* minor version above 0 */
	struct scram_server *scram;
	const char *auth;			/* by which means; NULL: not yet */
	bool known_user;			/* so records may name it */
	bool has_password;
	struct buf fatal;			/* to say once FAILING is over */
	bool fatal_delayed;

	/* All three NULL while the session is idle and another version came
	 * into force: then it is decided at the next statement. */
	struct version *version;
	bool asking;			/* a ticket's or a step's job is out */
	bool desk_skips;		/* up to the next Sync */
	struct ticket_answer *fresh;	/* what just came back; or NULL */
	char *fresh_key;		/* about what */
	int64_t fresh_ms;		/* when; monotonic */

	const struct config_store *store;
	struct standing *standing;
	struct held held;
	struct link *link;
	struct cancel_entry *cancel;

	char id[SESSION_ID_LEN + 1];
	uint64_t n_records;
	struct job *jobs_first, *jobs_last;	/* waiting */
	struct job *job_out;			/* with the log */
	bool close_submitted;
	bool lost;		/* nobody knows how many records it has */
	uint64_t statements, denials, rows, bytes;
	const char *end_reason;

	struct person *person;			/* NULL: a service */
	struct stream relay_down;		/* of a service */
};

/* For the worker. */
struct session *session_new(struct worker *w, int fd,
    const struct sockaddr_storage *sa);
void session_free(struct session *s);
bool session_is_dead(const struct session *s);
void session_client_event(struct session *s, uint32_t events);
void session_store_event(struct session *s, uint32_t events);
void session_job_done(struct session *s, struct job *j);
void session_timeout(struct session *s);
void session_stop(struct session *s);
void session_version(struct session *s);	/* another one is in force */
void session_turn(struct session *s);		/* from time to time */
/* Writes what goes, and tells epoll what it waits for next. */
void session_settle(struct session *s);

/* Among the session's own files. */
void session_set_state(struct session *s, enum state to);
void session_step(struct session *s, enum event e);
/* Ends it: says `error` to the client if it can still be said (NULL:
 * nothing), lets the store go, writes the close record. */
void session_end(struct session *s, const char *reason,
    const struct backend_error *error);
/* The client's side is over: only records are left to do. */
void session_end_quietly(struct session *s);
void session_end_memory(struct session *s);
void session_end_protocol(struct session *s, const char *what);
void session_end_log(struct session *s);
void session_deadline(struct session *s, unsigned ms);

/* session_tls.c: before the startup packet, and around it. */
void tls_asked(struct session *s);	/* by SSLRequest */
/* Whether what is about to be read is TLS without a request; then it is on
 * its way. */
bool tls_directly(struct session *s);
void tls_step(struct session *s);

/* session_login.c: the startup packet. */
void login_startup(struct session *s);
/* Nobody gets in: record, perhaps a delay, then the error. */
void login_fail(struct session *s, const char *reason, bool delayed,
    const struct backend_error *error);
void login_failed_recorded(struct session *s);

/* session_open.c: deciding, the session's record, the way to the store. */
void open_begin(struct session *s);
void open_recorded(struct session *s);
/* Whether a service may not (any more) have what it has; then it ends. */
bool open_service_refused(struct session *s);
void open_link_ready(struct session *s);
void open_greet(struct session *s);
void open_store_failed(struct session *s);
int open_connect(struct session *s, struct version *v,
    const struct standing *st);
struct job *open_backend_job(struct session *s, const struct standing *st);
void open_aim_cancel(struct session *s);
void open_cancel(struct session *s, uint32_t pid, struct bytes secret);

/* person*.c */
struct person *person_new(const char *purpose, const char *ticket);
void person_free(struct person *p);
void person_client(struct session *s);	/* messages of the client */
void person_gate(struct session *s, enum event e);
void person_store(struct session *s);	/* messages of the store */
void person_hold_done(struct session *s, enum event e);
void person_hold_timeout(struct session *s);
/* The session ends: answers that were shown in part only are bounded. */
void exact_abandon(struct session *s);
void person_switch_begin(struct session *s);
void person_switch_recorded(struct session *s);
void person_switch_linked(struct session *s);
void person_switch_done(struct session *s);
void person_switch_stale(struct session *s);

/* move.c: deciding, and deciding again. */
void move_service(struct session *s);
void move_service_recorded(struct session *s);

#endif

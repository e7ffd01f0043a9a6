/*
 * record/record.h - the entries of the log: encode, decode.
 *
 * One JSON object an entry, UTF-8, at most RECORD_MAX bytes. No subject is
 * named in it: counts, labels, keyed hashes. docs/records.md has each field.
 * Every entry: v, gateway, seq (its index in this gateway's log), time,
 * type. Entries of a session: session, n (0, 1, 2 ... without gaps).
 * Memory: decoded records live in the caller's arena; encoding borrows.
 */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define RECORD_VERSION 1
#define RECORD_MAX 65535
#define RECORD_HASH_HEX 64
/*
 * Texts beside the log: a directory, which is read item by item, and each of
 * the others, which become a tree in memory. One file with the hash of the
 * whole as its name, and not a list of pieces: sha256sum checks it, and
 * every program that ever read objects reads large ones. What pieces would
 * save, a change to a few people in a large directory, is disk space.
 */
#define RECORD_OBJECT_MAX ((size_t)256 << 20)
#define RECORD_TEXT_MAX ((size_t)64 << 20)

struct arena;

enum record_type {
	RECORD_NONE = 0,
	RECORD_GENESIS,		/* first of a log */
	RECORD_BOOT,		/* the gateway started */
	RECORD_STOP,		/* the gateway stopped in order */
	RECORD_OBJECT,		/* policy, catalog, directory took effect */
	RECORD_STORE,		/* a store's mode and residences took effect */
	RECORD_SESSION,		/* a session opened */
	RECORD_BACKEND,		/* its login at the store */
	RECORD_CLEARANCE,	/* its purpose or ticket changed */
	RECORD_STATEMENT,	/* about to be run; bounds what it discloses */
	RECORD_RESULT,		/* what a statement released */
	RECORD_DENIAL,		/* a statement or session refused by a rule */
	RECORD_LOGIN_FAILURE,	/* nobody got in */
	RECORD_HEARTBEAT,
	RECORD_CLOSE,		/* a session ended */
	RECORD_SUBJECTS,	/* more subjects of an exact statement */
	RECORD_IN_FORCE,	/* what decides from here on */
	RECORD_ASKED,		/* somebody asks who saw a subject's data */
	RECORD_ROTATION,	/* the log's next key signs from here on */
	RECORD_DRIFT,		/* whether a store is as it was applied */
	RECORD_RECONCILED,	/* a store's own log was held to ours */
	RECORD_APPROVAL,	/* asked for, given, ended: policy/grants.h */
};

const char *record_type_text(enum record_type t);

struct record_strs {
	const char *const *s;
	size_t n;
};

/* A path of control, as directory/control.h has it. */
struct record_path {
	const char *label;
	struct record_strs kinds;	/* "location", "actual", ... */
	struct record_strs steps;	/* the words of each edge */
};

/* What can be reached of one table. */
struct record_table {
	const char *table;		/* schema.name */
	struct record_strs residences;
	struct record_strs categories;	/* shown plain */
	struct record_strs masked;	/* categories shown masked */
};

struct record_bound {
	const struct record_table *tables;
	size_t n;
};

/* What was asked about a ticket and came back. */
struct record_ticket {
	const char *ticket;
	bool confirmed;
	const char *why;		/* not; "" if it is */
	int64_t asked_ms;
	struct record_strs tables;	/* that it covers */
	struct record_strs categories;
	struct record_strs residences;
	uint64_t subjects;		/* that it is about */
	const char *subjects_hmac;	/* keyed hash of who, hex; "" */
};

struct record_genesis {
	const char *origin;		/* of the log */
	const char *key;		/* its verifier key */
};

struct record_boot {
	const char *program;		/* "sworn 0.1.0" */
	const char *config;		/* SHA-256 of the configuration, hex */
	uint64_t heartbeat_ms;		/* at most this long without a record */
	uint64_t last;			/* seq of the entry before this one */
	bool clean;			/* that entry is a stop or the genesis */
};

struct record_stop {
	uint64_t opened, closed;	/* sessions since boot */
};

struct record_object {
	const char *kind;		/* "policy", "catalog", "directory" */
	const char *name;		/* policy's or catalog's name; "" */
	const char *sha256;		/* hex: objects/<sha256> beside the log */
	uint64_t len;
};

struct record_count {
	const char *label;
	uint64_t n;
};

/* A service that works there, by which role. */
struct record_service {
	const char *principal;
	const char *role;
};

struct record_store_name {
	const char *store;
};

struct record_store {
	const char *store;
	const char *mode;		/* "observe", "enforce" */
	struct record_strs residences;
	const char *catalog;		/* SHA-256, hex */
	/* Subjects by residence when last counted; n_subjects 0: never. */
	const struct record_count *subjects;
	size_t n_subjects;
	int64_t counted_ms;
	bool has_services;		/* false: an older log, or too many */
	const struct record_service *services;
	size_t n_services;
};

/*
 * Everything that decides, as one: the objects and stores recorded before it
 * are in force from here on, and no others.
 */
struct record_in_force {
	const char *cause;		/* "start", "reload", "restored" */
	const char *by;			/* who asked for it; NULL: not known */
	const char *config;		/* SHA-256, hex */
	const char *policy;
	const char *directory;
	const char *addresses;		/* of the addresses' file; NULL: none */
	const char *logins;		/* of the rules for logins; NULL: none */
	/* Those that there are, as recorded last; 0: it does not say. */
	const struct record_store_name *stores;
	size_t n_stores;
};

/*
 * Who saw this subject's data? Durable before the answer is given. The
 * subject appears by its tag, as in the answer's own records.
 */
struct record_asked {
	const char *by;			/* as the kernel names them */
	const char *store;
	const char *tag;		/* "" if it has none */
	struct record_strs residences;	/* that were asked about */
	int64_t from_ms, to_ms;		/* 0: from the begin, to the end */
	bool full;			/* with the readers' names */
};

/* What the log of a gateway had when it was read. */
struct record_log_read {
	const char *gateway;
	uint64_t entries;
};

struct record_file_read {
	const char *sha256;
	uint64_t len;
};

struct record_finding {
	const char *what;		/* "around", "unrecorded", ... */
	const char *text;
};

/*
 * The operator held a store's own log to the gateways'. What was found is
 * their word: the store's log lies beside no gateway's.
 */
struct record_reconciled {
	const char *by;			/* as the kernel names them */
	const char *program;		/* "sworn 0.1.0" */
	const char *store;
	const char *source;		/* "pg-log", "pgaudit" */
	int64_t from_ms, to_ms;		/* the period, both included */
	const struct record_log_read *gateways;
	size_t n_gateways;
	const struct record_file_read *files;	/* the store's log */
	size_t n_files;
	int64_t first_ms, last_ms;	/* of its lines */
	uint64_t logins;		/* of the period, in the store's log */
	uint64_t recorded;		/* of the period, by the gateways */
	uint64_t matched;		/* the store's that are recorded */
	/* What does not fit, counted. */
	uint64_t around;		/* logins not from the gateway */
	uint64_t unrecorded;		/* from it, and not recorded */
	uint64_t absent;		/* recorded, not in the store's log */
	uint64_t gaps;			/* in the store's log itself */
	uint64_t differ;		/* sessions with more run than recorded */
	/* pgaudit: statements of persons that read guarded tables. */
	bool compared;
	uint64_t executed, statements;
	const struct record_finding *findings;	/* the first of them */
	size_t n_findings;
};

/*
 * One step of an approval. It takes effect with its place in the log, and not
 * before that is durable.
 */
struct record_approval {
	const char *step;		/* "request", "approve", ... */
	const char *id;			/* of the request, 16 hex digits */
	const char *by;			/* the principal who takes the step */
	const char *source;		/* address:port */
	const char *auth;		/* how it proved who it is */
	const char *tls;		/* "TLSv1.3"; NULL: in the clear */
	int64_t decided_ms;		/* judged as of then */
	/* Of "request" and "break_glass" alone: */
	const char *store;
	const char *rule;		/* that waits for it */
	const char *ticket;		/* only with it; NULL: with any */
	int64_t until_ms;
	int64_t review_ms;		/* of "break_glass": reviewed by then */
	const char *why;		/* NULL: not said */
};

/* An approval that a session rests on. */
struct record_approved {
	const char *id;
	const char *rule;
	struct record_strs by;		/* who approved; none: broken glass */
	int64_t until_ms;
};

struct record_approval_id {
	const char *id;
};

/* Session fields: also those of a clearance record, which repeats what may
 * have changed. Principal, kind and source are as in the session record and
 * absent there; so are the facts, if has_facts is false. */
struct record_session {
	const char *session;		/* 16 hex digits */
	uint64_t n;
	const char *store;
	const char *mode;
	const char *principal;
	const char *kind;		/* "person", "service" */
	const char *source;		/* address:port */
	const char *auth;		/* how it proved who it is; NULL: old */
	const char *tls;		/* "TLSv1.3"; NULL: in the clear */
	struct record_strs seen_at;	/* labels by network; maybe none */
	struct record_strs roles;
	struct record_strs employers;
	struct record_strs issuers;
	const struct record_path *control;
	size_t n_control;
	const char *purpose;		/* NULL: none */
	const char *ticket;		/* NULL: none */
	const char *policy;		/* SHA-256 of the policy, hex */
	const char *directory;		/* and of the directory */
	const char *addresses;		/* and of the addresses' file; or NULL */
	int64_t addresses_built_ms;	/* when that was made; 0: no such file */
	const char *clearance;		/* SHA-256 of its canonical text, hex */
	const char *role;		/* the login at the store; "" if none */
	int64_t decided_ms;		/* when; 0: when it was recorded */
	bool has_facts;			/* of a clearance record */
	struct record_bound bound;	/* all that the session can reach */
	/* Observe: the bound that enforcing would have left. */
	bool has_would;
	struct record_bound would;
	const struct record_ticket *tickets;	/* of those asked about */
	size_t n_tickets;
	const struct record_approved *approvals;	/* that it rests on */
	size_t n_approvals;
};

struct record_backend {
	const char *session;
	uint64_t n;
	const char *role;
	uint32_t pid;			/* of the server process */
	const char *tls;		/* to the store; NULL: in the clear */
};

/* Why a rule refused, or would have refused. */
struct record_refusal {
	const char *table;		/* "" if not about a table */
	const char *rule;		/* "" if no rule permits */
	const char *because;		/* the path of control, in words; "" */
	const char *sqlstate;
};

/* Subjects at home in one place, each by its tag (docs/records.md). */
struct record_subjects {
	const char *label;
	struct record_strs tags;
};

struct record_statement {
	const char *session;
	uint64_t n;
	const char *text_hmac;		/* keyed hash of the SQL, hex */
	const char *what;		/* "SELECT", "COPY", ... */
	const char *basis;		/* "bounded", "exact" */
	bool whole;			/* bounded by the whole clearance */
	const char *whole_why;		/* "" unless whole */
	struct record_bound bound;
	struct record_strs rules;	/* that permit */
	const struct record_refusal *would; /* observe: refused if enforced */
	size_t n_would;
	const struct record_subjects *subjects;	/* exact: those so far */
	size_t n_subjects;
	const char *bounded_why;	/* and not exact; NULL: not asked */
	const struct record_approval_id *approvals;	/* of its rules */
	size_t n_approvals;
	const char *writes;		/* "update public.videos"; NULL: reads */
};

/* Before what comes of a statement goes beyond the subjects listed so far. */
struct record_more {
	const char *session;
	uint64_t n;
	uint64_t of;			/* n of the statement's record */
	const char *basis;		/* "bounded": now all within its bound */
	const struct record_subjects *subjects;
	size_t n_subjects;
};

struct record_result {
	const char *session;
	uint64_t n;
	uint64_t of;			/* n of the statement or session record */
	uint64_t rows;			/* data rows and COPY rows released */
	uint64_t bytes;			/* of them */
	const char *sqlstate;		/* "00000", or the error's */
	uint64_t changed;		/* rows written; 0: none */
};

struct record_denial {
	const char *session;
	uint64_t n;
	const char *text_hmac;		/* "" if not about a statement */
	const char *what;
	struct record_refusal refusal;
};

struct record_login_failure {
	const char *principal;		/* as claimed, if it is known, else "" */
	const char *store;		/* as asked for, if it is known, else "" */
	const char *source;
	const char *reason;		/* "password", "network", ... */
	const char *sqlstate;
};

struct record_heartbeat {
	uint64_t opened, closed;	/* sessions since boot */
};

/* Written while no gateway runs, so the next entry is a boot. */
struct record_rotation {
	const char *note;		/* signed by both keys, log/rotation.h */
	bool clean;			/* the entry before it is a stop */
};

/* A look at a store. */
struct record_drift {
	const char *store;
	const char *state;		/* "applied", "drifted", "unseen" */
	const char *role;		/* the login that looked; "": none */
	uint64_t pid;			/* of its server process; 0: none */
	uint64_t found;			/* how many differences there are */
	struct record_strs what;	/* the first of them, in words */
};

struct record_close {
	const char *session;
	uint64_t n;			/* so the session has n + 1 records */
	uint64_t statements, denials;
	uint64_t rows, bytes;		/* released to the client */
	const char *reason;		/* "client", "store", "stop", ... */
};

struct record {
	enum record_type type;
	const char *gateway;
	uint64_t seq;
	int64_t time_ms;
	union {
		struct record_genesis genesis;
		struct record_boot boot;
		struct record_stop stop;
		struct record_object object;
		struct record_store store;
		struct record_session session;	/* also RECORD_CLEARANCE */
		struct record_backend backend;
		struct record_statement statement;
		struct record_result result;
		struct record_denial denial;
		struct record_login_failure login_failure;
		struct record_heartbeat heartbeat;
		struct record_close close;
		struct record_more more;
		struct record_in_force in_force;
		struct record_asked asked;
		struct record_rotation rotation;
		struct record_drift drift;
		struct record_reconciled reconciled;
		struct record_approval approval;
	} u;
};

/*
 * Encoding is in two parts, since a record's seq and time are known only
 * when it takes its place in the log: the body is everything of the object
 * behind them, without the opening brace, with the closing one.
 * ERR_LIMIT: longer than RECORD_MAX less RECORD_ENVELOPE_MAX.
 */
#define RECORD_ENVELOPE_MAX 512
int record_encode_body(const struct record *r, struct buf *out);
/* {"v":1,"gateway":"...","seq":N,"time":"...", */
int record_encode_envelope(const char *gateway, uint64_t seq, int64_t time_ms,
    struct buf *out);

/* Strict: unknown types or members, wrong types, duplicates, bytes behind
 * the object are ERR_FORMAT; *w says which (line is 0). */
int record_decode(struct bytes in, struct arena *a, struct record *ret,
    struct why *w);

#endif

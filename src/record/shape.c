/*
 * The members of each record in the order in which they are written. Names
 * are part of the log's format (docs/records.md): they never change their
 * meaning within one RECORD_VERSION.
 */
#include "record/shape.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SHAPE(fields, type) {fields, COUNT(fields), sizeof(type)}

#define FIELD(kind, type, member, name) \
	{name, kind, offsetof(type, member), 0, 0, NULL, NULL}
#define ENUM(type, member, name, names) \
	{name, SHAPE_ENUM, offsetof(type, member), 0, 0, NULL, names}
#define LIST(kind, type, member, count, name, of) \
	{name, kind, offsetof(type, member), offsetof(type, count), 0, of, NULL}

static const char *const modes[] = {"observe", "enforce", NULL};
static const char *const kinds[] = {"person", "service", NULL};
static const char *const objects[] = {"policy", "catalog", "directory", NULL};
static const char *const causes[] = {"start", "reload", "restored", NULL};
static const char *const looks[] = {"applied", "drifted", "unseen", NULL};
static const char *const sources[] = {"pg-log", "pgaudit", NULL};
static const char *const steps[] = {"request", "approve", "deny", "revoke",
    "break_glass", "review", NULL};
static const char *const bases[] = {"bounded", "exact", NULL};

static const struct shape_field path_fields[] = {
	FIELD(SHAPE_NAME, struct record_path, label, "label"),
	FIELD(SHAPE_STRS, struct record_path, kinds, "kinds"),
	FIELD(SHAPE_STRS, struct record_path, steps, "steps"),
};
static const struct shape path_shape = SHAPE(path_fields, struct record_path);

static const struct shape_field table_fields[] = {
	FIELD(SHAPE_NAME, struct record_table, table, "table"),
	FIELD(SHAPE_STRS, struct record_table, residences, "residences"),
	FIELD(SHAPE_STRS, struct record_table, categories, "categories"),
	FIELD(SHAPE_STRS, struct record_table, masked, "masked"),
};
static const struct shape table_shape =
    SHAPE(table_fields, struct record_table);

static const struct shape_field count_fields[] = {
	FIELD(SHAPE_NAME, struct record_count, label, "label"),
	FIELD(SHAPE_U64, struct record_count, n, "n"),
};
static const struct shape count_shape =
    SHAPE(count_fields, struct record_count);

static const struct shape_field ticket_fields[] = {
	FIELD(SHAPE_NAME, struct record_ticket, ticket, "ticket"),
	FIELD(SHAPE_BOOL, struct record_ticket, confirmed, "confirmed"),
	FIELD(SHAPE_STR, struct record_ticket, why, "why"),
	FIELD(SHAPE_TIME, struct record_ticket, asked_ms, "asked"),
	FIELD(SHAPE_STRS, struct record_ticket, tables, "tables"),
	FIELD(SHAPE_STRS, struct record_ticket, categories, "categories"),
	FIELD(SHAPE_STRS, struct record_ticket, residences, "residences"),
	FIELD(SHAPE_U64, struct record_ticket, subjects, "subjects"),
	FIELD(SHAPE_HASH, struct record_ticket, subjects_hmac,
	    "subjects_hmac"),
};
static const struct shape ticket_shape =
    SHAPE(ticket_fields, struct record_ticket);

static const struct shape_field refusal_fields[] = {
	FIELD(SHAPE_STR, struct record_refusal, table, "table"),
	FIELD(SHAPE_STR, struct record_refusal, rule, "rule"),
	FIELD(SHAPE_STR, struct record_refusal, because, "because"),
	FIELD(SHAPE_STR, struct record_refusal, sqlstate, "sqlstate"),
};
static const struct shape refusal_shape =
    SHAPE(refusal_fields, struct record_refusal);

static const struct shape_field subjects_fields[] = {
	FIELD(SHAPE_NAME, struct record_subjects, label, "label"),
	FIELD(SHAPE_STRS, struct record_subjects, tags, "tags"),
};
static const struct shape subjects_shape =
    SHAPE(subjects_fields, struct record_subjects);

static const struct shape_field approved_fields[] = {
	FIELD(SHAPE_NAME, struct record_approved, id, "id"),
	FIELD(SHAPE_NAME, struct record_approved, rule, "rule"),
	FIELD(SHAPE_STRS, struct record_approved, by, "by"),
	FIELD(SHAPE_TIME, struct record_approved, until_ms, "until"),
};
static const struct shape approved_shape =
    SHAPE(approved_fields, struct record_approved);

static const struct shape_field approval_id_fields[] = {
	FIELD(SHAPE_NAME, struct record_approval_id, id, "id"),
};
static const struct shape approval_id_shape =
    SHAPE(approval_id_fields, struct record_approval_id);

static const struct shape_field genesis_fields[] = {
	FIELD(SHAPE_NAME, struct record_genesis, origin, "origin"),
	FIELD(SHAPE_NAME, struct record_genesis, key, "key"),
};

static const struct shape_field boot_fields[] = {
	FIELD(SHAPE_NAME, struct record_boot, program, "program"),
	FIELD(SHAPE_HASH, struct record_boot, config, "config"),
	FIELD(SHAPE_U64, struct record_boot, heartbeat_ms, "heartbeat_ms"),
	FIELD(SHAPE_U64, struct record_boot, last, "last"),
	FIELD(SHAPE_BOOL, struct record_boot, clean, "clean"),
};

static const struct shape_field stop_fields[] = {
	FIELD(SHAPE_U64, struct record_stop, opened, "opened"),
	FIELD(SHAPE_U64, struct record_stop, closed, "closed"),
};

static const struct shape_field object_fields[] = {
	ENUM(struct record_object, kind, "kind", objects),
	FIELD(SHAPE_STR, struct record_object, name, "name"),
	FIELD(SHAPE_HASH, struct record_object, sha256, "sha256"),
	FIELD(SHAPE_U64, struct record_object, len, "len"),
};

static const struct shape_field service_fields[] = {
	FIELD(SHAPE_NAME, struct record_service, principal, "principal"),
	FIELD(SHAPE_NAME, struct record_service, role, "role"),
};
static const struct shape service_shape =
    SHAPE(service_fields, struct record_service);

static const struct shape_field store_fields[] = {
	FIELD(SHAPE_NAME, struct record_store, store, "store"),
	ENUM(struct record_store, mode, "mode", modes),
	FIELD(SHAPE_STRS, struct record_store, residences, "residences"),
	FIELD(SHAPE_HASH, struct record_store, catalog, "catalog"),
	LIST(SHAPE_OPT_LIST, struct record_store, subjects, n_subjects,
	    "subjects", &count_shape),
	FIELD(SHAPE_TIME, struct record_store, counted_ms, "counted"),
	{"services", SHAPE_FLAG_LIST,
	    offsetof(struct record_store, services),
	    offsetof(struct record_store, n_services),
	    offsetof(struct record_store, has_services), &service_shape, NULL},
};

#define SESSION(kind, member, name) \
	FIELD(kind, struct record_session, member, name)

/* What a clearance record has too, at its end. */
#define CLEARANCE_FIELDS \
	SESSION(SHAPE_OPT, purpose, "purpose"), \
	SESSION(SHAPE_OPT, ticket, "ticket"), \
	SESSION(SHAPE_HASH, policy, "policy"), \
	SESSION(SHAPE_HASH, directory, "directory"), \
	SESSION(SHAPE_OPT, addresses, "addresses"), \
	SESSION(SHAPE_TIME, addresses_built_ms, "addresses_built"), \
	SESSION(SHAPE_HASH, clearance, "clearance"), \
	SESSION(SHAPE_STR, role, "role"), \
	SESSION(SHAPE_TIME, decided_ms, "decided"), \
	LIST(SHAPE_LIST, struct record_session, bound.tables, bound.n, \
	    "bound", &table_shape), \
	{"would", SHAPE_FLAG_LIST, \
	    offsetof(struct record_session, would.tables), \
	    offsetof(struct record_session, would.n), \
	    offsetof(struct record_session, has_would), &table_shape, NULL}, \
	LIST(SHAPE_OPT_LIST, struct record_session, tickets, n_tickets, \
	    "tickets", &ticket_shape), \
	LIST(SHAPE_OPT_LIST, struct record_session, approvals, n_approvals, \
	    "approvals", &approved_shape)

/* What is known of the reader: within the session itself, or as an object of
 * its own where that may be left out. */
#define FACTS_FIELDS \
	SESSION(SHAPE_STRS, seen_at, "seen_at"), \
	SESSION(SHAPE_STRS, roles, "roles"), \
	SESSION(SHAPE_STRS, employers, "employers"), \
	SESSION(SHAPE_STRS, issuers, "issuers"), \
	LIST(SHAPE_LIST, struct record_session, control, n_control, \
	    "control", &path_shape)

static const struct shape_field facts_fields[] = {
	FACTS_FIELDS,
};

static const struct shape facts_shape =
    SHAPE(facts_fields, struct record_session);

static const struct shape_field session_fields[] = {
	SESSION(SHAPE_NAME, session, "session"),
	SESSION(SHAPE_U64, n, "n"),
	SESSION(SHAPE_NAME, store, "store"),
	ENUM(struct record_session, mode, "mode", modes),
	SESSION(SHAPE_NAME, principal, "principal"),
	ENUM(struct record_session, kind, "kind", kinds),
	SESSION(SHAPE_STR, source, "source"),
	SESSION(SHAPE_OPT, auth, "auth"),
	SESSION(SHAPE_OPT, tls, "tls"),
	FACTS_FIELDS,
	CLEARANCE_FIELDS,
};

static const struct shape_field clearance_fields[] = {
	SESSION(SHAPE_NAME, session, "session"),
	SESSION(SHAPE_U64, n, "n"),
	SESSION(SHAPE_NAME, store, "store"),
	ENUM(struct record_session, mode, "mode", modes),
	{"facts", SHAPE_FLAG_OBJECT, 0, 0,
	    offsetof(struct record_session, has_facts), &facts_shape, NULL},
	CLEARANCE_FIELDS,
};

static const struct shape_field store_name_fields[] = {
	FIELD(SHAPE_NAME, struct record_store_name, store, "store"),
};
static const struct shape store_name_shape =
    SHAPE(store_name_fields, struct record_store_name);

static const struct shape_field in_force_fields[] = {
	ENUM(struct record_in_force, cause, "cause", causes),
	FIELD(SHAPE_OPT, struct record_in_force, by, "by"),
	FIELD(SHAPE_HASH, struct record_in_force, config, "config"),
	FIELD(SHAPE_HASH, struct record_in_force, policy, "policy"),
	FIELD(SHAPE_HASH, struct record_in_force, directory,
	    "directory"),
	FIELD(SHAPE_OPT, struct record_in_force, addresses, "addresses"),
	FIELD(SHAPE_OPT, struct record_in_force, logins, "logins"),
	LIST(SHAPE_OPT_LIST, struct record_in_force, stores, n_stores,
	    "stores", &store_name_shape),
};

static const struct shape_field asked_fields[] = {
	FIELD(SHAPE_NAME, struct record_asked, by, "by"),
	FIELD(SHAPE_NAME, struct record_asked, store, "store"),
	FIELD(SHAPE_STR, struct record_asked, tag, "tag"),
	FIELD(SHAPE_STRS, struct record_asked, residences, "residences"),
	FIELD(SHAPE_TIME, struct record_asked, from_ms, "from"),
	FIELD(SHAPE_TIME, struct record_asked, to_ms, "to"),
	FIELD(SHAPE_BOOL, struct record_asked, full, "full"),
};

static const struct shape_field rotation_fields[] = {
	FIELD(SHAPE_NAME, struct record_rotation, note, "note"),
	FIELD(SHAPE_BOOL, struct record_rotation, clean, "clean"),
};

static const struct shape_field log_read_fields[] = {
	FIELD(SHAPE_NAME, struct record_log_read, gateway, "gateway"),
	FIELD(SHAPE_U64, struct record_log_read, entries, "entries"),
};
static const struct shape log_read_shape =
    SHAPE(log_read_fields, struct record_log_read);

static const struct shape_field file_read_fields[] = {
	FIELD(SHAPE_HASH, struct record_file_read, sha256, "sha256"),
	FIELD(SHAPE_U64, struct record_file_read, len, "len"),
};
static const struct shape file_read_shape =
    SHAPE(file_read_fields, struct record_file_read);

static const struct shape_field finding_fields[] = {
	FIELD(SHAPE_NAME, struct record_finding, what, "what"),
	FIELD(SHAPE_STR, struct record_finding, text, "text"),
};
static const struct shape finding_shape =
    SHAPE(finding_fields, struct record_finding);

#define RECONCILED(kind, member) \
	FIELD(kind, struct record_reconciled, member, #member)

static const struct shape_field reconciled_fields[] = {
	RECONCILED(SHAPE_NAME, by),
	RECONCILED(SHAPE_NAME, program),
	RECONCILED(SHAPE_NAME, store),
	ENUM(struct record_reconciled, source, "source", sources),
	FIELD(SHAPE_TIME, struct record_reconciled, from_ms, "from"),
	FIELD(SHAPE_TIME, struct record_reconciled, to_ms, "to"),
	LIST(SHAPE_LIST, struct record_reconciled, gateways, n_gateways,
	    "gateways", &log_read_shape),
	LIST(SHAPE_LIST, struct record_reconciled, files, n_files, "files",
	    &file_read_shape),
	FIELD(SHAPE_TIME, struct record_reconciled, first_ms, "first"),
	FIELD(SHAPE_TIME, struct record_reconciled, last_ms, "last"),
	RECONCILED(SHAPE_U64, logins),
	RECONCILED(SHAPE_U64, recorded),
	RECONCILED(SHAPE_U64, matched),
	RECONCILED(SHAPE_U64, around),
	RECONCILED(SHAPE_U64, unrecorded),
	RECONCILED(SHAPE_U64, absent),
	RECONCILED(SHAPE_U64, gaps),
	RECONCILED(SHAPE_U64, differ),
	RECONCILED(SHAPE_BOOL, compared),
	RECONCILED(SHAPE_U64, executed),
	RECONCILED(SHAPE_U64, statements),
	LIST(SHAPE_OPT_LIST, struct record_reconciled, findings, n_findings,
	    "findings", &finding_shape),
};

static const struct shape_field approval_fields[] = {
	ENUM(struct record_approval, step, "step", steps),
	FIELD(SHAPE_NAME, struct record_approval, id, "id"),
	FIELD(SHAPE_NAME, struct record_approval, by, "by"),
	FIELD(SHAPE_STR, struct record_approval, source, "source"),
	FIELD(SHAPE_STR, struct record_approval, auth, "auth"),
	FIELD(SHAPE_OPT, struct record_approval, tls, "tls"),
	FIELD(SHAPE_TIME, struct record_approval, decided_ms, "decided"),
	FIELD(SHAPE_OPT, struct record_approval, store, "store"),
	FIELD(SHAPE_OPT, struct record_approval, rule, "rule"),
	FIELD(SHAPE_OPT, struct record_approval, ticket, "ticket"),
	FIELD(SHAPE_TIME, struct record_approval, until_ms, "until"),
	FIELD(SHAPE_TIME, struct record_approval, review_ms, "review"),
	FIELD(SHAPE_OPT, struct record_approval, why, "why"),
};

static const struct shape_field backend_fields[] = {
	FIELD(SHAPE_NAME, struct record_backend, session, "session"),
	FIELD(SHAPE_U64, struct record_backend, n, "n"),
	FIELD(SHAPE_STR, struct record_backend, role, "role"),
	FIELD(SHAPE_U32, struct record_backend, pid, "pid"),
	FIELD(SHAPE_OPT, struct record_backend, tls, "tls"),
};

static const struct shape_field statement_fields[] = {
	FIELD(SHAPE_NAME, struct record_statement, session, "session"),
	FIELD(SHAPE_U64, struct record_statement, n, "n"),
	FIELD(SHAPE_STR, struct record_statement, text_hmac, "text_hmac"),
	FIELD(SHAPE_STR, struct record_statement, what, "what"),
	ENUM(struct record_statement, basis, "basis", bases),
	FIELD(SHAPE_BOOL, struct record_statement, whole, "whole"),
	FIELD(SHAPE_STR, struct record_statement, whole_why, "whole_why"),
	LIST(SHAPE_LIST, struct record_statement, bound.tables, bound.n,
	    "bound", &table_shape),
	FIELD(SHAPE_STRS, struct record_statement, rules, "rules"),
	LIST(SHAPE_OPT_LIST, struct record_statement, would, n_would,
	    "would", &refusal_shape),
	LIST(SHAPE_OPT_LIST, struct record_statement, subjects, n_subjects,
	    "subjects", &subjects_shape),
	FIELD(SHAPE_OPT, struct record_statement, bounded_why,
	    "bounded_why"),
	LIST(SHAPE_OPT_LIST, struct record_statement, approvals, n_approvals,
	    "approvals", &approval_id_shape),
	FIELD(SHAPE_OPT, struct record_statement, writes, "writes"),
};

static const struct shape_field more_fields[] = {
	FIELD(SHAPE_NAME, struct record_more, session, "session"),
	FIELD(SHAPE_U64, struct record_more, n, "n"),
	FIELD(SHAPE_U64, struct record_more, of, "of"),
	ENUM(struct record_more, basis, "basis", bases),
	LIST(SHAPE_OPT_LIST, struct record_more, subjects, n_subjects,
	    "subjects", &subjects_shape),
};

static const struct shape_field result_fields[] = {
	FIELD(SHAPE_NAME, struct record_result, session, "session"),
	FIELD(SHAPE_U64, struct record_result, n, "n"),
	FIELD(SHAPE_U64, struct record_result, of, "of"),
	FIELD(SHAPE_U64, struct record_result, rows, "rows"),
	FIELD(SHAPE_U64, struct record_result, bytes, "bytes"),
	FIELD(SHAPE_STR, struct record_result, sqlstate, "sqlstate"),
	FIELD(SHAPE_OPT_U64, struct record_result, changed, "changed"),
};

static const struct shape_field denial_fields[] = {
	FIELD(SHAPE_NAME, struct record_denial, session, "session"),
	FIELD(SHAPE_U64, struct record_denial, n, "n"),
	FIELD(SHAPE_STR, struct record_denial, text_hmac, "text_hmac"),
	FIELD(SHAPE_STR, struct record_denial, what, "what"),
	{"refusal", SHAPE_OBJECT, offsetof(struct record_denial, refusal),
	    0, 0, &refusal_shape, NULL},
};

static const struct shape_field login_failure_fields[] = {
	FIELD(SHAPE_STR, struct record_login_failure, principal, "principal"),
	FIELD(SHAPE_STR, struct record_login_failure, store, "store"),
	FIELD(SHAPE_STR, struct record_login_failure, source, "source"),
	FIELD(SHAPE_STR, struct record_login_failure, reason, "reason"),
	FIELD(SHAPE_STR, struct record_login_failure, sqlstate, "sqlstate"),
};

static const struct shape_field heartbeat_fields[] = {
	FIELD(SHAPE_U64, struct record_heartbeat, opened, "opened"),
	FIELD(SHAPE_U64, struct record_heartbeat, closed, "closed"),
};

static const struct shape_field drift_fields[] = {
	FIELD(SHAPE_NAME, struct record_drift, store, "store"),
	ENUM(struct record_drift, state, "state", looks),
	FIELD(SHAPE_STR, struct record_drift, role, "role"),
	FIELD(SHAPE_U64, struct record_drift, pid, "pid"),
	FIELD(SHAPE_U64, struct record_drift, found, "found"),
	FIELD(SHAPE_STRS, struct record_drift, what, "what"),
};

static const struct shape_field close_fields[] = {
	FIELD(SHAPE_NAME, struct record_close, session, "session"),
	FIELD(SHAPE_U64, struct record_close, n, "n"),
	FIELD(SHAPE_U64, struct record_close, statements, "statements"),
	FIELD(SHAPE_U64, struct record_close, denials, "denials"),
	FIELD(SHAPE_U64, struct record_close, rows, "rows"),
	FIELD(SHAPE_U64, struct record_close, bytes, "bytes"),
	FIELD(SHAPE_STR, struct record_close, reason, "reason"),
};

static const struct shape shapes[] = {
	[RECORD_GENESIS] = SHAPE(genesis_fields, struct record_genesis),
	[RECORD_BOOT] = SHAPE(boot_fields, struct record_boot),
	[RECORD_STOP] = SHAPE(stop_fields, struct record_stop),
	[RECORD_OBJECT] = SHAPE(object_fields, struct record_object),
	[RECORD_STORE] = SHAPE(store_fields, struct record_store),
	[RECORD_SESSION] = SHAPE(session_fields, struct record_session),
	[RECORD_BACKEND] = SHAPE(backend_fields, struct record_backend),
	[RECORD_CLEARANCE] = SHAPE(clearance_fields, struct record_session),
	[RECORD_STATEMENT] = SHAPE(statement_fields, struct record_statement),
	[RECORD_RESULT] = SHAPE(result_fields, struct record_result),
	[RECORD_DENIAL] = SHAPE(denial_fields, struct record_denial),
	[RECORD_LOGIN_FAILURE] =
	    SHAPE(login_failure_fields, struct record_login_failure),
	[RECORD_HEARTBEAT] = SHAPE(heartbeat_fields, struct record_heartbeat),
	[RECORD_CLOSE] = SHAPE(close_fields, struct record_close),
	[RECORD_SUBJECTS] = SHAPE(more_fields, struct record_more),
	[RECORD_IN_FORCE] = SHAPE(in_force_fields, struct record_in_force),
	[RECORD_ASKED] = SHAPE(asked_fields, struct record_asked),
	[RECORD_ROTATION] = SHAPE(rotation_fields, struct record_rotation),
	[RECORD_DRIFT] = SHAPE(drift_fields, struct record_drift),
	[RECORD_RECONCILED] =
	    SHAPE(reconciled_fields, struct record_reconciled),
	[RECORD_APPROVAL] = SHAPE(approval_fields, struct record_approval),
};

const struct shape *
shape_of(enum record_type t)
{
	if (t <= RECORD_NONE || (size_t)t >= COUNT(shapes))
		return NULL;
	return &shapes[t];
}

static bool
is_hash(const char *s)
{
	return s[0] == 0 || (strlen(s) == RECORD_HASH_HEX &&
	    strspn(s, "0123456789abcdef") == RECORD_HASH_HEX);
}

bool
shape_str_fits(const struct shape_field *f, const char *s)
{
	size_t i;

	switch (f->kind) {
	case SHAPE_NAME:
		return s[0] != 0;
	case SHAPE_HASH:
		return is_hash(s);
	case SHAPE_ENUM:
		for (i = 0; f->names[i] != NULL; i++)
			if (strcmp(f->names[i], s) == 0)
				return true;
		return false;
	case SHAPE_STR:
	case SHAPE_OPT:
		return true;
	case SHAPE_U64:
	case SHAPE_OPT_U64:
	case SHAPE_U32:
	case SHAPE_BOOL:
	case SHAPE_TIME:
	case SHAPE_STRS:
	case SHAPE_LIST:
	case SHAPE_OPT_LIST:
	case SHAPE_FLAG_LIST:
	case SHAPE_OBJECT:
	case SHAPE_FLAG_OBJECT:
		break;
	}
	return false;
}

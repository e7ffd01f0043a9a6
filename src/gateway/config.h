/*
 * gateway/config.h - sworn.conf and the files that it names.
 *
 * Read once; immutable afterwards. Paths in it are relative to the file's
 * own folder. Format: docs/configuration.md.
 */
#ifndef GATEWAY_CONFIG_H
#define GATEWAY_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "enforce/watch.h"
#include "gateway/limits.h"

#include "gateway/config_logins.h"
#include "gateway/config_seen.h"
#include "gateway/config_tickets.h"
#include "gateway/config_tls.h"
#include "gateway/seal.h"

struct addresses;
struct catalog;
struct directory;
struct parcel;
struct policy;
struct quorum;

enum store_mode {
	STORE_OBSERVE,
	STORE_ENFORCE,
};

const char *store_mode_text(enum store_mode m);

struct config_listener {
	const char *address;
	uint16_t port;		/* 0: any free one, reported at start */
};

struct config_text {		/* a file that policy decisions rest on */
	const char *path;
	const char *text;
	size_t len;
	char sha256[65];	/* hex */
};

struct config_twin {		/* a view and its twin, by their identifiers */
	uint32_t view;
	uint32_t twin;
};

struct config_view {		/* one of a pane, which logins share */
	const char *name;
	struct config_twin ids;
};

struct config_pane {
	const char *schema;
	const char *twins;		/* the twins' schema */
	struct config_view *views;	/* sorted by their twins */
	size_t n_views;
};

struct config_login {		/* a role at the store, and its password */
	const char *role;
	const char *password;
	const char *verifier;	/* as the store was given it; or NULL */
	const struct config_twin *twins;	/* sorted; none: bounded only */
	size_t n_twins;
	const struct config_pane *const *panes;	/* or these */
	size_t n_panes;
};

struct config_store {
	const char *name;	/* the database name that clients ask for */
	const char *host;	/* address, or directory of a UNIX socket */
	uint16_t port;
	struct config_store_tls tls;
	const char *database;
	enum store_mode mode;
	const char *const *residences;
	size_t n_residences;
	struct config_text catalog_text;
	struct catalog *catalog;
	const char *observe_role;	/* of persons in mode observe; or NULL */
	struct store_limits limits;	/* of persons in mode enforce */
	/* Roles of services: principal id -> role. */
	const char *const *service_principals;
	const char *const *service_roles;
	size_t n_services;
	const char *credentials_path;	/* role:password lines, mode 0600 */
	const struct config_pane *panes;
	size_t n_panes;
	struct config_login *logins;	/* theirs, and those that apply made */
	size_t n_logins;
	const char *applied_path;	/* what `sworn apply` wrote; in state_dir */
	bool applied;			/* it is there */
	/* What apply saw at its end (none: an older one), and by what it
	 * sealed that in the store. */
	struct watch_list watch;
	struct seal seal;
	/* Subjects by residence, counted by apply. */
	const char **count_labels;
	uint64_t *counts;
	size_t n_counts;
	int64_t counted_ms;
};

struct config_witnesses {	/* who cosign the log, if anybody is asked */
	struct config_text text;	/* the quorum file */
	struct quorum *quorum;		/* NULL: nobody */
	uint64_t every_ms;
	bool start_needs_quorum;
};

struct config_user {		/* how a principal proves who it is */
	const char *principal;
	const char *verifier;	/* crypto/scram.h's form */
};

/* No store has this name: approvals are asked for by it (gateway/desk.h). */
#define CONFIG_DESK_NAME "sworn"

struct config {
	const char *path;
	char sha256[65];
	const char *gateway;		/* name in records */
	const char *state_dir;
	const char *log_dir;
	const char *log_key_file;
	const char *log_key_secret;	/* key/secret.h; NULL: none said */
	uint64_t heartbeat_ms;
	uint64_t drift_ms;		/* between looks at a store; 0: off */
	uint64_t publish_ms;
	struct config_witnesses witnesses;
	unsigned workers;
	const struct config_listener *listeners;
	size_t n_listeners;
	struct config_tls tls;		/* of clients */
	struct config_logins logins;	/* who of them may come how */
	bool has_console;
	struct config_listener console;
	struct config_store *stores;
	size_t n_stores;
	const char *users_path;
	const struct config_user *users;	/* sorted by principal */
	size_t n_users;
	struct config_text directory_text;
	struct directory *directory;
	struct config_text addresses_text;	/* path NULL: none */
	struct addresses *addresses;		/* or NULL */
	struct config_text policy_text;
	struct policy *policy;
	struct config_tickets tickets;	/* whom to ask about them */
	struct config_seen seen;	/* whom to tell readers' names */
	/* Limits, each with a default that docs/configuration.md gives. */
	unsigned max_sessions;
	unsigned login_timeout_ms;
	unsigned connect_timeout_ms;	/* to a store */
	unsigned log_timeout_ms;	/* a release waits this long for the log */
};

/*
 * Loads everything. On failure *w has the sentence, and file (static
 * storage or arena: valid until config_free) which file it is about.
 */
int config_load(const char *path, struct config **ret, struct why *w,
    char file[static 1024]);
/* The same, noting every file's bytes in `take`, or from those of `from` and
 * no file; both may be NULL. */
int config_load_by(const char *path, struct parcel *take,
    const struct parcel *from, struct config **ret, struct why *w,
    char file[static 1024]);
void config_free(struct config *c);
/* Only where its state folder is, on the heap: of a configuration that may
 * name files which are broken. */
int config_state_dir(const char *path, char **ret, struct why *w,
    char file[static 1024]);

const struct config_store *config_store_find(const struct config *c,
    const char *name);
const struct config_user *config_user_find(const struct config *c,
    const char *principal);
const struct config_login *config_login_find(const struct config_store *s,
    const char *role);
/* NULL is no purpose, which every policy knows. */
bool config_knows_purpose(const struct config *c, const char *purpose);
/* The role of a service principal at a store, or NULL. */
const char *config_service_role(const struct config_store *s,
    const char *principal);

#endif

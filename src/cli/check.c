/*
 * sworn check -c FILE: whether a configuration is sound, before anything
 * runs by it. What `sworn run` would refuse, it refuses with the same words;
 * what would work but surprise, it warns of.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/time.h"
#include "catalog/catalog.h"
#include "cli/at_most.h"
#include "cli/cmd.h"
#include "cli/known.h"
#include "cli/load.h"
#include "directory/circles.h"
#include "directory/directory.h"
#include "gateway/config.h"
#include "gateway/policy_file.h"
#include "key/keyfile.h"
#include "policy/policy.h"

/* A folder that exists must be writable; one that does not is made by run. */
static int
check_folder(const char *path, const char *what)
{
	if (access(path, W_OK | X_OK) == 0 || errno == ENOENT)
		return 0;
	(void)fprintf(stderr, "%s: the %s folder cannot be written: %s\n",
	    path, what, strerror(errno));
	return 1;
}

static int
check_store(const struct config_store *s)
{
	uint64_t counted = 0;
	int bad = 0;
	size_t i;

	for (i = 0; i < s->n_counts; i++)
		counted += s->counts[i];	/* when apply ran last */
	if (at_most_check(s, counted) != 0)
		bad = 1;
	if (s->n_counts == 0)
		(void)fprintf(stderr, "warning: store %s: sworn apply has not "
		    "run for it%s\n", s->name, s->mode == STORE_ENFORCE ?
		    "; persons will be refused until it has" : "");
	if (s->mode == STORE_OBSERVE &&
	    config_login_find(s, s->observe_role) == NULL) {
		(void)fprintf(stderr, "%s: no password for role %s, the "
		    "observe-role of store %s; add a line %s:PASSWORD\n",
		    s->credentials_path, s->observe_role, s->name,
		    s->observe_role);
		bad = 1;
	}
	for (i = 0; i < s->n_services; i++)
		if (config_login_find(s, s->service_roles[i]) == NULL) {
			(void)fprintf(stderr, "%s: no password for role %s of "
			    "service %s in store %s; add a line "
			    "%s:PASSWORD\n", s->credentials_path,
			    s->service_roles[i], s->service_principals[i],
			    s->name, s->service_roles[i]);
			bad = 1;
		}
	return bad;
}

static void
warn_users(const struct config *c)
{
	const char *const *ids;
	struct arena *a = arena_new();
	const struct principal *p;
	size_t i, n;

	if (a == NULL)
		return; /* warnings only */
	if (directory_list(c->directory, clock_now_ms(), a, &ids, &n) == 0)
		for (i = 0; i < n; i++)
			if (config_user_find(c, ids[i]) == NULL)
				(void)fprintf(stderr, "warning: %s has no "
				    "password in %s and cannot log in\n",
				    ids[i], c->users_path);
	for (i = 0; i < c->n_users; i++)
		if (directory_principal(c->directory, c->users[i].principal,
		    clock_now_ms(), a, &p) != 0)
			(void)fprintf(stderr, "warning: %s has a password and "
			    "is not in the directory, so will be refused\n",
			    c->users[i].principal);
	arena_free(a);
}

static void
warn_strange(void *arg, unsigned line, unsigned column, const char *rule,
    const char *what, const char *name)
{
	const struct config *c = arg;
	char file[1024];

	policy_file_name(c->policy_text.path, policy_file_of(c->policy, rule),
	    file);
	(void)fprintf(stderr, "warning: %s:%u:%u: rule \"%s\" names %s "
	    "\"%s\", which nothing here has; is it misspelt?\n", file, line,
	    column, rule, what, name);
}

#define CIRCLES_MAX 20

struct noting {
	const char *path;
	size_t n;
};

static int
note_circle(void *arg, const char *what, const char *const *ids, size_t n)
{
	struct noting *t = arg;
	size_t i;

	if (t->n++ >= CIRCLES_MAX)
		return 0;
	(void)fprintf(stderr, "note: %s: %s: ", t->path, what);
	for (i = 0; i < n; i++)
		(void)fprintf(stderr, "%s -> ", ids[i]);
	(void)fprintf(stderr, "%s\n", ids[0]);
	return 0;
}

/* Circles are legal, and often mistakes. */
static void
note_circles(const struct config *c)
{
	struct noting t = { .path = c->directory_text.path };
	struct arena *a = arena_new();

	/* Notes only. */
	if (a != NULL)
		(void)circles_each(c->directory, clock_now_ms(), a,
		    note_circle, &t);
	if (t.n > CIRCLES_MAX)
		(void)fprintf(stderr, "note: %s: and %zu more circles\n",
		    t.path, t.n - CIRCLES_MAX);
	arena_free(a);
}

/* Names in the policy that no store, catalog or directory entry has. */
static void
warn_policy(struct config *c)
{
	struct arena *a = arena_new();
	struct policy_known known;

	/* Warnings only. */
	if (a != NULL && known_names(c, a, &known) == 0)
		policy_strange(c->policy, &known, warn_strange, c);
	arena_free(a);
}

/* What the policy's rules are made from, and what they do not do. */
static void
tell_regimes(const struct policy *p)
{
	const struct policy_regime *list;
	size_t i, k, n;

	list = policy_regimes(p, &n);
	for (i = 0; i < n; i++) {
		(void)printf("regime: %s, as of %s\n", list[i].title,
		    list[i].as_of);
		for (k = 0; k < list[i].n_source; k++)
			(void)printf("  from %s\n", list[i].source[k]);
		for (k = 0; k < list[i].n_leaves_out; k++)
			(void)printf("  leaves out: %s\n",
			    list[i].leaves_out[k]);
	}
}

/* The key itself is not looked at longer than to see of what kind it is. */
static int
check_key_secret(const struct config *c)
{
	struct keyfile k = {0};
	struct why w = {0};
	int r = keyfile_read(c->log_key_file, &k, &w), bad = 0;

	if (r == 0 && k.kind != KEYFILE_PLAIN && c->log_key_secret == NULL) {
		(void)fprintf(stderr, "%s: the log's key is %s; say where that "
		    "comes from with log.key-secret\n", c->log_key_file,
		    k.kind == KEYFILE_TOKEN ? "in a token, which needs a PIN" :
		    "encrypted, which needs a passphrase");
		bad = 1;
	} else if (r != 0 && r != ERR_IO && r != ERR_DENIED) {
		(void)fprintf(stderr, "%s\n", w.text);
		bad = 1;		/* the others are told already */
	}
	wipe(&k, sizeof(k));
	return bad;
}

int
cmd_check(int argc, char **argv)
{
	struct config *c;
	size_t i;
	int bad;

	if (argc != 3 || strcmp(argv[1], "-c") != 0) {
		(void)fprintf(stderr, "usage: sworn check -c FILE\n");
		return 2;
	}
	if ((c = load_config(argv[2])) == NULL)
		return 1;
	bad = check_log_key(c) | check_key_secret(c) | check_folder(c->log_dir, "log") |
	    check_folder(c->state_dir, "state");
	for (i = 0; i < c->n_stores; i++)
		bad |= check_store(&c->stores[i]);
	warn_users(c);
	warn_policy(c);
	tell_regimes(c->policy);
	note_circles(c);
	if (bad == 0)
		(void)printf("%s is sound: policy %s, %zu stores, %zu "
		    "principals can log in\n", argv[2],
		    policy_name(c->policy), c->n_stores, c->n_users);
	config_free(c);
	return bad;
}

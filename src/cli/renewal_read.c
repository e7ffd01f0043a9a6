/*
 * What a reload cannot change falls in two: what only needs a restart is
 * named and left as it is; what says which log this is would make two of
 * one, so such a configuration is not taken at all.
 */
#include "cli/renewal_read.h"

#include <string.h>

#include "base/err.h"
#include "base/time.h"
#include "cli/clearances.h"
#include "gateway/parcel.h"
#include "gateway/config.h"
#include "gateway/version.h"

static bool
same_listener(const struct config_listener *a,
    const struct config_listener *b)
{
	return strcmp(a->address, b->address) == 0 && a->port == b->port;
}

static bool
same_listeners(const struct config *a, const struct config *b)
{
	size_t i;

	if (a->n_listeners != b->n_listeners)
		return false;
	for (i = 0; i < a->n_listeners; i++)
		if (!same_listener(&a->listeners[i], &b->listeners[i]))
			return false;
	return true;
}

static bool
same_console(const struct config *a, const struct config *b)
{
	return a->has_console == b->has_console &&
	    (!a->has_console || same_listener(&a->console, &b->console));
}

static bool
same_limits(const struct config *a, const struct config *b)
{
	return a->max_sessions == b->max_sessions &&
	    a->login_timeout_ms == b->login_timeout_ms &&
	    a->connect_timeout_ms == b->connect_timeout_ms &&
	    a->log_timeout_ms == b->log_timeout_ms;
}

static bool
same_witnesses(const struct config *a, const struct config *b)
{
	const struct config_witnesses *x = &a->witnesses, *y = &b->witnesses;

	return strcmp(x->text.sha256, y->text.sha256) == 0 &&
	    x->every_ms == y->every_ms &&
	    x->start_needs_quorum == y->start_needs_quorum;
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Keys that take effect at a start only. Returns how many forbid it. */
static unsigned
compare_keys(const struct config *a, const struct config *b, FILE *said)
{
	const struct {
		const char *key;
		bool same;
		bool which_log;
	} keys[] = {
		{"gateway", strcmp(a->gateway, b->gateway) == 0, true},
		{"state", strcmp(a->state_dir, b->state_dir) == 0, true},
		{"log.dir", strcmp(a->log_dir, b->log_dir) == 0, true},
		{"log.key", strcmp(a->log_key_file, b->log_key_file) == 0,
		    true},
		{"log.key-secret", same_text(a->log_key_secret,
		    b->log_key_secret), false},
		{"log.heartbeat", a->heartbeat_ms == b->heartbeat_ms, false},
		{"log.publish", a->publish_ms == b->publish_ms, false},
		{"log.witnesses", same_witnesses(a, b), false},
		{"workers", a->workers == b->workers, false},
		{"listeners", same_listeners(a, b), false},
		{"console", same_console(a, b), false},
		{"limits", same_limits(a, b), false},
		{"tickets", config_tickets_same(&a->tickets, &b->tickets),
		    false},
	};
	unsigned bad = 0;
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (keys[i].same)
			continue;
		bad += keys[i].which_log;
		(void)fprintf(said, "%s: \"%s\" %s\n", b->path, keys[i].key,
		    keys[i].which_log ? "is another one now, and so would be "
		    "the log; put the old one back, or restart" : "has "
		    "changed and takes effect at a restart only; until then "
		    "it stays as it was");
	}
	return bad;
}

/* Clearances that the store has no login for. Returns whether that is in
 * the way. */
static bool
check_logins(const struct config *c, const struct config_store *s,
    const struct config_store *before, FILE *said)
{
	struct clearances cs;
	struct why w = {0};
	size_t i, missing = 0;

	if (s->mode != STORE_ENFORCE)
		return false;
	if (clearances_make(c, s, clock_now_ms(), &cs, &w) != 0) {
		(void)fprintf(said, "%s: store %s: %s\n",
		    c->policy_text.path, s->name, w.text);
		return true;
	}
	for (i = 0; i < cs.n; i++)
		missing += config_login_find(s, cs.items[i].role) == NULL;
	if (missing > 0)
		(void)fprintf(said, "store %s: %zu of %zu clearances that the "
		    "new version gives out have no login there yet; run: "
		    "sworn apply -c %s %s --admin DSN, then reload again\n",
		    s->name, missing, cs.n, c->path, s->name);
	clearances_done(&cs);
	/* One that was never applied refuses everybody as it is. */
	return missing > 0 && (before == NULL || before->n_counts > 0);
}

static int
check(const struct config *old, const struct config *new, bool unapplied,
    FILE *said)
{
	unsigned bad = compare_keys(old, new, said);
	bool missing = false;
	size_t i;

	for (i = 0; i < new->n_stores && bad == 0; i++)
		missing |= check_logins(new, &new->stores[i],
		    config_store_find(old, new->stores[i].name), said);
	if (missing && !unapplied)
		(void)fprintf(said, "(or sworn reload --unapplied: whoever "
		    "has such a clearance is refused until then)\n");
	return bad > 0 || (missing && !unapplied);
}

static int
hand_over(const struct config *c, struct parcel *b, int fd, FILE *said)
{
	int r;

	if ((r = version_note_addresses(c, b)) == 0 &&
	    (r = parcel_write(b, fd)) == 0)
		return 0;
	(void)fprintf(said, "the files cannot be handed to the gateway: %s\n",
	    err_text(r));
	return 1;
}

static void
say_why(FILE *said, const char *file, const struct why *w)
{
	if (w->line != 0)
		(void)fprintf(said, "%s:%u:%u: %s\n", file, w->line,
		    w->column, w->text);
	else
		(void)fprintf(said, "%s: %s\n", file, w->text);
}

int
renewal_read(const struct config *old, bool unapplied, int parcel_fd,
    FILE *said)
{
	struct parcel *b = parcel_new();
	struct config *c = NULL;
	char file[1024] = "";
	struct why w = {0};
	int r = 1;

	if (b == NULL) {
		(void)fprintf(said, "out of memory\n");
	} else if (config_load_by(old->path, b, NULL, &c, &w, file) != 0) {
		say_why(said, file, &w);
	} else if (check(old, c, unapplied, said) == 0) {
		r = hand_over(c, b, parcel_fd, said);
	}
	config_free(c);
	parcel_free(b);
	return r;
}

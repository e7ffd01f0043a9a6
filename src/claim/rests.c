/*
 * What is missing over all logs, and what a verdict rests on: said in whole
 * sentences, since who swears and who judges reads them.
 */
#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "claim/lines.h"
#include "claim/approvals.h"
#include "claim/state.h"
#include "claim/track.h"

static const struct state_log *
log_of(const struct verdict *v, const char *gateway)
{
	const struct state_log *l;

	for (l = v->logs; l != NULL; l = l->next)
		if (strcmp(l->gateway, gateway) == 0)
			return l;
	return NULL;
}

static int
missing_of_log(struct verdict *v, const struct state_log *l)
{
	char at[TIME_TEXT_MAX];
	int e = 0;

	if (l->first_ms > v->claim->from_ms) {
		time_text(l->first_ms, at);
		e = state_doubt(v, "start", l->gateway, NULL, "the log of %s "
		    "begins at %s, after the period does", l->gateway, at);
	}
	if (e == 0 && !l->has_after) {
		time_text(l->last_ms, at);
		e = state_doubt(v, "end", l->gateway, NULL, "the log of %s "
		    "ends at %s, before it goes beyond the period",
		    l->gateway, at);
	}
	return e;
}

static int
missing_store(struct verdict *v, const char *store)
{
	const struct state_store *s;
	const struct state_log *l;

	for (l = v->logs; l != NULL; l = l->next)
		if ((s = state_store_find(l, store)) != NULL && s->before)
			return 0;
	return state_doubt(v, "store", NULL, NULL, "no log says that store %s "
	    "stood behind a gateway when the period began", store);
}

struct login_arg {
	struct verdict *v;
	const char *store;
};

static int
on_login(void *arg, const struct logins_doubt *d)
{
	const struct login_arg *x = arg;
	char at[TIME_TEXT_MAX];

	time_text(d->time_ms, at);
	if (d->around)
		return state_doubt(x->v, "login", NULL, NULL, "login to store "
		    "%s around the gateway: user %s from %s at %s (database "
		    "%s, process %" PRIu32 ")", x->store, d->user,
		    d->from[0] != 0 ? d->from : "the store's own machine",
		    at, d->database, d->pid);
	return state_doubt(x->v, "store-log", d->gateway, &d->seq, "the "
	    "connection log of store %s is incomplete: it lacks the login of "
	    "%s at %s (process %" PRIu32 ") that entry %" PRIu64 " of %s has",
	    x->store, d->user, at, d->pid, d->seq, d->gateway);
}

static int
on_lines_gap(void *arg, const struct lines_gap *g)
{
	const struct login_arg *x = arg;
	char at[TIME_TEXT_MAX];

	time_text(g->began_ms, at);
	return state_doubt(x->v, "store-log", NULL, NULL, "the connection log "
	    "of store %s lacks lines %" PRIu64 " to %" PRIu64 " of process %"
	    PRIu32 ", which began at %s", x->store, g->from, g->to, g->pid,
	    at);
}

static int
match_store(struct verdict *v, struct logins *l)
{
	struct login_arg arg = {v, logins_store(l)};
	char first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];
	struct logins_summary sum;
	int e;

	if ((e = logins_match(l, on_login, &arg, &sum)) != 0 ||
	    (e = logins_gaps(l, on_lines_gap, &arg)) != 0)
		return e;
	if (!sum.any)
		return state_doubt(v, "store-log", NULL, NULL, "the "
		    "connection log of store %s has no line", arg.store);
	time_text(sum.first_ms, first);
	time_text(sum.last_ms, last);
	if (sum.first_ms > v->claim->from_ms &&
	    (e = state_doubt(v, "store-log", NULL, NULL, "the connection log "
	    "of store %s begins at %s, after the period does", arg.store,
	    first)) != 0)
		return e;
	return state_rest(v, "logins", "that the connection log of store %s "
	    "is the one that PostgreSQL wrote: its lines run from %s to %s, "
	    "and each of the %zu logins of the period in it is one that the "
	    "gateway recorded%s", arg.store, first, last, sum.matched,
	    sum.last_ms < v->claim->to_ms ? "; that nothing was to be "
	    "written between its last line and the end of the period is "
	    "taken on trust" : "");
}

int
rests_missing(struct verdict *v)
{
	const struct claim *c = v->claim;
	const struct state_log *l;
	size_t i;
	int e;

	for (i = 0; i < c->gateways.n; i++)
		if (log_of(v, c->gateways.s[i]) == NULL && (e = state_doubt(v,
		    "log", c->gateways.s[i], NULL, "the log of gateway %s is "
		    "not given", c->gateways.s[i])) != 0)
			return e;
	for (l = v->logs; l != NULL; l = l->next)
		if ((e = missing_of_log(v, l)) != 0)
			return e;
	for (i = 0; i < c->stores.n; i++)
		if ((e = missing_store(v, c->stores.s[i])) != 0)
			return e;
	return 0;
}

/* "a, b and c" */
static int
say_list(struct buf *out, const struct state_texts *t)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (i > 0)
			buf_str(out, i + 1 < t->n ? ", " : " and ");
		buf_str(out, t->s[i]);
	}
	return buf_text(out) == NULL ? ERR_MEMORY : 0;
}

static int
say_texts(struct verdict *v, const char *what, const char *before,
    const struct state_texts *t, const char *after)
{
	struct buf b;
	int e;

	if (t->n == 0)
		return 0;
	buf_init(&b, 0);
	if ((e = say_list(&b, t)) == 0)
		e = state_rest(v, what, "%s%s%s", before,
		    (const char *)b.data, after);
	buf_done(&b);
	return e;
}

static int
say_logs(struct verdict *v)
{
	const struct state_log *l;
	char first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];
	size_t i;
	int e;

	for (l = v->logs; l != NULL; l = l->next) {
		time_text(l->first_ms, first);
		time_text(l->last_ms, last);
		if ((e = state_rest(v, "log", "that %s wrote down what passed "
		    "through it: its log has %" PRIu64 " entries from %s to "
		    "%s, %" PRIu64 " of them in the period, sessions at the "
		    "claim's stores: %" PRIu64 "; its counters were checked, and "
		    "that it was never silent for more than %" PRIu64 " ms "
		    "(its heartbeat is %" PRIu64 " ms)", l->gateway,
		    l->entries, first, last, l->in_period, l->sessions,
		    track_silence_ms(l->heartbeat_ms), l->heartbeat_ms)) != 0)
			return e;
	}
	for (i = 0; i < v->downtimes.n; i++)
		if ((e = state_rest(v, "down", "that nothing passed while no "
		    "gateway ran: %s", v->downtimes.s[i])) != 0)
			return e;
	return 0;
}

static int
say_logins(struct verdict *v)
{
	size_t i;
	int e;

	for (i = 0; i < v->claim->stores.n; i++) {
		e = v->logins[i] != NULL ? match_store(v, v->logins[i]) :
		    held_judge(v, v->claim->stores.s[i]);
		if (e != 0)
			return e;
	}
	return 0;
}

int
rests_say(struct verdict *v)
{
	int e;

	if ((e = say_texts(v, "facts", "that what these said of people, "
	    "companies and places is true: ", &v->issuers,
	    "; facts are those of the moment when a session opened or was "
	    "last decided again")) != 0 ||
	    (e = say_texts(v, "directory", "the directory: ", &v->directories,
	    " (SHA-256); control sets were computed again from it")) != 0 ||
	    (e = say_texts(v, "addresses", "that these files say rightly in "
	    "which country an address is, and the gateway what they say: ",
	    &v->addresses, " (SHA-256); where a site's network or a file "
	    "places a session counts, both if they differ")) != 0 ||
	    (e = say_texts(v, "policy", "the policy: ", &v->policies,
	    " (SHA-256); enforced clearances were decided again by it")) != 0 ||
	    (e = say_texts(v, "definition", "that what the claim asks readers "
	    "to be is what these define: ", &v->definitions,
	    "; it was decided again, over the directory")) != 0 ||
	    (e = say_texts(v, "catalog", "that the catalog says rightly whose "
	    "data is where: ", &v->catalogs, " (SHA-256)")) != 0 ||
	    (e = say_texts(v, "program", "that the gateway ran the program "
	    "it names, unaltered: ", &v->programs, " (SHA-256)")) != 0 ||
	    (e = approvals_say(v)) != 0 ||
	    (e = say_logs(v)) != 0 || (e = say_logins(v)) != 0)
		return e;
	if ((e = could_say(v)) != 0)
		return e;
	if ((e = state_rest(v, "gateways", "that no other gateway and no "
	    "other copy of these stores exists (backups, replicas, the "
	    "machines and disks themselves): the claim names %zu, and the "
	    "records cannot tell", v->claim->gateways.n)) != 0)
		return e;
	if (v->witnessed != NULL)
		return state_rest(v, "witness", "that enough of the "
		    "witnesses are honest, so that no second log was shown "
		    "to others: %s", v->witnessed);
	return state_rest(v, "witness", "that the log's operator keeps no "
	    "second log: no witness has signed these checkpoints. A "
	    "checkpoint that you kept from before, given with --checkpoint, "
	    "binds the log up to it");
}

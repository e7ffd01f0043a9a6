#include "gateway/effective.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/report.h"
#include "catalog/catalog.h"
#include "gateway/config.h"
#include "gateway/log_client.h"
#include "policy/policy.h"
#include "record/record.h"

static int
write_object(const struct effective *e, const char *kind, const char *name,
    const struct config_text *t)
{
	struct record r = {.type = RECORD_OBJECT, .gateway = e->gateway};
	char hex[65];
	int err;

	if (t->len > RECORD_TEXT_MAX && strcmp(kind, "directory") != 0) {
		report(REPORT_ERROR, "the %s %s has %zu bytes, and %zu are as "
		    "many as may be recorded", kind, t->path, t->len,
		    RECORD_TEXT_MAX);
		return ERR_LIMIT;
	}
	if ((err = log_client_object_wait(e->log, t->text, t->len,
	    hex)) != 0) {
		report(REPORT_ERROR, "the log did not keep the %s %s: %s",
		    kind, t->path, err_text(err));
		return err;
	}
	r.u.object.kind = kind;
	r.u.object.name = name;
	r.u.object.sha256 = hex;
	r.u.object.len = t->len;
	if ((err = log_client_submit_wait(e->log, &r)) != 0)
		report(REPORT_ERROR, "the log did not take the record of the "
		    "%s: %s", kind, err_text(err));
	return err;
}

static bool
same_text(const struct config_text *a, const struct config_text *b)
{
	return strcmp(a->sha256, b->sha256) == 0;
}

static bool
has_catalog(const struct config *c, size_t n, const struct config_text *t)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (same_text(&c->stores[i].catalog_text, t))
			return true;
	return false;
}

int
effective_objects(const struct effective *e, const struct config *c,
    const struct config *before)
{
	const struct config_store *st;
	size_t i;
	int r;

	if ((before == NULL ||
	    !same_text(&c->policy_text, &before->policy_text)) &&
	    (r = write_object(e, "policy", policy_name(c->policy),
	    &c->policy_text)) != 0)
		return r;
	if ((before == NULL ||
	    !same_text(&c->directory_text, &before->directory_text)) &&
	    (r = write_object(e, "directory", "", &c->directory_text)) != 0)
		return r;
	for (i = 0; i < c->n_stores; i++) {
		st = &c->stores[i];
		if (has_catalog(c, i, &st->catalog_text) || (before != NULL &&
		    has_catalog(before, before->n_stores, &st->catalog_text)))
			continue;
		if ((r = write_object(e, "catalog", st->catalog->name,
		    &st->catalog_text)) != 0)
			return r;
	}
	return 0;
}

/* Records that were handed over together: one sync for all of them. */
struct batch {
	pthread_mutex_t lock;
	pthread_cond_t over;
	size_t waiting;
	int result;
};

static void
batch_done(void *arg, int result, uint64_t seq)
{
	struct batch *b = arg;

	(void)seq;
	(void)pthread_mutex_lock(&b->lock);
	if (result != 0)
		b->result = result;
	b->waiting--;
	(void)pthread_cond_signal(&b->over);
	(void)pthread_mutex_unlock(&b->lock);
}

static int
batch_add(struct batch *b, const struct effective *e, struct record *r)
{
	int err;

	r->gateway = e->gateway;
	(void)pthread_mutex_lock(&b->lock);
	b->waiting++;
	(void)pthread_mutex_unlock(&b->lock);
	if ((err = log_client_submit(e->log, r, batch_done, b)) != 0)
		batch_done(b, err, 0);
	return err;
}

static int
batch_wait(struct batch *b)
{
	(void)pthread_mutex_lock(&b->lock);
	while (b->waiting > 0)
		(void)pthread_cond_wait(&b->over, &b->lock);
	(void)pthread_mutex_unlock(&b->lock);
	return b->result;
}

static bool
same_store(const struct config_store *a, const struct config_store *b)
{
	size_t i;

	if (a->mode != b->mode || a->n_residences != b->n_residences ||
	    !same_text(&a->catalog_text, &b->catalog_text) ||
	    a->n_counts != b->n_counts || a->counted_ms != b->counted_ms ||
	    a->n_services != b->n_services)
		return false;
	for (i = 0; i < a->n_services; i++)
		if (strcmp(a->service_principals[i],
		    b->service_principals[i]) != 0 ||
		    strcmp(a->service_roles[i], b->service_roles[i]) != 0)
			return false;
	for (i = 0; i < a->n_residences; i++)
		if (strcmp(a->residences[i], b->residences[i]) != 0)
			return false;
	for (i = 0; i < a->n_counts; i++)
		if (strcmp(a->count_labels[i], b->count_labels[i]) != 0 ||
		    a->counts[i] != b->counts[i])
			return false;
	return true;
}

/* A record has room for so much of names; beyond, it does not say. */
#define NAMES_MAX ((size_t)48 << 10)
#define NAME_FRAME 32			/* of JSON, about each */

static bool
services_fit(const struct config_store *st)
{
	size_t i, len = 0;

	for (i = 0; i < st->n_services; i++)
		len += strlen(st->service_principals[i]) +
		    strlen(st->service_roles[i]) + 2 * NAME_FRAME;
	return len <= NAMES_MAX / 2;
}

static bool
stores_fit(const struct config *c)
{
	size_t i, len = 0;

	for (i = 0; i < c->n_stores; i++)
		len += strlen(c->stores[i].name) + NAME_FRAME;
	return len <= NAMES_MAX;
}

static int
add_store(struct batch *b, const struct effective *e,
    const struct config_store *st)
{
	struct record r = {.type = RECORD_STORE};
	struct record_service *services;
	struct record_count *counts;
	size_t i;
	int err = ERR_MEMORY;

	counts = calloc(st->n_counts + 1, sizeof(*counts));
	services = calloc(st->n_services + 1, sizeof(*services));
	if (counts == NULL || services == NULL)
		goto out;
	for (i = 0; i < st->n_counts; i++) {
		counts[i].label = st->count_labels[i];
		counts[i].n = st->counts[i];
	}
	for (i = 0; i < st->n_services; i++) {
		services[i].principal = st->service_principals[i];
		services[i].role = st->service_roles[i];
	}
	r.u.store.store = st->name;
	r.u.store.mode = store_mode_text(st->mode);
	r.u.store.residences.s = st->residences;
	r.u.store.residences.n = st->n_residences;
	r.u.store.catalog = st->catalog_text.sha256;
	r.u.store.subjects = counts;
	r.u.store.n_subjects = st->n_counts;
	r.u.store.counted_ms = st->counted_ms;
	r.u.store.has_services = services_fit(st);
	r.u.store.services = services;
	r.u.store.n_services = st->n_services;
	err = batch_add(b, e, &r);	/* encodes at once */
out:
	free(counts);
	free(services);
	return err;
}

static int
add_version(struct batch *b, const struct effective *e, const struct config *c)
{
	struct record r = {.type = RECORD_IN_FORCE};
	struct record_store_name *stores;
	size_t i;
	int err;

	if ((stores = calloc(c->n_stores + 1, sizeof(*stores))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < c->n_stores; i++)
		stores[i].store = c->stores[i].name;
	r.u.in_force.cause = e->cause;
	r.u.in_force.by = e->by;
	r.u.in_force.config = c->sha256;
	r.u.in_force.policy = c->policy_text.sha256;
	r.u.in_force.directory = c->directory_text.sha256;
	if (c->addresses != NULL)
		r.u.in_force.addresses = c->addresses_text.sha256;
	if (c->logins.path != NULL)
		r.u.in_force.logins = c->logins.sha256;
	r.u.in_force.stores = stores;
	r.u.in_force.n_stores = stores_fit(c) ? c->n_stores : 0;
	err = batch_add(b, e, &r);	/* encodes at once */
	free(stores);
	return err;
}

int
effective_version(const struct effective *e, const struct config *c,
    const struct config *before)
{
	struct batch b = {
		PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0,
	};
	const struct config_store *was;
	size_t i;
	int r = 0, waited;

	for (i = 0; i < c->n_stores && r == 0; i++) {
		was = before != NULL ?
		    config_store_find(before, c->stores[i].name) : NULL;
		if (was == NULL || !same_store(was, &c->stores[i]))
			r = add_store(&b, e, &c->stores[i]);
	}
	if (r == 0)
		r = add_version(&b, e, c);
	waited = batch_wait(&b);
	if (r == 0)
		r = waited;
	if (r != 0)
		report(REPORT_ERROR, "the log did not take the records of a "
		    "version: %s", err_text(r));
	return r;
}

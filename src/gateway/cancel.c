#include "gateway/cancel.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crypto/hash.h"
#include "tls/context.h"

struct cancel_entry {
	struct cancel_entry *prev, *next;
	uint32_t pid;
	uint8_t secret[CANCEL_SECRET_LEN];
	bool aimed;
	struct cancel_target target;
};

struct cancel_table {
	pthread_mutex_t lock;
	struct cancel_entry *first;
};

struct cancel_table *
cancel_new(void)
{
	struct cancel_table *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	if (pthread_mutex_init(&t->lock, NULL) != 0) {
		free(t);
		return NULL;
	}
	return t;
}

void
cancel_free(struct cancel_table *t)
{
	struct cancel_entry *e;

	if (t == NULL)
		return;
	while ((e = t->first) != NULL) {
		t->first = e->next;
		cancel_target_done(&e->target);
		free(e);
	}
	(void)pthread_mutex_destroy(&t->lock);	/* nobody holds it */
	free(t);
}

static void
lock(struct cancel_table *t)
{
	(void)pthread_mutex_lock(&t->lock);	/* a plain mutex cannot fail */
}

static void
unlock(struct cancel_table *t)
{
	(void)pthread_mutex_unlock(&t->lock);
}

struct cancel_entry *
cancel_add(struct cancel_table *t, uint32_t pid,
    uint8_t ret_secret[static CANCEL_SECRET_LEN])
{
	struct cancel_entry *e;

	if ((e = calloc(1, sizeof(*e))) == NULL)
		return NULL;
	if (random_bytes(e->secret, sizeof(e->secret)) != 0) {
		free(e);
		return NULL;
	}
	e->pid = pid;
	memcpy(ret_secret, e->secret, sizeof(e->secret));
	lock(t);
	e->next = t->first;
	if (e->next != NULL)
		e->next->prev = e;
	t->first = e;
	unlock(t);
	return e;
}

void
cancel_aim(struct cancel_table *t, struct cancel_entry *e,
    const struct cancel_target *target)
{
	struct cancel_target before;

	lock(t);
	before = e->target;
	e->aimed = target != NULL;
	memset(&e->target, 0, sizeof(e->target));
	if (target != NULL) {
		e->target = *target;
		(void)tls_context_ref(e->target.way.context);
	}
	unlock(t);
	cancel_target_done(&before);
}

void
cancel_target_done(struct cancel_target *t)
{
	tls_context_unref(t->way.context);
	wipe(t, sizeof(*t));
}

void
cancel_remove(struct cancel_table *t, struct cancel_entry *e)
{
	if (e == NULL)
		return;
	lock(t);
	if (e->prev != NULL)
		e->prev->next = e->next;
	else
		t->first = e->next;
	if (e->next != NULL)
		e->next->prev = e->prev;
	unlock(t);
	cancel_target_done(&e->target);
	wipe(e, sizeof(*e));
	free(e);
}

int
cancel_find(struct cancel_table *t, uint32_t pid, struct bytes secret,
    struct cancel_target *ret)
{
	struct cancel_entry *e;
	int r = ERR_MISSING;

	if (secret.len != CANCEL_SECRET_LEN)
		return ERR_MISSING;
	lock(t);
	/* Every entry is compared, so time does not tell which one is near. */
	for (e = t->first; e != NULL; e = e->next) {
		if (equal_secret(e->secret, secret.data, secret.len) &
		    (e->pid == pid) & e->aimed) {
			*ret = e->target;
			r = 0;
		}
	}
	if (r == 0)
		(void)tls_context_ref(ret->way.context);
	unlock(t);
	return r;
}

/*
 * What is in force: who holds a version keeps it, and no record that an older
 * one decided takes its place behind a newer one's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/version.h"

/* With a configuration of nobody's, and the creator's reference. */
static struct version *
make(void)
{
	struct version *v = calloc(1, sizeof(*v));

	assert_non_null(v);
	v->refs = 1;
	return v;
}

static void
version_is_freed_when_nobody_holds_it_any_more(void **state)
{
	struct version *one = make(), *two = make(), *held, *again;
	struct versions vs;

	(void)state;
	assert_int_equal(versions_init(&vs), 0);
	assert_null(versions_get(&vs));
	assert_null(versions_set(&vs, one));
	assert_int_equal(one->number, 1);
	held = versions_get(&vs);
	assert_ptr_equal(held, one);
	again = version_ref(&vs, held);
	assert_ptr_equal(versions_set(&vs, two), one);
	assert_int_equal(two->number, 2);
	version_unref(&vs, one);	/* that of who set it */
	assert_int_equal(versions_sweep(&vs), 0);
	version_unref(&vs, held);
	assert_int_equal(versions_sweep(&vs), 0);
	version_unref(&vs, again);
	assert_int_equal(versions_sweep(&vs), 1);
	assert_int_equal(versions_sweep(&vs), 0);
	/* None in force: numbers go on all the same. */
	assert_ptr_equal(versions_set(&vs, NULL), two);
	assert_null(versions_get(&vs));
	assert_null(version_ref(&vs, NULL));
	version_unref(&vs, NULL);
	assert_null(versions_set(&vs, two));
	assert_int_equal(two->number, 3);
	version_unref(&vs, versions_set(&vs, NULL));
	assert_int_equal(versions_sweep(&vs), 1);
}

/* Whether number may place a record now. */
static bool
may_enter(struct versions *vs, uint64_t number)
{
	bool may = versions_enter(vs, number);

	versions_leave(vs);
	return may;
}

static void
only_the_version_in_force_places_records(void **state)
{
	struct version *one = make(), *two = make();
	struct versions vs;

	(void)state;
	assert_int_equal(versions_init(&vs), 0);
	assert_true(may_enter(&vs, 0));
	assert_false(may_enter(&vs, 1));
	assert_null(versions_set(&vs, one));
	assert_true(may_enter(&vs, 1));
	assert_false(may_enter(&vs, 2));
	version_unref(&vs, versions_set(&vs, two));
	assert_false(may_enter(&vs, 1));
	assert_true(may_enter(&vs, 2));
	assert_true(may_enter(&vs, 0));	/* whichever */
	version_unref(&vs, versions_set(&vs, NULL));
	assert_false(may_enter(&vs, 1));
	assert_false(may_enter(&vs, 2));
	assert_int_equal(versions_sweep(&vs), 2);
}

static void
version_does_not_come_while_a_record_takes_its_place(void **state)
{
	struct versions vs;

	(void)state;
	assert_int_equal(versions_init(&vs), 0);
	(void)versions_enter(&vs, 0);
	assert_int_equal(pthread_rwlock_trywrlock(&vs.order), EBUSY);
	versions_leave(&vs);
	/* Nor a record while one comes; also one that would be refused. */
	versions_lock(&vs);
	assert_int_equal(pthread_rwlock_tryrdlock(&vs.order), EBUSY);
	versions_unlock(&vs);
	(void)versions_enter(&vs, 7);
	assert_int_equal(pthread_rwlock_trywrlock(&vs.order), EBUSY);
	versions_leave(&vs);
	assert_int_equal(pthread_rwlock_trywrlock(&vs.order), 0);
	versions_unlock(&vs);
}

/* -- many at once: what a log would have ---------------------------------- */

#define WORKERS 3
#define RELOADS 300
#define ROOM 1000000

struct book {
	struct versions vs;
	pthread_mutex_t lock;
	struct line {
		uint64_t number;
		bool version;		/* it comes into force here */
	} *lines;
	size_t n;
	atomic_bool stop;
	atomic_uint placed, refused;
};

static void
place(struct book *k, uint64_t number, bool version)
{
	(void)pthread_mutex_lock(&k->lock);
	if (k->n < ROOM) {
		k->lines[k->n].number = number;
		k->lines[k->n++].version = version;
	}
	(void)pthread_mutex_unlock(&k->lock);
}

/* Decides by what is in force, and is slow about it. */
static void *
work(void *arg)
{
	struct book *k = arg;
	struct version *v;
	uint64_t number;

	while (!atomic_load(&k->stop)) {
		v = versions_get(&k->vs);
		number = v->number;
		(void)sched_yield();
		if (versions_enter(&k->vs, number)) {
			place(k, number, false);
			atomic_fetch_add(&k->placed, 1);
		} else {
			atomic_fetch_add(&k->refused, 1);
		}
		versions_leave(&k->vs);
		version_unref(&k->vs, v);
	}
	return NULL;
}

static void
reload(struct book *k, struct version *v)
{
	struct version *before;

	versions_lock(&k->vs);
	before = versions_set(&k->vs, v);
	place(k, v->number, true);
	versions_unlock(&k->vs);
	version_unref(&k->vs, before);
}

/* What stands behind a version's line was decided by it. */
static void
check_book(const struct book *k)
{
	uint64_t force = 0;
	size_t i;

	assert_true(k->n < ROOM);
	for (i = 0; i < k->n; i++) {
		if (k->lines[i].version)
			force = k->lines[i].number;
		assert_int_equal(k->lines[i].number, force);
	}
	assert_int_equal(force, RELOADS);
}

static void
records_stand_behind_the_version_that_decided_them(void **state)
{
	static struct book k;
	pthread_t threads[WORKERS];
	unsigned i, freed = 0, seen;

	(void)state;
	assert_int_equal(versions_init(&k.vs), 0);
	assert_int_equal(pthread_mutex_init(&k.lock, NULL), 0);
	k.lines = calloc(ROOM, sizeof(*k.lines));
	assert_non_null(k.lines);
	reload(&k, make());
	for (i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, &k),
		    0);
	/* A stale one among them each time, whatever the threads do. */
	for (i = 1; i < RELOADS; i++) {
		seen = atomic_load(&k.placed);
		while (atomic_load(&k.placed) == seen)
			(void)sched_yield();
		reload(&k, make());
		assert_false(may_enter(&k.vs, i));
		freed += versions_sweep(&k.vs);
	}
	atomic_store(&k.stop, true);
	for (i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	check_book(&k);
	version_unref(&k.vs, versions_set(&k.vs, NULL));
	freed += versions_sweep(&k.vs);
	assert_int_equal(freed, RELOADS);
	free(k.lines);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    version_is_freed_when_nobody_holds_it_any_more),
		cmocka_unit_test(only_the_version_in_force_places_records),
		cmocka_unit_test(
		    version_does_not_come_while_a_record_takes_its_place),
		cmocka_unit_test(
		    records_stand_behind_the_version_that_decided_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

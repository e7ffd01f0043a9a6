/*
 * Look-ups of tickets with real programs: what is answered, and each way in
 * which asking can go wrong. And answers by themselves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/time.h"
#include "gateway/config_tickets.h"
#include "gateway/metrics.h"
#include "gateway/lookup.h"

#define GOOD "{\"exists\":true,\"open\":true,\"holder\":\"ann\"," \
    "\"tables\":[\"p.t\"],\"categories\":[\"c\"]," \
    "\"residences\":[\"AA\",\"BB\"],\"subjects\":3}"

#define SUBJECTS_HMAC "a0757b8d234a94f5477600ae386995f2" \
    "7a0dc8a46f6813cdd5dd5a671afca03d"

static const uint8_t secret[32] = "a secret of thirty-two bytes ...";

static struct ticket_answer *
read_answer(const char *text, const char *principal)
{
	struct ticket_answer *a = ticket_answer_new();

	assert_int_equal(ticket_answer_read(text, strlen(text), principal,
	    secret, a), 0);
	return a;
}

static const struct {
	const char *what, *text, *why;
} bad[] = {
	{"nothing", "", "understood"},
	{"no JSON", "yes", "understood"},
	{"something behind it", GOOD " x", "understood"},
	{"a member twice", "{\"exists\":true,\"exists\":false}",
	    "understood"},
	{"a number for a truth", "{\"exists\":1}", "understood"},
	{"no such ticket", "{\"exists\":false}", "no such ticket"},
	{"a closed one", "{\"exists\":true,\"open\":false,\"holder\":\"ann\"}",
	    "closed"},
	{"somebody else's", "{\"exists\":true,\"open\":true,\"holder\":"
	    "[\"bob\",\"eve\"]}", "not yours"},
	{"nobody's", "{\"exists\":true,\"open\":true}", "understood"},
	{"no scope", "{\"exists\":true,\"open\":true,\"holder\":\"ann\"}",
	    "understood"},
	{"tables that are no list", "{\"exists\":true,\"open\":true,"
	    "\"holder\":\"ann\",\"tables\":\"p.t\",\"categories\":[],"
	    "\"residences\":[],\"subjects\":1}", "understood"},
	{"a table that is no text", "{\"exists\":true,\"open\":true,"
	    "\"holder\":\"ann\",\"tables\":[1],\"categories\":[],"
	    "\"residences\":[],\"subjects\":1}", "understood"},
	{"a line end in a name", "{\"exists\":true,\"open\":true,"
	    "\"holder\":\"ann\",\"tables\":[\"a\\nb\"],\"categories\":[],"
	    "\"residences\":[],\"subjects\":1}", "understood"},
	{"fewer subjects than none", "{\"exists\":true,\"open\":true,"
	    "\"holder\":\"ann\",\"tables\":[],\"categories\":[],"
	    "\"residences\":[],\"subjects\":-1}", "understood"},
};

static void
an_answer_that_is_not_whole_confirms_nothing(void **state)
{
	struct ticket_answer *a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		a = read_answer(bad[i].text, "ann");
		if (a->confirmed || strstr(a->why, bad[i].why) == NULL)
			fail_msg("%s: %s", bad[i].what, a->why);
		assert_int_equal(a->scope.n_tables + a->scope.n_categories +
		    a->scope.n_residences, 0);
		ticket_answer_unref(a);
	}
}

static void
a_whole_answer_is_taken_as_it_is(void **state)
{
	struct ticket_answer *a = read_answer(GOOD, "ann");

	(void)state;
	assert_true(a->confirmed);
	assert_string_equal(a->why, "");
	assert_int_equal(a->scope.n_residences, 2);
	assert_string_equal(a->scope.residences[1], "BB");
	assert_string_equal(a->scope.tables[0], "p.t");
	assert_string_equal(a->scope.categories[0], "c");
	assert_int_equal(a->subjects, 3);
	assert_string_equal(a->subjects_hmac, "");
	ticket_answer_unref(a);
}

/* printf '["u1","u2"]' | openssl dgst -sha256 -mac HMAC -macopt hexkey:... */
static void
references_to_subjects_are_kept_as_a_keyed_hash_only(void **state)
{
	struct ticket_answer *a = read_answer("{\"exists\":true,"
	    "\"open\":true,\"holder\":[\"bob\",\"ann\"],\"tables\":[],"
	    "\"categories\":[],\"residences\":[],"
	    "\"subjects\":[\"u1\", \"u2\"]}", "ann");

	(void)state;
	assert_true(a->confirmed);
	assert_int_equal(a->subjects, 2);
	assert_string_equal(a->subjects_hmac, SUBJECTS_HMAC);
	ticket_answer_unref(a);
}

static void
lists_that_no_record_could_hold_are_refused(void **state)
{
	struct ticket_answer *a;
	struct buf b;
	int i;

	(void)state;
	buf_init(&b, 0);
	buf_str(&b, "{\"exists\":true,\"open\":true,\"holder\":\"ann\","
	    "\"categories\":[],\"residences\":[],\"subjects\":1,"
	    "\"tables\":[\"p.t\"");
	for (i = 0; i < 900; i++)
		buf_fmt(&b, ",\"public.a_long_name_of_a_table_%d\"", i);
	buf_str(&b, "]}");
	a = read_answer(buf_text(&b), "ann");
	assert_false(a->confirmed);
	ticket_answer_unref(a);
	buf_done(&b);
}

/* --- asking --- */

struct one {
	struct lookup *t;
	struct metrics *m;
	struct config_tickets c;
	const char *argv[4];
	char script[64];
	sem_t done;
	struct ticket_answer *answer;
};

static const struct ticket_key key = {"T-1", "ann", "s", NULL};

static void
begin(struct one *o, const char *body)
{
	FILE *f;

	memset(o, 0, sizeof(*o));
	assert_non_null(o->m = metrics_new());
	assert_int_equal(sem_init(&o->done, 0, 0), 0);
	(void)snprintf(o->script, sizeof(o->script), "/tmp/ticket.XXXXXX");
	assert_non_null(f = fdopen(mkstemp(o->script), "w"));
	assert_true(fprintf(f, "#!/bin/sh\n%s\n", body) > 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(o->script, 0700), 0);
	o->argv[0] = o->script;
	o->argv[1] = "an argument";
	o->c = (struct config_tickets){ .set = true, .command = o->argv,
	    .timeout_ms = 5000, .cache_ms = 60000, .parallel = 2 };
}

static void
run(struct one *o)
{
	assert_int_equal(lookup_new(&o->c, secret, o->m, &o->t), 0);
	assert_int_equal(lookup_run(o->t), 0);
}

static void
end(struct one *o)
{
	lookup_free(o->t);
	ticket_answer_unref(o->answer);
	assert_int_equal(unlink(o->script), 0);
	assert_int_equal(sem_destroy(&o->done), 0);
}

static void
answered(void *arg, struct ticket_answer *a)
{
	struct one *o = arg;

	ticket_answer_unref(o->answer);
	o->answer = a;
	assert_int_equal(sem_post(&o->done), 0);
}

static void
ask(struct one *o, const struct ticket_key *k)
{
	lookup_ask(o->t, k, answered, o);
	while (sem_wait(&o->done) != 0)
		continue;
	assert_non_null(o->answer);
}

static void
a_program_is_asked_on_its_standard_input(void **state)
{
	struct ticket_answer *kept;
	struct one o;

	(void)state;
	begin(&o, "test \"$1\" = 'an argument' || exit 9\n"
	    "test \"$(cat)\" = '{\"version\":1,\"ticket\":\"T-1\","
	    "\"principal\":\"ann\",\"store\":\"s\",\"purpose\":null}' ||"
	    " exit 8\necho '" GOOD "'");
	run(&o);
	assert_null(lookup_find(o.t, &key, clock_now_ms()));
	ask(&o, &key);
	assert_string_equal(o.answer->why, "");
	assert_true(o.answer->confirmed);
	assert_non_null(kept = lookup_find(o.t, &key, clock_now_ms()));
	assert_ptr_equal(kept, o.answer);
	ticket_answer_unref(kept);
	assert_null(lookup_find(o.t, &key, o.answer->until_ms));
	assert_null(lookup_find(o.t, &key, o.answer->asked_ms - 1));
	assert_null(lookup_find(o.t, &(struct ticket_key){"T-1", "bob", "s",
	    NULL}, clock_now_ms()));
	assert_int_equal(atomic_load(&o.m->ticket_lookups), 1);
	assert_int_equal(atomic_load(&o.m->ticket_failures), 0);
	end(&o);
}

static const struct {
	const char *what, *body, *why;
	bool failure;		/* not an answer */
} wrong[] = {
	{"ends in failure", "echo '" GOOD "'; exit 3", "status 3", true},
	{"is slow", "sleep 60; echo '" GOOD "'", "too long", true},
	{"is slow in what it starts", "sleep 60 & wait", "too long", true},
	{"says too much", "yes", "the answer about it was too long", true},
	{"says nothing", "", "understood", false},
	{"says something else", "echo no", "understood", false},
	{"is killed", "kill -9 $$", "signal", true},
	{"is no program", "exit 127", "status 127", true},
};

static void
whatever_goes_wrong_confirms_nothing_and_says_why(void **state)
{
	struct one o;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		begin(&o, wrong[i].body);
		o.c.timeout_ms = i == 1 || i == 2 ? 200 : 5000;
		run(&o);
		ask(&o, &key);
		if (o.answer->confirmed ||
		    strstr(o.answer->why, wrong[i].why) == NULL)
			fail_msg("%s: %s", wrong[i].what, o.answer->why);
		assert_int_equal(atomic_load(&o.m->ticket_failures),
		    wrong[i].failure);
		assert_int_equal(atomic_load(&o.m->ticket_refusals),
		    !wrong[i].failure);
		end(&o);
	}
}

/* Each program waits for all others to be there: fewer would never end. */
static void
as_many_are_asked_at_a_time_as_allowed_and_the_same_once(void **state)
{
	struct ticket_key keys[2] = {key, key};
	char body[300], folder[] = "/tmp/tickets.XXXXXX";
	struct one o;
	int i;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(body, sizeof(body), "touch %s/$$\n"
	    "while test $(ls %s | wc -l) -lt 2; do sleep 0.01; done\n"
	    "echo '" GOOD "'", folder, folder);
	begin(&o, body);
	o.c.timeout_ms = 30000;
	run(&o);
	keys[1].ticket = "T-2";
	for (i = 0; i < 6; i++)
		lookup_ask(o.t, &keys[i % 2], answered, &o);
	for (i = 0; i < 6; i++)
		while (sem_wait(&o.done) != 0)
			continue;
	assert_true(o.answer->confirmed);
	assert_int_equal(atomic_load(&o.m->ticket_lookups), 2);
	end(&o);
	(void)snprintf(body, sizeof(body), "rm -r %s", folder);
	assert_int_equal(system(body), 0);
}

static void
an_answer_is_kept_no_longer_than_stated(void **state)
{
	struct one o;

	(void)state;
	begin(&o, "echo '" GOOD "'");
	o.c.cache_ms = 700;
	run(&o);
	ask(&o, &key);
	assert_int_equal(o.answer->until_ms - o.answer->asked_ms, 700);
	end(&o);
	begin(&o, "echo '{\"exists\":false}'");
	run(&o);
	ask(&o, &key);
	assert_in_range(o.answer->until_ms - o.answer->asked_ms, 1, 5000);
	end(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_that_is_not_whole_confirms_nothing),
		cmocka_unit_test(a_whole_answer_is_taken_as_it_is),
		cmocka_unit_test(
		    references_to_subjects_are_kept_as_a_keyed_hash_only),
		cmocka_unit_test(lists_that_no_record_could_hold_are_refused),
		cmocka_unit_test(a_program_is_asked_on_its_standard_input),
		cmocka_unit_test(
		    whatever_goes_wrong_confirms_nothing_and_says_why),
		cmocka_unit_test(
		    as_many_are_asked_at_a_time_as_allowed_and_the_same_once),
		cmocka_unit_test(an_answer_is_kept_no_longer_than_stated),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

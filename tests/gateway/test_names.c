/* gateway/names.h: a name never loses a meaning that it may still have. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "gateway/judge.h"
#include "gateway/names.h"
#include "gateway/texts.h"
#include "lineage/rewrite.h"

static const char hmac[65];

static struct meaning *
meaning(void)
{
	struct meaning *m = meaning_new(arena_new(), NULL, hmac);

	assert_non_null(m);
	return m;
}

static bool
may_mean(const struct named *x, const struct meaning *m)
{
	size_t i;

	for (i = 0; i < x->n; i++)
		if (x->slots[i].meaning == m)
			return true;
	return x->anything;
}

static void
name_used_again_keeps_its_old_meaning_until_confirmed(void **state)
{
	struct names t = {0};
	struct meaning *old = meaning(), *new = meaning();
	struct named *x = names_get(&t, "s");
	uint64_t v;

	(void)state;
	v = named_begin(x);
	named_add(x, old);
	named_confirm(x, v);
	v = named_begin(x);
	named_add(x, new);
	assert_true(may_mean(x, old));
	assert_true(may_mean(x, new));
	named_confirm(x, v);
	assert_false(may_mean(x, old));
	assert_true(may_mean(x, new));
	meaning_unref(old);
	meaning_unref(new);
	names_done(&t);
}

static void
late_word_on_an_older_version_changes_nothing(void **state)
{
	struct names t = {0};
	struct meaning *a = meaning(), *b = meaning();
	struct named *x = names_get(&t, "");
	uint64_t first, second;

	(void)state;
	first = named_begin(x);
	named_add(x, a);
	second = named_begin(x);
	named_add(x, b);
	named_confirm(x, first);
	assert_true(may_mean(x, a));
	assert_true(may_mean(x, b));
	named_confirm(x, second);
	assert_false(may_mean(x, a));
	meaning_unref(a);
	meaning_unref(b);
	names_done(&t);
}

static void
name_with_too_many_meanings_may_mean_anything(void **state)
{
	struct names t = {0};
	struct meaning *m[NAMED_MAX + 1], *other = meaning();
	struct named *x = names_get(&t, "s");
	uint64_t v = 0;
	size_t i;

	(void)state;
	for (i = 0; i <= NAMED_MAX; i++) {
		m[i] = meaning();
		v = named_begin(x);
		named_add(x, m[i]);
	}
	assert_true(may_mean(x, other));
	/* The one that is confirmed had no room of its own. */
	named_confirm(x, v);
	assert_true(may_mean(x, m[NAMED_MAX]));
	v = named_begin(x);
	named_add(x, other);
	named_confirm(x, v);
	assert_false(may_mean(x, m[0]));
	for (i = 0; i <= NAMED_MAX; i++)
		meaning_unref(m[i]);
	meaning_unref(other);
	names_done(&t);
}

static void
table_that_is_full_gives_no_name_and_takes_one_after_a_removal(void **state)
{
	struct names t = {0};
	char name[16];
	size_t i;

	(void)state;
	for (i = 0; i < NAMES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "s%zu", i);
		assert_non_null(names_get(&t, name));
	}
	assert_null(names_get(&t, "more"));
	assert_non_null(names_get(&t, "s7"));
	names_remove(&t, names_find(&t, "s7"));
	assert_null(names_find(&t, "s7"));
	assert_non_null(names_get(&t, "more"));
	names_done(&t);
	assert_int_equal(t.n, 0);
}

static void
text_is_found_until_many_others_came(void **state)
{
	struct texts t = {0};
	struct meaning *m = meaning(), *other = meaning(), *found;
	char sql[16];
	int i;

	(void)state;
	assert_null(texts_find(&t, "SELECT 1", 8, false));
	texts_add(&t, m, "SELECT 1", 8, false);
	assert_null(texts_find(&t, "SELECT 1", 8, true));
	assert_null(texts_find(&t, "SELECT 1", 7, false));
	assert_null(texts_find(&t, "SELECT 2", 8, false));
	for (i = 0; i < TEXTS_MAX; i++) {
		found = texts_find(&t, "SELECT 1", 8, false);
		assert_ptr_equal(found, m);
		meaning_unref(found);
		(void)snprintf(sql, sizeof(sql), "%d", i);
		texts_add(&t, other, sql, strlen(sql), false);
	}
	assert_null(texts_find(&t, "SELECT 1", 8, false));
	texts_done(&t);
	assert_int_equal(m->refs, 1);
	assert_int_equal(other->refs, 1);
	meaning_unref(m);
	meaning_unref(other);
}

static void
shared_meaning_is_not_changed_by_a_parse(void **state)
{
	static const uint8_t parse[] = "a";
	struct meaning *m = meaning(), *own = meaning_ref(m);

	(void)state;
	assert_int_equal(meaning_keep(&own, bytes_of(parse, 1)), 0);
	assert_ptr_not_equal(own, m);
	assert_int_equal(m->parse.len, 0);
	assert_int_equal(own->parse.len, 1);
	meaning_unref(m);
	assert_ptr_equal(own->of, m);	/* it lives on */
	meaning_unref(own);
}

static struct named *
sure(struct names *t, const char *name, struct meaning *m)
{
	struct named *x = names_get(t, name);
	uint64_t v = named_begin(x);

	named_add(x, m);
	named_confirm(x, v);
	assert_ptr_equal(named_sure(x), m);
	return x;
}

static void
what_was_doubted_may_be_anything_or_is_to_be_prepared_again(void **state)
{
	static const struct rewrite rewritten;
	static const struct judgement exact = { .exact = &rewritten };
	static const struct judgement plain;
	struct names t = {0}, portals = {0};
	struct meaning *m = meaning_new(arena_new(), &exact, hmac);
	struct meaning *n = meaning_new(arena_new(), &plain, hmac);
	struct meaning *k = meaning_new(arena_new(), &exact, hmac);
	struct named *kept, *lost, *first, *portal, *but;
	uint64_t late;

	(void)state;
	lost = sure(&t, "lost", m);
	first = sure(&t, "", m);
	late = named_begin(sure(&t, "plain", n));
	assert_int_equal(meaning_keep(&k, bytes_of("s\0t\0\0\0", 6)), 0);
	kept = sure(&t, "kept", k);
	portal = sure(&portals, "kept", k);
	but = sure(&portals, "but", m);
	names_doubt(&t, NULL, false);
	names_doubt(&portals, but, true);
	assert_true(kept->doubted && kept->lost);
	assert_ptr_equal(named_sure(kept), k);
	assert_ptr_equal(named_sure(first), m);	/* SQL cannot reach it */
	assert_ptr_equal(named_sure(but), m);
	assert_null(named_sure(lost));
	assert_null(named_sure(portal));
	/* Rows of it may have a column more: so nothing is shown of it. */
	assert_int_equal(named_kind(lost), NAMED_UNSURE);
	assert_int_equal(named_kind(names_find(&t, "plain")), NAMED_PLAIN);
	/* What the store says of before does not make it sure. */
	named_confirm(names_find(&t, "plain"), late);
	assert_true(names_find(&t, "plain")->anything);
	named_confirm(lost, named_begin(lost));
	assert_false(lost->rewritten);
	names_done(&t);
	names_done(&portals);
	meaning_unref(m);
	meaning_unref(n);
	meaning_unref(k);
}

static void
cursors_end_with_their_transaction_unless_they_are_held(void **state)
{
	struct names t = {0};

	(void)state;
	names_get(&t, "c")->sql = true;
	names_get(&t, "h")->sql = true;
	names_get(&t, "h")->held = true;
	names_get(&t, "h")->held_new = true;
	(void)names_get(&t, "portal");
	assert_ptr_equal(names_held(&t), names_find(&t, "h"));
	names_end(&t);
	assert_null(names_find(&t, "c"));
	assert_non_null(names_find(&t, "h"));
	assert_non_null(names_find(&t, "portal"));
	assert_null(names_held(&t));
	names_drop(&t);
	assert_int_equal(t.n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    name_used_again_keeps_its_old_meaning_until_confirmed),
		cmocka_unit_test(
		    late_word_on_an_older_version_changes_nothing),
		cmocka_unit_test(
		    name_with_too_many_meanings_may_mean_anything),
		cmocka_unit_test(text_is_found_until_many_others_came),
		cmocka_unit_test(shared_meaning_is_not_changed_by_a_parse),
		cmocka_unit_test(table_that_is_full_gives_no_name_and_takes_one_after_a_removal),
		cmocka_unit_test(
		    what_was_doubted_may_be_anything_or_is_to_be_prepared_again),
		cmocka_unit_test(
		    cursors_end_with_their_transaction_unless_they_are_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

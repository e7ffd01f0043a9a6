/* gateway/names.h: a name never loses a meaning that it may still have. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "gateway/names.h"
#include "gateway/texts.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

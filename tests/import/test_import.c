/*
 * Names, values and texts of an import: pairs from the specifications, and
 * random directories written and loaded again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "directory/directory.h"
#include "import/dn.h"
#include "import/draft.h"
#include "import/entry.h"
#include "import/ldif.h"
#include "import/value.h"
#include "import/write.h"

/* RFC 4514, section 4, and what RFC 4517 says of spaces and case. */
static const struct {
	const char *a, *b;
	bool same;
} names[] = {
	{"UID=jsmith,DC=example,DC=net", "uid=JSmith, dc=Example ,dc=net",
	    true},
	{"CN=James \\\"Jim\\\" Smith\\, III,DC=x",
	    "cn=James \\22Jim\\22 Smith\\2c III,dc=x", true},
	{"CN=\"Smith, Jim\",DC=x", "cn=Smith\\, Jim,dc=x", true},
	{"cn=a  b,dc=x", "cn=a b,dc=x", true},
	{"cn=Lu\\C4\\8Di\\C4\\87", "cn=Lu\xc4\x8di\xc4\x87", true},
	{"cn=a;dc=x", "cn=a,dc=x", true},
	{"OU=Sales+CN=J,DC=x", "ou=sales+cn=j,dc=x", true},
	{"OU=Sales+CN=J,DC=x", "ou=sales,cn=j,dc=x", false},
	{"cn=a\\,b,dc=x", "cn=a,b=x", false},
	{"cn=a\\+b", "cn=a+b=", false},
	{"cn=ab", "cn=a b", false},
	{"cn=a\\ ", "cn=a", true},
};

static void
dn_normal_tells_whether_two_names_are_the_same(void **state)
{
	struct arena *a = arena_new();
	const char *x, *y;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_non_null(x = dn_normal(a, names[i].a));
		assert_non_null(y = dn_normal(a, names[i].b));
		if ((strcmp(x, y) == 0) != names[i].same)
			fail_msg("%s, %s: %s, %s", names[i].a, names[i].b, x,
			    y);
		/* Normal is normal. */
		assert_string_equal(dn_normal(a, x), x);
	}
	arena_free(a);
}

static void
dn_normal_refuses_what_is_no_name(void **state)
{
	static const char *const wrong[] = {"", "ann", "=x", "cn=a,", "cn=a\\",
	    "cn=\"a", "cn=\"a\"b", ",cn=a", "cn a=b"};
	struct arena *a = arena_new();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (dn_normal(a, wrong[i]) != NULL)
			fail_msg("%s is a name", wrong[i]);
	assert_string_equal(dn_first(a, "CN=Mods\\, all,ou=x"), "Mods, all");
	arena_free(a);
}

static const struct {
	const char *text, *same;	/* NULL: refused */
} times[] = {
	{"20261123174000Z", "2026-11-23T17:40:00.000Z"},
	{"202611231740Z", "2026-11-23T17:40:00.000Z"},
	{"2026112317Z", "2026-11-23T17:00:00.000Z"},
	{"20261123174000.0Z", "2026-11-23T17:40:00.000Z"},
	{"2026-11-23", "2026-11-23T00:00:00.000Z"},
	{"2026-11-23 17:40:00", "2026-11-23T17:40:00.000Z"},
	{"2026-11-23 17:40:00.5", "2026-11-23T17:40:00.500Z"},
	{"2026-11-23 17:40:00+02:00", "2026-11-23T15:40:00.000Z"},
	{"20261323174000Z", NULL}, {"20261123174000", NULL},
	{"2026-11-23 17:40", NULL}, {"23.11.2026", NULL}, {"", NULL},
	{"2026-11-23 17:40:00 CET", NULL},
};

static void
times_are_read_as_each_source_writes_them(void **state)
{
	char text[TIME_TEXT_MAX];
	int64_t ms;
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		r = value_time(times[i].text, &ms);
		if ((r == 0) != (times[i].same != NULL))
			fail_msg("\"%s\": %d", times[i].text, r);
		if (r != 0)
			continue;
		time_text(ms, text);
		assert_string_equal(text, times[i].same);
	}
}

static void
shares_are_exact_to_the_sixth_decimal(void **state)
{
	uint32_t share;

	(void)state;
	assert_int_equal(value_share("33.333333%", &share), 0);
	assert_int_equal(share, 33333333);
	assert_int_equal(value_share("100", &share), 0);
	assert_int_equal(share, SHARE_WHOLE);
	assert_int_not_equal(value_share("100.000001", &share), 0);
	assert_int_not_equal(value_share("33.3333333", &share), 0);
	assert_int_not_equal(value_share("-1", &share), 0);
	assert_int_not_equal(value_share("1,5", &share), 0);
}

/* The examples of RFC 2849: 1 (folded), 3 (base64), 7 (no change records). */
static const char folded[] = "version: 1\ndn:cn=Barbara Jensen,dc=airius\n"
    "objectclass: top\ncn: Babs is a big sailing fan, and\n  travels "
    "extensively\n# a comment\n  that goes on\nsn:: SmVuc2Vu\nempty:\n\n"
    "dn:: b3U95Za25qWt6YOoLG89QWlyaXVz\r\nou:: 5Za25qWt6YOo\r\n";

static int
take(void *arg, const struct entry *e)
{
	struct buf *out = arg;
	size_t i;

	buf_fmt(out, "[%u %s]", e->at.line, e->key);
	for (i = 0; i < e->n; i++)
		buf_fmt(out, "%s=%s|", e->values[i].name,
		    e->values[i].value != NULL ? e->values[i].value : "?");
	return 0;
}

static void
ldif_is_read_as_rfc_2849_writes_it(void **state)
{
	struct buf out;
	struct ldif *l;
	struct why w;

	(void)state;
	buf_init(&out, 0);
	assert_non_null(l = ldif_new("f", take, &out));
	assert_int_equal(ldif_feed(l, folded, sizeof(folded) - 1, &w), 0);
	assert_int_equal(ldif_end(l, &w), 0);
	assert_string_equal(buf_text(&out),
	    "[2 cn=Barbara Jensen,dc=airius]objectclass=top|"
	    "cn=Babs is a big sailing fan, and travels extensively|"
	    "sn=Jensen|empty=|"
	    "[11 ou=\xe5\x96\xb6\xe6\xa5\xad\xe9\x83\xa8,o=Airius]"
	    "ou=\xe5\x96\xb6\xe6\xa5\xad\xe9\x83\xa8|");
	ldif_free(l);
	buf_done(&out);
}

/* -- what is written loads, and is the same ------------------------------- */

static uint32_t seed;

static uint32_t
random_below(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static const char *
random_text(struct draft *d)
{
	static const char *const pieces[] = {"a", "Z", "7", " ", "-", "\"",
	    "\\", ":", "#", ",", "{", "]", "'", "&", "*", "!", "%", "@", "~",
	    "\xc3\x93", "\xe5\x96\xb6", "\xf0\x9f\x90\x98", "\xc2\x85",
	    "\xe2\x80\xa8", "\xef\xbb\xbf", "?", "|", "<<", "null", "no"};
	struct buf out;
	const char *s;
	size_t i, n = 1 + random_below(12);

	buf_init(&out, 0);
	for (i = 0; i < n; i++)
		buf_str(&out, pieces[random_below(sizeof(pieces) /
		    sizeof(pieces[0]))]);
	s = arena_str(d->arena, buf_text(&out));
	buf_done(&out);
	return s;
}

static void
random_fact(struct draft *d, struct draft_item *it, enum fact_kind kind,
    const char *value)
{
	struct draft_fact *f = draft_fact_add(d, it, kind);

	assert_non_null(f);
	f->value = value;
	f->issuer = random_below(3) != 0 ? "hr" : random_text(d);
	if (random_below(4) == 0)
		f->evidence = random_text(d);
	if (random_below(4) == 0)
		f->from = (int64_t)random_below(1000) * 86400000;
	if (random_below(4) == 0)
		f->to = (int64_t)(1000 + random_below(1000)) * 86400123;
	f->stated = kind == FACT_EMPLOYER && value != NULL &&
	    random_below(3) != 0;
	f->contractor = f->stated && random_below(2) == 0;
}

static struct draft *
random_draft(void)
{
	struct draft *d = draft_new("hr");
	struct draft_item *it, *exists;
	char id[16];
	size_t i;

	assert_non_null(d);
	for (i = 0; i < 12; i++) {
		(void)snprintf(id, sizeof(id), "p%zu", i); /* fits */
		it = draft_item_add(d, arena_str(d->arena, id), &exists);
		assert_non_null(it);
		it->kind = i < 3 ? NODE_ENTITY : NODE_PERSON;
		if (random_below(2) == 0)
			it->name = random_text(d);
		if (it->kind == NODE_ENTITY) {
			it->dispersed = random_below(2) == 0;
			random_fact(d, it, FACT_OWNER, "p11");
			it->facts[0].share = 1 + random_below(SHARE_WHOLE);
			continue;
		}
		random_fact(d, it, FACT_EMPLOYER, random_below(4) != 0 ?
		    "p1" : NULL);
		random_fact(d, it, FACT_MANAGER, "p5");
		random_fact(d, it, FACT_MANAGER, "p6");
		random_fact(d, it, FACT_ROLE, random_text(d));
		random_fact(d, it, FACT_RESIDENCE, "IE");
		random_fact(d, it, FACT_OFFICE, random_below(2) == 0 ?
		    random_text(d) : NULL);
	}
	draft_sort(d);
	return d;
}

static void
what_is_written_loads_and_is_written_alike(void **state)
{
	struct directory *loaded;
	struct draft *d, *again;
	struct buf one, two;
	struct why w;
	int i;

	(void)state;
	for (i = 0; i < 300; i++) {
		seed = (uint32_t)i;
		buf_init(&one, 0);
		buf_init(&two, 0);
		d = random_draft();
		write_draft(d, NULL, &one);
		assert_non_null(buf_text(&one));
		loaded = NULL;
		if (directory_load((char *)one.data, one.len, &loaded,
		    &w) != 0)
			fail_msg("seed %d, line %u: %s\n%s", i, w.line,
			    w.text, (char *)one.data);
		assert_non_null(again = draft_of(loaded));
		draft_sort(again);
		assert_int_equal(again->n_items, d->n_items);
		write_draft(again, NULL, &two);
		assert_string_equal(buf_text(&one), buf_text(&two));
		draft_free(again);
		draft_free(d);
		directory_free(loaded);
		buf_done(&one);
		buf_done(&two);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dn_normal_tells_whether_two_names_are_the_same),
		cmocka_unit_test(dn_normal_refuses_what_is_no_name),
		cmocka_unit_test(times_are_read_as_each_source_writes_them),
		cmocka_unit_test(shares_are_exact_to_the_sixth_decimal),
		cmocka_unit_test(ldif_is_read_as_rfc_2849_writes_it),
		cmocka_unit_test(what_is_written_loads_and_is_written_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

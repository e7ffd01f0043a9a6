/*
 * Loading a catalog: ways to subjects, residences, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "catalog/catalog.h"

#define HEAD "catalog: c\ncategories: [x, y]\n"
#define SUBJECTS "subjects: {table: a.users, key: id, residence: store}\n"
#define USERS "tables:\n  a.users: {subject: self, columns: {id: x}}\n"

static struct catalog *
load(const char *text, size_t len)
{
	struct catalog *c = NULL;
	struct why w = {0};

	if (catalog_load(text, len, &c, &w) != 0)
		fail_msg("%u:%u: %s", w.line, w.column, w.text);
	return c;
}

/* A way as "column>schema.table.key column>..."; "self" if it has no steps. */
static void
expect_way(const struct catalog *c, const char *schema, const char *table,
    size_t i, const char *want)
{
	const struct catalog_table *t = catalog_find(c, schema, table);
	const struct catalog_subject *s;
	struct buf out;
	size_t k;

	assert_non_null(t);
	assert_in_range(i, 0, t->n_subjects - 1);
	s = &t->subjects[i];
	buf_init(&out, 0);
	if (s->n == 0)
		buf_str(&out, "self");
	for (k = 0; k < s->n; k++)
		buf_fmt(&out, "%s%s>%s.%s.%s", k > 0 ? " " : "",
		    s->steps[k].column, s->steps[k].schema, s->steps[k].table,
		    s->steps[k].key);
	assert_string_equal(buf_text(&out), want);
	buf_done(&out);
}

static void
story_is_read_as_written(void **state)
{
	FILE *f = fopen(DEMO_DIR "/conf/catalog-international.yaml", "r");
	const struct catalog_table *t;
	struct catalog *c;
	char *text;
	size_t n, i;

	(void)state;
	assert_non_null(f);
	assert_non_null(text = malloc(1 << 20));
	n = fread(text, 1, 1 << 20, f);
	(void)fclose(f);		/* only read */
	c = load(text, n);
	memset(text, 'x', n);		/* the text is not kept */
	free(text);
	assert_string_equal(c->name, "international");
	assert_int_equal(c->n_categories, 8);
	assert_string_equal(c->subject_schema, "public");
	assert_string_equal(c->subject_table, "users");
	assert_string_equal(c->subject_key, "id");
	assert_false(c->residence_store);
	assert_string_equal(c->residence_column, "country");
	assert_int_equal(c->n_values, 6);
	for (i = 0; i < c->n_values; i++)
		assert_string_equal(c->values[i].label,
		    strcmp(c->values[i].value, "USA") == 0 ? "US" :
		    c->values[i].value);
	assert_int_equal(c->n_tables, 10);
	for (i = 1; i < c->n_tables; i++)
		assert_true(strcmp(c->tables[i - 1].full,
		    c->tables[i].full) < 0);
	expect_way(c, "public", "users", 0, "self");
	expect_way(c, NULL, "comments", 0, "author_id>public.users.id");
	expect_way(c, NULL, "follows", 0, "follower_id>public.users.id");
	expect_way(c, NULL, "follows", 1, "followed_id>public.users.id");
	expect_way(c, NULL, "reports", 0,
	    "video_id>public.videos.id owner_id>public.users.id");
	expect_way(c, NULL, "reports", 1, "reporter_id>public.users.id");
	t = catalog_find(c, "public", "topics");
	assert_true(t->is_public);
	t = catalog_find(c, "public", "profiles");
	assert_false(t->is_public);
	assert_string_equal(catalog_column_find(t, "email")->category,
	    "contact");
	assert_null(catalog_column_find(t, "Email"));
	assert_null(catalog_find(c, "public", "secrets"));
	assert_null(catalog_find(c, "private", "users"));
	catalog_free(c);
}

static void
ways_over_tables_multiply(void **state)
{
	static const char text[] = HEAD SUBJECTS
	    "tables:\n"
	    "  a.marks: {subjects: [{column: talk, via: a.talks, key: no},"
	    " {column: talk2, via: a.talks, key: no}, by], columns: {z: x}}\n"
	    "  a.talks: {subjects: [one, two], columns: {z: x}}\n"
	    "  a.users: {subject: self, columns: {id: x}}\n"
	    "  a.deep: {subject: {column: m, via: a.marks, key: k},"
	    " columns: {z: x}}\n"
	    "  a.kin: {subject: {column: name, via: a.users, key: name},"
	    " columns: {z: x}}\n";
	struct catalog *c = load(text, strlen(text));

	(void)state;
	assert_int_equal(catalog_find(c, "a", "marks")->n_subjects, 5);
	expect_way(c, "a", "marks", 0, "talk>a.talks.no one>a.users.id");
	expect_way(c, "a", "marks", 1, "talk>a.talks.no two>a.users.id");
	expect_way(c, "a", "marks", 3, "talk2>a.talks.no two>a.users.id");
	expect_way(c, "a", "marks", 4, "by>a.users.id");
	assert_int_equal(catalog_find(c, "a", "deep")->n_subjects, 5);
	expect_way(c, "a", "deep", 0,
	    "m>a.marks.k talk>a.talks.no one>a.users.id");
	expect_way(c, "a", "deep", 4, "m>a.marks.k by>a.users.id");
	/* Over the subjects' table itself by another key. */
	expect_way(c, "a", "kin", 0, "name>a.users.name");
	catalog_free(c);
}

static void
residence_may_lie_behind_foreign_keys(void **state)
{
	static const char text[] = HEAD
	    "subjects:\n"
	    "  table: a.users\n"
	    "  key: id\n"
	    "  residence:\n"
	    "    through:\n"
	    "      - {column: city, table: geo.cities, key: id}\n"
	    "      - {column: country, table: geo.countries, key: no}\n"
	    "    column: iso\n"
	    "    values: {NO: NO, '': XX, yes: YE}\n" USERS;
	struct catalog *c = load(text, strlen(text));

	(void)state;
	assert_int_equal(c->n_residence_steps, 2);
	assert_string_equal(c->residence_steps[0].table, "cities");
	assert_string_equal(c->residence_steps[1].key, "no");
	assert_string_equal(c->residence_column, "iso");
	assert_string_equal(c->values[0].value, "");
	assert_string_equal(c->values[1].value, "NO");
	assert_string_equal(c->values[1].label, "NO");
	assert_string_equal(c->values[2].value, "yes");
	catalog_free(c);
}

static void
table_without_schema_is_found_if_it_is_clear(void **state)
{
	static const char text[] = HEAD SUBJECTS USERS
	    "public: [a.t, b.t, b.u, public.t, c.v, d.v]\n";
	struct catalog *c = load(text, strlen(text));

	(void)state;
	assert_string_equal(catalog_find(c, NULL, "t")->full, "public.t");
	assert_string_equal(catalog_find(c, NULL, "u")->full, "b.u");
	assert_string_equal(catalog_find(c, "b", "t")->full, "b.t");
	assert_null(catalog_find(c, NULL, "v"));
	assert_null(catalog_find(c, NULL, "w"));
	assert_null(catalog_find(c, "public", "u"));
	assert_true(c->residence_store);
	catalog_free(c);
}

static const struct {
	const char *what, *text;
	unsigned line, column;
	const char *word;
} broken[] = {
	{"no name", "categories: [x]\n", 1, 1, "catalog"},
	{"no categories", "catalog: c\ncategories: []\n", 2, 13, "category"},
	{"category twice", "catalog: c\ncategories: [x, x]\n", 2, 17, "twice"},
	{"unknown key", HEAD "table: {}\n", 3, 1, "table"},
	{"no subjects", HEAD USERS, 1, 1, "subjects"},
	{"no residence", HEAD "subjects: {table: a.b, key: id}\n", 3, 11,
	    "residence"},
	{"residence of another kind",
	    HEAD "subjects: {table: a.b, key: id, residence: here}\n", 3, 44,
	    "here"},
	{"residence without values", HEAD
	    "subjects: {table: a.b, key: id, residence: {column: c}}\n", 3, 44,
	    "values"},
	{"no values", HEAD "subjects: {table: a.b, key: id, residence:"
	    " {column: c, values: {}}}\n", 3, 64, "nobody"},
	{"value is unknown", HEAD "subjects: {table: a.b, key: id, residence:"
	    " {column: c, values: {x: unknown}}}\n", 3, 68, "unknown"},
	{"value is no label", HEAD "subjects: {table: a.b, key: id, residence:"
	    " {column: c, values: {x: a b}}}\n", 3, 68, "label"},
	{"table without schema", HEAD
	    "subjects: {table: users, key: id, residence: store}\n", 3, 19,
	    "schema.table"},
	{"table with too many dots", HEAD
	    "subjects: {table: a.b.c, key: id, residence: store}\n", 3, 19,
	    "schema.table"},
	{"subjects' table not listed", HEAD SUBJECTS "tables: {}\n", 3, 19,
	    "a.users"},
	{"subjects' table public", HEAD SUBJECTS
	    "tables: {}\npublic: [a.users]\n", 3, 19, "a.users"},
	{"subjects' table not self", HEAD SUBJECTS
	    "tables:\n  a.users: {subject: boss, columns: {id: x}}\n", 5, 22,
	    "self"},
	{"self and another", HEAD SUBJECTS "tables:\n"
	    "  a.users: {subjects: [self, boss], columns: {id: x}}\n", 5, 23,
	    "self"},
	{"self elsewhere", HEAD SUBJECTS USERS
	    "  a.t: {subject: self, columns: {id: x}}\n", 6, 18, "a.users"},
	{"mask of no category", HEAD "masks: {z: null}\n", 3, 9, "z"},
	{"mask there is not", HEAD "masks: {x: blur}\n", 3, 12, "blur"},
	{"mask of two kinds", HEAD "masks: {x: {first: 1, last: 1}}\n", 3, 12,
	    "one of"},
	{"mask of no kind", HEAD "masks: {x: {}}\n", 3, 12, "one of"},
	{"mask with a word too much", HEAD "masks: {x: {pseudonym: 4}}\n", 3,
	    13, "pseudonym"},
	{"last none", HEAD "masks: {x: {last: 0}}\n", 3, 19, "from 1"},
	{"last too many", HEAD "masks: {x: {last: 101}}\n", 3, 19, "100"},
	{"network too small", HEAD "masks: {x: {network: 33}}\n", 3, 22, "32"},
	{"round to nothing", HEAD "masks: {x: {round: 0.0}}\n", 3, 20,
	    "above zero"},
	{"round below zero", HEAD "masks: {x: {round: -1}}\n", 3, 20,
	    "above zero"},
	{"round to a power", HEAD "masks: {x: {round: 1e3}}\n", 3, 20,
	    "above zero"},
	{"round to an octal", HEAD "masks: {x: {round: 010}}\n", 3, 20,
	    "above zero"},
	{"round to a fraction that ends", HEAD "masks: {x: {round: 1.}}\n", 3,
	    20, "above zero"},
	{"round to SQL", HEAD "masks: {x: {round: 1+1}}\n", 3, 20,
	    "above zero"},
	{"round to a unit there is not", HEAD "masks: {x: {round: age}}\n", 3,
	    20, "above zero"},
	{"constant with a line end", HEAD "masks: {x: {constant: \"a\\nb\"}}\n",
	    3, 23, "control"},
	{"column without category", HEAD SUBJECTS
	    "tables:\n  a.users: {subject: self, columns: {id: {mask: null}}}"
	    "\n", 5, 42, "category"},
	{"category not declared", HEAD SUBJECTS
	    "tables:\n  a.users: {subject: self, columns: {id: z}}\n", 5, 42,
	    "z"},
	{"columns empty", HEAD SUBJECTS
	    "tables:\n  a.users: {subject: self, columns: {}}\n", 5, 37,
	    "no columns"},
	{"columns missing", HEAD SUBJECTS
	    "tables:\n  a.users: {subject: self}\n", 5, 12, "columns"},
	{"column of a hidden name", HEAD SUBJECTS
	    "tables:\n  a.users: {subject: self, columns: {sworn$x: x}}\n",
	    5, 38, "sworn$"},
	{"no subject", HEAD SUBJECTS USERS "  a.t: {columns: {id: x}}\n", 6, 3,
	    "subject"},
	{"subject and subjects", HEAD SUBJECTS USERS
	    "  a.t: {subject: u, subjects: [v], columns: {id: x}}\n", 6, 31,
	    "one of"},
	{"subjects empty", HEAD SUBJECTS USERS
	    "  a.t: {subjects: [], columns: {id: x}}\n", 6, 19, "at least"},
	{"via nowhere", HEAD SUBJECTS USERS "  a.t: {subject: {column: u,"
	    " via: a.v, key: id}, columns: {id: x}}\n", 6, 35, "a.v"},
	{"via public", HEAD SUBJECTS USERS "  a.t: {subject: {column: u,"
	    " via: a.v, key: id}, columns: {id: x}}\npublic: [a.v]\n", 6, 35,
	    "public"},
	{"via without key", HEAD SUBJECTS USERS "  a.t: {subject: {column: u,"
	    " via: a.users}, columns: {id: x}}\n", 6, 18, "key"},
	{"via itself", HEAD SUBJECTS USERS "  a.t: {subject: {column: u,"
	    " via: a.t, key: id}, columns: {id: x}}\n", 6, 35, "comes back"},
	{"via in a ring", HEAD SUBJECTS USERS
	    "  a.t: {subject: {column: u, via: a.v, key: id},"
	    " columns: {id: x}}\n"
	    "  a.v: {subject: {column: u, via: a.t, key: id},"
	    " columns: {id: x}}\n", 7, 35, "comes back"},
	{"table twice", HEAD SUBJECTS USERS
	    "  a.users: {subject: self, columns: {id: x}}\n", 6, 3, "twice"},
	{"public twice", HEAD SUBJECTS USERS "public: [a.t,\n a.t]\n", 7, 2,
	    "already"},
	{"guarded and public", HEAD SUBJECTS USERS "public: [a.users]\n", 6,
	    10, "not both"},
	{"column that is a map without a category", HEAD SUBJECTS
	    "tables:\n  a.users: {subject: self, columns: {id: {}}}\n", 5, 42,
	    "category"},
};

static void
broken_text_is_refused_where_it_is_broken(void **state)
{
	struct catalog *c = NULL;
	struct why w;
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		memset(&w, 0, sizeof(w));
		r = catalog_load(broken[i].text, strlen(broken[i].text), &c,
		    &w);
		if (r == 0)
			fail_msg("%s: was taken", broken[i].what);
		if (w.line != broken[i].line || w.column != broken[i].column ||
		    strstr(w.text, broken[i].word) == NULL)
			fail_msg("%s: %u:%u: %s (wanted %u:%u, %s)",
			    broken[i].what, w.line, w.column, w.text,
			    broken[i].line, broken[i].column, broken[i].word);
		assert_null(c);
	}
}

/* Doubling at each of many steps: refused before it is unbearable. */
static void
too_many_subjects_are_refused(void **state)
{
	struct catalog *c = NULL;
	struct why w = {0};
	struct buf text;
	int i, n;

	(void)state;
	for (n = 6; n <= 30; n += 8) {
		buf_init(&text, 0);
		buf_str(&text, HEAD SUBJECTS USERS
		    "  a.t0: {subject: u, columns: {id: x}}\n");
		for (i = 1; i <= n; i++)
			buf_fmt(&text, "  a.t%d: {subjects: [{column: u, via:"
			    " a.t%d, key: id}, {column: v, via: a.t%d,"
			    " key: id}], columns: {id: x}}\n", i, i - 1,
			    i - 1);
		assert_non_null(buf_text(&text));
		assert_int_equal(catalog_load(buf_text(&text), text.len, &c,
		    &w) == 0, n == 6);
		if (n == 6)
			assert_int_equal(catalog_find(c, "a",
			    "t6")->n_subjects, 64);
		catalog_free(c);
		c = NULL;
		buf_done(&text);
	}
}

/* Columns' masks as text, in the order written. */
static void
masks_are_a_columns_own_or_its_categorys(void **state)
{
	static const char text[] = HEAD "masks: {y: {round: month}}\n" SUBJECTS
	    "tables:\n  a.users: {subject: self, columns: {a: x, b: y,"
	    " c: {category: y}, d: {category: y, mask: pseudonym},"
	    " e: {category: x, mask: {last: 4}},"
	    " f: {category: y, mask: constant},"
	    " g: {category: x, mask: {constant: it's}},"
	    " h: {category: x, mask: {round: 0.01}},"
	    " i: {category: x, mask: null},"
	    " j: {category: x, mask: {network: 16}},"
	    " k: {category: x, mask: {first: 100}}}}\n";
	static const char *const want[] = {"", " round month", " round month",
	    " pseudonym", " last 4", "", " constant 'it''s'", " round 0.01",
	    " null", " network 16", " first 100"};
	struct catalog *c = load(text, sizeof(text) - 1);
	const struct catalog_table *t = &c->tables[0];
	struct buf out;
	size_t i;

	(void)state;
	assert_int_equal(t->n_columns, sizeof(want) / sizeof(want[0]));
	buf_init(&out, 0);
	for (i = 0; i < t->n_columns; i++) {
		buf_reset(&out);
		mask_text(&out, &t->columns[i].mask);
		assert_string_equal(buf_text(&out), want[i]);
	}
	assert_true(mask_is_unit(&t->columns[1].mask));
	assert_false(mask_is_unit(&t->columns[7].mask));
	assert_false(mask_reads(&t->columns[0].mask));
	assert_false(mask_reads(&t->columns[8].mask));
	assert_true(mask_reads(&t->columns[3].mask));
	buf_done(&out);
	catalog_free(c);
}

static void
long_chains_of_tables_are_refused(void **state)
{
	struct catalog *c = NULL;
	struct why w = {0};
	struct buf text;
	int i;

	(void)state;
	buf_init(&text, 0);
	buf_str(&text, HEAD SUBJECTS USERS);
	for (i = 0; i < 20000; i++)
		buf_fmt(&text, "  a.t%05d: {subject: {column: u, via: "
		    "a.t%05d, key: id}, columns: {id: x}}\n", i, i + 1);
	buf_str(&text, "  a.t20000: {subject: u, columns: {id: x}}\n");
	assert_non_null(buf_text(&text));
	assert_int_not_equal(catalog_load(buf_text(&text), text.len, &c, &w),
	    0);
	assert_non_null(strstr(w.text, "steps"));
	buf_done(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(story_is_read_as_written),
		cmocka_unit_test(ways_over_tables_multiply),
		cmocka_unit_test(masks_are_a_columns_own_or_its_categorys),
		cmocka_unit_test(residence_may_lie_behind_foreign_keys),
		cmocka_unit_test(table_without_schema_is_found_if_it_is_clear),
		cmocka_unit_test(broken_text_is_refused_where_it_is_broken),
		cmocka_unit_test(too_many_subjects_are_refused),
		cmocka_unit_test(long_chains_of_tables_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Rules about writing: which columns and rows, and what the canonical text
 * says of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "story.h"

static const char directory[] =
    "directory: 1\nissuer: hr\n"
    "sites: {sa: {country: AA}, sb: {country: BB}}\n"
    "entities: {e: {country: AA, rest: dispersed},"
    " f: {country: BB, rest: dispersed}}\n"
    "people:\n"
    "  ann: {employer: e, site: sa, manager: none, nationality: AA,"
    " roles: [clerk]}\n"
    "  bob: {name: Bob B., employer: f, site: sb, manager: none,"
    " nationality: BB}\n"
    "  eve: {employer: e, site: sa, manager: bob, roles: [clerk, boss]}\n"
    "  nil: {}\n"
    "services:\n"
    "  feed: {operator: e, site: sa, keepers: [ann]}\n";

static const char catalog[] =
    "catalog: c\ncategories: [key, mail, text]\n"
    "subjects: {table: p.users, key: id,"
    " residence: {column: land, values: {b: BB, a: AA, aa: AA}}}\n"
    "tables:\n"
    "  p.users: {subject: self, columns: {mail: mail, id: key}}\n"
    "  p.notes: {subject: by, columns: {no: key, \"by\": key, body: text}}\n"
    "public: [p.words]\n";

#define POLICY "policy: p\nversion: 1\npurposes: [care, count]\n"

/* What may be written: "mail insert update, id insert, delete". */
static void
put_writes(struct buf *out, const struct clearance_table *t)
{
	size_t i;

	for (i = 0; t->writes != NULL && i < t->table->n_columns; i++) {
		if (t->writes[i] == 0)
			continue;
		buf_fmt(out, "%s%s%s%s", out->len > 0 ? ", " : "",
		    t->table->columns[i].name,
		    (t->writes[i] & 1u << POLICY_INSERT) != 0 ? " insert" :
		    "", (t->writes[i] & 1u << POLICY_UPDATE) != 0 ?
		    " update" : "");
	}
	if (t->deletes)
		buf_str(out, out->len > 0 ? ", delete" : "delete");
}

#define READ "rules: [{rule: r, permit: read}, "

static const struct {
	const char *what, *rules, *who, *users, *notes;
} writings[] = {
	{"reading is not writing", "rules: [{rule: r, permit: read}]\n",
	    "ann", "", ""},
	{"all of it, but ways are not updated", READ
	    "{rule: w, permit: write}]\n", "ann",
	    "mail insert update, id insert, delete",
	    "no insert update, by insert, body insert update, delete"},
	{"what is not read is not written",
	    "rules: [{rule: w, permit: write}]\n", "ann", "", ""},
	{"one rule permits both",
	    "rules: [{rule: w, permit: [read, update]}]\n", "ann",
	    "mail update", "no update, body update"},
	{"what is masked is not written", READ
	    "{rule: w, permit: write}, {rule: m, treat: mask, what: "
	    "{categories: [mail]}}]\n", "ann", "id insert, delete",
	    "no insert update, by insert, body insert update, delete"},
	{"for every residence that is read", READ
	    "{rule: w, permit: write, whose: [AA]}]\n", "ann", "", ""},
	{"for the one residence that is read",
	    "rules: [{rule: r, permit: read, whose: [AA]}, "
	    "{rule: w, permit: update, whose: [AA]}]\n", "ann",
	    "mail update", "no update, body update"},
	{"other residences do not matter",
	    "rules: [{rule: r, permit: read, whose: [AA]}, "
	    "{rule: w, permit: update, whose: [AA]}, {rule: x, permit: "
	    "update, whose: [BB], what: {categories: [key]}}]\n", "ann",
	    "mail update", "no update, body update"},
	{"forbid wins, for its act alone", READ
	    "{rule: w, permit: write}, {rule: f, forbid: update, what: "
	    "{tables: [p.users]}}]\n", "ann", "mail insert, id insert, delete",
	    "no insert update, by insert, body insert update, delete"},
	{"a forbid to write forbids no reading, and the other way round", READ
	    "{rule: w, permit: write}, {rule: f, forbid: write}]\n", "ann",
	    "", ""},
	{"by category; a row is all of its columns", READ
	    "{rule: w, permit: [update, delete], what: {categories: [mail, "
	    "text]}}]\n", "ann", "mail update", "body update"},
	{"an unknown fact permits nothing", READ
	    "{rule: w, permit: write, who: {nationality: [AA]}}]\n", "nil",
	    "", ""},
	{"and forbids", READ "{rule: w, permit: write}, {rule: f, forbid: "
	    "insert, who: {nationality: [AA]}}]\n", "nil",
	    "mail update, delete", "no update, body update, delete"},
};

static void
what_is_written_is_decided_like_what_is_read(void **state)
{
	const struct clearance *cl;
	struct buf text, users, notes;
	struct story s;
	struct arena *a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(writings) / sizeof(writings[0]); i++) {
		struct story_ask ask = {writings[i].who, "s", "AA BB", NULL,
		    NULL, STORY_OCTOBER};

		a = arena_new();
		buf_init(&text, 0);
		buf_init(&users, 0);
		buf_init(&notes, 0);
		buf_fmt(&text, POLICY "%s", writings[i].rules);
		story_init(&s, directory, catalog, buf_text(&text));
		cl = story_decide(&s, &ask, a);
		put_writes(&users, clearance_find(cl,
		    catalog_find(s.catalog, "p", "users")));
		put_writes(&notes, clearance_find(cl,
		    catalog_find(s.catalog, "p", "notes")));
		if (strcmp(buf_text(&users), writings[i].users) != 0 ||
		    strcmp(buf_text(&notes), writings[i].notes) != 0)
			fail_msg("%s: got \"%s\" and \"%s\"",
			    writings[i].what, buf_text(&users),
			    buf_text(&notes));
		buf_done(&text);
		buf_done(&users);
		buf_done(&notes);
		story_done(&s);
		arena_free(a);
	}
}

static void
text_says_what_may_be_written_behind_what_is_shown(void **state)
{
	static const char want[] = " column id plain insert\n"
	    " column mail plain insert update\n delete\n";
	struct story_ask ask = {"ann", "s", "AA", NULL, NULL, STORY_OCTOBER};
	struct arena *a = arena_new();
	struct buf text;
	struct story s;

	(void)state;
	buf_init(&text, 0);
	story_init(&s, directory, catalog, POLICY
	    READ "{rule: w, permit: write}]\n");
	clearance_text(&text, story_decide(&s, &ask, a));
	assert_non_null(strstr(buf_text(&text), want));
	buf_done(&text);
	story_done(&s);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_decided_like_what_is_read),
		cmocka_unit_test(
		    text_says_what_may_be_written_behind_what_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

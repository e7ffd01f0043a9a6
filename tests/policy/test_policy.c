/*
 * Decisions and their reasons, in words; the canonical text; what a policy
 * text is refused for.
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
#include "story.h"

#define ARROW " \xe2\x86\x92 "

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

/* One table's outcome: "AA BB: mail mask, id plain"; "" if not readable. */
static void
put_outcome(struct buf *out, const struct clearance_table *t)
{
	size_t i;

	if (!t->readable)
		return;
	for (i = 0; i < t->n_residences; i++)
		buf_fmt(out, "%s%s", i > 0 ? " " : "", t->residences[i]);
	buf_str(out, ":");
	for (i = 0; i < t->table->n_columns; i++)
		if (t->columns[i] != TREAT_ABSENT)
			buf_fmt(out, " %s %s", t->table->columns[i].name,
			    treatment_text(t->columns[i]));
}

static const struct {
	const char *what, *rules, *who, *purpose, *ticket;
	const char *users;		/* the outcome of p.users */
	/* Where it is not readable: */
	const char *rule, *because, *hint;
} cases[] = {
	{"nothing is permitted by default", "rules: []\n", "ann", NULL, NULL,
	    "", NULL, "no rule permits anything", ""},
	{"a permit with no condition", "rules: [{rule: r, permit: read}]\n",
	    "nil", NULL, NULL, "AA BB: mail plain id plain", NULL, NULL,
	    NULL},
	{"forbid wins",
	    "rules: [{rule: r, permit: read}, {rule: s, forbid: read}]\n",
	    "ann", NULL, NULL, "", "s", "it holds for everybody", ""},
	{"forbid by path", "rules: [{rule: r, permit: read},"
	    " {rule: s, forbid: read, who: {controlled-from: [BB, CC]},"
	    " hint: go home}]\n", "eve", NULL, NULL, "", "s",
	    "you" ARROW "reports to Bob B." ARROW "located in BB", "go home"},
	{"forbid by other kinds of path", "rules: [{rule: r, permit: read},"
	    " {rule: s, forbid: read, who: {controlled-from: BB, by: $k}}]\n"
	    "sets: {k: [location, actual]}\n", "eve", NULL, NULL,
	    "AA BB: mail plain id plain", NULL, NULL, NULL},
	{"forbid by what is not known", "rules: [{rule: r, permit: read},"
	    " {rule: s, forbid: read, who: {controlled-from: BB,"
	    " by: [formal]}}]\n", "nil", NULL, NULL, "", "s",
	    "you" ARROW "manager not known", ""},
	{"permit needs what is known", "rules: [{rule: r, permit: read,"
	    " who: {located-in: [AA]}}]\n", "nil", NULL, NULL, "", NULL,
	    "rule \"r\" is for those located in AA; your location is not "
	    "known", ""},
	{"forbid of one residence", "rules: [{rule: r, permit: read},"
	    " {rule: s, forbid: read, whose: {residence: [BB]}}]\n", "ann",
	    NULL, NULL, "AA: mail plain id plain", NULL, NULL, NULL},
	{"forbid of one category for one residence takes it from both",
	    "rules: [{rule: r, permit: read}, {rule: s, forbid: read,"
	    " whose: BB, what: {categories: mail}}]\n", "ann", NULL, NULL,
	    "AA BB: id plain", NULL, NULL, NULL},
	{"nothing in common is nothing",
	    "rules: [{rule: r, permit: read, whose: AA, what: {categories:"
	    " mail}}, {rule: s, permit: read, whose: BB, what: {categories:"
	    " key}}]\n", "ann", NULL, NULL, "", NULL,
	    "no column of this table may be shown for every residence that "
	    "may be", ""},
	{"the strictest treatment", "rules: [{rule: r, permit: read},"
	    " {rule: s, treat: absent, what: {categories: mail}},"
	    " {rule: t, treat: mask}]\n", "ann", NULL, NULL,
	    "AA BB: id mask", NULL, NULL, NULL},
	{"a treatment for whom is not known", "rules: [{rule: r, permit: read"
	    "}, {rule: s, treat: mask, who: {nationality: CC}}]\n", "eve",
	    NULL, NULL, "AA BB: mail mask id mask", NULL, NULL, NULL},
	{"a treatment of a residence not shown",
	    "rules: [{rule: r, permit: read, whose: AA},"
	    " {rule: s, treat: mask, whose: BB}]\n", "ann", NULL, NULL,
	    "AA: mail plain id plain", NULL, NULL, NULL},
	{"purpose not stated", "rules: [{rule: r, permit: read,"
	    " who: {roles: clerk}, why: {purposes: [care, count]}}]\n", "ann",
	    NULL, NULL, "", NULL, "rule \"r\" needs the purpose care or "
	    "count; this session states none",
	    "SET sworn.purpose = 'care'"},
	{"purpose of another kind", "rules: [{rule: r, permit: read,"
	    " why: {purposes: care}}]\n", "ann", "count", NULL, "", NULL,
	    "rule \"r\" needs the purpose care; this session states count",
	    "SET sworn.purpose = 'care'"},
	{"purpose that the policy does not know", "rules: [{rule: r,"
	    " permit: read, why: {purposes: care}}]\n", "ann", "cure", NULL,
	    "", NULL, "rule \"r\" needs the purpose care; this session "
	    "states none", "SET sworn.purpose = 'care'"},
	{"ticket of another form", "rules: [{rule: r, permit: read,"
	    " why: {purposes: care, ticket: 'A|B[0-9]'}}]\n", "ann", "care",
	    "A0", "", NULL, "rule \"r\" needs a ticket of the form A|B[0-9]; "
	    "the one this session states is not",
	    "SET sworn.ticket = '...' of the form A|B[0-9]"},
	{"ticket", "rules: [{rule: r, permit: read,"
	    " why: {purposes: care, ticket: 'A|B[0-9]'}}]\n", "ann", "care",
	    "B7", "AA BB: mail plain id plain", NULL, NULL, NULL},
	{"a role", "rules: [{rule: r, permit: read, who: {roles: [boss]}}]\n",
	    "ann", NULL, NULL, "", NULL,
	    "rule \"r\" is for the role boss; yours is clerk", ""},
	{"no role", "rules: [{rule: r, permit: read, who: {roles: [boss]}}]\n",
	    "bob", NULL, NULL, "", NULL,
	    "rule \"r\" is for the role boss; you have none", ""},
	{"a rule's own hint", "rules: [{rule: r, permit: read, who: {roles:"
	    " [boss]}, hint: ask eve}]\n", "bob", NULL, NULL, "", NULL,
	    "rule \"r\" is for the role boss; you have none", "ask eve"},
	{"the nearest of several permits", "rules: [{rule: a, permit: read,"
	    " who: {roles: boss}}, {rule: b, permit: read, who: {roles: clerk"
	    "}, why: {purposes: care}}, {rule: c, permit: read, who: {roles:"
	    " clerk}, what: {tables: p.notes}}]\n", "ann", NULL, NULL, "",
	    NULL, "rule \"b\" needs the purpose care; this session states "
	    "none", "SET sworn.purpose = 'care'"},
	{"another table", "rules: [{rule: c, permit: read,"
	    " what: {tables: p.notes}}]\n", "ann", NULL, NULL, "", NULL,
	    "rule \"c\" is not about p.users", ""},
	{"another store", "rules: [{rule: c, permit: read,"
	    " what: {stores: [x, y]}}]\n", "ann", NULL, NULL, "", NULL,
	    "rule \"c\" is about the store x or y, not s", ""},
	{"another residence", "rules: [{rule: c, permit: read,"
	    " whose: [CC]}]\n", "ann", NULL, NULL, "", NULL,
	    "rule \"c\" is about data at home in CC, not AA", ""},
	{"other categories", "rules: [{rule: c, permit: read,"
	    " what: {categories: [text]}}]\n", "ann", NULL, NULL, "", NULL,
	    "rule \"c\" covers none of the columns of p.users: only the "
	    "category text", ""},
	{"a service where persons are", "rules: [{rule: c, permit: read,"
	    " who: {kind: person}}]\n", "feed", NULL, NULL, "", NULL,
	    "rule \"c\" is for persons; you are a service", ""},
	{"over", "rules: [{rule: c, permit: read,"
	    " when: {to: 2026-01-01}}]\n", "ann", NULL, NULL, "", NULL,
	    "rule \"c\" is in force until 2026-01-01T00:00:00.000Z only", ""},
	{"a forbid that takes a part is not why nothing is shown",
	    "rules: [{rule: a, permit: read, why: {purposes: care}},"
	    " {rule: b, forbid: read, what: {categories: mail}}]\n", "ann",
	    NULL, NULL, "", NULL,
	    "rule \"a\" needs the purpose care; this session states none",
	    "SET sworn.purpose = 'care'"},
	{"a forbid with a path is named before others",
	    "rules: [{rule: a, forbid: read}, {rule: b, forbid: read,"
	    " who: {located-in: AA}}]\n", "ann", NULL, NULL, "", "b",
	    "you" ARROW "located in AA", ""},
	{"a forbid by role", "rules: [{rule: a, forbid: read,"
	    " who: {roles: [boss, clerk]}}]\n", "ann", NULL, NULL, "", "a",
	    "your role is clerk", ""},
	{"a forbid by employer", "rules: [{rule: a, forbid: read,"
	    " who: {employed-by: [e]}}]\n", "ann", NULL, NULL, "", "a",
	    "your employer is e", ""},
	{"a forbid by an employer that is not known", "rules: [{rule: a,"
	    " forbid: read, who: {employed-by: [e]}}]\n", "nil", NULL, NULL,
	    "", "a", "your employer is not known", ""},
	{"a forbid by nationality", "rules: [{rule: a, forbid: read,"
	    " who: {nationality: [AA]}}]\n", "ann", NULL, NULL, "", "a",
	    "you are a national of AA", ""},
	/* The decision is made on a Thursday at 00:00 UTC. */
	{"outside hours", "rules: [{rule: c, permit: read, when: {hours:"
	    " '08:00-18:00', utc-offset: '+01:00'}}]\n", "ann", NULL, NULL,
	    "", NULL, "rule \"c\" is not in force outside 08:00-18:00 "
	    "(+01:00)", ""},
	{"outside days", "rules: [{rule: c, permit: read, when: {days: [mon,"
	    " fri], utc-offset: '-01:00'}}]\n", "ann", NULL, NULL, "", NULL,
	    "rule \"c\" is not in force outside 00:00-24:00 (-01:00) on "
	    "mon, fri", ""},
	{"within hours that pass midnight", "rules: [{rule: c, permit: read,"
	    " when: {hours: 22:00-06:00, days: wed, utc-offset: +05:30}}]\n",
	    "ann", NULL, NULL, "AA BB: mail plain id plain", NULL, NULL,
	    NULL},
	{"a forbid by hours", "rules: [{rule: a, forbid: read, when: {hours:"
	    " 18:00-08:00, utc-offset: '+00:00'}}]\n", "ann", NULL, NULL, "",
	    "a", "it is in force 18:00-08:00 (+00:00)", ""},
	{"own residents only", "rules: [{rule: c, permit: read, whose:"
	    " {relation: behind, by: [location, employment]}}]\n", "ann",
	    NULL, NULL, "AA: mail plain id plain", NULL, NULL, NULL},
	{"own residents only, of whom nothing is known", "rules: [{rule: c,"
	    " permit: read, whose: {relation: behind, by: location}}]\n",
	    "nil", NULL, NULL, "", NULL, "rule \"c\" is about people of "
	    "whom where they are at home stands behind you (by location); "
	    "what stands behind you is not known", ""},
	{"nobody who answers elsewhere, one rule for both", "rules: [{rule: c"
	    ", permit: read}, {rule: a, forbid: read, whose: {relation:"
	    " others-behind}}]\n", "eve", NULL, NULL, "", "a",
	    "you" ARROW "reports to Bob B." ARROW "located in BB", ""},
	{"nobody who answers elsewhere, as if both were one", "rules: [{rule:"
	    " c, permit: read}, {rule: a, forbid: read, whose: {relation:"
	    " others-behind, by: [location, formal], together: [AA, BB]}}]\n",
	    "eve", NULL, NULL, "AA BB: mail plain id plain", NULL, NULL,
	    NULL},
	{"a forbid of others' residents", "rules: [{rule: c, permit: read},"
	    " {rule: a, forbid: read, whose: {relation: not-behind, by:"
	    " [formal, location]}}]\n", "bob", NULL, NULL,
	    "BB: mail plain id plain", NULL, NULL, NULL},
	{"a forbid of where nothing stands behind", "rules: [{rule: a, forbid:"
	    " read, whose: {relation: not-behind, by: keeping}}]\n", "bob",
	    NULL, NULL, "", "a", "AA does not stand behind you (by keeping)",
	    ""},
	{"a ticket that nobody confirmed", "rules: [{rule: c, permit: read,"
	    " why: {ticket: 'T-[0-9]', confirmed: true}}]\n", "ann", NULL,
	    "T-1", "", NULL, "rule \"c\" needs a ticket that is confirmed; "
	    "yours is not: nobody was asked", ""},
	{"an approval that nobody gave", "rules: [{rule: c, permit: read,"
	    " approval: {by: {roles: [boss, lead], principals: bob}, count:"
	    " 2, apart: formal}}]\n", "ann", NULL, NULL, "", NULL,
	    "rule \"c\" needs the approval of 2 of the role boss or lead or "
	    "bob, not under the same control as you; there is none now",
	    "sworn request s 'c' --for 1h --why ... asks for it"},
};

static void
decisions_come_with_their_reason(void **state)
{
	const struct clearance_table *users;
	const struct clearance *cl;
	struct policy_reason reason;
	struct buf text, got;
	struct story s;
	struct arena *a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct story_ask ask = {cases[i].who, "s", "AA BB",
		    cases[i].purpose, cases[i].ticket, STORY_OCTOBER};

		buf_init(&text, 0);
		buf_init(&got, 0);
		buf_fmt(&text, POLICY "%s", cases[i].rules);
		story_init(&s, directory, catalog, buf_text(&text));
		a = arena_new();
		cl = story_decide(&s, &ask, a);
		put_outcome(&got, clearance_find(cl, catalog_find(s.catalog,
		    "p", "users")));
		if (strcmp(buf_text(&got), cases[i].users) != 0)
			fail_msg("%s: got \"%s\"", cases[i].what,
			    buf_text(&got));
		users = clearance_find(cl, catalog_find(s.catalog, "p",
		    "users"));
		if (users->readable != (cases[i].because == NULL))
			fail_msg("%s: readable or not", cases[i].what);
		assert_int_equal(clearance_refusal(cl, users, a, &reason), 0);
		if (!users->readable && (strcmp(reason.because,
		    cases[i].because) != 0 || strcmp(reason.hint,
		    cases[i].hint) != 0 || (reason.rule == NULL) !=
		    (cases[i].rule == NULL) || (reason.rule != NULL &&
		    strcmp(reason.rule, cases[i].rule) != 0)))
			fail_msg("%s: %s, %s, %s", cases[i].what,
			    reason.rule != NULL ? reason.rule : "none",
			    reason.because, reason.hint);
		arena_free(a);
		story_done(&s);
		buf_done(&text);
		buf_done(&got);
	}
}

static char *
text_of(const char *catalog_text, const char *rules, const char *residences)
{
	struct story_ask ask = {"ann", "s", residences, NULL, NULL,
	    STORY_OCTOBER};
	struct arena *a = arena_new();
	struct buf text, policy;
	struct story s;
	char *stolen;

	buf_init(&text, 0);
	buf_init(&policy, 0);
	buf_fmt(&policy, POLICY "%s", rules);
	story_init(&s, directory, catalog_text, buf_text(&policy));
	clearance_text(&text, story_decide(&s, &ask, a));
	story_done(&s);
	arena_free(a);
	buf_done(&policy);
	assert_non_null(stolen = buf_steal(&text));
	return stolen;
}

static const char some[] = "rules: [{rule: r, permit: read, what:"
    " {categories: [key, mail]}}, {rule: m, treat: mask, what: {categories:"
    " mail}}]\n";

static void
text_is_the_outcome_line_by_line(void **state)
{
	char *text = text_of(catalog, some, "BB AA");
	char *none = text_of(catalog, "rules: []\n", "AA");

	(void)state;
	assert_string_equal(text,
	    "sworn clearance 1\n"
	    "store s\n"
	    "residence land of p.users.id\n"
	    " value 'a' AA\n"
	    " value 'aa' AA\n"
	    " value 'b' BB\n"
	    "table p.notes\n"
	    " residences AA BB\n"
	    " subject by > p.users.id\n"
	    " column by plain\n"
	    " column no plain\n"
	    "table p.users\n"
	    " residences AA BB\n"
	    " subject self\n"
	    " column id plain\n"
	    " column mail mask\n"
	    "table p.words\n"
	    " public\n");
	assert_string_equal(none, "sworn clearance 1\nstore s\n"
	    "table p.words\n public\n");
	free(text);
	free(none);
}

/* What makes no difference to a reader makes none to the text, and what
 * does, does. */
static void
text_changes_with_what_is_enforced_only(void **state)
{
	static const struct {
		const char *what, *catalog, *rules, *residences;
		bool same;
	} others[] = {
		{"columns, tables and values in another order",
		    "catalog: other\ncategories: [text, mail, key]\n"
		    "public: [p.words]\n"
		    "tables:\n"
		    "  p.notes: {subject: by, columns: {body: text, \"by\": key,"
		    " no: key}}\n"
		    "  p.users: {subject: self, columns: {id: key,"
		    " mail: mail}}\n"
		    "subjects: {table: p.users, key: id,"
		    " residence: {column: land, values: {aa: AA, a: AA,"
		    " b: BB}}}\n", some, "AA BB", true},
		{"residences in another order", catalog, some, "AA BB", true},
		{"rules under other names", catalog,
		    "rules: [{rule: x, treat: mask, what: {categories: mail}},"
		    " {rule: y, permit: read, what: {categories: [key]}},"
		    " {rule: z, permit: read, what: {categories: [mail]}}]\n",
		    "BB AA", true},
		{"a residence less", catalog, some, "AA", false},
		{"another treatment", catalog,
		    "rules: [{rule: r, permit: read, what: {categories: [key,"
		    " mail]}}]\n", "AA BB", false},
		{"a mask that says what it was",
		    "catalog: c\ncategories: [key, mail, text]\n"
		    "masks: {mail: constant, key: pseudonym}\n"
		    "subjects: {table: p.users, key: id, residence: {column:"
		    " land, values: {b: BB, a: AA, aa: AA}}}\ntables:\n"
		    "  p.users: {subject: self, columns: {mail: mail,"
		    " id: key}}\n"
		    "  p.notes: {subject: by, columns: {no: key, \"by\": key,"
		    " body: text}}\npublic: [p.words]\n", some, "AA BB",
		    true},
		{"another mask",
		    "catalog: c\ncategories: [key, mail, text]\n"
		    "masks: {mail: pseudonym}\n"
		    "subjects: {table: p.users, key: id, residence: {column:"
		    " land, values: {b: BB, a: AA, aa: AA}}}\ntables:\n"
		    "  p.users: {subject: self, columns: {mail: mail,"
		    " id: key}}\n"
		    "  p.notes: {subject: by, columns: {no: key, \"by\": key,"
		    " body: text}}\npublic: [p.words]\n", some, "AA BB",
		    false},
		{"another way to the subject",
		    "catalog: c\ncategories: [key, mail, text]\n"
		    "subjects: {table: p.users, key: id, residence: {column:"
		    " land, values: {b: BB, a: AA, aa: AA}}}\ntables:\n"
		    "  p.users: {subject: self, columns: {mail: mail,"
		    " id: key}}\n"
		    "  p.notes: {subject: no, columns: {no: key, \"by\": key,"
		    " body: text}}\npublic: [p.words]\n", some, "AA BB",
		    false},
		{"another value mapped",
		    "catalog: c\ncategories: [key, mail, text]\n"
		    "subjects: {table: p.users, key: id, residence: {column:"
		    " land, values: {b: BB, a: AA, aa: BB}}}\ntables:\n"
		    "  p.users: {subject: self, columns: {mail: mail,"
		    " id: key}}\n"
		    "  p.notes: {subject: by, columns: {no: key, \"by\": key,"
		    " body: text}}\npublic: [p.words]\n", some, "AA BB",
		    false},
		{"the whole store's residence",
		    "catalog: c\ncategories: [key, mail, text]\n"
		    "subjects: {table: p.users, key: id, residence: store}\n"
		    "tables:\n"
		    "  p.users: {subject: self, columns: {mail: mail,"
		    " id: key}}\n"
		    "  p.notes: {subject: by, columns: {no: key, \"by\": key,"
		    " body: text}}\npublic: [p.words]\n", some, "AA BB",
		    false},
		{"another public table",
		    "catalog: c\ncategories: [key, mail, text]\n"
		    "subjects: {table: p.users, key: id, residence: {column:"
		    " land, values: {b: BB, a: AA, aa: AA}}}\ntables:\n"
		    "  p.users: {subject: self, columns: {mail: mail,"
		    " id: key}}\n"
		    "  p.notes: {subject: by, columns: {no: key, \"by\": key,"
		    " body: text}}\npublic: [p.words, p.more]\n", some,
		    "AA BB", false},
	};
	char *usual = text_of(catalog, some, "BB AA"), *text;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		text = text_of(others[i].catalog, others[i].rules,
		    others[i].residences);
		if ((strcmp(text, usual) == 0) != others[i].same)
			fail_msg("%s", others[i].what);
		free(text);
	}
	free(usual);
}

/* No name of a table or column can be mistaken for another line. */
static void
text_quotes_names_that_could_be_misread(void **state)
{
	static const char odd[] =
	    "catalog: c\ncategories: [key]\n"
	    "subjects: {table: p.u, key: \"i d\", residence: {column: land,"
	    " values: {\"a' AA\": AA}}}\n"
	    "tables:\n  p.u: {subject: self, columns: {\"id plain\": key,"
	    " \"a\\\"b\": key}}\n";
	char *text = text_of(odd, "rules: [{rule: r, permit: read}]\n", "AA");

	(void)state;
	assert_string_equal(text, "sworn clearance 1\nstore s\n"
	    "residence land of p.u.\"i d\"\n value 'a'' AA' AA\n"
	    "table p.u\n residences AA\n subject self\n"
	    " column \"a\"\"b\" plain\n column \"id plain\" plain\n");
	free(text);
}

static void
store_without_residences_shows_nothing(void **state)
{
	struct story_ask ask = {"ann", "s", "", NULL, NULL, STORY_OCTOBER};
	struct arena *a = arena_new();
	const struct clearance *cl;
	struct policy_reason why;
	struct story s;

	(void)state;
	story_init(&s, directory, catalog,
	    POLICY "rules: [{rule: r, permit: read}]\n");
	cl = story_decide(&s, &ask, a);
	assert_true(cl->empty);
	assert_int_equal(clearance_refusal(cl, &cl->tables[0], a, &why), 0);
	assert_string_equal(why.because,
	    "no residence belongs in this store");
	ask.residences = "unknown";
	cl = story_decide(&s, &ask, a);
	assert_true(cl->empty);
	assert_int_equal(clearance_refusal(cl, &cl->tables[0], a, &why), 0);
	assert_string_equal(why.because,
	    "where these people are at home is not known");
	story_done(&s);
	arena_free(a);
}

static void
patterns_and_purposes_are_listed_once(void **state)
{
	static const char text[] = POLICY
	    "rules:\n"
	    "  - {rule: a, permit: read, why: {ticket: 'T-[0-9]+'}}\n"
	    "  - {rule: b, permit: read, why: {ticket: 'A'}}\n"
	    "  - {rule: c, permit: read, why: {ticket: 'T-[0-9]+'}}\n";
	struct policy *p = NULL;
	const char *const *list;
	struct why w;
	size_t n;

	(void)state;
	assert_int_equal(policy_load(text, strlen(text), &p, &w), 0);
	assert_string_equal(policy_name(p), "p");
	list = policy_purposes(p, &n);
	assert_int_equal(n, 2);
	assert_string_equal(list[0], "care");
	assert_string_equal(list[1], "count");
	list = policy_ticket_patterns(p, &n);
	assert_int_equal(n, 2);
	assert_string_equal(list[0], "A");
	assert_string_equal(list[1], "T-[0-9]+");
	policy_free(p);
}

#define RULE POLICY "rules:\n  - {rule: r, permit: read, "

static const struct {
	const char *what, *text;
	unsigned line, column;
	const char *word;
} broken[] = {
	{"no name", "version: 1\nrules: []\n", 1, 1, "policy"},
	{"no version", "policy: p\nrules: []\n", 1, 1, "version"},
	{"no rules", "policy: p\nversion: 1\n", 1, 1, "rules"},
	{"unknown key", POLICY "rule: []\n", 4, 1, "rules"},
	{"unknown key of a rule", RULE "how: x}\n", 5, 29, "how"},
	{"unknown key of who", RULE "who: {role: x}}\n", 5, 35, "roles"},
	{"unknown key of what", RULE "what: {table: x}}\n", 5, 36, "tables"},
	{"unknown key of why", RULE "why: {reason: x}}\n", 5, 35, "reason"},
	{"unknown key of whose", RULE "whose: {home: x}}\n", 5, 37, "home"},
	{"rule without a name", POLICY "rules:\n  - permit: read\n", 5, 5,
	    "rule"},
	{"rule that says nothing", POLICY "rules:\n  - rule: r\n", 5, 5,
	    "exactly one"},
	{"rule that says two things",
	    POLICY "rules:\n  - {rule: r, permit: read, forbid: read}\n", 5,
	    5, "exactly one"},
	{"permit of what there is not",
	    POLICY "rules:\n  - {rule: r, permit: erase}\n", 5, 23, "erase"},
	{"one of several that there is not",
	    POLICY "rules:\n  - {rule: r, permit: [read, erase]}\n", 5, 30,
	    "erase"},
	{"writing by approval",
	    POLICY "rules:\n  - {rule: r, permit: update, approval: {by: "
	    "{principals: [ann]}, apart: [formal]}}\n", 5, 41, "reading"},
	{"permit of nothing",
	    POLICY "rules:\n  - {rule: r, permit: []}\n", 5, 23, "empty"},
	{"writing under an exact record",
	    POLICY "rules:\n  - {rule: r, permit: update, record: exact}\n",
	    5, 39, "exact"},
	{"treatment there is not",
	    POLICY "rules:\n  - {rule: r, treat: blur}\n", 5, 22, "blur"},
	{"rule twice", POLICY "rules:\n  - {rule: r, permit: read}\n"
	    "  - {rule: q, permit: read}\n  - {rule: r, forbid: read}\n", 7,
	    12, "twice"},
	{"hint of a treatment",
	    POLICY "rules:\n  - {rule: r, treat: mask, hint: x}\n", 5, 34,
	    "hint"},
	{"no such set", RULE "whose: $here}\n", 5, 36, "here"},
	{"no such set in a list", RULE "whose: [AA, $here]}\n", 5, 41,
	    "here"},
	{"set in a set", POLICY "sets: {a: [x], b: [$a]}\nrules: []\n", 4, 20,
	    "sets"},
	{"set that is no list", POLICY "sets: {a: x}\nrules: []\n", 4, 11,
	    "list"},
	{"empty list", RULE "who: {roles: []}}\n", 5, 42, "empty"},
	{"empty set", POLICY "sets: {a: []}\nrules:\n"
	    "  - {rule: r, permit: read, whose: $a}\n", 6, 36, "empty"},
	{"label unknown", RULE "whose: [AA, unknown]}\n", 5, 41, "reserved"},
	{"no label", RULE "who: {located-in: [A A]}}\n", 5, 48, "label"},
	{"no label in a set", POLICY "sets: {a: [A A]}\nrules:\n"
	    "  - {rule: r, permit: read, whose: $a}\n", 4, 12, "label"},
	{"no kind of path", RULE "who: {controlled-from: AA, by: magic}}\n",
	    5, 60, "magic"},
	{"by of nothing", RULE "who: {by: [location]}}\n", 5, 39,
	    "controlled-from"},
	{"no kind of reader", RULE "who: {kind: robot}}\n", 5, 41, "robot"},
	{"no table", RULE "what: {tables: [users]}}\n", 5, 45,
	    "schema.table"},
	{"purpose that is not declared", RULE "why: {purposes: [cure]}}\n", 5,
	    46, "cure"},
	{"purpose where none is declared", "policy: p\nversion: 1\nrules:\n"
	    "  - {rule: r, permit: read, why: {purposes: [care]}}\n", 4, 46,
	    "care"},
	{"pattern that does not compile", RULE "why: {ticket: '[a'}}\n", 5,
	    43, "regular"},
	{"pattern that steps out of its anchors",
	    RULE "why: {ticket: 'a)|(b'}}\n", 5, 43, "regular"},
	{"pattern with a back-reference", RULE "why: {ticket: '(a)\\1'}}\n",
	    5, 43, "back-reference"},
	{"interval reversed",
	    RULE "when: {from: 2026-02-01, to: 2026-01-01}}\n", 5, 35,
	    "after"},
	{"no hours", RULE "when: {hours: 8-18, utc-offset: '+00:00'}}\n", 5,
	    43, "08:00-18:00"},
	{"an hour that no day has", RULE "when: {hours: 08:00-24:30,"
	    " utc-offset: '+00:00'}}\n", 5, 43, "24:00"},
	{"hours that begin at a day's end", RULE "when: {hours: 24:00-08:00,"
	    " utc-offset: '+00:00'}}\n", 5, 43, "24:00"},
	{"hours of no length", RULE "when: {hours: [08:00-08:00],"
	    " utc-offset: '+00:00'}}\n", 5, 44, "empty"},
	{"no span of hours", RULE "when: {hours: [], utc-offset: '+00:00'}}"
	    "\n", 5, 43, "spans"},
	{"no day", RULE "when: {days: [mon, sab], utc-offset: '+00:00'}}\n",
	    5, 48, "sat"},
	{"hours of nowhere", RULE "when: {hours: 08:00-18:00}}\n", 5, 35,
	    "utc-offset"},
	{"an offset of nothing", RULE "when: {utc-offset: '+00:00'}}\n", 5,
	    48, "hours"},
	{"an offset that is a name", RULE "when: {days: mon, utc-offset:"
	    " Europe/Berlin}}\n", 5, 59, "+01:00"},
	{"an offset beyond all", RULE "when: {days: mon, utc-offset:"
	    " '+14:30'}}\n", 5, 59, "14 hours"},
	{"no relation", RULE "whose: {relation: own}}\n", 5, 47, "behind"},
	{"a whose of nothing", RULE "whose: {}}\n", 5, 36, "relation"},
	{"kinds of no relation", RULE "whose: {residences: AA, by:"
	    " [location]}}\n", 5, 57, "relation"},
	{"residences twice", RULE "whose: {residences: AA, residence: AA}}\n",
	    5, 64, "same"},
	{"a label in two groups", RULE "whose: {relation: behind, together:"
	    " [[AA, BB], [BB]]}}\n", 5, 76, "two"},
	{"nothing to confirm", RULE "why: {confirmed: true}}\n", 5, 46,
	    "ticket"},
	{"a forbid that wants it confirmed", POLICY "rules:\n  - {rule: r,"
	    " forbid: read, why: {ticket: a, confirmed: true}}\n", 5, 57,
	    "permit"},
	{"an approval of nobody", RULE "approval: {by: {}, apart: formal}}\n",
	    5, 44, "roles"},
	{"an approval by whoever", RULE "approval: {by: {roles: a}}}\n", 5,
	    39, "apart"},
	{"an approval by none", RULE "approval: {by: {roles: a}, count: 0,"
	    " apart: formal}}\n", 5, 63, "1"},
	{"an approval for a treatment", POLICY "rules:\n  - {rule: r, treat:"
	    " mask, approval: {by: {roles: a}, apart: formal}}\n", 5, 38,
	    "permit"},
	{"a list where a value is", RULE "who: {roles: [[a]]}}\n", 5, 43,
	    "list"},
};

static void
broken_text_is_refused_where_it_is_broken(void **state)
{
	struct policy *p = NULL;
	struct why w;
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		memset(&w, 0, sizeof(w));
		r = policy_load(broken[i].text, strlen(broken[i].text), &p,
		    &w);
		if (r == 0)
			fail_msg("%s: was taken", broken[i].what);
		if (w.line != broken[i].line || w.column != broken[i].column ||
		    strstr(w.text, broken[i].word) == NULL)
			fail_msg("%s: %u:%u: %s (wanted %u:%u, %s)",
			    broken[i].what, w.line, w.column, w.text,
			    broken[i].line, broken[i].column, broken[i].word);
		assert_null(p);
	}
}

/* What a permit for exact records shows, another may show without. */
static void
exact_record_is_needed_where_no_other_permit_shows_as_much(void **state)
{
	static const struct {
		const char *rules;
		bool needed;
	} ask[] = {
		{"[{rule: r, permit: read}]", false},
		{"[{rule: r, permit: read, record: exact}]", true},
		{"[{rule: r, permit: read, record: exact},"
		    " {rule: s, permit: read}]", false},
		{"[{rule: a, permit: read},"
		    " {rule: r, permit: read, record: exact}]", false},
		{"[{rule: r, permit: read, record: exact, whose: AA},"
		    " {rule: s, permit: read, whose: BB}]", true},
		{"[{rule: r, permit: read, record: exact, what: "
		    "{categories: mail}}, {rule: s, permit: read, what: "
		    "{categories: key}}]", true},
		{"[{rule: r, permit: read, record: exact, who: {roles: boss}},"
		    " {rule: s, permit: read}]", false},
		{"[{rule: r, permit: read, record: exact}, {rule: s, permit: "
		    "read, who: {roles: boss}}]", true},
		{"[{rule: r, permit: read, record: exact},"
		    " {rule: s, forbid: read}]", false},
	};
	const struct clearance *c, *plain;
	struct arena *a = arena_new();
	struct story s, t;
	char text[500];
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(ask) / sizeof(ask[0]); i++) {
		struct story_ask q = {.who = "ann", .store = "s",
		    .residences = "AA BB"};

		(void)snprintf(text, sizeof(text), POLICY "rules: %s\n",
		    ask[i].rules);
		story_init(&s, directory, catalog, text);
		c = story_decide(&s, &q, a);
		t = s;
		t.policy = (struct policy *)(uintptr_t)policy_plain(s.policy);
		plain = t.policy == NULL ? c : story_decide(&t, &q, a);
		for (k = 0; strcmp(c->tables[k].table->full, "p.users") != 0;
		    k++)
			;
		if (clearance_needs_exact(c, plain, k) != ask[i].needed)
			fail_msg("%s", ask[i].rules);
		assert_false(clearance_needs_exact(c, c, k));
		story_done(&s);
	}
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decisions_come_with_their_reason),
		cmocka_unit_test(text_is_the_outcome_line_by_line),
		cmocka_unit_test(text_changes_with_what_is_enforced_only),
		cmocka_unit_test(text_quotes_names_that_could_be_misread),
		cmocka_unit_test(store_without_residences_shows_nothing),
		cmocka_unit_test(patterns_and_purposes_are_listed_once),
		cmocka_unit_test(broken_text_is_refused_where_it_is_broken),
		cmocka_unit_test(
		    exact_record_is_needed_where_no_other_permit_shows_as_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

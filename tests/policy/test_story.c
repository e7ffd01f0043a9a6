/*
 * The story's own directory and policy, and the presets: who gets what, the
 * same mirrored (labels of the two countries exchanged in everything that
 * goes in must exchange them in what comes out), and with one fact after
 * another taken away (nobody may gain by it).
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

static char *directory_text, *catalog_text, *policy_text, *separate_text,
    *hosted_text;

static int
read_all(void **state)
{
	(void)state;
	directory_text = story_read(DEMO_DIR "/conf/directory.yaml");
	catalog_text = story_read(DEMO_DIR
	    "/conf/catalog-international.yaml");
	policy_text = story_read(DEMO_DIR "/conf/policy.yaml");
	separate_text = story_read(PRESETS_DIR "/separate-editions.yaml");
	hosted_text = story_read(PRESETS_DIR "/hosted-at-home.yaml");
	return 0;
}

static int
free_all(void **state)
{
	(void)state;
	free(directory_text);
	free(catalog_text);
	free(policy_text);
	free(separate_text);
	free(hosted_text);
	return 0;
}

static const struct {
	const char *store, *residences;
} stores[] = {{"us", "US"}, {"eu", "IE DE FR ES"}, {"domestic", "CN"}};
static const struct {
	const char *purpose, *ticket;
} reasons[] = {{NULL, NULL}, {"moderation", "TS-7"}, {"moderation", NULL},
    {"analytics", NULL}, {"operations", NULL}};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static enum treatment
shown(const struct story *s, const struct clearance *cl, const char *table,
    const char *column)
{
	const struct catalog_table *t = catalog_find(s->catalog, "public",
	    table);
	const struct clearance_table *ct = clearance_find(cl, t);

	return ct->columns[catalog_column_find(t, column) - t->columns];
}

/* --- who gets what in the story --- */

static const struct {
	const char *who, *store, *residences, *purpose, *ticket;
	int64_t at_ms;
	const char *table, *column;
	enum treatment want;
} outcomes[] = {
	{"aoife", "us", "US", "moderation", "TS-1042", STORY_OCTOBER,
	    "comments", "body", TREAT_PLAIN},
	{"aoife", "eu", "IE DE", "moderation", "TS-1042", STORY_OCTOBER,
	    "comments", "body", TREAT_PLAIN},
	{"aoife", "us", "US", "moderation", "TS-1042", STORY_OCTOBER,
	    "profiles", "email", TREAT_ABSENT},
	{"aoife", "us", "US", "moderation", NULL, STORY_OCTOBER, "comments",
	    "body", TREAT_ABSENT},
	{"aoife", "domestic", "CN", "moderation", "TS-1", STORY_OCTOBER,
	    "comments", "body", TREAT_ABSENT},
	{"lina", "us", "US", "moderation", "TS-1", STORY_OCTOBER, "comments",
	    "body", TREAT_ABSENT},
	{"lina", "domestic", "CN", "moderation", "TS-1", STORY_OCTOBER,
	    "comments", "body", TREAT_PLAIN},
	{"ethan", "us", "US", "analytics", NULL, STORY_OCTOBER,
	    "watch_events", "city", TREAT_ABSENT},
	{"sam", "us", "US", "operations", NULL, STORY_OCTOBER,
	    "watch_events", "id", TREAT_PLAIN},
	{"sam", "us", "US", "operations", NULL, STORY_OCTOBER,
	    "watch_events", "city", TREAT_ABSENT},
	{"wei", "us", "US", NULL, NULL, STORY_OCTOBER, "messages", "body",
	    TREAT_ABSENT},
	{"wei", "domestic", "CN", NULL, NULL, STORY_OCTOBER, "messages",
	    "body", TREAT_PLAIN},
	{"wei", "domestic", "CN", NULL, NULL, STORY_OCTOBER, "profiles",
	    "email", TREAT_MASK},
	/* Until the administrator abroad no longer keeps its credentials. */
	{"feed-international", "us", "US", NULL, NULL, STORY_OCTOBER,
	    "messages", "body", TREAT_ABSENT},
	{"feed-international", "us", "US", NULL, NULL, STORY_NOVEMBER,
	    "messages", "body", TREAT_PLAIN},
	{"feed-domestic", "domestic", "CN", NULL, NULL, STORY_OCTOBER,
	    "messages", "body", TREAT_PLAIN},
	{"feed-domestic", "us", "US", NULL, NULL, STORY_OCTOBER, "messages",
	    "body", TREAT_ABSENT},
};

static void
story_decides_as_it_tells(void **state)
{
	struct arena *a = arena_new();
	struct story s;
	size_t i;

	(void)state;
	story_init(&s, directory_text, catalog_text, policy_text);
	for (i = 0; i < COUNT(outcomes); i++) {
		struct story_ask ask = {outcomes[i].who, outcomes[i].store,
		    outcomes[i].residences, outcomes[i].purpose,
		    outcomes[i].ticket, outcomes[i].at_ms};

		if (shown(&s, story_decide(&s, &ask, a), outcomes[i].table,
		    outcomes[i].column) != outcomes[i].want)
			fail_msg("%s in %s: %s.%s", outcomes[i].who,
			    outcomes[i].store, outcomes[i].table,
			    outcomes[i].column);
	}
	story_done(&s);
	arena_free(a);
}

/* --- mirrored --- */

static bool
is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* Exchanges the words CN and US; both are as long. */
static void
mirror(char *text)
{
	size_t i, len = strlen(text);

	for (i = 0; i + 1 < len; i++) {
		if ((i > 0 && is_word(text[i - 1])) || is_word(text[i + 2]))
			continue;
		if (memcmp(text + i, "CN", 2) == 0)
			memcpy(text + i, "US", 2);
		else if (memcmp(text + i, "US", 2) == 0)
			memcpy(text + i, "CN", 2);
	}
}

static char *
mirrored(const char *text)
{
	char *copy = strdup(text);

	assert_non_null(copy);
	mirror(copy);
	return copy;
}

/* Residences stand sorted in a line, so exchanging may change the order. */
static void
same_mirrored(const struct clearance *a, const struct clearance *b,
    const char *who)
{
	size_t i, k, m;

	for (i = 0; i < a->n_tables; i++) {
		const struct clearance_table *x = &a->tables[i];
		const struct clearance_table *y = &b->tables[i];

		if (x->readable != y->readable ||
		    x->n_residences != y->n_residences)
			fail_msg("%s differs mirrored", who);
		for (k = 0; x->columns != NULL && k < x->table->n_columns;
		    k++)
			assert_int_equal(x->columns[k], y->columns[k]);
		for (k = 0; k < x->n_residences; k++) {
			char label[40];

			(void)snprintf(label, sizeof(label), "%s",
			    x->residences[k]);
			mirror(label);
			for (m = 0; m < y->n_residences; m++)
				if (strcmp(y->residences[m], label) == 0)
					break;
			assert_true(m < y->n_residences);
		}
		for (k = 0; k < a->n_residences; k++) {
			struct arena *scratch = arena_new();
			struct policy_reason p, q;

			assert_int_equal(clearance_reason(a, i, k, scratch,
			    &p), 0);
			assert_int_equal(clearance_reason(b, i, k, scratch,
			    &q), 0);
			assert_int_equal(p.permitted, q.permitted);
			assert_int_equal(p.rule == NULL, q.rule == NULL);
			if (p.rule != NULL) {
				char *rule = mirrored(p.rule);

				assert_string_equal(rule, q.rule);
				free(rule);
			}
			arena_free(scratch);
		}
	}
}

/* Everybody, in every store, for every purpose; returns how often something
 * was readable, so that a test sees that it compared more than refusals. */
static unsigned
compare_mirrored(const char *directory, const char *policy)
{
	char *directory2 = mirrored(directory), *policy2 = mirrored(policy);
	char *catalog2 = mirrored(catalog_text), *residences;
	struct arena *a = arena_new();
	const struct clearance *one, *two;
	const char *const *ids;
	struct story s, t;
	size_t i, k, m, n;
	unsigned readable = 0;

	story_init(&s, directory, catalog_text, policy);
	story_init(&t, directory2, catalog2, policy2);
	assert_int_equal(directory_list(s.directory, STORY_OCTOBER, a, &ids,
	    &n), 0);
	assert_in_range(n, 1, 100);
	for (i = 0; i < n; i++)
		for (k = 0; k < COUNT(stores); k++)
			for (m = 0; m < COUNT(reasons); m++) {
				struct story_ask ask = {ids[i],
				    stores[k].store, stores[k].residences,
				    reasons[m].purpose, reasons[m].ticket,
				    STORY_OCTOBER};

				one = story_decide(&s, &ask, a);
				residences = mirrored(ask.residences);
				ask.residences = residences;
				two = story_decide(&t, &ask, a);
				free(residences);
				same_mirrored(one, two, ids[i]);
				readable += !one->empty;
			}
	story_done(&s);
	story_done(&t);
	arena_free(a);
	free(directory2);
	free(policy2);
	free(catalog2);
	return readable;
}

static void
story_works_mirrored(void **state)
{
	(void)state;
	assert_in_range(compare_mirrored(directory_text, policy_text), 5,
	    1000);
}

static void
separate_editions_works_mirrored(void **state)
{
	(void)state;
	assert_in_range(compare_mirrored(directory_text, separate_text), 5,
	    1000);
}

static const char hosted_directory[] =
    "directory: 1\nissuer: hr\n"
    "sites: {home: {country: US}, office: {country: US},"
    " far: {country: CN}}\n"
    "entities:\n"
    "  group: {country: CN, owners: {}, rest: dispersed}\n"
    "  home-subsidiary: {country: US, owners: {group: 100}}\n"
    "  hosting-operator: {country: US, owners: {}, rest: dispersed}\n"
    "people:\n"
    "  head: {employer: group, site: far, manager: none,"
    " roles: [moderator]}\n"
    "  chief: {employer: home-subsidiary, site: office, manager: none}\n"
    "  mod: {employer: home-subsidiary, site: office, manager: chief,"
    " roles: [moderator]}\n"
    "  told: {employer: home-subsidiary, site: office, manager: chief,"
    " instructor: head, roles: [moderator]}\n"
    "  lent: {employer: [home-subsidiary, {id: group, kind: contractor}],"
    " site: office, manager: chief, roles: [moderator]}\n"
    "  away: {employer: home-subsidiary, site: far, manager: chief,"
    " roles: [moderator]}\n"
    "  who: {employer: home-subsidiary, manager: chief,"
    " roles: [moderator]}\n"
    "  eng: {employer: hosting-operator, site: home, manager: none}\n"
    "services:\n"
    "  feed: {operator: hosting-operator, keepers: [eng], site: home}\n"
    "  leak: {operator: hosting-operator, keepers: [eng, head],"
    " site: home}\n"
    "  own: {operator: home-subsidiary, keepers: [chief], site: home}\n";

static void
hosted_at_home_works_and_works_mirrored(void **state)
{
	static const struct {
		const char *who, *purpose, *ticket, *table, *column;
		enum treatment want;
	} wants[] = {
		{"mod", "moderation", "TS-1", "comments", "body",
		    TREAT_PLAIN},
		{"mod", "moderation", "TS-1", "profiles", "email",
		    TREAT_MASK},
		{"mod", "moderation", "TS-1", "messages", "body",
		    TREAT_ABSENT},
		{"mod", "operations", "TS-1", "comments", "body",
		    TREAT_ABSENT},
		{"told", "moderation", "TS-1", "comments", "body",
		    TREAT_ABSENT},
		{"lent", "moderation", "TS-1", "comments", "body",
		    TREAT_ABSENT},
		{"away", "moderation", "TS-1", "comments", "body",
		    TREAT_ABSENT},
		{"who", "moderation", "TS-1", "comments", "body",
		    TREAT_ABSENT},
		{"head", "moderation", "TS-1", "comments", "body",
		    TREAT_ABSENT},
		{"eng", "operations", NULL, "videos", "id", TREAT_PLAIN},
		{"eng", "operations", NULL, "videos", "title", TREAT_ABSENT},
		{"feed", NULL, NULL, "messages", "body", TREAT_PLAIN},
		{"leak", NULL, NULL, "messages", "body", TREAT_ABSENT},
		{"own", NULL, NULL, "messages", "body", TREAT_ABSENT},
	};
	struct arena *a = arena_new();
	struct story s;
	size_t i;

	(void)state;
	story_init(&s, hosted_directory, catalog_text, hosted_text);
	for (i = 0; i < COUNT(wants); i++) {
		struct story_ask ask = {wants[i].who, "us", "US",
		    wants[i].purpose, wants[i].ticket, STORY_OCTOBER};

		if (shown(&s, story_decide(&s, &ask, a), wants[i].table,
		    wants[i].column) != wants[i].want)
			fail_msg("%s: %s.%s", wants[i].who, wants[i].table,
			    wants[i].column);
	}
	story_done(&s);
	arena_free(a);
	assert_in_range(compare_mirrored(hosted_directory, hosted_text), 3,
	    1000);
}

/* --- one fact less --- */

/* Where the value that begins at v ends: brackets closed, a comma, a
 * closing bracket that is not its own, a comment, or the line's end. */
static const char *
value_end(const char *v)
{
	int depth = 0;

	for (; *v != 0; v++) {
		if (depth == 0 && (*v == ',' || *v == '}' || *v == ']' ||
		    *v == '\n' || strncmp(v, " #", 2) == 0))
			break;
		if (*v == '{' || *v == '[')
			depth++;
		else if (*v == '}' || *v == ']')
			depth--;
	}
	return v;
}

/* The text without the fact of that key at `at`. */
static char *
without(const char *text, const char *at, const char *key)
{
	const char *end = value_end(at + strlen(key));
	size_t head = (size_t)(at - text);
	char *copy = strdup(text);

	assert_non_null(copy);
	while (*end == ',' || *end == ' ')
		end++;
	memmove(copy + head, end, strlen(end) + 1);
	return copy;
}

static void
no_more_than(const struct clearance *less, const struct clearance *full,
    const char *what)
{
	size_t i, k, m;

	for (i = 0; i < full->n_tables; i++) {
		const struct clearance_table *x = &less->tables[i];
		const struct clearance_table *y = &full->tables[i];

		if (x->readable && !y->readable)
			fail_msg("more is readable without%s", what);
		for (k = 0; x->columns != NULL && k < x->table->n_columns;
		    k++)
			if (x->columns[k] > y->columns[k])
				fail_msg("more is shown without%s", what);
		for (k = 0; k < x->n_residences; k++) {
			for (m = 0; m < y->n_residences; m++)
				if (strcmp(x->residences[k],
				    y->residences[m]) == 0)
					break;
			if (m == y->n_residences)
				fail_msg("more people without%s", what);
		}
	}
}

static unsigned
count_unknown(const struct story *s, struct arena *a, bool *flags)
{
	const struct control *c;
	const char *const *ids;
	unsigned count = 0;
	size_t i, n, k, p;

	assert_int_equal(directory_list(s->directory, STORY_OCTOBER, a, &ids,
	    &n), 0);
	for (i = 0; i < n; i++) {
		assert_int_equal(control_of(s->directory, ids[i],
		    STORY_OCTOBER, NULL, 0, a, &c), 0);
		for (k = 0, flags[i] = false; k < c->n; k++)
			if (strcmp(c->members[k].label,
			    CONTROL_UNKNOWN) == 0)
				for (p = 0; p < c->members[k].n_paths; p++)
					flags[i] = true;
		count += flags[i];
	}
	return count;
}

static void
compare_without(const struct story *full, const char *text, const char *what,
    bool adds_unknown)
{
	struct arena *a = arena_new();
	const char *const *ids;
	struct story less;
	bool flags[100];
	size_t i, k, m, n;

	story_init(&less, text, catalog_text, policy_text);
	assert_int_equal(directory_list(full->directory, STORY_NOVEMBER, a,
	    &ids, &n), 0);
	assert_in_range(n, 1, COUNT(flags));
	assert_int_equal(count_unknown(full, a, flags), 0);
	if (adds_unknown && count_unknown(&less, a, flags) == 0)
		fail_msg("nothing is unknown without%s", what);
	for (i = 0; i < n; i++)
		for (k = 0; k < COUNT(stores); k++)
			for (m = 0; m < COUNT(reasons); m++) {
				struct story_ask ask = {ids[i],
				    stores[k].store, stores[k].residences,
				    reasons[m].purpose, reasons[m].ticket,
				    STORY_NOVEMBER};

				no_more_than(story_decide(&less, &ask, a),
				    story_decide(full, &ask, a), what);
			}
	story_done(&less);
	arena_free(a);
}

static void
nobody_gains_when_a_fact_is_missing(void **state)
{
	/* An instructor that is left out adds nothing: it is the one fact
	 * whose absence is not taken as not known. */
	static const struct {
		const char *key;
		bool adds_unknown;
	} keys[] = {
		{" country: ", true}, {" employer: ", true}, {" site: ", true},
		{" manager: ", true}, {" operator: ", true},
		{" keepers: ", true}, {" owners: ", false},
		{" rest: ", false}, {" roles: ", false},
		{" principal-place: ", false}, {" nationality: ", false},
	};
	const char *begin = strstr(directory_text, "\nentities:"), *at;
	char what[60], *text;
	unsigned tried = 0;
	struct story full;
	size_t i;

	(void)state;
	assert_non_null(begin);
	story_init(&full, directory_text, catalog_text, policy_text);
	for (i = 0; i < COUNT(keys); i++)
		for (at = begin; (at = strstr(at + 1, keys[i].key)) != NULL;
		    tried++) {
			text = without(directory_text, at + 1,
			    keys[i].key + 1);
			(void)snprintf(what, sizeof(what), "%s%.20s",
			    keys[i].key, at + strlen(keys[i].key));
			compare_without(&full, text, what,
			    keys[i].adds_unknown);
			free(text);
		}
	assert_in_range(tried, 50, 200);
	story_done(&full);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(story_decides_as_it_tells),
		cmocka_unit_test(story_works_mirrored),
		cmocka_unit_test(separate_editions_works_mirrored),
		cmocka_unit_test(hosted_at_home_works_and_works_mirrored),
		cmocka_unit_test(nobody_gains_when_a_fact_is_missing),
	};

	return cmocka_run_group_tests(tests, read_all, free_all);
}

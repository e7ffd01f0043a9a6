/* Names in rules that nothing of a configuration has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/err.h"
#include "catalog/catalog.h"
#include "directory/directory.h"
#include "policy/policy.h"

static const char catalog_text[] =
    "catalog: c\ncategories: [contact]\n"
    "subjects: {table: public.users, key: id, residence: store}\n"
    "tables:\n"
    "  public.users: {subject: self, columns: {id: contact}}\n";

static const char directory_text[] =
    "directory: 1\nissuer: x\n"
    "entities:\n  acme: {country: US, owners: {}, rest: dispersed}\n"
    "people:\n  ann: {employer: acme, manager: none}\n";

static const char policy_text[] =
    "policy: p\nversion: 1\npurposes: [work]\nrules:\n"
    "  - rule: fine\n"
    "    permit: read\n"
    "    who: {principals: [ann], employed-by: [acme]}\n"
    "    what: {stores: [us], tables: [public.users],"
    " categories: [contact]}\n"
    "    whose: [US]\n"
    "  - rule: strange\n"
    "    forbid: read\n"
    "    who: {principals: [bob], employed-by: [ann-co]}\n"
    "    what: {stores: [uk], tables: [public.user],"
    " categories: [contct]}\n"
    "    whose: [SU]\n";

struct seen {
	char text[1000];
	size_t n;
};

static void
note(void *arg, unsigned line, unsigned column, const char *rule,
    const char *what, const char *name)
{
	struct seen *s = arg;
	size_t len = strlen(s->text);

	assert_string_equal(rule, "strange");
	assert_int_equal(line, 10);
	assert_int_equal(column, 5);
	(void)snprintf(s->text + len, sizeof(s->text) - len, "%s %s\n", what,
	    name);
	s->n++;
}

static void
names_that_nothing_has_are_shown_and_others_are_not(void **state)
{
	static const char *const wanted[] = {"principal bob\n",
	    "entity ann-co\n", "store uk\n", "table public.user\n",
	    "category contct\n", "residence SU\n"};
	const char *const stores[] = {"us"}, *const residences[] = {"US"};
	struct directory *d = NULL;
	struct catalog *c = NULL;
	struct policy *p = NULL;
	struct seen seen = {0};
	struct why w;
	size_t i;

	(void)state;
	assert_int_equal(catalog_load(catalog_text, strlen(catalog_text), &c,
	    &w), 0);
	assert_int_equal(directory_load(directory_text,
	    strlen(directory_text), &d, &w), 0);
	assert_int_equal(policy_load(policy_text, strlen(policy_text), &p,
	    &w), 0);
	{
		const struct catalog *catalogs[] = {c};
		const struct policy_known known = {stores, 1, residences, 1,
		    catalogs, 1, d};

		policy_strange(p, &known, note, &seen);
	}
	assert_int_equal(seen.n, sizeof(wanted) / sizeof(wanted[0]));
	for (i = 0; i < seen.n; i++)
		assert_non_null(strstr(seen.text, wanted[i]));
	policy_free(p);
	directory_free(d);
	catalog_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    names_that_nothing_has_are_shown_and_others_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

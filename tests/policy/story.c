#include "story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

#define FILE_MAX ((size_t)1 << 20)
#define RESIDENCES_MAX 16

char *
story_read(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text;
	size_t n;

	if (f == NULL)
		fail_msg("%s cannot be opened", path);
	assert_non_null(text = malloc(FILE_MAX));
	n = fread(text, 1, FILE_MAX - 1, f);
	text[n] = 0;
	(void)fclose(f);		/* only read */
	return text;
}

void
story_init(struct story *s, const char *directory, const char *catalog,
    const char *policy)
{
	struct why w = {0};

	memset(s, 0, sizeof(*s));
	if (directory_load(directory, strlen(directory), &s->directory,
	    &w) != 0)
		fail_msg("directory:%u:%u: %s", w.line, w.column, w.text);
	if (catalog_load(catalog, strlen(catalog), &s->catalog, &w) != 0)
		fail_msg("catalog:%u:%u: %s", w.line, w.column, w.text);
	if (policy_load(policy, strlen(policy), &s->policy, &w) != 0)
		fail_msg("policy:%u:%u: %s", w.line, w.column, w.text);
}

void
story_done(struct story *s)
{
	directory_free(s->directory);
	catalog_free(s->catalog);
	policy_free(s->policy);
}

/* The words of a text, in the arena. */
static size_t
split(const char *text, struct arena *a, const char **ret)
{
	size_t n = 0, len;

	while (*(text += strspn(text, " ")) != 0) {
		len = strcspn(text, " ");
		assert_in_range(n, 0, RESIDENCES_MAX - 1);
		assert_non_null(ret[n++] = arena_strn(a, text, len));
		text += len;
	}
	return n;
}

const struct clearance *
story_decide(const struct story *s, const struct story_ask *ask,
    struct arena *a)
{
	const char **residences = arena_array(a, RESIDENCES_MAX,
	    sizeof(*residences));
	struct policy_request q = {.store = ask->store,
	    .catalog = s->catalog, .purpose = ask->purpose,
	    .ticket = ask->ticket, .at_ms = ask->at_ms};
	const struct clearance *cl;

	assert_non_null(residences);
	q.residences = residences;
	q.n_residences = split(ask->residences, a, residences);
	assert_int_equal(directory_principal(s->directory, ask->who,
	    ask->at_ms, a, &q.who), 0);
	assert_int_equal(control_of(s->directory, ask->who, ask->at_ms, NULL,
	    0, a, &q.control), 0);
	assert_int_equal(policy_decide(s->policy, &q, a, &cl), 0);
	return cl;
}

#include "cli/options.h"

#include <stdio.h>
#include <string.h>

#include "base/time.h"

static int
wrong(const char *usage, const char *what, const char *which)
{
	(void)fprintf(stderr, "sworn: %s%s%s%s\n%s", what,
	    *which != 0 ? " \"" : "", which, *which != 0 ? "\"" : "", usage);
	return 2;
}

static const struct option_slot *
find_slot(const struct option_slot *slots, const char *name)
{
	for (; slots->name != NULL; slots++)
		if (strcmp(slots->name, name) == 0)
			return slots;
	return NULL;
}

int
options_read(int argc, char **argv, const struct option_slot *slots,
    const char **words, size_t n_words, const char *usage)
{
	const struct option_slot *s;
	size_t n = 0;
	int i;

	for (i = 1; i < argc; i++) {
		if (argv[i][0] != '-') {
			if (n == n_words)
				return wrong(usage, "one word too many:",
				    argv[i]);
			words[n++] = argv[i];
			continue;
		}
		if ((s = find_slot(slots, argv[i])) == NULL)
			return wrong(usage, "no such option:", argv[i]);
		if (s->flag != NULL) {
			*s->flag = true;
			continue;
		}
		if (*s->value != NULL)
			return wrong(usage, "given twice:", argv[i]);
		if (i + 1 == argc)
			return wrong(usage, "no value after", argv[i]);
		*s->value = argv[++i];
	}
	return n == n_words ? 0 : wrong(usage, "something is missing", "");
}

int
options_time(const char *text, int64_t *ret_ms)
{
	if (text == NULL) {
		*ret_ms = clock_now_ms();
		return 0;
	}
	if (time_parse(text, strlen(text), ret_ms) == 0)
		return 0;
	(void)fprintf(stderr, "sworn: \"%s\" is not a time; write it as "
	    "2026-11-23 or 2026-11-23T17:40:00Z\n", text);
	return 1;
}

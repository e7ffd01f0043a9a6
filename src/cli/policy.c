/*
 * sworn policy test | lint | diff: what to ask before a policy is in force;
 * history | show: what was.
 */
#include "cli/policy.h"

#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} parts[] = {
	{"test", cmd_policy_test},
	{"lint", cmd_policy_lint},
	{"diff", cmd_policy_diff},
	{"history", cmd_policy_history},
	{"show", cmd_policy_show},
};

int
cmd_policy(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc > 1 && i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strcmp(argv[1], parts[i].name) == 0)
			return parts[i].run(argc - 1, argv + 1);
	(void)fprintf(stderr, "usage: sworn policy test FILE -c FILE\n"
	    "       sworn policy lint -c FILE | --log DIR [--strict]\n"
	    "       sworn policy diff OLD NEW -c FILE\n"
	    "       sworn policy history --log DIR [--diff] [--json]\n"
	    "       sworn policy show --log DIR [--at TIME | --version V] "
	    "[--out FOLDER]\n");
	return 2;
}

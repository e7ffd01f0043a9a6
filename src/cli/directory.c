/*
 * sworn directory import | instructors: facts that others keep, as facts of
 * the directory.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/directory.h"

int
cmd_directory(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "import") == 0)
		return cmd_directory_import(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "instructors") == 0)
		return cmd_directory_instructors(argc - 1, argv + 1);
	(void)fputs(directory_import_usage, stderr);
	(void)fputs(directory_instructors_usage, stderr);
	return 2;
}

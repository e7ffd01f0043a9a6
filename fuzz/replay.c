/*
 * replay FOLDER-OR-FILE... - a fuzzer's inputs in the ordinary test run.
 *
 * Linked with one fuzz_*.c each: runs every file of the folders given, in
 * order of name, and prints TAP. What went wrong ends the program, so the
 * file named last is the one.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static unsigned count;

static int
replay_file(const char *path)
{
	uint8_t *data = NULL;
	FILE *f;
	struct stat st;
	int r = -1;

	if ((f = fopen(path, "rb")) == NULL)
		return -1;
	if (fstat(fileno(f), &st) != 0 || (size_t)st.st_size > INPUT_MAX)
		goto out;
	/* Exactly as long as the input, so that reading on is noticed. */
	data = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);
	if (data == NULL ||
	    fread(data, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
		goto out;
	printf("# %s\n", path);
	(void)fflush(stdout); /* a crash must not hide the name */
	(void)LLVMFuzzerTestOneInput(data, (size_t)st.st_size); /* always 0 */
	printf("ok %u - %s\n", ++count, path);
	r = 0;
out:
	free(data);
	(void)fclose(f); /* only read */
	return r;
}

static int
replay_folder(const char *path)
{
	struct dirent **names;
	char file[4096];
	int i, n, r = 0;

	if ((n = scandir(path, &names, NULL, alphasort)) < 0)
		return replay_file(path);
	for (i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.' && r == 0) {
			if ((size_t)snprintf(file, sizeof(file), "%s/%s",
			    path, names[i]->d_name) >= sizeof(file))
				r = -1;
			else
				r = replay_file(file);
		}
		free(names[i]);
	}
	free(names);
	return r;
}

int
main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (replay_folder(argv[i]) != 0) {
			printf("not ok %u - %s cannot be read\n", ++count,
			    argv[i]);
			break;
		}
	}
	printf("1..%u\n", count);
	return i < argc || count == 0;
}

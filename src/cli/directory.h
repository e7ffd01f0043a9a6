/*
 * cli/directory.h - what the parts of `sworn directory` share: the file that
 * is changed, and how.
 */
#ifndef CLI_DIRECTORY_H
#define CLI_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct directory;
struct draft;
struct findings;
struct merge;

extern const char directory_import_usage[];
extern const char directory_instructors_usage[];
int cmd_directory_import(int argc, char **argv);
int cmd_directory_instructors(int argc, char **argv);

struct directory_target {
	const char *into, *out;		/* one of them is NULL */
	bool dry_run, all;		/* all: every difference is written */
	bool allow_leave;		/* however many leave */
	char *path;			/* of the file itself, links followed */
	char *head;			/* comments before its first key */
	struct stat was;
	struct directory *loaded;	/* NULL: there is none yet */
	struct draft *known;
};

/*
 * Loads what there is. 0, or 1 having said on stderr what is wrong; `issuer`
 * is that of a new directory. directory_target_close in any case.
 */
int directory_target_open(struct directory_target *t, const char *issuer);
void directory_target_close(struct directory_target *t);
/*
 * Puts facts into the target: says what changes, and writes it unless this
 * is a dry run. 0, or 1 having said on stderr what is wrong; the file is
 * then as it was. `fresh` must outlive the target.
 */
int directory_target_put(struct directory_target *t,
    const struct draft *fresh, const struct merge *m, struct findings *f);
/* Findings on stderr; 1 if there is an error among them. */
int directory_say(const struct findings *f);

#endif

/*
 * sworn forget -c FILE STORE SUBJECT --admin DSN
 *
 * Takes a subject's tag out of the store. Records keep it, and their proofs
 * hold; but from then on nothing leads from it to anybody. A subject who is
 * still in the store gets another at the next apply.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/cmd.h"
#include "cli/db.h"
#include "cli/load.h"
#include "gateway/config.h"

struct forget {
	const char *file, *store, *subject, *admin;
};

static int
usage(void)
{
	(void)fprintf(stderr, "usage: sworn forget -c FILE STORE SUBJECT "
	    "--admin DSN\n");
	return 2;
}

static int
parse(struct forget *f, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-c") == 0 && i + 1 < argc)
			f->file = argv[++i];
		else if (strcmp(argv[i], "--admin") == 0 && i + 1 < argc)
			f->admin = argv[++i];
		else if (argv[i][0] == '-' || f->subject != NULL)
			return ERR_FORMAT;
		else if (f->store == NULL)
			f->store = argv[i];
		else
			f->subject = argv[i];
	}
	return f->file != NULL && f->subject != NULL && f->admin != NULL ?
	    0 : ERR_FORMAT;
}

static int
forget_tag(const struct forget *f)
{
	const char *const params[] = {f->subject};
	PGconn *c = NULL;
	PGresult *rows = NULL;
	int r;

	if ((r = db_open(f->admin, &c)) == 0 && (r = db_rows_with(c,
	    "forgetting", "DELETE FROM sworn_tag.tag WHERE key::text = $1 "
	    "RETURNING 1", 1, params, &rows)) == 0 && PQntuples(rows) == 0) {
		(void)fprintf(stderr, "sworn forget: store %s has no tag of "
		    "subject %s\n", f->store, f->subject);
		r = ERR_MISSING;
	}
	if (r == 0)
		(void)printf("store %s: subject %s is forgotten: no record "
		    "leads to it any more\n", f->store, f->subject);
	PQclear(rows);
	PQfinish(c);
	return r;
}

int
cmd_forget(int argc, char **argv)
{
	struct forget f = {0};
	struct config *config;
	int r = ERR_MISSING;

	if (parse(&f, argc, argv) != 0)
		return usage();
	if ((config = load_config(f.file)) == NULL)
		return 1;
	if (config_store_find(config, f.store) == NULL)
		(void)fprintf(stderr, "sworn forget: %s has no store \"%s\"\n",
		    f.file, f.store);
	else
		r = forget_tag(&f);
	config_free(config);
	return r == 0 ? 0 : 1;
}

/*
 * sworn: one program, one file per subcommand.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"run", cmd_run, "run the gateway: sworn run -c FILE"},
	{"reload", cmd_reload, "have a running gateway read its files anew: "
	    "sworn reload FILE"},
	{"check", cmd_check, "say whether a configuration is sound: "
	    "sworn check -c FILE"},
	{"apply", cmd_apply, "make a store enforce the policy: "
	    "sworn apply -c FILE STORE --admin DSN"},
	{"catalog", cmd_catalog, "read a database and print a catalog to "
	    "review: sworn catalog suggest DSN"},
	{"drift", cmd_drift, "what differs in a store from what apply made: "
	    "sworn drift -c FILE STORE --admin DSN"},
	{"placement", cmd_placement, "rows in the wrong place, and ways out: "
	    "sworn placement check -c FILE STORE --admin DSN"},
	{"forget", cmd_forget, "take out what leads from records to a subject: "
	    "sworn forget -c FILE STORE SUBJECT --admin DSN"},
	{"seen", cmd_seen, "who saw a subject's data: "
	    "sworn seen -c FILE STORE SUBJECT --admin DSN"},
	{"reconcile", cmd_reconcile, "hold a store's own log to the record: "
	    "sworn reconcile -c FILE STORE --pg-log FILE..."},
	{"request", cmd_request, "ask for what a rule wants approved: "
	    "sworn request STORE RULE --for 1h --why ..."},
	{"approval", cmd_approval, "what was asked for, and the answer: "
	    "sworn approval list|show|approve|deny|revoke|review"},
	{"directory", cmd_directory, "people and entities from LDAP, SCIM, "
	    "tables: sworn directory import|instructors"},
	{"control", cmd_control, "who stands behind a principal: "
	    "sworn control -c FILE PRINCIPAL"},
	{"explain", cmd_explain, "what a session would be shown, and why: "
	    "sworn explain -c FILE PRINCIPAL STORE"},
	{"who-can", cmd_who_can, "everybody who reaches something: "
	    "sworn who-can -c FILE"},
	{"policy", cmd_policy, "try a policy before it is in force, or see "
	    "what was: sworn policy test|lint|diff|history|show"},
	{"passwd", cmd_passwd, "set how a principal logs in: "
	    "sworn passwd FILE PRINCIPAL"},
	{"login", cmd_login, "which rule decides how somebody comes in: "
	    "sworn login check -c FILE ..."},
	{"key", cmd_key, "make, show or change a log's key: "
	    "sworn key new --name ORIGIN --out FILE"},
	{"log", cmd_log, "copy, serve or have a log cosigned: "
	    "sworn log mirror URL|DIR DEST --key VKEY"},
	{"witness", cmd_witness, "cosign logs that only ever grow: "
	    "sworn witness run -c FILE"},
};

static void
usage(FILE *out)
{
	size_t i;

	(void)fprintf(out, "sworn: a gateway in front of PostgreSQL that "
	    "decides, records and can prove who saw whose data\n\n");
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		(void)fprintf(out, "  %-9s %s\n", commands[i].name,
		    commands[i].help);
	(void)fprintf(out, "\nsworn --version tells the version; sworn(1) "
	    "has the rest. A log is checked by sworn-verify.\n");
}

int
main(int argc, char **argv)
{
	size_t i;

	if (argc < 2) {
		usage(stderr);
		return 2;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		usage(stdout);
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		(void)printf("sworn %s\n", SWORN_VERSION);
		return 0;
	}
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	(void)fprintf(stderr, "sworn: no command \"%s\"; sworn --help lists "
	    "them\n", argv[1]);
	return 2;
}

#include "verify/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "logdir/logfile.h"

enum option_code {
	OPT_LOG = 1,
	OPT_KEY,
	OPT_CHECKPOINT,
	OPT_STORE_LOG,
	OPT_JSON,
	OPT_ALL,
	OPT_WITNESS,
	OPT_QUORUM,
	OPT_QUORUM_FILE,
	OPT_CLAIM,
	OPT_EVIDENCE,
	OPT_HTML,
	OPT_LINT,
};

/* What is checked, and which options that allows. */
struct mode {
	const char *name;
	const char *operand;
	const char *options;		/* of `known`, by their codes */
};

static const struct mode modes[] = {
	{"log", "name one log's folder",
	    (const char[]){OPT_KEY, OPT_CHECKPOINT, OPT_WITNESS,
	    OPT_QUORUM, OPT_QUORUM_FILE, OPT_JSON, OPT_ALL, 0}},
	{"claim", "name one claim file",
	    (const char[]){OPT_LOG, OPT_KEY, OPT_CHECKPOINT, OPT_STORE_LOG,
	    OPT_WITNESS, OPT_QUORUM, OPT_QUORUM_FILE,
	    OPT_JSON, OPT_ALL, OPT_EVIDENCE, OPT_HTML, OPT_LINT, 0}},
	{"evidence", "name one folder of evidence",
	    (const char[]){OPT_KEY, OPT_CLAIM, OPT_JSON, OPT_ALL, OPT_HTML,
	    0}},
	{"seen", "name one folder that sworn seen --proof wrote",
	    (const char[]){OPT_KEY, 0}},
};

static const struct option known[] = {
	{"log", required_argument, NULL, OPT_LOG},
	{"key", required_argument, NULL, OPT_KEY},
	{"checkpoint", required_argument, NULL, OPT_CHECKPOINT},
	{"store-log", required_argument, NULL, OPT_STORE_LOG},
	{"json", no_argument, NULL, OPT_JSON},
	{"all", no_argument, NULL, OPT_ALL},
	{"witness", required_argument, NULL, OPT_WITNESS},
	{"quorum", required_argument, NULL, OPT_QUORUM},
	{"quorum-file", required_argument, NULL, OPT_QUORUM_FILE},
	{"claim", required_argument, NULL, OPT_CLAIM},
	{"evidence", required_argument, NULL, OPT_EVIDENCE},
	{"html", required_argument, NULL, OPT_HTML},
	{"lint", no_argument, NULL, OPT_LINT},
	{NULL, 0, NULL, 0},
};

static int
complain(const char *what, const char *of)
{
	(void)fprintf(stderr, "sworn-verify: %s%s\n", what, of);
	return -1;
}

static int
add_key(struct options *o, const char *text)
{
	if (o->n_keys == OPTIONS_MAX)
		return complain("too many keys", "");
	if (note_key_read(text, strlen(text), &o->keys[o->n_keys]) != 0)
		return complain("no verifier key (name+hex+base64): ", text);
	o->n_keys++;
	return 0;
}

/* Two names of one key would be one witness counted twice. */
static int
add_witness(struct options *o, const char *text)
{
	struct note_key *k = &o->witnesses[o->n_witnesses];
	size_t i;

	if (o->n_witnesses == OPTIONS_MAX)
		return complain("too many witnesses", "");
	if (note_key_read(text, strlen(text), k) != 0 || k->type != 0x04)
		return complain("no witness's verifier key: ", text);
	for (i = 0; i < o->n_witnesses; i++)
		if (memcmp(o->witnesses[i].public, k->public,
		    sizeof(k->public)) == 0)
			return complain("the same witness twice: ", text);
	o->n_witnesses++;
	return 0;
}

static int
set_number(const char *text, size_t *ret)
{
	uint64_t n;

	if (text_u64(text, strlen(text), &n) != 0 || n == 0 ||
	    n > OPTIONS_MAX)
		return complain("no quorum: ", text);
	*ret = (size_t)n;
	return 0;
}

/* The keys of logs in it are trusted like those given by --key. */
static int
read_quorum_file(struct options *o, const char *path)
{
	const struct quorum_party *logs;
	struct why w = {0};
	struct buf text;
	size_t i, n;
	int r;

	buf_init(&text, 0);
	if ((r = logfile_read(path, QUORUM_FILE_MAX, &text)) == 0)
		r = quorum_read((const char *)text.data, text.len, &o->quorum,
		    &w);
	buf_done(&text);
	if (r != 0) {
		(void)fprintf(stderr, "sworn-verify: %s:%u: %s\n", path,
		    w.line, w.text[0] != 0 ? w.text : err_text(r));
		return -1;
	}
	if (quorum_least(o->quorum) == 0)
		return complain("its quorum is none, which demands nothing: ",
		    path);
	logs = quorum_logs(o->quorum, &n);
	for (i = 0; i < n; i++) {
		if (o->n_keys == OPTIONS_MAX)
			return complain("too many keys", "");
		o->keys[o->n_keys++] = logs[i].key;
	}
	return 0;
}

/* All of them, if not said. */
static int
make_quorum(struct options *o, const char *file, size_t number)
{
	if (file != NULL)
		return o->n_witnesses == 0 && number == 0 ?
		    read_quorum_file(o, file) : complain("--quorum-file names "
		    "the witnesses and the quorum; leave --witness and "
		    "--quorum out", "");
	if (number > o->n_witnesses)
		return complain("--quorum is more than there are --witness",
		    "");
	if (o->n_witnesses == 0)
		return 0;
	if (quorum_of(o->witnesses, o->n_witnesses, number == 0 ?
	    o->n_witnesses : number, &o->quorum) != 0)
		return complain("out of memory", "");
	return 0;
}

static int
add_store_log(struct options *o, char *text)
{
	char *equal = strchr(text, '=');

	if (o->n_store_logs == OPTIONS_MAX)
		return complain("too many store logs", "");
	if (equal == NULL || equal == text || equal[1] == 0)
		return complain("--store-log wants STORE=FILE, not ", text);
	*equal = 0;
	o->store_logs[o->n_store_logs].store = text;
	o->store_logs[o->n_store_logs++].path = equal + 1;
	return 0;
}

static int
add_path(const char **list, size_t *n, const char *path)
{
	if (*n == OPTIONS_MAX)
		return complain("too many of these: ", path);
	list[(*n)++] = path;
	return 0;
}

/* What is looked at when all has been read. */
struct late {
	const char *kept[OPTIONS_MAX];
	const char *quorum_file;
	size_t quorum;
};

static int
take(struct options *o, int c, char *arg, struct late *late)
{
	switch (c) {
	case OPT_LOG:
		return add_path(o->logs, &o->n_logs, arg);
	case OPT_KEY:
		return add_key(o, arg);
	case OPT_CHECKPOINT:
		return add_path(late->kept, &o->n_kept, arg);
	case OPT_STORE_LOG:
		return add_store_log(o, arg);
	case OPT_JSON:
		o->json = true;
		return 0;
	case OPT_ALL:
		o->all = true;
		return 0;
	case OPT_WITNESS:
		return add_witness(o, arg);
	case OPT_QUORUM:
		return set_number(arg, &late->quorum);
	case OPT_QUORUM_FILE:
		late->quorum_file = arg;
		return 0;
	case OPT_CLAIM:
		o->claim = arg;
		return 0;
	case OPT_EVIDENCE:
		o->evidence = arg;
		return 0;
	case OPT_HTML:
		o->html = arg;
		return 0;
	case OPT_LINT:
		o->lint = true;
		return 0;
	}
	return -1;		/* getopt has said why */
}

static int
take_operand(struct options *o, const struct mode *m, int argc, char **argv)
{
	if (argc - optind != 1)
		return complain(m->operand, "");
	if (strcmp(m->name, "claim") == 0)
		o->claim = argv[optind];
	else if (strcmp(m->name, "evidence") == 0 ||
	    strcmp(m->name, "seen") == 0)
		o->bundle = argv[optind];
	else
		o->logs[o->n_logs++] = argv[optind];
	return 0;
}

static int
check(const struct options *o)
{
	if (o->n_keys == 0)
		return complain("--key is needed: the verifier key of the "
		    "log's operator, from a source that you trust", "");
	if (o->lint && (o->evidence != NULL || o->html != NULL ||
	    o->n_store_logs > 0))
		return complain("--lint gives no verdict, so it goes with "
		    "neither --evidence, --html nor --store-log", "");
	if (o->bundle == NULL && o->n_logs == 0)
		return complain("--log is needed: the folder of each "
		    "gateway's log", "");
	return 0;
}

static const struct mode *
mode_of(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(modes[i].name, name) == 0)
			return &modes[i];
	return NULL;
}

int
options_read(struct options *o, int argc, char **argv)
{
	const struct mode *m = mode_of(argv[0]);
	struct late late = {.quorum = 0};
	struct why w;
	size_t i;
	int c;

	memset(o, 0, sizeof(*o));
	if (m == NULL)
		return complain("no such command: ", argv[0]);
	optind = 1;
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c != '?' && strchr(m->options, c) == NULL)
			return complain("this option is not for ", m->name);
		if (take(o, c, optarg, &late) != 0)
			return -1;
	}
	if (take_operand(o, m, argc, argv) != 0 ||
	    make_quorum(o, late.quorum_file, late.quorum) != 0 ||
	    check(o) != 0)
		return -1;
	for (i = 0; i < o->n_kept; i++)
		if (logread_kept_read(late.kept[i], o->keys, o->n_keys,
		    &o->kept[i], &w) != 0)
			return complain(w.text, "");
	return 0;
}

void
options_done(struct options *o)
{
	quorum_free(o->quorum);
	o->quorum = NULL;
}

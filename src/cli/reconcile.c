/*
 * sworn reconcile -c FILE STORE --pg-log FILE...: is what the store itself
 * wrote down what the gateways recorded?
 *
 *	gateways' logs -> sessions, logins, statements
 *	store's log    -> logins, statements, its own gaps
 *	what differs   -> said here, and a record of the gateway, durable
 *
 * The record is the operator's word: whoever trusts them less takes the
 * store's log and sworn-verify.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "claim/logins.h"
#include "claim/reconcile.h"
#include "cli/cmd.h"
#include "cli/load.h"
#include "cli/reconcile_say.h"
#include "cli/say.h"
#include "cli/supervisor.h"
#include "crypto/hash.h"
#include "gateway/config.h"
#include "gateway/reconciled.h"
#include "logdir/logfile.h"
#include "logdir/logread.h"

#define FILES_MAX 1024
#define LOGS_MAX 64
#define FOUND_MAX 100000	/* kept to be printed */
#define RECORD_ROOM (RECONCILED_MAX - 1024)	/* who it is comes to it */
#define EXIT_DIFFERS 3

static const char usage[] =
"usage: sworn reconcile -c FILE STORE --pg-log FILE... | --pgaudit FILE...\n"
"                       [--from TIME] [--to TIME] [--log DIR]... [--json]\n"
"                       [--all] [--dry-run]\n";

struct run {
	const char *file, *store, *from, *to;
	const char *paths[FILES_MAX];
	size_t n_paths;
	const char *logs[LOGS_MAX];	/* of other gateways */
	size_t n_logs;
	bool pgaudit, json, all, dry;
	struct arena *a;
	struct config *config;
	struct reconcile *r;
	struct record_reconciled out;
	struct record_file_read files[FILES_MAX];
	struct record_finding *found;
	size_t n_found, cap_found;
	uint64_t seq;
	int64_t to_ms, last_ms;
	bool damaged;
	struct hash *hash;		/* of the file being read */
	uint64_t len;
};

static int
fail(const char *what, const char *which)
{
	(void)fprintf(stderr, "sworn reconcile: %s%s\n", what, which);
	return 1;
}

/* ---- the command line ---- */

static int
wrong(const char *what, const char *which)
{
	(void)fail(what, which);
	(void)fputs(usage, stderr);
	return 2;
}

/* All words up to the next option. */
static int
take_files(struct run *x, bool pgaudit, int argc, char **argv, int *i)
{
	if (x->n_paths > 0)
		return wrong("name the store's log once, by --pg-log or by "
		    "--pgaudit", "");
	x->pgaudit = pgaudit;
	for (; *i + 1 < argc && argv[*i + 1][0] != '-'; (*i)++) {
		if (x->n_paths == FILES_MAX)
			return wrong("too many files", "");
		x->paths[x->n_paths++] = argv[*i + 1];
	}
	return x->n_paths > 0 ? 0 : wrong("no file after ", argv[*i]);
}

static int
take_flag(struct run *x, const char *name)
{
	if (strcmp(name, "--json") == 0)
		x->json = true;
	else if (strcmp(name, "--all") == 0)
		x->all = true;
	else if (strcmp(name, "--dry-run") == 0)
		x->dry = true;
	else
		return wrong("no such option: ", name);
	return 0;
}

static const char **
slot_of(struct run *x, const char *name)
{
	if (strcmp(name, "-c") == 0)
		return &x->file;
	if (strcmp(name, "--from") == 0)
		return &x->from;
	if (strcmp(name, "--to") == 0)
		return &x->to;
	if (strcmp(name, "--log") == 0)
		return x->n_logs == LOGS_MAX ? NULL : &x->logs[x->n_logs++];
	return NULL;
}

static int
read_words(struct run *x, int argc, char **argv)
{
	const char **slot;
	int i, r;

	for (i = 1; i < argc; i++) {
		r = 0;
		if (argv[i][0] != '-') {
			if (x->store != NULL)
				return wrong("one word too many: ", argv[i]);
			x->store = argv[i];
		} else if (strcmp(argv[i], "--pg-log") == 0) {
			r = take_files(x, false, argc, argv, &i);
		} else if (strcmp(argv[i], "--pgaudit") == 0) {
			r = take_files(x, true, argc, argv, &i);
		} else if ((slot = slot_of(x, argv[i])) == NULL) {
			r = take_flag(x, argv[i]);
		} else if (*slot != NULL || i + 1 == argc) {
			return wrong("once, and with a value: ", argv[i]);
		} else {
			*slot = argv[++i];
		}
		if (r != 0)
			return r;
	}
	if (x->file == NULL || x->store == NULL || x->n_paths == 0)
		return wrong("something is missing", "");
	return 0;
}

static int
time_of(const char *text, int64_t *ret)
{
	*ret = 0;
	if (text == NULL || (time_parse(text, strlen(text), ret) == 0 &&
	    *ret > 0))
		return 0;
	return wrong("no time such as 2026-11-23 or 2026-11-23T17:40:00Z: ",
	    text);
}

/* ---- the gateways' logs ---- */

static int
on_damage(void *arg, const char *what, const char *text)
{
	struct run *x = arg;

	(void)what;
	if (!x->damaged)
		(void)fail("the log is not whole: ", text);
	x->damaged = true;
	return 0;
}

static int
on_record(void *arg, const struct record *rec, struct bytes entry)
{
	struct run *x = arg;

	(void)entry;
	x->last_ms = rec->time_ms;
	return reconcile_record(x->r, rec);
}

static int
read_log(struct run *x, const char *dir)
{
	struct note_key key;
	struct logread l = {
		.dir = dir, .keys = &key, .n_keys = 1, .arg = x,
		.damage = on_damage, .record = on_record,
	};
	char at[TIME_TEXT_MAX];
	struct why w = {0};
	int r;

	if (logread_own_key(dir, &key, &w) != 0)
		return fail(w.text, "");
	if ((r = logread(&l)) != 0 || (r = reconcile_log_end(x->r)) != 0)
		return say_error(r);
	if (x->damaged)
		return 1;
	if (x->to_ms <= x->last_ms)
		return 0;
	time_text(x->last_ms, at);
	(void)fprintf(stderr, "sworn reconcile: --to is later than the log "
	    "in %s, which goes to %s\n", dir, at);
	return 1;
}

static int
read_logs(struct run *x)
{
	size_t i;

	if (read_log(x, x->config->log_dir) != 0)
		return 1;
	for (i = 0; i < x->n_logs; i++)
		if (read_log(x, x->logs[i]) != 0)
			return 1;
	return 0;
}

/* ---- the store's log ---- */

static int
feed(void *arg, const void *data, size_t len)
{
	struct run *x = arg;
	int r;

	x->len += len;
	if ((r = hash_add(x->hash, data, len)) != 0)
		return r;
	return logins_feed(reconcile_logins(x->r), data, len);
}

static int
file_hash(struct run *x, struct record_file_read *ret)
{
	uint8_t hash[HASH_LEN];
	struct buf b;
	int r;

	if ((r = hash_end(x->hash, hash)) != 0)
		return say_error(r);
	buf_init(&b, 0);
	text_hex(&b, hash, sizeof(hash));
	ret->sha256 = buf_text(&b) == NULL ? NULL :
	    arena_str(x->a, (const char *)b.data);
	ret->len = x->len;
	buf_done(&b);
	return ret->sha256 == NULL ? say_error(ERR_MEMORY) : 0;
}

static int
read_file(struct run *x, const char *path, struct record_file_read *ret)
{
	struct logins *l = reconcile_logins(x->r);
	int r;

	x->len = 0;
	hash_free(x->hash);
	if ((x->hash = hash_new()) == NULL)
		return say_error(ERR_MEMORY);
	r = logfile_each(path, feed, x);
	if (r == 0)
		r = logins_feed_end(l);
	if (r == 0)
		return file_hash(x, ret);
	if (r == ERR_MISSING || r == ERR_IO)
		return fail("cannot be read: ", path);
	if (r == ERR_MEMORY || r == ERR_CRYPTO)
		return say_error(r);
	(void)fprintf(stderr, "%s:%lu: not understood: it must be whole lines "
	    "of PostgreSQL's csvlog or jsonlog, with log_timezone = UTC%s\n",
	    path, logins_line(l), r == ERR_LIMIT ? "; or there is more than "
	    "can be looked at, take a shorter period" : "");
	return 1;
}

/* ---- the outcome ---- */

static int
on_finding(void *arg, const char *what, const char *text)
{
	struct run *x = arg;
	struct record_finding *p;
	size_t cap;

	if (x->n_found == FOUND_MAX)
		return 0;		/* they are counted anyway */
	if (x->n_found == x->cap_found) {
		cap = x->cap_found == 0 ? 64 : x->cap_found * 2;
		if ((p = realloc(x->found, cap * sizeof(*p))) == NULL)
			return ERR_MEMORY;
		x->found = p;
		x->cap_found = cap;
	}
	p = &x->found[x->n_found++];
	p->what = what;
	p->text = arena_str(x->a, text);
	return p->text == NULL ? ERR_MEMORY : 0;
}

/* As many of the findings as a record has room for. */
static int
encode(struct run *x, struct buf *out)
{
	struct record rec = {.type = RECORD_RECONCILED, .gateway = "-"};
	int r;

	for (x->out.n_findings = x->n_found;; x->out.n_findings =
	    x->out.n_findings / 4 * 3) {
		rec.u.reconciled = x->out;
		buf_reset(out);
		if ((r = record_encode_envelope(rec.gateway, 0, 0, out)) == 0)
			r = record_encode_body(&rec, out);
		if (r == 0 && out->len <= RECORD_ROOM)
			return 0;
		if (x->out.n_findings < 2)
			return r == 0 ? ERR_LIMIT : r;
	}
}

static int
put_on_record(struct run *x)
{
	struct buf out, answer;
	bool well = false;
	int r = 1, e;

	buf_init(&out, RECORD_MAX);
	buf_init(&answer, 0);
	if ((e = encode(x, &out)) != 0) {
		(void)fail("the outcome has no room in a record (too many "
		    "files or gateways): ", err_text(e));
		goto out;
	}
	if (supervisor_ask(x->config->state_dir, x->file, "reconciled",
	    bytes_of(out.data, out.len), &well, &answer) != 0)
		goto out;
	if (well && text_u64((const char *)answer.data, answer.len,
	    &x->seq) == 0)
		r = 0;
	else
		(void)fprintf(stderr, "sworn reconcile: the outcome is not on "
		    "record: %.*s\n", (int)answer.len,
		    (const char *)answer.data);
out:
	buf_done(&out);
	buf_done(&answer);
	return r;
}

static int
print(struct run *x)
{
	struct reconcile_said s = {&x->out, x->found, x->n_found, !x->dry,
	    x->seq, x->all};
	struct buf out;
	int r = 0;

	buf_init(&out, 0);
	if (x->json)
		r = reconcile_json(&out, &s);
	else
		reconcile_text(&out, &s);
	r = r != 0 ? say_error(r) : say_out(&out);
	buf_done(&out);
	return r;
}

static int
compare(struct run *x)
{
	size_t i;
	int r;

	if (read_logs(x) != 0)
		return 1;
	for (i = 0; i < x->n_paths; i++)
		if (read_file(x, x->paths[i], &x->files[i]) != 0)
			return 1;
	if ((r = reconcile_end(x->r, on_finding, x, &x->out)) != 0)
		return say_error(r);
	x->out.by = "-";		/* the supervisor says who */
	x->out.program = "sworn " SWORN_VERSION;
	x->out.files = x->files;
	x->out.n_files = x->n_paths;
	x->out.findings = x->found;
	if (!x->dry && put_on_record(x) != 0)
		return 1;
	if (print(x) != 0)
		return 1;
	return x->n_found > 0 ? EXIT_DIFFERS : 0;
}

static int
run(struct run *x, int64_t from_ms)
{
	const struct reconcile_settings s = {
		.store = x->store, .pgaudit = x->pgaudit,
		.from_ms = from_ms, .to_ms = x->to_ms,
	};

	if ((x->config = load_config(x->file)) == NULL)
		return 1;
	if (config_store_find(x->config, x->store) == NULL)
		return fail("the configuration has no store ", x->store);
	if ((x->r = reconcile_new(&s)) == NULL)
		return say_error(ERR_MEMORY);
	return compare(x);
}

int
cmd_reconcile(int argc, char **argv)
{
	struct run *x = calloc(1, sizeof(*x));
	int64_t from_ms;
	int r;

	if (x == NULL || (x->a = arena_new()) == NULL) {
		free(x);
		return say_error(ERR_MEMORY);
	}
	if ((r = read_words(x, argc, argv)) == 0 &&
	    (r = time_of(x->from, &from_ms)) == 0 &&
	    (r = time_of(x->to, &x->to_ms)) == 0) {
		if (x->to_ms != 0 && x->to_ms <= from_ms)
			r = wrong("--to is not behind --from", "");
		else
			r = run(x, from_ms);
	}
	reconcile_free(x->r);
	if (x->config != NULL)
		config_free(x->config);
	hash_free(x->hash);
	free(x->found);
	arena_free(x->a);
	free(x);
	return r;
}

/*
 * sworn-verify - checks a log, and a claim against logs.
 *
 * For people who trust neither the gateway nor its operator: reads files
 * and keys, writes its verdict, and does nothing else. May: read files, and
 * make the folder of evidence, and the page, that it is asked for.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "claim/claim.h"
#include "claim/logins.h"
#include "claim/narrow.h"
#include "claim/track.h"
#include "claim/verdict.h"
#include "verify/cosigned.h"
#include "verify/evidence.h"
#include "verify/seen.h"
#include "logdir/logfile.h"
#include "verify/html.h"
#include "logdir/logread.h"
#include "verify/options.h"
#include "verify/outcome.h"

#define CLAIM_FILE_MAX ((size_t)1 << 20)

static const char usage_text[] =
"usage: sworn-verify log DIR --key VKEY [--checkpoint FILE]...\n"
"                    [--witness VKEY]... [--quorum K] | --quorum-file FILE\n"
"                    [--json] [--all]\n"
"       sworn-verify claim FILE --log DIR... --key VKEY...\n"
"                    [--store-log STORE=FILE]... [--checkpoint FILE]...\n"
"                    [--witness VKEY]... [--quorum K] | --quorum-file FILE\n"
"                    [--evidence DIR] [--html FILE] [--lint] [--json]\n"
"                    [--all]\n"
"       sworn-verify evidence DIR --key VKEY... [--claim FILE]\n"
"                    [--html FILE] [--json] [--all]\n"
"       sworn-verify seen DIR --key VKEY...\n"
"       sworn-verify --version | --help\n"
"\n"
"exit:  0 the log is consistent, the claim holds    1 log or bundle is broken\n"
"       2 wrong usage, or trouble with this machine\n"
"       3 the claim is refuted                      4 it is not shown\n";

struct run {
	struct options options;
	struct outcome outcome;
	const char *dir;		/* of the log being read */
	struct track *track;		/* log */
	struct verdict *verdict;	/* claim */
	struct narrow *narrow;		/* claim, --lint */
	uint64_t entries;		/* of that log, seen so far */
	uint64_t entries_needed;	/* up to the period's last one */
};

static int
trouble(int r)
{
	(void)fprintf(stderr, "sworn-verify: %s\n", err_text(r));
	return EXIT_USAGE;
}

/* What this program never needs, it cannot do from here on. */
static int
drop_rights(void)
{
	const struct rlimit none = {0, 0};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    setrlimit(RLIMIT_NPROC, &none) != 0 ||
	    setrlimit(RLIMIT_CORE, &none) != 0)
		return ERR_IO;
	return 0;
}

static int
on_damage(void *arg, const char *what, const char *text)
{
	struct run *x = arg;

	return outcome_add(&x->outcome, &x->outcome.damage, what, text,
	    x->dir);
}

static int
on_gap(void *arg, const struct track_gap *g)
{
	struct run *x = arg;

	switch (g->kind) {
	case TRACK_DOWN:
	case TRACK_CRASH:
	case TRACK_LAST:
	case TRACK_SILENCE:
		return outcome_add(&x->outcome, &x->outcome.notes,
		    track_kind_text(g->kind), g->text, x->dir);
	case TRACK_START:
	case TRACK_BOOT:
	case TRACK_SESSION:
	case TRACK_COUNTER:
		break;
	}
	return on_damage(x, track_kind_text(g->kind), g->text);
}

static int
on_record(void *arg, const struct record *r, struct bytes entry)
{
	struct run *x = arg;

	x->entries++;
	if (x->outcome.claim != NULL &&
	    r->time_ms < x->outcome.claim->to_ms)
		x->entries_needed = x->entries;
	if (x->narrow != NULL)
		return narrow_record(x->narrow, r, entry);
	if (x->verdict != NULL)
		return x->outcome.damage.n > 0 ? 0 :
		    verdict_record(x->verdict, r, entry);
	return track_record(x->track, r);
}

/* Too few cosignatures break a log, and leave a claim not shown. */
static int
on_uncosigned(struct run *x, const char *text)
{
	if (x->verdict == NULL)
		return on_damage(x, "witness", text);
	return verdict_add_doubt(x->verdict, "witness", text);
}

static int
say_cosigned(struct run *x, const struct cosigned *c)
{
	const struct options *o = &x->options;
	char text[512], at[TIME_TEXT_MAX];

	if (o->quorum == NULL)
		return 0;
	if (!c->met) {
		(void)snprintf(text, sizeof(text), "no checkpoint of the log "
		    "in %.256s is cosigned by a quorum of the witnesses given, "
		    "which is %zu at the least: %zu %s", x->dir,
		    quorum_least(o->quorum), c->n, c->n == 1 ? "has" :
		    "have");		/* cut is fine */
		return on_uncosigned(x, text);
	}
	if (x->entries_needed > c->c.size) {
		(void)snprintf(text, sizeof(text), "witnesses have cosigned "
		    "the first %" PRIu64 " entries of the log in %.256s, and "
		    "the period has entries up to %" PRIu64, c->c.size,
		    x->dir, x->entries_needed - 1);
		return on_uncosigned(x, text);
	}
	time_text((int64_t)c->time_s * 1000, at);
	(void)snprintf(text, sizeof(text), "%zu of the witnesses given, a "
	    "quorum, had cosigned the first %" PRIu64 " entries of the log in "
	    "%.256s by %s", c->n, c->c.size, x->dir, at);
	if (x->verdict != NULL)
		return verdict_add_witness(x->verdict, text);
	return outcome_add(&x->outcome, &x->outcome.notes, "witness", text,
	    x->dir);
}

/* Its tree is compared like that of a checkpoint which somebody kept. */
static int
find_cosigned(struct run *x, struct cosigned *ret, struct logread *l)
{
	const struct options *o = &x->options;
	const struct cosigned_keys keys = {o->keys, o->n_keys, &l->chain,
	    o->quorum};
	int r;

	ret->n = 0;
	if (o->quorum == NULL)
		return 0;
	if ((r = cosigned_read(x->dir, &keys, ret)) != 0 || ret->n == 0)
		return r;
	l->kept[l->n_kept].path = ret->path;
	l->kept[l->n_kept].c = ret->c;
	l->kept[l->n_kept++].used = false;
	return 0;
}

static int
note_rotations(struct run *x, const struct logread *l)
{
	char text[256];
	size_t i;
	int r;

	for (i = 0; i < l->chain.n; i++) {
		(void)snprintf(text, sizeof(text), "the log's key was changed "
		    "at entry %" PRIu64 ", signed by the old key and by the "
		    "new", l->chain.seq[i]);	/* fits */
		if ((r = outcome_add(&x->outcome, &x->outcome.notes,
		    "rotation", text, x->dir)) != 0)
			return r;
	}
	return 0;
}

static int
read_log(struct run *x, const char *dir)
{
	struct cosigned c;
	struct logread l = {
		.dir = dir, .keys = x->options.keys,
		.n_keys = x->options.n_keys, .kept = x->options.kept,
		.n_kept = x->options.n_kept, .arg = x,
		.damage = on_damage, .record = on_record,
	};
	int r;

	x->dir = dir;
	x->entries = x->entries_needed = 0;
	if ((r = logread_keys(&l)) != 0 ||
	    (r = find_cosigned(x, &c, &l)) != 0 || (r = logread(&l)) != 0 ||
	    (r = note_rotations(x, &l)) != 0)
		return r;
	if (c.n > 0 && strcmp(c.c.origin, l.head.origin) != 0)
		c.n = 0;		/* of another log of that key */
	if ((r = say_cosigned(x, &c)) != 0)
		return r;
	return outcome_add_log(&x->outcome, &l);
}

/* Checkpoints of other logs would seem to have been checked. */
static int
check_kept_used(const struct run *x)
{
	size_t i;

	for (i = 0; i < x->options.n_kept; i++) {
		if (x->options.kept[i].used || x->outcome.damage.n > 0)
			continue;
		(void)fprintf(stderr, "sworn-verify: the checkpoint %s is of "
		    "the log %s, which is not given\n",
		    x->options.kept[i].path, x->options.kept[i].c.origin);
		return -1;
	}
	return 0;
}

static int
print(const struct run *x)
{
	struct buf out;
	int r = 0;

	buf_init(&out, 0);
	if (x->options.json)
		r = outcome_json(&out, &x->outcome);
	else
		outcome_text(&out, &x->outcome, x->options.all);
	if (out.failed)
		r = ERR_MEMORY;
	if (r == 0 && (fwrite(out.data, 1, out.len, stdout) != out.len ||
	    fflush(stdout) != 0))
		r = ERR_IO;
	buf_done(&out);
	return r;
}

static int
write_page(const struct run *x)
{
	struct buf out;
	FILE *f = NULL;
	int r;

	if (x->options.html == NULL)
		return 0;
	buf_init(&out, 0);
	if ((r = html_write(&out, &x->outcome, x->options.all)) != 0)
		goto out;
	r = ERR_IO;
	if ((f = fopen(x->options.html, "we")) != NULL &&
	    fwrite(out.data, 1, out.len, f) == out.len)
		r = 0;
	if (f != NULL && fclose(f) != 0)
		r = ERR_IO;
	if (r != 0)
		(void)fprintf(stderr, "sworn-verify: %s cannot be written\n",
		    x->options.html);
out:
	buf_done(&out);
	return r;
}

static int
finish(const struct run *x)
{
	int r;

	if (check_kept_used(x) != 0)
		return EXIT_USAGE;
	if ((r = print(x)) != 0 || (r = write_page(x)) != 0)
		return trouble(r);
	return x->outcome.status;
}

static int
run_log(struct run *x)
{
	const struct track_hooks hooks = {x, on_gap, NULL};
	int r;

	if ((x->track = track_new(&hooks)) == NULL)
		return trouble(ERR_MEMORY);
	if ((r = read_log(x, x->options.logs[0])) != 0 ||
	    (r = track_end(x->track)) != 0)
		return trouble(r);
	x->outcome.status = x->outcome.damage.n > 0 ? EXIT_BROKEN :
	    EXIT_HOLDS;
	return finish(x);
}

/* An object may lie beside any of the logs: its name is its hash. */
static int
read_object(void *arg, const char *sha256, struct buf *out)
{
	const struct run *x = arg;
	char path[4096];
	size_t i;
	int n, r = ERR_MISSING;

	for (i = 0; i < x->options.n_logs && r == ERR_MISSING; i++) {
		n = snprintf(path, sizeof(path), "%s/objects/%s",
		    x->options.logs[i], sha256);
		if (n < 0 || (size_t)n >= sizeof(path))
			return ERR_LIMIT;
		r = logfile_read(path, OBJECT_LEN_MAX, out);
	}
	return r;
}

static int
feed_store_log(void *arg, const void *data, size_t len)
{
	return logins_feed(arg, data, len);
}

/* What is wrong within the file is a doubt; what is wrong with the name of
 * it, or of the store, is the user's. */
static int
read_store_log(struct run *x, const struct options_store_log *s)
{
	struct logins *l = NULL;
	char text[1024];
	int r;

	if ((r = verdict_store_log(x->verdict, s->store, &l)) == ERR_MISSING)
		(void)fprintf(stderr, "sworn-verify: the claim is not about "
		    "a store %s\n", s->store);
	if (r != 0)
		return r;
	r = logfile_each(s->path, feed_store_log, l);
	if (r == ERR_MISSING || r == ERR_IO)
		(void)fprintf(stderr, "sworn-verify: %s cannot be read\n",
		    s->path);
	if (r == ERR_MISSING || r == ERR_IO || r == ERR_MEMORY)
		return r;
	if (r == 0)
		r = logins_feed_end(l);
	if (r == 0)
		return 0;
	(void)snprintf(text, sizeof(text), "the connection log of store %s, "
	    "%s, is not understood from line %lu on: it must be PostgreSQL's "
	    "csvlog, whole lines, with log_timezone = UTC", s->store, s->path,
	    logins_line(l)); /* cut is fine */
	return verdict_add_doubt(x->verdict, "store-log", text);
}

static int
load_claim(const char *path, struct claim **ret)
{
	struct why w = {0};
	struct buf in;
	int r;

	buf_init(&in, 0);
	if ((r = logfile_read(path, CLAIM_FILE_MAX, &in)) != 0) {
		(void)fprintf(stderr, "sworn-verify: %s cannot be read: %s\n",
		    path, err_text(r));
	} else if (buf_text(&in) == NULL) {
		r = ERR_MEMORY;
	} else if ((r = claim_load((const char *)in.data, in.len, ret,
	    &w)) != 0) {
		(void)fprintf(stderr, "%s:%u:%u: %s\n", path, w.line,
		    w.column, w.text[0] != 0 ? w.text : err_text(r));
	}
	buf_done(&in);
	return r;
}

static int
doubt_twice(struct run *x)
{
	const struct outcome *o = &x->outcome;
	char text[512];
	size_t i, j;
	int r;

	for (i = 0; i < o->n_logs; i++) {
		for (j = 0; j < i; j++) {
			if (strcmp(o->logs[i].gateway, o->logs[j].gateway) !=
			    0)
				continue;
			(void)snprintf(text, sizeof(text), "two logs of "
			    "gateway %s are given", o->logs[i].gateway);
			if ((r = verdict_add_doubt(x->verdict, "log",
			    text)) != 0)
				return r;
		}
	}
	return 0;
}

static int
exit_of(enum verdict_value v)
{
	switch (v) {
	case VERDICT_HOLDS:
		return EXIT_HOLDS;
	case VERDICT_REFUTED:
		return EXIT_REFUTED;
	case VERDICT_NOT_SHOWN:
		return EXIT_NOT_SHOWN;
	}
	return EXIT_NOT_SHOWN;
}

static int
judge(struct run *x)
{
	const struct options *o = &x->options;
	size_t i;
	int r;

	for (i = 0; i < o->n_store_logs; i++)
		if ((r = read_store_log(x, &o->store_logs[i])) != 0)
			return r;
	for (i = 0; i < o->n_logs; i++)
		if ((r = read_log(x, o->logs[i])) != 0 ||
		    (r = verdict_log_end(x->verdict)) != 0)
			return r;
	x->outcome.status = EXIT_BROKEN;
	if (x->outcome.damage.n > 0)
		return 0;
	if ((r = doubt_twice(x)) != 0 ||
	    (r = verdict_end(x->verdict, &x->outcome.verdict)) != 0)
		return r;
	x->outcome.status = exit_of(x->outcome.verdict->value);
	return 0;
}

/*
 * A disclosure can be shown by its entries. That there is none cannot: any
 * other entry could be one.
 */
static int
write_evidence(const struct run *x)
{
	const struct verdict_result *v = x->outcome.verdict;
	struct why w = {0};

	if (x->options.evidence == NULL || v == NULL)
		return 0;
	if (v->value == VERDICT_REFUTED && v->n_evidence == 0) {
		(void)fprintf(stderr, "sworn-verify: no evidence was written: "
		    "that somebody could rests on what was in force, up to "
		    "the entry that changed it, and no disclosure shows it; "
		    "hand on the log itself\n");
		return 0;
	}
	if (v->value != VERDICT_REFUTED) {
		(void)fprintf(stderr, "sworn-verify: no evidence was written: "
		    "that a claim %s rests on the whole log, since any entry "
		    "left out could be a disclosure; hand on the log itself\n",
		    v->value == VERDICT_HOLDS ? "holds" : "is not shown");
		return 0;
	}
	if (evidence_write(&x->options, &x->outcome, &w) != 0) {
		(void)fprintf(stderr, "sworn-verify: no evidence was written: "
		    "%s\n", w.text);
		return -1;
	}
	(void)fprintf(stderr, "sworn-verify: the evidence is in %s%s%s\n",
	    x->options.evidence, w.text[0] != 0 ? ": " : "", w.text);
	return 0;
}

/* How much happened beside the words: 0 if the logs are whole. */
static int
survey(struct run *x)
{
	const struct options *o = &x->options;
	size_t i;
	int r;

	for (i = 0; i < o->n_logs; i++)
		if ((r = read_log(x, o->logs[i])) != 0 ||
		    (r = narrow_log_end(x->narrow)) != 0)
			return r;
	x->outcome.status = EXIT_BROKEN;
	if (x->outcome.damage.n > 0)
		return 0;
	x->outcome.status = EXIT_HOLDS;
	return narrow_end(x->narrow, &x->outcome.narrow);
}

static int
run_lint(struct run *x)
{
	struct claim *c = NULL;
	int r, status;

	if (load_claim(x->options.claim, &c) != 0)
		return EXIT_USAGE;
	x->outcome.claim = c;
	x->narrow = narrow_new(c, read_object, x);
	r = x->narrow == NULL ? ERR_MEMORY : survey(x);
	status = r == 0 ? finish(x) : trouble(r);
	narrow_free(x->narrow);
	claim_free(c);
	return status;
}

static int
run_claim(struct run *x)
{
	struct claim *c = NULL;
	int r, status = EXIT_USAGE;

	if (load_claim(x->options.claim, &c) != 0)
		return EXIT_USAGE;
	x->outcome.claim = c;
	x->verdict = verdict_new(c, read_object, x);
	r = x->verdict == NULL ? ERR_MEMORY : judge(x);
	status = r == 0 ? finish(x) : trouble(r);
	if (r == 0 && status != EXIT_USAGE && write_evidence(x) != 0)
		status = EXIT_USAGE;
	verdict_free(x->verdict);
	claim_free(c);
	return status;
}

static int
run_evidence(struct run *x)
{
	struct evidence e = {0};
	int r, status = EXIT_BROKEN;

	r = evidence_read(&e, x->options.bundle, &x->options, &x->outcome);
	if (x->outcome.verdict != NULL)
		status = exit_of(x->outcome.verdict->value);
	x->outcome.status = status;
	status = r == 0 ? finish(x) : trouble(r);
	evidence_done(&e);
	return status;
}

static int
run(int argc, char **argv)
{
	struct run *x = calloc(1, sizeof(*x));
	int status = EXIT_USAGE;

	if (x == NULL || outcome_init(&x->outcome) != 0) {
		free(x);
		return trouble(ERR_MEMORY);
	}
	if (options_read(&x->options, argc, argv) != 0)
		(void)fputs(usage_text, stderr);
	else if (strcmp(argv[0], "log") == 0)
		status = run_log(x);
	else if (strcmp(argv[0], "evidence") == 0)
		status = run_evidence(x);
	else if (strcmp(argv[0], "seen") == 0)
		status = seen_check(&x->options);
	else if (x->options.lint)
		status = run_lint(x);
	else
		status = run_claim(x);
	track_free(x->track);
	outcome_done(&x->outcome);
	options_done(&x->options);
	free(x);
	return status;
}

int
main(int argc, char **argv)
{
	if (drop_rights() != 0) {
		(void)fputs("sworn-verify: cannot drop rights\n", stderr);
		return EXIT_USAGE;
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)printf("sworn-verify %s\n", SWORN_VERSION);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		(void)fputs(usage_text, stdout);
		return 0;
	}
	if (argc >= 2 && (strcmp(argv[1], "log") == 0 ||
	    strcmp(argv[1], "claim") == 0 || strcmp(argv[1], "seen") == 0 ||
	    strcmp(argv[1], "evidence") == 0))
		return run(argc - 1, argv + 1);
	(void)fputs(usage_text, stderr);
	return EXIT_USAGE;
}

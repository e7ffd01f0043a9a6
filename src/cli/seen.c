/*
 * sworn seen -c FILE STORE SUBJECT --admin DSN: who saw this subject's data?
 *
 *	store -> tag, residence
 *	gateway -> a record that this is asked, durable
 *	log -> index, brought up to that record -> answer
 *
 * Nothing is told before it is on record that it was asked.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/cmd.h"
#include "cli/load.h"
#include "cli/options.h"
#include "cli/say.h"
#include "cli/subject.h"
#include "cli/supervisor.h"
#include "gateway/asked.h"
#include "gateway/config.h"
#include "log/note.h"
#include "logdir/logfile.h"
#include "logdir/logread.h"
#include "seen/ask.h"
#include "seen/index.h"
#include "seen/proof.h"
#include "seen/told.h"

#define LOOK_MS 20		/* for the log to be published */
#define PUBLISH_MS 10000	/* beyond what the configuration says */
#define RESIDENCES_MAX 64

static const char usage[] =
"usage: sworn seen -c FILE STORE SUBJECT --admin DSN [--from TIME] [--to TIME]\n"
"                  [--residence LABEL,...] [--full] [--lang en|de] [--json]\n"
"                  [--all] [--index DIR] [--rebuild]\n"
"                  [--proof DIR [--readers]]\n";

struct seen {
	const char *file, *admin, *from, *to, *residence, *lang, *index, *proof;
	bool full, json, all, rebuild, readers;
	const char *words[2];		/* store, subject */
	struct arena *a;
	struct config *config;
	const struct config_store *store;
	struct seen_question q;
	struct subject subject;
	uint64_t asked_seq;
	uint64_t newer;			/* not published in time */
};

static int
fail(const char *text)
{
	(void)fprintf(stderr, "sworn seen: %s\n", text);
	return 1;
}

static int
time_of(const char *text, int64_t *ret)
{
	*ret = 0;
	if (text == NULL || (time_parse(text, strlen(text), ret) == 0 &&
	    *ret > 0))
		return 0;
	(void)fprintf(stderr, "sworn seen: \"%s\" is no time such as "
	    "2026-11-23 or 2026-11-23T17:40:00Z\n", text);
	return 2;
}

/* What the store says, and what --residence adds. */
static int
set_residences(struct seen *s)
{
	const char **list, *p = s->residence == NULL ? "" : s->residence;
	size_t n = 0, i, len;

	if (s->subject.residences.n > RESIDENCES_MAX || (list = arena_array(
	    s->a, 2 * RESIDENCES_MAX, sizeof(*list))) == NULL)
		return say_error(ERR_MEMORY);
	for (i = 0; i < s->subject.residences.n; i++)
		list[n++] = s->subject.residences.s[i];
	for (; *p != 0; p += len + (p[len] != 0)) {
		len = strcspn(p, ",");
		if (len == 0 || n == RESIDENCES_MAX + s->subject.residences.n)
			return fail("--residence is a list of labels, such as "
			    "DE,FR");
		if ((list[n] = arena_strn(s->a, p, len)) == NULL)
			return say_error(ERR_MEMORY);
		for (i = 0; strcmp(list[i], list[n]) != 0; i++)
			;
		n += i == n;
	}
	s->q.residences = (struct record_strs){list, n};
	return 0;
}

static int
find_subject(struct seen *s)
{
	s->store = config_store_find(s->config, s->words[0]);
	if (s->store == NULL) {
		(void)fprintf(stderr, "sworn seen: %s has no store \"%s\"\n",
		    s->file, s->words[0]);
		return 1;
	}
	if (subject_find(s->store, s->admin, s->words[1], s->a,
	    &s->subject) != 0)
		return 1;
	s->q.store = s->store->name;
	s->q.tag = s->subject.tag;
	s->q.full = s->full;
	if (set_residences(s) != 0)
		return 1;
	if (s->subject.there || s->q.tag[0] != 0 || s->q.residences.n > 0)
		return 0;
	(void)fprintf(stderr, "sworn seen: store %s has neither subject %s "
	    "nor a link from records to it; name where it was at home with "
	    "--residence to see what was within reach there\n",
	    s->store->name, s->words[1]);
	return 1;
}

/* Entries name a subject by its tag only. */
static bool
provable(const struct seen *s)
{
	if (s->proof == NULL || s->q.tag[0] != 0)
		return true;
	(void)fail("no entry lists this subject, or it is forgotten: there is "
	    "nothing to put into --proof");
	return false;
}

/* ---- on record ---- */

static int
record_asking(struct seen *s)
{
	struct asked a = {.user = "", .by = "", .store = s->q.store,
	    .tag = s->q.tag, .from_ms = s->q.from_ms, .to_ms = s->q.to_ms,
	    .full = s->full};
	struct buf labels, out, answer;
	bool well = false;
	size_t i;
	int r = 1;

	buf_init(&labels, 0);
	buf_init(&out, ASKED_MAX);
	buf_init(&answer, 0);
	for (i = 0; i < s->q.residences.n; i++)
		buf_fmt(&labels, "%s%s", i > 0 ? "\n" : "",
		    s->q.residences.s[i]);
	if ((a.residences = buf_text(&labels)) == NULL) {
		(void)say_error(ERR_MEMORY);
		goto out;
	}
	asked_write(&out, &a);
	if (out.failed) {
		(void)fail("the question is too long");
		goto out;
	}
	if (supervisor_ask(s->config->state_dir, s->file, "seen",
	    bytes_of(out.data, out.len), &well, &answer) != 0)
		goto out;
	while (answer.len > 0 && answer.data[answer.len - 1] == '\n')
		answer.len--;
	if (!well || text_u64((const char *)answer.data, answer.len,
	    &s->asked_seq) != 0)
		(void)fprintf(stderr, "sworn seen: nothing is told, since it "
		    "is not on record that this is asked: %.*s\n",
		    (int)answer.len, (const char *)answer.data);
	else
		r = 0;
out:
	buf_done(&labels);
	buf_done(&out);
	buf_done(&answer);
	return r;
}

/* ---- the index ---- */

/* How many entries are published; nothing is checked yet. */
static uint64_t
published(const char *dir)
{
	struct checkpoint c = {.size = 0};
	const char *body;
	char path[4096];
	struct buf note;
	size_t len;
	int n;

	buf_init(&note, 0);
	n = snprintf(path, sizeof(path), "%s/checkpoint", dir);
	if (n < 0 || (size_t)n >= sizeof(path) ||
	    logfile_read(path, NOTE_MAX, &note) != 0 ||
	    note_body((const char *)note.data, note.len, &body, &len) != 0 ||
	    checkpoint_read(body, len, &c) != 0)
		c.size = 0;		/* seen_update says why */
	buf_done(&note);
	return c.size;
}

/* All that is older than the question is in the answer. */
static void
wait_published(struct seen *s)
{
	const struct timespec look = {0, LOOK_MS * 1000000};
	int64_t end = clock_mono_ms() + (int64_t)s->config->publish_ms +
	    PUBLISH_MS;
	uint64_t size;

	while ((size = published(s->config->log_dir)) <= s->asked_seq &&
	    clock_mono_ms() < end)
		(void)nanosleep(&look, NULL);	/* shorter is fine */
	s->newer = size <= s->asked_seq ? s->asked_seq + 1 - size : 0;
}

static int
open_index(struct seen *s, struct seen_index **ret)
{
	const char *dir = s->index;
	struct note_key key;
	struct why w = {0};

	if (dir == NULL)
		dir = arena_fmt(s->a, "%s/seen", s->config->state_dir);
	if (dir == NULL)
		return say_error(ERR_MEMORY);
	if (logread_own_key(s->config->log_dir, &key, &w) != 0 ||
	    seen_open(dir, s->rebuild, ret, &w) != 0)
		return fail(w.text);
	if (seen_update(*ret, s->config->log_dir, &key, &w) == 0)
		return 0;
	seen_close(*ret);
	*ret = NULL;
	return fail(w.text);
}

static int
tell(struct seen *s, struct seen_index *x)
{
	const char *lang = s->lang;
	struct seen_told t = {
		.question = &s->q, .state = seen_state(x),
		.subject = s->words[1], .there = s->subject.there,
		.asked_seq = s->asked_seq, .newer = s->newer, .all = s->all,
	};
	struct seen_answer answer;
	struct why w;
	struct buf out;
	int r;

	if (seen_ask(x, &s->q, s->a, &answer, &w) != 0)
		return fail(w.text);
	t.answer = &answer;
	buf_init(&out, 0);
	if (s->json)
		seen_json(&out, &t);
	else
		seen_text(&out, &t, seen_lang_of(lang));
	r = say_out(&out);
	buf_done(&out);
	return r;
}

/* What the answer's first part rests on, in a folder of its own. */
static int
write_proof(struct seen *s)
{
	struct seen_proof p = {
		.dir = s->proof, .log_dir = s->config->log_dir,
		.store = s->q.store, .tag = s->q.tag,
		.from_ms = s->q.from_ms, .to_ms = s->q.to_ms,
		.names = s->readers,
	};
	struct note_key key;
	struct why w = {0};
	size_t reads;

	if (logread_own_key(s->config->log_dir, &key, &w) != 0)
		return fail(w.text);
	p.key = &key;
	if (seen_proof_write(&p, &reads, &w) != 0)
		return fail(w.text);
	(void)fprintf(stderr, "sworn seen: what shows %zu read%s is in %s: "
	    "sworn-verify seen %s --key VKEY\n", reads, reads == 1 ? "" : "s",
	    s->proof, s->proof);
	return 0;
}

static int
run(struct seen *s)
{
	struct seen_index *x = NULL;
	int r = 1;

	if ((s->config = load_config(s->file)) == NULL)
		return 1;
	if (find_subject(s) == 0 && provable(s) && record_asking(s) == 0) {
		wait_published(s);
		if (open_index(s, &x) == 0)
			r = tell(s, x);
		if (r == 0 && s->proof != NULL)
			r = write_proof(s);
	}
	seen_close(x);
	config_free(s->config);
	return r;
}

/* The language of whoever asks, unless it is said. */
static const char *
language(void)
{
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
	const char *text;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((text = getenv(names[i])) != NULL && text[0] != 0)
			return text;
	return "en";
}

int
cmd_seen(int argc, char **argv)
{
	struct seen s = {0};
	const struct option_slot slots[] = {
		{"-c", &s.file, NULL}, {"--admin", &s.admin, NULL},
		{"--from", &s.from, NULL}, {"--to", &s.to, NULL},
		{"--residence", &s.residence, NULL},
		{"--lang", &s.lang, NULL}, {"--index", &s.index, NULL},
		{"--proof", &s.proof, NULL}, {"--readers", NULL, &s.readers},
		{"--full", NULL, &s.full}, {"--json", NULL, &s.json},
		{"--all", NULL, &s.all}, {"--rebuild", NULL, &s.rebuild},
		{NULL, NULL, NULL},
	};
	int r;

	if ((r = options_read(argc, argv, slots, s.words, 2, usage)) != 0)
		return r;
	if (s.file == NULL || s.admin == NULL || (s.lang != NULL &&
	    strcmp(s.lang, "en") != 0 && strcmp(s.lang, "de") != 0)) {
		(void)fputs(usage, stderr);
		return 2;
	}
	if (time_of(s.from, &s.q.from_ms) != 0 ||
	    time_of(s.to, &s.q.to_ms) != 0)
		return 2;
	if (s.q.to_ms != 0 && s.q.to_ms <= s.q.from_ms) {
		(void)fail("--to is not behind --from");
		return 2;
	}
	if (s.readers && s.proof == NULL) {
		(void)fail("--readers is about what --proof writes");
		return 2;
	}
	if (s.proof != NULL && !s.full) {
		(void)fail("--proof goes with --full: its entries lead whoever "
		    "has the log to readers' names");
		return 2;
	}
	if (s.lang == NULL)
		s.lang = language();
	if ((s.a = arena_new()) == NULL)
		return say_error(ERR_MEMORY);
	r = run(&s);
	arena_free(s.a);
	return r;
}

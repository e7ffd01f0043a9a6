/*
 * Entry by entry: its place by its proof, that it is a record of this place,
 * and that it belongs to a read that lists the tag. An entry that does not is
 * damage, as one that fails its proof is: a folder that shows something has
 * nothing else in it.
 */
#include "verify/seen.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "log/proof.h"
#include "log/sightings.h"
#include "logdir/logfile.h"
#include "logdir/logkeys.h"
#include "record/record.h"
#include "verify/options.h"
#include "verify/say.h"

#define PATH_LEN 4096

struct seen {
	const struct options *o;
	struct arena *a;
	struct sightings list;
	struct buf note;
	struct rotations chain;
	const struct note_key *key;
	struct checkpoint head;
	struct record *records;		/* of list.entries */
	bool *listed;			/* statements that list the tag */
	const char *broken;		/* why; NULL: it is not */
};

static int broken(struct seen *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

/* The first damage is kept: 0, so that the caller looks at s->broken. */
static int
broken(struct seen *s, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* cut is fine */
	va_end(ap);
	if (s->broken == NULL && (s->broken = arena_str(s->a, text)) == NULL)
		return ERR_MEMORY;
	return 0;
}

static int
read_file(struct seen *s, const char *name, size_t max, struct buf *out)
{
	char path[PATH_LEN];
	int n = snprintf(path, sizeof(path), "%s/%s", s->o->bundle, name);
	int r = n < 0 || n >= PATH_LEN ? ERR_LIMIT :
	    logfile_read(path, max, out);

	return r == 0 || r == ERR_MEMORY ? r : broken(s, "%s cannot be read: "
	    "%s", name, err_text(r));
}

static int
read_list(struct seen *s)
{
	unsigned line = 0;
	struct buf in;
	int r;

	buf_init(&in, 0);
	r = read_file(s, SIGHTINGS_FILE, SIGHTINGS_FILE_MAX, &in);
	if (r == 0 && s->broken == NULL && (r = sightings_read(
	    (const char *)in.data, in.len, s->a, &s->list, &line)) ==
	    ERR_FORMAT)
		r = broken(s, SIGHTINGS_FILE " is no list of entries from "
		    "line %u on", line);
	buf_done(&in);
	return r;
}

/* A log whose key was changed has rotations; which are signed themselves. */
static int
read_chain(struct seen *s)
{
	int r = logkeys_read(s->o->bundle, s->o->keys, s->o->n_keys,
	    &s->chain);

	return r == 0 || r == ERR_MEMORY ? r : broken(s, "rotations is not "
	    "signed by both keys of each change");
}

static int
read_checkpoint(struct seen *s)
{
	int r;

	if ((r = read_file(s, "checkpoint", NOTE_MAX, &s->note)) != 0 ||
	    s->broken != NULL)
		return r;
	r = logkeys_note(&s->note, &s->chain, s->o->keys, s->o->n_keys,
	    &s->key, &s->head);
	return r == 0 || r == ERR_MEMORY ? r : broken(s, "checkpoint %s",
	    logkeys_words(r));
}

static int
check_proof(struct seen *s, uint64_t seq, const struct buf *entry)
{
	struct proof p;
	struct buf in;
	char name[64];
	int r;

	buf_init(&in, 0);
	(void)snprintf(name, sizeof(name), "%" PRIu64 ".tlog-proof", seq);
	if ((r = read_file(s, name, PROOF_FILE_MAX, &in)) != 0 ||
	    s->broken != NULL)
		goto out;
	if (proof_read((const char *)in.data, in.len, &p) != 0 ||
	    p.index != seq || !bytes_equal(p.checkpoint,
	    bytes_of(s->note.data, s->note.len))) {
		r = broken(s, "%s is no proof of that entry for this "
		    "checkpoint", name);
		goto out;
	}
	r = proof_check(&p, entry->data, entry->len, &s->head);
	if (r != 0 && r != ERR_MEMORY)
		r = broken(s, "entry %" PRIu64 " is not in the log: its proof "
		    "does not lead to the root that was signed", seq);
out:
	buf_done(&in);
	return r;
}

static int
read_entry(struct seen *s, uint64_t seq, struct record *ret)
{
	struct why w = {0};
	struct buf entry;
	char name[64];
	int r;

	buf_init(&entry, 0);
	(void)snprintf(name, sizeof(name), "%" PRIu64 ".json", seq);
	if ((r = read_file(s, name, RECORD_MAX, &entry)) != 0 ||
	    s->broken != NULL || (r = check_proof(s, seq, &entry)) != 0 ||
	    s->broken != NULL)
		goto out;
	r = record_decode(bytes_of(entry.data, entry.len), s->a, ret, &w);
	if (r != 0 && r != ERR_MEMORY)
		r = broken(s, "entry %" PRIu64 " is no record: %s", seq,
		    w.text);
	else if (r == 0 && ret->seq != seq)
		r = broken(s, "entry %" PRIu64 " says that it is seq %" PRIu64,
		    seq, ret->seq);
out:
	buf_done(&entry);
	return r;
}

/* ---- which read an entry is of ---- */

static bool
lists(const struct seen *s, const struct record_subjects *l, size_t n)
{
	size_t i, j;

	for (i = 0; i < n; i++)
		for (j = 0; j < l[i].tags.n; j++)
			if (strcmp(l[i].tags.s[j], s->list.tag) == 0)
				return true;
	return false;
}

/* The place of the statement before `at`; list.n: it is not there. */
static size_t
statement_of(const struct seen *s, const char *session, uint64_t n, size_t at)
{
	const struct record *r;

	while (at-- > 0) {
		r = &s->records[at];
		if (r->type == RECORD_STATEMENT && r->u.statement.n == n &&
		    strcmp(r->u.statement.session, session) == 0)
			return at;
	}
	return s->list.n;
}

/* Whether an entry says who a read was by that is behind it. */
static bool
is_of_reader(const struct seen *s, size_t at)
{
	const char *id = s->records[at].u.session.session;
	size_t i;

	for (i = at + 1; i < s->list.n; i++)
		if (s->records[i].type == RECORD_STATEMENT &&
		    strcmp(s->records[i].u.statement.session, id) == 0)
			return true;
	return false;
}

static bool
belongs(struct seen *s, size_t at)
{
	const struct record *r = &s->records[at];
	size_t of;

	switch (r->type) {
	case RECORD_SESSION:
	case RECORD_CLEARANCE:
		return is_of_reader(s, at);
	case RECORD_STATEMENT:
		s->listed[at] = lists(s, r->u.statement.subjects,
		    r->u.statement.n_subjects);
		return true;
	case RECORD_SUBJECTS:
		of = statement_of(s, r->u.more.session, r->u.more.of, at);
		if (of == s->list.n || !lists(s, r->u.more.subjects,
		    r->u.more.n_subjects))
			return false;
		s->listed[of] = true;
		return true;
	case RECORD_RESULT:
		return statement_of(s, r->u.result.session, r->u.result.of,
		    at) < s->list.n;
	default:
		return false;
	}
}

static int
check_all(struct seen *s)
{
	size_t i;
	int r;

	s->records = arena_array(s->a, s->list.n + 1, sizeof(*s->records));
	s->listed = arena_array(s->a, s->list.n + 1, sizeof(*s->listed));
	if (s->records == NULL || s->listed == NULL)
		return ERR_MEMORY;
	for (i = 0; i < s->list.n && s->broken == NULL; i++)
		if ((r = read_entry(s, s->list.entries[i],
		    &s->records[i])) != 0)
			return r;
	for (i = 0; i < s->list.n && s->broken == NULL; i++)
		if (!belongs(s, i) && (r = broken(s, "entry %" PRIu64 " is of "
		    "no read of this subject", s->list.entries[i])) != 0)
			return r;
	for (i = 0; i < s->list.n && s->broken == NULL; i++)
		if (s->records[i].type == RECORD_STATEMENT && !s->listed[i] &&
		    (r = broken(s, "entry %" PRIu64 " does not list this "
		    "subject", s->list.entries[i])) != 0)
			return r;
	return 0;
}

/* ---- in words ---- */

static void
say_tables(struct buf *out, const struct record_bound *b)
{
	size_t i;

	for (i = 0; i < b->n; i++) {
		buf_str(out, i == 0 ? "  of        " : "            ");
		say_str(out, b->tables[i].table);
		if (b->tables[i].categories.n > 0) {
			buf_str(out, ": ");
			say_list(out, &b->tables[i].categories);
		}
		if (b->tables[i].masked.n > 0) {
			buf_str(out, "; masked: ");
			say_list(out, &b->tables[i].masked);
		}
		buf_str(out, "\n");
	}
}

/* The session's record, and the last clearance before the read. */
static void
say_reader(struct buf *out, const struct seen *s, size_t at)
{
	const char *id = s->records[at].u.statement.session;
	const struct record *r, *session = NULL, *clearance = NULL;
	const struct record_session *in;
	size_t i;

	for (i = 0; i < at; i++) {
		r = &s->records[i];
		if ((r->type != RECORD_SESSION &&
		    r->type != RECORD_CLEARANCE) ||
		    strcmp(r->u.session.session, id) != 0)
			continue;
		if (r->type == RECORD_SESSION)
			session = r;
		else
			clearance = r;
	}
	if (session == NULL)
		return;
	in = clearance != NULL ? &clearance->u.session : &session->u.session;
	buf_str(out, "  by        ");
	say_str(out, session->u.session.principal);
	buf_str(out, " from ");
	say_str(out, session->u.session.source);
	if (in->purpose != NULL) {
		buf_str(out, "\n  for       ");
		say_str(out, in->purpose);
	}
	if (in->ticket != NULL) {
		buf_str(out, ", ticket ");
		say_str(out, in->ticket);
	}
	buf_str(out, "\n");
}

static size_t
say_reads(struct buf *out, const struct seen *s)
{
	const struct record_statement *in;
	size_t i, n = 0;

	for (i = 0; i < s->list.n; i++) {
		if (s->records[i].type != RECORD_STATEMENT)
			continue;
		in = &s->records[i].u.statement;
		n++;
		buf_str(out, "\n");
		say_time(out, s->records[i].time_ms);
		buf_fmt(out, "  entry %" PRIu64 ": ", s->list.entries[i]);
		say_str(out, in->what);
		buf_str(out, "\n");
		say_tables(out, &in->bound);
		if (in->rules.n > 0) {
			buf_str(out, "  by rule   ");
			say_list(out, &in->rules);
			buf_str(out, "\n");
		}
		say_reader(out, s, i);
	}
	return n;
}

static void
say_head(struct buf *out, const struct seen *s, size_t reads)
{
	say_count(out, reads, "read", "reads");
	buf_str(out, " of rows of the subject ");
	say_str(out, s->list.tag);
	buf_str(out, " of store ");
	say_str(out, s->list.store);
	buf_str(out, reads == 1 ? " is" : " are");
	buf_str(out, " in the log ");
	say_str(out, s->head.origin);
	buf_fmt(out, ", signed by %s up to entry %" PRIu64 ".\n",
	    s->key->name, s->head.size - 1);
}

static const char limits[] =
"\n"
"This shows that these entries are in the log and cannot be taken from it\n"
"unseen. It does not show that the subject is you: that the tag is yours is the\n"
"word of whoever gave you this. Nor that there were no other reads: that rests\n"
"on every entry of the log, and reads whose list is not exact are not in here.\n";

static int
say_all(const struct seen *s)
{
	struct buf reads, out;
	size_t n;
	int status = EXIT_HOLDS;

	buf_init(&reads, 0);
	buf_init(&out, 0);
	if (s->broken != NULL) {
		buf_str(&out, "BROKEN: ");
		say_str(&out, s->broken);
		buf_str(&out, "\nIt shows nothing.\n");
		status = EXIT_BROKEN;
	} else {
		n = say_reads(&reads, s);
		say_head(&out, s, n);
		buf_bytes(&out, reads.data, reads.len);
		buf_str(&out, limits);
	}
	if (reads.failed || out.failed ||
	    fwrite(out.data, 1, out.len, stdout) != out.len ||
	    fflush(stdout) != 0) {
		(void)fprintf(stderr, "sworn-verify: cannot write\n");
		status = EXIT_USAGE;
	}
	buf_done(&reads);
	buf_done(&out);
	return status;
}

int
seen_check(const struct options *o)
{
	struct seen s = {.o = o, .a = arena_new()};
	int r = s.a == NULL ? ERR_MEMORY : 0, status = EXIT_USAGE;

	buf_init(&s.note, 0);
	if (r == 0)
		r = read_list(&s);
	if (r == 0 && s.broken == NULL)
		r = read_chain(&s);
	if (r == 0 && s.broken == NULL)
		r = read_checkpoint(&s);
	if (r == 0 && s.broken == NULL)
		r = check_all(&s);
	if (r == 0)
		status = say_all(&s);
	else
		(void)fprintf(stderr, "sworn-verify: %s\n", err_text(r));
	buf_done(&s.note);
	arena_free(s.a);
	return status;
}

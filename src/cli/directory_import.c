/*
 * sworn directory import SOURCE ...: people, entities, sites and services
 * from LDAP, LDIF, SCIM or CSV, as one issuer's facts.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/directory.h"
#include "cli/options.h"
#include "cli/say.h"
#include "gateway/file.h"
#include "import/build.h"
#include "import/draft.h"
#include "import/findings.h"
#include "import/ldap.h"
#include "import/ldif.h"
#include "import/mapping.h"
#include "import/merge.h"
#include "import/scim.h"
#include "import/table.h"

#define WORDS_MAX 256
#define CHUNK 65536
#define SECRET_MAX 4096

const char directory_import_usage[] =
    "usage: sworn directory import ldap URL --base DN [--filter FILTER]\n"
    "           [--bind DN (--password-file FILE | --password-env NAME)]\n"
    "           [--start-tls] [--ca FILE] [--clear-text] [--page N]\n"
    "           [--limit N] [--timeout SECONDS]\n"
    "       sworn directory import ldif|scim FILE...\n"
    "       sworn directory import csv [--sites FILE] [--entities FILE]\n"
    "           [--owners FILE] [--people FILE] [--services FILE]\n"
    "   each with (--into FILE | --out FILE) [--map FILE] [--issuer NAME]\n"
    "           [--dry-run] [--all] [--keep-history] [--at TIME]\n"
    "           [--allow-leave]\n";

struct asked {
	const char *words[WORDS_MAX];	/* the source, then files or a URL */
	size_t n_words;
	const char *into, *out, *map, *issuer, *at;
	bool dry_run, all, keep_history, allow_leave;
	const char *tables[SECTIONS];
	const char *base, *filter, *bind, *password_file, *password_env, *ca;
	const char *page, *limit, *timeout;
	bool start_tls, clear_text;
};

struct importing {
	const struct asked *q;
	enum source_kind kind;
	struct arena *arena;
	struct mapping map;
	struct findings findings;
	struct build *build;
	enum section section;		/* of the table that is read */
	bool header_checked;
};

static int
say_why(const char *file, const struct why *w)
{
	if (w->line != 0)
		(void)fprintf(stderr, "%s:%u: %s\n", file, w->line, w->text);
	else
		(void)fprintf(stderr, "%s: %s\n", file, w->text);
	(void)fputs("nothing is changed\n", stderr); /* best effort */
	return 1;
}

static int
say_errno(const char *file)
{
	(void)fprintf(stderr, "%s: %s\n", file, strerror(errno));
	return 1;
}

/* A reader of bytes in pieces. */
struct pieces {
	void *reader;
	int (*feed)(void *reader, const void *data, size_t len,
	    struct why *w);
	int (*end)(void *reader, struct why *w);
};

static int
read_pieces(const char *file, const struct pieces *p)
{
	char chunk[CHUNK];
	struct why w = {0};
	ssize_t n = 0;
	int fd, r = 0;

	if ((fd = open(file, O_RDONLY | O_CLOEXEC)) < 0)
		return say_errno(file);
	do {
		n = read(fd, chunk, sizeof(chunk));
		if (n > 0)
			r = p->feed(p->reader, chunk, (size_t)n, &w);
	} while (r == 0 && (n > 0 || (n < 0 && errno == EINTR)));
	if (n < 0)
		r = say_errno(file);
	else if (r != 0 || (r = p->end(p->reader, &w)) != 0)
		r = say_why(file, &w);
	(void)close(fd);	/* only read */
	return r;
}

static int
feed_ldif(void *reader, const void *data, size_t len, struct why *w)
{
	return ldif_feed(reader, data, len, w);
}

static int
end_ldif(void *reader, struct why *w)
{
	return ldif_end(reader, w);
}

static int
import_ldif(struct importing *im, const char *file)
{
	struct ldif *l = ldif_new(file, build_entry, im->build);
	struct pieces p = {l, feed_ldif, end_ldif};
	int r;

	if (l == NULL)
		return say_error(ERR_MEMORY);
	r = read_pieces(file, &p);
	ldif_free(l);
	return r;
}

/* A column that a mapping's file names must be there; one that nothing is
 * made of may be a slip. Told once, of the first row. */
static void
check_header(struct importing *im, const struct entry *e)
{
	const struct section_map *s = &im->map.sections[im->section];
	const struct rule *r;
	struct origin at = {e->at.file, 1, NULL};
	size_t i, f;

	for (i = 0; i < e->n; i++)
		if (!mapping_uses(s, e->values[i].name))
			findings_add(&im->findings, FINDING_NOTE, &at,
			    "nothing is made of the column \"%.80s\"",
			    e->values[i].name);
	for (f = 0; f < FIELDS; f++)
		for (r = s->named[f] ? s->rules[f] : NULL; r != NULL;
		    r = r->next) {
			for (i = 0; i < r->n_attributes; i++)
				if (entry_has(e, r->attributes[i]))
					break;
			if (i > 0 && i == r->n_attributes)
				findings_add(&im->findings, FINDING_ERROR,
				    &at, "the mapping names the column "
				    "\"%.80s\", which is not there",
				    r->attributes[0]);
		}
}

static int
on_row(void *arg, const struct entry *e)
{
	struct importing *im = arg;

	if (!im->header_checked)
		check_header(im, e);
	im->header_checked = true;
	return build_row(im->build, im->section, e);
}

static int
feed_table(void *reader, const void *data, size_t len, struct why *w)
{
	return table_feed(reader, data, len, w);
}

static int
end_table(void *reader, struct why *w)
{
	return table_end(reader, w);
}

static int
import_table(struct importing *im, enum section s)
{
	const char *file = im->q->tables[s];
	struct table *t;
	struct pieces p = {NULL, feed_table, end_table};
	int r;

	if (file == NULL)
		return 0;
	im->section = s;
	im->header_checked = false;
	build_cover(im->build, s);
	if ((t = table_new(file, on_row, im)) == NULL)
		return say_error(ERR_MEMORY);
	p.reader = t;
	r = read_pieces(file, &p);
	table_free(t);
	return r;
}

/* Sites first: a place that has one needs none made. */
static int
import_tables(struct importing *im)
{
	static const enum section order[] = {SECTION_SITES, SECTION_ENTITIES,
	    SECTION_OWNERS, SECTION_PEOPLE, SECTION_SERVICES};
	size_t i;
	int r = 0;

	for (i = 0; i < sizeof(order) / sizeof(order[0]) && r == 0; i++)
		r = import_table(im, order[i]);
	return r;
}

static int
import_scim(struct importing *im, const char *file, struct scim_pages *pages)
{
	struct why w = {0};
	struct buf text;
	int r;

	buf_init(&text, 0);
	if ((r = file_read(file, &text)) == ERR_IO)
		r = say_errno(file);
	else if (r != 0)
		r = say_error(r);
	else if (scim_read(file, buf_text(&text), text.len, pages,
	    build_entry, im->build, &w) != 0)
		r = say_why(file, &w);
	buf_done(&text);
	return r;
}

/* A password's file has one line. */
static int
read_password(const struct asked *q, struct buf *secret)
{
	const char *text;
	int r;

	if (q->password_env != NULL) {
		if ((text = getenv(q->password_env)) == NULL) {
			(void)fprintf(stderr, "sworn: the environment has no "
			    "%s\n", q->password_env);
			return 1;
		}
		buf_str(secret, text);
	} else if (q->password_file != NULL) {
		if (file_is_open_to_others(q->password_file)) {
			(void)fprintf(stderr, "%s: is not there, or can be "
			    "read by others; run: chmod 600 %s\n",
			    q->password_file, q->password_file);
			return 1;
		}
		if ((r = file_read(q->password_file, secret)) != 0)
			return r == ERR_IO ? say_errno(q->password_file) :
			    say_error(r);
		while (secret->len > 0 &&
		    (secret->data[secret->len - 1] == '\n' ||
		    secret->data[secret->len - 1] == '\r'))
			secret->len--;
	}
	return buf_text(secret) != NULL ? 0 : say_error(ERR_MEMORY);
}

static int
read_number(const char *text, const char *option, uint64_t usual,
    uint64_t max, uint64_t *ret)
{
	*ret = usual;
	if (text == NULL || (text_u64(text, strlen(text), ret) == 0 &&
	    *ret >= 1 && *ret <= max))
		return 0;
	(void)fprintf(stderr, "sworn: \"%s\" is no number for %s: 1 to %llu\n",
	    text, option, (unsigned long long)max);
	return 1;
}

static int
import_ldap(struct importing *im)
{
	const struct asked *q = im->q;
	struct ldap_ask ask = {.url = q->words[1], .base = q->base,
	    .filter = q->filter, .bind_dn = q->bind, .ca_file = q->ca,
	    .start_tls = q->start_tls, .clear_text = q->clear_text};
	struct why w = {0};
	uint64_t page, limit, timeout;
	size_t referrals = 0;
	struct buf secret;
	int r;

	buf_init(&secret, SECRET_MAX);
	(void)buf_reserve(&secret, SECRET_MAX); /* growing leaves no copy */
	if ((r = read_number(q->page, "--page", 500, 100000, &page)) != 0 ||
	    (r = read_number(q->limit, "--limit", 10000000, 100000000,
	    &limit)) != 0 ||
	    (r = read_number(q->timeout, "--timeout", 60, 3600,
	    &timeout)) != 0 || (r = read_password(q, &secret)) != 0)
		goto out;
	ask.page = (size_t)page;
	ask.limit = (size_t)limit;
	ask.timeout_s = (unsigned)timeout;
	ask.password = (const char *)secret.data;
	ask.attributes = mapping_attributes(im->arena, &im->map);
	if (ask.attributes == NULL)
		r = say_error(ERR_MEMORY);
	else if (ldap_read(&ask, build_entry, im->build, &referrals, &w) != 0)
		r = say_why(ask.url, &w);
	if (referrals > 0)
		findings_add(&im->findings, FINDING_NOTE, NULL, "%zu "
		    "referrals to other servers are not followed; whoever is "
		    "there must be imported from there", referrals);
out:
	buf_wipe_done(&secret);
	return r;
}

static int
import_source(struct importing *im)
{
	struct scim_pages pages = {0, 0};
	struct why w = {0};
	size_t i;
	int r = 0;

	if (im->kind == SOURCE_CSV)
		return import_tables(im);
	if (strcmp(im->q->words[0], "ldap") == 0)
		return import_ldap(im);
	for (i = 1; i < im->q->n_words && r == 0; i++)
		r = im->kind == SOURCE_SCIM ?
		    import_scim(im, im->q->words[i], &pages) :
		    import_ldif(im, im->q->words[i]);
	if (r == 0 && scim_pages_check(&pages, &w) != 0)
		r = say_why(im->q->words[1], &w);
	return r;
}

static int
load_mapping(struct importing *im)
{
	const char *file = im->q->map;
	struct why w = {0};
	struct buf text;
	int r;

	buf_init(&text, MAPPING_MAX);
	if ((r = mapping_default(im->arena, im->kind, &im->map)) != 0)
		r = say_error(r);
	else if (file != NULL && (r = file_read(file, &text)) != 0)
		r = r == ERR_IO ? say_errno(file) : say_error(r);
	else if (file != NULL && mapping_load(im->arena,
	    (const char *)text.data, text.len, &im->map, &w) != 0) {
		(void)fprintf(stderr, "%s:%u:%u: %s\n", file, w.line,
		    w.column, w.text);
		r = 1;
	}
	if (im->q->issuer != NULL)
		im->map.issuer = im->q->issuer;
	buf_done(&text);
	return r;
}

static void
say_counts(const struct build_counts *c)
{
	size_t i;

	(void)printf("read %zu entries:", c->entries);
	for (i = 0; i < SECTIONS; i++)
		if (c->taken[i] > 0)
			(void)printf(" %zu %s,", c->taken[i],
			    section_text((enum section)i));
	(void)printf(" %zu left out\n", c->left_out);
}

static int
import_into(struct importing *im, struct directory_target *t,
    struct draft **fresh)
{
	struct merge m = {.keep_history = im->q->keep_history};
	int r;

	if (options_time(im->q->at, &m.at_ms) != 0 ||
	    directory_target_open(t, im->map.issuer) != 0)
		return 1;
	if ((im->build = build_new(&im->map, t->known, &im->findings)) == NULL)
		return say_error(ERR_MEMORY);
	if ((r = import_source(im)) != 0) {
		(void)directory_say(&im->findings); /* failed already */
		return r;
	}
	if ((r = build_end(im->build, fresh)) != 0)
		return say_error(r);
	if (im->findings.n[FINDING_ERROR] > 0)
		return directory_say(&im->findings);
	say_counts(build_counts(im->build));
	m.covers = build_covers(im->build);
	m.instructors = (m.covers >> SECTION_PEOPLE & 1) != 0 &&
	    im->map.sections[SECTION_PEOPLE].rules[FIELD_INSTRUCTOR] != NULL;
	return directory_target_put(t, *fresh, &m, &im->findings);
}

static int
run(struct importing *im)
{
	struct directory_target t = {.into = im->q->into, .out = im->q->out,
	    .dry_run = im->q->dry_run, .all = im->q->all,
	    .allow_leave = im->q->allow_leave};
	struct draft *fresh = NULL;
	int r = 1;

	if ((im->arena = arena_new()) == NULL)
		return say_error(ERR_MEMORY);
	findings_init(&im->findings, im->arena);
	if (load_mapping(im) == 0)
		r = import_into(im, &t, &fresh);
	directory_target_close(&t);
	draft_free(fresh);
	build_free(im->build);
	arena_free(im->arena);
	return r;
}

static int
wrong(const char *what)
{
	(void)fprintf(stderr, "sworn: %s\n%s", what, directory_import_usage);
	return 2;
}

static bool
has_tables(const struct asked *q)
{
	size_t i;

	for (i = 0; i < SECTIONS; i++)
		if (q->tables[i] != NULL)
			return true;
	return false;
}

static int
check_asked(const struct asked *q, enum source_kind *ret)
{
	static const char *const sources[] = {"ldap", "ldif", "scim", "csv"};
	static const enum source_kind kinds[] = {SOURCE_LDAP, SOURCE_LDAP,
	    SOURCE_SCIM, SOURCE_CSV};
	size_t i;

	for (i = 0; i < 4; i++)
		if (q->n_words > 0 && strcmp(q->words[0], sources[i]) == 0)
			break;
	if (i == 4)
		return wrong("say what to import from: ldap, ldif, scim or "
		    "csv");
	*ret = kinds[i];
	if ((q->into == NULL) == (q->out == NULL))
		return wrong("say where to: --into a directory that is there, "
		    "or --out for a new one");
	if (i == 0 && (q->n_words != 2 || q->base == NULL))
		return wrong("ldap takes one URL, and --base");
	if ((i == 1 || i == 2) && q->n_words < 2)
		return wrong("name at least one file");
	if (i == 3 && (q->n_words != 1 || !has_tables(q)))
		return wrong("csv takes --people, --entities, --owners, "
		    "--sites or --services");
	if (i != 3 && has_tables(q))
		return wrong("tables go with csv");
	if (i != 0 && (q->base != NULL || q->bind != NULL || q->start_tls))
		return wrong("a base, a bind and TLS go with ldap");
	return 0;
}

/* Words come out of the way, and the rest is options. */
static int
split_words(int argc, char **argv, const struct option_slot *slots,
    struct asked *q, char **rest, int *n_rest)
{
	const struct option_slot *s;
	int i;

	*n_rest = 0;
	rest[(*n_rest)++] = argv[0];
	for (i = 1; i < argc; i++) {
		if (argv[i][0] != '-') {
			if (q->n_words == WORDS_MAX)
				return wrong("too many files");
			q->words[q->n_words++] = argv[i];
			continue;
		}
		rest[(*n_rest)++] = argv[i];
		for (s = slots; s->name != NULL; s++)
			if (strcmp(s->name, argv[i]) == 0 &&
			    s->value != NULL && i + 1 < argc)
				rest[(*n_rest)++] = argv[++i];
	}
	return 0;
}

int
cmd_directory_import(int argc, char **argv)
{
	struct asked q = {.n_words = 0};
	const struct option_slot slots[] = {
		{"--into", &q.into, NULL}, {"--out", &q.out, NULL},
		{"--map", &q.map, NULL}, {"--issuer", &q.issuer, NULL},
		{"--at", &q.at, NULL}, {"--dry-run", NULL, &q.dry_run},
		{"--all", NULL, &q.all},
		{"--allow-leave", NULL, &q.allow_leave},
		{"--keep-history", NULL, &q.keep_history},
		{"--people", &q.tables[SECTION_PEOPLE], NULL},
		{"--services", &q.tables[SECTION_SERVICES], NULL},
		{"--entities", &q.tables[SECTION_ENTITIES], NULL},
		{"--owners", &q.tables[SECTION_OWNERS], NULL},
		{"--sites", &q.tables[SECTION_SITES], NULL},
		{"--base", &q.base, NULL}, {"--filter", &q.filter, NULL},
		{"--bind", &q.bind, NULL},
		{"--password-file", &q.password_file, NULL},
		{"--password-env", &q.password_env, NULL},
		{"--ca", &q.ca, NULL}, {"--start-tls", NULL, &q.start_tls},
		{"--clear-text", NULL, &q.clear_text},
		{"--page", &q.page, NULL}, {"--limit", &q.limit, NULL},
		{"--timeout", &q.timeout, NULL}, {NULL, NULL, NULL},
	};
	struct importing im = {.q = &q};
	char **rest = calloc((size_t)argc + 1, sizeof(*rest));
	int n, r;

	if (rest == NULL)
		return say_error(ERR_MEMORY);
	r = split_words(argc, argv, slots, &q, rest, &n);
	if (r == 0)
		r = options_read(n, rest, slots, NULL, 0,
		    directory_import_usage);
	free(rest);
	if (r != 0 || (r = check_asked(&q, &im.kind)) != 0)
		return r;
	return run(&im);
}

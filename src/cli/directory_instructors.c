/*
 * sworn directory instructors --tickets FILE --into FILE: who assigns or
 * approves a person's tickets instructs that person.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/directory.h"
#include "cli/options.h"
#include "cli/say.h"
#include "gateway/file.h"
#include "import/draft.h"
#include "import/findings.h"
#include "import/mapping.h"
#include "import/merge.h"
#include "import/table.h"
#include "import/tickets.h"

#define DAY_MS ((int64_t)86400000)
#define DAYS_MAX 36500

const char directory_instructors_usage[] =
    "usage: sworn directory instructors --tickets FILE --into FILE\n"
    "           [--days N] [--at TIME] [--at-least N] [--percent P]\n"
    "           [--valid-days N] [--map FILE] [--issuer NAME]\n"
    "           [--skip-unknown] [--dry-run] [--all] [--keep-history]\n";

struct asked {
	const char *tickets, *into, *map, *issuer, *at;
	const char *days, *at_least, *percent, *valid_days;
	bool skip_unknown, dry_run, all, keep_history;
};

struct finding_out {
	const struct asked *q;
	struct arena *arena;
	struct mapping map;
	struct findings findings;
	struct tickets_rule rule;
	struct tickets *tickets;
};

static int
number(const char *text, const char *option, uint64_t usual, uint64_t max,
    uint64_t *ret)
{
	*ret = usual;
	if (text == NULL ||
	    (text_u64(text, strlen(text), ret) == 0 && *ret <= max))
		return 0;
	(void)fprintf(stderr, "sworn: \"%s\" is no number for %s: 0 to %llu\n",
	    text, option, (unsigned long long)max);
	return 1;
}

/* With one threshold given the other is not one. */
static int
read_rule(const struct asked *q, struct tickets_rule *r)
{
	bool one = q->at_least != NULL || q->percent != NULL;
	uint64_t days, valid;

	if (options_time(q->at, &r->to_ms) != 0 ||
	    number(q->days, "--days", 90, DAYS_MAX, &days) != 0 ||
	    number(q->valid_days, "--valid-days", 0, DAYS_MAX, &valid) != 0 ||
	    number(q->at_least, "--at-least", one ? 0 : 10, UINT32_MAX,
	    &r->at_least) != 0 ||
	    number(q->percent, "--percent", one ? 0 : 25, 100,
	    &r->percent) != 0)
		return 1;
	if (r->at_least == 0 && r->percent == 0) {
		(void)fputs("sworn: without a threshold nobody is found; "
		    "give --at-least or --percent above 0\n", stderr);
		return 1;
	}
	r->from_ms = r->to_ms - (int64_t)days * DAY_MS;
	r->valid_ms = (int64_t)valid * DAY_MS;
	r->skip_unknown = q->skip_unknown;
	return 0;
}

static int
load_map(struct finding_out *g)
{
	const char *file = g->q->map;
	struct why w = {0};
	struct buf text;
	int r;

	buf_init(&text, MAPPING_MAX);
	if ((r = mapping_default(g->arena, SOURCE_CSV, &g->map)) != 0)
		r = say_error(r);
	else if (file != NULL && (r = file_read(file, &text)) != 0) {
		(void)fprintf(stderr, "%s: %s\n", file, strerror(errno));
		r = 1;
	} else if (file != NULL && mapping_load(g->arena,
	    (const char *)text.data, text.len, &g->map, &w) != 0) {
		(void)fprintf(stderr, "%s:%u:%u: %s\n", file, w.line,
		    w.column, w.text);
		r = 1;
	}
	buf_done(&text);
	return r;
}

static int
read_tickets(struct finding_out *g)
{
	const char *file = g->q->tickets;
	struct table *t = table_new(file, tickets_row, g->tickets);
	struct why w = {0};
	struct buf text;
	int r;

	buf_init(&text, 0);
	if (t == NULL)
		r = say_error(ERR_MEMORY);
	else if ((r = file_read(file, &text)) != 0) {
		(void)fprintf(stderr, "%s: %s\n", file, r == ERR_IO ?
		    strerror(errno) : err_text(r));
		r = 1;
	} else if (table_feed(t, text.data, text.len, &w) != 0 ||
	    table_end(t, &w) != 0) {
		(void)fprintf(stderr, "%s:%u: %s\nnothing is changed\n", file,
		    w.line, w.text);
		r = 1;
	}
	table_free(t);
	buf_done(&text);
	return r;
}

static void
say_counts(const struct tickets_counts *c)
{
	(void)printf("read %zu rows: %zu outside the window, %zu of nobody, "
	    "%zu of people whom the directory does not know\n%zu people have "
	    "tickets; %zu instructor%s found\n", c->rows, c->outside,
	    c->unassigned, c->unknown, c->people, c->facts,
	    c->facts == 1 ? " is" : "s are");
}

static int
find_into(struct finding_out *g, struct directory_target *t,
    struct draft **fresh)
{
	const char *issuer = g->q->issuer != NULL ? g->q->issuer : "tickets";
	struct merge m = {.instructors = true,
	    .keep_history = g->q->keep_history, .at_ms = g->rule.to_ms};
	int r;

	if (directory_target_open(t, issuer) != 0)
		return 1;
	g->tickets = tickets_new(&g->map.sections[SECTION_TICKETS], t->known,
	    &g->rule, &g->findings);
	if (g->tickets == NULL)
		return say_error(ERR_MEMORY);
	if (read_tickets(g) != 0)
		return 1;
	if ((r = tickets_end(g->tickets, issuer, fresh)) != 0)
		return say_error(r);
	if (g->findings.n[FINDING_ERROR] > 0)
		return directory_say(&g->findings);
	say_counts(tickets_counts(g->tickets));
	return directory_target_put(t, *fresh, &m, &g->findings);
}

int
cmd_directory_instructors(int argc, char **argv)
{
	struct asked q = {.tickets = NULL};
	const struct option_slot slots[] = {
		{"--tickets", &q.tickets, NULL}, {"--into", &q.into, NULL},
		{"--map", &q.map, NULL}, {"--issuer", &q.issuer, NULL},
		{"--at", &q.at, NULL}, {"--days", &q.days, NULL},
		{"--at-least", &q.at_least, NULL},
		{"--percent", &q.percent, NULL},
		{"--valid-days", &q.valid_days, NULL},
		{"--skip-unknown", NULL, &q.skip_unknown},
		{"--dry-run", NULL, &q.dry_run}, {"--all", NULL, &q.all},
		{"--keep-history", NULL, &q.keep_history},
		{NULL, NULL, NULL},
	};
	struct directory_target t = {.into = NULL};
	struct finding_out g = {.q = &q};
	struct draft *fresh = NULL;
	int r;

	r = options_read(argc, argv, slots, NULL, 0,
	    directory_instructors_usage);
	if (r != 0)
		return r;
	if (q.tickets == NULL || q.into == NULL) {
		(void)fputs(directory_instructors_usage, stderr);
		return 2;
	}
	t.into = q.into;
	t.dry_run = q.dry_run;
	t.all = q.all;
	if ((g.arena = arena_new()) == NULL)
		return say_error(ERR_MEMORY);
	findings_init(&g.findings, g.arena);
	r = read_rule(&q, &g.rule) == 0 && load_map(&g) == 0 ?
	    find_into(&g, &t, &fresh) : 1;
	directory_target_close(&t);
	draft_free(fresh);
	tickets_free(g.tickets);
	arena_free(g.arena);
	return r;
}

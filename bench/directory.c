/*
 * How long does a large directory take to load, and the control sets of
 * everybody in it?
 *
 *	bench_directory [-p PEOPLE] [-e ENTITIES] [-s SEED] [-o FILE]
 *
 * The directory is made from a seed: companies in groups of eight that own
 * each other in part, people in a tree of managers, some instructed by
 * somebody else, each with a site, nationality and roles; half of the people
 * are written on one line, half on several. With -o it is also written to a
 * file. The answers are checked against the model that the text was made
 * from: for everybody, exactly the countries that stand behind them.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "directory/control.h"
#include "directory/directory.h"

#define COUNTRIES 40
#define SITES 200
#define STRIDE 7919
#define AT_MS INT64_C(1790000000000)

struct model {
	uint64_t seed;
	uint32_t people, entities;
	uint8_t *country;	/* of entities */
	uint8_t *held;		/* percent that the group's head holds */
	uint64_t *owned;	/* set of labels */
	uint64_t *stands;	/* of people: set of labels behind them */
	uint32_t *instructor, *site, *employer;
};

static void
fail(const char *what)
{
	(void)fprintf(stderr, "bench_directory: %s\n", what);
	exit(1);
}

/* Seconds of this program's work, and of the clock on the wall. */
struct moment {
	double work, wall;
};

static double
seconds(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);	/* always there */
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static struct moment
now(void)
{
	return (struct moment){seconds(CLOCK_PROCESS_CPUTIME_ID),
	    seconds(CLOCK_MONOTONIC)};
}

static struct moment
since(struct moment start)
{
	struct moment at = now();

	return (struct moment){at.work - start.work, at.wall - start.wall};
}

static double
memory_mb(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);	/* cannot fail */
	return (double)u.ru_maxrss / 1024;
}

static uint32_t
roll(struct model *m, uint32_t n)
{
	m->seed = m->seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (uint32_t)(m->seed >> 33) % n;
}

/* A country's label, of two letters. */
static void
label_of(unsigned country, char ret[static 3])
{
	ret[0] = (char)('A' + country / 8);
	ret[1] = (char)('A' + country % 8);
	ret[2] = 0;
}

static unsigned
site_country(unsigned site)
{
	return site * 7 % COUNTRIES;
}

static uint32_t
parent_of(uint32_t i)
{
	return (i - 1) / 8;
}

/* Ids do not come in their order. */
static void
put_id(const struct model *m, uint32_t i, char ret[static 16])
{
	(void)snprintf(ret, 16, "u%07u", (unsigned)((uint64_t)i * STRIDE %
	    m->people));	/* fits */
}

/* The head of a group holds most, half or little of its companies. */
static void
put_entity(struct model *m, struct buf *out, uint32_t i)
{
	static const uint8_t held[] = {100, 60, 50, 49, 20};
	uint32_t p = i > 0 ? parent_of(i) : 0;
	char label[3];

	m->country[i] = (uint8_t)roll(m, COUNTRIES);
	m->held[i] = i > 0 ? held[roll(m, 5)] : 0;
	label_of(m->country[i], label);
	buf_fmt(out, "  e%06u: {name: Company %u Ltd, country: %s, "
	    "rest: dispersed", i, i, label);
	if (i > 0)
		buf_fmt(out, ", owners: {e%06u: %u}", p, m->held[i]);
	buf_str(out, "}\n");
	if (m->held[i] >= 50)
		m->owned[i] = m->owned[p] |
		    UINT64_C(1) << m->country[p];
}

static void
put_person(struct model *m, struct buf *out, uint32_t i)
{
	static const char *const words[] = {"reader", "analyst", "support",
	    "engineer"};
	uint32_t boss = i > 0 ? parent_of(i) : 0;
	/* Most sit where their manager sits, in the same company. */
	uint32_t site = m->site[i] = roll(m, 4) > 0 ? m->site[boss] :
	    roll(m, SITES);
	uint32_t employer = m->employer[i] = roll(m, 4) > 0 ?
	    m->employer[boss] : roll(m, m->entities);
	uint32_t nation = roll(m, COUNTRIES);
	const char *role = words[roll(m, 4)];
	bool line = i % 2 == 0, told = i > 0 && roll(m, 10) == 0;
	const char *sep = line ? ", " : "\n    ";
	char label[3], id[16];

	label_of(nation, label);
	put_id(m, i, id);
	buf_fmt(out, "  %s:%s", id, line ? " {" : "\n    ");
	buf_fmt(out, "name: Given%u Family%u%ssite: s%03u%semployer: e%06u",
	    i % 977, i, sep, site, sep, employer);
	buf_fmt(out, "%snationality: %s%sroles: [%s]%smanager: ", sep, label,
	    sep, role, sep);
	put_id(m, boss, id);
	buf_str(out, i > 0 ? id : "none");
	m->instructor[i] = told ? roll(m, i) : i;
	put_id(m, m->instructor[i], id);
	if (told)
		buf_fmt(out, "%sinstructor: {id: %s, issuer: "
		    "audit.example, from: 2026-01-01}", sep, id);
	buf_str(out, line ? "}\n" : "\n");
	m->stands[i] = UINT64_C(1) << site_country(site) |
	    UINT64_C(1) << m->country[employer] | m->owned[employer];
	if (i > 0)
		m->stands[i] |= m->stands[boss] |
		    m->stands[m->instructor[i]];
}

static void
put_all(struct model *m, struct buf *out)
{
	char label[3];
	uint32_t i;

	buf_str(out, "directory: 1\nissuer: hr.example\nsites:\n");
	for (i = 0; i < SITES; i++) {
		label_of(site_country(i), label);
		buf_fmt(out, "  s%03u: {country: %s, networks: "
		    "[10.%u.0.0/16]}\n", i, label, i);
	}
	buf_str(out, "entities:\n");
	for (i = 0; i < m->entities; i++)
		put_entity(m, out, i);
	buf_str(out, "people:\n");
	for (i = 0; i < m->people; i++)
		put_person(m, out, i);
}

static void
check(const struct model *m, uint32_t i, const struct control *c)
{
	uint64_t set = 0;
	size_t k;

	for (k = 0; k < c->n; k++) {
		const char *l = c->members[k].label;

		if (strcmp(l, CONTROL_UNKNOWN) == 0)
			fail("a control set has \"unknown\" in it");
		set |= UINT64_C(1) << ((l[0] - 'A') * 8 + l[1] - 'A');
	}
	if (set != m->stands[i])
		fail("a control set is not the model's");
}

/* Everybody's control set, one after the other. */
static void
control_all(const struct model *m, const struct directory *d, bool checked)
{
	struct control_batch *b;
	const struct control *c;
	struct arena *a = arena_new();
	struct moment start = now();
	size_t k, paths = 0;
	uint32_t i;
	char id[16];

	if (a == NULL || control_batch_new(d, AT_MS, &b) != 0)
		fail("out of memory");
	for (i = 0; i < m->people; i++) {
		put_id(m, i, id);
		if (control_batch_of(b, id, NULL, 0, a, &c) != 0)
			fail("somebody has no control set");
		for (k = 0; k < c->n; k++)
			paths += c->members[k].n_paths;
		if (checked)
			check(m, i, c);
		arena_reset(a);
	}
	control_batch_free(b);
	arena_free(a);
	start = since(start);
	if (!checked)
		(void)printf("batch  %7.2f s for everybody (%.2f on the "
		    "wall), %.2f us each, %.1f paths each\n", start.work,
		    start.wall, start.work * 1e6 / m->people,
		    (double)paths / m->people);
}

static void
control_some(const struct model *m, const struct directory *d)
{
	const struct control *c;
	struct arena *a = arena_new();
	uint32_t i, n = 0, step = m->people / 10000 + 1;
	struct moment start = now();
	char id[16];

	if (a == NULL)
		fail("out of memory");
	for (i = 0; i < m->people; i += step, n++) {
		put_id(m, i, id);
		if (control_of(d, id, AT_MS, NULL, 0, a, &c) != 0)
			fail("somebody has no control set");
		check(m, i, c);
		arena_reset(a);
	}
	(void)printf("alone  %7.2f us each, of %u asked about alone\n",
	    since(start).work * 1e6 / n, n);
	arena_free(a);
}

static void
save(const char *path, const struct buf *text)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fwrite(text->data, 1, text->len, f) != text->len ||
	    fclose(f) != 0)
		fail("the file cannot be written");
}

static void
run(struct model *m, const char *path)
{
	struct directory *d;
	struct buf text;
	struct why w = {0};
	struct moment start;
	double made;

	(void)printf("input  %u people, %u entities, %d sites, seed %" PRIu64,
	    m->people, m->entities, SITES, m->seed);
	buf_init(&text, 0);
	put_all(m, &text);
	if (text.failed)
		fail("out of memory");
	if (path != NULL)
		save(path, &text);
	(void)printf(", %.1f MB of text\n", (double)text.len / 1e6);
	made = memory_mb();
	start = now();
	if (directory_load((const char *)text.data, text.len, &d, &w) != 0) {
		(void)fprintf(stderr, "%u:%u: %s\n", w.line, w.column,
		    w.text);
		fail("it does not load");
	}
	start = since(start);
	(void)printf("load   %7.2f s (%.2f on the wall), %.0f MB beside the "
	    "text\n", start.work, start.wall, memory_mb() - made);
	control_all(m, d, false);
	(void)printf("memory %7.0f MB at most, beside the text\n",
	    memory_mb() - made);
	control_all(m, d, true);
	control_some(m, d);
	(void)printf("every answer is the model's\n");
	directory_free(d);
	buf_done(&text);
}

static uint32_t
number(const char *s, uint32_t max)
{
	uint64_t v;

	if (text_u64(s, strlen(s), &v) != 0 || v < 1 || v > max)
		fail("that number is out of range");
	return (uint32_t)v;
}

int
main(int argc, char **argv)
{
	struct model m = { .people = 1000000, .entities = 100000,
	    .seed = 20261123 };
	const char *path = NULL;
	int c;

	while ((c = getopt(argc, argv, "p:e:s:o:")) != -1) {
		if (c == 'p')
			m.people = number(optarg, 2000000);
		else if (c == 'e')
			m.entities = number(optarg, 900000);
		else if (c == 's')
			m.seed = number(optarg, UINT32_MAX);
		else if (c == 'o')
			path = optarg;
		else
			return 2;
	}
	if (m.people % STRIDE == 0)	/* or two would have one id */
		m.people--;
	m.country = calloc(m.entities, 1);
	m.held = calloc(m.entities, 1);
	m.owned = calloc(m.entities, sizeof(*m.owned));
	m.stands = calloc(m.people, sizeof(*m.stands));
	m.instructor = calloc(m.people, sizeof(*m.instructor));
	m.site = calloc(m.people, sizeof(*m.site));
	m.employer = calloc(m.people, sizeof(*m.employer));
	if (m.site == NULL || m.employer == NULL || m.country == NULL ||
	    m.held == NULL || m.owned == NULL || m.stands == NULL ||
	    m.instructor == NULL)
		fail("out of memory");
	run(&m, path);
	free(m.country);
	free(m.held);
	free(m.owned);
	free(m.stands);
	free(m.instructor);
	free(m.site);
	free(m.employer);
	return 0;
}

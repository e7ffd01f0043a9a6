/*
 * The control set of random small directories against a second, obvious
 * implementation: all pairs of node and set of kinds relaxed until nothing
 * changes, and ownership as its definition says, round after round.
 *
 * Each directory is a model in memory and a text made from it; the product
 * sees only the text, the oracle only the model. A batch must give the same
 * answers, paths and all, in whatever order it is asked, and so must a
 * directory that was read as a tree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "directory/control.h"
#include "directory/directory.h"

#define DIRECTORIES 4000
#define LABELS 3
#define UNKNOWN LABELS		/* index of "unknown" among the ends */
#define PEOPLE 5
#define ENTITIES 4
#define SERVICES 2
#define NODES (PEOPLE + ENTITIES + SERVICES)	/* in this order */
#define KINDS 64
#define FAR 1000
#define AT_MS INT64_C(1790000000000)
#define ABSENT (-2)
#define NOBODY (-1)

static const char *const label_names[] = {"AA", "BB", "CC", "unknown"};

struct model {
	int site[NODES];		/* label, or ABSENT */
	int nation[PEOPLE];		/* label, or ABSENT */
	int employer[PEOPLE];		/* node, NOBODY or ABSENT */
	int manager[PEOPLE];
	int instructor[PEOPLE];
	int operator[SERVICES];		/* node, or ABSENT */
	int keepers[SERVICES];		/* set of nodes, or ABSENT */
	int country[ENTITIES];		/* label, or ABSENT */
	int place[ENTITIES];
	int share[ENTITIES][PEOPLE + ENTITIES];
	bool dispersed[ENTITIES];
};

static uint64_t seed;

static unsigned
roll(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

static int
maybe(int value, unsigned absent_in)
{
	return roll(absent_in) == 0 ? ABSENT : value;
}

static void
make_model(struct model *m)
{
	int i, k, left, share;

	memset(m, 0, sizeof(*m));
	for (i = 0; i < NODES; i++)
		m->site[i] = maybe((int)roll(LABELS), 7);
	for (i = 0; i < PEOPLE; i++) {
		m->nation[i] = maybe((int)roll(LABELS), 2);
		m->employer[i] = maybe(roll(6) == 0 ? NOBODY :
		    PEOPLE + (int)roll(ENTITIES), 7);
		m->manager[i] = maybe(roll(3) == 0 ? NOBODY :
		    (int)roll(PEOPLE), 7);
		m->instructor[i] = maybe(roll(4) == 0 ?
		    PEOPLE + (int)roll(ENTITIES) : (int)roll(PEOPLE), 2);
	}
	for (i = 0; i < SERVICES; i++) {
		m->operator[i] = maybe(PEOPLE + (int)roll(ENTITIES), 7);
		m->keepers[i] = maybe((int)(roll(1 << NODES) &
		    roll(1 << NODES) & roll(1 << NODES)), 7);
	}
	for (i = 0; i < ENTITIES; i++) {
		m->country[i] = maybe((int)roll(LABELS), 7);
		m->place[i] = roll(4) == 0 ? (int)roll(LABELS) : ABSENT;
		m->dispersed[i] = roll(2) == 0;
		for (k = 0, left = 100; k < PEOPLE + ENTITIES; k++) {
			if (roll(3) != 0)
				continue;
			share = (int)roll(5) * 25;
			if (roll(3) == 0)
				share = (int)roll(100);
			m->share[i][k] = share < left ? share : left;
			left -= m->share[i][k];
		}
	}
}

static void
put_id(struct buf *out, int node)
{
	if (node == NOBODY)
		buf_str(out, "none");
	else if (node < PEOPLE)
		buf_fmt(out, "p%d", node);
	else if (node < PEOPLE + ENTITIES)
		buf_fmt(out, "e%d", node);
	else
		buf_fmt(out, "s%d", node);
}

/*
 * A fact in one of the ways to write it; one that is absent is left out, or
 * written with an interval that is over or has not begun.
 */
static void
put_fact(struct buf *out, const char *key, const char *field, int value,
    bool is_label, int other)
{
	static const char *const never[] = {", to: 2019-01-01}",
	    ", from: 2099-01-01}"};
	static const char *const now[] = {"}", ", from: 2019-01-01}",
	    ", to: 2099-01-01, issuer: x}"};
	bool absent = value == ABSENT;

	if (absent && roll(2) == 0)
		return;
	if (absent)
		value = other;
	buf_fmt(out, "%s: ", key);
	if (absent || roll(3) == 0)
		buf_fmt(out, "{%s: ", field);
	else
		field = NULL;
	if (is_label)
		buf_str(out, label_names[value]);
	else
		put_id(out, value);
	if (field != NULL)
		buf_str(out, absent ? never[roll(2)] : now[roll(3)]);
	buf_str(out, ", ");
}

static void
put_site(struct buf *out, int label)
{
	if (label == ABSENT)
		return;
	buf_fmt(out, "site: at-%s, ", label_names[label]);
}

static void
put_entity(struct buf *out, const struct model *m, int i)
{
	int k;

	buf_fmt(out, "  e%d: {", PEOPLE + i);
	put_fact(out, "country", "value", m->country[i], true, 0);
	put_fact(out, "principal-place", "value", m->place[i], true, 1);
	if (m->dispersed[i])
		buf_str(out, "rest: dispersed, ");
	buf_str(out, "owners: {");
	for (k = 0; k < PEOPLE + ENTITIES; k++)
		if (m->share[i][k] > 0) {
			put_id(out, k);
			buf_fmt(out, ": %d, ", m->share[i][k]);
		}
	buf_str(out, "}}\n");
}

static void
put_model(struct buf *out, const struct model *m)
{
	int i, k;

	buf_str(out, "directory: 1\nissuer: i\nsites:\n");
	for (i = 0; i < LABELS; i++)
		buf_fmt(out, "  at-%s: {country: %s}\n", label_names[i],
		    label_names[i]);
	buf_str(out, "people:\n");
	for (i = 0; i < PEOPLE; i++) {
		buf_fmt(out, "  p%d: {", i);
		put_site(out, m->site[i]);
		put_fact(out, "employer", "id", m->employer[i], false, PEOPLE);
		put_fact(out, "manager", "id", m->manager[i], false, 0);
		put_fact(out, "instructor", "id", m->instructor[i], false, 0);
		put_fact(out, "nationality", "value", m->nation[i], true, 2);
		buf_str(out, "}\n");
	}
	buf_str(out, "entities:\n");
	for (i = 0; i < ENTITIES; i++)
		put_entity(out, m, i);
	buf_str(out, "services:\n");
	for (i = 0; i < SERVICES; i++) {
		buf_fmt(out, "  s%d: {", PEOPLE + ENTITIES + i);
		put_site(out, m->site[PEOPLE + ENTITIES + i]);
		put_fact(out, "operator", "id", m->operator[i], false, PEOPLE);
		if (m->keepers[i] != ABSENT) {
			buf_str(out, "keepers: [");
			for (k = 0; k < NODES; k++)
				if ((m->keepers[i] >> k & 1) != 0) {
					put_id(out, k);
					buf_str(out, ", ");
				}
			buf_str(out, "]");
		}
		buf_str(out, "}\n");
	}
}

/* --- the oracle --- */

static bool
is_entity(int node)
{
	return node >= PEOPLE && node < PEOPLE + ENTITIES;
}

/* Where an owner is by itself. */
static bool
is_of(const struct model *m, int node, int label)
{
	if (label == UNKNOWN)
		return false;	/* the fresh label: nobody is */
	if (is_entity(node))
		return m->country[node - PEOPLE] == label ||
		    m->place[node - PEOPLE] == label;
	return m->site[node] == label || m->nation[node] == label;
}

static bool
is_vague(const struct model *m, int node)
{
	return (is_entity(node) ? m->country[node - PEOPLE] :
	    m->site[node]) == ABSENT;
}

/* owned[] of one label, by definition; doubt: what is not known counts. */
static void
solve(const struct model *m, int label, bool doubt, bool owned[ENTITIES])
{
	bool changed = true;
	int e, o, sum, known;

	memset(owned, 0, ENTITIES * sizeof(bool));
	while (changed) {
		changed = false;
		for (e = 0; e < ENTITIES; e++) {
			sum = known = 0;
			for (o = 0; o < PEOPLE + ENTITIES; o++) {
				known += m->share[e][o];
				if (is_of(m, o, label) ||
				    (doubt && is_vague(m, o)) ||
				    (is_entity(o) && owned[o - PEOPLE]))
					sum += m->share[e][o];
			}
			if (doubt && !m->dispersed[e])
				sum += 100 - known;
			if (sum >= 50 && !owned[e]) {
				owned[e] = true;
				changed = true;
			}
		}
	}
}

/* steps[e][l]: of the shortest chain to an owning label; FAR: none. */
static void
solve_ownership(const struct model *m, int steps[ENTITIES][LABELS + 1])
{
	bool owned[ENTITIES], may[ENTITIES];
	int e, o, l, round, d;

	for (e = 0; e < ENTITIES; e++)
		for (l = 0; l <= LABELS; l++)
			steps[e][l] = FAR;
	for (l = 0; l <= LABELS; l++) {
		solve(m, l, false, owned);
		solve(m, l, true, may);
		for (round = 0; round < ENTITIES && l < LABELS; round++)
			for (e = 0; e < ENTITIES; e++)
				for (o = 0; o < PEOPLE + ENTITIES; o++) {
					if (!owned[e] || m->share[e][o] == 0)
						continue;
					d = is_of(m, o, l) ? 2 : !is_entity(o)
					    ? FAR : 1 + steps[o - PEOPLE][l];
					if (d < steps[e][l])
						steps[e][l] = d;
				}
		for (e = 0; e < ENTITIES; e++)
			if (may[e] && !owned[e] && !is_of(m, PEOPLE + e, l))
				steps[e][UNKNOWN] = 1;
	}
}

static bool
has_edge(const struct model *m, int from, int to, unsigned kind)
{
	int s = from - PEOPLE - ENTITIES;

	if (is_entity(from))
		return false;
	if (s >= 0)
		return kind == CONTROL_KEEPING && (m->operator[s] == to ||
		    (m->keepers[s] != ABSENT &&
		    (m->keepers[s] >> to & 1) != 0));
	return (kind == CONTROL_EMPLOYMENT && m->employer[from] == to) ||
	    (kind == CONTROL_FORMAL && m->manager[from] == to) ||
	    (kind == CONTROL_ACTUAL && m->instructor[from] == to);
}

static void
solve_reach(const struct model *m, int start, int len[NODES][KINDS])
{
	bool changed = true;
	int from, to;
	unsigned kind, k;

	for (from = 0; from < NODES; from++)
		for (k = 0; k < KINDS; k++)
			len[from][k] = FAR;
	len[start][0] = 0;
	while (changed) {
		changed = false;
		for (from = 0; from < NODES; from++)
			for (to = 0; to < NODES; to++)
				for (kind = 1; kind < KINDS; kind <<= 1) {
					if (!has_edge(m, from, to, kind))
						continue;
					for (k = 0; k < KINDS; k++)
						if (len[from][k] + 1 <
						    len[to][k | kind]) {
							len[to][k | kind] =
							    len[from][k] + 1;
							changed = true;
						}
				}
	}
}

static void
lower(int *at, int value)
{
	if (value < *at)
		*at = value;
}

/* The ends of one node reached by kinds k over n steps. */
static void
solve_ends(const struct model *m, const int owned[ENTITIES][LABELS + 1],
    int node, unsigned k, int n, int ends[LABELS + 1][KINDS])
{
	int l, s = node - PEOPLE - ENTITIES, e = node - PEOPLE;

	if (is_entity(node)) {
		for (l = 0; l < LABELS; l++)
			if (is_of(m, node, l))
				lower(&ends[l][k], n + 1);
		if (is_vague(m, node))
			lower(&ends[UNKNOWN][k], n + 1);
		for (l = 0; l <= LABELS; l++)
			lower(&ends[l][k | CONTROL_OWNERSHIP],
			    n + owned[e][l]);
		return;
	}
	lower(&ends[m->site[node] == ABSENT ? UNKNOWN : m->site[node]]
	    [k | CONTROL_LOCATION], n + 1);
	if (s < 0 && m->employer[node] == ABSENT)
		lower(&ends[UNKNOWN][k | CONTROL_EMPLOYMENT], n + 1);
	if (s < 0 && m->manager[node] == ABSENT)
		lower(&ends[UNKNOWN][k | CONTROL_FORMAL], n + 1);
	if (s >= 0 && (m->operator[s] == ABSENT || m->keepers[s] == ABSENT))
		lower(&ends[UNKNOWN][k | CONTROL_KEEPING], n + 1);
}

static void
solve_control(const struct model *m, int start, int ends[LABELS + 1][KINDS])
{
	int len[NODES][KINDS], owned[ENTITIES][LABELS + 1], node, l;
	unsigned k, fewer;

	for (l = 0; l <= LABELS; l++)
		for (k = 0; k < KINDS; k++)
			ends[l][k] = FAR;
	solve_reach(m, start, len);
	solve_ownership(m, owned);
	for (node = 0; node < NODES; node++)
		for (k = 0; k < KINDS; k++)
			if (len[node][k] < FAR)
				solve_ends(m, owned, node, k, len[node][k],
				    ends);
	for (l = 0; l <= LABELS; l++)
		for (k = KINDS; k-- > 0; )
			for (fewer = 0; fewer < k; fewer++)
				if ((fewer & ~k) == 0 && ends[l][fewer] < FAR)
					ends[l][k] = FAR;
}

/* --- comparing --- */

static int
node_of(const char *id)
{
	int node = id[1] - '0';

	return id[2] == 0 ? node : node * 10 + id[2] - '0';
}

static int
label_of(const char *name)
{
	int l;

	for (l = 0; l <= LABELS; l++)
		if (strcmp(label_names[l], name) == 0)
			return l;
	fail_msg("label %s", name);
	return -1;
}

/* Every step but the last is an edge of the model; kinds are what they sum
 * to; owners hold a share. */
static void
check_path(const struct model *m, int start, const struct control_path *p,
    const char *label)
{
	unsigned kinds = 0;
	size_t i;
	int at = start, to;

	for (i = 0; i < p->n; i++) {
		kinds |= p->steps[i].kind;
		if (i + 1 == p->n)
			break;
		to = node_of(p->steps[i].to);
		if (p->steps[i].kind == CONTROL_OWNERSHIP)
			assert_true(m->share[at - PEOPLE][to] > 0);
		else
			assert_true(has_edge(m, at, to, p->steps[i].kind));
		at = to;
	}
	assert_string_equal(p->steps[p->n - 1].to, label);
	assert_int_equal(kinds, p->kinds);
	if (strcmp(label, "unknown") != 0 &&
	    p->steps[p->n - 1].kind != CONTROL_LOCATION)
		assert_true(is_of(m, at, label_of(label)));
}

static void
compare(const struct model *m, int start, const struct control *c,
    const char *text)
{
	int ends[LABELS + 1][KINDS], l;
	const struct control_path *p;
	size_t i, k;

	solve_control(m, start, ends);
	for (i = 0; i < c->n; i++) {
		if (i > 0)
			assert_true(strcmp(c->members[i - 1].label,
			    c->members[i].label) < 0);
		l = label_of(c->members[i].label);
		for (k = 0; k < c->members[i].n_paths; k++) {
			p = &c->members[i].paths[k];
			if (ends[l][p->kinds] != (int)p->n)
				fail_msg("%s by %x in %zu, should be %d from "
				    "%d of\n%s", label_names[l], p->kinds,
				    p->n, ends[l][p->kinds], start, text);
			check_path(m, start, p, c->members[i].label);
			ends[l][p->kinds] = FAR;
		}
	}
	for (l = 0; l <= LABELS; l++)
		for (k = 0; k < KINDS; k++)
			if (ends[l][k] < FAR)
				fail_msg("%s by %zx is missing from %d of\n%s",
				    label_names[l], k, start, text);
}

/* All of a control set, as text. */
static void
put_control(struct buf *out, const struct control *c)
{
	size_t i, k, s;

	buf_reset(out);
	for (i = 0; i < c->n; i++)
		for (k = 0; k < c->members[i].n_paths; k++) {
			buf_fmt(out, "%s %x:", c->members[i].label,
			    c->members[i].paths[k].kinds);
			for (s = 0; s < c->members[i].paths[k].n; s++)
				buf_fmt(out, " %d %s %s,",
				    c->members[i].paths[k].steps[s].kind,
				    c->members[i].paths[k].steps[s].to,
				    c->members[i].paths[k].steps[s].text);
		}
	for (i = 0; i < c->n_issuers; i++)
		buf_fmt(out, " %s", c->issuers[i]);
	assert_non_null(buf_text(out));
}

/* From everybody in turn, starting somewhere, some of them from abroad. */
static void
compare_batch(const struct directory *d, const struct directory *tree)
{
	static const char *const seen[] = {"BB", "ZZ", "unknown", "ZZ"};
	struct arena *a = arena_new();
	struct control_batch *b;
	const struct control *c;
	struct buf one, other, id;
	size_t n_seen;
	int i, start, first = (int)roll(NODES);

	buf_init(&one, 0);
	buf_init(&other, 0);
	buf_init(&id, 0);
	assert_int_equal(control_batch_new(d, AT_MS, &b), 0);
	for (i = 0; i < NODES; i++) {
		start = (first + i) % NODES;
		n_seen = roll(5);
		buf_reset(&id);
		put_id(&id, start);
		if (is_entity(start)) {
			assert_int_equal(control_batch_of(b, buf_text(&id),
			    seen, n_seen, a, &c), ERR_MISSING);
			continue;
		}
		assert_int_equal(control_of(d, buf_text(&id), AT_MS, seen,
		    n_seen, a, &c), 0);
		put_control(&one, c);
		assert_int_equal(control_batch_of(b, buf_text(&id), seen,
		    n_seen, a, &c), 0);
		put_control(&other, c);
		assert_string_equal(buf_text(&one), buf_text(&other));
		assert_int_equal(control_of(tree, buf_text(&id), AT_MS, seen,
		    n_seen, a, &c), 0);
		put_control(&other, c);
		assert_string_equal(buf_text(&one), buf_text(&other));
	}
	control_batch_free(b);
	arena_free(a);
	buf_done(&one);
	buf_done(&other);
	buf_done(&id);
}

static void
random_directories_agree_with_the_definition(void **state)
{
	struct directory *d, *tree;
	struct why w = {0};
	struct buf text, id;
	struct model m;
	int i, start;

	(void)state;
	seed = 20261123;
	buf_init(&text, 0);
	buf_init(&id, 0);
	for (i = 0; i < DIRECTORIES; i++) {
		make_model(&m);
		buf_reset(&text);
		put_model(&text, &m);
		assert_non_null(buf_text(&text));
		if (directory_load(buf_text(&text), text.len, &d, &w) != 0)
			fail_msg("%u:%u: %s in\n%s", w.line, w.column, w.text,
			    buf_text(&text));
		if (i % 4 == 0) {
			/* What ends a document is left to libyaml. */
			buf_str(&text, "...\n");
			assert_int_equal(directory_load(buf_text(&text),
			    text.len, &tree, &w), 0);
			compare_batch(d, tree);
			directory_free(tree);
		}
		for (start = 0; start < NODES; start++) {
			struct arena *a = arena_new();
			const struct control *c;

			buf_reset(&id);
			put_id(&id, start);
			if (!is_entity(start)) {
				assert_int_equal(control_of(d, buf_text(&id),
				    AT_MS, NULL, 0, a, &c),
				    0);
				compare(&m, start, c, buf_text(&text));
			}
			arena_free(a);
		}
		directory_free(d);
	}
	buf_done(&text);
	buf_done(&id);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_directories_agree_with_the_definition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

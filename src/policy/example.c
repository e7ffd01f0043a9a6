/*
 * Recursive descent over the pattern as it is written:
 *
 *	branches = branch { "|" branch }
 *	branch   = { atom [ "*" | "+" | "?" | "{" min [ "," [ max ] ] "}" ] }
 *	atom     = "(" branches ")" | "[" set "]" | "." | "^" | "$" | "\" any
 *	         | any
 *
 * A group is written once for each repetition, by going back to its start.
 * A branch that is not taken is read all the same, with its output dropped.
 */
#include "policy/example.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

#define DEPTH_MAX 50
#define REPEAT_MAX 100
#define TEXT_MAX 4096

struct example {
	const char *p;
	unsigned seed;
	unsigned depth;
	struct buf *out;
	int result;
};

static void branches(struct example *e);

/* A number below n, another one for each call. */
static unsigned
choose(struct example *e, unsigned n)
{
	unsigned pick = n == 0 ? 0 : e->seed % n;

	if (n > 1)
		e->seed = e->seed / n;
	return pick;
}

/* "[:digit:]" and the like, at the class's name. */
static char
class_member(const char *name)
{
	static const struct {
		const char *name;
		char member;
	} classes[] = {
		{ "alnum", 'a' }, { "alpha", 'a' }, { "blank", ' ' },
		{ "digit", '1' }, { "graph", 'a' }, { "lower", 'a' },
		{ "print", 'a' }, { "punct", '.' }, { "space", ' ' },
		{ "upper", 'A' }, { "xdigit", '1' },
	};
	size_t i;

	for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strncmp(name, classes[i].name,
		    strlen(classes[i].name)) == 0)
			return classes[i].member;
	return 'a';
}

/* Behind "[": marks what the set names in has[], moves behind "]". */
static void
read_set(struct example *e, bool has[static 256])
{
	const char *p = e->p, *start;
	unsigned c, last;

	for (start = p; *p != 0 && (*p != ']' || p == start); p++) {
		if (*p == '[' && (p[1] == ':' || p[1] == '.' || p[1] == '=')) {
			if (p[1] == ':')
				has[(unsigned char)class_member(p + 2)] = true;
			else
				has[(unsigned char)p[2]] = true;
			while (*p != 0 && *p != ']')
				p++;
			continue;
		}
		c = last = (unsigned char)*p;
		if (p[1] == '-' && p[2] != 0 && p[2] != ']') {
			last = (unsigned char)p[2];
			p += 2;
		}
		for (; c <= last; c++)
			has[c] = true;
	}
	e->p = *p == ']' ? p + 1 : p;
}

static void
set(struct example *e)
{
	bool has[256] = { false }, negated = *e->p == '^';
	unsigned c, n = 0, pick;

	if (negated)
		e->p++;
	read_set(e, has);
	for (c = ' '; c < 127; c++)
		n += has[c] != negated;
	pick = choose(e, n > 3 ? 3 : n);
	for (c = ' '; c < 127; c++)
		if (has[c] != negated && pick-- == 0)
			break;
	if (c < 127)
		buf_u8(e->out, (uint8_t)c);
}

static void
atom(struct example *e)
{
	char c = *e->p++;

	switch (c) {
	case '(':
		branches(e);
		if (*e->p == ')')
			e->p++;
		break;
	case '[':
		set(e);
		break;
	case '.':
		buf_u8(e->out, 'a');
		break;
	case '^':
	case '$':
		break;
	case '\\':
		if (*e->p == 0)
			break;
		c = *e->p++;
		if (c == 'w')
			c = 'a';
		else if (c == 's')
			c = ' ';
		buf_u8(e->out, (uint8_t)c);
		break;
	default:
		buf_u8(e->out, (uint8_t)c);
	}
}

/* "{min,max}" and its short forms; false if none follows. */
static bool
bounds(struct example *e, unsigned *min, unsigned *max)
{
	char *end;

	switch (*e->p) {
	case '*':
	case '+':
		*min = *e->p == '+';
		*max = *min + 2;
		break;
	case '?':
		*min = 0;
		*max = 1;
		break;
	case '{':
		if (!isdigit((unsigned char)e->p[1]) && e->p[1] != ',')
			return false;
		*min = (unsigned)strtoul(e->p + 1, &end, 10);
		*max = *min;
		if (*end == ',')
			*max = isdigit((unsigned char)end[1]) ?
			    (unsigned)strtoul(end + 1, &end, 10) : *min + 2;
		e->p = end + strcspn(end, "}");
		if (*e->p == 0)
			return true;
		break;
	default:
		return false;
	}
	e->p++;
	return true;
}

static void
branch(struct example *e)
{
	unsigned min, max, times, i;
	const char *start, *behind;
	size_t len;

	while (*e->p != 0 && *e->p != '|' && *e->p != ')' && e->result == 0) {
		start = e->p;
		len = e->out->len;
		atom(e);
		if (!bounds(e, &min, &max))
			continue;
		behind = e->p;
		if (min > REPEAT_MAX || max < min)
			e->result = ERR_LIMIT;
		max = max > min + 2 ? min + 2 : max;
		times = min + choose(e, max - min + 1);
		if (times == 0)
			e->out->len = len;
		for (i = 1; i < times && e->result == 0; i++) {
			e->p = start;
			atom(e);
			if (e->out->len > TEXT_MAX)
				e->result = ERR_LIMIT;
		}
		e->p = behind;
	}
}

/* How many branches there are up to the group's end. */
static unsigned
branch_count(const char *p)
{
	unsigned n = 1, depth = 0;

	for (; *p != 0; p++) {
		if (*p == '\\' && p[1] != 0) {
			p++;
		} else if (*p == '[') {
			p += p[1] == '^' ? 2 : 1;
			if (*p == ']')
				p++;
			while (*p != 0 && *p != ']') {
				if (*p == '[' && p[1] == ':')
					p += strcspn(p, "]");
				p += *p != 0;
			}
			if (*p == 0)
				break;
		} else if (*p == '(') {
			depth++;
		} else if (*p == ')') {
			if (depth-- == 0)
				break;
		} else if (*p == '|' && depth == 0) {
			n++;
		}
	}
	return n;
}

static void
branches(struct example *e)
{
	unsigned n = branch_count(e->p), pick = choose(e, n), i;
	size_t len;

	if (++e->depth > DEPTH_MAX)
		e->result = ERR_LIMIT;
	for (i = 0; i < n && e->result == 0; i++) {
		len = e->out->len;
		branch(e);
		if (i != pick)
			e->out->len = len;
		if (*e->p == '|')
			e->p++;
	}
	e->depth--;
}

int
example_write(const char *pattern, unsigned seed, struct buf *out)
{
	struct example e = { .p = pattern, .seed = seed, .out = out };

	branches(&e);
	return out->failed ? ERR_MEMORY : e.result;
}

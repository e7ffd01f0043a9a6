/*
 * Edges are collected from all paths, each once, in the order in which the
 * paths stand; nodes follow from them. A node's name in the text is its id
 * after "id " or its label after "in ", since an entity may be called as a
 * country is.
 *
 * In a quoted string of dot only the quote ends it, while in labels a
 * backslash begins an escape of its own; so both get a backslash before them.
 */
#include "directory/picture.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "directory/facts.h"

struct end {
	const char *id;
	bool is_label;
};

struct edge {
	struct end from, to;
	enum control_kind kind;
};

struct picture {
	struct buf *out;
	const struct directory *d;
	struct edge *edges;
	size_t n;
};

static bool
same_end(const struct end *a, const struct end *b)
{
	return a->is_label == b->is_label && strcmp(a->id, b->id) == 0;
}

static void
edge_add(struct picture *p, const struct edge *e)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->edges[i].kind == e->kind &&
		    same_end(&p->edges[i].from, &e->from) &&
		    same_end(&p->edges[i].to, &e->to))
			return;
	p->edges[p->n++] = *e;
}

static void
path_add(struct picture *p, const char *who, const struct control_path *path)
{
	struct edge e = {.to = {.id = who}};
	size_t i;

	for (i = 0; i < path->n; i++) {
		e.from = e.to;
		e.to.id = path->steps[i].to;
		e.to.is_label = i + 1 == path->n;
		e.kind = path->steps[i].kind;
		edge_add(p, &e);
	}
}

static void
put_escaped(struct buf *out, const char *s)
{
	for (; *s != 0; s++) {
		if (*s == '"' || *s == '\\')
			buf_u8(out, '\\');
		buf_u8(out, (uint8_t)*s);
	}
}

static void
put_end(struct buf *out, const struct end *e)
{
	buf_str(out, e->is_label ? "\"in " : "\"id ");
	put_escaped(out, e->id);
	buf_str(out, "\"");
}

static void
put_node(struct picture *p, const struct end *e, bool first)
{
	const struct node *n = e->is_label ? NULL : node_find(p->d, e->id);

	buf_str(p->out, "\t");
	put_end(p->out, e);
	buf_str(p->out, " [label=\"");
	put_escaped(p->out, n != NULL ? n->name : e->id);
	if (n != NULL && strcmp(n->name, n->id) != 0) {
		buf_str(p->out, "\\n");
		put_escaped(p->out, n->id);
	}
	buf_str(p->out, "\"");
	if (first)
		buf_str(p->out, ", penwidth=2");
	if (e->is_label)
		buf_str(p->out, strcmp(e->id, CONTROL_UNKNOWN) == 0 ?
		    ", shape=ellipse, style=dashed" :
		    ", shape=ellipse, style=filled, fillcolor=gray90");
	buf_str(p->out, "];\n");
}

/* Whoever edges lead to, where each is met first. */
static void
put_nodes(struct picture *p, const struct end *start)
{
	size_t i, k;

	for (i = 0; i < p->n; i++) {
		for (k = 0; k < i; k++)
			if (same_end(&p->edges[k].to, &p->edges[i].to))
				break;
		if (k == i && !same_end(&p->edges[i].to, start))
			put_node(p, &p->edges[i].to, false);
	}
}

int
control_dot(struct buf *out, const struct directory *d,
    const struct principal *who, const struct control *c, struct arena *a)
{
	const struct end start = {.id = who->id};
	struct picture p = {.out = out, .d = d};
	size_t i, k, steps = 0;

	for (i = 0; i < c->n; i++)
		for (k = 0; k < c->members[i].n_paths; k++)
			steps += c->members[i].paths[k].n;
	if ((p.edges = arena_array(a, steps + 1, sizeof(*p.edges))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < c->n; i++)
		for (k = 0; k < c->members[i].n_paths; k++)
			path_add(&p, who->id, &c->members[i].paths[k]);
	buf_str(out, "digraph control {\n\trankdir=LR;\n"
	    "\tnode [shape=box, fontname=\"sans-serif\"];\n"
	    "\tedge [fontname=\"sans-serif\", fontsize=10];\n");
	put_node(&p, &start, true);
	put_nodes(&p, &start);
	for (i = 0; i < p.n; i++) {
		buf_str(out, "\t");
		put_end(out, &p.edges[i].from);
		buf_str(out, " -> ");
		put_end(out, &p.edges[i].to);
		buf_fmt(out, " [label=\"%s\"];\n",
		    control_kind_text(p.edges[i].kind));
	}
	buf_str(out, "}\n");
	return out->failed ? ERR_MEMORY : 0;
}

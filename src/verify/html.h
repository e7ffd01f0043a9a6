/*
 * verify/html.h - the outcome of a claim as one page, for eyes and printers.
 *
 * One file that asks for nothing else: no script, and a content security
 * policy that allows its own style sheet, by its hash, and nothing besides.
 * What records and claims say is escaped, and harmless as in verify/say.h.
 */
#ifndef VERIFY_HTML_H
#define VERIFY_HTML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct outcome;
struct record_strs;
struct verdict_evidence;
struct verdict_result;

#define HTML_READERS_MAX 100	/* told one by one; the rest are counted */

/* Disclosures to one reader. */
struct html_reader {
	const struct verdict_evidence *first;
	uint64_t n;
	uint64_t rows;
	int64_t first_ms, last_ms;
};

struct html_readers {
	struct html_reader list[HTML_READERS_MAX];
	size_t n;
	uint64_t more;			/* disclosures to others */
};

/* 0, ERR_MEMORY or ERR_CRYPTO. all: without limits on lists. */
int html_write(struct buf *out, const struct outcome *o, bool all);

/* html_style.c */
extern const char html_style[];

/* html_draw.c: inline SVG, and what it shows in words or as a table. */
void html_timeline(struct buf *out, const struct outcome *o,
    const struct html_readers *r);
void html_arcs(struct buf *out, const struct verdict_result *v);

/* html_could.c: who could, of a claim of ability. */
void html_abilities(struct buf *out, const struct verdict_result *v,
    bool all);

/* Parts of a page. */
void html_str(struct buf *out, const char *s);
void html_list(struct buf *out, const struct record_strs *l);
void html_reader_name(struct buf *out, const struct verdict_evidence *e);
size_t html_reader_find(const struct html_readers *r,
    const struct verdict_evidence *e);

#endif

/*
 * What is imported without an error is a directory: its text loads, and
 * written again from what was loaded it is the same bytes.
 */
#ifndef FUZZ_IMPORT_CHECK_H
#define FUZZ_IMPORT_CHECK_H

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "directory/directory.h"
#include "import/build.h"
#include "import/diff.h"
#include "import/draft.h"
#include "import/findings.h"
#include "import/mapping.h"
#include "import/merge.h"
#include "import/write.h"

static const char import_known[] = "directory: 1\nissuer: hand\n"
    "sites: {dublin: {country: IE}}\n"
    "entities: {hq: {name: Head Office, country: CN}}\n"
    "people: {liu: {issuer: audit, site: dublin, manager: none}}\n";

struct import_check {
	struct arena *arena;
	struct mapping map;
	struct findings findings;
	struct directory *loaded;
	struct draft *known;
	struct build *build;
};

static inline void
import_check_init(struct import_check *c, enum source_kind kind)
{
	struct why w;

	memset(c, 0, sizeof(*c));
	if ((c->arena = arena_new()) == NULL ||
	    mapping_default(c->arena, kind, &c->map) != 0 ||
	    directory_load(import_known, strlen(import_known), &c->loaded,
	    &w) != 0 || (c->known = draft_of(c->loaded)) == NULL)
		abort();
	findings_init(&c->findings, c->arena);
	if ((c->build = build_new(&c->map, c->known, &c->findings)) == NULL)
		abort();
}

/* Loads what was written and writes it again. */
static inline void
import_check_text(const struct buf *text)
{
	struct directory *d = NULL;
	struct draft *again;
	struct buf second;
	struct why w;

	if (directory_load((const char *)text->data, text->len, &d, &w) != 0)
		abort();
	buf_init(&second, 0);
	if ((again = draft_of(d)) == NULL)
		abort();
	draft_sort(again);
	write_draft(again, NULL, &second);
	if (second.len != text->len ||
	    memcmp(second.data, text->data, text->len) != 0)
		abort();
	buf_done(&second);
	draft_free(again);
	directory_free(d);
}

static inline void
import_check_done(struct import_check *c, int result)
{
	struct merge m = {.keep_history = true, .at_ms = 1000};
	struct draft *fresh = NULL;
	struct buf text;

	buf_init(&text, 0);
	if (result == 0 && build_end(c->build, &fresh) != 0)
		abort();
	m.covers = build_covers(c->build);
	if (result == 0 && c->findings.n[FINDING_ERROR] == 0 &&
	    merge_drafts(c->known, fresh, &m, &c->findings) == 0 &&
	    c->findings.n[FINDING_ERROR] == 0) {
		write_draft(c->known, NULL, &text);
		if (text.failed)
			abort();
		import_check_text(&text);
	}
	buf_reset(&text);
	findings_text(&c->findings, FINDING_ERROR, &text);
	findings_text(&c->findings, FINDING_NOTE, &text);
	buf_done(&text);
	draft_free(fresh);
	build_free(c->build);
	draft_free(c->known);
	directory_free(c->loaded);
	arena_free(c->arena);
}

#endif

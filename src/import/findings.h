/*
 * import/findings.h - what is wrong with a source, and what is worth
 * knowing, each with the place where it stands.
 *
 * An error keeps the import from having any effect; a note does not.
 * Past FINDINGS_MAX of a kind they are counted only.
 */
#ifndef IMPORT_FINDINGS_H
#define IMPORT_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#define FINDINGS_MAX 100

struct arena;
struct buf;

/* Where something stands: a file and line, a DN or a JSON pointer. */
struct origin {
	const char *file;	/* or NULL */
	unsigned line;		/* 0: not known */
	const char *place;	/* or NULL */
};

enum finding_kind {
	FINDING_ERROR,
	FINDING_NOTE,
	FINDING_KINDS,
};

struct finding {
	struct origin at;
	const char *text;
};

struct findings {
	struct arena *arena;
	struct finding items[FINDING_KINDS][FINDINGS_MAX];
	size_t n[FINDING_KINDS];	/* also those past the maximum */
	bool failed;			/* out of memory */
};

void findings_init(struct findings *f, struct arena *a);
/* at may be NULL. What it points to is copied. */
void findings_add(struct findings *f, enum finding_kind kind,
    const struct origin *at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* One line each, "file:line: place: error: text". */
void findings_text(const struct findings *f, enum finding_kind kind,
    struct buf *out);

#endif

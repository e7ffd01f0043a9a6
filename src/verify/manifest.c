#include "verify/manifest.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"

#define FIRST_LINE "# sworn evidence 1"
#define LOGS "logs/"
#define OBJECTS "objects/"
#define ENTRY ".json"
#define PROOF ".tlog-proof"

int
manifest_path(struct manifest_file *f)
{
	int n = -1;

	switch (f->kind) {
	case MANIFEST_CLAIM:
		n = snprintf(f->path, sizeof(f->path), "claim.yaml");
		break;
	case MANIFEST_ROTATIONS:
		n = snprintf(f->path, sizeof(f->path), LOGS "%u/rotations",
		    f->log);
		break;
	case MANIFEST_CHECKPOINT:
		n = snprintf(f->path, sizeof(f->path), LOGS "%u/checkpoint",
		    f->log);
		break;
	case MANIFEST_ENTRY:
		n = snprintf(f->path, sizeof(f->path), LOGS "%u/%" PRIu64
		    ENTRY, f->log, f->seq);
		break;
	case MANIFEST_PROOF:
		n = snprintf(f->path, sizeof(f->path), LOGS "%u/%" PRIu64
		    PROOF, f->log, f->seq);
		break;
	case MANIFEST_OBJECT:
		n = snprintf(f->path, sizeof(f->path), OBJECTS "%s",
		    f->sha256);
		break;
	}
	return n < 0 || (size_t)n >= sizeof(f->path) ? ERR_LIMIT : 0;
}

void
manifest_begin(struct buf *out)
{
	buf_str(out, FIRST_LINE "\n");
}

void
manifest_add(struct buf *out, const struct manifest_file *f)
{
	buf_fmt(out, "%s  %s\n", f->sha256, f->path);
}

static bool
is_hash(const char *s, size_t len)
{
	return len == RECORD_HASH_HEX &&
	    strspn(s, "0123456789abcdef") >= RECORD_HASH_HEX;
}

/* "57.json" and the like, behind the log's folder. */
static int
read_in_log(const char *s, size_t len, struct manifest_file *f)
{
	const char *dot = memchr(s, '.', len);
	size_t rest;

	if (len == strlen("checkpoint") && memcmp(s, "checkpoint", len) == 0) {
		f->kind = MANIFEST_CHECKPOINT;
		return 0;
	}
	if (len == strlen("rotations") && memcmp(s, "rotations", len) == 0) {
		f->kind = MANIFEST_ROTATIONS;
		return 0;
	}
	if (dot == NULL)
		return ERR_FORMAT;
	rest = len - (size_t)(dot - s);
	if (rest == strlen(ENTRY) && memcmp(dot, ENTRY, rest) == 0)
		f->kind = MANIFEST_ENTRY;
	else if (rest == strlen(PROOF) && memcmp(dot, PROOF, rest) == 0)
		f->kind = MANIFEST_PROOF;
	else
		return ERR_FORMAT;
	return text_u64(s, (size_t)(dot - s), &f->seq);
}

static int
read_path(const char *s, size_t len, struct manifest_file *f)
{
	const char *slash;
	uint64_t log;

	if (len == strlen("claim.yaml") && memcmp(s, "claim.yaml", len) == 0) {
		f->kind = MANIFEST_CLAIM;
		return 0;
	}
	if (len > strlen(OBJECTS) && memcmp(s, OBJECTS, strlen(OBJECTS)) ==
	    0) {
		f->kind = MANIFEST_OBJECT;
		s += strlen(OBJECTS);
		len -= strlen(OBJECTS);
		return is_hash(s, len) && memcmp(s, f->sha256, len) == 0 ? 0 :
		    ERR_FORMAT;
	}
	if (len <= strlen(LOGS) || memcmp(s, LOGS, strlen(LOGS)) != 0)
		return ERR_FORMAT;
	s += strlen(LOGS);
	len -= strlen(LOGS);
	if ((slash = memchr(s, '/', len)) == NULL ||
	    text_u64(s, (size_t)(slash - s), &log) != 0 || log == 0 ||
	    log > OPTIONS_MAX)
		return ERR_FORMAT;
	f->log = (unsigned)log;
	return read_in_log(slash + 1, len - (size_t)(slash + 1 - s), f);
}

static int
read_line(const char *line, size_t len, struct manifest_file *f)
{
	size_t at = RECORD_HASH_HEX + 2;

	memset(f, 0, sizeof(*f));
	if (len <= at || !is_hash(line, RECORD_HASH_HEX) ||
	    memcmp(line + RECORD_HASH_HEX, "  ", 2) != 0)
		return ERR_FORMAT;
	memcpy(f->sha256, line, RECORD_HASH_HEX);
	if (read_path(line + at, len - at, f) != 0)
		return ERR_FORMAT;
	return manifest_path(f);
}

/* Whether a file may follow another (NULL: may be the first). */
static bool
in_order(const struct manifest_file *a, const struct manifest_file *b)
{
	unsigned last = a != NULL ? a->log : 0;

	if (a == NULL)
		return b->kind == MANIFEST_CLAIM;
	switch (b->kind) {
	case MANIFEST_CLAIM:
		break;
	case MANIFEST_CHECKPOINT:
		if (a->kind == MANIFEST_ROTATIONS)
			return b->log == last;
		__attribute__((fallthrough));
	case MANIFEST_ROTATIONS:
		return b->log == last + 1 && (a->kind == MANIFEST_CLAIM ||
		    a->kind == MANIFEST_PROOF);
	case MANIFEST_ENTRY:
		return b->log == last && (a->kind == MANIFEST_CHECKPOINT ||
		    (a->kind == MANIFEST_PROOF && b->seq > a->seq));
	case MANIFEST_PROOF:
		return b->log == last && a->kind == MANIFEST_ENTRY &&
		    b->seq == a->seq;
	case MANIFEST_OBJECT:
		return a->kind == MANIFEST_PROOF ||
		    (a->kind == MANIFEST_OBJECT &&
		    strcmp(b->sha256, a->sha256) > 0);
	}
	return false;
}

static size_t
count_lines(const char *text, size_t len)
{
	size_t n = 0, i;

	for (i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

static int
read_files(const char *at, const char *end, struct manifest_file *list,
    size_t *ret_n, struct why *w)
{
	const char *nl;
	size_t n = 0;

	for (; at < end; at = nl + 1, n++) {
		nl = memchr(at, '\n', (size_t)(end - at));
		if (nl == NULL ||
		    read_line(at, (size_t)(nl - at), &list[n]) != 0)
			return why_set(w, ERR_FORMAT, (unsigned)n + 2, 1,
			    "line %zu is no file of a bundle", n + 2);
		if (!in_order(n > 0 ? &list[n - 1] : NULL, &list[n]))
			return why_set(w, ERR_FORMAT, (unsigned)n + 2, 1,
			    "line %zu, %s, is not in its place", n + 2,
			    list[n].path);
	}
	if (n == 0 || (list[n - 1].kind != MANIFEST_PROOF &&
	    list[n - 1].kind != MANIFEST_OBJECT))
		return why_set(w, ERR_FORMAT, (unsigned)n + 1, 1,
		    "it ends too early");
	*ret_n = n;
	return 0;
}

int
manifest_read(const char *text, size_t len, struct arena *a,
    struct manifest_file **ret, size_t *ret_n, struct why *w)
{
	size_t first = strlen(FIRST_LINE "\n");
	struct manifest_file *list;

	if (len < first || memcmp(text, FIRST_LINE "\n", first) != 0)
		return why_set(w, ERR_FORMAT, 1, 1, "it does not begin with "
		    "the line \"" FIRST_LINE "\"");
	list = arena_array(a, count_lines(text, len), sizeof(*list));
	if (list == NULL)
		return ERR_MEMORY;
	*ret = list;
	return read_files(text + first, text + len, list, ret_n, w);
}

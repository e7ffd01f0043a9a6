#include "log/sightings.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"

#define FIRST "# sworn seen 1"
#define ENTRY "entry "

static void
add_time(struct buf *out, const char *name, int64_t ms)
{
	char text[TIME_TEXT_MAX];

	if (ms == 0)
		return;
	time_text(ms, text);
	buf_fmt(out, "%s %s\n", name, text);
}

void
sightings_write(struct buf *out, const struct sightings *s)
{
	size_t i;

	buf_fmt(out, FIRST "\nstore %s\ntag %s\n", s->store, s->tag);
	add_time(out, "from", s->from_ms);
	add_time(out, "to", s->to_ms);
	for (i = 0; i < s->n; i++)
		buf_fmt(out, ENTRY "%" PRIu64 "\n", s->entries[i]);
}

struct lines {
	const char *p, *end;
	unsigned number;		/* of the line that stands at p */
};

/* The rest of the line at p, if it begins so; past it then. */
static bool
take(struct lines *l, const char *begin, const char **ret, size_t *len)
{
	size_t n = strlen(begin), left = (size_t)(l->end - l->p);
	const char *end;

	if (left < n || memcmp(l->p, begin, n) != 0 ||
	    (end = memchr(l->p, '\n', left)) == NULL)
		return false;
	*ret = l->p + n;
	*len = (size_t)(end - *ret);
	l->p = end + 1;
	l->number++;
	return true;
}

static int
take_name(struct lines *l, const char *begin, struct arena *a,
    const char **ret)
{
	const char *s;
	size_t len;

	if (!take(l, begin, &s, &len) || len == 0 ||
	    len > SIGHTINGS_NAME_MAX || memchr(s, 0, len) != NULL ||
	    !text_is_utf8(s, len))
		return ERR_FORMAT;
	return (*ret = arena_strn(a, s, len)) == NULL ? ERR_MEMORY : 0;
}

static int
take_time(struct lines *l, const char *begin, int64_t *ret)
{
	const char *s;
	size_t len;

	*ret = 0;
	if (!take(l, begin, &s, &len))
		return 0;
	return time_parse(s, len, ret) == 0 && *ret > 0 ? 0 : ERR_FORMAT;
}

static int
take_entries(struct lines *l, struct arena *a, struct sightings *ret)
{
	size_t len, max = (size_t)(l->end - l->p) / sizeof(ENTRY);
	uint64_t *list;
	const char *s;

	if (max > SIGHTINGS_MAX)
		max = SIGHTINGS_MAX;
	if ((list = arena_array(a, max + 1, sizeof(*list))) == NULL)
		return ERR_MEMORY;
	while (ret->n < max && take(l, ENTRY, &s, &len)) {
		if (text_u64(s, len, &list[ret->n]) != 0 || (ret->n > 0 &&
		    list[ret->n] <= list[ret->n - 1])) {
			l->number--;
			return ERR_FORMAT;
		}
		ret->n++;
	}
	ret->entries = list;
	return l->p == l->end ? 0 : ERR_FORMAT;
}

int
sightings_read(const char *text, size_t len, struct arena *a,
    struct sightings *ret, unsigned *line)
{
	struct lines l = {text, text + len, 1};
	const char *rest;
	size_t n;
	int r = ERR_FORMAT;

	memset(ret, 0, sizeof(*ret));
	if (len <= SIGHTINGS_FILE_MAX && take(&l, FIRST, &rest, &n) &&
	    n == 0 && (r = take_name(&l, "store ", a, &ret->store)) == 0 &&
	    (r = take_name(&l, "tag ", a, &ret->tag)) == 0 &&
	    (r = take_time(&l, "from ", &ret->from_ms)) == 0 &&
	    (r = take_time(&l, "to ", &ret->to_ms)) == 0)
		r = take_entries(&l, a, ret);
	*line = l.number;
	return r;
}

#include "gateway/asked.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "gateway/config.h"
#include "gateway/log_client.h"
#include "record/record.h"

void
asked_write(struct buf *out, const struct asked *a)
{
	buf_cstr(out, a->user);
	buf_cstr(out, a->by);
	buf_cstr(out, a->store);
	buf_cstr(out, a->tag);
	buf_cstr(out, a->residences);
	buf_fmt(out, "%lld", (long long)a->from_ms);
	buf_u8(out, 0);
	buf_fmt(out, "%lld", (long long)a->to_ms);
	buf_u8(out, 0);
	buf_cstr(out, a->full ? "1" : "0");
}

static int
read_ms(struct reader *in, int64_t *ret)
{
	const char *s;
	uint64_t v;

	if (reader_cstr(in, &s) != 0 || text_u64(s, strlen(s), &v) != 0 ||
	    v > INT64_MAX)
		return ERR_FORMAT;
	*ret = (int64_t)v;
	return 0;
}

static int
read_flag(struct reader *in, bool *ret)
{
	const char *s;

	if (reader_cstr(in, &s) != 0 || (strcmp(s, "0") != 0 &&
	    strcmp(s, "1") != 0))
		return ERR_FORMAT;
	*ret = s[0] == '1';
	return 0;
}

int
asked_read(struct bytes in, struct asked *ret)
{
	struct reader r;

	reader_init(&r, in.data, in.len);
	if (in.len > ASKED_MAX || reader_cstr(&r, &ret->user) != 0 ||
	    reader_cstr(&r, &ret->by) != 0 ||
	    reader_cstr(&r, &ret->store) != 0 ||
	    reader_cstr(&r, &ret->tag) != 0 ||
	    reader_cstr(&r, &ret->residences) != 0 ||
	    read_ms(&r, &ret->from_ms) != 0 ||
	    read_ms(&r, &ret->to_ms) != 0 ||
	    read_flag(&r, &ret->full) != 0)
		return ERR_FORMAT;
	return reader_left(&r) == 0 ? 0 : ERR_FORMAT;
}

static int
split(struct arena *a, const char *text, struct record_strs *ret)
{
	const char *p, **list;
	size_t n = 0, len;

	for (p = text; *p != 0; p++)
		n += *p == '\n';
	if ((list = arena_array(a, n + 1, sizeof(*list))) == NULL)
		return ERR_MEMORY;
	for (n = 0, p = text; *p != 0; p += len + (p[len] != 0)) {
		len = strcspn(p, "\n");
		if ((list[n++] = arena_strn(a, p, len)) == NULL)
			return ERR_MEMORY;
	}
	*ret = (struct record_strs){list, n};
	return 0;
}

static int
refuse(char text[static ASKED_TEXT_MAX], int r, const char *why,
    const char *what)
{
	(void)snprintf(text, ASKED_TEXT_MAX, "%s%.200s", why, what); /* cut */
	return r;
}

int
asked_record(const struct asked *a, const char *gateway,
    const struct config *c, struct log_client *log, uint64_t *ret_seq,
    char text[static ASKED_TEXT_MAX])
{
	struct record rec = {.type = RECORD_ASKED, .gateway = gateway};
	struct record_asked *to = &rec.u.asked;
	struct arena *arena;
	int r;

	if (a->user[0] == 0 || a->by[0] == 0)
		return refuse(text, ERR_DENIED, "who asks is not known", "");
	if (config_store_find(c, a->store) == NULL)
		return refuse(text, ERR_MISSING, "the gateway has no store ",
		    a->store);
	if (a->full && !config_seen_names_for(&c->seen, a->user))
		return refuse(text, ERR_DENIED, "the names of readers are "
		    "only for the users that sworn.conf lists under seen: "
		    "names-for, and not for ", a->user);
	if ((arena = arena_new()) == NULL ||
	    split(arena, a->residences, &to->residences) != 0) {
		arena_free(arena);
		return refuse(text, ERR_MEMORY, err_text(ERR_MEMORY), "");
	}
	to->by = a->by;
	to->store = a->store;
	to->tag = a->tag;
	to->from_ms = a->from_ms;
	to->to_ms = a->to_ms;
	to->full = a->full;
	if ((r = log_client_submit_seq(log, &rec, ret_seq)) != 0)
		(void)refuse(text, r, "the log did not take the record that "
		    "this was asked: ", err_text(r));
	arena_free(arena);
	return r;
}
